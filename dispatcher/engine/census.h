/* census.h - how many of a shard's jobs are in which state, kept up as they change: no question
 * walks over all of them. What a job owes since when is looked at job by job, a bounded number at a
 * time. Pure. */
#ifndef BELFRY_ENGINE_CENSUS_H
#define BELFRY_ENGINE_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "dispatcher/shard/shard.h"

struct census {
    uint8_t *states;  /* by slot: how the job there was counted, 0: none */
    size_t capacity;
    int64_t paused;   /* of these three a job is in one at most: finished before paused before */
    int64_t failing;  /* failing, as its record says it */
    int64_t finished;
    int64_t zoneless; /* set aside: a time zone is not there */
    int64_t leased;   /* its runs are followed */
    int64_t owing;    /* owes slots, and is neither paused nor set aside */
    uint32_t cursor;  /* of the round that looks for the oldest owed slot */
    int64_t round_oldest_ms;
    int64_t oldest_ms; /* of the last whole round */
};

void census_init(struct census *census);
void census_clear(struct census *census); /* frees; counts nothing */
/* Counts all jobs of the shard anew. */
void census_take(struct census *census, const struct shard *shard);
/* A job was added, or has changed. */
void census_job(struct census *census, const struct job *job);
void census_job_gone(struct census *census, const struct job *job);

/* Looks at some more of the jobs that owe. Returns when the oldest slot was due that is owed, as
 * far as it is known: with few such jobs each call has seen all of them. INSTANT_NONE: none. */
int64_t census_oldest_owed_ms(struct census *census, const struct shard *shard);

#endif
