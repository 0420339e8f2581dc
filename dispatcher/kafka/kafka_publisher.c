#include "dispatcher/kafka/kafka_publisher.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/kafka/kafka_client.h"
#include "dispatcher/kafka/kafka_error.h"
#include "dispatcher/kafka/kafka_foreign.h"
#include "dispatcher/kafka/kafka_topics.h"
#include "dispatcher/kafka/own_limit.h"
#include "lib/base/memory.h"

enum {
    REPORT_BYTES = 160,
    RECORD_PARTS = 7,      /* topic, partition, key, value, flags, opaque, headers */
    QUEUE_FULL_POLL_MS = 1,
    FLUSH_QUICK_TURNS = 20, /* of 1 ms, then slower: see flush() */
    FLUSH_SLOW_MS = 10,
    RETRY_PAUSE_MS = 10,
    FLUSH_EXTRA_MS = 2500 /* a request that was under way when its records timed out */
};
#define APPENDED_MIN_MS INT64_C(1000000000000) /* the mock cluster says 1234 */

struct kafka_publisher {
    struct kafka_client client;
    const struct kafka_options *options;
    int32_t shard;
    rd_kafka_t *handle;
    rd_kafka_topic_t *own[TOPIC_OWN_COUNT];
    struct kafka_foreign *foreign;
    bool in_transaction;
    int64_t begun_us;
    rd_kafka_resp_err_t report_code; /* first failed delivery of this transaction */
    char report[TOPIC_NAME_BYTES]; /* its topic */
    struct own_limit limit;
    /* Written by librdkafka's threads before the flush of the transaction is over. */
    _Atomic int64_t receipt_offset;
    _Atomic int64_t receipt_appended_ms;
    _Atomic int64_t receipt_acknowledged_us;
};

static int64_t now_us(const struct kafka_publisher *publisher)
{
    return publisher->options->clock->monotonic_us(publisher->options->clock->opaque);
}

/* Called from flush() and poll(), only for records that were not delivered. */
static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    const struct kafka_client *client = opaque;
    struct kafka_publisher *publisher = client->owner;
    (void)handle;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (publisher->report_code != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    publisher->report_code = message->err;
    (void)snprintf(publisher->report, sizeof publisher->report, "%s",
                   rd_kafka_topic_name(message->rkt));
}

/* In a thread of librdkafka, for every record: reports of delivery are off for what went well, and
 * cost more. */
