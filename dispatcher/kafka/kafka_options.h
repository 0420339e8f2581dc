/* kafka_options.h - what the Kafka adapter is told, and the librdkafka properties that follow. */
#ifndef BELFRY_KAFKA_OPTIONS_H
#define BELFRY_KAFKA_OPTIONS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/clock.h"
#include "lib/base/error.h"

enum {
    KAFKA_SESSION_TIMEOUT_MS = 10000,
    KAFKA_TRANSACTION_TIMEOUT_MS = 15000,
    KAFKA_MESSAGE_TIMEOUT_MS = 5000,
    KAFKA_REQUEST_WAIT_MS = 5000, /* longest wait for one answer of the cluster */
    KAFKA_TOPIC_MESSAGE_BYTES = 2 * 1024 * 1024,
    KAFKA_RECORD_OVERHEAD_BYTES = 512, /* batch and record head around key, value, headers */
    KAFKA_BATCH_BYTES = 1000 * 1000,   /* a produce request's batch before compression */
    KAFKA_CLUSTER_BYTES_MAX = 200      /* prefix of topic names */
};

/* One librdkafka property that is passed through. */
struct kafka_property {
    const char *name;
    const char *value;
};
struct kafka_properties {
    const struct kafka_property *items;
    size_t count;
};

/* Receives librdkafka's log lines, from the threads that call the adapter, several at a time.
 *   level  as in syslog: 0 emergency ... 3 error, 4 warning, 6 information, 7 debug */
struct kafka_log {
    void *opaque;
    void (*write)(void *opaque, int level, const char *text);
};

/* All pointers are borrowed and outlive the cluster made of them. */
struct kafka_options {
    const char *brokers;     /* host:port,... */
    const char *cluster;     /* Belfry's cluster name: group id, prefix of topics and ids */
    const char *instance_id; /* group.instance.id of a static member, or NULL */
    int32_t shards;          /* partitions of each topic, 1..SHARDS_MAX */
    bool mock;               /* librdkafka's mock cluster: no topic administration there, and log
                                time is the time of reading */
    struct kafka_properties common;   /* [kafka] */
    struct kafka_properties producer; /* [kafka.producer] */
    struct kafka_properties consumer; /* [kafka.consumer] */
    const struct clock *clock;
    struct kafka_log log; /* write may be NULL */
};

enum kafka_role {
    KAFKA_MEMBER = 0, /* the group's member: never fetches */
    KAFKA_READER,     /* reads the shards' partitions, without a group */
    KAFKA_PRODUCER,   /* a shard's transactional producer */
    KAFKA_TICKER,     /* the process's producer without transactions */
    KAFKA_ASKER       /* asks for a group of workers, whose name is still to be set */
};

/* Checks names, ranges and that no property is passed through on which correctness depends.
 *   errors  ERROR_INVALID, naming the property and its section */
bool kafka_options_check(const struct kafka_options *options, struct error *error)
    __attribute__((warn_unused_result));

/* The properties of one client, ready for rd_kafka_new(); the caller owns them.
 *   shard   KAFKA_PRODUCER only: transactional.id is <cluster>-<shard>
 *   NULL    ERROR_INVALID: librdkafka refuses a property, named with its text */
rd_kafka_conf_t *kafka_options_properties(const struct kafka_options *options,
                                          enum kafka_role role, int32_t shard,
                                          struct error *error)
    __attribute__((warn_unused_result));

#endif
