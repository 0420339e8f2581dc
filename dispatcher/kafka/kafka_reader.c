#include "dispatcher/kafka/kafka_reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/kafka/kafka_client.h"
#include "dispatcher/kafka/kafka_error.h"
#include "dispatcher/kafka/kafka_topics.h"
#include "lib/base/memory.h"

static const enum broker_topic readable[] = {TOPIC_CONTROL, TOPIC_STATE, TOPIC_FORWARD,
                                             TOPIC_RUNS};
enum { READABLE = sizeof readable / sizeof readable[0], WHAT_BYTES = 320, AHEAD_MAX = 256 };

struct kafka_reader {
    struct kafka_client client;
    const struct kafka_options *options;
    rd_kafka_t *handle;
};

struct source {
    enum broker_topic topic;
    char name[TOPIC_NAME_BYTES];
    rd_kafka_topic_t *handle;
    bool active;
    int64_t next_offset; /* everything below it is stale */
};

struct kafka_reading {
    struct kafka_reader *reader;
    int32_t shard;
    rd_kafka_queue_t *queue;
    struct source sources[READABLE];
    rd_kafka_message_t *ahead[AHEAD_MAX]; /* taken out of the queue; NULL: of a stopped source */
    size_t ahead_at;
    size_t ahead_count;
};

struct kafka_reader *kafka_reader_create(const struct kafka_options *options, struct error *error)
{
    assert(options != NULL);
    assert(options->clock != NULL);
    rd_kafka_conf_t *conf = kafka_options_properties(options, KAFKA_READER, 0, error);
    if (conf == NULL) return NULL;
    struct kafka_reader *reader = memory_allocate(1, sizeof *reader);
    reader->client = (struct kafka_client){.log = options->log, .owner = reader};
    reader->options = options;
    reader->handle = kafka_client_open(&reader->client, conf, KAFKA_READER, error);
    if (reader->handle != NULL) return reader;
    free(reader);
    return NULL;
}

void kafka_reader_destroy(struct kafka_reader *reader)
{
    if (reader == NULL) return;
    assert(reader->handle != NULL);
    rd_kafka_destroy(reader->handle);
    free(reader);
}

rd_kafka_t *kafka_reader_handle(struct kafka_reader *reader)
{
    assert(reader != NULL);
    assert(reader->handle != NULL);
    return reader->handle;
}

void kafka_reader_serve(struct kafka_reader *reader)
{
    assert(reader != NULL);
    (void)rd_kafka_poll(reader->handle, 0);
}

struct kafka_reading *kafka_reading_create(struct kafka_reader *reader, int32_t shard)
{
    assert(reader != NULL);
    assert(shard >= 0 && shard < reader->options->shards);
    struct kafka_reading *reading = memory_allocate(1, sizeof *reading);
    reading->reader = reader;
    reading->shard = shard;
    reading->queue = rd_kafka_queue_new(reader->handle);
    for (size_t i = 0; i < READABLE; i++) {
        struct source *source = &reading->sources[i];
        source->topic = readable[i];
        kafka_topic_name(reader->options->cluster, source->topic, source->name);
        source->handle = rd_kafka_topic_new(reader->handle, source->name, NULL);
        assert(source->handle != NULL);
    }
    return reading;
}

void kafka_reading_destroy(struct kafka_reading *reading)
{
    if (reading == NULL) return;
    assert(reading->queue != NULL);
    for (size_t i = 0; i < READABLE; i++) {
        kafka_reading_stop(reading, reading->sources[i].topic);
        rd_kafka_topic_destroy(reading->sources[i].handle);
    }
    for (size_t i = reading->ahead_at; i < reading->ahead_count; i++)
        if (reading->ahead[i] != NULL) rd_kafka_message_destroy(reading->ahead[i]);
    rd_kafka_queue_destroy(reading->queue);
    free(reading);
}

