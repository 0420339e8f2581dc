/* mock_cluster.h - librdkafka's mock cluster, for the embedded trial mode and for tests: a real
 * TCP listener of this process, which forgets everything at exit (docs/kafka.md). */
#ifndef BELFRY_KAFKA_MOCK_CLUSTER_H
#define BELFRY_KAFKA_MOCK_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/kafka/kafka_options.h"
#include "lib/base/error.h"

struct mock_cluster;

/* Starts one broker on a free port of 127.0.0.1 with Belfry's topics of `shards` partitions each.
 * `log` receives what the mock says. NULL: ERROR_FATAL. End it with mock_cluster_destroy(), after
 * all its clients. */
struct mock_cluster *mock_cluster_create(const char *cluster, int32_t shards,
                                         const struct kafka_log *log, struct error *error)
    __attribute__((warn_unused_result));
void mock_cluster_destroy(struct mock_cluster *mock);

/* "127.0.0.1:port"; owned by the mock. */
const char *mock_cluster_brokers(const struct mock_cluster *mock);

/* One more topic, for jobs that name it. Errors: ERROR_INVALID, it exists or cannot be. */
bool mock_cluster_add_topic(struct mock_cluster *mock, const char *topic, int32_t partitions,
                            struct error *error) __attribute__((warn_unused_result));

/* The next `count` requests of this kind (Kafka's api key, 26 = EndTxn) fail with `code`. */
void mock_cluster_fail_requests(struct mock_cluster *mock, int16_t api_key,
                                rd_kafka_resp_err_t code, size_t count);
/* No more such failures. */
void mock_cluster_heal(struct mock_cluster *mock, int16_t api_key);

#endif
