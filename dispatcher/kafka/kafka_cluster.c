#include "dispatcher/kafka/kafka_cluster.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/memory.h"

enum { READY_LOOK_MS = 100 };

struct kafka_cluster {
    const struct kafka_options *options;
    struct kafka_member *member;
    struct kafka_reader *reader;
    struct kafka_ticker *ticker;
    char *id; /* librdkafka's memory */
    bool runs_by_append_time;
};

struct kafka_cluster *kafka_cluster_create(const struct kafka_options *options,
                                           struct error *error)
{
    assert(options != NULL);
    if (!kafka_options_check(options, error)) return NULL;
    struct kafka_cluster *cluster = memory_allocate(1, sizeof *cluster);
    cluster->options = options;
    cluster->ticker = kafka_ticker_create(options);
    cluster->member = kafka_member_create(options, error);
    if (cluster->member != NULL) cluster->reader = kafka_reader_create(options, error);
    if (cluster->reader != NULL) return cluster;
    kafka_cluster_destroy(cluster);
    return NULL;
}

void kafka_cluster_destroy(struct kafka_cluster *cluster)
{
    if (cluster == NULL) return;
    assert(cluster->options != NULL);
    if (cluster->id != NULL) rd_kafka_mem_free(kafka_member_handle(cluster->member), cluster->id);
    kafka_ticker_destroy(cluster->ticker);
    kafka_reader_destroy(cluster->reader);
    kafka_member_destroy(cluster->member);
    free(cluster);
}

bool kafka_cluster_wait_ready(struct kafka_cluster *cluster, int32_t deadline_ms,
                              struct error *error)
{
    assert(cluster != NULL);
    assert(deadline_ms >= 0);
    const struct clock *clock = cluster->options->clock;
    char name[TOPIC_NAME_BYTES];
    kafka_topic_name(cluster->options->cluster, TOPIC_CONTROL, name);
    int64_t deadline_us = clock->monotonic_us(clock->opaque) + deadline_ms * INT64_C(1000);
    for (;;) {
        struct kafka_topic_facts facts;
        struct error seen = {0};
        kafka_reader_serve(cluster->reader);
        if (kafka_admin_look_up(kafka_reader_handle(cluster->reader), name, &facts, &seen))
            return true;
        if (clock->monotonic_us(clock->opaque) >= deadline_us)
            return error_set(error, ERROR_RETRY, "kafka at %s does not answer: %s",
                             cluster->options->brokers, seen.message);
        clock->sleep_ms(clock->opaque, READY_LOOK_MS);
    }
}

const char *kafka_cluster_id(struct kafka_cluster *cluster)
{
    assert(cluster != NULL);
    assert(cluster->reader != NULL);
    if (cluster->id == NULL)
        cluster->id =
            rd_kafka_clusterid(kafka_reader_handle(cluster->reader), KAFKA_REQUEST_WAIT_MS);
    return cluster->id == NULL ? "" : cluster->id;
}

/* The mock's topics come from its own interface; only their number of partitions is checked. */
static bool check_mock(struct kafka_cluster *cluster, struct error *error)
{
    for (enum broker_topic topic = 0; topic < TOPIC_FOREIGN; topic++) {
        char name[TOPIC_NAME_BYTES];
        struct kafka_topic_facts facts;
        kafka_topic_name(cluster->options->cluster, topic, name);
        if (!kafka_admin_look_up(kafka_reader_handle(cluster->reader), name, &facts, error))
            return false;
        if (!facts.exists || facts.partitions != cluster->options->shards)
            return error_invalid(error, CODE_BAD_VALUE, "topic %s has %d partitions, shards = %d",
                                 name, (int)facts.partitions, (int)cluster->options->shards);
    }
    return true;
}

bool kafka_cluster_prepare_topics(struct kafka_cluster *cluster,
                                  const struct kafka_report *report, struct error *error)
{
    assert(cluster != NULL);
    assert(cluster->reader != NULL);
    if (cluster->options->mock) return check_mock(cluster, error);
    return kafka_topics_prepare(kafka_reader_handle(cluster->reader), cluster->options, report,
                                &cluster->runs_by_append_time, error);
}

bool kafka_cluster_runs_by_append_time(const struct kafka_cluster *cluster)
{
    assert(cluster != NULL);
    return cluster->runs_by_append_time;
}

bool kafka_cluster_join(struct kafka_cluster *cluster, struct error *error)
{
    assert(cluster != NULL);
    return kafka_member_join(cluster->member, error);
}

bool kafka_cluster_members(struct kafka_cluster *cluster, int32_t *count, struct error *error)
{
    char first[KAFKA_MEMBER_TEXT_BYTES];
    return kafka_admin_group_members(kafka_reader_handle(cluster->reader),
                                     cluster->options->cluster, count, first, error);
}

void kafka_cluster_rest(struct kafka_cluster *cluster)
{
    assert(cluster != NULL);
    kafka_member_rest(cluster->member);
}

bool kafka_cluster_poll(struct kafka_cluster *cluster, int32_t wait_ms,
                        struct kafka_assignment *assignment, bool *changed, struct error *error)
{
    assert(cluster != NULL);
    kafka_reader_serve(cluster->reader);
    return kafka_member_poll(cluster->member, wait_ms, assignment, changed, error);
}

void kafka_cluster_wake(struct kafka_cluster *cluster)
{
    assert(cluster != NULL);
    kafka_member_wake(cluster->member);
}

bool kafka_cluster_leave(struct kafka_cluster *cluster, int32_t deadline_ms, struct error *error)
{
    assert(cluster != NULL);
    return kafka_member_leave(cluster->member, deadline_ms, error);
}

struct kafka_member *kafka_cluster_member(struct kafka_cluster *cluster)
{
    assert(cluster != NULL);
    return cluster->member;
}

struct kafka_reader *kafka_cluster_reader(struct kafka_cluster *cluster)
{
    assert(cluster != NULL);
    return cluster->reader;
}

struct kafka_ticker *kafka_cluster_ticker(struct kafka_cluster *cluster)
{
    assert(cluster != NULL);
    return cluster->ticker;
}

const struct kafka_options *kafka_cluster_options(const struct kafka_cluster *cluster)
{
    assert(cluster != NULL);
    return cluster->options;
}
