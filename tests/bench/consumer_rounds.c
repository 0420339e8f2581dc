/* consumer_rounds.c - one round of `make bench-consumer`, in a group of its own.
 *   consumer_rounds version                                prints that of the Kafka client
 *   consumer_rounds BROKERS TOPIC fill COUNT KEYS          writes fires as Belfry does
 *   consumer_rounds BROKERS TOPIC bare COUNT               a Kafka client that only reads
 *   consumer_rounds BROKERS TOPIC run COUNT HANDLERS MS    belfry_consumer_run()
 *   consumer_rounds BROKERS TOPIC batch COUNT HANDLERS MS  belfry_consumer_next_batch(), MS: 0
 * A handler takes MS milliseconds. Prints the fires a second, from the first to the last one; with
 * MS above 0 without the first and the last tenth. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "consumer/consumer.h"
#include "lib/base/monotonic.h"
#include "tests/bench/bench_records.h"

enum { BATCH = 256, WAIT_MS = 1000, FIRE_BYTES = 1024 };

static struct {
    const char *brokers;
    const char *topic;
    int64_t count;
    int64_t work_ms;
    struct belfry_consumer *consumer;
    atomic_int_fast64_t seen;
    int64_t first_us;
    int64_t tenth_us;
    int64_t nine_us;
    int64_t last_us;
} round_of;

static rd_kafka_t *client(rd_kafka_type_t type, const char *const settings[][2])
{
    char text[256] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; settings[i][0] != NULL; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) !=
            RD_KAFKA_CONF_OK)
            bench_fail("%s", text);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", round_of.brokers, text, sizeof text) !=
        RD_KAFKA_CONF_OK)
        bench_fail("%s", text);
    rd_kafka_t *kafka = rd_kafka_new(type, conf, text, sizeof text);
    if (kafka == NULL) bench_fail("%s", text);
    return kafka;
}

/* ---- the fires ---- */

static int fire_write(char *text, int64_t number, int64_t key)
{
    return snprintf(text, FIRE_BYTES,
                    "{\"specversion\":\"1.0\",\"type\":\"belfry.fire.v1\",\"source\":"
                    "\"/belfry/bench/0\",\"id\":\"1795290000123-0.%" PRId64
                    ".0@1795294674000\",\"subject\":\"g%" PRId64 "/job\",\"time\":"
                    "\"2026-11-21T20:57:54.012Z\",\"dueat\":\"2026-11-21T20:57:54.000Z\","
                    "\"jobgroup\":\"g%" PRId64 "\",\"jobid\":\"job\",\"jobincarnation\":"
                    "\"1795290000123-0.%" PRId64 ".0\",\"jobrevision\":1,\"firekind\":"
                    "\"schedule\",\"latenessms\":12,\"missedcount\":0,\"attempt\":1,"
                    "\"datacontenttype\":\"application/json\",\"data\":{\"invoice\":%" PRId64
                    ",\"to\":\"somebody@example.org\",\"lines\":[1,2,3,4,5,6,7,8]}}",
                    number, key, key, number, number);
}

