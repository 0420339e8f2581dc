/* run.h - the words of runs: what a job says about how its work is to be followed, what workers
 * report, how the work can end. Views: all texts are borrowed.
 *
 * A run is the work of one fire, a try one fire record of it. What Belfry keeps about an open run
 * is in run_record.h. */
#ifndef BELFRY_MODEL_RUN_H
#define BELFRY_MODEL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error_code.h"
#include "lib/base/limits.h"
#include "lib/base/text.h"

/* How a try ends, and who says so: the worker in a report, or the shard's owner. A worker's
 * `success` ends the run, too; poison is of runs only. */
#define RUN_OUTCOMES(row)                                                                          \
    row(SUCCESS, "success", RUN_SAID_BY_WORKER)                                                    \
    row(FAILURE, "failure", RUN_SAID_BY_WORKER)                                                    \
    row(TIMEOUT, "timeout", RUN_SAID_BY_WORKER)       /* the worker's own limit */                 \
    row(CANCELLED, "cancelled", RUN_SAID_BY_WORKER)                                                \
    row(REFUSED, "refused", RUN_SAID_BY_WORKER)       /* it has no handler for it */               \
    row(LOST_LEASE, "lost_lease", RUN_SAID_BY_WORKER) /* it could not renew, and stopped */        \
    row(LOST, "lost", RUN_SAID_BY_OWNER)              /* silence: perhaps done */                  \
    row(NOT_STARTED, "not_started", RUN_SAID_BY_OWNER)                                             \
    row(POISON, "poison", RUN_SAID_BY_OWNER)
enum run_sayer { RUN_SAID_BY_WORKER, RUN_SAID_BY_OWNER };
#define RUN_OUTCOME_NUMBER(name, word, sayer) RUN_##name,
enum run_outcome { RUN_OUTCOMES(RUN_OUTCOME_NUMBER) };
#undef RUN_OUTCOME_NUMBER
#define RUN_OUTCOME_ONE(name, word, sayer) +1
enum { RUN_OUTCOME_COUNT = 0 RUN_OUTCOMES(RUN_OUTCOME_ONE) };
#undef RUN_OUTCOME_ONE
const char *run_outcome_word(enum run_outcome outcome);
/* False: there is no such word; a later version may have more. */
bool run_outcome_find(struct text word, enum run_outcome *outcome);
enum run_sayer run_outcome_sayer(enum run_outcome outcome);

/* What a report says. In JSON one word, "report": of the last kind it is the outcome's. */
#define REPORT_KINDS(row)                                                                          \
    row(STARTED, "started")   /* step 1 of a claim */                                              \
    row(RUNNING, "running")   /* a sign of life */                                                 \
    row(RELEASED, "released") /* the try is handed back: it does not count */                      \
    row(ENDED, "")
#define REPORT_KIND_NUMBER(name, word) REPORT_##name,
enum report_kind { REPORT_KINDS(REPORT_KIND_NUMBER) };
#undef REPORT_KIND_NUMBER
const char *report_word(enum report_kind kind, enum run_outcome outcome);
/* `outcome` is set for REPORT_ENDED only. False: no word that a worker may say. */
bool report_find(struct text word, enum report_kind *kind, enum run_outcome *outcome);

/* ---- what a job says ---- */

/* What a slot that comes due does while a run of its job is open. */
#define OVERLAPS(row)                                                                              \
    row(ALLOW, "allow")                                                                            \
    row(SKIP, "skip")                 /* left out, and named */                                    \
    row(BUFFER_ONE, "buffer_one")     /* the first waits, the others are left out */               \
    row(BUFFER_ALL, "buffer_all")     /* up to overlap_limit wait, then the newest is left out */  \
    row(CANCEL_OTHER, "cancel_other") /* asks the run to stop; the newest slot until then waits */
#define OVERLAP_NUMBER(name, word) OVERLAP_##name,
enum overlap { OVERLAPS(OVERLAP_NUMBER) };
#undef OVERLAP_NUMBER
const char *overlap_word(enum overlap overlap);
const char *const *overlap_words(void); /* in order; ends with NULL */

