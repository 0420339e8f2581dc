/* Owed slots: what came due while it could not be fired; how they are kept is said in ledger.h.
 * First the job owes an undecided tail; the catch-up policy turns it into debts; the lane works
 * these off, one slot of each job in turn. As long as something is owed, the job's own new slots
 * are the tail behind the debts, so that its fires stay in order of nominal time. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"

/* ---- owing ---- */

void lane_ask(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job_extra(job);
    if (!extra->in_undecided) job_queue_add(&shard->undecided, job_reference_of(job));
    extra->in_undecided = true;
}

void lane_enqueue(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job_extra(job);
    if (job->flags & JOB_STANDS_STILL) return;
    if (ledger_is_undecided(&extra->ledger) ||
        (ledger_leaves_out(&extra->ledger) && !shard_run_in_way(shard, job))) {
        lane_ask(shard, job);
    } else if (job_is_failing(job)) {
        alarms_add(&shard->retries, (struct alarm){.at_ms = extra->state.retry_ms,
                                                   .ordinal = job->life.ordinal,
                                                   .slot = job->slot});
    } else {
        lane_enter(shard, job);
    }
}

static void owe_tail(struct shard *shard, struct job *job, int64_t due_ms,
                     const struct sink *sink)
{
    ledger_open_tail(&job_extra(job)->ledger, due_ms - 1, true);
    lane_enqueue(shard, job);
    sink->job_changed(sink->opaque, job);
}

void lane_owe(struct shard *shard, struct job *job, int64_t due_ms, const struct sink *sink)
{
    assert(!job_owes(job));
    owe_tail(shard, job, due_ms, sink);
}

void lane_owe_more(struct shard *shard, struct job *job, int64_t due_ms,
                   const struct sink *sink)
{
    assert(job_owes(job));
    const struct ledger *ledger = &job->extra->ledger;
    /* The tail so far becomes a debt, what will be decided another one; without room for both the
     * slot stays with the tail, and is fired. */
    if (ledger_is_undecided(ledger) || !ledger_has_room(ledger, 2)) return;
    lane_close_tail(job, due_ms - 1, due_ms, sink);
    owe_tail(shard, job, due_ms, sink);
}

void lane_release(struct shard *shard, struct job *job)
{
    if (job->extra == NULL) return;
    lane_uncount(shard, job);
    ledger_clear(&job->extra->ledger, shard->timers);
    job->extra->state.failing_since_ms = INSTANT_NONE;
    job->extra->state.retry_ms = INSTANT_NONE;
}

/* ---- the policy ---- */

static void announce(struct job *job, enum event_kind kind, int64_t at_ms, struct dropped dropped,
                     enum event_reason reason, const struct sink *sink)
{
    if (dropped.count > 0)
        job_announce(job, kind, at_ms, dropped.first_ms, dropped.last_ms, dropped.count, reason,
                     sink);
}

void lane_close_tail(struct job *job, int64_t to_ms, int64_t at_ms, const struct sink *sink)
{
    struct terms terms = job_terms(job);
    struct dropped dropped;
    if (!ledger_close_tail(&job->extra->ledger, &terms, to_ms, &dropped)) /* never silent */
        announce(job, EVENT_MISSED, at_ms, dropped, REASON_TOO_MANY_RANGES, sink);
}

static void announce_catchup(struct job *job, enum event_kind kind, int64_t at_ms, int64_t count,
                             const struct sink *sink)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    job_event_init(&event, kind, job, at_ms, incarnation);
    event.count = count;
    sink->event(sink->opaque, &event);
}

void lane_decide(struct job *job, int64_t to_ms, int64_t now_ms, const struct sink *sink)
{
    struct ledger *ledger = &job->extra->ledger;
    struct terms terms = job_terms(job);
    struct definition definition;
    job_view(job, &definition);
    struct span tail = ledger_tail(ledger, &terms, to_ms);
    struct span kept = {to_ms, to_ms};
    int64_t total = terms_count(&terms, tail);
    int64_t fires = 0;
    bool latest = definition.catchup.policy == CATCHUP_LATEST;
    if (total > 0) {
        struct verdict verdict = catchup_judge(&definition, tail.from_ms, tail.to_ms, now_ms);
        kept = (struct span){verdict.keep_from_ms, tail.to_ms};
        fires = terms_count(&terms, kept);
        assert(fires <= total);
        struct span left_out = {tail.from_ms, verdict.keep_from_ms};
        if (fires < total)
            announce(job, EVENT_MISSED, now_ms, terms_slots(&terms, left_out), verdict.reason,
                     sink);
    }
    int64_t missed = latest ? total - fires : 0;
    ledger_decide(ledger, &terms, kept, missed, latest ? 0 : fires, to_ms);
    if (fires > 0 && !latest) announce_catchup(job, EVENT_CATCHUP_STARTED, now_ms, fires, sink);
}

void lane_pause(struct job *job, int64_t to_ms, int64_t now_ms, const struct sink *sink)
{
    if (job_is_undecided(job)) lane_decide(job, to_ms, now_ms, sink);
    if (job_owes(job)) lane_close_tail(job, to_ms, now_ms, sink);
}

