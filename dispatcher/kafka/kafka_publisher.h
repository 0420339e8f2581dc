/* kafka_publisher.h - the transactional producer of one shard. One thread.
 * The functions do what struct broker_operations says of the same names, with its errors. */
#ifndef BELFRY_KAFKA_PUBLISHER_H
#define BELFRY_KAFKA_PUBLISHER_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/kafka/kafka_options.h"

struct kafka_publisher;

/* Opens nothing yet. `lookup` is a handle that never creates topics; borrowed like `options`. */
struct kafka_publisher *kafka_publisher_create(const struct kafka_options *options,
                                               rd_kafka_t *lookup, int32_t shard);
void kafka_publisher_destroy(struct kafka_publisher *publisher);

/* Closes the present producer, if any, makes a new one, settles what its predecessor left open
 * and fences it, warms Belfry's topics. Blocks up to 2 x KAFKA_REQUEST_WAIT_MS. */
bool kafka_publisher_open(struct kafka_publisher *publisher, struct error *error)
    __attribute__((warn_unused_result));
/* Drops what is not delivered. The values of all records may be freed after it. */
void kafka_publisher_close(struct kafka_publisher *publisher);

bool kafka_publisher_begin(struct kafka_publisher *publisher, struct error *error)
    __attribute__((warn_unused_result));
bool kafka_publisher_produce(struct kafka_publisher *publisher,
                             const struct broker_record *record, struct error *error)
    __attribute__((warn_unused_result));
bool kafka_publisher_commit(struct kafka_publisher *publisher, struct broker_receipt *receipt,
                            struct error *error)
    __attribute__((warn_unused_result));
bool kafka_publisher_abort(struct kafka_publisher *publisher, struct error *error)
    __attribute__((warn_unused_result));
bool kafka_publisher_foreign_topic(struct kafka_publisher *publisher, const char *topic,
                                   struct topic_info *info, struct error *error)
    __attribute__((warn_unused_result));

#endif
