#include "dispatcher/daemon/health_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "store/store_redis.h"
#include "store/store_redis_health.h"

#define EACH_US INT64_C(5000000) /* well within SHARD_HEALTH_KEPT_MS */
#define AGAIN_AWAY_US INT64_C(15000000)

/* Of the shards that are ours; returns how many. */
static size_t fill(const struct health_report *report, struct shard_report *reports)
{
    size_t count = 0;
    for (int32_t shard = 0; shard < report->shards; shard++) {
        struct shard_status status = shard_fleet_status(report->fleet, shard);
        if (!status.wanted) continue;
        struct shard_report *one = &reports[count++];
        *one = (struct shard_report){.shard = shard,
                                     .still_ms = status.still_us / 1000,
                                     .clock_ahead_ms = status.engine.clock_ahead_ms};
        (void)snprintf(one->owner, sizeof one->owner, "%s", report->owner);
        (void)snprintf(one->state, sizeof one->state, "%s", status.state);
    }
    return count;
}

void health_report_tend(struct health_report *report)
{
    int64_t now_us = report->clock->monotonic_us(report->clock->opaque);
    if (now_us < report->next_us) return;
    struct error ignored = {0}; /* redis.away and checkpoint.away say it */
    struct shard_report *reports = memory_allocate(SHARDS_MAX, sizeof *reports);
    size_t count = fill(report, reports);
    struct store *store = count > 0 ? store_redis_create(report->options, &ignored) : NULL;
    bool told = store != NULL && store_redis_put_health(store, reports, count, &ignored);
    if (store != NULL) store->operations->destroy(store);
    free(reports);
    now_us = report->clock->monotonic_us(report->clock->opaque);
    report->next_us = now_us + (told || count == 0 ? EACH_US : AGAIN_AWAY_US);
}
