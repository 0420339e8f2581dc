#include "dispatcher/daemon/daemon.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dispatcher/daemon/clock_watch.h"
#include "dispatcher/daemon/group_rest.h"
#include "dispatcher/daemon/health_report.h"
#include "dispatcher/daemon/heap_release.h"
#include "dispatcher/daemon/notify.h"
#include "dispatcher/daemon/owner_name.h"
#include "dispatcher/daemon/redis_claim.h"
#include "dispatcher/daemon/shard_fleet.h"
#include "dispatcher/daemon/steady_wait.h"
#include "dispatcher/daemon/watch_ports.h"
#include "dispatcher/kafka/kafka_cluster.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/time/zone_files.h"
#include "store/store_redis.h"

enum {
    POLL_MS = 100,
    READY_LOOK_MS = 1000,
    AGAIN_MS = 1000,
    COMPLAIN_US = 30 * 1000 * 1000,
    LEAVE_MS = 1000,
    WRITER_END_MS = 100
};

static const char embedded_kafka_id[] = "embedded"; /* the mock's own changes at each start */

struct daemon {
    struct daemon_options options;
    struct kafka_options kafka_options;
    struct kafka_cluster *kafka;
    struct store_redis_options redis; /* of the configuration, with the Kafka it goes with */
    struct redis_claim claim;
    struct store_defaults defaults;
    struct store_writer *writer;
    struct shard_wakes *wakes;
    struct shard_site site;
    struct shard_fleet *fleet;
    struct group_rest rest;
    struct health_report report;
    struct heap_release heap_release;
    struct loop *loop;
    struct zone_files *zones;
    uint8_t hash_key[HASH_KEY_BYTES]; /* random: who sends names cannot know where they meet */
    char owner[OWNER_BYTES_MAX + 1];
    bool ready;
    bool failed;
    bool fenced;
    bool ending;
};

static bool stopping(const struct daemon *daemon)
{
    return atomic_load(daemon->options.stop);
}

static int64_t now_us(const struct daemon *daemon)
{
    return daemon->options.clock->monotonic_us(daemon->options.clock->opaque);
}

static void tell_error(const struct daemon *daemon, enum observed_kind kind,
                       const struct error *error)
{
    observe(daemon->options.observer, kind, -1,
            &(struct observed){.kind = error_kind_name(error->kind), .message = error->message});
}

static void report_topic(void *opaque, const char *text)
{
    const struct daemon *daemon = opaque;
    observe(daemon->options.observer, OBSERVED_KAFKA_TOPIC, -1,
            &(struct observed){.message = text});
}

/* Without the id no Redis can be told from another cluster's. */
static bool tells_its_id(const struct daemon *daemon, struct error *error)
{
    if (daemon->options.embedded != NULL || kafka_cluster_id(daemon->kafka)[0] != '\0') return true;
    return error_set(error, ERROR_RETRY, "Kafka does not tell its cluster id");
}

/* What the process's other threads may know, as of now. */
static void publish(const struct daemon *daemon)
{
    struct board_state state = {.ready = daemon->ready,
                                .aside = daemon->rest.away,
                                .ending = daemon->ending,
                                .redis_claimed = atomic_load(&daemon->claim.claimed)};
    (void)snprintf(state.owner, sizeof state.owner, "%s", daemon->owner);
    (void)snprintf(state.tz_version, sizeof state.tz_version, "%s",
                   zone_files_version(daemon->zones));
    shard_board_publish(daemon->options.board, &state, daemon->fleet);
}

/* Kafka may come up after us: waits, complaining now and then. False: told to end, or refused. */
static bool prepare_kafka(struct daemon *daemon, struct error *error)
{
    struct kafka_report report = {.opaque = daemon, .write = report_topic};
    int64_t complain_us = 0;
    daemon->kafka = kafka_cluster_create(&daemon->kafka_options, error);
    if (daemon->kafka == NULL) return false;
    while (!stopping(daemon)) {
        struct error cause = {0};
        loop_enter(daemon->loop, LOOP_PREPARE);
        publish(daemon);
        if (kafka_cluster_wait_ready(daemon->kafka, READY_LOOK_MS, &cause) &&
            kafka_cluster_prepare_topics(daemon->kafka, &report, &cause) &&
            tells_its_id(daemon, &cause))
            return true;
        if (cause.kind != ERROR_RETRY)
            return error_set(error, ERROR_FATAL, "%s", cause.message);
        if (now_us(daemon) >= complain_us) {
            complain_us = now_us(daemon) + COMPLAIN_US;
            tell_error(daemon, OBSERVED_KAFKA_AWAY, &cause);
        }
        daemon->options.clock->sleep_ms(daemon->options.clock->opaque, AGAIN_MS / 4);
    }
    return error_set(error, ERROR_RETRY, "told to end before Kafka answered");
}

