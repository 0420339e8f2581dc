/* consumer.h - libbelfry: consume the fires of Belfry from C or C++.
 *
 * What holds: a fire is seen once by a read_committed reader (Belfry's transactions), and is
 * handled at least once (its offset is committed only after its handler has returned). A bounded
 * window of fire ids filters what the group delivers again to this process. Use the fire's id as
 * the idempotency key of whatever the handler does.
 *
 * Every call has a bound in time. The library never exits or aborts for want of memory, it returns
 * an error. Text is UTF-8, instants are milliseconds UTC since 1970. docs/consumer.md has a tour.
 */
#ifndef BELFRY_CONSUMER_H
#define BELFRY_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BELFRY_MUST_CHECK __attribute__((warn_unused_result))
#else
#define BELFRY_MUST_CHECK
#endif

enum belfry_error_kind {
    BELFRY_ERROR_NONE = 0,
    BELFRY_ERROR_INVALID, /* an argument, option or record is wrong: the same call fails again */
    BELFRY_ERROR_MEMORY,  /* memory is short: nothing was lost, the same call may succeed later */
    BELFRY_ERROR_KAFKA,   /* the Kafka client cannot go on: destroy the consumer, make a new one */
    BELFRY_ERROR_TIMEOUT, /* the bound passed; what was not finished is delivered again */
    BELFRY_ERROR_CLOSED   /* the consumer has been stopped or drained */
};

enum { BELFRY_ERROR_MESSAGE_BYTES = 256 };

/* Zero-initialise before use; may be NULL where it is asked for. The message is terminated. */
struct belfry_error {
    enum belfry_error_kind kind;
    char message[BELFRY_ERROR_MESSAGE_BYTES];
};

/* One fire. All texts are terminated and never NULL unless said; all belong to the fire. */
struct belfry_fire {
    const char *id;          /* unique in a cluster, the same in every delivery */
    const char *source;      /* "/belfry/<cluster>/<shard>" */
    const char *subject;     /* "<group>/<job id>" */
    const char *group;
    const char *job_id;
    const char *incarnation; /* another one after delete and add */
    const char *kind;        /* schedule, catchup, trigger, backfill or retry; more may come */
    const char *due;         /* the nominal due time as RFC 3339 text */
    const char *time;        /* when it was dispatched, as RFC 3339 text */
    const char *traceparent; /* W3C trace context of the fire, NULL: none */
    int64_t due_ms;
    int64_t time_ms;
    int64_t lateness_ms;     /* time between due (with jitter) and dispatch */
    int64_t revision;        /* of the job, from 1 */
    int64_t missed_count;    /* slots this fire stands for besides its own */
    int64_t attempt;         /* from 1 */
    const char *content_type; /* of data, "application/json" if the fire names none */
    const void *data;         /* the payload, byte for byte, and a '\0'; NULL: none */
    size_t data_bytes;        /* without the '\0' */
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/* A raw Kafka record, for belfry_fire_decode() and for what could not be decoded. */
struct belfry_header {
    const char *name;
    const void *value; /* need not be terminated; NULL: none */
    size_t value_bytes;
};

struct belfry_record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    const void *value; /* NULL: none */
    size_t value_bytes;
    const struct belfry_header *headers;
    size_t header_count;
};

/* Decodes a record in either CloudEvents mode: structured (header content-type
 * application/cloudevents+json) or binary (headers ce_*). Copies what it needs.
 *   returns  the fire, the caller's, to be given to belfry_fire_free(); NULL and the error:
 *            BELFRY_ERROR_INVALID not a fire, _MEMORY. Thread-safe. */
struct belfry_fire *belfry_fire_decode(const struct belfry_record *record,
                                       struct belfry_error *error) BELFRY_MUST_CHECK;

/* Only for fires made by belfry_fire_decode(). NULL is allowed. */
void belfry_fire_free(struct belfry_fire *fire);

/* The whole fire as structured CloudEvents JSON, whatever its mode was.
 *   returns  terminated text, to be released with free(); NULL: memory is short. Thread-safe. */
char *belfry_fire_json(const struct belfry_fire *fire, size_t *bytes, struct belfry_error *error)
    BELFRY_MUST_CHECK;

enum belfry_level { BELFRY_LOG_DEBUG, BELFRY_LOG_INFO, BELFRY_LOG_WARN, BELFRY_LOG_ERROR };

/* A log event: a name such as "fire.invalid" and logfmt fields. May come from any thread. */
typedef void belfry_log_callback(enum belfry_level level, const char *event, const char *fields,
                                 void *opaque);

/* A record that is no fire; it counts as handled. May come from the thread that polls. */
typedef void belfry_invalid_callback(const struct belfry_record *record,
                                     const struct belfry_error *reason, void *opaque);

/* What is handled one after the other; all else side by side, as far as `concurrency` goes. A fire
 * waits for those before it in its row only, and in memory. */
enum belfry_ordering {
    BELFRY_ORDER_KEY = 0,   /* fires of one partition and record key; without a key: none */
    BELFRY_ORDER_PARTITION, /* fires of one partition */
    BELFRY_ORDER_NONE       /* nothing: they begin in the order of their partition */
};

