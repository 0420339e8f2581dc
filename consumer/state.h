/* state.h - what is inside a struct belfry_consumer.
 *
 * Threads: one polls Kafka (the caller of belfry_consumer_next or _run; during the close a helper),
 * any may finish fires. `lock` guards everything below it; Kafka callbacks run in the polling
 * thread without it. Whoever may still touch the consumer holds a reference: its owner, each fire
 * handed out, each handler thread, the close helper.
 *
 * The way of a fire: polled (`arrivals`) and decoded without the lock, accepted into the backlog in
 * the order of its partition (intake.c), handed out when its row lets it (handout.c), to handler
 * threads by crew.c; its end lets its row go on, and moves the position of its partition. */
#ifndef BELFRY_CONSUMER_STATE_H
#define BELFRY_CONSUMER_STATE_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "consumer/backlog.h"
#include "consumer/consumer.h"
#include "consumer/dedupe.h"
#include "consumer/log.h"
#include "consumer/offsets.h"

enum { BELFRY_ARRIVALS_MAX = 256, BELFRY_TICK_MS = 100 };

/* A partition of the current assignment. */
struct belfry_partition {
    char *topic;
    int32_t partition;
    struct belfry_offsets offsets;
    int64_t position; /* the next offset to read as far as finished, BELFRY_OFFSET_NONE: as found */
    int64_t stored;   /* of it, what the client commits next */
    uint64_t row;    /* of its fires, where they are ordered by partition */
    bool full;        /* too much was read behind an unfinished record: it is not read on */
};

struct belfry_arrival { /* read from Kafka and not yet accepted */
    rd_kafka_message_t *message;
    struct belfry_fire *fire; /* NULL: not decoded yet, or it is none */
    bool invalid;
};

/* What the polling thread waits for. */
enum belfry_awaited {
    BELFRY_AWAITS_NOTHING = 0,
    BELFRY_AWAITS_WORK, /* room in memory, or a fire that may be handed out */
    BELFRY_AWAITS_ENDS  /* of fires */
};

/* The threads of belfry_consumer_run(): see crew.c. */
struct belfry_crew {
    belfry_handler *handler;
    void *opaque;
    pthread_cond_t work; /* a fire is ready, the run is over */
    pthread_t *threads;
    uint32_t count;
    uint32_t idle;
    uint64_t taken;     /* fires, by all of them */
    uint64_t looked_at; /* of those, when it was last looked */
    uint32_t span_us16; /* how long a handler takes, a moving mean, in sixteenths */
    bool is_short; /* a thread could not be started */
    bool over;
};

struct belfry_consumer {
    struct belfry_options options; /* its texts are not kept */
    struct belfry_lines *lines;    /* the log, where the options have no on_log; else NULL */
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* what is awaited has come, the close is over */
    enum belfry_awaited awaited;
    bool held; /* the first arrival is a duplicate of a fire of another row */
    uint32_t references;
    rd_kafka_t *kafka; /* given to the close helper with `closing` */
    bool draining;     /* no more fires */
    bool closing;      /* kafka may be gone at any moment */
    bool closed;
    bool broken;       /* an assignment could not be taken: no way on */

    struct belfry_dedupe *window; /* of ids that have been handed out */
    struct belfry_backlog backlog;
    uint64_t assignment; /* counts assignments and revocations */
    uint32_t here; /* fires that are out, of the current assignment */
    struct belfry_partition *partitions;
    size_t partition_count;
    int64_t stored_ms; /* when positions were last given to the client */
    struct belfry_statistics statistics;

    /* Of the polling thread. */
    struct belfry_arrival arrivals[BELFRY_ARRIVALS_MAX];
    size_t arrival_count;
    uint64_t arrived; /* and not counted yet */
    bool paused;      /* all partitions */
    int64_t blocked_since_ms; /* monotonic, 0: not blocked */

    struct belfry_crew crew;
};

#pragma GCC visibility push(hidden)

/* state.c: waits for `changed` until the instant of monotonic_ms(); the lock is held.
 *   returns  false: the time has come */
bool belfry_wait_until(struct belfry_consumer *consumer, int64_t instant_ms);

/* Drops a reference; the lock is not held. The last one frees the consumer. */
void belfry_consumer_release(struct belfry_consumer *consumer);

/* The first arrivals go. The polling thread only. */
void belfry_arrivals_drop(struct belfry_consumer *consumer, size_t count);

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

/* Notes a record as finished. The lock is held. */
void belfry_partition_finish(struct belfry_consumer *consumer, struct belfry_partition *partition,
                             int64_t offset);

/* Gives the positions that have moved to the client, which commits them within a second. The lock
 * is held. */
void belfry_partitions_store(struct belfry_consumer *consumer);

void belfry_partitions_clear(struct belfry_consumer *consumer);

/* A new assignment in place of the one before. The lock is held. False: memory is short. */
bool belfry_partitions_take(struct belfry_consumer *consumer,
                            const rd_kafka_topic_partition_list_t *list);

/* handout.c: the next fire for a handler; NULL: none is ready, or the consumer ends. What turns out
 * to be known is put on the list instead, for belfry_deliveries_free(). The lock is held. */
struct belfry_fire *belfry_handout_take(struct belfry_consumer *consumer,
                                        struct belfry_delivery **known);

/* Ends a fire that is out: its row and its partition go on. The lock is held.
 *   outcome  as it counts is set: see BELFRY_KEPT
 *   returns  the delivery, to be given to belfry_deliveries_free() and then released; NULL: it is
 *            not out */
struct belfry_delivery *belfry_handout_end(struct belfry_consumer *consumer,
                                           const struct belfry_fire *fire,
                                           enum belfry_outcome *outcome);

/* Says what did not go well. The lock is not held. */
void belfry_handout_tell(const struct belfry_consumer *consumer, const struct belfry_fire *fire,
                         enum belfry_outcome outcome);

/* With their fires, along `next`. The lock need not be held. */
void belfry_deliveries_free(struct belfry_delivery *list);

/* intake.c: reads what Kafka has into the backlog, waits at most wait_ms (0 to BELFRY_TICK_MS)
 * where there is no room or nothing to read. The polling thread only.
 *   returns  false: the error as of belfry_consumer_next() */
bool belfry_intake_step(struct belfry_consumer *consumer, int64_t wait_ms,
                        struct belfry_error *error);

/* membership.c: the group's answers, installed by belfry_consumer_create(). */
void belfry_on_rebalance(rd_kafka_t *kafka, rd_kafka_resp_err_t cause,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque);

/* Stops or restarts fetching while no fire can be handed out. The polling thread only. */
void belfry_membership_pause(struct belfry_consumer *consumer, bool pause);

/* The same for each partition of which too much was read behind an unfinished record. */
void belfry_membership_bound(struct belfry_consumer *consumer);

/* crew.c: starts it with one thread; it is ended with belfry_crew_end() in any case. */
bool belfry_crew_open(struct belfry_consumer *consumer, belfry_handler *handler, void *opaque,
                      struct belfry_error *error);
void belfry_crew_end(struct belfry_consumer *consumer);

/* What is ready is to be handled, by as many threads as that is worth. The lock is held. */
void belfry_crew_wake(struct belfry_consumer *consumer);

/* Called now and then: one more thread, if those at work do not get on. The lock is held. */
void belfry_crew_look(struct belfry_consumer *consumer);

#pragma GCC visibility pop

#endif