static void fill_engine_options(const struct daemon *daemon, struct engine_options *options)
{
    const struct config *config = daemon->options.config;
    engine_options_defaults(options);
    options->cluster = config->cluster;
    options->owner = daemon->owner;
    options->tz_version = zone_files_version(daemon->zones);
    options->zones = zone_files_lookup(daemon->zones);
    memcpy(options->hash_key, daemon->hash_key, sizeof options->hash_key);
    options->shards = (int32_t)config->shards;
    options->settings = config->engine;
    options->fires_topics = (const char *const *)config->fires_topics.items;
    options->fires_topic_count = config->fires_topics.count;
    options->results_topics = (const char *const *)config->results_topics.items;
    options->results_topic_count = config->results_topics.count;
    options->state_log = daemon->options.embedded == NULL;
    options->runs_append_times = daemon->options.embedded == NULL;
    options->runs = !options->runs_append_times || kafka_cluster_runs_by_append_time(daemon->kafka);
}

/* The Redis side, and everything the shards share. */
static bool prepare_shards(struct daemon *daemon, struct error *error)
{
    const struct config *config = daemon->options.config;
    const struct daemon_options *options = &daemon->options;
    int32_t shards = (int32_t)config->shards;
    const char *id =
        options->embedded != NULL ? embedded_kafka_id : kafka_cluster_id(daemon->kafka);
    daemon->redis = config->redis;
    (void)snprintf(daemon->redis.kafka_cluster_id, sizeof daemon->redis.kafka_cluster_id, "%s", id);
    daemon->defaults = (struct store_defaults){.misfire_grace_ms = config->engine.misfire_grace_ms,
                                               .keep_finished_ms = config->engine.keep_finished_ms};
    redis_claim_init(&daemon->claim, &daemon->redis, &daemon->defaults, shards, id, options->clock,
                     options->observer);
    if (!redis_claim_tend(&daemon->claim, error)) return false;
    daemon->wakes = shard_wakes_create(shards);
    struct store *store = store_redis_create(&daemon->redis, error);
    if (store == NULL) return false;
    store = watch_store_create(store, loop_watch_writer(options->watch));
    daemon->writer =
        store_writer_create(store, shards, shard_wakes_wake, daemon->wakes, error);
    if (daemon->writer == NULL) return false;
    daemon->site = (struct shard_site){
        .kafka = daemon->kafka,
        .writer = daemon->writer,
        .redis = &daemon->redis,
        .redis_claimed = &daemon->claim.claimed,
        .wakes = daemon->wakes,
        .watch = options->watch,
        .clock = options->clock,
        .observer = options->observer,
        .fault = options->fault,
    };
    fill_engine_options(daemon, &daemon->site.options);
    daemon->fleet = shard_fleet_create(&daemon->site);
    daemon->rest = (struct group_rest){.kafka = daemon->kafka, .fleet = daemon->fleet,
                                       .clock = options->clock, .observer = options->observer};
    daemon->report = (struct health_report){.options = &daemon->claim.options,
                                            .fleet = daemon->fleet, .clock = options->clock,
                                            .owner = daemon->owner, .shards = shards,
                                            .tz_version = zone_files_version(daemon->zones)};
    return true;
}

static void tell_waits(const struct daemon *daemon)
{
    char message[200];
    (void)snprintf(message, sizeof message, "librdkafka waits by the wall clock here: where it is "
                   "set back by more than %d ms, this process ends, to be started again",
                   CLOCK_WATCH_BACK_MS);
    observe(daemon->options.observer, OBSERVED_CLOCK_WAITS, -1,
            &(struct observed){.message = message});
}

static void tell_ready(struct daemon *daemon, const struct kafka_assignment *assignment)
{
    const struct config *config = daemon->options.config;
    daemon->ready = true;
    observe(daemon->options.observer, OBSERVED_DAEMON_READY, -1,
            &(struct observed){.cluster = config->cluster, .owner = daemon->owner,
                               .shards = config->shards, .assigned = (int64_t)assignment->count,
                               .kafka_cluster_id = daemon->claim.wanted.kafka_cluster_id});
    if (!steady_wait_works()) tell_waits(daemon);
    notify_supervisor("READY=1");
}

/* One turn: the group's word, the shards' ends, Redis. False: no way on. */
static bool turn(struct daemon *daemon, struct kafka_assignment *assignment, struct error *error)
{
    bool changed = false;
    loop_enter(daemon->loop, LOOP_TURN);
    if (!kafka_cluster_poll(daemon->kafka, POLL_MS, assignment, &changed, error)) return false;
    if (changed) shard_fleet_assign(daemon->fleet, assignment);
    if (changed && !daemon->ready) tell_ready(daemon, assignment);
    shard_fleet_tend(daemon->fleet);
    publish(daemon);
    heap_release_tend(&daemon->heap_release, now_us(daemon));
    if (shard_fleet_hopeless(daemon->fleet))
        return error_set(error, ERROR_FATAL, "none of the %d assigned shards can be run",
                         (int)shard_fleet_failed(daemon->fleet));
    struct error refused = {0};
    if (!group_rest_tend(&daemon->rest, &refused))
        tell_error(daemon, OBSERVED_GROUP_NOT_JOINED, &refused);
    if (!redis_claim_tend(&daemon->claim, error)) return false;
    if (atomic_load(&daemon->claim.claimed)) health_report_tend(&daemon->report);
    if (daemon->options.embedded != NULL && !embedded_alive(daemon->options.embedded))
        return error_set(error, ERROR_FATAL, "the embedded redis-server has ended; its log is "
                         "redis.log in %s", daemon->options.config->embedded);
    return true;
}

