/* options.c - options to a librdkafka configuration. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "consumer/fail.h"
#include "consumer/state.h"
#include "lib/base/topic_name.h"

enum {
    CONCURRENCY_MAX = 10000,
    BUFFERED_DEFAULT = 10000,
    BUFFERED_MAX = 1000000,
    BUFFERED_BYTES_DEFAULT = 64 * 1024 * 1024,
    UNCOMMITTED_DEFAULT = 100000,
    UNCOMMITTED_MAX = 10000000,
    WINDOW_DEFAULT = 100000,
    REBALANCE_WAIT_DEFAULT_MS = 5000,
    REBALANCE_WAIT_MAX_MS = 240000, /* below max.poll.interval.ms */
    DRAIN_DEFAULT_MS = 30000,
    WAIT_MAX_MS = 3600000 * 24 * 2,
    VALUE_BYTES_MAX = 64 * 1024 /* of a property that is in a file */
};

struct property {
    const char *name;
    const char *value;
};

/* Defaults that a property of the caller may change. */
static const struct property defaults[] = {
    {"auto.offset.reset", "earliest"}, /* latest would lose fires of a partition never committed */
    {"auto.commit.interval.ms", "1000"},
    {"partition.assignment.strategy", "range,roundrobin"},
    {"queued.max.messages.kbytes", "16384"},
    {"socket.nagle.disable", "true"},
    {"client.id", "belfry-consumer"},
};

/* What the guarantees stand on. */
static const struct property fixed[] = {
    {"isolation.level", "read_committed"},
    {"enable.auto.offset.store", "false"},
    {"enable.auto.commit", "true"},
    {"enable.partition.eof", "false"},
};

enum { DEFAULTS = sizeof defaults / sizeof defaults[0], FIXED = sizeof fixed / sizeof fixed[0] };

static bool is_secret(const char *name)
{
    return strstr(name, "password") != NULL || strstr(name, "secret") != NULL ||
           strcmp(name, "ssl.key.pem") == 0 || strcmp(name, "sasl.oauthbearer.config") == 0;
}

static bool property_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                         struct belfry_error *error)
{
    char reason[200] = "";
    assert(conf != NULL);
    assert(name != NULL && value != NULL);
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return true;
    return belfry_fail(error, BELFRY_ERROR_INVALID, "Kafka property %s: %s", name,
                       is_secret(name) ? "librdkafka refuses the value" : reason);
}

/* The value of NAME_file=PATH: what is in the file, without the line end. */
static bool value_read(const char *name, const char *path, char value[VALUE_BYTES_MAX + 1],
                       struct belfry_error *error)
{
    assert(name != NULL && path != NULL);
    FILE *file = fopen(path, "re");
    size_t length = file == NULL ? 0 : fread(value, 1, VALUE_BYTES_MAX + 1, file);
    int cause = file == NULL || ferror(file) != 0 ? errno : 0;
    if (file != NULL) (void)fclose(file);
    if (cause != 0) {
        return belfry_fail(error, BELFRY_ERROR_INVALID, "Kafka property %s_file: %.100s: %s", name,
                           path, strerrordesc_np(cause));
    }
    while (length > 0 && (value[length - 1] == '\n' || value[length - 1] == '\r')) length--;
    if (length == 0 || length > VALUE_BYTES_MAX || memchr(value, '\0', length) != NULL) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "Kafka property %s_file: %.100s: must hold "
                           "1 to %d bytes without a NUL",
                           name, path, VALUE_BYTES_MAX);
    }
    value[length] = '\0';
    return true;
}

/* The length of the name in NAME_file, which has `length` bytes; 0: another name. */
static size_t file_name_length(const char *name, size_t length)
{
    static const char suffix[] = "_file";
    size_t bytes = sizeof suffix - 1;
    bool file = length > bytes && strncmp(name + length - bytes, suffix, bytes) == 0;
    return file ? length - bytes : 0;
}

