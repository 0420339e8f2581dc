/* runs_state.h - the inside of the open runs, shared by the files that make up their rules:
 * runs.c (life, opening, looking), run_start.c (from records), run_view.c (as the outside sees
 * one), run_close.c (how a try ends and the next one goes out), run_report.c (what workers say),
 * run_lapse.c (silence: questions and ticks), run_step.c (time and what happens to jobs). A file
 * uses only those that do not use it, directly or over others. */
#ifndef BELFRY_RUNS_RUNS_STATE_H
#define BELFRY_RUNS_RUNS_STATE_H

#include "dispatcher/runs/run_table.h"
#include "dispatcher/runs/runs.h"

/* Behind the lease: the signs that a worker sent within it have been read by then. */
#define RUNS_LAPSE_MS SECONDS_MS
/* Behind the expiry: how far the clocks of brokers may differ. */
#define RUNS_EXPIRY_MS SECONDS_MS
#define RUNS_CLAIM_RECORD_MS (10 * SECONDS_MS)
#define RUNS_CURSOR_KEEP_MS MINUTES_MS
#define RUNS_CANCEL_AGAIN_MS (10 * SECONDS_MS)
#define RUNS_TICK_MS SECONDS_MS
#define RUNS_ASK_AGAIN_MS SECONDS_MS /* twice as long each time */
#define RUNS_ASK_LONGEST_MS MINUTES_MS
#define RUNS_RELEASE_LONGEST_MS MINUTES_MS
#define RUNS_UNCLAIMED_MS HOURS_MS /* where there are no append times */
enum { RUNS_LETTERS_MAX = 100, RUNS_ZOMBIES = 1024, RUNS_LOOKED_AT = 10000 };

/* A claim that is not in its run's record yet. */
struct run_claimed {
    int64_t offset; /* of the report */
    int64_t read_ms; /* steady */
    int64_t runnumber;
    uint32_t k;
};

struct run_claims { /* in the order in which they were read */
    struct run_claimed *list;
    size_t capacity;
    size_t first;
    size_t count; /* behind the first */
};

/* A try that has gone out in a step that is not committed yet. */
struct run_gone_out {
    int64_t runnumber;
    uint32_t k;
};

struct runs {
    struct runs_config config;
    struct run_table table;
    struct run_claims claims;
    struct run_gone_out *gone_out; /* those that nobody claims */
    size_t gone_out_count;
    size_t gone_out_capacity;
    int64_t generation;
    int64_t epoch;
    char owner[OWNER_BYTES_MAX + 1];
    int64_t next_runnumber;
    int64_t read_to;
    int64_t tick_number;  /* of the last one sent */
    int64_t tick_sent_ms; /* steady; INSTANT_NONE: none */
    uint32_t sweep_at;    /* all k below it are of this generation; UINT32_MAX: all are */
    uint32_t lost_at;     /* as far as reports that were lost have been allowed for; UINT32_MAX */
    int64_t letters_since_ms; /* steady: the minute whose letters are counted */
    int32_t letters;
    int64_t *zombies; /* when one with such a runnumber was asked to stop; NULL: none was */
    struct runs_numbers numbers;
    uint32_t oldest_at;   /* of the round that looks for the oldest run */
    int64_t round_oldest_ms;
    int64_t oldest_ms;    /* of the last whole round */
    struct run_view view; /* scratch: what is said to the sink */
};

/* One call: whose, when, to whom. */
struct run_call {
    struct runs *runs;
    struct runs_now now;
    const struct runs_sink *sink;
};

/* ---- run_view.c ---- */

/* The fingerprint of a claim's token: the token itself would cost more than all else of a claim. */
uint64_t run_fingerprint(struct text token);
/* When the try expires if nobody has claimed it. */
int64_t run_expiry_ms(const struct run *run);
/* Counts a span among those of RUN_SPANS; what is negative, by clocks that differ, as none. */
void run_count_span(int64_t spans[RUN_SPAN_COUNT], int64_t *sum_ms, int64_t span_ms);
void run_fill_view(const struct runs *runs, const struct run *run, struct run_view *view);
/* The same into the scratch. */
const struct run_view *run_viewed(struct runs *runs, const struct run *run);

/* ---- run_claims.c ---- */

void run_claims_add(struct run_claims *claims, struct run_claimed claimed);
/* The oldest that is not recorded yet, and whose try is open; NULL: none. Forgets others. */
const struct run_claimed *run_claims_first(struct run_claims *claims,
                                           const struct run_table *table);

/* ---- run_close.c ---- */

/* What is kept of a try that has ended; its message is shortened. */
void run_keep_try(struct run *run, const struct run_try *said);
/* What the job says of its next tries. */
void run_take_terms(struct runs *runs, struct run *run, const struct run_terms *terms);
/* How long the try may be silent from now on. */
void run_begin_lease(const struct run_call *call, struct run *run);
/* A try has gone out at fired_ms: it waits for its claim, or for its end. */
void run_await(const struct run_call *call, struct run *run);
/* Says what the call has changed of the run. NULL: it is gone. */
void run_settle(const struct run_call *call, struct run *run);
/* These return the run, or NULL where it is over.
 *
 * The try has ended.
 *   report  that said so; NULL: the owner does
 *   silent  of RUN_LOST: nothing was heard of its worker */
struct run *run_close(const struct run_call *call, struct run *run, enum run_outcome outcome,
                      const struct report *report, bool silent);
/* The worker hands the try back. */
struct run *run_release(const struct run_call *call, struct run *run, const struct report *report);
/* The run that waits is over. */
void run_finish(const struct run_call *call, struct run *run, enum run_outcome outcome,
                const struct report *report);
/* What its job's deletion leaves of a run that waits: as the last try that was not handed back has
 * ended; cancelled where there was none. */
enum run_outcome run_last_outcome(const struct run *run);
/* The next try of a run that waits goes out, if its job lets it. */
struct run *run_fire_again(const struct run_call *call, struct run *run);
/* A newer place to go on from. Given and empty: none. */
void run_keep_cursor(struct run *run, struct text cursor, int64_t steady_ms);

/* ---- run_lapse.c ---- */

/* A sign of life of the open try, appended at log_ms. */
void run_sign(const struct run_call *call, struct run *run, int64_t log_ms);
/* Asks the worker to stop, where it is to be asked, at most every RUNS_CANCEL_AGAIN_MS. */
void run_ask_to_stop(const struct run_call *call, struct run *run);
#endif
