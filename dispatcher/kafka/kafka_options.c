#include "dispatcher/kafka/kafka_options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/limits.h"

enum { PROPERTY_TEXT_BYTES = 256 };

/* Why each value is what it is: docs/kafka.md. */
static const struct kafka_property common_rows[] = {
    {"log.queue", "true"},
    {"log.connection.close", "false"},
    {"allow.auto.create.topics", "false"},
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "1000"},
};
static const struct kafka_property member_rows[] = {
    {"session.timeout.ms", "10000"},
    {"heartbeat.interval.ms", "500"},
    {"partition.assignment.strategy", "range"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"isolation.level", "read_committed"},
    {"topic.metadata.refresh.interval.ms", "10000"}, /* partitions that are added are seen soon */
};
static const struct kafka_property reader_rows[] = {
    {"isolation.level", "read_committed"},
    {"enable.partition.eof", "true"},
    {"auto.offset.reset", "error"},
    {"fetch.wait.max.ms", "50"},
    {"fetch.error.backoff.ms", "10"},
    /* What is read ahead is memory, for each partition: the default of 64 MiB is too much. */
    {"queued.max.messages.kbytes", "8192"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
};
static const struct kafka_property producer_rows[] = {
    {"transaction.timeout.ms", "15000"},
    {"message.timeout.ms", "5000"},
    {"topic.metadata.propagation.max.ms", "1000"},
    {"acks", "all"},
    {"enable.idempotence", "true"},
    {"linger.ms", "50"},
    {"retry.backoff.ms", "1"},
    {"compression.type", "lz4"},
    {"partitioner", "murmur2_random"},
    {"delivery.report.only.error", "true"},
    {"queue.buffering.max.messages", "100000"},
    {"queue.buffering.max.kbytes", "131072"},
    {"message.max.bytes", "2096640"},
    {"batch.size", "1000000"},
};
static const struct kafka_property ticker_rows[] = {
    {"message.timeout.ms", "3000"},
    {"topic.metadata.propagation.max.ms", "1000"},
    {"acks", "all"},
    {"linger.ms", "0"},
    {"partitioner", "murmur2_random"},
    {"delivery.report.only.error", "true"},
    {"queue.buffering.max.messages", "10000"},
    {"topic.metadata.refresh.interval.ms", "10000"}, /* a right that is given is seen soon */
};
static const struct kafka_property asker_rows[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
};
/* Known to newer versions only; an older one does without. */
static const struct kafka_property reader_newer_rows[] = {
    {"fetch.queue.backoff.ms", "10"},
};

/* The promises hang on these; see docs/kafka.md for each. */
static const char *const protected_names[] = {
    "acks", "allow.auto.create.topics", "auto.commit.enable", "auto.offset.reset",
    "bootstrap.servers", "delivery.report.only.error", "delivery.timeout.ms",
    "enable.auto.commit", "enable.auto.offset.store", "enable.gapless.guarantee",
    "enable.idempotence", "enable.partition.eof", "group.id", "group.instance.id",
    "group.protocol", "group.remote.assignor", "isolation.level", "log.queue",
    "max.in.flight", "max.in.flight.requests.per.connection", "message.send.max.retries",
    "message.timeout.ms", "metadata.broker.list", "partition.assignment.strategy",
    "partitioner", "request.required.acks", "retries", "test.mock.num.brokers",
    "topic.metadata.propagation.max.ms", "transaction.timeout.ms", "transactional.id",
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool is_protected(const char *name)
{
    assert(name != NULL);
    for (size_t i = 0; i < COUNT(protected_names); i++)
        if (strcmp(name, protected_names[i]) == 0) return true;
    return false;
}

static bool check_properties(const struct kafka_properties *properties, const char *section,
                             struct error *error)
{
    assert(properties->items != NULL || properties->count == 0);
    for (size_t i = 0; i < properties->count; i++) {
        const struct kafka_property *property = &properties->items[i];
        if (property->name == NULL || property->name[0] == '\0' || property->value == NULL)
            return error_invalid(error, CODE_BAD_VALUE, "[%s]: a property needs a name and a value",
                                 section);
        if (is_protected(property->name))
            return error_invalid(error, CODE_BAD_VALUE,
                                 "[%s] %s: Belfry sets this itself, its guarantees depend on it; "
                                 "remove the line (docs/kafka.md)",
                                 section, property->name);
    }
    return true;
}

bool kafka_options_check(const struct kafka_options *options, struct error *error)
{
    assert(options != NULL);
    if (options->brokers == NULL || options->brokers[0] == '\0')
        return error_invalid(error, CODE_MISSING_FIELD, "kafka: no brokers given (host:port,...)");
    size_t length = options->cluster == NULL ? 0 : strlen(options->cluster);
    if (length == 0 || length > KAFKA_CLUSTER_BYTES_MAX)
        return error_invalid(error, CODE_BAD_NAME,
                             "cluster: a name of 1 to %d characters is needed",
                             KAFKA_CLUSTER_BYTES_MAX);
    for (size_t i = 0; i < length; i++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
                   options->cluster[i]) == NULL)
            return error_invalid(error, CODE_BAD_NAME,
                                 "cluster %s: only A-Z a-z 0-9 . _ - are allowed, it is the "
                                 "prefix of topic names",
                                 options->cluster);
    if (options->shards < 1 || options->shards > SHARDS_MAX)
        return error_invalid(error, CODE_BAD_VALUE, "shards %d: 1 to %d are allowed",
                             (int)options->shards, SHARDS_MAX);
    return check_properties(&options->common, "kafka", error) &&
           check_properties(&options->producer, "kafka.producer", error) &&
           check_properties(&options->consumer, "kafka.consumer", error);
}

/* librdkafka's text repeats the value, which must not be shown when it is a secret. */
static bool is_secret(const char *name)
{
    return strstr(name, "password") != NULL || strstr(name, "secret") != NULL ||
           strstr(name, ".pem") != NULL || strstr(name, "oauthbearer.config") != NULL;
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *error)
{
    assert(name != NULL);
    assert(value != NULL);
    char text[PROPERTY_TEXT_BYTES] = "";
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, text, sizeof text);
    if (result == RD_KAFKA_CONF_OK) return true;
    if (is_secret(name)) (void)snprintf(text, sizeof text, "the value is refused");
    return error_invalid(error, CODE_BAD_VALUE, "kafka property %s: %s", name, text);
}

