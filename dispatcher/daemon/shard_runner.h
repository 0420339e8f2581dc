/* shard_runner.h - one shard in this process: its ports, its engine and the thread it runs on,
 * from the assignment to the end of the thread. Called by the daemon's thread. */
#ifndef BELFRY_DAEMON_SHARD_RUNNER_H
#define BELFRY_DAEMON_SHARD_RUNNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/daemon/fault.h"
#include "dispatcher/daemon/loop_watch.h"
#include "dispatcher/daemon/shard_wakes.h"
#include "dispatcher/engine/engine.h"
#include "dispatcher/kafka/kafka_cluster.h"
#include "lib/base/error.h"
#include "store/redis_options.h"
#include "store/store_writer.h"

/* What the shards of the process share. Borrowed, like all it points to. */
struct shard_site {
    struct engine_options options; /* of each shard, but for its number */
    struct kafka_cluster *kafka;
    struct store_writer *writer;
    const struct store_redis_options *redis;
    const atomic_bool *redis_claimed;
    struct shard_wakes *wakes;
    struct loop_watch *watch; /* what each shard's thread is at */
    const struct clock *clock;
    const struct observer *observer;
    struct fault *fault;
};

struct shard_runner;

/* Starts the shard's thread, which takes the shard over. `own_commit` is the thread's until it has
 * ended, and outlives it. NULL: ERROR_RETRY, no thread. */
struct shard_runner *shard_runner_start(const struct shard_site *site, int32_t shard,
                                        struct own_commit *own_commit, struct error *error)
    __attribute__((warn_unused_result));

/* Asks the engine to end; a wish never goes back. */
void shard_runner_wish(struct shard_runner *runner, enum engine_wish wish);
/* True since the first shard_runner_wish(). */
bool shard_runner_ending(const struct shard_runner *runner);
/* The group has confirmed the shard. */
void shard_runner_assigned(struct shard_runner *runner);
struct engine_status shard_runner_status(const struct shard_runner *runner);

/* The thread is over, or about to be: finish() will not wait for long. */
bool shard_runner_ended(const struct shard_runner *runner);
/* Waits for the thread and frees everything. False: the engine could not go on, see *error. */
bool shard_runner_finish(struct shard_runner *runner, struct error *error);

#endif