static struct source *source_of(struct kafka_reading *reading, enum broker_topic topic)
{
    for (size_t i = 0; i < READABLE; i++)
        if (reading->sources[i].topic == topic) return &reading->sources[i];
    assert(!"a topic that a shard reads");
    return NULL;
}

bool kafka_reading_start(struct kafka_reading *reading, enum broker_topic topic, int64_t offset,
                         struct error *error)
{
    assert(reading != NULL);
    assert(offset >= 0);
    struct source *source = source_of(reading, topic);
    assert(!source->active);
    if (rd_kafka_consume_start_queue(source->handle, reading->shard, offset, reading->queue) ==
        0) {
        source->active = true;
        source->next_offset = offset;
        return true;
    }
    (void)kafka_error_code(reading->reader->handle, KAFKA_READ, rd_kafka_last_error(),
                           source->name, error);
    return false;
}

void kafka_reading_stop(struct kafka_reading *reading, enum broker_topic topic)
{
    assert(reading != NULL);
    struct source *source = source_of(reading, topic);
    if (!source->active) return;
    /* Raises the partition's version: what is still queued of it is dropped by librdkafka. */
    (void)rd_kafka_consume_stop(source->handle, reading->shard);
    source->active = false;
    for (size_t i = reading->ahead_at; i < reading->ahead_count; i++) {
        rd_kafka_message_t *message = reading->ahead[i];
        if (message == NULL || strcmp(rd_kafka_topic_name(message->rkt), source->name) != 0)
            continue;
        rd_kafka_message_destroy(message);
        reading->ahead[i] = NULL;
    }
}

bool kafka_reading_offsets(struct kafka_reading *reading, enum broker_topic topic, int64_t *first,
                           int64_t *end, struct error *error)
{
    assert(reading != NULL);
    assert(first != NULL && end != NULL);
    const struct source *source = source_of(reading, topic);
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(reading->reader->handle, source->name, reading->shard,
                                         first, end, KAFKA_REQUEST_WAIT_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        assert(*first >= 0 && *end >= *first);
        return true;
    }
    char what[WHAT_BYTES];
    (void)snprintf(what, sizeof what, "offsets of %s/%d", source->name, (int)reading->shard);
    (void)kafka_error_code(reading->reader->handle, KAFKA_LOOK_UP, code, what, error);
    return false;
}

static void read_headers(const rd_kafka_message_t *message, struct broker_input *input)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const char *name = NULL;
    const void *value = NULL;
    size_t length = 0;
    while (rd_kafka_header_get_all(headers, input->header_count, &name, &value, &length) ==
           RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (input->header_count == BROKER_INPUT_HEADERS_MAX) {
            input->truncated_headers = true;
            return;
        }
        input->headers[input->header_count++] =
            (struct broker_header){name, {value, value == NULL ? 0 : length}};
    }
}

static int64_t log_time_ms(const struct kafka_reader *reader, const rd_kafka_message_t *message)
{
    const struct clock *clock = reader->options->clock;
    if (reader->options->mock) return clock->now_ms(clock->opaque);
    rd_kafka_timestamp_type_t type;
    int64_t time_ms = rd_kafka_message_timestamp(message, &type);
    return time_ms < 0 ? clock->now_ms(clock->opaque) : time_ms;
}

static void read_record(const struct kafka_reading *reading, struct source *source,
                        rd_kafka_message_t *message, struct broker_input *input)
{
    assert(message->offset >= source->next_offset);
    assert(message->partition == reading->shard);
    source->next_offset = message->offset + 1;
    input->kind = BROKER_RECORD;
    input->topic = source->topic;
    input->offset = message->offset;
    input->log_time_ms = log_time_ms(reading->reader, message);
    input->tombstone = message->payload == NULL;
    input->value = (struct text){message->payload, message->payload == NULL ? 0 : message->len};
    input->key = (struct text){message->key, message->key == NULL ? 0 : message->key_len};
    read_headers(message, input);
    input->handle = message;
}

