#include "dispatcher/daemon/health_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/kafka/kafka_client.h"
#include "lib/base/memory.h"
#include "lib/base/version.h"
#include "store/store_redis.h"
#include "store/store_redis_health.h"

#define EACH_US INT64_C(2000000) /* well within SHARD_HEALTH_KEPT_MS */
#define AGAIN_AWAY_US INT64_C(15000000)

/* Since the report before this one, if that was of the same run of the shard. */
static void fill_window(struct health_before *before, int64_t now_us, struct shard_figures *figures)
{
    if (figures->fires == FIGURE_UNKNOWN) {
        before->at_us = 0;
        return;
    }
    if (before->at_us > 0 && before->fires <= figures->fires &&
        before->commands <= figures->commands) {
        figures->window_ms = (now_us - before->at_us) / 1000;
        figures->window_fires = figures->fires - before->fires;
        figures->window_commands = figures->commands - before->commands;
    }
    before->at_us = now_us;
    before->fires = figures->fires;
    before->commands = figures->commands;
}

static void fill_figures(const struct engine_status *engine, struct shard_figures *figures)
{
    if (engine->state != ENGINE_LIVE) return;
    figures->live_since_ms = engine->since_ms;
    figures->takeover_ms = engine->takeover_ms;
    figures->jobs = engine->jobs;
    figures->paused = engine->jobs_paused;
    figures->finished = engine->jobs_finished;
    figures->failing = engine->jobs_failing;
    figures->zoneless = engine->jobs_zoneless;
    figures->owing = engine->jobs_owing;
    figures->owed = engine->owed_slots;
    if (engine->owed_oldest_ms != INSTANT_NONE) figures->oldest_due_ms = engine->owed_oldest_ms;
    figures->worked_off_ms = engine->owed_drain_ms;
    figures->due_in_an_hour = engine->jobs_next_hour;
    figures->open_runs = engine->runs_open;
    if (engine->runs_oldest_ms != INSTANT_NONE) figures->oldest_run_ms = engine->runs_oldest_ms;
    figures->waiting = 0;
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        figures->waiting += engine->waiting[input];
    figures->fires = engine->fires;
    figures->commands = engine->commands;
}

/* Of the shards that are ours; returns how many. */
static size_t fill(struct health_report *report, struct shard_report *reports)
{
    size_t count = 0;
    int64_t now_us = report->clock->monotonic_us(report->clock->opaque);
    for (int32_t shard = 0; shard < report->shards; shard++) {
        struct shard_status status = shard_fleet_status(report->fleet, shard);
        if (!status.wanted) {
            report->before[shard] = (struct health_before){0};
            continue;
        }
        report->before[shard].told = true;
        struct shard_report *one = &reports[count++];
        shard_report_init(one, shard);
        one->still_ms = status.still_us / 1000;
        one->clock_ahead_ms = status.engine.clock_ahead_ms;
        (void)snprintf(one->owner, sizeof one->owner, "%s", report->owner);
        (void)snprintf(one->state, sizeof one->state, "%s", status.state);
        (void)snprintf(one->version, sizeof one->version, "%s", BELFRY_VERSION);
        (void)snprintf(one->tz_version, sizeof one->tz_version, "%s", report->tz_version);
        (void)snprintf(one->librdkafka, sizeof one->librdkafka, "%s", kafka_library_version());
        one->figures.reported_ms = report->clock->now_ms(report->clock->opaque);
        fill_figures(&status.engine, &one->figures);
        fill_window(&report->before[shard], now_us, &one->figures);
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

void health_report_end(struct health_report *report)
{
    struct error ignored = {0};
    struct store *store = store_redis_create(report->options, &ignored);
    bool fine = store != NULL;
    for (int32_t shard = 0; shard < report->shards && fine; shard++)
        if (report->before[shard].told)
            fine = store_redis_drop_health(store, shard, report->owner, &ignored);
    if (store != NULL) store->operations->destroy(store);
}
