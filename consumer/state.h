/* state.h - what is inside a struct belfry_consumer.
 *
 * Threads: one polls Kafka (the caller of belfry_consumer_next or _run; during the close a helper),
 * any may finish fires. `lock` guards everything below it; Kafka callbacks run in the polling
 * thread without it. Whoever may still touch the consumer holds a reference: its owner, each fire
 * handed out, each handler thread, the close helper. */
#ifndef BELFRY_CONSUMER_STATE_H
#define BELFRY_CONSUMER_STATE_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "consumer/consumer.h"
#include "consumer/dedupe.h"
#include "consumer/log.h"
#include "consumer/offsets.h"

enum { BELFRY_PENDING_MAX = 16, BELFRY_TICK_MS = 100 };

/* A partition of the current assignment. */
struct belfry_partition {
    char *topic;
    int32_t partition;
    struct belfry_offsets offsets;
    int64_t position; /* the next offset to read as far as finished, BELFRY_OFFSET_NONE: as found */
};

/* A fire handed out and not done. */
struct belfry_delivery {
    struct belfry_delivery *next;       /* of all deliveries */
    struct belfry_delivery *next_ready; /* of those that wait for a handler thread */
    struct belfry_fire *fire;
    struct hash_128 hash;
    uint64_t assignment; /* which assignment its record belongs to */
    int64_t offset;      /* of its record in that assignment */
};

struct belfry_consumer {
    struct belfry_options options; /* its texts are not kept */
    struct belfry_lines *lines;    /* the log, where the options have no on_log; else NULL */
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a fire is done, a fire is ready, the close is over */
    uint32_t references;
    rd_kafka_t *kafka; /* given to the close helper with `closing` */
    bool draining;     /* no more fires */
    bool closing;      /* kafka may be gone at any moment */
    bool closed;
    bool broken;       /* an assignment could not be taken: no way on */

    struct belfry_dedupe *window;
    struct belfry_delivery *deliveries;
    struct belfry_delivery *ready_first;
    struct belfry_delivery *ready_last;
    uint64_t assignment; /* counts assignments and revocations */
    struct belfry_partition *partitions;
    size_t partition_count;
    struct belfry_statistics statistics;

    /* Of the polling thread. */
    rd_kafka_message_t *pending[BELFRY_PENDING_MAX]; /* read from Kafka and not yet accepted */
    size_t pending_count;
    bool paused;
    bool held;                /* the first pending record is a duplicate of a fire in flight */
    int64_t blocked_since_ms; /* monotonic, 0: not blocked */

    /* Of belfry_consumer_run(). */
    belfry_handler *handler;
    void *handler_opaque;
    bool run_over;
};

#pragma GCC visibility push(hidden)

/* state.c: waits for `changed` until the instant of monotonic_ms(); the lock is held.
 *   returns  false: the time has come */
bool belfry_wait_until(struct belfry_consumer *consumer, int64_t instant_ms);

/* Drops a reference; the lock is not held. The last one frees the consumer. */
void belfry_consumer_release(struct belfry_consumer *consumer);

void belfry_consumer_log(const struct belfry_consumer *consumer, enum belfry_level level,
                         const char *event, const struct belfry_fields *fields);

/* options.c: checks the options and fills in defaults (without texts).
 *   returns  a configuration, the caller's until rd_kafka_new() took it; NULL and the error */
rd_kafka_conf_t *belfry_options_apply(const struct belfry_options *given,
                                      struct belfry_options *options, struct belfry_error *error);

/* Says which files with a secret others may read or change. */
void belfry_options_warn(const struct belfry_consumer *consumer,
                         const struct belfry_options *given);

/* The topics to subscribe to, the caller's; NULL and the error. */
rd_kafka_topic_partition_list_t *belfry_options_topics(const struct belfry_options *given,
                                                       struct belfry_error *error);

/* partitions.c: the partition of the current assignment, NULL: it has gone. The lock is held. */
struct belfry_partition *belfry_partition_find(struct belfry_consumer *consumer, const char *topic,
                                               int32_t partition);

/* Notes a record as finished and stores the offset for the next commit. The lock is held. */
void belfry_partition_finish(struct belfry_consumer *consumer, struct belfry_partition *partition,
                             int64_t offset);

void belfry_partitions_clear(struct belfry_consumer *consumer);

/* A new assignment in place of the one before. The lock is held. False: memory is short. */
bool belfry_partitions_take(struct belfry_consumer *consumer,
                            const rd_kafka_topic_partition_list_t *list);

/* membership.c: the group's answers, installed by belfry_consumer_create(). */
void belfry_on_rebalance(rd_kafka_t *kafka, rd_kafka_resp_err_t cause,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque);

/* Stops or restarts fetching while no fire can be handed out. The polling thread only. */
void belfry_membership_pause(struct belfry_consumer *consumer, bool pause);

#pragma GCC visibility pop

#endif
