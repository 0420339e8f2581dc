/* store_redis_admin.h - what only an operator's command does to the checkpoint: to forget a shard,
 * to have it written anew, to say whose the store is. */
#ifndef BELFRY_STORE_STORE_REDIS_ADMIN_H
#define BELFRY_STORE_STORE_REDIS_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "store/store.h"

/* All of these: store of store_redis_create(); errors as struct store_operations.write. */

/* Removes everything of the shard, its writer's guard too. */
bool store_redis_forget_shard(struct store *store, int32_t shard, struct error *error)
    __attribute__((warn_unused_result));

/* Removes the snapshot only: jobs can be listed still, and the next write of the owner is a GAP. */
bool store_redis_forget_snapshot(struct store *store, int32_t shard, struct error *error)
    __attribute__((warn_unused_result));

/* How many jobs an unfinished rewrite of the shard holds. */
bool store_redis_rewritten(struct store *store, int32_t shard, int64_t *jobs, struct error *error)
    __attribute__((warn_unused_result));

/* Says whose the store is, whatever was said before. */
bool store_redis_put_meta(struct store *store, const struct store_meta *meta, struct error *error)
    __attribute__((warn_unused_result));

/* What jobs get that do not say, from the configuration of a daemon, for those who compare jobs
 * with a file. */
struct store_defaults {
    int64_t misfire_grace_ms;
    int64_t keep_finished_ms;
};
bool store_redis_put_defaults(struct store *store, const struct store_defaults *defaults,
                              struct error *error) __attribute__((warn_unused_result));
/* *found: whether a daemon has put any. */
bool store_redis_read_defaults(struct store *store, struct store_defaults *defaults, bool *found,
                               struct error *error) __attribute__((warn_unused_result));

#endif
