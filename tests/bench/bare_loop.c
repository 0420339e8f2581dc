/* bare_loop - the peer of the control plane: one transactional consume-produce loop that does
 * nothing but pass records on, one for one, with its offsets in each transaction.
 *
 *   bare_loop BROKERS FROM_TOPIC TO_TOPIC COUNT PER_TRANSACTION [--answers]
 *
 * Reads all partitions of FROM_TOPIC from their beginning. Prints "begun_us=... ended_us=...": the
 * system's time when the first record was there, and when the last commit had returned. With
 * --answers it is the peer of a single report: no offsets, and what a transaction holds is sent at
 * once. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_records.h"

enum { WAIT_MS = 30000, TEXT_BYTES = 200, BATCH_MAX = 100000 };

static const char *const consumer_settings[][2] = {
    {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
    {"auto.offset.reset", "earliest"},     {"fetch.wait.max.ms", "10"},
    {"queued.min.messages", "100000"},     {NULL, NULL},
};
/* Those of a shard's producer, dispatcher/kafka/kafka_options.c. */
static const char *const producer_settings[][2] = {
    {"transaction.timeout.ms", "60000"}, {"acks", "all"},
    {"linger.ms", "1"},                  {"retry.backoff.ms", "1"},
    {"compression.type", "lz4"},         {"partitioner", "murmur2_random"},
    {"delivery.report.only.error", "true"},
    {"queue.buffering.max.messages", "1000000"},
    {"batch.size", "1000000"},           {"socket.nagle.disable", "true"},
    {NULL, NULL},
};

static void must(rd_kafka_error_t *error, const char *what)
{
    if (error != NULL) bench_fail("%s: %s", what, rd_kafka_error_string(error));
}

static rd_kafka_t *open_client(rd_kafka_type_t type, const char *brokers, const char *name,
                               const char *id, const char *const settings[][2])
{
    char text[TEXT_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; settings[i][0] != NULL; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) !=
            RD_KAFKA_CONF_OK)
            bench_fail("%s", text);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) !=
            RD_KAFKA_CONF_OK ||
        rd_kafka_conf_set(conf, name, id, text, sizeof text) != RD_KAFKA_CONF_OK)
        bench_fail("%s", text);
    rd_kafka_t *handle = rd_kafka_new(type, conf, text, sizeof text);
    if (handle == NULL) bench_fail("%s", text);
    return handle;
}

static int32_t count_partitions(rd_kafka_t *handle, const char *name)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
    if (rd_kafka_metadata(handle, 0, topic, &metadata, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        metadata->topics[0].partition_cnt == 0)
        bench_fail("topic %s is not known", name);
    int32_t count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return count;
}

static void produce(rd_kafka_t *producer, rd_kafka_topic_t *topic, const rd_kafka_message_t *record)
{
    rd_kafka_error_t *refused = NULL;
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {record->payload, record->len}},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {record->key, record->key_len}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    while ((refused = rd_kafka_produceva(producer, parts, sizeof parts / sizeof parts[0])) !=
           NULL) {
        if (rd_kafka_error_code(refused) != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            must(refused, "produce");
        rd_kafka_error_destroy(refused);
        (void)rd_kafka_poll(producer, 1);
    }
}

struct loop {
    rd_kafka_t *consumer;
    rd_kafka_t *producer;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *to;
    rd_kafka_topic_partition_list_t *offsets;
    rd_kafka_message_t **batch;
    bool answers;
    int64_t begun_us;
};

static void send_offsets(const struct loop *loop)
{
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(loop->consumer);
    must(rd_kafka_send_offsets_to_transaction(loop->producer, loop->offsets, group, WAIT_MS),
         "offsets");
    rd_kafka_consumer_group_metadata_destroy(group);
}

/* As a shard does: librdkafka's commit would look every 10 ms whether all is acknowledged. */
static void flush(const struct loop *loop)
{
    int64_t deadline_us = bench_now_us() + WAIT_MS * INT64_C(1000);
    while (rd_kafka_flush(loop->producer, 1) != RD_KAFKA_RESP_ERR_NO_ERROR)
        if (bench_now_us() > deadline_us) bench_fail("records were not acknowledged");
}

/* One transaction with what is there; how many records it passed on. */
static uint64_t turn(struct loop *loop, size_t most)
{
    ssize_t count = rd_kafka_consume_batch_queue(loop->queue, 10, loop->batch, most);
    uint64_t passed = 0;
    if (count <= 0) return 0;
    if (loop->begun_us == 0) loop->begun_us = bench_now_us();
    must(rd_kafka_begin_transaction(loop->producer), "begin");
    for (ssize_t i = 0; i < count; i++) {
        rd_kafka_message_t *record = loop->batch[i];
        if (record->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            produce(loop->producer, loop->to, record);
            loop->offsets->elems[record->partition].offset = record->offset + 1;
            passed++;
        }
        rd_kafka_message_destroy(record);
    }
    if (loop->answers) flush(loop);
    else send_offsets(loop);
    must(rd_kafka_commit_transaction(loop->producer, WAIT_MS), "commit");
    return passed;
}

int main(int argc, char **argv)
{
    bool answers = argc == 7 && strcmp(argv[6], "--answers") == 0;
    if (argc != 6 && !answers)
        bench_fail("usage: bare_loop BROKERS FROM_TOPIC TO_TOPIC COUNT PER_TRANSACTION "
                   "[--answers]");
    char id[TEXT_BYTES];
    (void)snprintf(id, sizeof id, "bare-loop-%ld", (long)getpid());
    struct loop loop = {
        .consumer = open_client(RD_KAFKA_CONSUMER, argv[1], "group.id", id, consumer_settings),
        .producer =
            open_client(RD_KAFKA_PRODUCER, argv[1], "transactional.id", id, producer_settings)};
    loop.answers = answers;
    uint64_t wanted = strtoull(argv[4], NULL, 10);
    size_t most = strtoull(argv[5], NULL, 10);
    if (wanted == 0 || most == 0 || most > BATCH_MAX) bench_fail("nothing to do");
    loop.batch = calloc(most, sizeof(rd_kafka_message_t *));
    if (loop.batch == NULL) bench_fail("memory is short");
    must(rd_kafka_init_transactions(loop.producer, WAIT_MS), "init_transactions");
    loop.to = rd_kafka_topic_new(loop.producer, argv[3], NULL);
    (void)count_partitions(loop.producer, argv[3]);
    int32_t partitions = count_partitions(loop.consumer, argv[2]);
    loop.offsets = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(loop.offsets, argv[2], i)->offset = 0;
    if (rd_kafka_assign(loop.consumer, loop.offsets) != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("partitions cannot be assigned");
    loop.queue = rd_kafka_queue_get_consumer(loop.consumer);
    for (uint64_t passed = 0; passed < wanted;) passed += turn(&loop, most);
    printf("begun_us=%" PRId64 " ended_us=%" PRId64 "\n", loop.begun_us, bench_now_us());
    return 0; /* the kernel closes what is open */
}