static bool set_rows(rd_kafka_conf_t *conf, const struct kafka_property *rows, size_t count,
                     struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (!set(conf, rows[i].name, rows[i].value, error)) return false;
    return true;
}

static bool set_member(rd_kafka_conf_t *conf, const struct kafka_options *options,
                       struct error *error)
{
    if (!set_rows(conf, member_rows, COUNT(member_rows), error)) return false;
    if (!set(conf, "group.id", options->cluster, error)) return false;
    return options->instance_id == NULL ||
           set(conf, "group.instance.id", options->instance_id, error);
}

static bool set_reader(rd_kafka_conf_t *conf, struct error *error)
{
    for (size_t i = 0; i < COUNT(reader_newer_rows); i++)
        (void)rd_kafka_conf_set(conf, reader_newer_rows[i].name, reader_newer_rows[i].value, NULL,
                                0);
    return set_rows(conf, reader_rows, COUNT(reader_rows), error);
}

static bool set_producer(rd_kafka_conf_t *conf, const struct kafka_options *options,
                         int32_t shard, struct error *error)
{
    assert(shard >= 0 && shard < options->shards);
    char id[KAFKA_CLUSTER_BYTES_MAX + 16];
    (void)snprintf(id, sizeof id, "%s-%d", options->cluster, (int)shard);
    return set_rows(conf, producer_rows, COUNT(producer_rows), error) &&
           set(conf, "transactional.id", id, error);
}

static bool set_role(rd_kafka_conf_t *conf, const struct kafka_options *options,
                     enum kafka_role role, int32_t shard, struct error *error)
{
    switch (role) {
    case KAFKA_MEMBER: return set_member(conf, options, error);
    case KAFKA_READER: return set_reader(conf, error);
    case KAFKA_PRODUCER: return set_producer(conf, options, shard, error);
    case KAFKA_TICKER: return set_rows(conf, ticker_rows, COUNT(ticker_rows), error);
    case KAFKA_ASKER: return set_rows(conf, asker_rows, COUNT(asker_rows), error);
    }
    return false;
}

rd_kafka_conf_t *kafka_options_properties(const struct kafka_options *options,
                                          enum kafka_role role, int32_t shard,
                                          struct error *error)
{
    assert(options != NULL);
    assert(options->brokers != NULL);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool produces = role == KAFKA_PRODUCER || role == KAFKA_TICKER;
    const struct kafka_properties *own = produces ? &options->producer : &options->consumer;
    char client_id[KAFKA_CLUSTER_BYTES_MAX + 16];
    (void)snprintf(client_id, sizeof client_id, "belfry-%s", options->cluster);
    if (set_rows(conf, common_rows, COUNT(common_rows), error) &&
        set(conf, "bootstrap.servers", options->brokers, error) &&
        set(conf, "client.id", client_id, error) && set_role(conf, options, role, shard, error) &&
        set_rows(conf, options->common.items, options->common.count, error) &&
        set_rows(conf, own->items, own->count, error))
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}
