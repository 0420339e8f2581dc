/* metrics_state.h - the inside of the metrics, shared by metrics.c (counting) and the files that
 * make the page: reading.c (all numbers at one moment), rows.c (what there is). */
#ifndef BELFRY_METRICS_METRICS_STATE_H
#define BELFRY_METRICS_METRICS_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "dispatcher/engine/tally.h"
#include "dispatcher/metrics/groups.h"
#include "dispatcher/metrics/histogram.h"
#include "dispatcher/metrics/metrics.h"
#include "dispatcher/metrics/process_figures.h"

/* How a try of a transaction ended; the first: it went out. */
#define TRANSACTION_ENDS(row)                                                                      \
    row(COMMITTED, "committed")                                                                    \
    row(ABORTED, "aborted")                                                                        \
    row(UNKNOWN, "unknown")                                                                        \
    row(FENCED, "fenced")                                                                          \
    row(REFUSED, "refused")                                                                        \
    row(FAILED, "failed")
#define TRANSACTION_NUMBER(name, word) TRANSACTION_##name,
enum transaction_end { TRANSACTION_ENDS(TRANSACTION_NUMBER) TRANSACTION_END_COUNT };
#undef TRANSACTION_NUMBER

/* What the last mark said of one whose outcome was not known. */
#define SETTLED_ENDS(row)                                                                          \
    row(COMMITTED, "committed")                                                                    \
    row(REPEAT, "repeat")                                                                          \
    row(LOST, "lost")
#define SETTLED_NUMBER(name, word) SETTLED_##name,
enum settled_end { SETTLED_ENDS(SETTLED_NUMBER) SETTLED_END_COUNT };
#undef SETTLED_NUMBER

struct example {
    struct tally_example fire;
    int64_t at_ms; /* when it was committed */
};

struct examples {
    struct example late;
    struct example missed;
    struct example failed;
};

struct metrics {
    struct metrics_options options;
    struct groups *groups;
    _Atomic int64_t taken[TALLY_NUMBERS]; /* struct tally_numbers */
    _Atomic int64_t runs[RUNS_NUMBERS];   /* struct runs_numbers */
    _Atomic int64_t transactions[TRANSACTION_END_COUNT];
    _Atomic int64_t settled[SETTLED_END_COUNT];
    _Atomic int64_t told[OBSERVED_KINDS];
    struct histogram lateness;
    struct histogram commits;
    struct histogram takeovers;
    pthread_mutex_t examples_lock; /* a shard that does not get it at once does without */
    struct examples examples;
};

enum { JOB_STATES = 4 };

/* All numbers at one moment. */
struct reading {
    const struct metrics_view *view;
    const struct metrics_options *options;
    const struct groups *groups; /* read while their rows are put */
    struct tally_numbers taken;
    struct runs_numbers runs;
    struct histogram_numbers claims; /* from the fire of a try on */
    struct histogram_numbers run_ends;
    int64_t transactions[TRANSACTION_END_COUNT];
    int64_t settled[SETTLED_END_COUNT];
    int64_t told[OBSERVED_KINDS];
    int64_t log_dropped;
    struct histogram_numbers lateness;
    struct histogram_numbers commits;
    struct histogram_numbers takeovers;
    struct examples examples;
    int64_t ready;
    int64_t aside;
    int64_t redis;
    int64_t kafka_silence_us;
    int64_t shards_all;
    int64_t shards[METRICS_STATES];
    int64_t jobs[JOB_STATES]; /* active, paused, failing, finished */
    int64_t jobs_owing;
    int64_t jobs_zoneless;
    int64_t jobs_next_hour;
    int64_t runs_open_max;
    struct process_figures process;
};

/* reading.c */
void reading_take(struct metrics *metrics, const struct metrics_view *view,
                  struct reading *reading);

#endif
