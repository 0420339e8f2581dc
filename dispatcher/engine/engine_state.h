/* engine_state.h - the inside of an engine, shared by engine.c (the loop), commit.c (transactions
 * and the one path for errors), mend.c (what Kafka refuses), takeover.c (becoming the owner),
 * same_log.c (is an input log still the one), intake.c (commands), reports.c (what workers
 * say of runs). */
#ifndef BELFRY_ENGINE_ENGINE_STATE_H
#define BELFRY_ENGINE_ENGINE_STATE_H

#include <stdatomic.h>

#include "dispatcher/engine/census.h"
#include "dispatcher/engine/checkpointer.h"
#include "dispatcher/engine/clock_bounds.h"
#include "dispatcher/engine/engine.h"
#include "dispatcher/engine/foreign.h"
#include "dispatcher/engine/inputs.h"
#include "dispatcher/engine/outbox.h"
#include "dispatcher/engine/run_inquiry.h"
#include "dispatcher/shard/shard.h"
#include "schemas/arena.h"
#include "schemas/command_json.h"

/* A command whose records Kafka does not take: it is refused in place of being done. */
struct unfit_command {
    bool known;
    enum input input;
    int64_t offset;
    char why[ERROR_MESSAGE_BYTES];
};

/* Until the inputs are read up to here each command gets a transaction of its own, so that the one
 * that cannot be written is known. */
struct singly {
    bool active;
    int64_t offsets[INPUTS_COMMANDS];
};

/* What is known of the log of reports. */
struct reports {
    bool followed; /* the shard follows runs */
    bool placed;   /* a run is open, or was: what stands from `applied` on concerns the shard */
    bool caught_up; /* those that were there at the take-over have acted */
    int64_t applied; /* of the next one to act */
    int64_t lost_from; /* those from here to there were deleted unread; none: both are the same */
    int64_t lost_to;
    struct run_inquiry *inquiry; /* NULL: nothing was to be asked yet */
};

/* Numbers of the shard that is held, and what they are while nothing is known of it. */
#define ENGINE_NUMBERS(row)                                                                        \
    row(jobs_paused, 0)                                                                            \
    row(jobs_failing, 0)                                                                           \
    row(jobs_finished, 0)                                                                          \
    row(jobs_zoneless, 0)                                                                          \
    row(jobs_owing, 0)                                                                             \
    row(jobs_next_hour, 0)                                                                         \
    row(owed_slots, 0)                                                                             \
    row(owed_drain_ms, 0)                                                                          \
    row(owed_oldest_ms, INSTANT_NONE)                                                              \
    row(runs_open, 0)                                                                              \
    row(runs_oldest_ms, INSTANT_NONE)                                                              \
    row(next_live_ms, INT64_MAX)                                                                   \
    row(takeover_ms, -1)

/* Of struct engine_status, of the same names. */
#define ENGINE_NUMBER(name, unknown) _Atomic int64_t name;
struct engine_numbers {
    _Atomic int64_t commands;
    _Atomic int64_t waiting[INPUTS_COMMANDS];
    ENGINE_NUMBERS(ENGINE_NUMBER)
};
#undef ENGINE_NUMBER

struct engine {
    struct engine_options options;
    struct engine_ports ports;
    struct command_limits limits;
    struct command_limits begun_limits; /* of one that an earlier configuration let in */
    struct arena *arena; /* of the command under way */
    struct zone_stand_ins *zones; /* of records */

