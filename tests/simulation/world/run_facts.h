/* run_facts.h - what happened around the open runs, whoever caused it, as an eye above the cluster
 * sees it: what was appended to `runs` and when an engine got it, ticks that were sent, answers of
 * coordinators that were heard, offsets that groups committed. For the judge alone. */
#ifndef BELFRY_TESTS_RUN_FACTS_H
#define BELFRY_TESTS_RUN_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"

enum { FACT_NAME_BYTES = 32, FACT_SHARDS = 4 };

struct run_appended { /* a record of `runs`: reports, or a tick */
    int64_t offset;
    int64_t time_ms; /* its append time */
    int64_t at_ms;   /* the true time then */
    int64_t read_ms; /* when an engine first got it; INT64_MAX: none has */
    struct text text;
};

struct run_reading { /* an engine has begun to read `runs` */
    int32_t shard;
    int64_t time_ms;
    int64_t offset; /* of the first record that was left then */
    uint64_t life;  /* another one with each take-over: what was read before is forgotten */
    char owner[FACT_NAME_BYTES];
};

struct tick_sent {
    int32_t shard;
    int64_t time_ms;
    int64_t epoch;
    int64_t number;
};

struct group_said { /* by its coordinator to an engine, or to it by a member */
    int32_t shard;   /* whose engine heard it; -1: a commit */
    int64_t time_ms; /* when it was heard, or done */
    char group[FACT_NAME_BYTES];
    char topic[FACT_NAME_BYTES];
    int32_t partition;
    int64_t committed;
};

struct run_facts {
    struct run_appended *appended[FACT_SHARDS];
    size_t appended_count[FACT_SHARDS];
    size_t appended_capacity[FACT_SHARDS];
    size_t read_count[FACT_SHARDS]; /* of them, at least one engine got them */
    struct run_reading *readings;
    size_t reading_count;
    size_t reading_capacity;
    struct tick_sent *ticks;
    size_t tick_count;
    size_t tick_capacity;
    struct group_said *said;
    size_t said_count;
    size_t said_capacity;
};

/* Called from whatever heap is entered. The value is the log's: it stays until the world ends. */
void run_facts_append(struct run_facts *facts, int32_t shard,
                      const struct run_appended *appended);
/* An engine of the shard got what stands at the offset; what nobody got before it was deleted. */
void run_facts_read(struct run_facts *facts, int32_t shard, int64_t offset, int64_t time_ms);
void run_facts_begin(struct run_facts *facts, const struct run_reading *reading);
void run_facts_tick(struct run_facts *facts, int32_t shard, int64_t time_ms, struct text value);
void run_facts_said(struct run_facts *facts, const struct group_said *said);
void run_facts_close(struct run_facts *facts);

#endif
