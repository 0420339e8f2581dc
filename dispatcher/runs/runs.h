/* runs.h - the open runs of one shard, and what ends them: reports of workers, silence, time.
 *
 * A run is the work of one fire, a try one fire record of it; it is open from its first fire to its
 * final outcome. Pure: time, records that were read and answers of others go in; records to be
 * written, fires, events and requests come out through a sink. It knows no jobs: it asks for what a
 * job says now, by the ordinal and the slot under which the run was opened.
 *
 * Why it is safe to say `lost`: a worker counts its lease from the sending of its last
 * acknowledged sign of life, the owner from the reading of the newest, which is later; then the
 * fire must be known to be committed, or it would still be delivered; then a tick, sent after
 * that was known, must come back with no sign before it, so that nothing that was in the log by
 * then is overlooked. */
#ifndef BELFRY_RUNS_RUNS_H
#define BELFRY_RUNS_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error_code.h"
#include "lib/base/hash.h"
#include "lib/model/run_record.h"

struct runs;

enum {
    RUNS_OPEN_MAX_DEFAULT = 200000, /* of a shard */
    RUNS_OF_JOB_MAX = 1000
};

struct runs_config {
    uint32_t open_max;
    bool append_times; /* of the log of reports; without them fires have no expiry */
    uint8_t hash_key[HASH_KEY_BYTES]; /* of its tables; nothing that comes out depends on it */
};

/* The time of a call. */
struct runs_now {
    int64_t now_ms;    /* the shard's, UTC: when retries are due, tries expire */
    int64_t steady_ms; /* a clock of this process that never steps: leases */
};

/* What a run's job is at present. */
enum run_job { RUN_JOB_GONE = 0, RUN_JOB_PAUSED, RUN_JOB_ACTIVE };

/* A run as it stands: a view, valid until the next call that changes something. Its record has the
 * job's names only where the job is gone: else they are the caller's to fill in. */
struct run_view {
    uint32_t k;
    uint32_t job_slot;
    struct run_record record;
    char id[RUN_ID_BYTES_MAX + 1]; /* of its fire */
    char token[17];
};

enum run_event { RUN_EVENT_DOUBLED, RUN_EVENT_LATE_SUCCESS };

/* A run that is over. */
struct run_end {
    const struct run_view *run; /* its last try is the last of record.tries */
    enum run_outcome outcome;
    bool is_failed; /* neither done nor asked to stop: letter, event, and it counts for a pause */
    const struct report *report; /* that ended it; NULL: none did */
};

struct runs_sink {
    void *opaque;
    /* No room for more in this transaction: commit, then call again. */
    bool (*full)(void *opaque);
    /* What the job says now. `terms` is set if it is there; lease_ms 0: it has dropped its
     * lease. */
    enum run_job (*job)(void *opaque, int64_t ordinal, uint32_t job_slot, struct run_terms *terms);
    /* run/<k> is to be written: once in a call, with all that the call changes. */
    void (*changed)(void *opaque, const struct run_view *run);
    /* run/<k> is to be overwritten with an ended one. False: k may be another run's from now on;
     * true: from runs_let_go() on, until then the run stays in the way. */
    bool (*ended)(void *opaque, const struct run_end *end);
    /* The same where the run has never been: its first fire could not be produced. */
    void (*withdrawn)(void *opaque, const struct run_view *run);
    /* The run's next try goes out now; its numbers are those of the view. Before `changed`. */
    void (*fire)(void *opaque, const struct run_view *run, struct runs_now now);
    void (*event)(void *opaque, enum run_event event, const struct run_view *run,
                  const struct report *report);
    /* A report of no run that this shard ever had: a dead letter. */
    void (*unknown)(void *opaque, const struct report *report);
    /* Its worker is to be asked to stop: the newest try. */
    void (*cancel)(void *opaque, const struct run_view *run);
    /* A sign of life of a try that is closed: is its job known, it is to be asked to stop. */
    void (*zombie)(void *opaque, const struct report *report);
};

struct runs *runs_create(const struct runs_config *config);
void runs_destroy(struct runs *runs);

/* ---- restoring: records in any order, the newest of a k last ---- */

void runs_restore(struct runs *runs, uint32_t k, const struct run_record *record);
void runs_restore_ended(struct runs *runs, uint32_t k);