static rd_kafka_resp_err_t on_acknowledgement(rd_kafka_t *handle, rd_kafka_message_t *message,
                                              void *opaque)
{
    struct kafka_publisher *publisher = opaque;
    (void)handle;
    if (message->_private != publisher || message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    int64_t at_ms = rd_kafka_message_timestamp(message, &type);
    bool known = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME && at_ms >= APPENDED_MIN_MS;
    atomic_store(&publisher->receipt_offset, message->offset < 0 ? -1 : message->offset);
    atomic_store(&publisher->receipt_appended_ms, known ? at_ms : 0);
    atomic_store(&publisher->receipt_acknowledged_us, now_us(publisher));
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *handle, const rd_kafka_conf_t *conf, void *opaque,
                                  char *refusal, size_t bytes)
{
    (void)conf;
    (void)refusal;
    (void)bytes;
    return rd_kafka_interceptor_add_on_acknowledgement(handle, "receipt", on_acknowledgement,
                                                       opaque);
}

static void no_receipt(struct kafka_publisher *publisher)
{
    atomic_store(&publisher->receipt_offset, -1);
    atomic_store(&publisher->receipt_appended_ms, 0);
    atomic_store(&publisher->receipt_acknowledged_us, 0);
}

struct kafka_publisher *kafka_publisher_create(const struct kafka_options *options,
                                               rd_kafka_t *lookup, int32_t shard)
{
    assert(options != NULL && lookup != NULL);
    assert(shard >= 0 && shard < options->shards);
    struct kafka_publisher *publisher = memory_allocate(1, sizeof *publisher);
    publisher->client.log = options->log;
    publisher->client.owner = publisher;
    publisher->options = options;
    publisher->shard = shard;
    publisher->foreign = kafka_foreign_create(lookup, options);
    own_limit_init(&publisher->limit, lookup, options);
    return publisher;
}

void kafka_publisher_destroy(struct kafka_publisher *publisher)
{
    if (publisher == NULL) return;
    kafka_publisher_close(publisher);
    kafka_foreign_destroy(publisher->foreign);
    free(publisher);
}

void kafka_publisher_close(struct kafka_publisher *publisher)
{
    assert(publisher != NULL);
    if (publisher->handle == NULL) return;
    kafka_foreign_cool(publisher->foreign);
    for (size_t i = 0; i < TOPIC_OWN_COUNT; i++) {
        if (publisher->own[i] != NULL) rd_kafka_topic_destroy(publisher->own[i]);
        publisher->own[i] = NULL;
    }
    /* Without it the destroy below would wait for the delivery of what is queued. */
    (void)rd_kafka_purge(publisher->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                                RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_destroy(publisher->handle);
    publisher->handle = NULL;
    publisher->in_transaction = false;
}

static void open_own(struct kafka_publisher *publisher)
{
    assert(publisher->handle != NULL);
    for (enum broker_topic topic = 0; topic < TOPIC_FOREIGN; topic++) {
        char name[TOPIC_NAME_BYTES];
        kafka_topic_name(publisher->options->cluster, topic, name);
        publisher->own[topic] = rd_kafka_topic_new(publisher->handle, name, NULL);
        assert(publisher->own[topic] != NULL);
    }
}

/* One request for all own topics: the first record to a topic that is not known waits a second. */
static bool warm_own(struct kafka_publisher *publisher, struct error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(publisher->handle, 0, NULL, &metadata, KAFKA_REQUEST_WAIT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)kafka_error_code(publisher->handle, KAFKA_OPEN, code, "warming the topics", error);
        return false;
    }
    bool warmed = true;
    for (int i = 0; i < metadata->topic_cnt && warmed; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            warmed = error_set(error, ERROR_RETRY, "topic %s: %s", topic->topic,
                               rd_kafka_err2str(topic->err));
        else if (topic->partition_cnt != publisher->options->shards)
            warmed = error_set(error, ERROR_FATAL, "topic %s has %d partitions instead of %d",
                               topic->topic, topic->partition_cnt,
                               (int)publisher->options->shards);
    }
    rd_kafka_metadata_destroy(metadata);
    return warmed;
}

bool kafka_publisher_open(struct kafka_publisher *publisher, struct error *error)
{
    assert(publisher != NULL);
    kafka_publisher_close(publisher);
    assert(publisher->handle == NULL);
    rd_kafka_conf_t *conf =
        kafka_options_properties(publisher->options, KAFKA_PRODUCER, publisher->shard, error);
    if (conf == NULL) return false;
    own_limit_apply(&publisher->limit, conf);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    (void)rd_kafka_conf_interceptor_add_on_new(conf, "receipt", on_new, publisher);
    publisher->handle = kafka_client_open(&publisher->client, conf, KAFKA_PRODUCER, error);
    if (publisher->handle == NULL) return false;
    open_own(publisher);
    rd_kafka_error_t *refused =
        rd_kafka_init_transactions(publisher->handle, KAFKA_REQUEST_WAIT_MS);
    if (refused != NULL) {
        (void)kafka_error_take(publisher->handle, KAFKA_OPEN, false, refused,
                               "init_transactions", error);
        goto failed;
    }
    if (!warm_own(publisher, error)) goto failed;
    return true;
failed:
    kafka_publisher_close(publisher);
    return false;
}

bool kafka_publisher_begin(struct kafka_publisher *publisher, struct error *error)
{
    assert(publisher != NULL && publisher->handle != NULL);
    assert(!publisher->in_transaction);
    (void)rd_kafka_poll(publisher->handle, 0); /* logs */
    rd_kafka_error_t *refused = rd_kafka_begin_transaction(publisher->handle);
    if (refused != NULL) {
        (void)kafka_error_take(publisher->handle, KAFKA_BEGIN, false, refused, "begin", error);
        return false;
    }
    publisher->in_transaction = true;
    publisher->begun_us = now_us(publisher);
    publisher->report_code = RD_KAFKA_RESP_ERR_NO_ERROR;
    no_receipt(publisher);
    return true;
}

static size_t record_bytes(const struct broker_record *record)
{
    size_t bytes = record->key.length + record->value.length + KAFKA_RECORD_OVERHEAD_BYTES;
    for (size_t i = 0; i < record->header_count; i++)
        bytes += strlen(record->headers[i].name) + record->headers[i].value.length + 10;
    return bytes;
}

/* The handle to produce to a topic of others, if a record of this size may go there. A record
 * the broker refuses would take the whole transaction with it. */
static rd_kafka_topic_t *foreign_handle(struct kafka_publisher *publisher,
                                        const struct broker_record *record, struct error *error)
{
    assert(record->foreign_topic != NULL);
    const char *name = record->foreign_topic;
    struct kafka_foreign_topic *topic =
        kafka_foreign_find(publisher->foreign, name, false, error);
    if (topic == NULL) return NULL;
    if (!topic->info.exists) {
        error_invalid(error, CODE_TOPIC_MISSING, "topic %s does not exist, or we may not see it",
                      name);
        return NULL;
    }
    int64_t limit_bytes = topic->info.max_message_bytes;
    if (limit_bytes > 0 && limit_bytes < KAFKA_BATCH_BYTES) {
        error_invalid(error, CODE_TOO_LARGE,
                      "topic %s: its max.message.bytes is %lld, %d or more are needed for a "
                      "batch of fires; raise it",
                      name, (long long)limit_bytes, KAFKA_BATCH_BYTES);
        return NULL;
    }
    if (limit_bytes > 0 && (int64_t)record_bytes(record) > limit_bytes) {
        error_invalid(error, CODE_TOO_LARGE, "topic %s: the record has %zu bytes, %lld are allowed",
                      name, record_bytes(record), (long long)limit_bytes);
        return NULL;
    }
    if (record->partition >= topic->info.partitions) {
        error_invalid(error, CODE_BAD_VALUE, "topic %s has no partition %d", name,
                      (int)record->partition);
        return NULL;
    }
    if (!kafka_foreign_warm(topic, name, publisher->handle, error)) return NULL;
    return topic->handle;
}

static rd_kafka_headers_t *copy_headers(const struct broker_record *record)
{
    if (record->header_count == 0) return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct broker_header *header = &record->headers[i];
        const char *bytes = header->value.bytes == NULL ? "" : header->value.bytes;
        (void)rd_kafka_header_add(headers, header->name, -1, bytes,
                                  (ssize_t)header->value.length);
    }
    return headers;
}