static bool report_failure(const struct kafka_reading *reading, const struct source *source,
                           const rd_kafka_message_t *message, struct error *error)
{
    assert(message->err != RD_KAFKA_RESP_ERR_NO_ERROR);
    char what[WHAT_BYTES];
    (void)snprintf(what, sizeof what, "%s/%d at offset %lld: %s", source->name,
                   (int)reading->shard, (long long)source->next_offset,
                   rd_kafka_message_errstr(message));
    (void)kafka_error_code(reading->reader->handle, KAFKA_READ, message->err, what, error);
    return false;
}

/* The active source a message belongs to, NULL when it was stopped or is of before a restart. */
static struct source *match(struct kafka_reading *reading, const rd_kafka_message_t *message)
{
    const char *name = rd_kafka_topic_name(message->rkt);
    for (size_t i = 0; i < READABLE; i++) {
        struct source *source = &reading->sources[i];
        if (strcmp(source->name, name) != 0) continue;
        bool placed = message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                      message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        bool stale = placed && message->offset < source->next_offset;
        return source->active && !stale ? source : NULL;
    }
    return NULL;
}

/* The next message of the queue; what else is there is taken out with it: a look costs a lock. */
static rd_kafka_message_t *next_message(struct kafka_reading *reading, int32_t wait_ms)
{
    while (reading->ahead_at < reading->ahead_count) {
        rd_kafka_message_t *message = reading->ahead[reading->ahead_at++];
        if (message != NULL) return message;
    }
    rd_kafka_message_t *message = rd_kafka_consume_queue(reading->queue, wait_ms);
    if (message == NULL) return NULL;
    ssize_t more = rd_kafka_consume_batch_queue(reading->queue, 0, reading->ahead, AHEAD_MAX);
    reading->ahead_at = 0;
    reading->ahead_count = more > 0 ? (size_t)more : 0;
    return message;
}

bool kafka_reading_poll(struct kafka_reading *reading, int32_t wait_ms,
                        struct broker_input *input, struct error *error)
{
    assert(reading != NULL && input != NULL);
    assert(wait_ms >= 0);
    input->kind = BROKER_NOTHING;
    input->header_count = 0;
    input->truncated_headers = false;
    input->tombstone = false;
    input->handle = NULL;
    rd_kafka_message_t *message = next_message(reading, wait_ms);
    struct source *source = NULL;
    while (message != NULL && (source = match(reading, message)) == NULL) {
        rd_kafka_message_destroy(message);
        message = next_message(reading, 0);
    }
    if (message == NULL) return true;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        read_record(reading, source, message, input);
        return true; /* the message lives until release */
    }
    bool ended = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (ended) {
        source->next_offset = message->offset;
        input->kind = BROKER_END;
        input->topic = source->topic;
        input->offset = message->offset;
    } else {
        (void)report_failure(reading, source, message, error);
    }
    rd_kafka_message_destroy(message);
    return ended;
}

void kafka_reading_release(struct broker_input *input)
{
    assert(input != NULL);
    assert(input->kind == BROKER_RECORD || input->handle == NULL);
    if (input->handle != NULL) rd_kafka_message_destroy(input->handle);
    input->handle = NULL;
    input->kind = BROKER_NOTHING;
}

int64_t kafka_reading_end_seen(struct kafka_reading *reading, enum broker_topic topic)
{
    const struct source *source = source_of(reading, topic);
    int64_t first = -1;
    int64_t end = -1;
    if (!source->active ||
        rd_kafka_get_watermark_offsets(reading->reader->handle, source->name, reading->shard,
                                       &first, &end) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    return end;
}

void kafka_reading_wake(struct kafka_reading *reading)
{
    assert(reading != NULL);
    assert(reading->queue != NULL);
    rd_kafka_queue_yield(reading->queue);
}
