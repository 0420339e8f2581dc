/* runs_rig.h - the open runs of a shard without a shard: jobs that say what a test wants,
 * records that are kept as they are written, a log of reports, and an owner who can be followed
 * by another. */
#ifndef BELFRY_TESTS_RUNS_RIG_H
#define BELFRY_TESTS_RUNS_RIG_H

#include "dispatcher/runs/runs.h"

enum { RIG_JOBS = 8, RIG_RECORDS = 256, RIG_LOG = 4096, RIG_TEXT_BYTES = 128 };
#define RIG_NOW_MS INT64_C(1780000000000)

enum rig_word {
    RIG_CHANGED,
    RIG_ENDED,
    RIG_FIRE,
    RIG_DOUBLED,
    RIG_LATE,
    RIG_UNKNOWN,
    RIG_CANCEL,
    RIG_ZOMBIE,
    RIG_WITHDRAWN
};

/* What came out of the sink. */
struct rig_heard {
    enum rig_word word;
    const struct run_view *run;  /* NULL: of a report without a run */
    const struct run_end *end;   /* RIG_ENDED */
    const struct report *report; /* may be NULL */
};

struct rig_job {
    enum run_job state;
    struct run_terms terms;
    char id[16];
};

struct rig_record {
    bool is_there;
    struct run_view view;
    char *texts;
};

struct rig_report { /* one in the log */
    int64_t log_ms;
    struct report report;
    char texts[5][RIG_TEXT_BYTES];
};

struct runs_rig {
    struct runs *runs;
    struct runs_config config;
    struct runs_sink sink;
    struct runs_now now;
    int64_t generation;
    int64_t epoch;
    struct rig_job jobs[RIG_JOBS];
    int64_t next_nominal_ms;
    int room; /* the sink is full when so much has been said; -1: never */
    struct rig_record records[RIG_RECORDS]; /* by k */
    struct rig_report log[RIG_LOG];
    int64_t log_end; /* offset of the next report */
    void (*heard)(void *opaque, const struct rig_heard *heard);
    void *opaque;
};

/* Terms that retry twice: lease 60 s, start_within 100 s. */
void runs_rig_terms(struct run_terms *terms);
void runs_rig_open(struct runs_rig *rig);
void runs_rig_close(struct runs_rig *rig);
/* Time passes. */
void runs_rig_pass(struct runs_rig *rig, int64_t ms);
/* A fire of the job; the run's view. */
void runs_rig_fire(struct runs_rig *rig, int job, struct run_view *view);
/* The report is appended at log_ms, and read. */
void runs_rig_report(struct runs_rig *rig, const struct report *report, int64_t log_ms);
/* Another tick number is read back, appended at log_ms; over several commits if there is no
 * room. */
void runs_rig_tick(struct runs_rig *rig, int64_t number, int64_t log_ms);
/* What is due is done, over several commits if there is no room. */
void runs_rig_step(struct runs_rig *rig);
/* Another owner takes over from the records: has the runs that are in them, and reads again from
 * where the mark says.
 *   is_new_generation  what was open is not to be followed */
void runs_rig_take_over(struct runs_rig *rig, bool is_new_generation);

#endif
