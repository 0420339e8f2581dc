/* Runs of jobs that have ended: the last one in the way of a job's slots lets them go on. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"

/* No run of the job is open any more. */
__attribute__((warn_unused_result)) static struct job *
go_on(struct shard *shard, struct job *job, bool changed, int64_t now_ms, const struct sink *sink)
{
    if (job->flags & JOB_FINISHED) { /* it is kept from here on */
        job->extra->state.finished_ms = now_ms;
        job_set_alarm(shard, job);
        backfill_resume(shard, job);
        changed = true;
    } else if (job->flags & JOB_OVERLAP) {
        return lane_go_on(shard, job, changed, now_ms, sink);
    }
    if (changed) sink->job_changed(sink->opaque, job);
    return job;
}

/* It was held only by its own runs. */
static void let_on(struct shard *shard, struct job *job)
{
    if (job->extra == NULL || !job->extra->is_held || shard_holds(shard, job)) return;
    job->extra->is_held = false;
    if (job_owes(job)) lane_enqueue(shard, job);
    backfill_enqueue(shard, job);
}

static void settle(struct shard *shard, const struct ended_run *ended, int64_t now_ms,
                   const struct sink *sink)
{
    struct job *job = shard_job_of(shard, ended->job);
    if (job == NULL) return; /* deleted since */
    bool changed = shard_runs_in_way(shard, job).oldest == ended->k &&
                   overlap_settle(shard, job, shard->watermark.instant_ms, now_ms, sink);
    runs_let_go(shard->open, ended->k, ended->run_number);
    if (!shard_has_runs(shard, job)) job = go_on(shard, job, changed, now_ms, sink);
    else if (changed) sink->job_changed(sink->opaque, job);
    if (job == NULL) return;
    let_on(shard, job);
    job_lighten(job);
}

/* There is room for more runs: one slot each of the jobs that wait for it, in their order. */
static void take_turns(struct shard *shard, int64_t now_ms, const struct sink *sink)
{
    for (size_t left = shard->roomless.count;
         left > 0 && shard_has_turns(shard) && !sink->full(sink->opaque); left--) {
        struct job *job = shard_take_turn(shard);
        if (job == NULL || (job->flags & JOB_STANDS_STILL) || shard_run_in_way(shard, job))
            continue; /* it goes on when that is over */
        if (shard_awaits_reports(shard, job) || !shard_has_room(shard, job, 0)) {
            (void)shard_hold(shard, job);
            continue;
        }
        job = lane_take_turn(shard, job, now_ms, sink);
        if (job == NULL) continue;
        backfill_resume(shard, job);
        job_lighten(job);
    }
}

void shard_settle_ended(struct shard *shard, int64_t now_ms, const struct sink *sink)
{
    assert(shard->watermark.ordinal == WATERMARK_WHOLE && !shard->in_command.active);
    for (size_t i = 0; i < shard->ended_count; i++) {
        struct ended_run ended = shard->ended[i]; /* the list may grow */
        settle(shard, &ended, now_ms, sink);
    }
    shard->ended_count = 0;
    take_turns(shard, now_ms, sink);
}
