/* group_rest.h - a daemon whose shards have stopped leaves them to others for a while: it leaves
 * the group of daemons and joins it again. Called by the daemon's thread. */
#ifndef BELFRY_DAEMON_GROUP_REST_H
#define BELFRY_DAEMON_GROUP_REST_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/daemon/shard_fleet.h"
#include "dispatcher/engine/clock.h"
#include "dispatcher/engine/observer.h"
#include "dispatcher/kafka/kafka_cluster.h"

struct group_rest {
    struct kafka_cluster *kafka; /* borrowed, like the rest */
    struct shard_fleet *fleet;
    const struct clock *clock;
    const struct observer *observer;
    bool away;
    int64_t until_us; /* away: when it joins again at the latest */
    int64_t ask_us;   /* when the group may be asked again for its members */
};

/* To be called often. It may block for a request to Kafka, at most each ten seconds, while this
 * daemon is of no use. ERROR_RETRY: joining again was refused; try again. */
bool group_rest_tend(struct group_rest *rest, struct error *error)
    __attribute__((warn_unused_result));

#endif
