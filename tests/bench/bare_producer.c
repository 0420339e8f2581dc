/* bare_producer - the peer of the herd: one transactional librdkafka producer that does nothing
 * but send given records as fast as it can, with the settings of a shard's producer.
 *
 *   bare_producer BROKERS TOPIC FILE COUNT PER_TRANSACTION [--no-header]
 *
 * Records come from FILE (fire_observer --save), again from its beginning until COUNT are sent,
 * each with the header of a fire. Values are not copied, keys choose the partition. Prints
 * "begun_us=... ended_us=...": the system's time when the first transaction began and when the
 * last commit had returned. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/bench_records.h"

enum { WAIT_MS = 30000, TEXT_BYTES = 200 };

/* Those of dispatcher/kafka/kafka_options.c, with room in the queue for the largest transaction. */
static const char *const settings[][2] = {
    {"transaction.timeout.ms", "60000"},
    {"topic.metadata.propagation.max.ms", "1000"},
    {"acks", "all"},
    {"linger.ms", "50"},
    {"retry.backoff.ms", "1"},
    {"compression.type", "lz4"},
    {"partitioner", "murmur2_random"},
    {"delivery.report.only.error", "true"},
    {"queue.buffering.max.messages", "1000000"},
    {"queue.buffering.max.kbytes", "1048576"},
    {"message.max.bytes", "2096640"},
    {"batch.size", "1000000"},
    {"socket.nagle.disable", "true"},
};

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    (void)handle;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("delivery: %s", rd_kafka_err2str(message->err));
}

static void must(rd_kafka_error_t *error, const char *what)
{
    if (error != NULL) bench_fail("%s: %s", what, rd_kafka_error_string(error));
}

static rd_kafka_t *open_producer(const char *brokers)
{
    char text[TEXT_BYTES];
    char id[TEXT_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)snprintf(id, sizeof id, "bare-%ld", (long)getpid());
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) !=
            RD_KAFKA_CONF_OK)
            bench_fail("%s", text);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) !=
            RD_KAFKA_CONF_OK ||
        rd_kafka_conf_set(conf, "transactional.id", id, text, sizeof text) != RD_KAFKA_CONF_OK)
        bench_fail("%s", text);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (producer == NULL) bench_fail("%s", text);
    must(rd_kafka_init_transactions(producer, WAIT_MS), "init_transactions");
    return producer;
}

static rd_kafka_headers_t *fire_header(void)
{
    static const char type[] = "application/cloudevents+json";
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    (void)rd_kafka_header_add(headers, "content-type", -1, type, sizeof type - 1);
    return headers;
}

static void produce(rd_kafka_t *producer, rd_kafka_topic_t *topic,
                    const struct bench_record *record, bool with_header)
{
    rd_kafka_headers_t *headers = with_header ? fire_header() : NULL;
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)(record->bytes + record->key_bytes),
                   .size = record->value_bytes}},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)record->bytes, .size = record->key_bytes}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = 0},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof parts / sizeof parts[0] - (with_header ? 0 : 1);
    rd_kafka_error_t *refused = NULL;
    while ((refused = rd_kafka_produceva(producer, parts, count)) != NULL) {
        if (rd_kafka_error_code(refused) != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            must(refused, "produce");
        rd_kafka_error_destroy(refused);
        (void)rd_kafka_poll(producer, 1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7)
        bench_fail("usage: bare_producer BROKERS TOPIC FILE COUNT PER_TRANSACTION [--no-header]");
    bool with_header = argc == 6;
    struct bench_record *records = NULL;
    size_t kinds = bench_records_read(argv[3], &records);
    uint64_t count = strtoull(argv[4], NULL, 10);
    uint64_t per_transaction = strtoull(argv[5], NULL, 10);
    if (kinds == 0 || count == 0 || per_transaction == 0) bench_fail("nothing to send");
    rd_kafka_t *producer = open_producer(argv[1]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, argv[2], NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(producer, 0, topic, &metadata, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("topic %s is not known", argv[2]);
    rd_kafka_metadata_destroy(metadata);
    int64_t begun_us = bench_now_us();
    for (uint64_t sent = 0; sent < count;) {
        must(rd_kafka_begin_transaction(producer), "begin");
        for (uint64_t i = 0; i < per_transaction && sent < count; i++, sent++)
            produce(producer, topic, &records[sent % kinds], with_header);
        must(rd_kafka_commit_transaction(producer, WAIT_MS), "commit");
    }
    printf("begun_us=%" PRId64 " ended_us=%" PRId64 "\n", begun_us, bench_now_us());
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    return 0;
}
