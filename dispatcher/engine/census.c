#include "dispatcher/engine/census.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/jobs/job.h"
#include "lib/base/memory.h"

enum {
    THERE = 1 << 0,
    PAUSED = 1 << 1,
    FAILING = 1 << 2,
    FINISHED = 1 << 3,
    ZONELESS = 1 << 4,
    OWING = 1 << 5,
    LEASED = 1 << 6
};
enum { OWING_LOOKS_MOST = 2000, SLOT_LOOKS_MOST = 1000 * 1000 };

void census_init(struct census *census)
{
    *census = (struct census){.round_oldest_ms = INSTANT_NONE, .oldest_ms = INSTANT_NONE};
}

void census_clear(struct census *census)
{
    free(census->states);
    census_init(census);
}

static uint8_t state_of(const struct job *job)
{
    uint8_t state = THERE;
    if (job->flags & JOB_FINISHED) state |= FINISHED;
    else if (job->flags & JOB_PAUSED) state |= PAUSED;
    else if (job_is_failing(job)) state |= FAILING;
    if (job->flags & JOB_ZONELESS) state |= ZONELESS;
    if (job->flags & JOB_LEASE) state |= LEASED;
    if (job_owes_slots(job) && (job->flags & JOB_STANDS_STILL) == 0) state |= OWING;
    return state;
}

static void count(struct census *census, uint8_t state, int64_t by)
{
    if (state & PAUSED) census->paused += by;
    if (state & FAILING) census->failing += by;
    if (state & FINISHED) census->finished += by;
    if (state & ZONELESS) census->zoneless += by;
    if (state & OWING) census->owing += by;
    if (state & LEASED) census->leased += by;
    assert(census->paused >= 0 && census->failing >= 0 && census->finished >= 0);
    assert(census->zoneless >= 0 && census->owing >= 0 && census->leased >= 0);
}

static void set(struct census *census, uint32_t slot, uint8_t state)
{
    size_t before = census->capacity;
    if (slot >= before) {
        census->states = memory_grow(census->states, &census->capacity, (size_t)slot + 1, 1);
        memset(census->states + before, 0, census->capacity - before);
    }
    uint8_t was = census->states[slot];
    if (was == state) return;
    count(census, was, -1);
    count(census, state, 1);
    census->states[slot] = state;
}

void census_job(struct census *census, const struct job *job)
{
    set(census, job->slot, state_of(job));
}

void census_job_gone(struct census *census, const struct job *job)
{
    set(census, job->slot, 0);
}

void census_take(struct census *census, const struct shard *shard)
{
    census_clear(census);
    for (uint32_t slot = 0; slot < shard_slots(shard); slot++) {
        const struct job *job = shard_job_at(shard, slot);
        if (job != NULL) census_job(census, job);
    }
}

static int64_t older_ms(int64_t left_ms, int64_t right_ms)
{
    if (left_ms == INSTANT_NONE) return right_ms;
    if (right_ms == INSTANT_NONE) return left_ms;
    return left_ms < right_ms ? left_ms : right_ms;
}

int64_t census_oldest_owed_ms(struct census *census, const struct shard *shard)
{
    uint32_t slots = shard_slots(shard);
    int64_t owing = OWING_LOOKS_MOST;
    if (census->owing == 0) { /* nothing to look for, and what was found is owed no more */
        census->cursor = 0;
        census->round_oldest_ms = census->oldest_ms = INSTANT_NONE;
        return INSTANT_NONE;
    }
    if (slots > census->capacity) slots = (uint32_t)census->capacity;
    for (int64_t looks = SLOT_LOOKS_MOST; looks > 0 && owing > 0; looks--) {
        if (census->cursor >= slots) break;
        uint32_t slot = census->cursor++;
        if ((census->states[slot] & OWING) == 0) continue;
        const struct job *job = shard_job_at(shard, slot);
        assert(job != NULL);
        census->round_oldest_ms =
            older_ms(census->round_oldest_ms, shard_oldest_owed_ms(shard, job));
        owing--;
    }
    if (census->cursor >= slots) { /* the round is over */
        census->oldest_ms = census->round_oldest_ms;
        census->round_oldest_ms = INSTANT_NONE;
        census->cursor = 0;
    }
    return older_ms(census->oldest_ms, census->round_oldest_ms);
}
