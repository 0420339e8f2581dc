#include "tests/support/kafka_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t read_clock_us(clockid_t which)
{
    struct timespec now;
    (void)clock_gettime(which, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int64_t wall_ms(void *opaque)
{
    (void)opaque;
    return read_clock_us(CLOCK_REALTIME) / 1000;
}

static int64_t steady_us(void *opaque)
{
    (void)opaque;
    return read_clock_us(CLOCK_MONOTONIC);
}

static void sleep_a_while(void *opaque, int64_t ms)
{
    (void)opaque;
    struct timespec wait = {ms / 1000, (ms % 1000) * 1000000};
    (void)nanosleep(&wait, NULL);
}

const struct clock fixture_clock = {NULL, wall_ms, steady_us, sleep_a_while};

static void write_log(void *opaque, int level, const char *text)
{
    (void)opaque;
    if (getenv("BELFRY_TEST_LOG") != NULL) (void)fprintf(stderr, "kafka <%d> %s\n", level, text);
}

void fixture_check(bool done, const struct error *error, const char *what)
{
    if (!done) fail_msg("%s: %s: %s", what, error_kind_name(error->kind), error->message);
}

const char *fixture_brokers(void)
{
    const char *brokers = getenv("BELFRY_TEST_KAFKA");
    if (brokers != NULL && brokers[0] != '\0') return brokers;
    (void)fprintf(stderr, "BELFRY_TEST_KAFKA (host:port of a Kafka for tests) is not set: these "
                          "tests need a real broker; `make test` starts one\n");
    return NULL;
}

static void open_cluster(struct kafka_fixture *fixture)
{
    struct error error = {0};
    fixture->cluster = kafka_cluster_create(&fixture->options, &error);
    OK(fixture->cluster != NULL);
    OK(kafka_cluster_wait_ready(fixture->cluster, FIXTURE_DEADLINE_MS, &error));
}

void fixture_open(struct kafka_fixture *fixture, const char *brokers)
{
    memset(fixture, 0, sizeof *fixture);
    (void)snprintf(fixture->name, sizeof fixture->name, "t%d-%" PRId64, (int)getpid(),
                   read_clock_us(CLOCK_REALTIME));
    fixture->options = (struct kafka_options){.brokers = brokers, .cluster = fixture->name,
                                              .shards = FIXTURE_SHARDS, .clock = &fixture_clock,
                                              .log = {NULL, write_log}};
    open_cluster(fixture);
}

void fixture_second(struct kafka_fixture *second, const struct kafka_fixture *first)
{
    *second = *first;
    second->options.cluster = second->name;
    open_cluster(second);
}

void fixture_start(struct kafka_fixture *fixture)
{
    struct error error = {0};
    OK(kafka_cluster_prepare_topics(fixture->cluster, NULL, &error));
    OK(kafka_cluster_join(fixture->cluster, &error));
    (void)fixture_await_shards(fixture, (size_t)fixture->options.shards);
}

void fixture_close(struct kafka_fixture *fixture)
{
    kafka_cluster_destroy(fixture->cluster);
    fixture->cluster = NULL;
}

struct kafka_assignment fixture_await_shards(struct kafka_fixture *fixture, size_t count)
{
    struct error error = {0};
    struct kafka_assignment assignment = {0};
    bool changed = false;
    int64_t deadline_us = steady_us(NULL) + FIXTURE_DEADLINE_MS * INT64_C(1000);
    while (!changed || assignment.count != count) {
        OK(kafka_cluster_poll(fixture->cluster, 50, &assignment, &changed, &error));
        if (steady_us(NULL) > deadline_us) fail_msg("%zu shards not assigned in time", count);
    }
    return assignment;
}

struct broker *fixture_broker(struct kafka_fixture *fixture, int32_t shard, bool open)
{
    struct error error = {0};
    struct broker *broker = broker_kafka_create(fixture->cluster, shard, &error);
    OK(broker != NULL);
    if (open) OK(broker->operations->open_producer(broker, &error));
    return broker;
}

struct broker_record fixture_record(enum broker_topic topic, int32_t shard, const char *key,
                                    const char *value)
{
    return (struct broker_record){.topic = topic, .partition = shard, .key = text_of(key),
                                  .value = text_of(value)};
}

void fixture_transaction(struct broker *broker, int32_t shard, const char *prefix, int count,
                         bool commit)
{
    struct error error = {0};
    char values[16][32]; /* borrowed until the end of the transaction */
    assert_in_range(count, 1, 16);
    OK(broker->operations->begin(broker, &error));
    for (int i = 0; i < count; i++) {
        (void)snprintf(values[i], sizeof values[i], "%s%d", prefix, i);
        struct broker_record record = fixture_record(TOPIC_STATE, shard, values[i], values[i]);
        OK(broker->operations->produce(broker, &record, &error));
    }
    if (commit)
        OK(broker->operations->commit(broker, NULL, &error));
    else
        OK(broker->operations->abort(broker, &error));
}

void fixture_next(struct broker *broker, struct broker_input *input)
{
    struct error error = {0};
    int64_t deadline_us = steady_us(NULL) + FIXTURE_DEADLINE_MS * INT64_C(1000);
    do {
        OK(broker->operations->poll(broker, 100, input, &error));
        if (steady_us(NULL) > deadline_us) fail_msg("no record and no end of partition in time");
    } while (input->kind == BROKER_NOTHING);
}

void fixture_read_state(struct broker *broker, int64_t offset, int wanted, char *values,
                        size_t bytes)
{
    struct error error = {0};
    int64_t first = -1, end = -1;
    int count = 0;
    size_t used = 0;
    values[0] = '\0';
    OK(broker->operations->offsets(broker, TOPIC_STATE, &first, &end, &error));
    OK(broker->operations->start_reading(broker, TOPIC_STATE, offset, &error));
    for (;;) {
        struct broker_input input;
        fixture_next(broker, &input);
        if (input.kind == BROKER_END && input.offset >= end && count >= wanted) break;
        if (input.kind == BROKER_END) continue;
        used += (size_t)snprintf(values + used, bytes - used, "%s%.*s", count == 0 ? "" : " ",
                                 (int)input.value.length, input.value.bytes);
        assert_in_range(used, 0, bytes - 1);
        count++;
        broker->operations->release(broker, &input);
    }
    broker->operations->stop_reading(broker, TOPIC_STATE);
    assert_int_equal(count, wanted);
}

int fixture_open_all(void **state)
{
    const char *brokers = fixture_brokers();
    if (brokers == NULL) return -1;
    struct kafka_fixture *fixture = calloc(1, sizeof *fixture);
    fixture_open(fixture, brokers);
    fixture_start(fixture);
    *state = fixture;
    return 0;
}

int fixture_close_all(void **state)
{
    if (*state == NULL) return 0;
    fixture_close(*state);
    free(*state);
    return 0;
}