struct runs_start {
    int64_t generation; /* of the mark that this owner has written */
    int64_t epoch;
    struct text owner;
    int64_t next_runnumber; /* of the last mark */
    int64_t read_to;        /* reports before it have acted */
    struct runs_now now;
    void *opaque;
    /* The slot of the living job with that ordinal; UINT32_MAX: there is none. */
    uint32_t (*job_slot)(void *opaque, const struct run_record *record);
};
/* From here on the runs can be stepped. All leases begin anew. */
void runs_start(struct runs *runs, const struct runs_start *start);

/* ---- opening ---- */

/* How many more may be open: of any job, and of that one. */
uint32_t runs_room(const struct runs *runs);
uint32_t runs_room_of(const struct runs *runs, int64_t ordinal);

struct run_opening {
    int64_t ordinal;
    uint32_t job_slot;
    struct incarnation incarnation;
    enum fire_kind kind;
    int64_t nominal_ms;
    int64_t due_ms;
    struct text trigger_id;    /* of a trigger or backfill */
    struct incarnation import; /* of a backfill; effective_ms INCARNATION_NONE_MS: none */
    const struct run_terms *terms; /* with a lease */
};
/* The first fire goes out in this step. There must be room. Says `changed`; the view is of it. */
void runs_open(struct runs *runs, const struct run_opening *opening, struct runs_now now,
               const struct runs_sink *sink, struct run_view *view);

/* The fire of its newest try could not be produced, and is nowhere. A run of which it was the
 * first is none; of another the try is undone, and goes out again at retry_ms, under a higher
 * runnumber. */
void runs_unfire(struct runs *runs, uint32_t k, int64_t retry_ms, struct runs_now now,
                 const struct runs_sink *sink);

/* What has gone out is in Kafka: leases that count from there begin. */
void runs_committed(struct runs *runs, int64_t steady_ms);

/* ---- what was read ---- */

/* Where a record of `runs` stands. */
struct runs_place {
    int64_t offset;
    int64_t log_ms; /* append time */
    struct runs_now now; /* when it was read */
};
/* Reports act in the order in which they stand. Before read_to, where they
 * have acted once, only signs of life count. */
void runs_report(struct runs *runs, const struct runs_place *place, const struct report *report,
                 const struct runs_sink *sink);
/* False: the sink is full; commit and call again. */
bool runs_tick(struct runs *runs, const struct runs_place *place, const struct run_tick *tick,
               const struct runs_sink *sink);
/* Whether a report changes nothing and says nothing, whatever else stands in it: it is counted, and
 * need not be read. Of `seen` run, runnumber, kind and workers are looked at. */
bool runs_pass_over(struct runs *runs, const struct runs_place *place, const struct report *seen);
/* The record at this offset has been dealt with. */
void runs_read(struct runs *runs, int64_t offset);
/* Whether one more dead letter may be written: RUNS_LETTERS_MAX a minute; others are counted. */
bool runs_may_letter(struct runs *runs, struct runs_now now);
/* Reports were deleted unread: what is unclaimed may have been claimed, leases begin anew. */
bool runs_reports_lost(struct runs *runs, struct runs_now now, const struct runs_sink *sink);

/* ---- what is asked of others ---- */

/* Whether the group has committed behind the fire. */
struct run_question {
    uint32_t k;
    int64_t runnumber;
    int64_t answer_by_ms; /* steady: later it is asked again, and this answer counts no more */
    struct text workers;
    struct text topic;
    int32_t partition;
    int64_t offset;
};
/* All whose lease is over and that are to be asked now, at most `max`: before runs_wants_tick().
 * Each is asked again if no answer comes, after a second and then after twice as long each time,
 * up to a minute. The texts are valid until the next call that changes something. */
size_t runs_questions(struct runs *runs, struct runs_now now, struct run_question *questions,
                      size_t max);
/* `committed` is the group's offset of that partition, -1: it has none. Not called: no answer. */
void runs_answer(struct runs *runs, const struct run_question *question, int64_t committed,
                 struct runs_now now);

/* Whether a tick is to be written now: at most one a second. */
bool runs_wants_tick(const struct runs *runs, struct runs_now now);
/* It is being sent; what is to stand in it. */
struct run_tick runs_send_tick(struct runs *runs, struct runs_now now);

/* ---- time ---- */

/* What is due: retries, claims to be recorded, tries of an earlier generation. False: the sink is
 * full; commit and call again. */
