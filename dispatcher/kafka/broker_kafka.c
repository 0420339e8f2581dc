#include "dispatcher/kafka/broker_kafka.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/kafka/kafka_publisher.h"
#include "dispatcher/kafka/kafka_question.h"
#include "lib/base/memory.h"

struct broker_kafka {
    struct broker broker; /* first: the port's pointer is ours */
    struct kafka_cluster *cluster;
    int32_t shard;
    struct kafka_reading *reading;
    struct kafka_publisher *publisher;
    struct kafka_question *question;
    int64_t away_limit_us; /* alone: how long Kafka may refuse; 0 = a member of the group */
    int64_t tried_us;      /* alone: since when a producer is being opened; 0 = it is not */
};

static struct broker_kafka *ours(struct broker *broker)
{
    assert(broker != NULL);
    struct broker_kafka *kafka = (struct broker_kafka *)broker;
    assert(kafka->publisher != NULL);
    return kafka;
}

static int64_t now_us(const struct broker_kafka *kafka)
{
    const struct clock *clock = kafka_cluster_options(kafka->cluster)->clock;
    return clock->monotonic_us(clock->opaque);
}

/* Without a group: no daemon is a member of it. */
static bool prove_alone(struct broker_kafka *kafka, struct error *error)
{
    char member[KAFKA_MEMBER_TEXT_BYTES];
    int32_t members = 0;
    if (kafka->tried_us == 0) kafka->tried_us = now_us(kafka);
    bool asked = kafka_admin_group_members(
        kafka_reader_handle(kafka_cluster_reader(kafka->cluster)),
        kafka_cluster_options(kafka->cluster)->cluster, &members, member, error);
    if (asked && members > 0)
        return error_set(error, ERROR_FENCED, "%d daemons run, one is %s", (int)members, member);
    if (now_us(kafka) - kafka->tried_us < kafka->away_limit_us) return asked;
    error_clear(error);
    (void)error_set(error, ERROR_FATAL, "Kafka does not let shard %d be written",
                    (int)kafka->shard);
    error->code = CODE_KAFKA_AWAY;
    return false;
}

static bool prove_ownership(struct broker *broker, int64_t control_offset, struct error *error)
{
    struct broker_kafka *kafka = ours(broker);
    if (kafka->away_limit_us > 0) return prove_alone(kafka, error);
    return kafka_member_prove(kafka_cluster_member(kafka->cluster), kafka->shard, control_offset,
                              error);
}

static bool open_producer(struct broker *broker, struct error *error)
{
    struct broker_kafka *kafka = ours(broker);
    if (!kafka_publisher_open(kafka->publisher, error)) return false;
    kafka->tried_us = 0;
    return true;
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

static bool commit(struct broker *broker, struct broker_receipt *receipt, struct error *error)
{
    return kafka_publisher_commit(ours(broker)->publisher, receipt, error);
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

static int64_t end_seen(struct broker *broker, enum broker_topic topic)
{
    return kafka_reading_end_seen(ours(broker)->reading, topic);
}

static bool tick(struct broker *broker, struct text value, struct error *error)
{
    struct broker_kafka *kafka = ours(broker);
    return kafka_ticker_tick(kafka_cluster_ticker(kafka->cluster), kafka->shard, value, error);
}

static bool ask_committed(struct broker *broker, const char *group,
                          const struct broker_place *places, size_t count, struct error *error)
{
    return kafka_question_ask(ours(broker)->question, group, places, count, error);
}

static enum broker_answer committed(struct broker *broker, struct broker_place *places,
                                    size_t count, struct error *error)
{
    return kafka_question_answer(ours(broker)->question, places, count, error);
}

static void destroy(struct broker *broker)
{
    struct broker_kafka *kafka = ours(broker);
    kafka_question_destroy(kafka->question);
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
    .end_seen = end_seen,
    .tick = tick,
    .ask_committed = ask_committed,
    .committed = committed,
    .destroy = destroy,
};

struct broker *broker_kafka_create(struct kafka_cluster *cluster, int32_t shard,
                                   struct error *error)
{
    assert(cluster != NULL);
    const struct kafka_options *options = kafka_cluster_options(cluster);
    if (shard < 0 || shard >= options->shards) {
        error_invalid(error, CODE_BAD_VALUE, "shard %d: 0 to %d are allowed", (int)shard,
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
    kafka->question = kafka_question_create(options);
    return &kafka->broker;
}

struct broker *broker_kafka_create_alone(struct kafka_cluster *cluster, int32_t shard,
                                         int64_t away_limit_ms, struct error *error)
{
    assert(away_limit_ms > 0);
    struct broker *broker = broker_kafka_create(cluster, shard, error);
    if (broker == NULL) return NULL;
    ours(broker)->away_limit_us = away_limit_ms * 1000;
    return broker;
}

void broker_kafka_wake(struct broker *broker)
{
    kafka_reading_wake(ours(broker)->reading);
}
