/* output.h - what a shard says to the outside, in order. The core calls the sink; the engine's
 * outbox turns each call into Kafka records of the current transaction, a simulator keeps the
 * structs. All pointers are valid during the call only. */
#ifndef BELFRY_MODEL_OUTPUT_H
#define BELFRY_MODEL_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/limits.h"
#include "lib/model/command.h"
#include "lib/model/run.h"

struct job;
struct run_record;

#define FIRE_KINDS(row)                                                                            \
    row(SCHEDULE, "schedule")                                                                      \
    row(CATCHUP, "catchup")                                                                        \
    row(TRIGGER, "trigger")                                                                        \
    row(BACKFILL, "backfill")                                                                      \
    row(RETRY, "retry")
#define FIRE_NUMBER(name, word) FIRE_##name,
enum fire_kind { FIRE_KINDS(FIRE_NUMBER) };
#undef FIRE_NUMBER
const char *fire_kind_name(enum fire_kind kind);

/* What a fire says where its job has a lease: which try of which run it is, and for whom. */
struct fire_run {
    int64_t lease_ms;
    int64_t expires_ms; /* FIRE_EXPIRES_NEVER: a broker without append times */
    int64_t run_number; /* of this try: none of the job's has it again */
    int32_t try_number; /* of this run, from 1 */
    struct text workers; /* the consumer group whose members do the work */
    struct text cursor;  /* how far the tries before it said that they were; empty: they did not */
};
#define FIRE_EXPIRES_NEVER INT64_MIN

struct fire {
    struct job *job;
    enum fire_kind kind;
    int64_t nominal_ms;
    int64_t due_ms; /* nominal + jitter; lateness counts from here */
    int64_t now_ms;
    int64_t missed_count; /* slots this fire stands for besides its own (policy latest) */
    int32_t attempt;      /* from 1 */
    struct text trigger_id; /* FIRE_TRIGGER: the command id; FIRE_BACKFILL: the backfill's */
    struct text traceparent; /* FIRE_TRIGGER: the command's; empty: the job's */
    const struct fire_run *run; /* NULL: the job has no lease */
    bool is_requeued; /* a command has asked for it: what it is of has been fired before */
};

#define EVENT_KINDS(row)                                                                           \
    row(MISSED, "missed")                                                                          \
    row(SKIPPED, "skipped")                                                                        \
    row(EXHAUSTED, "exhausted")                                                                    \
    row(RESUMED, "resumed")                                                                        \
    row(CATCHUP_STARTED, "catchup_started")                                                        \
    row(CATCHUP_FINISHED, "catchup_finished")                                                      \
    row(FIRE_FAILED, "fire_failed")                                                                \
    row(SHARD_TAKEN, "shard_taken")                                                                \
    row(TZ_CHANGED, "tz_changed")                                                                  \
    row(SHARD_CONTESTED, "shard_contested")                                                        \
    row(CLOCK_AHEAD, "clock_ahead")                                                                \
    row(BACKFILL_STARTED, "backfill_started")                                                      \
    row(BACKFILL_FINISHED, "backfill_finished")                                                    \
    row(CLOCK_BEHIND, "clock_behind")                                                              \
    row(CLOCK_UNKNOWN, "clock_unknown")                                                            \
    row(CATCHUP_BEHIND, "catchup_behind")                                                          \
    row(ZONE_MISSING, "zone_missing")                                                              \
    row(INPUT_CUT, "input_cut")                                                                    \
    row(RUN_FAILED, "run_failed")                                                                  \
    row(REPORTS_LOST, "reports_lost")                                                              \
    row(RUN_DOUBLED, "run_doubled")                                                                \
    row(LATE_SUCCESS, "late_success")                                                              \
    row(AUTO_PAUSED, "auto_paused")
#define EVENT_NUMBER(name, word) EVENT_##name,
enum event_kind { EVENT_KINDS(EVENT_NUMBER) };
#undef EVENT_NUMBER
const char *event_kind_name(enum event_kind kind);

