/* cluster_site.h - what a command needs to do a daemon's work on shards: Kafka with its topics and
 * transactional producers, Redis with its writer, an engine for each shard. */
#ifndef BELFRY_CLI_CLUSTER_SITE_H
#define BELFRY_CLI_CLUSTER_SITE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/words/settings.h"
#include "dispatcher/daemon/fault.h"
#include "dispatcher/engine/engine.h"
#include "dispatcher/recovery/recover.h"
#include "dispatcher/kafka/kafka_cluster.h"
#include "lib/base/limits.h"
#include "store/redis_options.h"
#include "store/store_writer.h"

enum { SITE_PROPERTIES_MAX = 64, KAFKA_ID_BYTES = 64 };

struct cluster_site {
    const struct settings *settings;
    struct clock clock;
    struct observer observer; /* warnings go to stderr */
    char owner[OWNER_BYTES_MAX + 1];
    struct fault fault; /* BELFRY_FAULT, for tests */

    struct store_redis_options redis;
    struct store *store; /* the command's own connection */
    struct store_writer *writer;
    atomic_bool claimed;
    bool meta_found;
    struct store_meta meta;

    struct cli_kafka *topics;
    struct kafka_cluster *kafka;
    struct kafka_options kafka_options;
    struct kafka_property properties[SITE_PROPERTIES_MAX];
    char kafka_id[KAFKA_ID_BYTES];
    bool missing[TOPIC_OWN_COUNT];
    int32_t missing_count;
    int32_t shards; /* as Kafka's topics say, else as Redis says */
};

/* Connects to both and looks; changes nothing. Close it in any case.
 * Errors: ERROR_RETRY one of them does not answer; ERROR_FATAL they do not go together; code
 * "usage" -X or --redis. */
bool cluster_site_open(struct cluster_site *site, const struct settings *settings,
                       struct error *error) __attribute__((warn_unused_result));
void cluster_site_close(struct cluster_site *site);

/* Makes the topics that are missing. */
bool cluster_site_prepare(struct cluster_site *site, struct error *error)
    __attribute__((warn_unused_result));

/* How many daemons are in the group, and one of them by name. */
bool cluster_site_daemons(struct cluster_site *site, int32_t *count,
                        char first[KAFKA_MEMBER_TEXT_BYTES], struct error *error)
    __attribute__((warn_unused_result));

/* Waits for the group to be empty: a killed daemon is a member for another ten seconds.
 * Errors: ERROR_FATAL, daemons run. */
bool cluster_site_await_no_daemon(struct cluster_site *site, struct error *error)
    __attribute__((warn_unused_result));

/* Errors: ERROR_FATAL, Redis was written for another number of shards than the topics have. */
bool cluster_site_check_shards(const struct cluster_site *site, struct error *error)
    __attribute__((warn_unused_result));

/* This Redis belongs to this Kafka from now on; shards that Kafka does not have are forgotten. */
bool cluster_site_put_meta(struct cluster_site *site, struct error *error)
    __attribute__((warn_unused_result));

/* One shard, ready for the calls of recover.h. */
struct shard_seat {
    struct cluster_site *site;
    int32_t shard;
    struct broker *broker;
    struct checkpoint_port *checkpoint;
    struct checkpoint_port *fault_checkpoint; /* the same, with the fault points */
    struct engine *engine;
};
bool shard_seat_open(struct shard_seat *seat, struct cluster_site *site, int32_t shard,
                     struct error *error) __attribute__((warn_unused_result));
void shard_seat_close(struct shard_seat *seat);

/* For recover_options: `opaque` is the seat. */
bool shard_seat_offset_at(void *seat, enum broker_topic topic, int64_t at_ms, int64_t end,
                          int64_t *offset, struct error *error);
bool shard_seat_drop_store(void *seat, struct error *error);

#endif