static void fill(int64_t keys)
{
    static const char *const settings[][2] = {{"linger.ms", "20"},
                                              {"queue.buffering.max.messages", "1000000"},
                                              {"partitioner", "murmur2_random"},
                                              {NULL, NULL}};
    rd_kafka_t *kafka = client(RD_KAFKA_PRODUCER, settings);
    char text[FIRE_BYTES];
    char key[32];
    for (int64_t i = 0; i < round_of.count; i++) {
        int bytes = fire_write(text, i, i % keys);
        int key_bytes = snprintf(key, sizeof key, "g%" PRId64, i % keys);
        rd_kafka_resp_err_t result = rd_kafka_producev(
            kafka, RD_KAFKA_V_TOPIC(round_of.topic), RD_KAFKA_V_KEY(key, (size_t)key_bytes),
            RD_KAFKA_V_VALUE(text, (size_t)bytes), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_HEADER("content-type", "application/cloudevents+json", -1),
            RD_KAFKA_V_END);
        if (result == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            (void)rd_kafka_poll(kafka, WAIT_MS);
            i--;
        } else if (result != RD_KAFKA_RESP_ERR_NO_ERROR) {
            bench_fail("%s", rd_kafka_err2str(result));
        }
        (void)rd_kafka_poll(kafka, 0);
    }
    if (rd_kafka_flush(kafka, 60 * WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("not all were written");
    rd_kafka_destroy(kafka);
}

/* ---- rounds ---- */

/* True: it was the last one. */
static bool note_fires(int64_t count)
{
    int64_t before = atomic_fetch_add(&round_of.seen, count);
    int64_t after = before + count;
    if (before == 0) round_of.first_us = monotonic_us();
    if (before < round_of.count / 10 && after >= round_of.count / 10)
        round_of.tenth_us = monotonic_us();
    if (before < round_of.count * 9 / 10 && after >= round_of.count * 9 / 10)
        round_of.nine_us = monotonic_us();
    if (after < round_of.count) return false;
    round_of.last_us = monotonic_us();
    return true;
}

static void bare(void)
{
    static const char *const settings[][2] = {{"group.id", "bare"},
                                              {"auto.offset.reset", "earliest"},
                                              {"enable.auto.offset.store", "false"},
                                              {"queued.max.messages.kbytes", "16384"},
                                              {NULL, NULL}};
    rd_kafka_t *kafka = client(RD_KAFKA_CONSUMER, settings);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, round_of.topic, RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_poll_set_consumer(kafka);
    if (rd_kafka_subscribe(kafka, list) != RD_KAFKA_RESP_ERR_NO_ERROR) bench_fail("subscribe");
    for (bool last = false; !last;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, WAIT_MS);
        if (message == NULL) continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) last = note_fires(1);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    (void)rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
}

static enum belfry_outcome handle(const struct belfry_fire *fire, void *opaque)
{
    (void)fire;
    (void)opaque;
    const struct timespec work = {round_of.work_ms / 1000, round_of.work_ms % 1000 * 1000000};
    if (round_of.work_ms > 0) (void)nanosleep(&work, NULL);
    if (note_fires(1)) belfry_consumer_stop(round_of.consumer);
    return BELFRY_DONE;
}

static void take_batches(struct belfry_error *error)
{
    const struct belfry_fire *fires[BATCH];
    for (bool last = false; !last;) {
        size_t count = 0;
        if (!belfry_consumer_next_batch(round_of.consumer, WAIT_MS, fires, BATCH, &count, error))
            bench_fail("%s", error->message);
        last = note_fires((int64_t)count);
        belfry_consumer_done_batch(round_of.consumer, fires, count, BELFRY_DONE);
    }
}

static void consume(const char *mode, uint32_t handlers)
{
    char group[64];
    (void)snprintf(group, sizeof group, "%s-%u-%d", mode, handlers, (int)getpid());
    struct belfry_options options = {.brokers = round_of.brokers,
                                     .group_id = group,
                                     .topics = &round_of.topic,
                                     .topic_count = 1,
                                     .concurrency = handlers};
    struct belfry_error error = {0};
    round_of.consumer = belfry_consumer_create(&options, &error);
    if (round_of.consumer == NULL) bench_fail("%s", error.message);
    if (strcmp(mode, "batch") == 0) take_batches(&error);
    else if (!belfry_consumer_run(round_of.consumer, handle, NULL, &error))
        bench_fail("%s", error.message);
    belfry_consumer_destroy(round_of.consumer);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "version") == 0) {
        (void)puts(rd_kafka_version_str());
        return EXIT_SUCCESS;
    }
    if (argc < 5) bench_fail("BROKERS TOPIC fill|bare|run|batch COUNT ...");
    const char *mode = argv[3];
    round_of.brokers = argv[1];
    round_of.topic = argv[2];
    round_of.count = strtoll(argv[4], NULL, 10);
    if (strcmp(mode, "fill") == 0) {
        fill(argc > 5 ? strtoll(argv[5], NULL, 10) : 1);
        return EXIT_SUCCESS;
    }
    round_of.work_ms = argc > 6 ? strtoll(argv[6], NULL, 10) : 0;
    if (strcmp(mode, "bare") == 0) bare();
    else consume(mode, argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 10) : 1);
    bool steady = round_of.work_ms > 0;
    int64_t span_us = steady ? round_of.nine_us - round_of.tenth_us
                             : round_of.last_us - round_of.first_us;
    int64_t count = steady ? round_of.count * 8 / 10 : round_of.count;
    (void)printf("%.0f\n", (double)count * 1e6 / (double)span_us);
    return EXIT_SUCCESS;
}