/* Zero-initialise; a field left 0 or NULL takes its default. All is copied. */
struct belfry_options {
    const char *brokers;            /* required: "host:port,..." */
    const char *group_id;           /* required: the consumer group, which shares the work */
    const char *cluster;            /* default "belfry" */
    const char *const *topics;      /* default one: "<cluster>.fires" */
    size_t topic_count;
    const char *const *properties;  /* librdkafka's, docs/consumer.md: name=text, name_file=path */
    size_t property_count;
    enum belfry_ordering ordering;  /* default BELFRY_ORDER_KEY */
    uint32_t concurrency;           /* fires handed out and not done, 1 to 10,000; default 1 */
    uint32_t buffered_max;          /* fires in memory, about 1 KiB each and its data, and up to 255
                                    * more of one reading; to 1,000,000, default 10,000 */
    int64_t buffered_bytes_max;     /* of all of them; default 64 MiB */
    uint32_t window_ids;            /* ids remembered against duplicates; default 100,000 */
    uint32_t uncommitted_max;       /* records of a partition read behind its oldest unfinished one,
                                    * 16 bytes each; default 100,000 */
    int64_t rebalance_wait_ms;      /* handlers may finish before partitions go; default 5 s */
    int64_t drain_ms;               /* bound of the end of belfry_consumer_run(); default 30 s */
    belfry_invalid_callback *on_invalid; /* default: log fire.invalid */
    belfry_log_callback *on_log;         /* default: lines on stderr, by a thread of their own */
    void *opaque;                        /* for the callbacks */
};

struct belfry_consumer;

/* How a handler ended. */
enum belfry_outcome {
    BELFRY_DONE,
    BELFRY_FAILED, /* counted, logged and finished: retries are not the consumer's work */
    BELFRY_KEPT    /* not handled, because the consumer ends (belfry_consumer_ending): the offset
                    * stays, the fire is delivered again. While it goes on, as BELFRY_FAILED. */
};

/* Called with one fire at a time per thread, from up to `concurrency` threads, which are started as
 * they are needed. */
typedef enum belfry_outcome belfry_handler(const struct belfry_fire *fire, void *opaque);

struct belfry_statistics {
    uint64_t received;   /* records */
    uint64_t done;
    uint64_t failed;
    uint64_t kept;       /* not handled at the end, delivered again */
    uint64_t duplicates; /* filtered by the window */
    uint64_t invalid;
    uint32_t in_flight;  /* handed out and not done */
    uint32_t waiting;    /* in memory and not handed out */
    uint32_t uncommitted;
};

/* Creates the Kafka client and subscribes; does not wait for brokers.
 *   returns  the consumer, the caller's; NULL and the error (BELFRY_ERROR_INVALID names the
 *            option at fault, _MEMORY, _KAFKA). */
struct belfry_consumer *belfry_consumer_create(const struct belfry_options *options,
                                               struct belfry_error *error) BELFRY_MUST_CHECK;

/* Way one: calls the handler for each fire until belfry_consumer_stop(), then drains.
 *   returns  true after a clean end. false: BELFRY_ERROR_KAFKA, _MEMORY (threads), _TIMEOUT (a
 *            handler had not returned within drain_ms; it may still use what it was given). */
bool belfry_consumer_run(struct belfry_consumer *consumer, belfry_handler *handler, void *opaque,
                         struct belfry_error *error) BELFRY_MUST_CHECK;

/* Asks belfry_consumer_run() or _next() to end within 200 ms. Any thread; async-signal-safe. */
void belfry_consumer_stop(struct belfry_consumer *consumer);

/* Whether the consumer has been asked to end, or drains: for a handler that waits. Any thread. */
bool belfry_consumer_ending(struct belfry_consumer *consumer);

/* Way two: the next fire, within timeout_ms (0 to 60,000). Call it again within Kafka's
 * max.poll.interval.ms (5 min), also while `concurrency` fires are out: then it gives none, but
 * keeps the membership alive. One caller at a time; belfry_consumer_done() from any thread.
 *   fire     set on true: the next fire, to be finished with belfry_consumer_done(), or NULL
 *   returns  false: BELFRY_ERROR_KAFKA, _MEMORY (call again), _CLOSED, _INVALID (timeout). */
bool belfry_consumer_next(struct belfry_consumer *consumer, int64_t timeout_ms,
                          const struct belfry_fire **fire, struct belfry_error *error)
    BELFRY_MUST_CHECK;

/* The same for several fires at once, for those in a hurry.
 *   fires    the first *count are set, of at most `most` (from 1)
 *   count    0: none within timeout_ms */
bool belfry_consumer_next_batch(struct belfry_consumer *consumer, int64_t timeout_ms,
                                const struct belfry_fire **fires, size_t most, size_t *count,
                                struct belfry_error *error) BELFRY_MUST_CHECK;

/* Finishes a fire (unless BELFRY_KEPT) and releases it. Once all earlier records of its partition
 * are finished too, its offset is committed: within 1.1 s while belfry_consumer_next() is called,
 * else with the next call. Cannot fail. */
void belfry_consumer_done(struct belfry_consumer *consumer, const struct belfry_fire *fire,
                          enum belfry_outcome outcome);

/* The same for several fires that ended alike. */
void belfry_consumer_done_batch(struct belfry_consumer *consumer,
                                const struct belfry_fire *const *fires, size_t count,
                                enum belfry_outcome outcome);

/* Gives no more fires, waits for those handed out, commits, leaves the group. All within
 * deadline_ms (from now, 0 to 172,800,000) plus 100 ms. The thread that calls _next() calls it.
 *   returns  false: BELFRY_ERROR_TIMEOUT, what was not finished is delivered again. */
bool belfry_consumer_drain(struct belfry_consumer *consumer, int64_t deadline_ms,
                           struct belfry_error *error) BELFRY_MUST_CHECK;

void belfry_consumer_statistics(struct belfry_consumer *consumer,
                                struct belfry_statistics *statistics);

/* Releases the consumer; drains it without waiting for handlers (at most 5 s) if it still is a
 * member. Fires still handed out stay valid until they are done. NULL is allowed. */
void belfry_consumer_destroy(struct belfry_consumer *consumer);

#ifdef __cplusplus
}
#endif

#endif
