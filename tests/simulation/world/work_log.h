/* work_log.h - what workers really did, whatever was said of it, and the records of runs that
 * readers of committed records have got: what the judge of runs looks at. It is kept in seeds with
 * workers (settings.runs); others have an empty one. Times are virtual, as world->now_us. */
#ifndef BELFRY_TESTS_WORK_LOG_H
#define BELFRY_TESTS_WORK_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/run.h"
#include "tests/simulation/world/cluster.h"

struct world;

enum work_end {
    WORK_GOES_ON = 0, /* its program is still at work */
    WORK_ENDED,       /* by itself, or because it was asked to: `outcome` is what is reported */
    WORK_RELEASED,    /* its worker was to end, and handed the try back */
    WORK_KILLED,      /* by its worker, as no sign of life got through: `lost_lease` is reported */
    WORK_DIED         /* with its worker: nothing is reported */
};

/* Why the promise of at most one program at a time may be broken for a try, in bits: what
 * docs/runs.md names. A new generation is to be seen in the marks. */
enum work_limit {
    WORK_STARTED_LATE = 1 << 0, /* frozen between the third step of the claim and the start */
    WORK_RAN_ON = 1 << 1,       /* its worker was frozen and it was not, or it left the group */
    WORK_SET_BACK = 1 << 2,     /* the group's offsets were set back behind its fire */
    WORK_NOT_CLAIMED = 1 << 3   /* a lease of the mode `fixed`: whoever reads the fire starts */
};

enum { WORK_RUN_BYTES = 136, WORK_NAME_BYTES = 24, WORK_TOKEN_BYTES = 64 };

struct work { /* one program that was started */
    char run[WORK_RUN_BYTES]; /* the fire's id */
    int64_t runnumber;
    int64_t try;
    char job[WORK_NAME_BYTES];     /* "group/id", as in the history */
    char workers[WORK_NAME_BYTES]; /* the consumer group */
    char token[WORK_TOKEN_BYTES];
    int32_t worker;      /* its index in the world */
    int32_t shard;       /* which fired it */
    int64_t started_us;
    int64_t ended_us;    /* WORK_GOES_ON: 0 */
    enum work_end end;
    enum run_outcome outcome; /* WORK_ENDED */
    unsigned limits;     /* enum work_limit */
};

/* A record that readers of committed records have got; in the order of commits. Of TOPIC_RUNS:
 * reports and ticks, in the order in which they were appended, committed or not
 * (`record->aborted`: never). The others: fires (also to foreign topics) with a lease, cancels,
 * events, dead letters, and of the state log marks and what is under run/. The record is the log's
 * own, with offset, append time and headers, and stays until the world ends. */
struct kept_record {
    int64_t at_us;
    int32_t shard; /* of the transaction; of TOPIC_RUNS: the partition */
    size_t step;   /* of the history; of TOPIC_RUNS: how many there were */
    const struct record *record;
};

/* A time in which a run need not end in time: Kafka away, a client's transaction open in `runs`,
 * no answer of a group's coordinator. */
struct work_hindrance {
    int64_t from_us;
    int64_t to_us;
    int32_t shard; /* -1: all */
};

/* A time in which a process stood still: it has heard of no commit meanwhile. */
struct work_freeze {
    int64_t from_us;
    int64_t to_us;
    char owner[32]; /* its name then: one that is started anew has another */
};

struct work_log {
    struct work *works; /* in the order of starts */
    size_t work_count;
    size_t work_capacity;
    struct kept_record *records;
    size_t record_count;
    size_t record_capacity;
    struct work_hindrance *hindrances;
    size_t hindrance_count;
    size_t hindrance_capacity;
    struct work_freeze *freezes;
    size_t freeze_count;
    size_t freeze_capacity;
};

/* Its index stays; the pointer does until the next one. */
size_t work_log_start(struct world *world, const struct work *work);
void work_log_end(struct world *world, size_t work, int64_t at_us, enum work_end end,
                  enum run_outcome outcome);
/* A record that has just been committed, or of TOPIC_RUNS appended. */
void work_log_record(struct world *world, int32_t shard, struct record *record);
void work_log_hinder(struct world *world, int32_t shard, int64_t to_us);
void work_log_freeze(struct world *world, const char *owner, int64_t to_us);
void work_log_close(struct work_log *log);

#endif