static void run(struct daemon *daemon)
{
    struct kafka_assignment *assignment = memory_allocate(1, sizeof *assignment);
    struct error error = {0};
    bool going = kafka_cluster_join(daemon->kafka, &error);
    while (going && !stopping(daemon)) going = turn(daemon, assignment, &error);
    free(assignment);
    if (going) return;
    daemon->failed = true;
    daemon->fenced = error.kind == ERROR_FENCED;
    tell_error(daemon, daemon->fenced ? OBSERVED_DAEMON_FENCED : OBSERVED_DAEMON_FAILED, &error);
}

/* Shards first, while the group still knows us: nobody else takes them before they are done. */
static void end_shards(struct daemon *daemon, int64_t deadline_us)
{
    struct kafka_assignment *assignment = memory_allocate(1, sizeof *assignment);
    if (shard_fleet_failed(daemon->fleet) > 0) daemon->failed = true;
    shard_fleet_shutdown(daemon->fleet);
    bool grouped = true;
    while (shard_fleet_running(daemon->fleet) > 0 && now_us(daemon) < deadline_us) {
        bool changed = false;
        if (grouped)
            grouped = kafka_cluster_poll(daemon->kafka, POLL_MS / 2, assignment, &changed, NULL);
        else
            daemon->options.clock->sleep_ms(daemon->options.clock->opaque, POLL_MS / 2);
        shard_fleet_tend(daemon->fleet);
    }
    free(assignment);
}

/* Returns true when threads of ours go on, so that nothing may be freed. */
static bool end(struct daemon *daemon)
{
    struct error error = {0};
    int32_t left = 0;
    int64_t deadline_us = now_us(daemon) + DAEMON_SHARDS_END_MS * INT64_C(1000);
    /* Who is fenced is to join anew; a supervisor that was told of an end would bring it about. */
    if (!daemon->fenced) notify_supervisor("STOPPING=1");
    loop_enter(daemon->loop, LOOP_TURN);
    daemon->ending = true;
    publish(daemon);
    observe(daemon->options.observer, OBSERVED_DAEMON_STOPPING, -1, NULL);
    if (daemon->fleet != NULL) {
        end_shards(daemon, deadline_us);
        left = shard_fleet_running(daemon->fleet);
        if (atomic_load(&daemon->claim.claimed)) health_report_end(&daemon->report);
    }
    if (daemon->kafka != NULL && !kafka_cluster_leave(daemon->kafka, LEAVE_MS, &error))
        tell_error(daemon, OBSERVED_GROUP_NOT_LEFT, &error);
    if (daemon->writer != NULL) store_writer_stop(daemon->writer, WRITER_END_MS);
    observe_at(daemon->options.observer, left > 0 ? LEVEL_WARN : LEVEL_INFO,
               OBSERVED_DAEMON_STOPPED, -1, &(struct observed){.shards_left = left});
    if (left > 0) return true;
    shard_fleet_destroy(daemon->fleet);
    daemon->fleet = NULL;
    publish(daemon);
    store_writer_destroy(daemon->writer);
    shard_wakes_destroy(daemon->wakes);
    kafka_cluster_destroy(daemon->kafka);
    zone_files_destroy(daemon->zones);
    return false;
}

struct daemon_end daemon_run(const struct daemon_options *options)
{
    assert(options != NULL && options->config != NULL);
    assert(options->stop != NULL && options->fault != NULL);
    struct daemon *daemon = memory_allocate(1, sizeof *daemon);
    struct error error = {0};
    daemon->options = *options;
    daemon->loop = loop_watch_daemon(options->watch);
    loop_enter(daemon->loop, LOOP_PREPARE);
    daemon->kafka_options = config_kafka_options(options->config);
    daemon->kafka_options.clock = options->clock;
    daemon->kafka_options.log = *options->kafka_log;
    daemon->zones = zone_files_create(NULL);
    if (getrandom(daemon->hash_key, HASH_KEY_BYTES, 0) != HASH_KEY_BYTES)
        memset(daemon->hash_key, 1, HASH_KEY_BYTES); /* no randomness: known, but not wrong */
    (void)zone_files_version(daemon->zones); /* reads them, before anything takes its time */
    owner_name("", daemon->owner);
    bool prepared = prepare_kafka(daemon, &error) && prepare_shards(daemon, &error);
    if (prepared) run(daemon);
    else if (!stopping(daemon)) {
        daemon->failed = true;
        tell_error(daemon, OBSERVED_DAEMON_FAILED, &error);
    }
    struct daemon_end how = {.abandoned = end(daemon)};
    loop_rest(daemon->loop);
    how.failed = daemon->failed;
    how.fenced = daemon->fenced;
    if (!how.abandoned) free(daemon);
    return how;
}
