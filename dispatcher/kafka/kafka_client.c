#include "dispatcher/kafka/kafka_client.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum { LOG_TEXT_BYTES = 1024, REFUSAL_BYTES = 200 };

void kafka_client_log(const struct kafka_log *log, int level, const char *format, ...)
{
    assert(log != NULL);
    assert(level >= LOG_EMERG && level <= LOG_DEBUG);
    if (log->write == NULL) return;
    char text[LOG_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log->write(log->opaque, level, text);
}

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    const struct kafka_client *client = rd_kafka_opaque(handle);
    /* [kafka] goes to producers and consumers alike: what only one of them knows is no fault. */
    if (strcmp(facility, "CONFWARN") == 0) level = LOG_DEBUG;
    int bounded = level < LOG_EMERG ? LOG_EMERG : level > LOG_DEBUG ? LOG_DEBUG : level;
    kafka_client_log(&client->log, bounded, "%s %s: %s", rd_kafka_name(handle), facility, text);
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    const struct kafka_client *client = opaque;
    assert(client != NULL);
    kafka_client_log(&client->log, LOG_WARNING, "%s: %s (%s)", rd_kafka_name(handle), reason,
                     rd_kafka_err2name((rd_kafka_resp_err_t)code));
}

/* In a thread of librdkafka: the connection is gone, before what was under way is sent again. */
static int on_close(int socket, void *opaque)
{
    struct kafka_client *client = opaque;
    atomic_fetch_add(&client->closed, 1U);
    return close(socket);
}

static int on_statistics(rd_kafka_t *handle, char *json, size_t length, void *opaque)
{
    const struct kafka_client *client = opaque;
    assert(client != NULL);
    (void)handle;
    if (client->log.write != NULL && length > 0)
        client->log.write(client->log.opaque, LOG_DEBUG, json);
    return 0; /* librdkafka frees the text */
}

rd_kafka_t *kafka_client_open(struct kafka_client *client, rd_kafka_conf_t *conf,
                              enum kafka_role role, struct error *error)
{
    assert(client != NULL);
    assert(conf != NULL);
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);
    rd_kafka_conf_set_closesocket_cb(conf, on_close);
    char refusal[REFUSAL_BYTES] = "";
    bool produces = role == KAFKA_PRODUCER || role == KAFKA_TICKER;
    rd_kafka_type_t type = produces ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    rd_kafka_t *handle = rd_kafka_new(type, conf, refusal, sizeof refusal);
    if (handle == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(error, ERROR_FATAL, "the Kafka client cannot be made: %s (sections [kafka], "
                  "[kafka.producer], [kafka.consumer])", refusal);
        return NULL;
    }
    if (role == KAFKA_MEMBER) (void)rd_kafka_poll_set_consumer(handle);
    (void)rd_kafka_set_log_queue(handle, NULL);
    return handle;
}

const char *kafka_library_version(void)
{
    return rd_kafka_version_str();
}