/* Hands one record to librdkafka, waiting while its queue is full. A list of headers is passed,
 * never single ones: versions before 2.12 free those twice when they refuse the record. */
static rd_kafka_error_t *enqueue(struct kafka_publisher *publisher, rd_kafka_topic_t *topic,
                                 const struct broker_record *record, rd_kafka_headers_t *headers)
{
    rd_kafka_vu_t parts[RECORD_PARTS] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION,
         .u.i32 = record->partition < 0 ? RD_KAFKA_PARTITION_UA : record->partition},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)record->value.bytes, .size = record->value.length}},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)record->key.bytes, .size = record->key.length}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = 0}, /* no copy: the value is borrowed */
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = record->wants_receipt ? publisher : NULL},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = headers == NULL ? RECORD_PARTS - 1 : RECORD_PARTS;
    rd_kafka_error_t *refused = rd_kafka_produceva(publisher->handle, parts, count);
    if (refused == NULL || rd_kafka_error_code(refused) != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return refused;
    int64_t deadline_us = now_us(publisher) + KAFKA_MESSAGE_TIMEOUT_MS * INT64_C(1000);
    while (refused != NULL && rd_kafka_error_code(refused) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           now_us(publisher) < deadline_us) {
        rd_kafka_error_destroy(refused);
        (void)rd_kafka_poll(publisher->handle, QUEUE_FULL_POLL_MS);
        refused = rd_kafka_produceva(publisher->handle, parts, count);
    }
    return refused;
}

bool kafka_publisher_produce(struct kafka_publisher *publisher,
                             const struct broker_record *record, struct error *error)
{
    assert(publisher != NULL && publisher->in_transaction);
    assert(record != NULL && record->topic <= TOPIC_FOREIGN);
    assert(record->topic == TOPIC_FOREIGN || record->partition < publisher->options->shards);
    rd_kafka_topic_t *topic = record->topic == TOPIC_FOREIGN
                                  ? foreign_handle(publisher, record, error)
                                  : publisher->own[record->topic];
    if (topic == NULL) return false;
    rd_kafka_headers_t *headers = copy_headers(record);
    rd_kafka_error_t *refused = enqueue(publisher, topic, record, headers);
    if (refused == NULL) return true;
    if (headers != NULL) rd_kafka_headers_destroy(headers);
    (void)kafka_error_take(publisher->handle, KAFKA_PRODUCE, false, refused,
                           rd_kafka_topic_name(topic), error);
    return false;
}

/* Waits until every record has been acknowledged or given up. No report wakes us when all goes
 * well, so librdkafka's own flush looks only every 10 ms: too seldom for a single fire. */
