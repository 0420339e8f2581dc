/* broker.h - port: Kafka as one shard sees it. Real: dispatcher/kafka. Simulated: tests.
 *
 * One broker object belongs to one shard and is called by that shard's thread only; calls block,
 * each within a bound. The kind of an error says what to do next:
 *   ERROR_RETRY    nothing happened: back off, call again
 *   ERROR_ABORT    the transaction is lost cleanly: abort(), then produce the same again
 *   ERROR_UNKNOWN  the outcome is unknown, or the producer is of no more use: open_producer(),
 *                  read the last committed mark, then decide. With the code CODE_REFUSED one of
 *                  the records is refused, whenever it is sent, and which is not known
 *   ERROR_FENCED   another producer of this shard has been opened
 *   ERROR_INVALID  this record is refused, the others are not touched
 *   ERROR_FATAL    configuration: no way on */
#ifndef BELFRY_ENGINE_BROKER_H
#define BELFRY_ENGINE_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/text.h"

/* Belfry's own topics, named <cluster>.<name>. */
enum broker_topic {
    TOPIC_CONTROL = 0,
    TOPIC_FORWARD,
    TOPIC_RESULTS,
    TOPIC_FIRES,
    TOPIC_EVENTS,
    TOPIC_RUNS,
    TOPIC_STATE,
    TOPIC_DEAD,
    TOPIC_CANCELS,
    TOPIC_FOREIGN /* a topic a job or a command names; not ours */
};
enum { TOPIC_OWN_COUNT = TOPIC_FOREIGN };

struct broker_header {
    const char *name; /* terminated */
    struct text value;
};

enum { BROKER_PARTITION_BY_KEY = -1 };

/* To produce. Key, headers and topic are copied; `value` is borrowed, and may be read again, until
 * the transaction has ended well (commit() or abort() returned true) or the producer is gone
 * (open_producer() or close_producer() returned). A value with length 0 and bytes NULL is a
 * tombstone. */
struct broker_record {
    enum broker_topic topic;
    const char *foreign_topic; /* terminated; TOPIC_FOREIGN only */
    int32_t partition;         /* or BROKER_PARTITION_BY_KEY: murmur2 of the key */
    struct text key;
    struct text value;
    const struct broker_header *headers;
    size_t header_count;
    bool wants_receipt; /* at most one of a transaction: commit() says what became of it */
};

/* What Kafka said of one record when it took it. */
struct broker_receipt {
    int64_t offset;          /* -1 = not known */
    int64_t appended_ms;     /* the broker's clock; 0 = not known */
    int64_t acknowledged_us; /* our monotonic clock when Kafka's word came; 0 = not known */
};

enum broker_input_kind {
    BROKER_NOTHING = 0, /* the wait is over */
    BROKER_RECORD,
    BROKER_END /* end of partition reached; offset = the next one to come */
};

enum { BROKER_INPUT_HEADERS_MAX = 80, BROKER_RECORD_HEADERS_MAX = 88 /* of a fire */ };

struct broker_input {
    enum broker_input_kind kind;
    enum broker_topic topic;
    int64_t offset;
    int64_t log_time_ms; /* the broker's append time */
    struct text key;
    struct text value;
    bool tombstone;
    bool truncated_headers; /* more than BROKER_INPUT_HEADERS_MAX: the rest is cut */
    void *handle; /* the adapter's; give it back with release() */
    size_t header_count;
    struct broker_header headers[BROKER_INPUT_HEADERS_MAX]; /* last: a copy may be cut here */
};

struct topic_info {
    bool exists;
    int32_t partitions;
    int64_t max_message_bytes; /* 0 = not known */
};

/* A partition of a topic of others, and how far a consumer group has got there. */
struct broker_place {
    const char *topic; /* terminated */
    int32_t partition;
    int64_t committed; /* the answer: what the group reads next, or one of these */
};
enum {
    BROKER_COMMITTED_NONE = -1,    /* it has never committed there, or is no group at all */
    BROKER_COMMITTED_UNKNOWN = -2, /* Kafka does not say: no right to describe the topic, ... */
    BROKER_PLACES_MAX = 1000       /* of one question */
};

