#include "dispatcher/kafka/own_limit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/kafka/kafka_admin.h"

#define BELIEVED_US INT64_C(60000000)
enum { SMALLEST_BATCH_BYTES = 1000 };

void own_limit_init(struct own_limit *limit, rd_kafka_t *lookup,
                    const struct kafka_options *options)
{
    assert(lookup != NULL && options != NULL);
    *limit = (struct own_limit){.lookup = lookup, .options = options};
}

static int64_t now_us(const struct own_limit *limit)
{
    return limit->options->clock->monotonic_us(limit->options->clock->opaque);
}

static bool is_ours(const struct own_limit *limit, const char *topic)
{
    size_t length = strlen(limit->options->cluster);
    return strncmp(topic, limit->options->cluster, length) == 0 && topic[length] == '.';
}

void own_limit_apply(struct own_limit *limit, rd_kafka_conf_t *conf)
{
    char value[24];
    if (limit->bytes > 0 && now_us(limit) - limit->asked_us > BELIEVED_US) limit->bytes = 0;
    if (limit->bytes == 0 || limit->bytes >= KAFKA_BATCH_BYTES) return;
    int64_t bytes = limit->bytes - KAFKA_RECORD_OVERHEAD_BYTES;
    (void)snprintf(value, sizeof value, "%lld",
                   (long long)(bytes < SMALLEST_BATCH_BYTES ? SMALLEST_BATCH_BYTES : bytes));
    (void)rd_kafka_conf_set(conf, "batch.size", value, NULL, 0);
}

static void ask(struct own_limit *limit, const char *topic)
{
    struct error unseen = {0};
    bool known = limit->bytes > 0 && strcmp(topic, limit->topic) == 0 &&
                 now_us(limit) - limit->asked_us < BELIEVED_US;
    if (known || limit->options->mock) return;
    (void)snprintf(limit->topic, sizeof limit->topic, "%s", topic);
    if (!kafka_admin_size_limit(limit->lookup, topic, KAFKA_REQUEST_WAIT_MS, &limit->bytes,
                                &unseen))
        limit->bytes = 0;
    limit->asked_us = now_us(limit);
}

void own_limit_say(struct own_limit *limit, const char *topic, rd_kafka_resp_err_t code, char *text,
                   size_t bytes)
{
    bool large = code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && is_ours(limit, topic);
    if (large) ask(limit, topic);
    if (!large || limit->bytes == 0 || limit->bytes >= KAFKA_TOPIC_MESSAGE_BYTES)
        (void)snprintf(text, bytes, "a record to %s", topic);
    else
        (void)snprintf(text, bytes, "a record to %s, whose max.message.bytes is %lld: set it to "
                       "%d", topic, (long long)limit->bytes, (int)KAFKA_TOPIC_MESSAGE_BYTES);
}
