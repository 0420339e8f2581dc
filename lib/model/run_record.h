/* run_record.h - an open run as it is written to belfry.state and Redis as run/<k>, and read back.
 * A view: texts and earlier tries are borrowed. */
#ifndef BELFRY_MODEL_RUN_RECORD_H
#define BELFRY_MODEL_RUN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/job_record.h"
#include "lib/model/output.h"
#include "lib/model/run.h"

/* Where an open run is: its try has been fired, a worker has it, or the next try waits. */
#define RUN_STATES(row)                                                                            \
    row(OPEN, "open")                                                                              \
    row(CLAIMED, "claimed")                                                                        \
    row(WAITING, "waiting")
#define RUN_STATE_NUMBER(name, word) RUN_STATE_##name,
enum run_state { RUN_STATES(RUN_STATE_NUMBER) };
#undef RUN_STATE_NUMBER
const char *run_state_word(enum run_state state);
const char *const *run_state_words(void); /* in order; ends with NULL */

enum {
    RUN_TRIES_KEPT = 8,         /* the newest ones that have ended */
    RUN_TRY_TEXT_BYTES_MAX = 256, /* of the message of one that is kept */
    RUN_RELEASED_MAX = 100,
    RUN_RECORD_BYTES_MAX = 16 * 1024
};

/* A try that has ended, shortened. */
struct run_try {
    int64_t runnumber;
    int32_t number;           /* its `try`, from 1 */
    bool released;            /* handed back; then it has no outcome and no number of its own */
    enum run_outcome outcome;
    int64_t ended_ms;
    int32_t exit_code;        /* -1: none */
    int32_t signal;           /* 0: none */
    struct text worker;       /* empty: nobody claimed it */
    struct text error_code;   /* empty: none */
    struct text message;
};

/* What the worker that has the try said of itself in `started`. */
struct run_claim {
    struct text token; /* whatever stands for it: it is only compared */
    struct text worker;
    struct text topic; /* where the fire stands */
    int32_t partition;
    int64_t offset;
    int64_t started_ms; /* append time of `started` */
    int64_t sign_ms;    /* append time of the newest sign of life */
};

struct run_record {
    /* The job, and the fire that opened the run: its id follows from these. */
    struct text group;
    struct text id;
    struct incarnation incarnation;
    struct incarnation import; /* as the job's, for a backfill; INCARNATION_NONE_MS: none */
    int64_t ordinal;         /* of the job */
    enum fire_kind kind;     /* of the slot; a retry has it, too */
    int64_t nominal_ms;
    int64_t due_ms;
    struct text trigger_id;  /* as struct fire has it */
    int64_t opened_ms;       /* when its first try was fired */
    int64_t first_runnumber; /* of that try: of two open runs the lower one is older */
    /* The try under way or, of a run that waits, the last one. */
    enum run_state state;
    int64_t runnumber;       /* generation << 32 | a counter of the shard; > 0 */
    int32_t number;          /* its `try`, from 1 */
    int32_t counted;         /* tries that count, this one included */
    int32_t lost_in_a_row;   /* silent ones */
    int32_t released;        /* how often it was handed back */
    int64_t fired_ms;        /* when this try was */
    int64_t retry_at_ms;     /* when it waits; else INSTANT_NONE */
    int64_t expiry_ms;       /* not claimed by then: not_started; INSTANT_NONE: the log has no
                            * append times */
    /* The terms of this try, whatever the job says now. */
    int64_t lease_ms;
    enum lease_mode mode;
    struct text workers;
    bool cancel_asked;
    struct run_claim claim;  /* when it is claimed */
    struct text cursor;      /* newest; empty: none */
    size_t try_count;
    struct run_try tries[RUN_TRIES_KEPT]; /* oldest first */
};

/* Nothing known yet: no instants, no texts. */
void run_record_defaults(struct run_record *record);

#endif
