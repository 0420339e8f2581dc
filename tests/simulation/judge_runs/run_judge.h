/* run_judge.h - judges the runs of one shard by what it has committed, step by step, by a second,
 * slow method: every step says which tries have ended and which went out, the reports that were
 * read by then say which should have. It shares no code with the core.
 *
 * The seven invariants of docs/runs.md: 1 and 2 in run_work.c, 3 in run_ends.c, 4 and 6 in
 * run_steps.c, 5 in run_slots.c, 7 in run_memory.c; when a try may be given up is in
 * run_given_up.c. */
#ifndef BELFRY_TESTS_RUN_JUDGE_H
#define BELFRY_TESTS_RUN_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/simulation/judge/model.h"
#include "tests/simulation/judge_runs/wanted_runs.h"
#include "tests/simulation/world/history.h"
#include "tests/simulation/world/world.h"

struct judged_report { /* what stands in `runs`, or a tick */
    int64_t offset;
    int64_t time_ms; /* its append time */
    int64_t at_ms;   /* the true time then */
    int64_t read_ms; /* by an engine; INT64_MAX: never, or nothing came of it */
    enum wanted_outcome word; /* SAID_NOTHING: a tick, or it cannot be read */
    bool tick;
    int64_t epoch; /* of a tick */
    int64_t number;
    char run[HISTORY_RUN_BYTES];
    int64_t runnumber;
    char workers[HISTORY_WORD_BYTES];
    char topic[FACT_NAME_BYTES]; /* of `started`: where the fire stands */
    int32_t partition;
    int64_t fire_offset;
    int64_t retry_after_ms; /* -1: none */
    int64_t exit_code;      /* -1: none */
};

struct judged_try {
    int64_t runnumber;
    int64_t fired_ms;  /* by the shard's time */
    int64_t expiry_ms; /* 0: it has none */
    int64_t lease_ms;
    bool fixed;
    char workers[HISTORY_WORD_BYTES];
    const struct step *fired;
    const struct step *ended; /* NULL: open */
    enum wanted_outcome outcome; /* or SAID_RELEASED; SAID_NOTHING: not said */
    bool by_owner; /* no report ended it */
    bool lived;    /* lost, and then its worker said that it had stopped */
};

struct judged_run {
    char id[HISTORY_RUN_BYTES];
    char name[HISTORY_NAME_BYTES];
    struct life *life;
    int64_t first; /* its first run number */
    int64_t nominal_ms;
    bool is_slot;  /* of the schedule: not of a trigger or a backfill */
    int64_t k;     /* -1: no record yet */
    struct judged_try *tries;
    size_t try_count;
    size_t try_capacity;
    size_t tries_before;        /* this step */
    const struct step *opened;
    const struct step *ended;   /* NULL: open */
    bool waiting;               /* its last try has ended, the next one has not gone out */
    bool cancel_asked;
    bool forbids;               /* no other run of the job may be open beside it */
    bool allowed;               /* a trigger that may go beside others */
    int64_t retry_ms;           /* of one that waits */
    bool excused;               /* some program of it is: another may have ended the run */
    /* In this step: */
    bool freed;
    const struct run_said *end; /* the record that says so */
    bool unclear; /* it was asked to stop: its owner may have ended it before its report */
    bool hastened; /* a command lets its next try come at once */
    const struct run_said *record;
    enum wanted_outcome told;   /* by an event or a letter that it failed */
};

struct taken_step { /* a take-over */
    const struct step *step;
    int64_t opened_ms; /* no later than its owner's clock of leases began */
};

struct output_job { /* as it was then: a later command of the step may have changed it */
    struct life *life; /* NULL: none is known */
    bool forbids;      /* no other run may be open beside one of it */
    bool leased;
    bool fixed;
};

