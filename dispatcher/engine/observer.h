/* observer.h - port: what operators are told, as typed events (observed.h). Real: the log
 * (dispatcher/daemon/log.c), the terminal of the command line. Simulated: what the checker reads.
 * Calls come from shard threads: they must not block, and nothing is allocated on their way. An
 * observer that hands on to several does so by observe_at(), so that each has its lowest level. */
#ifndef BELFRY_ENGINE_OBSERVER_H
#define BELFRY_ENGINE_OBSERVER_H

#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/observed.h"

struct tally;

/* A transaction that Kafka has taken. */
struct taken {
    const struct tally *tally; /* what it says, in numbers (tally.h); valid during the call */
    int64_t sequence;          /* of its mark */
    int64_t at_ms;             /* by the broker's clock, as far as it is known */
    int64_t took_us;           /* from its first try */
};

struct observer {
    void *opaque;
    enum observer_level lowest; /* what is below it is not told */
    /* `shard` -1: the whole process. What `said` points to is the caller's. */
    void (*told)(void *opaque, enum observed_kind kind, enum observer_level level, int32_t shard,
                 const struct observed *said);
    /* Once for each transaction that is known to be in Kafka's logs, by its shard's thread. NULL:
     * nobody asks, and nothing is counted. */
    void (*committed)(void *opaque, int32_t shard, const struct taken *taken);
};

/* Tells the event at its row's level; `said` NULL: one without keys. */
void observe(const struct observer *observer, enum observed_kind kind, int32_t shard,
             const struct observed *said);
/* At another level than the row's. */
void observe_at(const struct observer *observer, enum observer_level level,
                enum observed_kind kind, int32_t shard, const struct observed *said);

/* A longer text is cut, within its quotes. */
enum { OBSERVED_TEXT_BYTES = 2000, OBSERVED_FIELDS_BYTES = OBSERVED_TEXT_BYTES + 500 };

/* The values as `key=value ...` in the order of the row; what has no room is cut off. Returns
 * fields, for use as an argument. */
const char *observed_fields(enum observed_kind kind, const struct observed *said,
                            char fields[OBSERVED_FIELDS_BYTES]);

#endif
