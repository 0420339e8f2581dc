/* kafka_foreign.h - topics that jobs name: looked up, remembered for a while, kept warm. Belongs
 * to one publisher and its thread. */
#ifndef BELFRY_KAFKA_FOREIGN_H
#define BELFRY_KAFKA_FOREIGN_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/kafka/kafka_options.h"

struct kafka_foreign;
struct kafka_foreign_topic {
    struct topic_info info;
    rd_kafka_topic_t *handle; /* of the present producer; NULL: not warm */
};

/* `lookup` is a handle that never creates topics (the reader's); borrowed like `options`. */
struct kafka_foreign *kafka_foreign_create(rd_kafka_t *lookup,
                                           const struct kafka_options *options);
void kafka_foreign_destroy(struct kafka_foreign *foreign);

/* What is known about a topic. With `fresh` the cluster is asked when that is older than a minute
 * or than the present producer, or says that the topic is missing; without, only when nothing is
 * known. Borrowed until the next call. NULL: ERROR_RETRY. */
struct kafka_foreign_topic *kafka_foreign_find(struct kafka_foreign *foreign, const char *name,
                                               bool fresh, struct error *error)
    __attribute__((warn_unused_result));

/* Opens the topic in `producer` and waits for its metadata, so that the first record to it does
 * not. Blocks for a second at most.
 *   errors  ERROR_RETRY: no answer; ERROR_INVALID: it has gone since it was looked up */
bool kafka_foreign_warm(struct kafka_foreign_topic *topic, const char *name, rd_kafka_t *producer,
                        struct error *error) __attribute__((warn_unused_result));

/* Closes what belongs to a producer that is about to go; what is known becomes doubtful. */
void kafka_foreign_cool(struct kafka_foreign *foreign);

#endif
