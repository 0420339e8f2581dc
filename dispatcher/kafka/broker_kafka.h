/* broker_kafka.h - the broker port of one shard on a real Kafka. */
#ifndef BELFRY_KAFKA_BROKER_KAFKA_H
#define BELFRY_KAFKA_BROKER_KAFKA_H

#include <stdint.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/kafka/kafka_cluster.h"

/* A broker for the shard's thread; connects to nothing before open_producer or start_reading.
 * The cluster is borrowed. End it with operations->destroy(). NULL: ERROR_INVALID, no such
 * shard. */
struct broker *broker_kafka_create(struct kafka_cluster *cluster, int32_t shard,
                                   struct error *error) __attribute__((warn_unused_result));

/* Ends the shard's poll() early, or its next one at once; any thread. */
void broker_kafka_wake(struct broker *broker);

#endif
