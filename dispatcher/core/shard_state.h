/* shard_state.h - the inside of a shard, shared by the files that make up its state machine:
 * shard.c (life, restoring), advance.c (slots coming due), lane.c (owed slots), job_change.c
 * (what can happen to one job), apply.c and apply_select.c (commands). */
#ifndef BELFRY_CORE_SHARD_STATE_H
#define BELFRY_CORE_SHARD_STATE_H

#include "dispatcher/core/alarms.h"
#include "dispatcher/core/job.h"
#include "dispatcher/core/job_queue.h"
#include "dispatcher/core/job_table.h"
#include "dispatcher/core/seen_table.h"
#include "dispatcher/core/shard.h"
#include "dispatcher/core/timers.h"

struct due_list { /* a schedule with jobs due at the instant under way */
    struct schedule *schedule;
    uint32_t at; /* in its list of jobs */
    bool has_next;
    int64_t next_ms;
};

struct shard {
    struct shard_config config;
    struct job_table *jobs;
    struct timers *timers;
    struct alarms alarms;  /* ends of pauses, ends of keeping */
    struct alarms retries; /* of failing jobs */
    struct seen_table *seen;
    struct watermark watermark;
    int64_t next_ordinal;
    int64_t lane_ran_ms;
    struct job_queue lane;      /* jobs with owed slots decided to be fired */
    struct job_queue undecided; /* jobs with owed slots the policy has to decide about */
    struct in_command in_command;
    struct job_reference *targets; /* jobs of the command under way, by ordinal */
    size_t target_count;
    size_t target_at;
    struct due_list *due; /* scratch of advance.c */
    size_t due_capacity;
};

/* ---- job_change.c: each keeps timers, alarms, lane and records in agreement ---- */

/* The job a reference names, or NULL when it is gone. */
struct job *shard_job_of(const struct shard *shard, struct job_reference reference);
struct job_reference job_reference_of(const struct job *job);

/* Adds a job; the caller has given an `every` its anchor. */
struct job *job_add(struct shard *shard, const struct definition *definition,
                    const struct incarnation *incarnation, const struct sink *sink);
/* Gives the job the merged definition, an `every` with its anchor; a changed schedule starts
 * after effective_ms. */
void job_update(struct shard *shard, struct job *job, const struct definition *definition,
                int64_t effective_ms, int64_t now_ms, const struct sink *sink);
void job_pause(struct shard *shard, struct job *job, int64_t effective_ms, int64_t until_ms,
               int64_t now_ms, const struct sink *sink);
/* from_ms: slots after it, missed in the pause, are owed; effective_ms for none of them. */
void job_resume(struct shard *shard, struct job *job, int64_t effective_ms, int64_t from_ms,
                int64_t now_ms, const struct sink *sink);
void job_delete(struct shard *shard, struct job *job, int64_t effective_ms,
                const struct sink *sink);
/* No slot will come any more: event, state finished, deleted when its keeping ends. */
void job_finish(struct shard *shard, struct job *job, int64_t at_ms, const struct sink *sink);
/* Takes it out of everything and frees it; says nothing. */
void job_remove(struct shard *shard, struct job *job);

/* Whether the alarm is still the job's. */
bool shard_alarm_holds(const struct shard *shard, const struct alarm *alarm);
/* Lists the job where its present state belongs: timers, alarms, lane. After restoring. */
void job_settle(struct shard *shard, struct job *job);

/* The first slot after after_ms that start and end allow. */
bool job_next_slot(const struct definition *definition, int64_t after_ms, int64_t *next_ms);
bool job_has_slot_after(const struct job *job, int64_t after_ms);
int64_t job_grace_ms(const struct job *job);
/* Whether its fires count towards max_fires. */
bool job_counts_fires(const struct job *job);
/* Whether max_fires has been reached. */
bool job_fires_used_up(const struct job *job);
/* Whether job_finish() leaves the job there for a while. */
bool job_keeps_when_finished(const struct job *job);

/* Counts and puts out one fire. */
void job_fire(struct job *job, enum fire_kind kind, int64_t nominal_ms, int64_t now_ms,
              int64_t missed_count, int32_t attempt, const struct sink *sink);
/* An event about a job, filled with its names. `incarnation_text` has to outlive the event. */
void job_event_init(struct event *event, enum event_kind kind, const struct job *job,
                    int64_t at_ms, char *incarnation_text);
/* Names slots that will not be published: missed or skipped. */
void job_announce(struct job *job, enum event_kind kind, int64_t at_ms, int64_t first_ms,
                  int64_t last_ms, int64_t count, const char *reason, const struct sink *sink);

/* ---- lane.c ---- */

/* A live slot that comes too late to just fire: it and all later ones are owed. */
void lane_owe(struct shard *shard, struct job *job, int64_t nominal_ms, const struct sink *sink);
/* A late slot of a job that owes already: judged apart from what was decided before. */
void lane_owe_more(struct shard *shard, struct job *job, int64_t nominal_ms,
                   const struct sink *sink);
/* The catch-up policy decides about the job's undecided tail, up to to_ms. */
void lane_decide(struct shard *shard, struct job *job, int64_t to_ms, int64_t now_ms,
                 const struct sink *sink);
/* Opens a range the policy has to decide about at once (resume from, a past `at`). */
void lane_open(struct shard *shard, struct job *job, int64_t from_ms, int64_t to_ms,
               int64_t now_ms, const struct sink *sink);
/* The tail becomes a closed range up to to_ms, under the present schedule: a pause or an edit
 * follows. Where there are too many ranges, an event at at_ms names what is dropped. */
void lane_close_tail(struct shard *shard, struct job *job, int64_t to_ms, int64_t at_ms,
                     const struct sink *sink);
/* Ranges of the present schedule keep it, and its start and end, although the job gets others. */
void lane_keep_schedule(struct shard *shard, struct job *job);
/* What is owed will not be fired: one event says so. */
void lane_drop(struct shard *shard, struct job *job, int64_t at_ms, const char *reason,
               const struct sink *sink);
/* max_fires is used up: what is still owed is no longer due. */
void lane_end(struct shard *shard, struct job *job, int64_t now_ms, const struct sink *sink);
void lane_release(struct shard *shard, struct job *job); /* frees the ranges, says nothing */
void lane_enqueue(struct shard *shard, struct job *job);
/* When the lane may run again. */
int64_t shard_lane_due_ms(const struct shard *shard);

#endif
