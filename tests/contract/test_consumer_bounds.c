/* libbelfry on a real Kafka: what it keeps in memory, and in which order it hands out. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "consumer/consumer.h"
#include "lib/base/monotonic.h"
#include "tests/support/kafka_fixture.h"

enum { FIRES_MOST = 4000, BATCH = 256, TEXT_BYTES = 700, WAIT_MS = 50, QUIET_WAITS = 10,
       ONE_READING = 256 };

struct scene {
    const char *brokers;
    char topic[64];
    rd_kafka_t *producer;
    struct belfry_consumer *consumer;
    int64_t produced;
    int times[FIRES_MOST]; /* that a fire was handed out, by its number */
};

/* ---- the topic and its fires ---- */

static rd_kafka_t *producer_open(const char *brokers)
{
    char text[200] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text),
                     RD_KAFKA_CONF_OK);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (producer == NULL) fail_msg("%s", text);
    return producer;
}

static void topic_create(const struct scene *scene, int partitions)
{
    char text[200] = "";
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(scene->topic, partitions, 1, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(scene->producer);
    rd_kafka_CreateTopics(scene->producer, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, FIXTURE_DEADLINE_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

static void produce(struct scene *scene, int32_t partition, const char *key)
{
    char text[TEXT_BYTES];
    int bytes = snprintf(text, sizeof text,
                         "{\"specversion\":\"1.0\",\"type\":\"belfry.fire.v1\",\"source\":"
                         "\"/belfry/b/0\",\"id\":\"%" PRId64 "\",\"subject\":\"g/j\",\"time\":"
                         "\"2026-11-21T20:57:54.012Z\",\"dueat\":\"2026-11-21T20:57:54.000Z\","
                         "\"jobgroup\":\"g\",\"jobid\":\"j\",\"jobincarnation\":\"1-0.1.0\","
                         "\"jobrevision\":1,\"firekind\":\"schedule\",\"latenessms\":12,"
                         "\"missedcount\":0,\"attempt\":1}",
                         scene->produced++);
    rd_kafka_resp_err_t result = rd_kafka_producev(
        scene->producer, RD_KAFKA_V_TOPIC(scene->topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(text, (size_t)bytes),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_HEADER("content-type", "application/cloudevents+json", -1), RD_KAFKA_V_END);
    assert_int_equal(result, RD_KAFKA_RESP_ERR_NO_ERROR);
}

static struct scene *scene_open(int partitions)
{
    static int count;
    struct scene *scene = calloc(1, sizeof *scene);
    scene->brokers = fixture_brokers();
    assert_non_null(scene->brokers);
    (void)snprintf(scene->topic, sizeof scene->topic, "bounds-%d-%d-%" PRId64, (int)getpid(),
                   ++count, monotonic_us());
    scene->producer = producer_open(scene->brokers);
    topic_create(scene, partitions);
    return scene;
}

static void consumer_open(struct scene *scene, struct belfry_options options)
{
    const char *topics[] = {scene->topic};
    struct belfry_error error = {0};
    assert_int_equal(rd_kafka_flush(scene->producer, FIXTURE_DEADLINE_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    options.brokers = scene->brokers;
    options.group_id = scene->topic;
    options.topics = topics;
    options.topic_count = 1;
    scene->consumer = belfry_consumer_create(&options, &error);
    if (scene->consumer == NULL) fail_msg("%s", error.message);
}

static void scene_close(struct scene *scene)
{
    belfry_consumer_destroy(scene->consumer);
    rd_kafka_destroy(scene->producer);
    free(scene);
}

/* ---- what is handed out ---- */

static int64_t number_of(const struct belfry_fire *fire)
{
    return strtoll(fire->id, NULL, 10);
}

/* The next ones, each noted. */
static size_t take(struct scene *scene, const struct belfry_fire *fires[BATCH])
{
    struct belfry_error error = {0};
    size_t count = 0;
    if (!belfry_consumer_next_batch(scene->consumer, WAIT_MS, fires, BATCH, &count, &error))
        fail_msg("%s", error.message);
    for (size_t i = 0; i < count; i++) {
        assert_in_range(number_of(fires[i]), 0, scene->produced - 1);
        scene->times[number_of(fires[i])]++;
    }
    return count;
}

static int64_t taken(const struct scene *scene, int64_t from, int64_t to)
{
    int64_t count = 0;
    for (int64_t i = from; i < to; i++) {
        assert_in_range(scene->times[i], 0, 1);
        count += scene->times[i];
    }
    return count;
}

/* Takes fires and ends them, but the first one of all where it is to be kept. */
static size_t work_once(struct scene *scene, const struct belfry_fire **kept)
{
    const struct belfry_fire *fires[BATCH];
    size_t count = take(scene, fires);
    for (size_t i = 0; i < count; i++)
        if (kept != NULL && number_of(fires[i]) == 0) *kept = fires[i];
        else belfry_consumer_done(scene->consumer, fires[i], BELFRY_DONE);
    return count;
}

/* Until those numbers have come. */
static void work(struct scene *scene, int64_t from, int64_t to, const struct belfry_fire **kept)
{
    int64_t end_ms = monotonic_ms() + FIXTURE_DEADLINE_MS;
    while (taken(scene, from, to) < to - from) {
        assert_true(monotonic_ms() < end_ms);
        (void)work_once(scene, kept);
    }
}

/* ---- the tests ---- */

static void a_slow_fire_stops_its_partition_alone(void **state)
{
    (void)state;
    enum { EACH = 2000, MOST = 20 };
    struct scene *scene = scene_open(2);
    const struct belfry_fire *slow = NULL;
    for (int i = 0; i < EACH; i++) produce(scene, 0, "a");
    for (int i = 0; i < EACH; i++) produce(scene, 1, "b");
    consumer_open(scene, (struct belfry_options){.ordering = BELFRY_ORDER_NONE,
                                                 .concurrency = 2 * EACH,
                                                 .uncommitted_max = MOST});
    while (slow == NULL) work(scene, 0, 1, &slow);
    work(scene, EACH, 2 * EACH, &slow);
    for (int quiet = 0; quiet < QUIET_WAITS; quiet++)
        if (work_once(scene, &slow) > 0) quiet = 0; /* all that comes at all */
    assert_in_range(taken(scene, 0, EACH), 1, MOST + ONE_READING);
    belfry_consumer_done(scene->consumer, slow, BELFRY_DONE);
    work(scene, 0, 2 * EACH, NULL);
    scene_close(scene);
}

static void no_more_is_kept_than_is_said(void **state)
{
    (void)state;
    enum { FIRES = 1000, MOST = 50 };
    struct scene *scene = scene_open(1);
    struct belfry_statistics statistics = {0};
    const struct belfry_fire *fires[BATCH];
    const struct belfry_fire *slow = NULL;
    for (int i = 0; i < FIRES; i++) produce(scene, 0, "a");
    consumer_open(scene, (struct belfry_options){.concurrency = 10, .buffered_max = MOST});
    while (slow == NULL) work(scene, 0, 1, &slow);
    int64_t end_ms = monotonic_ms() + FIXTURE_DEADLINE_MS;
    while (statistics.waiting + 1 < MOST) {
        assert_true(monotonic_ms() < end_ms);
        assert_int_equal(take(scene, fires), 0); /* they wait for the first of their key */
        belfry_consumer_statistics(scene->consumer, &statistics);
    }
    for (int i = 0; i < 10; i++) assert_int_equal(take(scene, fires), 0);
    belfry_consumer_statistics(scene->consumer, &statistics);
    assert_int_equal(statistics.in_flight, 1);
    assert_in_range(statistics.waiting, MOST - 1, MOST + ONE_READING);
    belfry_consumer_done(scene->consumer, slow, BELFRY_DONE);
    work(scene, 0, FIRES, NULL);
    scene_close(scene);
}

static void a_batch_has_one_fire_of_a_key(void **state)
{
    (void)state;
    enum { KEYS = 10, FIRES = 2000 };
    struct scene *scene = scene_open(1);
    const struct belfry_fire *fires[BATCH];
    int64_t last[KEYS];
    for (int i = 0; i < KEYS; i++) last[i] = -1;
    for (int i = 0; i < FIRES; i++) produce(scene, 0, (const char[]){(char)('a' + i % KEYS), '\0'});
    consumer_open(scene, (struct belfry_options){.concurrency = FIRES});
    int64_t end_ms = monotonic_ms() + FIXTURE_DEADLINE_MS;
    while (taken(scene, 0, FIRES) < FIRES) {
        assert_true(monotonic_ms() < end_ms);
        size_t count = take(scene, fires);
        assert_in_range(count, 0, KEYS);
        for (size_t i = 0; i < count; i++) {
            int64_t number = number_of(fires[i]);
            assert_int_equal(number, last[number % KEYS] < 0 ? number % KEYS
                                                             : last[number % KEYS] + KEYS);
            last[number % KEYS] = number;
        }
        belfry_consumer_done_batch(scene->consumer, fires, count, BELFRY_DONE);
    }
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_fire_stops_its_partition_alone),
        cmocka_unit_test(no_more_is_kept_than_is_said),
        cmocka_unit_test(a_batch_has_one_fire_of_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
