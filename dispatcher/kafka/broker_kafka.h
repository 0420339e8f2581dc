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

/* The same for an operator's command while no daemon runs: ownership is proven by the group having
 * no members. A Kafka that does not come to let it write is ERROR_FATAL, code kafka_away, after
 * away_limit_ms. */
struct broker *broker_kafka_create_alone(struct kafka_cluster *cluster, int32_t shard,
                                         int64_t away_limit_ms, struct error *error)
    __attribute__((warn_unused_result));

/* Ends the shard's poll() early, or its next one at once; any thread. */
void broker_kafka_wake(struct broker *broker);

#endif
