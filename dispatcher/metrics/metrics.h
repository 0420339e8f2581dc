/* metrics.h - the numbers of a daemon, and the page that says them. An observer counts what Kafka
 * has taken and what the log is told; how things are is read when somebody asks. Lives as long as
 * the process: what is counted never goes back. */
#ifndef BELFRY_METRICS_METRICS_H
#define BELFRY_METRICS_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/engine.h"
#include "dispatcher/engine/observer.h"

struct metrics;

struct metrics_options {
    int32_t shards; /* of the cluster */
    int64_t runs_open_max; /* of a shard */
    const struct observer *next; /* is told and asked the same; borrowed */
    const char *version;         /* of the program; these are borrowed, too */
    const char *kafka_library;
    uint8_t hash_key[HASH_KEY_BYTES]; /* random, so that nobody chooses groups that meet */
};

struct metrics *metrics_create(const struct metrics_options *options)
    __attribute__((returns_nonnull));
/* Nobody observes any more. NULL is allowed. */
void metrics_destroy(struct metrics *metrics);

/* Counts, and hands on. Any thread; waits for nobody. */
struct observer metrics_observer(struct metrics *metrics);

enum metrics_state { /* of a shard that is ours */
    METRICS_LIVE = 0,
    METRICS_STARTING,
    METRICS_WAITING,
    METRICS_FAILED,
    METRICS_NOT_STARTED,
    METRICS_ENDED,
    METRICS_STATES
};
/* The state of a word as shards have it in the log. */
enum metrics_state metrics_state_find(const char *word);

struct metrics_shard {
    int32_t shard;
    enum metrics_state state;
    int64_t still_us;
    struct engine_status engine;
};

/* How the daemon is, by who knows it. */
struct metrics_view {
    bool ready; /* the group has answered */
    bool aside; /* and was left for a while */
    bool redis; /* it was seen, and is ours */
    const struct metrics_shard *shards; /* those that are ours, ascending */
    size_t shard_count;
    const char *tz_version; /* "": not known yet */
    uint64_t log_dropped;
    int64_t now_us; /* by the monotonic clock */
    int64_t now_ms;
};

struct metrics_page {
    const char *content_type;
    char *body; /* the caller's; free() it */
    size_t length;
};

/* The page in the form that `accept` wants. Called by one thread at a time. */
struct metrics_page metrics_page(struct metrics *metrics, const struct metrics_view *view,
                                 const char *accept);

#endif
