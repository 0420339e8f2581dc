#include "cli/operate/cluster_site.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/redis_reader.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_text.h"
#include "cli/show/print_text.h"
#include "dispatcher/daemon/checkpoint_store.h"
#include "dispatcher/daemon/clock_system.h"
#include "dispatcher/daemon/owner_name.h"
#include "dispatcher/daemon/watch_ports.h"
#include "dispatcher/kafka/broker_kafka.h"
#include "lib/base/monotonic.h"
#include "store/store_redis.h"
#include "store/store_redis_admin.h"
#include "store/store_redis_query.h"

enum { DAEMONS_EXTRA_MS = 5000, LOOK_MS = 250, AWAY_LIMIT_MS = 60000 };

static void say(void *opaque, enum observed_kind kind, enum observer_level level, int32_t shard,
                const struct observed *said)
{
    char fields[OBSERVED_FIELDS_BYTES];
    (void)opaque;
    (void)level;
    (void)observed_fields(kind, said, fields);
    (void)fprintf(stderr, "belfry: shard %" PRId32 ": %s ", shard, observed_row(kind)->name);
    print_safe(stderr, fields, strlen(fields));
    (void)fputc('\n', stderr);
}

/* ---- Redis ---- */

static bool open_store(struct cluster_site *site, struct error *error)
{
    if (!redis_reader_options(site->settings, &site->redis, error)) return false;
    site->store = store_redis_create(&site->redis, error);
    struct error refused = {0};
    if (site->store == NULL) return false;
    if (store_redis_read_meta(site->store, &site->meta, &site->meta_found, &refused)) return true;
    return error_set(error, refused.kind, "%.200s; --redis or BELFRY_REDIS says where",
                     refused.message);
}

static bool open_writer(struct cluster_site *site, struct error *error)
{
    struct store *store = store_redis_create(&site->redis, error);
    if (store == NULL) return false;
    site->writer = store_writer_create(store, site->shards, NULL, NULL, error);
    atomic_store(&site->claimed, true);
    return site->writer != NULL;
}

/* ---- Kafka ---- */

/* Which of our topics exist, and of how many partitions they are. */
static bool look_at_topics(struct cluster_site *site, struct error *error)
{
    int32_t found = 0;
    for (enum broker_topic topic = 0; topic < TOPIC_FOREIGN; topic++) {
        char name[TOPIC_NAME_BYTES];
        struct kafka_topic_facts facts;
        kafka_topic_name(site->settings->cluster, topic, name);
        if (!kafka_admin_look_up(cli_kafka_handle(site->topics), name, &facts, error))
            return false;
        site->missing[topic] = !facts.exists;
        site->missing_count += !facts.exists;
        if (!facts.exists) continue;
        if (found != 0 && facts.partitions != found)
            return error_set(error, ERROR_FATAL, "topic %s has %d partitions, others have %d",
                             name, (int)facts.partitions, (int)found);
        found = facts.partitions;
    }
    site->shards = found != 0 ? found : site->meta_found ? site->meta.shards : 0;
    if (site->shards >= 1 && site->shards <= SHARDS_MAX) return true;
    return error_set(error, ERROR_FATAL, "neither Kafka nor Redis has anything of the cluster "
                     "\"%.100s\"", site->settings->cluster);
}

bool cluster_site_check_shards(const struct cluster_site *site, struct error *error)
{
    assert(site->shards > 0);
    if (!site->meta_found || site->meta.shards == site->shards) return true;
    return error_set(error, ERROR_FATAL, "Redis was written for %d shards, the topics in Kafka "
                     "have %d partitions: they do not go together", (int)site->meta.shards,
                     (int)site->shards);
}

static void read_properties(struct cluster_site *site)
{
    size_t count = 0;
    for (; count < SITE_PROPERTIES_MAX && count < site->settings->property_count; count++)
        site->properties[count] =
            (struct kafka_property){site->settings->properties[count].key,
                                    site->settings->properties[count].value};
    site->kafka_options.common = (struct kafka_properties){site->properties, count};
}

static bool open_kafka(struct cluster_site *site, struct error *error)
{
    site->topics = cli_kafka_create(site->settings, CLI_READER, error);
    char control[TOPIC_NAME_BYTES];
    int32_t partitions = 0;
    struct error missing = {0};
    if (site->topics == NULL) return false;
    topic_name(control, site->settings, "control");
    if (!cli_kafka_partitions(site->topics, control, &partitions, &missing) &&
        missing.kind == ERROR_RETRY) {
        *error = missing;
        return false;
    }
    if (!look_at_topics(site, error)) return false;
    site->kafka_options = (struct kafka_options){.brokers = site->settings->kafka,
                                                 .cluster = site->settings->cluster,
                                                 .shards = site->shards,
                                                 .clock = &site->clock};
    read_properties(site);
    site->kafka = kafka_cluster_create(&site->kafka_options, error);
    if (site->kafka == NULL) {
        error->code = CODE_USAGE;
        return false;
    }
    if (!kafka_cluster_wait_ready(site->kafka, (int32_t)site->settings->timeout_ms, error))
        return false;
    (void)snprintf(site->kafka_id, sizeof site->kafka_id, "%s", kafka_cluster_id(site->kafka));
    if (site->kafka_id[0] == '\0') return error_set(error, ERROR_RETRY, "Kafka does not tell its "
                                                    "cluster id");
    if (!cli_kafka_is_embedded(site->kafka_id)) return true;
    return error_set(error, ERROR_FATAL, "this is belfryd --embedded: it takes Redis as the truth "
                     "at each start by itself");
}

/* ---- life ---- */

