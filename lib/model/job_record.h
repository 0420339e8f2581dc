/* job_record.h - a job as it is written to belfry.state and Redis and read back: its definition
 * and what Belfry keeps about it. A view: texts and ranges are borrowed. */
#ifndef BELFRY_MODEL_JOB_RECORD_H
#define BELFRY_MODEL_JOB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/limits.h"
#include "lib/model/definition.h"
#include "lib/time/incarnation.h"

/* No instant: paused_ms, until_ms, finished_ms, tail_from_ms, retry_ms ... are not set. */
#define INSTANT_NONE INT64_MIN

/* Slots decided to be fired later by the catch-up lane, oldest first. */
struct owed_range {
    int64_t from_ms; /* exclusive: the last slot done */
    int64_t to_ms;   /* inclusive */
    int64_t missed_count; /* policy latest: slots its one fire stands for besides its own */
    int64_t planned;      /* fires planned when opened; for catchup_finished */
    int64_t delay_ms;     /* of a range that is one slot: its due time minus its nominal one */
    bool has_schedule;    /* opened under an earlier schedule than the job's present one */
    struct schedule_spec schedule; /* when has_schedule */
    struct schedule_words words;
    int64_t jitter_ms;
};

enum { OWED_RANGES_MAX = 16, PENDING_MAX = 4 };

/* Which slots of the tail are owed. The others are left out: a run of the job was in their way. */
enum tail_keeps { TAIL_KEEPS_ALL = 0, TAIL_KEEPS_NONE, TAIL_KEEPS_NEWEST };

/* One slot of a job: ids go by the nominal time, the watermark by the due time. */
struct job_slot {
    int64_t nominal_ms;
    int64_t due_ms;
};

/* What keeps the ids of a job's fires from coming twice. Most jobs have none of it. */
struct job_past {
    struct incarnation import; /* effective_ms INCARNATION_NONE_MS: the job was not imported */
    uint32_t backfill_count;
    uint64_t backfills[]; /* hashes of their ids, in order of opening */
};

#define INCARNATION_NONE_MS INT64_C(-1)

/* A past range a command asked for, as far as it is still to be fired. */
struct backfill_record {
    struct text id;
    int64_t rate; /* fires a second */
    int64_t fired;
    struct owed_range range; /* with its schedule */
};

/* What Belfry keeps about a job beside what it owes. A row is a field of the memory and of the
 * record, with its default and how it is read and written: row(kind, member, name in the record).
 * An INSTANT may be INSTANT_NONE, a COUNT 0; then the record leaves it out. The rows are in groups
 * because records have others between them. */
#define JOB_PAUSE_ROWS(row)                                                                        \
    row(INSTANT, paused_ms, "paused_at")                                                           \
    row(INSTANT, until_ms, "until")
#define JOB_END_ROWS(row)                                                                          \
    row(INSTANT, finished_ms, "finished_at")     /* none: still running */                         \
    row(COUNT, counted_fires, "counted_fires")   /* towards max_fires */                           \
    row(COUNT, failed_runs, "failed_runs")       /* in a row, where these may pause the job */
#define JOB_EDIT_ROWS(row)                                                                         \
    row(INSTANT, schedule_edited_ms, "schedule_edited_at")
#define JOB_PAST_ROWS(row)                                                                         \
    row(INSTANT, zone_missing_ms, "zone_missing_at") /* a time zone of the job's is not there */   \
    row(INSTANT, zone_data_ms, "zone_data_left_out") /* newest slot other zone data left out */    \
    row(INSTANT, earlier_due_ms, "earlier_due") /* newest an earlier schedule may have fired */
/* Statistics: may be lost with Redis. */
#define JOB_COUNTER_ROWS(row)                                                                      \
    row(COUNT, fired, "fired")                                                                     \
    row(COUNT, missed, "missed")                                                                   \
    row(INSTANT, last_due_ms, "last_due") /* nominal of the newest fire */

#define JOB_MEMBER(kind, member, name) int64_t member;

/* Who a job is, and what it has done. */
struct job_life {
    int64_t ordinal;
    struct incarnation incarnation;
    int64_t updated_ms;
    JOB_COUNTER_ROWS(JOB_MEMBER)
};

struct job_state {
    JOB_PAUSE_ROWS(JOB_MEMBER)
    JOB_END_ROWS(JOB_MEMBER)
    JOB_EDIT_ROWS(JOB_MEMBER)
    JOB_PAST_ROWS(JOB_MEMBER)
    /* A fire that could not be produced; its slot is the first owed one. */
    int64_t failing_since_ms; /* INSTANT_NONE: not failing */
    int64_t retry_ms;
    int32_t attempts;
};

struct job_record {
    struct definition definition; /* .paused says whether it is paused now */
    struct job_life life;
    int64_t revision;
    struct job_state state;
    struct text pause_reason; /* empty: none */
    /* The lane: ranges first, then the tail (tail_from_ms, watermark] of the present schedule. */
    size_t owed_count;
    struct owed_range owed[OWED_RANGES_MAX];
    int64_t tail_from_ms;  /* INSTANT_NONE: no tail */
    bool tail_undecided;   /* the catch-up policy has not decided about the tail yet */
    enum tail_keeps tail_keeps;
    size_t backfill_count;
    struct backfill_record backfills[BACKFILLS_MAX];
    /* What keeps ids of fires from coming twice; see job_past.h. */
    struct incarnation import; /* effective_ms INCARNATION_NONE_MS: not imported */
    size_t backfills_had_count;
    const uint64_t *backfills_had;
    /* Slots of earlier schedules, due after the edits that ended these: each fires at its old due
     * time. In order of nominal time. */
    size_t pending_count;
    struct job_slot pending[PENDING_MAX];
};

/* Nothing unusual. Two states that say the same are so byte by byte. */
void job_state_init(struct job_state *state);
void job_life_init(struct job_life *life);
bool job_state_is_usual(const struct job_state *state);

void job_record_defaults(struct job_record *record);

#endif