bool runs_step(struct runs *runs, struct runs_now now, const struct runs_sink *sink);
/* For how long there is nothing to do: 0: at once; INT64_MAX: nothing ahead. */
int64_t runs_wait_ms(struct runs *runs, struct runs_now now);

/* ---- what happens to jobs ---- */

/* Asks the run to stop, once: it is said again at signs of life. One that waits ends. False: there
 * is no such run. */
bool runs_cancel(struct runs *runs, uint32_t k, struct runs_now now, const struct runs_sink *sink);
/* The retry of a run that waits is due: as if its delay were over. */
void runs_hasten(struct runs *runs, uint32_t k, struct runs_now now, const struct runs_sink *sink);
/* Its open tries are followed to their end, under the name; runs that wait end, and those that have
 * ended are let go. */
void runs_job_deleted(struct runs *runs, int64_t ordinal, struct text group, struct text id,
                      struct runs_now now, const struct runs_sink *sink);
/* Retries that waited because it was paused are due again. */
void runs_job_resumed(struct runs *runs, int64_t ordinal);

/* ---- looking ---- */

/* Runs of a job, and those of deleted jobs of its name: the open ones, and those that have ended
 * and have not been let go. */
struct runs_in_way {
    uint32_t count;
    uint32_t oldest; /* its k; UINT32_MAX: none */
    uint32_t own;    /* the oldest of the job itself */
};
struct runs_in_way runs_in_way(const struct runs *runs, int64_t ordinal, struct text group,
                               struct text id);
/* The next one that is in the way of that job, opened later; UINT32_MAX: none. */
uint32_t runs_next_in_way(const struct runs *runs, int64_t ordinal, uint32_t k);
/* One of them. */
void runs_view(const struct runs *runs, uint32_t k, struct run_view *view);
/* A run that has ended is in nobody's way any more; nothing where k is another's by now. */
void runs_let_go(struct runs *runs, uint32_t k, int64_t runnumber);
bool runs_is_open(const struct runs *runs, uint32_t k);
/* False: none is open under k. */
bool runs_look(const struct runs *runs, uint32_t k, struct run_view *view);
/* As its record has it: without a claim that is in no record yet. Who found one in Redis would take
 * it for recorded, and it would be gone when Redis is. */
bool runs_look_recorded(const struct runs *runs, uint32_t k, struct run_view *view);
uint32_t runs_find(const struct runs *runs, struct text id); /* by the fire's; UINT32_MAX: none */
uint32_t runs_top(const struct runs *runs); /* all k are below it */

uint32_t runs_open_count(const struct runs *runs);
/* When the oldest one was opened, INSTANT_NONE: none is open. Looks at a bounded number of them in
 * each call: of many it is known after a round. */
int64_t runs_oldest_ms(struct runs *runs);

/* What has happened; what a new owner reads again is not in it. Nothing but int64_t: it may be read
 * as an array of them. */
struct runs_numbers {
    int64_t opened;
    int64_t retries;          /* tries behind the first of a run */
    int64_t ended[RUN_OUTCOME_COUNT];
    int64_t tries_ended[RUN_OUTCOME_COUNT];
    int64_t released;         /* tries that were handed back */
    int64_t reports;          /* all that were read; of them ... */
    int64_t closed_reports;   /* ... of tries that were closed */
    int64_t foreign_reports;  /* ... of another consumer group */
    int64_t unknown_reports;  /* ... of no run that this shard ever had */
    int64_t letters_left_out; /* beyond the bound */
    int64_t ticks;
    int64_t questions;
    int64_t claimed_after[RUN_SPAN_COUNT]; /* from the fire of a try to its first claim */
    int64_t claimed_after_ms; /* the sum */
    int64_t ended_after[RUN_SPAN_COUNT];   /* from the first fire of a run to its end */
    int64_t ended_after_ms;
};
enum { RUNS_NUMBERS = sizeof(struct runs_numbers) / sizeof(int64_t) };
/* Since they were last taken. */
void runs_take_numbers(struct runs *runs, struct runs_numbers *numbers);

/* For the mark. */
int64_t runs_next_runnumber(const struct runs *runs);
int64_t runs_read_to(const struct runs *runs);
int64_t runs_read_again_from(struct runs *runs); /* the oldest claim not in records */

#endif
