/* Slots that do not just fire: those that are owed, and those that waited for their delay over an
 * edit. What is decided about them, and the end of a job that has none left. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"

/* ---- one slot ---- */

/* Fires the next owed slot, and lists the job if it owes more. */
__attribute__((warn_unused_result)) static struct job *
fire_next(struct shard *shard, struct job *job, enum fire_kind kind, int64_t now_ms,
          const struct sink *sink)
{
    struct job_slot slot;
    if (lane_next(shard, job, now_ms, &slot, sink))
        lane_fire_slot(shard, job, kind, slot, now_ms, sink);
    if (lane_next(shard, job, now_ms, &slot, sink)) lane_enqueue(shard, job);
    else job = lane_leave(shard, job, now_ms, sink);
    if (job != NULL) sink->job_changed(sink->opaque, job);
    return job;
}

struct job *lane_retry(struct shard *shard, struct job *job, int64_t now_ms,
                       const struct sink *sink)
{
    return fire_next(shard, job, FIRE_RETRY, now_ms, sink);
}

void lane_give_up_old(struct shard *shard, struct job *job, int64_t now_ms,
                      const struct sink *sink)
{
    struct definition definition;
    struct job_slot slot;
    job_view(job, &definition);
    while (lane_next(shard, job, now_ms, &slot, sink) &&
           catchup_is_too_old(&definition.catchup, slot, now_ms))
        lane_give_up(shard, job, slot, &definition.catchup, REASON_WINDOW, now_ms, sink);
}

struct job *lane_take_turn(struct shard *shard, struct job *job, int64_t now_ms,
                           const struct sink *sink)
{
    if (!job_owes(job) || (job->flags & JOB_STANDS_STILL)) return job;
    if (job_is_undecided(job) || job_is_failing(job)) {
        lane_enqueue(shard, job);
        return job;
    }
    lane_give_up_old(shard, job, now_ms, sink);
    return fire_next(shard, job, FIRE_CATCHUP, now_ms, sink);
}

struct job *lane_go_on(struct shard *shard, struct job *job, bool changed, int64_t now_ms,
                       const struct sink *sink)
{
    bool still = (job->flags & JOB_STANDS_STILL) != 0;
    bool its_turn = !sink->full(sink->opaque) && !shard_holds(shard, job) &&
                    !job_is_undecided(job) && !job_is_failing(job);
    if (!still && job_owes(job) && its_turn) {
        job = lane_take_turn(shard, job, now_ms, sink);
        changed = false;
    } else if (!still && job_owes(job)) {
        lane_enqueue(shard, job);
    } else if (job_is_spent(job, shard->watermark.instant_ms)) {
        job = job_finish(shard, job, now_ms, sink);
        changed = false;
    }
    if (job == NULL) return NULL;
    backfill_go_on(shard, job);
    if (changed) sink->job_changed(sink->opaque, job);
    return job;
}

/* ---- deciding ---- */

/* A job restored without a slot to come: other zone data has moved its last ones behind its end. */
__attribute__((warn_unused_result)) static struct job *
finish_spent(struct shard *shard, struct job *job, int64_t now_ms, const struct sink *sink)
{
    bool spent = job_is_spent(job, shard->watermark.instant_ms);
    return spent ? job_finish(shard, job, now_ms, sink) : job;
}

/* A restored job, the run in the way of whose slots is not open any more. */
static bool waits_for_nothing(const struct shard *shard, const struct job *job)
{
    return ledger_leaves_out(&job->extra->ledger) && !shard_run_in_way(shard, job) &&
           (job->flags & JOB_STANDS_STILL) == 0;
}

__attribute__((warn_unused_result)) static struct job *
decide_one(struct shard *shard, struct job *job, int64_t now_ms, const struct sink *sink)
{
    job->extra->in_undecided = false;
    if (!job_is_undecided(job) && waits_for_nothing(shard, job)) {
        bool told = overlap_settle(shard, job, shard->watermark.instant_ms, now_ms, sink);
        return lane_go_on(shard, job, told, now_ms, sink);
    }
    if (!job_is_undecided(job)) {
        overlap_ask(shard, job, now_ms, sink);
        if (job_owes(job)) lane_enqueue(shard, job);
        return finish_spent(shard, job, now_ms, sink);
    }
    lane_decide(job, shard->watermark.instant_ms, now_ms, sink);
    if (job_owes(job)) lane_enqueue(shard, job);
    else if (!job_has_slot_after(job, shard->watermark.instant_ms))
        return job_finish(shard, job, now_ms, sink);
    sink->job_changed(sink->opaque, job);
    return job;
}

bool shard_decide(struct shard *shard, int64_t now_ms, const struct sink *sink)
{
    assert(shard->watermark.ordinal == WATERMARK_WHOLE);
    while (shard->undecided.count > 0) {
        if (sink->full(sink->opaque)) return false;
        struct job_reference reference;
        (void)job_queue_take(&shard->undecided, &reference);
        struct job *job = shard_job_of(shard, reference);
        if (job == NULL) continue;
        job = decide_one(shard, job, now_ms, sink);
        if (job != NULL) job_lighten(job);
    }
    return true;
}

/* ---- working off ---- */

struct job *lane_leave(struct shard *shard, struct job *job, int64_t now_ms,
                       const struct sink *sink)
{
    lane_release(shard, job);
    if (job_has_slot_after(job, shard->watermark.instant_ms)) return job;
    return job_finish(shard, job, now_ms, sink);
}

/* Whether something older is owed, behind which it is owed, too. */
static bool queues(struct job *job, struct job_slot slot)
{
    struct terms terms = job_terms(job);
    return ledger_insert(&job->extra->ledger, &terms, slot);
}

struct job *job_fire_pending(struct shard *shard, struct job *job, int64_t due_ms, int64_t now_ms,
                             const struct sink *sink)
{
    struct definition definition;
    struct job_slot slot = ledger_ring(&job->extra->ledger, due_ms);
    job_view(job, &definition);
    const struct catchup *catchup = &definition.catchup;
    bool late = catchup_is_late(catchup, slot.due_ms, now_ms);
    /* After a pause its group may have fired what was due later: it is not one of the live ones. */
    bool overtaken = slot.due_ms <= shard->watermark.instant_ms;
    bool lost = late && (catchup->policy == CATCHUP_NONE ||
                         catchup_is_too_old(catchup, slot, now_ms));
    if (lost) {
        job_announce(job, EVENT_MISSED, now_ms, slot.nominal_ms, slot.nominal_ms, 1,
                     catchup->policy == CATCHUP_NONE ? REASON_POLICY_NONE : REASON_WINDOW, sink);
    } else if (overlap_meets_pending(shard, job, slot, late, now_ms, sink)) {
        lane_enqueue(shard, job);
    } else if (job_owes(job) && queues(job, slot)) { /* behind what is older */
        lane_enqueue(shard, job);
    } else {
        job_fire(shard, job, late || overtaken ? FIRE_CATCHUP : FIRE_SCHEDULE, slot, now_ms, 0, 1,
                 sink);
        if (job_has_max_fires(job)) job->extra->state.counted_fires++;
        if (job_fires_used_up(job)) lane_end(shard, job, now_ms, sink);
    }
    if (!job_owes(job) && !job_has_slot_after(job, shard->watermark.instant_ms))
        return job_finish(shard, job, now_ms, sink);
    sink->job_changed(sink->opaque, job);
    return job;
}
