/* fire_observer - a foreign read_committed consumer that says when records became visible.
 *
 *   fire_observer BROKERS TOPIC COUNT LIMIT_S [--all | --save FILE | --values]
 *
 * Reads all partitions from their ends, says "ready" when it stands there, and ends when it has
 * seen COUNT records or after LIMIT_S seconds without one. --all begins at the beginning; --save
 * too, and writes the records to FILE; --values prints "<us> <value>" for each record. The last
 * line is "count=... first_us=... last_us=...": the system's time when the first and the last
 * record were handed to us. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench_records.h"

enum { WAIT_MS = 30000, TEXT_BYTES = 200, BATCH = 10000, TURN_MS = 20 };

struct observer {
    rd_kafka_t *consumer;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    int32_t partitions;
    int32_t at_end;
    uint64_t wanted;
    uint64_t count;
    int64_t first_us;
    int64_t last_us;
    int64_t limit_us;
    FILE *file;
    bool values;
};

static const char *const settings[][2] = {
    {"isolation.level", "read_committed"},
    {"enable.partition.eof", "true"},
    {"auto.offset.reset", "error"},
    {"enable.auto.commit", "false"},
    {"fetch.wait.max.ms", "100"},
    {"fetch.message.max.bytes", "4194304"},
    {"queued.min.messages", "1000000"},
    {"queued.max.messages.kbytes", "262144"},
    {"group.id", "belfry-bench"},
};

static void open_consumer(struct observer *observer, const char *brokers, const char *topic)
{
    char text[TEXT_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) !=
            RD_KAFKA_CONF_OK)
            bench_fail("%s", text);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) !=
        RD_KAFKA_CONF_OK)
        bench_fail("%s", text);
    observer->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (observer->consumer == NULL) bench_fail("%s", text);
    observer->topic = rd_kafka_topic_new(observer->consumer, topic, NULL);
    observer->queue = rd_kafka_queue_new(observer->consumer);
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(observer->consumer, 0, observer->topic, &metadata, WAIT_MS) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        metadata->topics[0].partition_cnt == 0)
        bench_fail("topic %s is not known", topic);
    observer->partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
}

/* First offset and last stable offset; a new topic may have no leader for a moment. */
static void query_offsets(const struct observer *observer, const char *topic, int32_t partition,
                          int64_t *low, int64_t *high)
{
    int64_t deadline_us = bench_now_us() + WAIT_MS * INT64_C(1000);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    do {
        code = rd_kafka_query_watermark_offsets(observer->consumer, topic, partition, low, high,
                                                WAIT_MS);
    } while (code != RD_KAFKA_RESP_ERR_NO_ERROR && bench_now_us() < deadline_us);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("no offsets of %s/%d: %s", topic, (int)partition, rd_kafka_err2str(code));
}

static void start(const struct observer *observer, const char *topic, bool from_beginning)
{
    for (int32_t partition = 0; partition < observer->partitions; partition++) {
        int64_t low = 0;
        int64_t high = 0;
        query_offsets(observer, topic, partition, &low, &high);
        if (rd_kafka_consume_start_queue(observer->topic, partition, from_beginning ? low : high,
                                         observer->queue) != 0)
            bench_fail("%s/%d cannot be read", topic, (int)partition);
    }
}

static void see(struct observer *observer, const rd_kafka_message_t *message, int64_t at_us)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (observer->at_end < observer->partitions &&
            ++observer->at_end == observer->partitions) {
            printf("ready\n");
            (void)fflush(stdout);
        }
        return;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("reading: %s", rd_kafka_message_errstr(message));
    if (observer->count++ == 0) observer->first_us = at_us;
    observer->last_us = at_us;
    if (observer->file != NULL && observer->count <= observer->wanted)
        bench_record_write(observer->file, message->key, message->key_len, message->payload,
                           message->len);
    if (observer->values)
        printf("%" PRId64 " %.*s\n", at_us, (int)message->len, (const char *)message->payload);
}

static void watch(struct observer *observer)
{
    static rd_kafka_message_t *messages[BATCH];
    int64_t heard_us = bench_now_us();
    while (observer->count < observer->wanted && bench_now_us() - heard_us < observer->limit_us) {
        /* A batch call waits for a full batch: first one record, then what else is there. */
        rd_kafka_message_t *first = rd_kafka_consume_queue(observer->queue, TURN_MS);
        if (first == NULL) continue;
        int64_t first_us = bench_now_us();
        if (first->err == RD_KAFKA_RESP_ERR_NO_ERROR) heard_us = first_us;
        see(observer, first, first_us);
        rd_kafka_message_destroy(first);
        ssize_t more = rd_kafka_consume_batch_queue(observer->queue, 0, messages, BATCH);
        int64_t at_us = bench_now_us();
        for (ssize_t i = 0; i < more; i++) {
            see(observer, messages[i], at_us);
            rd_kafka_message_destroy(messages[i]);
        }
        if (observer->values) (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    struct observer observer = {0};
    if (argc < 5) bench_fail("usage: fire_observer BROKERS TOPIC COUNT LIMIT_S [--all | ...]");
    bool save = argc == 7 && strcmp(argv[5], "--save") == 0;
    bool all = save || (argc == 6 && strcmp(argv[5], "--all") == 0);
    observer.values = argc == 6 && strcmp(argv[5], "--values") == 0;
    observer.wanted = strtoull(argv[3], NULL, 10);
    observer.limit_us = strtoll(argv[4], NULL, 10) * 1000000;
    if (save && (observer.file = fopen(argv[6], "wb")) == NULL)
        bench_fail("%s cannot be written", argv[6]);
    open_consumer(&observer, argv[1], argv[2]);
    start(&observer, argv[2], all);
    watch(&observer);
    if (save && fclose(observer.file) != 0) bench_fail("%s cannot be written", argv[6]);
    printf("count=%" PRIu64 " first_us=%" PRId64 " last_us=%" PRId64 "\n", observer.count,
           observer.first_us, observer.last_us);
    return observer.count >= observer.wanted ? 0 : 1; /* the kernel closes what is open */
}
