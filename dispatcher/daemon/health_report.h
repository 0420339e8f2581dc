/* health_report.h - tells Redis now and then how the shards of this process are, for belfry shards
 * and belfry doctor. Nothing depends on it. Called by the daemon's thread. */
#ifndef BELFRY_DAEMON_HEALTH_REPORT_H
#define BELFRY_DAEMON_HEALTH_REPORT_H

#include "dispatcher/daemon/shard_fleet.h"
#include "dispatcher/engine/clock.h"
#include "store/redis_options.h"

struct health_report {
    const struct store_redis_options *options; /* with short limits; borrowed, like the rest */
    const struct shard_fleet *fleet;
    const struct clock *clock;
    const char *owner; /* of the shards: this process */
    int32_t shards;    /* of the cluster */
    int64_t next_us;
};

/* To be called often. Blocks for at most the limits of the options. */
void health_report_tend(struct health_report *report);

#endif
