#include "cli/kafka/cli_kafka.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/cli_clock.h"
#include "dispatcher/config/secret_file.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"

enum { TICK_MS = 250, RETRY_MS = 20, GIVE_UP_MS = 2000, FAULT_BYTES = 160 };

struct cli_kafka {
    rd_kafka_t *handle;
    rd_kafka_topic_t *topic;  /* being read */
    rd_kafka_queue_t *queue;  /* of the reader */
    int32_t partitions;       /* being read */
    int64_t timeout_ms;
    const char *brokers;      /* borrowed from the settings */
    bool all_down;            /* said by librdkafka, until a broker answers */
    char last_fault[FAULT_BYTES];
};

void topic_name(char text[TOPIC_NAME_BYTES], const struct settings *settings, const char *suffix)
{
    bool fits = topic_name_of(settings->cluster, suffix, text);
    assert(fits);
    (void)fits;
}

static void fault_set(char *fault, size_t bytes, const char *text)
{
    (void)snprintf(fault, bytes, "%s", text);
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    struct cli_kafka *client = opaque;
    (void)handle;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        client->all_down = true;
        return;
    }
    fault_set(client->last_fault, sizeof client->last_fault, reason);
    char *statistics = strstr(client->last_fault, " (after ");
    if (statistics != NULL) *statistics = '\0';
}

/* librdkafka's own log lines would land on the user's terminal. */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    struct write_record *record = message->_private;
    assert(!record->delivered);
    (void)handle;
    (void)opaque;
    record->delivered_partition = message->partition;
    record->delivered_offset = message->offset;
    record->delivered = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    record->fault_code = (int)message->err;
    if (!record->delivered)
        fault_set(record->fault, sizeof record->fault, rd_kafka_err2str(message->err));
}

static bool set_property(rd_kafka_conf_t *conf, const char *key, const char *value,
                         struct error *error)
{
    char text[256] = "";
    if (rd_kafka_conf_set(conf, key, value, text, sizeof text) == RD_KAFKA_CONF_OK) return true;
    return error_invalid(error, CODE_USAGE, "-X %.60s: %s", key,
                         secret_property(key) ? "librdkafka refuses the value" : text);
}

static bool set_table(rd_kafka_conf_t *conf, const char *const table[][2], struct error *error)
{
    for (size_t i = 0; table[i][0] != NULL; i++)
        if (!set_property(conf, table[i][0], table[i][1], error)) return false;
    return true;
}

static bool configure(rd_kafka_conf_t *conf, const struct settings *settings,
                      enum cli_kafka_role role, const char *const extra[][2], struct error *error)
{
    static const char *const both[][2] = {
        {"client.id", "belfry"},
        {"socket.nagle.disable", "true"},
        {"reconnect.backoff.max.ms", "500"},
        {"allow.auto.create.topics", "false"},
        {NULL, NULL},
    };
    static const char *const producer[][2] = {
        {"acks", "all"},           {"enable.idempotence", "true"},
        {"linger.ms", "2"},        {"partitioner", "murmur2_random"},
        {"compression.type", "lz4"}, {"message.max.bytes", "2097152"},
        {NULL, NULL},
    };
    static const char *const reader[][2] = {
        {"isolation.level", "read_committed"}, {"enable.partition.eof", "true"},
        {"auto.offset.reset", "earliest"},     {"fetch.wait.max.ms", "50"},
        {"fetch.error.backoff.ms", "10"},      {NULL, NULL},
    };
    assert(role == CLI_PRODUCER || role == CLI_READER);
    char timeout[24];
    (void)snprintf(timeout, sizeof timeout, "%lld", (long long)settings->timeout_ms);
    if (!set_property(conf, "bootstrap.servers", settings->kafka, error) ||
        !set_table(conf, both, error) ||
        !set_table(conf, role == CLI_PRODUCER ? producer : reader, error))
        return false;
    if (role == CLI_PRODUCER && !set_property(conf, "message.timeout.ms", timeout, error))
        return false;
    for (size_t i = 0; i < settings->property_count; i++)
        if (!set_property(conf, settings->properties[i].key, settings->properties[i].value, error))
            return false;
    if (!set_table(conf, extra, error)) return false;
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (role == CLI_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    return true;
}

struct cli_kafka *cli_kafka_create(const struct settings *settings, enum cli_kafka_role role,
                                         struct error *error)
{
    static const char *const nothing[][2] = {{NULL, NULL}};
    return cli_kafka_create_with(settings, role, nothing, error);
}

struct cli_kafka *cli_kafka_create_with(const struct settings *settings, enum cli_kafka_role role,
                                        const char *const extra[][2], struct error *error)
{
    struct cli_kafka *client = memory_allocate(1, sizeof *client);
    client->timeout_ms = settings->timeout_ms;
    client->brokers = settings->kafka;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, client);
    char text[256] = "";
    if (configure(conf, settings, role, extra, error)) {
        client->handle =
            rd_kafka_new(role == CLI_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf,
                         text, sizeof text);
        if (client->handle != NULL) return client;
        (void)error_invalid(error, CODE_USAGE, "Kafka client: %s", text);
    }
    rd_kafka_conf_destroy(conf);
    free(client);
    return NULL;
}

