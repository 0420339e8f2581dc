#include "dispatcher/kafka/broker_kafka.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/core/memory.h"
#include "dispatcher/kafka/kafka_publisher.h"

struct broker_kafka {
    struct broker broker; /* first: the port's pointer is ours */
    struct kafka_cluster *cluster;
    int32_t shard;
    struct kafka_reading *reading;
    struct kafka_publisher *publisher;
};

static struct broker_kafka *ours(struct broker *broker)
{
    assert(broker != NULL);
    struct broker_kafka *kafka = (struct broker_kafka *)broker;
    assert(kafka->publisher != NULL);
    return kafka;
}

static bool prove_ownership(struct broker *broker, int64_t control_offset, struct error *error)
{
    struct broker_kafka *kafka = ours(broker);
    return kafka_member_prove(kafka_cluster_member(kafka->cluster), kafka->shard, control_offset,
                              error);
}

static bool open_producer(struct broker *broker, struct error *error)
{
    return kafka_publisher_open(ours(broker)->publisher, error);
}

static void close_producer(struct broker *broker)
{
    kafka_publisher_close(ours(broker)->publisher);
}

static bool begin(struct broker *broker, struct error *error)
{
    return kafka_publisher_begin(ours(broker)->publisher, error);
}

static bool produce(struct broker *broker, const struct broker_record *record,
                    struct error *error)
{
    return kafka_publisher_produce(ours(broker)->publisher, record, error);
}

static bool commit(struct broker *broker, struct error *error)
{
    return kafka_publisher_commit(ours(broker)->publisher, error);
}

static bool abort_transaction(struct broker *broker, struct error *error)
{
    return kafka_publisher_abort(ours(broker)->publisher, error);
}

static bool start_reading(struct broker *broker, enum broker_topic topic, int64_t offset,
                          struct error *error)
{
    return kafka_reading_start(ours(broker)->reading, topic, offset, error);
}

static void stop_reading(struct broker *broker, enum broker_topic topic)
{
    kafka_reading_stop(ours(broker)->reading, topic);
}

static bool offsets(struct broker *broker, enum broker_topic topic, int64_t *first, int64_t *end,
                    struct error *error)
{
    return kafka_reading_offsets(ours(broker)->reading, topic, first, end, error);
}

static bool poll(struct broker *broker, int32_t wait_ms, struct broker_input *input,
                 struct error *error)
{
    return kafka_reading_poll(ours(broker)->reading, wait_ms, input, error);
}

static void release(struct broker *broker, struct broker_input *input)
{
    assert(broker != NULL);
    (void)broker;
    kafka_reading_release(input);
}

static bool foreign_topic(struct broker *broker, const char *topic, struct topic_info *info,
                          struct error *error)
{
    return kafka_publisher_foreign_topic(ours(broker)->publisher, topic, info, error);
}

static void destroy(struct broker *broker)
{
    struct broker_kafka *kafka = ours(broker);
    kafka_publisher_destroy(kafka->publisher);
    kafka_reading_destroy(kafka->reading);
    free(kafka);
}

static const struct broker_operations operations = {
    .prove_ownership = prove_ownership,
    .open_producer = open_producer,
    .close_producer = close_producer,
    .begin = begin,
    .produce = produce,
    .commit = commit,
    .abort = abort_transaction,
    .start_reading = start_reading,
    .stop_reading = stop_reading,
    .offsets = offsets,
    .poll = poll,
    .release = release,
    .foreign_topic = foreign_topic,
    .destroy = destroy,
};

struct broker *broker_kafka_create(struct kafka_cluster *cluster, int32_t shard,
                                   struct error *error)
{
    assert(cluster != NULL);
    const struct kafka_options *options = kafka_cluster_options(cluster);
    if (shard < 0 || shard >= options->shards) {
        error_invalid(error, "bad_value", "shard %d: 0 to %d are allowed", (int)shard,
                      (int)options->shards - 1);
        return NULL;
    }
    struct kafka_reader *reader = kafka_cluster_reader(cluster);
    struct broker_kafka *kafka = memory_allocate(1, sizeof *kafka);
    kafka->broker.operations = &operations;
    kafka->cluster = cluster;
    kafka->shard = shard;
    kafka->reading = kafka_reading_create(reader, shard);
    kafka->publisher = kafka_publisher_create(options, kafka_reader_handle(reader), shard);
    return &kafka->broker;
}

void broker_kafka_wake(struct broker *broker)
{
    kafka_reading_wake(ours(broker)->reading);
}
