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

/* What Belfry keeps about a job beside what it owes: the same in memory and in its record. */
struct job_state {
    int64_t schedule_edited_ms; /* INSTANT_NONE: never edited */
    int64_t earlier_due_ms; /* newest slot an earlier schedule may have fired; INSTANT_NONE */
    int64_t zone_missing_ms; /* since then a time zone of the job's is not there; INSTANT_NONE */
    int64_t zone_data_ms; /* newest slot that other zone data has left out; INSTANT_NONE */
    int64_t paused_ms;
    int64_t until_ms;
    int64_t finished_ms; /* INSTANT_NONE: still running */
    int64_t counted_fires; /* towards max_fires */
    /* A fire that could not be produced; its slot is the first owed one. */
    int64_t failing_since_ms; /* INSTANT_NONE: not failing */
    int64_t retry_ms;
    int32_t attempts;
};

struct job_record {
    struct definition definition; /* .paused says whether it is paused now */
    struct incarnation incarnation;
    int64_t ordinal;
    int64_t revision;
    int64_t updated_ms;
    struct job_state state;
    struct text pause_reason; /* empty: none */
    /* The lane: ranges first, then the tail (tail_from_ms, watermark] of the present schedule. */
    size_t owed_count;
    struct owed_range owed[OWED_RANGES_MAX];
    int64_t tail_from_ms;  /* INSTANT_NONE: no tail */
    bool tail_undecided;   /* the catch-up policy has not decided about the tail yet */
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
    /* Statistics: may be lost with Redis; counted since since_ms. */
    int64_t fired;
    int64_t missed;
    int64_t last_due_ms; /* nominal of the newest fire; INSTANT_NONE */
};

/* Nothing unusual. Two states that say the same are so byte by byte. */
void job_state_init(struct job_state *state);
bool job_state_is_usual(const struct job_state *state);

void job_record_defaults(struct job_record *record);

#endif
