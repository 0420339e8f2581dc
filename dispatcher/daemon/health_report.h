/* health_report.h - tells Redis now and then how the shards of this process are, for belfry status,
 * top, shards and doctor. Nothing depends on it. Called by the daemon's thread. */
#ifndef BELFRY_DAEMON_HEALTH_REPORT_H
#define BELFRY_DAEMON_HEALTH_REPORT_H

#include "dispatcher/daemon/shard_fleet.h"
#include "dispatcher/engine/clock.h"
#include "lib/base/limits.h"
#include "store/redis_options.h"

/* What the report before this one said of a shard. */
struct health_before {
    bool told;     /* anything */
    int64_t at_us; /* 0: it was not live */
    int64_t fires;
    int64_t commands;
};

struct health_report {
    const struct store_redis_options *options; /* with short limits; borrowed, like the rest */
    const struct shard_fleet *fleet;
    const struct clock *clock;
    const char *owner; /* of the shards: this process */
    const char *tz_version;
    int32_t shards;    /* of the cluster */
    int64_t next_us;
    struct health_before before[SHARDS_MAX];
};

/* At the end of the process: says nothing of its shards any more. Blocks as tend(). */
void health_report_end(struct health_report *report);

/* To be called often. Blocks for at most the limits of the options. */
void health_report_tend(struct health_report *report);

#endif
