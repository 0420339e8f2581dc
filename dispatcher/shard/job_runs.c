/* Runs of jobs that have ended: so many failures pause a job, and the last run in the way of its
 * slots lets them go on. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "dispatcher/shard/shard_state.h"

/* ---- so many failed in a row ---- */

static void pause_for(struct shard *shard, struct job *job, const struct ended_run *ended,
                      int64_t count, int64_t now_ms, const struct sink *sink)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    char reason[RUN_ID_BYTES_MAX + 128];
    struct run_view run;
    struct event event;
    runs_view(shard->open, ended->k, &run);
    (void)snprintf(reason, sizeof reason, "%" PRId64 " runs in a row have failed, the last is %s",
                   count, run.id);
    job_pause(shard, job, shard->watermark.instant_ms, INT64_MAX, text_of(reason), now_ms, sink);
    job_event_init(&event, EVENT_AUTO_PAUSED, job, now_ms, incarnation);
    event.count = count;
    event.detail = text_of(run_outcome_word(ended->outcome));
    event.run = text_of(run.id);
    event.run_number = ended->run_number;
    sink->event(sink->opaque, &event);
}

/* What the end says about the job, where it may be paused by such. */
static void count_end(struct shard *shard, struct job *job, const struct ended_run *ended,
                      int64_t now_ms, const struct sink *sink)
{
    struct definition definition;
    bool counts = ended->is_failed || ended->outcome == RUN_SUCCESS;
    job_view(job, &definition);
    int64_t most = definition.runs.pause_after_failures;
    if (most == 0 || !counts || !ended->is_own) return;
    int64_t before = job->extra == NULL ? 0 : job->extra->state.failed_runs;
    int64_t count = ended->is_failed ? before + 1 : 0;
    if (count == before) return;
    bool may_pause = (job->flags & (JOB_PAUSED | JOB_FINISHED)) == 0;
    job_extra(job)->state.failed_runs = count;
    if (count < most || !may_pause) {
        sink->job_changed(sink->opaque, job);
        return;
    }
    job->extra->state.failed_runs = 0;
    pause_for(shard, job, ended, count, now_ms, sink);
}

/* ---- what waited for them ---- */

/* No run of the job is open any more. */
__attribute__((warn_unused_result)) static struct job *
go_on(struct shard *shard, struct job *job, bool changed, int64_t now_ms, const struct sink *sink)
{
    if (job->flags & JOB_FINISHED) { /* it is kept from here on */
        job->extra->state.finished_ms = now_ms;
        job_set_alarm(shard, job);
        backfill_go_on(shard, job);
        changed = true;
    } else if (job->flags & JOB_OVERLAP) {
        return lane_go_on(shard, job, changed, now_ms, sink);
    }
    if (changed) sink->job_changed(sink->opaque, job);
    return job;
}

/* What was left out has been named, and another run is in the way: nothing more may come. */
__attribute__((warn_unused_result)) static struct job *
wait_on(struct shard *shard, struct job *job, int64_t now_ms, const struct sink *sink)
{
    if (job_is_spent(job, shard->watermark.instant_ms))
        return job_finish(shard, job, now_ms, sink);
    sink->job_changed(sink->opaque, job);
    return job;
}

/* It was held, perhaps by its own runs: where it still is, the lane puts it behind others. */
static void let_on(struct shard *shard, struct job *job)
{
    if (job->extra == NULL || !job->extra->is_held) return;
    job->extra->is_held = false;
    if (job_owes(job)) lane_enqueue(shard, job);
    backfill_go_on(shard, job);
}

static void settle(struct shard *shard, const struct ended_run *ended, int64_t now_ms,
                   const struct sink *sink)
{
    struct job *job = shard_job_of(shard, ended->job);
    if (job == NULL) return; /* deleted since */
    count_end(shard, job, ended, now_ms, sink);
    bool changed = shard_runs_in_way(shard, job).oldest == ended->k &&
                   overlap_settle(shard, job, shard->watermark.instant_ms, now_ms, sink);
    runs_let_go(shard->open, ended->k, ended->run_number);
    if (!shard_has_runs(shard, job)) job = go_on(shard, job, changed, now_ms, sink);
    else if (changed) job = wait_on(shard, job, now_ms, sink);
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
        backfill_go_on(shard, job);
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