/* Why: of slots that do not fire, fires that are not taken, clocks that are not believed. */
#define EVENT_REASONS(row)                                                                         \
    row(POLICY_NONE, "policy_none")                                                                \
    row(SUPERSEDED, "superseded")                                                                  \
    row(WINDOW, "window")                                                                          \
    row(LIMIT, "limit")                                                                            \
    row(TOO_MANY_RANGES, "too_many_ranges")                                                        \
    row(UNDELIVERABLE, "undeliverable")                                                            \
    row(ALREADY_DUE, "already_due")                                                                \
    row(ZONE_DATA, "zone_data")                                                                    \
    row(UPDATED, "updated")                                                                        \
    row(DELETED, "deleted")                                                                        \
    row(PAUSED, "paused")                                                                          \
    row(ZONE_MISSING, "zone_missing")                                                              \
    row(FINISHED, "finished")                                                                      \
    row(CANCELLED, "cancelled")                                                                    \
    row(TOPIC_MISSING, "topic_missing")                                                            \
    row(TOPIC_SUSPECT, "topic_suspect")                                                            \
    row(TOO_LARGE, "too_large")                                                                    \
    row(CORRECTED, "corrected")                                                                    \
    row(BEYOND_STEP, "beyond_step")                                                                \
    row(OVERLAP, "overlap")                                                                        \
    row(BUFFER_FULL, "buffer_full")
#define REASON_NUMBER(name, word) REASON_##name,
enum event_reason { REASON_NONE = 0, EVENT_REASONS(REASON_NUMBER) };
#undef REASON_NUMBER
const char *event_reason_word(enum event_reason reason); /* REASON_NONE: NULL */

/* Fields that do not apply hold EVENT_FIELD_NONE and are left out of the message. */
#define EVENT_FIELD_NONE INT64_MIN
struct event {
    enum event_kind kind;
    struct text group; /* empty: about the shard */
    struct text id;
    struct text incarnation;
    int64_t at_ms;
    int64_t first_ms; /* nominal instants of the slots it names, both ends included */
    int64_t last_ms;
    int64_t count;
    int64_t from_ms; /* an interval (from, to]: resumed */
    int64_t to_ms;
    enum event_reason reason;
    struct text detail; /* one sentence for people, may be empty */
    struct text backfill_id; /* empty: not about a backfill */
    int64_t rate;       /* catchup_behind: slots a second */
    int64_t until_ms;   /* and when what is owed would be worked off by it */
    int64_t epoch;      /* shard events */
    struct text owner;
    struct text run;    /* id of a run's fire: the one it is about, or the one in the way */
    int64_t run_number; /* of its newest try */
};
void event_init(struct event *event, enum event_kind kind, int64_t at_ms);

#define OUTCOMES(row)                                                                              \
    row(APPLIED, "applied")                                                                        \
    row(PARTIAL, "partial")                                                                        \
    row(UNCHANGED, "unchanged")                                                                    \
    row(DUPLICATE, "duplicate")                                                                    \
    row(REJECTED, "rejected")                                                                      \
    row(CONFLICT, "conflict")                                                                      \
    row(EXPIRED, "expired")
#define OUTCOME_NUMBER(name, word) OUTCOME_##name,
enum outcome { OUTCOMES(OUTCOME_NUMBER) };
#undef OUTCOME_NUMBER
const char *outcome_name(enum outcome outcome);
/* False: there is no such word; a later version may have more. */
bool outcome_find(struct text word, enum outcome *outcome);

#define OUTPUT_ONE(name, word) +1
enum { /* how many there are of each; reasons are 1 .. EVENT_REASON_COUNT */
       FIRE_KIND_COUNT = 0 FIRE_KINDS(OUTPUT_ONE),
       EVENT_KIND_COUNT = 0 EVENT_KINDS(OUTPUT_ONE),
       EVENT_REASON_COUNT = 0 EVENT_REASONS(OUTPUT_ONE),
       OUTCOME_COUNT = 0 OUTCOMES(OUTPUT_ONE)
};
#undef OUTPUT_ONE

struct result_job {
    struct text group;
    struct text id;
    int64_t revision;
    int32_t next_due_count;
    int64_t next_due_ms[RESULT_NEXT_DUE_MAX];
};

