/* kafka_cluster.h - Kafka as the process sees it: its topics, its id, the group of daemons. What
 * belongs to one shard is broker_kafka.h. One thread calls these functions, unless said so. */
#ifndef BELFRY_KAFKA_CLUSTER_H
#define BELFRY_KAFKA_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/kafka/kafka_member.h"
#include "dispatcher/kafka/kafka_options.h"
#include "dispatcher/kafka/kafka_reader.h"
#include "dispatcher/kafka/kafka_ticker.h"
#include "dispatcher/kafka/kafka_topics.h"

struct kafka_cluster;

/* Connects in the background, joins nothing. `options` and all it points to is borrowed.
 * NULL: ERROR_INVALID, an option is wrong. End it with kafka_cluster_destroy(). */
struct kafka_cluster *kafka_cluster_create(const struct kafka_options *options,
                                           struct error *error)
    __attribute__((warn_unused_result));
/* All brokers of its shards must be destroyed before. Leaves the group if that was not done.
 * NULL is allowed. */
void kafka_cluster_destroy(struct kafka_cluster *cluster);

/* Waits until the cluster answers. ERROR_RETRY: not within deadline_ms. */
bool kafka_cluster_wait_ready(struct kafka_cluster *cluster, int32_t deadline_ms,
                              struct error *error) __attribute__((warn_unused_result));

/* The id Kafka gave itself, "" as long as it is not known. Call after wait_ready(). Owned by the
 * cluster. */
const char *kafka_cluster_id(struct kafka_cluster *cluster);

/* Makes missing topics, checks the others: see kafka_topics_prepare(). With `mock` it only
 * checks the number of partitions. */
bool kafka_cluster_prepare_topics(struct kafka_cluster *cluster,
                                  const struct kafka_report *report, struct error *error)
    __attribute__((warn_unused_result));

/* As kafka_topics_prepare() found it last; false before, and with `mock`. */
bool kafka_cluster_runs_by_append_time(const struct kafka_cluster *cluster);

/* How many members the group of daemons has; this one counts while it is in it. */
bool kafka_cluster_members(struct kafka_cluster *cluster, int32_t *count, struct error *error)
    __attribute__((warn_unused_result));
void kafka_cluster_rest(struct kafka_cluster *cluster);

/* See kafka_member.h: rest, join, poll (which also serves the reader's log), wake (any thread),
 * leave. */
bool kafka_cluster_join(struct kafka_cluster *cluster, struct error *error)
    __attribute__((warn_unused_result));
bool kafka_cluster_poll(struct kafka_cluster *cluster, int32_t wait_ms,
                        struct kafka_assignment *assignment, bool *changed, struct error *error)
    __attribute__((warn_unused_result));
void kafka_cluster_wake(struct kafka_cluster *cluster);
bool kafka_cluster_leave(struct kafka_cluster *cluster, int32_t deadline_ms, struct error *error);

/* The parts that the brokers of the shards share; any thread. */
struct kafka_member *kafka_cluster_member(struct kafka_cluster *cluster);
struct kafka_reader *kafka_cluster_reader(struct kafka_cluster *cluster);
struct kafka_ticker *kafka_cluster_ticker(struct kafka_cluster *cluster);
const struct kafka_options *kafka_cluster_options(const struct kafka_cluster *cluster);

#endif