static bool flush(struct kafka_publisher *publisher, struct error *error)
{
    int64_t deadline_us =
        now_us(publisher) + (KAFKA_MESSAGE_TIMEOUT_MS + FLUSH_EXTRA_MS) * INT64_C(1000);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int turn = 0; code == RD_KAFKA_RESP_ERR__TIMED_OUT && now_us(publisher) < deadline_us;
         turn++)
        code = rd_kafka_flush(publisher->handle, turn < FLUSH_QUICK_TURNS ? 1 : FLUSH_SLOW_MS);
    if (publisher->report_code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char what[REPORT_BYTES];
        own_limit_say(&publisher->limit, publisher->report, publisher->report_code, what,
                      sizeof what);
        (void)kafka_error_code(publisher->handle, KAFKA_COMMIT, publisher->report_code, what,
                               error);
        return false;
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    (void)kafka_error_code(publisher->handle, KAFKA_COMMIT, code, "flush", error);
    return false;
}

static int remaining_ms(const struct kafka_publisher *publisher)
{
    int64_t end_us = publisher->begun_us + 2 * KAFKA_TRANSACTION_TIMEOUT_MS * INT64_C(1000);
    int64_t remaining_us = end_us - now_us(publisher);
    return remaining_us <= 0 ? 0 : (int)(remaining_us / 1000);
}

typedef rd_kafka_error_t *transaction_call(rd_kafka_t *handle, int timeout_ms);

/* Commit or abort, after a clean flush: the same call again while librdkafka says so and there is
 * time. When the time is over nobody knows what the coordinator did. When it worked in the end,
 * the request of an earlier try may still be on its way and would end the next transaction of
 * this producer: that is for a new one, which makes the late request useless. librdkafka itself
 * repeats the request when its connection breaks, and says nothing: so whoever lost a connection
 * meanwhile may have asked twice. */
static bool end_transaction(struct kafka_publisher *publisher, transaction_call *call,
                            enum kafka_operation operation, const char *what,
                            struct error *error)
{
    const struct clock *clock = publisher->options->clock;
    unsigned closed = atomic_load(&publisher->client.closed);
    for (int turn = 0;; turn++) {
        int left_ms = remaining_ms(publisher);
        rd_kafka_error_t *refused = call(publisher->handle, left_ms < 1 ? 1 : left_ms);
        bool asked_once = turn == 0 && atomic_load(&publisher->client.closed) == closed;
        if (refused == NULL && asked_once) return true;
        if (refused == NULL)
            return error_set(error, ERROR_UNKNOWN, "%s went through, but may have been asked for "
                             "twice: %s", what, turn > 0 ? "it was tried again"
                                                         : "a connection broke");
        struct error seen = {0};
        enum error_kind kind =
            kafka_error_take(publisher->handle, operation, true, refused, what, &seen);
        if (kind == ERROR_RETRY && remaining_ms(publisher) > 0) {
            clock->sleep_ms(clock->opaque, RETRY_PAUSE_MS);
            continue;
        }
        return error_set(error, kind == ERROR_RETRY ? ERROR_UNKNOWN : kind, "%s", seen.message);
    }
}

bool kafka_publisher_commit(struct kafka_publisher *publisher, struct broker_receipt *receipt,
                            struct error *error)
{
    assert(publisher != NULL && publisher->handle != NULL);
    assert(publisher->in_transaction);
    if (!flush(publisher, error)) return false;
    if (!end_transaction(publisher, rd_kafka_commit_transaction, KAFKA_COMMIT, "commit", error))
        return false;
    publisher->in_transaction = false;
    if (receipt != NULL)
        *receipt = (struct broker_receipt){atomic_load(&publisher->receipt_offset),
                                           atomic_load(&publisher->receipt_appended_ms),
                                           atomic_load(&publisher->receipt_acknowledged_us)};
    return true;
}

bool kafka_publisher_abort(struct kafka_publisher *publisher, struct error *error)
{
    assert(publisher != NULL && publisher->handle != NULL);
    assert(publisher->in_transaction);
    if (!flush(publisher, error)) return false;
    if (!end_transaction(publisher, rd_kafka_abort_transaction, KAFKA_ABORT, "abort", error))
        return false;
    publisher->in_transaction = false;
    return true;
}

bool kafka_publisher_foreign_topic(struct kafka_publisher *publisher, const char *name,
                                   struct topic_info *info, struct error *error)
{
    assert(publisher != NULL);
    assert(name != NULL && info != NULL);
    struct kafka_foreign_topic *topic =
        kafka_foreign_find(publisher->foreign, name, true, error);
    if (topic == NULL) return false;
    *info = topic->info;
    if (!topic->info.exists || publisher->handle == NULL) return true;
    return kafka_foreign_warm(topic, name, publisher->handle, error);
}