    struct shard *shard;
    struct checkpointer *checkpointer;
    struct foreign foreign;
    struct outbox *outbox;
    struct tally *tally; /* of the transaction in it; NULL: nobody asks for it */
    struct census census;
    struct inputs inputs;
    struct mark mark; /* the last committed one */
    bool settled;     /* memory is what that mark says, and the mark is of this owner: only then may
                       * anything of it reach the store. False from the first word about a shard to
                       * its first mark, and from a commit that failed on: memory is then ahead of
                       * Kafka, and is thrown away */
    struct input_place places[INPUT_COUNT]; /* for the mark to come */
    struct reports reports;
    int64_t state_first_look; /* no mark of ours is before this offset of the state log */
    int64_t retried_us; /* when failing jobs last had their turn */
    struct inputs_heard heard; /* of the step that is being committed */
    bool decided_anew;  /* a step that had failed; nothing was committed since but first marks */
    struct unfit_command unfit;
    struct singly singly;
    int64_t mark_due_us;
    int64_t shrink_due_us; /* no transaction until then: the outbox gives its memory back */

    struct broker_receipt receipt; /* of the last committed mark */
    int64_t mark_sent_us;          /* when it was handed to Kafka */
    struct clock_bounds bounds;    /* of what our clock is ahead of the broker's by */
    int64_t skew_ms;          /* what is taken off our clock */
    bool clock_refused;       /* unknown, or too far off: nothing fires until they agree */
    int64_t lane_waits_ms;    /* for the live slots of this instant; 0: it does not wait */
    int64_t skew_told_ms;
    bool refusal_told;
    int64_t last_wall_ms;     /* of the last look at the clock */
    int64_t last_monotonic_us;
    int64_t sample_due_us;    /* a mark is committed by then, to learn the broker's time */
    bool looked_long;         /* at the clock: what came meanwhile is read before the next step */
    int64_t unknown_told_us;  /* when a clock that is still unknown is told of */

    _Atomic int wish;
    _Atomic int assigned;
    _Atomic int state;
    _Atomic int64_t since_ms;
    _Atomic int64_t sequence;
    _Atomic int64_t epoch;
    _Atomic int64_t watermark_ms;
    _Atomic int64_t fires;
    _Atomic int64_t jobs;
    _Atomic int64_t checkpoint_sequence;
    _Atomic int64_t clock_ahead_ms;
    _Atomic bool clock_far;
    _Atomic int64_t moved_us;
    _Atomic int64_t committed_us;
    _Atomic int64_t correction_ms;
    struct engine_numbers numbers;
    int64_t looked_us;        /* when those that take a look were looked at last */
    int64_t hour_looked_us;
};

/* ---- engine_state.c ---- */

int64_t engine_monotonic_us(const struct engine *engine);
int64_t engine_wall_ms(const struct engine *engine);
void engine_sleep_ms(const struct engine *engine, int64_t ms);
/* The time of a call about runs. */
struct runs_now engine_runs_now(const struct engine *engine, int64_t now_ms);
/* Tells the kind and the message of an error, at the row's level. */
void engine_tell_error(const struct engine *engine, enum observed_kind kind,
                       const struct error *error);

/* ---- engine_status.c ---- */

/* Before a take-over: nothing is known of the shard. */
void engine_numbers_begin(struct engine *engine);
/* What others may know of the shard, as of now: between two steps. */
void engine_numbers_tell(struct engine *engine);

/* ---- commit.c ---- */

/* The mark that the transaction under way ends with, and what the log of inputs has by now. */
void engine_next_mark(const struct engine *engine, struct mark *mark);

/* Commits what the outbox holds, the mark last, and empties it. ERROR_FENCED: this shard's
 * memory is worth nothing any more: take over again, or wait for the group's word. */
bool engine_commit(struct engine *engine, struct error *error);
/* Memory is what the last mark says, but for time that has passed without anything to say. So it is
 * between two transactions, and only then may the store be written. */
bool engine_rests(const struct engine *engine);
/* Proof of ownership, then a new producer. ERROR_FENCED: not the owner. */
bool engine_open_producer(struct engine *engine, struct error *error);
/* The last committed mark and its append time; *found false: none at all. */
bool engine_read_last_mark(struct engine *engine, struct mark *mark, int64_t *log_time_ms,
                           bool *found, struct error *error);
/* The end of the state log, for snapshots. */
bool engine_state_offset(void *opaque, int64_t *offset);

/* ---- mend.c ---- */

