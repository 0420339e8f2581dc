/* store_redis_health.h - how the daemons say their shards are, now and then and for a short time:
 * `<cluster>:{shard}:health` is gone when nobody says so any more. No part of the checkpoint. */
#ifndef BELFRY_STORE_STORE_REDIS_HEALTH_H
#define BELFRY_STORE_STORE_REDIS_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/limits.h"
#include "store/shard_figures.h"
#include "store/store.h"

enum { SHARD_HEALTH_KEPT_MS = 30000, SHARD_STATE_BYTES = 16, SHARD_VERSION_BYTES = 24 };
/* A daemon that runs says something each two seconds (an older one: five). */
#define SHARD_HEALTH_FRESH_MS INT64_C(10000)

struct shard_report {
    int32_t shard;
    char owner[OWNER_BYTES_MAX + 1];
    char state[SHARD_STATE_BYTES]; /* live, starting, waiting, failed, not_started, ended */
    int64_t still_ms;       /* for how long its time has not moved */
    int64_t clock_ahead_ms; /* the daemon's clock against the broker's; negative: behind */
    int64_t age_ms;         /* when read: how long ago it was said, by the clock of Redis */
    /* What an older daemon does not tell is "" and FIGURE_UNKNOWN. */
    char version[SHARD_VERSION_BYTES];    /* of belfryd */
    char tz_version[SHARD_VERSION_BYTES]; /* of its time zone data */
    char librdkafka[SHARD_VERSION_BYTES]; /* of the library, as it is loaded there */
    struct shard_figures figures;
};

/* Nothing is known but the shard. */
void shard_report_init(struct shard_report *report, int32_t shard);

/* Errors of both: as struct store_operations.write. */
bool store_redis_put_health(struct store *store, const struct shard_report *reports, size_t count,
                            struct error *error) __attribute__((warn_unused_result));

/* This owner says nothing of the shard any more; what another one says of it stays. */
bool store_redis_drop_health(struct store *store, int32_t shard, const char *owner,
                             struct error *error) __attribute__((warn_unused_result));

/* Of shards 0 to shards - 1; owner "" where nobody has said anything lately. */
bool store_redis_read_health(struct store *store, int32_t shards, struct shard_report *reports,
                             struct error *error) __attribute__((warn_unused_result));

#endif