static bool property_allowed(const char *name, const char *value, struct belfry_error *error)
{
    for (int i = 0; i < FIXED; i++) {
        if (strcmp(name, fixed[i].name) != 0) continue;
        return belfry_fail(error, BELFRY_ERROR_INVALID, "Kafka property %s is always %s here", name,
                           fixed[i].value);
    }
    if (strcmp(name, "bootstrap.servers") == 0 || strcmp(name, "metadata.broker.list") == 0 ||
        strcmp(name, "group.id") == 0) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "Kafka property %s: give it as the "
                           "option brokers or group_id",
                           name);
    }
    if (strcmp(name, "partition.assignment.strategy") == 0 && strstr(value, "cooperative")) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "Kafka property %s: only the eager range "
                           "and roundrobin are supported",
                           name);
    }
    return true;
}

static bool property_given(rd_kafka_conf_t *conf, const char *text, struct belfry_error *error)
{
    char name[200];
    assert(conf != NULL);
    const char *equals = text == NULL ? NULL : strchr(text, '=');
    if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof name) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "Kafka property \"%.60s\": must be "
                           "name=value",
                           text == NULL ? "(NULL)" : text);
    }
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    size_t length = file_name_length(name, strlen(name));
    if (length == 0) {
        return property_allowed(name, equals + 1, error) &&
               property_set(conf, name, equals + 1, error);
    }
    char value[VALUE_BYTES_MAX + 1];
    name[length] = '\0';
    return value_read(name, equals + 1, value, error) && property_allowed(name, value, error) &&
           property_set(conf, name, value, error);
}

void belfry_options_warn(const struct belfry_consumer *consumer, const struct belfry_options *given)
{
    assert(consumer != NULL && given != NULL);
    for (size_t i = 0; i < given->property_count; i++) {
        struct stat status;
        const char *equals = strchr(given->properties[i], '=');
        size_t length = equals == NULL ? 0 : (size_t)(equals - given->properties[i]);
        if (file_name_length(given->properties[i], length) == 0) continue;
        if (stat(equals + 1, &status) != 0 || !S_ISREG(status.st_mode)) continue;
        if ((status.st_mode & (S_IROTH | S_IWGRP | S_IWOTH)) == 0) continue;
        struct belfry_fields fields = {0};
        belfry_fields_text(&fields, "file", equals + 1);
        belfry_fields_text(&fields, "message", "others may read or change it; chmod 0600");
        belfry_consumer_log(consumer, BELFRY_LOG_WARN, "secret.exposed", &fields);
    }
}

static bool number_checked(const char *name, int64_t value, int64_t max, struct belfry_error *error)
{
    assert(name != NULL);
    assert(max > 0);
    if (value >= 1 && value <= max) return true;
    return belfry_fail(error, BELFRY_ERROR_INVALID, "option %s is %lld, allowed is 1 to %lld", name,
                       (long long)value, (long long)max);
}

static bool ordering_checked(enum belfry_ordering ordering, struct belfry_error *error)
{
    if (ordering >= BELFRY_ORDER_KEY && ordering <= BELFRY_ORDER_NONE) return true;
    return belfry_fail(error, BELFRY_ERROR_INVALID,
                       "option ordering is %d, allowed is BELFRY_ORDER_KEY, _PARTITION or _NONE",
                       (int)ordering);
}

static bool numbers_apply(struct belfry_options *options, struct belfry_error *error)
{
    if (options->concurrency == 0) options->concurrency = 1;
    if (options->window_ids == 0) options->window_ids = WINDOW_DEFAULT;
    if (options->buffered_max == 0) options->buffered_max = BUFFERED_DEFAULT;
    if (options->buffered_bytes_max == 0) options->buffered_bytes_max = BUFFERED_BYTES_DEFAULT;
    if (options->uncommitted_max == 0) options->uncommitted_max = UNCOMMITTED_DEFAULT;
    if (options->rebalance_wait_ms == 0) options->rebalance_wait_ms = REBALANCE_WAIT_DEFAULT_MS;
    if (options->drain_ms == 0) options->drain_ms = DRAIN_DEFAULT_MS;
    return number_checked("concurrency", options->concurrency, CONCURRENCY_MAX, error) &&
           number_checked("window_ids", options->window_ids, BELFRY_DEDUPE_MAX, error) &&
           ordering_checked(options->ordering, error) &&
           number_checked("buffered_max", options->buffered_max, BUFFERED_MAX, error) &&
           number_checked("buffered_bytes_max", options->buffered_bytes_max, INT64_MAX, error) &&
           number_checked("uncommitted_max", options->uncommitted_max, UNCOMMITTED_MAX, error) &&
           number_checked("rebalance_wait_ms", options->rebalance_wait_ms, REBALANCE_WAIT_MAX_MS,
                          error) &&
           number_checked("drain_ms", options->drain_ms, WAIT_MAX_MS, error);
}