/* Fires the outbox refused become their jobs' trouble, in the same transaction. */
void engine_tell_refused(struct engine *engine);
/* The transaction failed and did not go out: what is to be done before the same is produced again.
 * False: the shard cannot go on with what it has in memory. */
bool engine_mend(struct engine *engine, const struct error *failure, struct error *error);
/* After a commit: commands can share transactions again where the one at fault is behind. */
void engine_mended(struct engine *engine);

/* ---- takeover.c ---- */

/* ERROR_RETRY, ERROR_FENCED, or ERROR_FATAL: this shard cannot be run. */
bool engine_take_over(struct engine *engine, struct error *error);
/* Everything in memory about the shard; no producer may hold a part of it. */
void engine_forget(struct engine *engine);
void engine_let_go(struct engine *engine); /* the producer first, then engine_forget() */
/* A shard without jobs, its checkpointer and outbox; after engine_forget(). */
void engine_start_empty(struct engine *engine);

/* ---- same_log.c ---- */

/* An input log beside what a mark says of it. What is not there any more proves nothing. */
struct log_look {
    int64_t end;
    bool differs;           /* another record is where the last one was read: not the same */
    struct last_read there; /* the one found there or behind */
};
bool engine_look_at_log(struct engine *engine, enum input input, const struct input_place *place,
                        struct log_look *look, struct error *error);
/* ERROR_FATAL, state_lost: one of the logs is not the one that the mark speaks of. */
bool engine_check_logs(struct engine *engine, const struct mark *mark, struct error *error);
void engine_remember(const struct broker_input *input, struct last_read *last);
/* The next marks say of the input logs what this one says. */
void engine_stand_at(struct engine *engine, const struct mark *mark);

/* Before the commit that opens a shard's first run: reports about it come behind the end that the
 * log has now. ERROR_FATAL, state_lost: it ends before what was read. */
bool engine_place_reports(struct engine *engine, struct error *error);
/* Where a log that was read to there has been cut, or made anew. */
bool engine_say_cut(enum input input, int64_t end, int64_t read_to, struct error *error);

/* ---- reports.c ---- */

/* At a take-over, before the first mark: from here on the shard follows runs, and it is known from
 * where on reports are to be read, if any are. */
bool engine_begin_runs(struct engine *engine, const struct mark *mark, struct error *error);
/* Reads reports as long as a run is open or a job has a lease. */
bool engine_follow_reports(struct engine *engine, struct error *error);
/* Reports that have been read act, in their order, for a bounded while. */
bool engine_apply_reports(struct engine *engine, int64_t now_ms, struct error *error);
/* What is to be asked of others: of a shard at rest. */
void engine_ask_about_runs(struct engine *engine, int64_t now_ms);
/* For how long runs and reports have nothing to do. */
int64_t engine_reports_wait_ms(const struct engine *engine, int64_t now_ms);
void engine_forget_reports(struct engine *engine);

/* ---- intake.c ---- */

/* Reads what is there for at most wait_ms; keeps what belongs to other topics out. */
bool engine_read(struct engine *engine, int32_t wait_ms, struct error *error);
/* Applies commands that have been read, in log order. */
bool engine_apply_inputs(struct engine *engine, int64_t now_ms, struct error *error);

/* ---- broker_clock.c ---- */

/* Looks at our clock. True: a mark is to be committed, because the broker's time has not been heard
 * of for long, or our clock was set. */
bool engine_clock_asks(struct engine *engine);
/* Says what is wrong with the clocks, each thing once. */
void engine_clock_tell(struct engine *engine);
/* The time to act by: the broker's, as far as it is known; as of the last look at the clock, which
 * may have been set meanwhile. */
int64_t engine_steady_ms(const struct engine *engine);
/* Before the first mark of a take-over: nothing is known. */
void engine_clock_begin(struct engine *engine);
/* What Kafka said of the mark just committed. */
void engine_clock_sample(struct engine *engine, const struct broker_receipt *receipt);

#endif
