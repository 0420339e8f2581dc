/* loss.h - Kafka loses what it had not flushed, although it had acknowledged it. The promises
 * assume that it never does; what is left to be promised then is judged here. */
#ifndef BELFRY_TESTS_LOSS_H
#define BELFRY_TESTS_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/simulation/world/cluster.h"

struct world;
struct seat;

enum { LOSSES_MAX = 16 };

struct loss { /* of the end of a shard's state log */
    int32_t shard;
    int64_t kept_sequence; /* of the last mark that was left */
    size_t first_step;     /* steps of the history whose marks are gone: from this one */
    size_t end_step;       /* up to here */
};

struct losses {
    struct loss list[LOSSES_MAX];
    size_t count;
    bool refused[SIM_SHARDS_MAX]; /* an owner has refused the shard, and says state_lost */
    bool half[SIM_SHARDS_MAX];    /* it says that the log has not all the jobs it should have */
    int64_t decided[SIM_SHARDS_MAX]; /* so often the operator has; each time a new generation */
    bool forgot[SIM_SHARDS_MAX];  /* an owner was restored from a log with a hole in it */
};

/* The state log of the shard ends where it ended `ms` ago, or where it was last flushed; between
 * two transactions. One that is open is aborted. */
void loss_happens(struct world *world, int32_t shard, int64_t ms);
/* A step has been committed; the newest in the history. Steps before it that a loss took are void
 * if it goes on from before them. */
void loss_step(struct world *world, int32_t shard);
/* Whether Kafka lost the mark of this step of the history. */
bool loss_took(const struct world *world, int32_t shard, size_t step);
/* Whether the newest record of this job was lost, and not written again. */
bool loss_of_job(const struct world *world, int32_t shard, const char *name);
/* A shard has given up; true: because its state log is behind what it has read from Redis, and it
 * says by how much (Redis may have been emptied since); or because a part of the log is lost from
 * before where its living owner went on. */
bool loss_explains(struct world *world, const struct seat *seat, const char *message);
/* The process of this seat knows that Kafka has taken the last mark it produced. */
void loss_taken(struct seat *seat);
/* A shard was restored: `sequence` is where it says it stands. */
void loss_restored(struct world *world, const struct seat *seat, bool from_store,
                   int64_t sequence);
/* The operator decides for the shards that were refused: Redis is given up where the log is behind
 * it, a log with a hole is gone on from as it is. False: there was none. */
bool loss_operator(struct world *world);

#endif
