/* own_limit.h - the size limit of a topic of ours that has refused a record: named with the
 * failure, and batches are made no larger until it is likely to have been mended. */
#ifndef BELFRY_KAFKA_OWN_LIMIT_H
#define BELFRY_KAFKA_OWN_LIMIT_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/kafka/kafka_options.h"
#include "dispatcher/kafka/kafka_topics.h"

struct own_limit {
    rd_kafka_t *lookup;
    const struct kafka_options *options;
    char topic[TOPIC_NAME_BYTES]; /* the last one that was asked about */
    int64_t bytes;                      /* 0: not known */
    int64_t asked_us;
};

void own_limit_init(struct own_limit *limit, rd_kafka_t *lookup,
                    const struct kafka_options *options);
/* Of a producer to be opened: batches that the limited topic takes. */
void own_limit_apply(struct own_limit *limit, rd_kafka_conf_t *conf);
/* "a record to X", and for a record too large what the topic takes and what is needed. */
void own_limit_say(struct own_limit *limit, const char *topic, rd_kafka_resp_err_t code, char *text,
                   size_t bytes);

#endif