enum broker_answer {
    BROKER_UNASKED = 0,
    BROKER_ASKED,     /* the answer is still to come */
    BROKER_ANSWERED,  /* and it has been taken: nothing is asked any more */
    BROKER_UNANSWERED /* nor will it be */
};

struct broker;
struct broker_operations {
    /* A synchronous offset commit of the shard's control partition by the group member succeeds
     * and its assignment is not lost. ERROR_FENCED: not ours now. */
    bool (*prove_ownership)(struct broker *broker, int64_t control_offset, struct error *error);

    /* Ends the present producer, if any, opens a new one with the shard's transactional id and
     * runs init_transactions: settles what was open, fences the others. Warms Belfry's topics.
     * Call prove_ownership() first. */
    bool (*open_producer)(struct broker *broker, struct error *error);
    void (*close_producer)(struct broker *broker); /* none is open: nothing happens */

    bool (*begin)(struct broker *broker, struct error *error);
    /* ERROR_INVALID: refused, not part of the transaction, which can still be committed. */
    bool (*produce)(struct broker *broker, const struct broker_record *record,
                    struct error *error);
    /* Flush, then commit, repeated while retriable within 2 x transaction.timeout.ms.
     * ERROR_ABORT only after a clean flush.
     *   receipt  of the record that wants one; set only on true. NULL: nobody asks */
    bool (*commit)(struct broker *broker, struct broker_receipt *receipt, struct error *error);
    bool (*abort)(struct broker *broker, struct error *error);

    /* Reading the shard's partition of an input or of STATE, read_committed. */
    bool (*start_reading)(struct broker *broker, enum broker_topic topic, int64_t offset,
                          struct error *error);
    void (*stop_reading)(struct broker *broker, enum broker_topic topic);
    /* First offset kept, and the last stable offset. */
    bool (*offsets)(struct broker *broker, enum broker_topic topic, int64_t *first,
                    int64_t *end, struct error *error);
    /* The one wait of a shard: the next record or end of partition of what is being read, at
     * most wait_ms. A wake from another thread ends it early. Release every RECORD. */
    bool (*poll)(struct broker *broker, int32_t wait_ms, struct broker_input *input,
                 struct error *error);
    void (*release)(struct broker *broker, struct broker_input *input);

    /* Looks a foreign topic up and opens it, so that the first fire to it is not cold. */
    bool (*foreign_topic)(struct broker *broker, const char *topic, struct topic_info *info,
                          struct error *error);
    void (*destroy)(struct broker *broker);
    /* The end of what is being read of the topic, as far as Kafka has said it by the way; -1: it
     * has not. Asks nobody. NULL: this broker does not know. */
    int64_t (*end_seen)(struct broker *broker, enum broker_topic topic);

    /* Sends a record without a key to the shard's own partition of RUNS, outside of transactions.
     * Waits for nothing: that it is in the log, and that all that was there before has been read,
     * is known by reading it. It may come late, twice, or not at all.
     *   errors  this one was not sent. ERROR_RETRY: as many as may be are under way; else what
     *           became of an earlier one */
    bool (*tick)(struct broker *broker, struct text value, struct error *error);

    /* Asks the coordinator of a consumer group how far it has committed in some partitions, each
     * named once: one request, and no wait. A question that is under way is given up.
     *   errors  nothing was asked */
    bool (*ask_committed)(struct broker *broker, const char *group,
                          const struct broker_place *places, size_t count, struct error *error);
    /* Whether the answer is there, within a bound; no wait. ANSWERED: the places, which may be
     * fewer or in another order than was asked, are filled.
     *   errors  UNANSWERED: ERROR_RETRY, none came in time; ERROR_FATAL, no right to describe the
     *           group */
    enum broker_answer (*committed)(struct broker *broker, struct broker_place *places,
                                    size_t count, struct error *error);
};
struct broker {
    const struct broker_operations *operations;
};

#endif