#define LEASE_MODES(row)                                                                           \
    row(HEARTBEAT, "heartbeat") /* claimed and renewed */                                          \
    row(FIXED, "fixed") /* never claimed: counts from the commit of the fire, at least once */     \
    row(NONE, "none")   /* no lease: nothing is followed */
#define LEASE_MODE_NUMBER(name, word) LEASE_##name,
enum lease_mode { LEASE_MODES(LEASE_MODE_NUMBER) };
#undef LEASE_MODE_NUMBER
const char *lease_mode_word(enum lease_mode mode);
const char *const *lease_mode_words(void); /* in order; ends with NULL */

#define LEASE_MIN_MS (10 * SECONDS_MS)
#define LEASE_MAX_MS (24 * HOURS_MS)
#define START_WITHIN_MIN_MS (10 * SECONDS_MS)
#define START_WITHIN_MAX_MS (7 * DAYS_MS)
#define START_WITHIN_DEFAULT_MS (24 * HOURS_MS)
#define RETRY_INITIAL_MIN_MS INT64_C(100)
#define RETRY_INITIAL_DEFAULT_MS (10 * SECONDS_MS)
#define RETRY_DELAY_MAX_MS (24 * HOURS_MS) /* also of the one that a worker asks for */
#define RETRY_MAX_DEFAULT_MS HOURS_MS
#define RETRY_WITHIN_MIN_MS SECONDS_MS
#define RETRY_WITHIN_MAX_MS (30 * DAYS_MS)
enum {
    OVERLAP_LIMIT_MAX = 1000,
    OVERLAP_LIMIT_DEFAULT = 100,
    PAUSE_AFTER_FAILURES_MAX = 1000,
    RETRY_ATTEMPTS_MAX = 100,
    RETRY_FACTOR_MIN_HUNDREDTHS = 100,
    RETRY_FACTOR_MAX_HUNDREDTHS = 10000,
    RETRY_FACTOR_DEFAULT_HUNDREDTHS = 200,
    RETRY_POISON_AFTER_MAX = 100,
    RETRY_POISON_AFTER_DEFAULT = 3,
    RETRY_EXITS_MAX = 16, /* of not_on_exit */
    RETRY_EXIT_MAX = 255, /* from 1 */
    RETRY_ON_DEFAULT = 1 << RUN_FAILURE | 1 << RUN_TIMEOUT | 1 << RUN_REFUSED | 1 << RUN_LOST |
                       1 << RUN_LOST_LEASE | 1 << RUN_NOT_STARTED /* what it may name: all */
};

struct retry_terms {
    int32_t attempts;         /* tries that count, 1 .. RETRY_ATTEMPTS_MAX; 1: no retry */
    int32_t factor_hundredths;
    int64_t initial_ms;       /* the first delay */
    int64_t max_ms;           /* the longest, >= initial_ms */
    int64_t within_ms;        /* of the run's first fire; 0: no bound */
    uint32_t on;              /* bits 1 << outcome; of lost and lost_lease both or neither */
    int32_t poison_after;     /* silent `lost` in a row that end a run */
    uint32_t not_on_exit_count;
    uint8_t not_on_exit[RETRY_EXITS_MAX]; /* exit codes, ascending, each once; the rest is 0 */
};

struct run_terms {
    int64_t lease_ms; /* 0: none, the job's runs are not followed */
    struct text workers; /* consumer group; not empty with a lease */
    enum lease_mode mode;
    enum overlap overlap;
    int64_t start_within_ms; /* of the commit of a try */
    int64_t overlap_limit;   /* OVERLAP_BUFFER_ALL: how many slots may wait */
    int64_t pause_after_failures; /* runs that end without success, in a row; 0: never */
    struct retry_terms retry;
};

#define RUN_TERMS_DEFAULTS                                                                         \
    {                                                                                              \
        .start_within_ms = START_WITHIN_DEFAULT_MS, .overlap_limit = OVERLAP_LIMIT_DEFAULT,        \
        .retry = {.attempts = 1, .factor_hundredths = RETRY_FACTOR_DEFAULT_HUNDREDTHS,             \
                  .initial_ms = RETRY_INITIAL_DEFAULT_MS, .max_ms = RETRY_MAX_DEFAULT_MS,          \
                  .on = RETRY_ON_DEFAULT, .poison_after = RETRY_POISON_AFTER_DEFAULT}              \
    }
