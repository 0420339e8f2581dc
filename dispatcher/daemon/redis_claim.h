/* redis_claim.h - makes sure that the Redis we are given belongs to this cluster, before the first
 * byte is read or written there and also when it was away at the start. */
#ifndef BELFRY_DAEMON_REDIS_CLAIM_H
#define BELFRY_DAEMON_REDIS_CLAIM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/engine/clock.h"
#include "dispatcher/engine/observer.h"
#include "lib/base/error.h"
#include "store/redis_options.h"
#include "store/store.h"
#include "store/store_redis_admin.h"

struct redis_claim {
    struct store_redis_options options; /* with a short limit: the daemon's thread waits for it */
    struct store_meta wanted;
    const struct store_defaults *defaults; /* to be published; borrowed */
    const struct clock *clock;
    const struct observer *observer;
    atomic_bool claimed; /* false again while this Redis is not seen to be ours any more */
    bool ever;
    bool refusing;       /* it was ours and is not now */
    int64_t next_us;
    int64_t complained_us; /* 0 = not yet */
};

/* Nothing is asked yet. All is borrowed but `options`, which is copied.
 *   kafka_cluster_id  what Kafka calls itself */
void redis_claim_init(struct redis_claim *claim, const struct store_redis_options *options,
                      const struct store_defaults *defaults, int32_t shards,
                      const char *kafka_cluster_id, const struct clock *clock,
                      const struct observer *observer);

/* Asks when it is time to, within a second; Redis away is logged and no error. Nor is one that was
 * ours and is another's now, too old or has a newer layout: it is refused, `redis.refused`, until
 * the right one is back.
 *   errors  ERROR_FATAL: the first Redis ever found is such a one */
bool redis_claim_tend(struct redis_claim *claim, struct error *error)
    __attribute__((warn_unused_result));

#endif
