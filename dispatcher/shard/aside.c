/* What was no longer due when max_fires was used up, while the last fire may yet fail. */
#include <assert.h>
#include <stdlib.h>

#include "dispatcher/shard/shard_state.h"

void aside_put(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job->extra;
    aside_forget(shard, job);
    extra->aside = extra->owed;
    extra->aside_count = extra->owed_count;
    extra->aside_tail_ms = extra->tail_from_ms;
    extra->owed = NULL;
    extra->owed_count = 0;
}

void aside_put_tail(struct shard *shard, struct job *job, int64_t due_ms)
{
    aside_forget(shard, job);
    job->extra->aside_tail_ms = due_ms;
}

void aside_take_back(struct job *job)
{
    struct job_extra *extra = job->extra;
    assert(!job_owes(job));
    free(extra->owed);
    extra->owed = extra->aside;
    extra->owed_count = extra->aside_count;
    extra->tail_from_ms = extra->aside_tail_ms;
    extra->aside = NULL;
    extra->aside_count = 0;
    extra->aside_tail_ms = INSTANT_NONE;
}

void aside_forget(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job->extra;
    if (extra == NULL) return;
    for (uint32_t i = 0; i < extra->aside_count; i++)
        if (extra->aside[i].schedule != NULL)
            timers_release(shard->timers, extra->aside[i].schedule);
    free(extra->aside);
    extra->aside = NULL;
    extra->aside_count = 0;
    extra->aside_tail_ms = INSTANT_NONE;
}