void run_terms_defaults(struct run_terms *terms);
/* Whether a job with them is one of which nothing is followed and nothing counted. They have been
 * checked: then every field is at its default. */
bool run_terms_are_usual(const struct run_terms *terms);
bool retry_equal(const struct retry_terms *a, const struct retry_terms *b);
/* Whether a try that ended so is worth another one, as far as the outcome decides.
 *   exit_code  -1: none was reported */
bool retry_is_on(const struct retry_terms *retry, enum run_outcome outcome, int32_t exit_code);

/* What is wrong with several fields together. */
struct run_terms_fault {
    enum error_code code; /* lease_required, missing_field, bad_value */
    const char *object;   /* the member of the job that `member` is in; NULL: the job itself */
    const char *member;
    const char *sentence;
};

/* Each field alone is within its bounds. An update is checked as it would leave the job. */
bool run_terms_check(const struct run_terms *terms, struct run_terms_fault *fault)
    __attribute__((warn_unused_result));

/* ---- what a worker says ---- */

enum {
    RUN_TOKEN_BYTES_MAX = 64,
    WORKER_BYTES_MAX = 200,
    WORKERS_BYTES_MAX = 249, /* a consumer group */
    RUN_ID_BYTES_MAX = 512,  /* an id of a fire: triggers carry the command's id */
    REPORTS_MAX = 1000,      /* of one record */
    RUN_ERROR_CODE_BYTES_MAX = 64,
    RUN_ERROR_BYTES_MAX = 4 * 1024,
    RUN_OUTPUT_BYTES_MAX = 8 * 1024,
    RUN_RESULT_BYTES_MAX = 8 * 1024,
    RUN_CURSOR_BYTES_MAX = 4 * 1024
};

/* One report of a record of <cluster>.runs. Where it stands in the log and when it was appended is
 * its reader's to say. */
struct report {
    enum report_kind kind;
    enum run_outcome outcome; /* REPORT_ENDED */
    struct text run;          /* the fire's id */
    int64_t runnumber;        /* of the try, > 0 */
    struct text token;        /* the claim's: the same in all reports of one worker about one try */
    struct text worker;       /* for people; empty: not given */
    struct text workers;      /* the consumer group it is a member of */
    struct text topic;        /* REPORT_STARTED: where the fire stands */
    int32_t partition;
    int64_t offset;
    int32_t exit_code;        /* -1: not given */
    int32_t signal;           /* 0: not given */
    struct text error_code;   /* empty: not given, and so are the next three */
    struct text error_message;
    struct text output;       /* the tail of what it wrote */
    struct text result;       /* JSON text */
    int64_t retry_after_ms;   /* -1: not given */
    bool cursor_given;
    struct text cursor;       /* for the next try; given and empty: forget the last one */
};

/* Spans of time are counted by these bounds, in milliseconds; those beyond the last in one more
 * place. A span that has a bound's length counts as within it. */
#define RUN_SPANS(row)                                                                             \
    row(10) row(50) row(100) row(250) row(1000) row(5000) row(15000) row(60000) row(300000)        \
        row(900000) row(3600000) row(21600000) row(86400000)
#define RUN_SPAN_ONE(bound_ms) +1
enum { RUN_SPAN_COUNT = 0 RUN_SPANS(RUN_SPAN_ONE) + 1 };
#undef RUN_SPAN_ONE

/* What a shard's owner writes into its partition of `runs`, and reads back: then it has read what
 * was appended before. */
struct run_tick {
    struct text owner;
    int64_t epoch;
    int64_t number; /* of this epoch, from 1 */
};

/* A request to stop a try, to whichever worker has it. */
struct run_cancel {
    struct text group; /* of a try that is long over both names may be empty */
    struct text id;
    struct text run; /* the fire's id */
    int64_t runnumber;
    int64_t at_ms;
};

#endif