void cli_kafka_destroy(struct cli_kafka *client)
{
    if (client == NULL) return;
    assert(client->handle != NULL);
    for (int32_t p = 0; p < client->partitions; p++) (void)rd_kafka_consume_stop(client->topic, p);
    if (client->queue != NULL) rd_kafka_queue_destroy(client->queue);
    if (client->topic != NULL) rd_kafka_topic_destroy(client->topic);
    rd_kafka_destroy(client->handle);
    free(client);
}

static bool unreachable(const struct cli_kafka *client, struct error *error)
{
    const char *why = client->last_fault[0] != '\0' ? client->last_fault : "no answer";
    return error_set(error, ERROR_RETRY,
                     "Kafka cannot be reached at %.80s: %.120s; --kafka or BELFRY_KAFKA says where",
                     client->brokers, why);
}

/* A closed port is known at once: no need to wait the whole time-out for it. */
static bool hopeless(struct cli_kafka *client, int64_t start_ms)
{
    (void)rd_kafka_poll(client->handle, RETRY_MS);
    int64_t waited_ms = monotonic_ms() - start_ms;
    assert(waited_ms >= 0);
    return waited_ms >= client->timeout_ms || (client->all_down && waited_ms >= GIVE_UP_MS);
}

bool cli_kafka_partitions(struct cli_kafka *client, const char *topic, int32_t *partitions,
                             struct error *error)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->handle, topic, NULL);
    if (handle == NULL)
        return error_set(error, ERROR_FATAL, "topic \"%.100s\": %s", topic,
                         rd_kafka_err2str(rd_kafka_last_error()));
    int64_t start_ms = monotonic_ms();
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t failure = RD_KAFKA_RESP_ERR_NO_ERROR;
    do {
        failure = rd_kafka_metadata(client->handle, 0, handle, &metadata, TICK_MS);
    } while (failure != RD_KAFKA_RESP_ERR_NO_ERROR && !hopeless(client, start_ms));
    rd_kafka_topic_destroy(handle);
    if (failure != RD_KAFKA_RESP_ERR_NO_ERROR) return unreachable(client, error);
    assert(metadata->topic_cnt == 1);
    rd_kafka_resp_err_t missing = metadata->topics[0].err;
    *partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    client->all_down = false;
    if (missing == RD_KAFKA_RESP_ERR_NO_ERROR && *partitions > 0) return true;
    return error_set(error, ERROR_FATAL,
                     "topic %.100s: %s; has belfryd been started for this cluster name?", topic,
                     missing == RD_KAFKA_RESP_ERR_NO_ERROR ? "it has no partition"
                                                           : rd_kafka_err2str(missing));
}

