/* kafka_fixture.h - for tests of the Kafka adapter: a cluster of their own on a broker that runs
 * already, and short ways to publish and to read. Failures end the test with their text. */
#ifndef BELFRY_TESTS_KAFKA_FIXTURE_H
#define BELFRY_TESTS_KAFKA_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/kafka/broker_kafka.h"
#include "dispatcher/kafka/kafka_cluster.h"

enum { FIXTURE_SHARDS = 4, FIXTURE_DEADLINE_MS = 60000 };

struct kafka_fixture {
    struct kafka_options options;
    struct kafka_cluster *cluster;
    char name[48]; /* of the cluster; never used before */
};

extern const struct clock fixture_clock;

/* Address from BELFRY_TEST_KAFKA; NULL when it is not set, after saying so. */
const char *fixture_brokers(void);

/* A new cluster name, clients, no topics yet. */
void fixture_open(struct kafka_fixture *fixture, const char *brokers);
/* Topics made and all shards assigned to this process. */
void fixture_start(struct kafka_fixture *fixture);
/* A second process of the same cluster, not yet in the group. */
void fixture_second(struct kafka_fixture *second, const struct kafka_fixture *first);
void fixture_close(struct kafka_fixture *fixture);
/* For a group of tests on one started fixture, which is their *state. */
int fixture_open_all(void **state);
int fixture_close_all(void **state);

/* Polls until the group has given this process `count` shards; returns which. */
struct kafka_assignment fixture_await_shards(struct kafka_fixture *fixture, size_t count);

/* A broker of one shard, its producer open when `open`. */
struct broker *fixture_broker(struct kafka_fixture *fixture, int32_t shard, bool open);

/* A record to one of Belfry's topics, on the partition of the shard. */
struct broker_record fixture_record(enum broker_topic topic, int32_t shard, const char *key,
                                    const char *value);

/* begin, `count` records to the state topic with values <prefix>0, <prefix>1, ..., commit or
 * abort. */
void fixture_transaction(struct broker *broker, int32_t shard, const char *prefix, int count,
                         bool commit);

/* Polls until a record or an end of partition comes; release it. */
void fixture_next(struct broker *broker, struct broker_input *input);

/* Reads the state topic from `offset` to its end, which for a moment after a commit may still be
 * the one before it, until `wanted` records came and not one more; their values are joined by
 * spaces in `values`. */
void fixture_read_state(struct broker *broker, int64_t offset, int wanted, char *values,
                        size_t bytes);

void fixture_check(bool done, const struct error *error, const char *what);
#define OK(call) fixture_check(call, &error, #call)

#endif