bool cluster_site_open(struct cluster_site *site, const struct settings *settings,
                       struct error *error)
{
    *site = (struct cluster_site){.settings = settings,
                                  .clock = clock_system(),
                                  .observer = {.lowest = LEVEL_WARN, .told = say}};
    owner_name("recover-", site->owner);
    struct error fault = {0};
    if (!fault_parse(&site->fault, getenv("BELFRY_FAULT"), &fault))
        return error_invalid(error, CODE_USAGE, "%s", fault.message);
    return open_store(site, error) && open_kafka(site, error) && open_writer(site, error);
}

void cluster_site_close(struct cluster_site *site)
{
    if (site->writer != NULL) store_writer_destroy(site->writer);
    if (site->store != NULL) site->store->operations->destroy(site->store);
    kafka_cluster_destroy(site->kafka);
    cli_kafka_destroy(site->topics);
}

static void tell_topic(void *opaque, const char *text)
{
    (void)opaque;
    (void)fprintf(stderr, "belfry: %s\n", text);
}

bool cluster_site_prepare(struct cluster_site *site, struct error *error)
{
    assert(site->kafka != NULL);
    struct kafka_report report = {.opaque = site, .write = tell_topic};
    if (site->missing_count == 0) return true;
    if (!kafka_cluster_prepare_topics(site->kafka, &report, error)) return false;
    memset(site->missing, 0, sizeof site->missing);
    site->missing_count = 0;
    return true;
}

bool cluster_site_daemons(struct cluster_site *site, int32_t *count,
                        char first[KAFKA_MEMBER_TEXT_BYTES], struct error *error)
{
    assert(site->kafka != NULL);
    return kafka_admin_group_members(kafka_reader_handle(kafka_cluster_reader(site->kafka)),
                                     site->settings->cluster, count, first, error);
}

bool cluster_site_await_no_daemon(struct cluster_site *site, struct error *error)
{
    int64_t deadline_ms = monotonic_ms() + site->settings->timeout_ms +
                          DAEMONS_EXTRA_MS;
    char first[KAFKA_MEMBER_TEXT_BYTES];
    int32_t count = 0;
    bool told = false;
    for (;;) {
        struct error away = {0};
        bool asked = cluster_site_daemons(site, &count, first, &away);
        if (asked && count == 0) return true;
        if (cli_left_ms(deadline_ms, LOOK_MS) == 0)
            return asked ? error_set(error, ERROR_FATAL, "%d daemons of cluster %.100s run, one "
                                     "is %.120s: stop them first", (int)count,
                                     site->settings->cluster, first)
                         : error_set(error, ERROR_RETRY, "%s", away.message);
        if (asked && !told)
            (void)fprintf(stderr, "belfry: the group has %d members, one is %s; waiting for them "
                          "to be gone\n", (int)count, first);
        told = told || asked;
        site->clock.sleep_ms(site->clock.opaque, LOOK_MS);
    }
}

bool cluster_site_put_meta(struct cluster_site *site, struct error *error)
{
    int32_t before = site->meta_found && site->meta.shards <= SHARDS_MAX ? site->meta.shards : 0;
    for (int32_t shard = site->shards; shard < before; shard++)
        if (!store_redis_forget_shard(site->store, shard, error)) return false;
    struct store_meta meta = {.layout = STATE_LAYOUT, .shards = site->shards};
    (void)snprintf(meta.kafka_cluster_id, sizeof meta.kafka_cluster_id, "%s", site->kafka_id);
    return store_redis_put_meta(site->store, &meta, error);
}

/* ---- one shard ---- */

bool shard_seat_open(struct shard_seat *seat, struct cluster_site *site, int32_t shard,
                     struct error *error)
{
    assert(site->writer != NULL);
    *seat = (struct shard_seat){.site = site, .shard = shard};
    seat->broker = broker_kafka_create_alone(site->kafka, shard, AWAY_LIMIT_MS, error);
    if (seat->broker == NULL) return false;
    seat->broker = watch_broker_create(seat->broker, NULL, &site->fault);
    seat->checkpoint =
        checkpoint_store_create(site->writer, &site->redis, &site->claimed, shard);
    seat->fault_checkpoint = watch_checkpoint_create(seat->checkpoint, NULL, &site->fault);
    struct engine_options options;
    engine_options_defaults(&options);
    options.runs_append_times = true; /* else runs would lose when they expire */
    options.cluster = site->settings->cluster;
    options.owner = site->owner;
    options.zones = job_text_zones(); /* nothing is computed here: texts are carried over */
    options.shard = shard;
    options.shards = site->shards;
    options.runs = true; /* and what is written of them */
    struct engine_ports ports = {.broker = seat->broker,
                                 .checkpoint = seat->fault_checkpoint,
                                 .clock = &site->clock,
                                 .observer = &site->observer};
    seat->engine = engine_create(&options, &ports);
    return true;
}

void shard_seat_close(struct shard_seat *seat)
{
    engine_destroy(seat->engine);
    watch_checkpoint_destroy(seat->fault_checkpoint);
    checkpoint_store_destroy(seat->checkpoint);
    if (seat->broker != NULL) seat->broker->operations->destroy(seat->broker);
    *seat = (struct shard_seat){0};
}

bool shard_seat_offset_at(void *opaque, enum broker_topic topic, int64_t at_ms, int64_t end,
                          int64_t *offset, struct error *error)
{
    struct shard_seat *seat = opaque;
    char name[TOPIC_NAME_BYTES];
    kafka_topic_name(seat->site->settings->cluster, topic, name);
    return cli_kafka_offset_at(seat->site->topics, name, seat->shard, at_ms < 0 ? 0 : at_ms, end,
                               offset, error);
}

bool shard_seat_drop_store(void *opaque, struct error *error)
{
    struct shard_seat *seat = opaque;
    return store_redis_forget_shard(seat->site->store, seat->shard, error);
}