/* Hands one record to librdkafka, waiting for room in its queue. */
static bool produce(struct cli_kafka *client, const char *topic, struct write_record *record,
                    int64_t deadline_ms)
{
    int32_t partition =
        record->partition == ANY_PARTITION ? RD_KAFKA_PARTITION_UA : record->partition;
    size_t key_bytes = record->key == NULL ? 0 : strlen(record->key);
    for (;;) {
        rd_kafka_resp_err_t failure = rd_kafka_producev(
            client->handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_KEY(record->key, key_bytes),
            RD_KAFKA_V_VALUE(record->value.bytes, record->value.length),
            RD_KAFKA_V_OPAQUE(record), RD_KAFKA_V_END);
        if (failure == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
        bool full = failure == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (!full || cli_left_ms(deadline_ms, TICK_MS) == 0) {
            fault_set(record->fault, sizeof record->fault, rd_kafka_err2str(failure));
            return false;
        }
        (void)rd_kafka_poll(client->handle, cli_left_ms(deadline_ms, TICK_MS));
    }
}

bool cli_kafka_send(struct cli_kafka *client, const char *topic,
                       struct write_record *records, size_t count, struct error *error)
{
    assert(count > 0);
    bool produced = true;
    /* message.timeout.ms ends each record; the second added lets its report arrive. */
    int64_t deadline_ms = monotonic_ms() + client->timeout_ms;
    for (size_t i = 0; i < count; i++)
        produced = produce(client, topic, &records[i], deadline_ms) && produced;
    int64_t left_ms = deadline_ms - monotonic_ms() + SECONDS_MS;
    (void)rd_kafka_flush(client->handle, left_ms > 0 ? (int)left_ms : (int)SECONDS_MS);
    for (size_t i = 0; i < count; i++) {
        if (records[i].delivered) continue;
        const char *why = records[i].fault[0] != '\0' ? records[i].fault : "no acknowledgement";
        return error_set(error, ERROR_RETRY, "%s did not take the command: %s", topic, why);
    }
    assert(produced);
    return true;
}

/* All ends in one question to each broker, so that reading can start exactly there. */
static bool find_ends(struct cli_kafka *client, rd_kafka_topic_partition_list_t *list,
                      struct error *error)
{
    assert(list->cnt > 0);
    int64_t start_ms = monotonic_ms();
    rd_kafka_resp_err_t failure = RD_KAFKA_RESP_ERR_NO_ERROR;
    do {
        for (int i = 0; i < list->cnt; i++) list->elems[i].offset = RD_KAFKA_OFFSET_END;
        failure = rd_kafka_offsets_for_times(client->handle, list, (int)client->timeout_ms);
        for (int i = 0; i < list->cnt && failure == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
            failure = list->elems[i].err;
    } while (failure != RD_KAFKA_RESP_ERR_NO_ERROR && !hopeless(client, start_ms));
    if (failure == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    fault_set(client->last_fault, sizeof client->last_fault, rd_kafka_err2str(failure));
    return unreachable(client, error);
}

static bool start_partition(struct cli_kafka *client, const char *topic, int32_t partition,
                            int64_t offset, struct error *error)
{
    assert(client->topic != NULL);
    assert(client->queue != NULL);
    if (rd_kafka_consume_start_queue(client->topic, partition, offset, client->queue) == 0) {
        client->partitions = partition + 1;
        return true;
    }
    return error_set(error, ERROR_RETRY, "%s: partition %d cannot be read: %s", topic,
                     (int)partition, rd_kafka_err2str(rd_kafka_last_error()));
}

bool cli_kafka_read(struct cli_kafka *client, const char *topic, int32_t partitions,
                       enum read_from from, struct error *error)
{
    assert(client->queue == NULL);
    assert(partitions > 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    bool reading = from == READ_FROM_BEGINNING || find_ends(client, list, error);
    if (reading) {
        client->topic = rd_kafka_topic_new(client->handle, topic, NULL);
        client->queue = rd_kafka_queue_new(client->handle);
    }
    for (int32_t p = 0; reading && p < partitions; p++)
        reading = start_partition(client, topic, p, list->elems[p].offset, error);
    rd_kafka_topic_partition_list_destroy(list);
    return reading;
}

bool cli_kafka_read_at(struct cli_kafka *client, const char *topic, int32_t partitions,
                       const int64_t *starts, struct error *error)
{
    assert(client->queue == NULL);
    bool reading = true;
    client->topic = rd_kafka_topic_new(client->handle, topic, NULL);
    client->queue = rd_kafka_queue_new(client->handle);
    for (int32_t p = 0; reading && p < partitions; p++)
        if (starts[p] >= 0) reading = start_partition(client, topic, p, starts[p], error);
    return reading;
}

bool cli_kafka_bounds(struct cli_kafka *client, const char *topic, int32_t partition,
                      int64_t *oldest, int64_t *end, struct error *error)
{
    rd_kafka_resp_err_t failure = rd_kafka_query_watermark_offsets(
        client->handle, topic, partition, oldest, end, (int)client->timeout_ms);
    if (failure == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    return error_set(error, ERROR_RETRY, "%s: partition %d: %s", topic, (int)partition,
                     rd_kafka_err2str(failure));
}

bool cli_kafka_offset_at(struct cli_kafka *client, const char *topic, int32_t partition,
                         int64_t from_ms, int64_t end, int64_t *offset, struct error *error)
{
    assert(from_ms >= 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = from_ms;
    rd_kafka_resp_err_t failure =
        rd_kafka_offsets_for_times(client->handle, list, (int)client->timeout_ms);
    if (failure == RD_KAFKA_RESP_ERR_NO_ERROR) failure = list->elems[0].err;
    *offset = list->elems[0].offset >= 0 ? list->elems[0].offset : end;
    rd_kafka_topic_partition_list_destroy(list);
    if (failure == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    return error_set(error, ERROR_RETRY, "%s: partition %d: %s", topic, (int)partition,
                     rd_kafka_err2str(failure));
}

bool cli_kafka_is_embedded(const char *cluster_id)
{
    return strncmp(cluster_id, "mockCluster", 11) == 0; /* librdkafka's name for its mock */
}

bool cli_kafka_reads_embedded(struct cli_kafka *client)
{
    char *cluster_id = rd_kafka_clusterid(client->handle, (int)client->timeout_ms);
    bool embedded = cluster_id != NULL && cli_kafka_is_embedded(cluster_id);
    if (cluster_id != NULL) rd_kafka_mem_free(client->handle, cluster_id);
    return embedded;
}

rd_kafka_t *cli_kafka_handle(struct cli_kafka *client)
{
    assert(client->handle != NULL);
    return client->handle;
}

bool cli_kafka_next(struct cli_kafka *client, int wait_ms, rd_kafka_message_t **message,
                       struct error *error)
{
    assert(client->queue != NULL);
    *message = NULL;
    (void)rd_kafka_poll(client->handle, 0);
    rd_kafka_message_t *next = rd_kafka_consume_queue(client->queue, wait_ms);
    if (next == NULL) return true;
    switch (next->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: *message = next; return true;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT: /* librdkafka goes on by itself */
        fault_set(client->last_fault, sizeof client->last_fault, rd_kafka_err2str(next->err));
        rd_kafka_message_destroy(next);
        return true;
    default:
        (void)error_set(error, ERROR_RETRY, "reading from Kafka: %s",
                        rd_kafka_message_errstr(next));
        rd_kafka_message_destroy(next);
        return false;
    }
}