void lane_edit(struct job *job, int64_t to_ms, int64_t now_ms, const struct sink *sink)
{
    if (!job_owes(job)) return;
    struct ledger *ledger = &job->extra->ledger;
    struct terms terms = job_terms(job);
    lane_close_tail(job, to_ms, now_ms, sink);
    ledger_fix(ledger, &terms, job->schedule);
    if (ledger_owes(ledger) && (job->flags & JOB_PAUSED) == 0)
        ledger_open_tail(ledger, to_ms, false);
}

void lane_open(struct job *job, int64_t from_ms, int64_t to_ms, int64_t now_ms,
               const struct sink *sink)
{
    struct ledger *ledger = &job_extra(job)->ledger;
    assert(ledger_tail_from_ms(ledger) == INSTANT_NONE);
    if (job_fires_used_up(job)) return; /* it is finished, or will be at once */
    if (!ledger_has_room(ledger, 1)) { /* never silent */
        struct terms terms = job_terms(job);
        struct span span = terms_cut(&terms, (struct span){from_ms, to_ms});
        announce(job, EVENT_MISSED, now_ms, terms_slots(&terms, span), REASON_TOO_MANY_RANGES,
                 sink);
        return;
    }
    ledger_open_tail(ledger, from_ms, true);
    lane_decide(job, to_ms, now_ms, sink);
}

/* ---- working off ---- */

bool lane_next(struct shard *shard, struct job *job, int64_t now_ms, struct job_slot *slot,
               const struct sink *sink)
{
    struct terms terms = job_terms(job);
    int64_t watermark_ms = shard->watermark.instant_ms;
    int64_t planned = 0;
    enum ledger_next next;
    while ((next = ledger_next(&job->extra->ledger, &terms, shard->timers, watermark_ms, slot,
                               &planned)) == LEDGER_DEBT_DONE)
        if (planned > 0) announce_catchup(job, EVENT_CATCHUP_FINISHED, now_ms, planned, sink);
    return next == LEDGER_SLOT;
}

void lane_give_up(struct shard *shard, struct job *job, struct job_slot slot,
                  const struct catchup *catchup, enum event_reason reason, int64_t now_ms,
                  const struct sink *sink)
{
    struct ledger *ledger = &job->extra->ledger;
    struct terms terms = job_terms(job);
    int64_t old_ms = catchup_too_old_ms(catchup, ledger_next_spec(ledger, &terms), now_ms);
    announce(job, EVENT_MISSED, now_ms,
             ledger_give_up(ledger, &terms, slot, old_ms, shard->watermark.instant_ms), reason,
             sink);
}

void lane_finish_catchup(struct job *job, int64_t now_ms, const struct sink *sink)
{
    int64_t planned = 0;
    while (ledger_end_plan(&job->extra->ledger, &planned))
        announce_catchup(job, EVENT_CATCHUP_FINISHED, now_ms, planned, sink);
}

void lane_end(struct shard *shard, struct job *job, int64_t now_ms, const struct sink *sink)
{
    lane_finish_catchup(job, now_ms, sink);
    if (job->flags & JOB_FOREIGN) ledger_take_away(&job->extra->ledger, shard->timers);
    lane_release(shard, job);
}

void lane_fire_slot(struct shard *shard, struct job *job, enum fire_kind kind,
                    struct job_slot slot, int64_t now_ms, const struct sink *sink)
{
    struct job_extra *extra = job->extra;
    int64_t missed = ledger_missed_count(&extra->ledger);
    int32_t attempt = extra->state.attempts + 1;
    extra->state.attempts = 0;
    job_fire(shard, job, kind, slot, now_ms, missed, attempt, sink);
    if (job_has_max_fires(job)) extra->state.counted_fires++;
    ledger_pay(&extra->ledger, slot.due_ms);
    if (job_fires_used_up(job)) lane_end(shard, job, now_ms, sink);
}

static struct dropped slots_left(const struct shard *shard, const struct job *job)
{
    struct terms terms = job_terms(job);
    return ledger_left(&job->extra->ledger, &terms, shard->watermark.instant_ms);
}

void lane_drop(struct shard *shard, struct job *job, int64_t at_ms, enum event_reason reason,
               const struct sink *sink)
{
    announce(job, EVENT_SKIPPED, at_ms, slots_left(shard, job), reason, sink);
    lane_release(shard, job);
}

void lane_cut(struct shard *shard, struct job *job, int64_t at_ms, const struct sink *sink)
{
    if (!job_owes(job)) return;
    lane_finish_catchup(job, at_ms, sink);
    lane_drop(shard, job, at_ms, REASON_UPDATED, sink);
}

/* ---- what is owed by the jobs in the lane ---- */

void lane_uncount(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job->extra;
    if (!extra->lane_counted) return;
    shard->lane_state.slots -= extra->lane_slots;
    extra->lane_slots = 0;
    extra->lane_counted = false;
}

void lane_count(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job->extra;
    lane_uncount(shard, job);
    extra->lane_slots = slots_left(shard, job).count;
    extra->lane_counted = true;
    shard->lane_state.slots += extra->lane_slots;
}

void lane_enter(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job->extra;
    if (extra->in_lane && extra->lane_counted) lane_count(shard, job);
    if (extra->in_lane) return;
    job_queue_add(&shard->lane_new, job_reference_of(job));
    extra->in_lane = true;
}

void lane_join(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job->extra;
    if (!extra->in_lane || !extra->lane_counted) return;
    extra->lane_slots++;
    shard->lane_state.slots++;
    shard->lane_state.joined++;
}
