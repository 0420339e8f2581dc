/* daemon.h - the process on its Kafka and its Redis: joins the group, runs the shards it is given,
 * ends in an orderly way. */
#ifndef BELFRY_DAEMON_DAEMON_H
#define BELFRY_DAEMON_DAEMON_H

#include <stdatomic.h>
#include <stdbool.h>

#include "dispatcher/config/config.h"
#include "dispatcher/daemon/embedded.h"
#include "dispatcher/daemon/fault.h"
#include "dispatcher/daemon/loop_watch.h"
#include "dispatcher/daemon/shard_board.h"
#include "dispatcher/engine/clock.h"
#include "dispatcher/engine/observer.h"
#include "lib/base/error.h"

enum {
    DAEMON_SHARDS_END_MS = 8000, /* from the wish to end; shards that need longer are left */
    DAEMON_END_MS = 9700         /* ... and the process is over, whatever happens */
};

/* All borrowed. */
struct daemon_options {
    const struct config *config;
    const struct clock *clock;
    const struct observer *observer;
    const struct kafka_log *kafka_log;
    struct loop_watch *watch;  /* of all loops of the process */
    struct shard_board *board; /* what others may read of us */
    struct embedded *embedded; /* NULL: a real Kafka and a real Redis */
    struct fault *fault;
    const atomic_bool *stop; /* the wish to end */
};

struct daemon_end {
    bool failed;    /* exit code 1 */
    bool fenced;    /* only because its place in the group was taken: another life may do */
    bool abandoned; /* threads are left running: nothing they use may be freed */
};

/* Runs until *stop, or until there is no way on; errors are logged here. May be called again. */
struct daemon_end daemon_run(const struct daemon_options *options);

#endif