struct result_error {
    struct text group; /* empty where the error is not about a job */
    struct text id;
    enum error_code code;
    char message[ERROR_MESSAGE_BYTES];
    char field[ERROR_FIELD_BYTES];
};

struct result_warning {
    enum error_code code;
    char message[ERROR_MESSAGE_BYTES];
};

enum { RESULT_WARNINGS_MAX = 8 };

/* What a dry run says a command would change about one job. */
struct result_difference {
    struct text group;
    struct text id;
    enum command_op change; /* OP_NONE: it would be as it is */
    int32_t before_count;
    int64_t before_ms[RESULT_NEXT_DUE_MAX]; /* next due times as they are */
    int32_t after_count;
    int64_t after_ms[RESULT_NEXT_DUE_MAX]; /* as they would be */
    int64_t fires_added;   /* in the next DIFFERENCE_SPAN_MS */
    int64_t fires_removed;
    int64_t counted_to_ms; /* INT64_MAX: all of them were counted */
    int32_t dst_day_count; /* local days of that span on which the job's zone changes its offset */
    int32_t dst_days[RESULT_DST_DAYS_MAX]; /* civil day numbers, ascending */
};

struct result {
    struct text command_id;
    struct text correlation_id;
    struct text traceparent; /* of the command */
    struct text reply_to; /* empty = the results topic */
    struct text group;    /* the record's key; empty: the command id is */
    enum command_op op;
    enum outcome outcome;
    enum error_code code; /* CODE_NONE when applied */
    char message[ERROR_MESSAGE_BYTES];
    char field[ERROR_FIELD_BYTES];
    int64_t matched;
    int64_t changed;
    const struct result_job *jobs;
    size_t job_count;
    const struct result_error *errors;
    size_t error_count;
    const struct result_warning *warnings;
    size_t warning_count;
    const struct result_difference *differences; /* dry runs */
    size_t difference_count;
    struct source source;
    int32_t shard;
    int32_t shards; /* how many shards apply the command */
    int64_t sequence;
    int64_t effective_ms;
    int64_t applied_ms;
    bool dry_run;
    enum outcome first_outcome; /* OUTCOME_DUPLICATE: what it was the first time */
};

/* A remembered command id, as kept in seen/<sequence>. */
struct seen {
    uint64_t hash; /* SipHash of the command id */
    int64_t at_ms; /* effective time */
    uint8_t outcome;
    enum error_code code;
};

/* Whether the next fire of a failing job may be tried. */
enum retry_turn {
    RETRY_NOW = 0,
    RETRY_ALONE, /* in a transaction of its own: commit first, then ask again */
    RETRY_LATER  /* its topic does not take fires */
};

struct sink {
    void *opaque;
    void (*fire)(void *opaque, const struct fire *fire);
    void (*event)(void *opaque, const struct event *event);
    void (*result)(void *opaque, const struct result *result);
    void (*job_changed)(void *opaque, const struct job *job);
    void (*job_deleted)(void *opaque, const struct job *job);
    void (*seen)(void *opaque, const struct seen *seen);
    /* seen/<sequence> is older than a day: its record goes. */
    void (*seen_expired)(void *opaque, int64_t sequence);
    /* No room for more in this transaction: commit, then call again. */
    bool (*full)(void *opaque);
    /* What has been put out may turn out to be undeliverable (a topic that is not ours): nothing
     * that depends on it may happen before the commit. Asked between instants and commands. */
    bool (*uncertain)(void *opaque);
    /* Of jobs with a lease: run/<k> is to be written, or is over; a report that is a dead letter; a
     * run that is one, the report that ended it may be NULL; whoever works on a try is to stop, of
     * one that is long over without the names of its job. */
    void (*run_changed)(void *opaque, uint32_t k, const struct run_record *record);
    void (*run_ended)(void *opaque, uint32_t k);
    void (*run_letter)(void *opaque, const struct report *report, enum error_code code);
    void (*run_failed)(void *opaque, struct text run, const struct run_record *record,
                       enum run_outcome outcome, const struct report *report);
    void (*run_cancel)(void *opaque, const struct run_cancel *cancel);
    /* Asked before a failing job is tried again; NULL: always now. */
    enum retry_turn (*retry)(void *opaque, const struct job *job);
};

#endif