struct run_judge {
    struct world *world;
    int32_t shard;
    struct judged_report *reports;
    size_t report_count;
    size_t report_capacity;
    size_t *by_number; /* reports in the order of their run numbers, then of the log */
    size_t acted; /* reports that steps up to here have read */
    size_t acting;
    size_t half_done; /* of the next record, if read, some may have acted: a full transaction */
    struct judged_run **runs; /* by first run number */
    size_t run_count;
    size_t run_capacity;
    struct judged_run **open; /* of them, when the step began, and what it has opened */
    size_t open_count;
    size_t open_capacity;
    const struct output **outputs; /* of the step */
    struct output_job *jobs; /* of each of them */
    size_t output_count;
    size_t output_capacity;
    size_t job_capacity;
    const struct step *before;
    bool may_stop; /* a command of the step asks runs to stop */
    struct taken_step *taken;
    size_t taken_count;
    size_t taken_capacity;
    int64_t last_runnumber;
    const struct output **events; /* that name slots that do not fire */
    size_t event_count;
    size_t event_capacity;
    int64_t *asked; /* run numbers of tries that were asked to stop, and when */
    size_t asked_count;
    size_t asked_capacity;
};

void run_judge_open(struct run_judge *judge, struct world *world, int32_t shard);
/* One of a step; `life` of the job it is about, NULL: none is known. */
void run_judge_output(struct run_judge *judge, const struct output *output, struct life *life);
/* That was all of the step. */
void run_judge_step(struct run_judge *judge, const struct step *step);
/* That was all. */
void run_judge_end(struct run_judge *judge);
void run_judge_close(struct run_judge *judge);

/* Whether the job is judged here and not by the rest of the judge: it may have had a lease. */
bool run_judge_is_mine(const char *name);

/* Whether a trigger or a requeue meets a run now, in the middle of a step: what it has fired itself
 * is none, and a trigger did so from the step `begun` on; NULL: in this one. */
bool run_judge_in_way(const struct run_judge *judge, const struct life *life,
                      const struct sent_command *command, const struct step *begun);
/* When the last run of that name ended, at the earliest; ALWAYS_MS: one is open, NEVER_MS: there
 * was none. */
int64_t run_judge_over_ms(const struct run_judge *judge, const char *name);
/* The same at the latest: when what says so was committed; of this step that is now_ms. */
int64_t run_judge_over_by_ms(const struct run_judge *judge, const char *name, int64_t now_ms);
/* Whether the output just handed over is the first try of a run that has been there before. */
bool run_judge_came_again(const struct run_judge *judge, const struct output *fire);

/* run_slots.c: what the policy made of a job's slots, at the end. */
void run_slots_judge(struct run_judge *judge, const struct life *life);
/* An event that leaves out a slot, and names no run. */
void run_slots_nameless(struct run_judge *judge, const struct output *event);
/* When the first fire of the oldest open run of that name was put out; NEVER_MS: none is open. */
int64_t run_judge_open_since_ms(const struct run_judge *judge, const char *name);

/* ---- between the files ---- */

void run_reports_read(struct run_judge *judge);
/* The reports with that run number are by_number[first .. first + the result). */
size_t run_reports_of(const struct run_judge *judge, int64_t runnumber, size_t *first);
struct judged_run *run_judge_find(const struct run_judge *judge, const char *id);
struct judged_try *run_judge_try(const struct run_judge *judge, int64_t runnumber,
                                 struct judged_run **run);
/* Whether the report is one about this try by a member of its group. */
bool run_report_is_of(const struct judged_report *report, const struct judged_run *run,
                      const struct judged_try *tried);
/* run_given_up.c: no report ended the try in this step. */
const char *run_why_not_given_up(const struct run_judge *judge, const struct judged_run *run,
                                 const struct judged_try *tried, const struct step *step,
                                 size_t before);
void run_given_up(struct run_judge *judge, const struct judged_run *run,
                  const struct judged_try *tried, const struct step *step);
/* run_next.c: what follows a try that has ended. */
void run_next_judge(struct run_judge *judge, struct judged_run *run, const struct step *step,
                    const struct judged_report *report);
int64_t run_tries_that_count(const struct judged_run *run, size_t tries);
/* run_work.c, run_ends.c: at the end. */
void run_work_judge(struct run_judge *judge);
void run_ends_judge(struct run_judge *judge);
void run_slots_events(struct run_judge *judge);
/* run_pauses.c: jobs that are paused for their failures. */
void run_pauses_judge(struct run_judge *judge, const struct step *step);
/* run_cancels.c: requests to stop. */
void run_cancels_judge(struct run_judge *judge, const struct step *step);
/* Whether anything but the command at hand may ask the job's runs to stop in this step. */
bool run_cancels_may(const struct run_judge *judge, const struct life *life);

#endif