static bool texts_present(const struct belfry_options *given, struct belfry_error *error)
{
    if (given->brokers == NULL || given->brokers[0] == '\0') {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "option brokers is missing: give "
                           "\"host:port\", with commas between several");
    }
    if (given->group_id == NULL || given->group_id[0] == '\0') {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "option group_id is missing: consumers "
                           "with one group id share the fires");
    }
    if ((given->topic_count > 0 && given->topics == NULL) ||
        (given->property_count > 0 && given->properties == NULL)) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "topics or properties is NULL, but its "
                           "count is not 0");
    }
    return true;
}

/* How soon the client fetches again when it had enough: at its own default, a second, it would
 * leave a consumer that is slower than the broker idle for most of the time. Not known before 2.2.
 */
static void fetch_soon(rd_kafka_conf_t *conf)
{
    char reason[200];
    (void)rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "5", reason, sizeof reason);
}

rd_kafka_conf_t *belfry_options_apply(const struct belfry_options *given,
                                      struct belfry_options *options, struct belfry_error *error)
{
    *options = *given;
    if (!texts_present(given, error) || !numbers_apply(options, error)) return NULL;
    options->brokers = options->group_id = options->cluster = NULL;
    options->topics = options->properties = NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (conf == NULL) {
        belfry_fail_memory(error, "a Kafka configuration");
        return NULL;
    }
    bool good = property_set(conf, "bootstrap.servers", given->brokers, error) &&
                property_set(conf, "group.id", given->group_id, error);
    for (int i = 0; good && i < DEFAULTS; i++)
        good = property_set(conf, defaults[i].name, defaults[i].value, error);
    fetch_soon(conf);
    for (size_t i = 0; good && i < given->property_count; i++)
        good = property_given(conf, given->properties[i], error);
    for (int i = 0; good && i < FIXED; i++)
        good = property_set(conf, fixed[i].name, fixed[i].value, error);
    if (good) return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

rd_kafka_topic_partition_list_t *belfry_options_topics(const struct belfry_options *given,
                                                       struct belfry_error *error)
{
    char fires[TOPIC_NAME_BYTES];
    const char *cluster = given->cluster == NULL ? "belfry" : given->cluster;
    const char *one[] = {fires};
    const char *const *topics = given->topic_count > 0 ? given->topics : one;
    size_t count = given->topic_count > 0 ? given->topic_count : 1;
    if (!topic_name_of(cluster, "fires", fires) || cluster[0] == '\0') {
        belfry_fail(error, BELFRY_ERROR_INVALID,
                    "option cluster \"%.40s\" is not a name of 1 to "
                    "243 bytes",
                    cluster);
        return NULL;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        size_t bytes = topics[i] == NULL ? 0 : strlen(topics[i]);
        if (bytes >= 1 && bytes <= TOPIC_BYTES_MAX) {
            rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
            continue;
        }
        belfry_fail(error, BELFRY_ERROR_INVALID,
                    "option topics: name %zu must have 1 to %d "
                    "bytes, it has %zu",
                    i + 1, TOPIC_BYTES_MAX, bytes);
        rd_kafka_topic_partition_list_destroy(list);
        return NULL;
    }
    if (list == NULL) belfry_fail_memory(error, "the topics");
    return list;
}
