/* failing.c - fires that could not be produced: their slots are owed again, at the front, and tried
 * again with growing pauses until they leave the job's catch-up window. While its topic takes no
 * fires a job is not tried, so that many failing jobs cost no more than one. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"

enum { RETRY_LOOKS_MAX = 1000 }; /* of one call: the others must not wait */
#define RETRY_FIRST_MS (1 * SECONDS_MS)
#define RETRY_LAST_MS (60 * SECONDS_MS)

static void announce_failed(struct job *job, const struct failed_fire *failed, int64_t now_ms,
                            const struct sink *sink)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    job_event_init(&event, EVENT_FIRE_FAILED, job, now_ms, incarnation);
    event.first_ms = failed->nominal_ms;
    event.last_ms = failed->nominal_ms;
    event.count = 1;
    event.reason = failed->reason;
    event.detail = text_of(failed->detail);
    if (failed->kind == FIRE_BACKFILL) event.backfill_id = text_of(failed->backfill_id);
    sink->event(sink->opaque, &event);
}

static int64_t backoff_ms(int32_t attempt)
{
    int64_t wait_ms = RETRY_FIRST_MS;
    for (int32_t i = 1; i < attempt && wait_ms < RETRY_LAST_MS; i++) wait_ms *= 2;
    return wait_ms < RETRY_LAST_MS ? wait_ms : RETRY_LAST_MS;
}

/* Puts the slot back to the front of what the job owes. */
static bool owe_again(const struct shard *shard, struct job *job,
                      const struct failed_fire *failed)
{
    struct ledger *ledger = &job_extra(job)->ledger;
    struct terms terms = job_terms(job);
    struct job_slot slot = {failed->nominal_ms, failed->due_ms};
    if (!ledger_back(ledger, &terms, slot, failed->missed_count)) return false;
    if (ledger_tail_from_ms(ledger) == INSTANT_NONE && !(job->flags & JOB_PAUSED)) {
        /* What lies between has been done, or was in a pause. */
        int64_t done_ms = shard_slots_done_ms(shard);
        ledger_open_tail(ledger, slot.due_ms > done_ms ? slot.due_ms : done_ms, false);
    }
    return true;
}

/* It was in nobody's way. */
static void forget_run(struct shard *shard, struct job *job)
{
    if (job_leaves_out(job) && !shard_run_in_way(shard, job)) lane_ask(shard, job);
}

void shard_fire_failed(struct shard *shard, const struct failed_fire *failed, int64_t now_ms,
                       const struct sink *sink)
{
    struct job *job = failed->slot < job_table_slots(shard->jobs)
                          ? job_table_at(shard->jobs, failed->slot) : NULL;
    if (job == NULL || job->life.incarnation.offset != failed->incarnation.offset ||
        job->life.incarnation.index != failed->incarnation.index)
        return; /* deleted by the same command that the fire came from: nothing is owed */
    announce_failed(job, failed, now_ms, sink);
    if (job->life.fired > 0) job->life.fired--; /* a counter that may be lost */
    if (failed->run_number != 0) {
        if (shard_undo_try(shard, job, failed->run_number, now_ms + backoff_ms(failed->attempt),
                           now_ms, sink))
            return;
        forget_run(shard, job);
    }
    if (failed->kind == FIRE_TRIGGER || failed->is_requeued)
        return; /* not a slot that is owed: the sender has its result */
    if (failed->kind == FIRE_BACKFILL) {
        backfill_failed(shard, job, failed, now_ms + backoff_ms(failed->attempt), sink);
        return;
    }
    struct job_extra *extra = job_extra(job);
    if (extra->state.counted_fires > 0 && job_has_max_fires(job)) extra->state.counted_fires--;
    if (job->flags & JOB_FINISHED) {
        ledger_give_back(&extra->ledger);
        job_unfinish(shard, job);
    }
    if (!owe_again(shard, job, failed))
        job_announce(job, EVENT_MISSED, now_ms, failed->nominal_ms, failed->nominal_ms, 1,
                     REASON_UNDELIVERABLE, sink);
    if (extra->state.failing_since_ms == INSTANT_NONE) extra->state.failing_since_ms = now_ms;
    extra->state.attempts = failed->attempt;
    extra->state.retry_ms = now_ms + backoff_ms(failed->attempt);
    lane_enqueue(shard, job);
    sink->job_changed(sink->opaque, job);
}

/* Slots of a failing job that have left its catch-up window are given up, range by range. */
static void give_up_old(struct shard *shard, struct job *job, int64_t now_ms,
                        const struct sink *sink)
{
    struct definition definition;
    job_view(job, &definition);
    struct job_slot slot;
    while (lane_next(shard, job, now_ms, &slot, sink)) {
        if (!catchup_is_too_old(&definition.catchup, slot, now_ms)) return;
        lane_give_up(shard, job, slot, &definition.catchup, REASON_UNDELIVERABLE, now_ms, sink);
        job->extra->state.attempts = 0;
    }
}

/* Whether the alarm is still meant. */
static bool is_due(struct shard *shard, struct job *job, int64_t alarm_ms)
{
    if (job == NULL || (job->flags & JOB_STANDS_STILL) || shard_run_in_way(shard, job))
        return false;
    bool due = backfill_to_retry(job, alarm_ms) != NULL ||
               (job_is_failing(job) && job->extra->state.retry_ms == alarm_ms &&
                !job_is_undecided(job));
    return due && !shard_hold(shard, job);
}

static void try_again(struct shard *shard, struct job *job, int64_t alarm_ms, int64_t now_ms,
                      const struct sink *sink)
{
    if (backfill_retry(shard, job, alarm_ms, now_ms, sink)) return;
    give_up_old(shard, job, now_ms, sink);
    job->extra->state.failing_since_ms = INSTANT_NONE;
    job->extra->state.retry_ms = INSTANT_NONE;
    job = lane_retry(shard, job, now_ms, sink);
    if (job != NULL) job_lighten(job);
}

/* Looked at again after as long as it has been failing, within the bounds of a retry. */
static int64_t look_again_ms(const struct job *job, int64_t now_ms)
{
    int64_t since_ms = job->extra->state.failing_since_ms;
    int64_t wait_ms = since_ms == INSTANT_NONE ? RETRY_FIRST_MS : now_ms - since_ms;
    if (wait_ms < RETRY_FIRST_MS) wait_ms = RETRY_FIRST_MS;
    return now_ms + (wait_ms < RETRY_LAST_MS ? wait_ms : RETRY_LAST_MS);
}

/* Nothing is tried; but what is too old by now is given up. */
static void put_off(struct shard *shard, struct job *job, int64_t alarm_ms, int64_t now_ms,
                    const struct sink *sink)
{
    struct job_slot slot;
    struct alarm alarm = {look_again_ms(job, now_ms), job->life.ordinal, job->slot};
    struct job_backfill *backfill = backfill_to_retry(job, alarm_ms);
    if (backfill != NULL) {
        backfill->retry_ms = alarm.at_ms;
        alarms_add(&shard->retries, alarm);
        return;
    }
    struct definition definition;
    job_view(job, &definition);
    if (!lane_next(shard, job, now_ms, &slot, sink) ||
        catchup_is_too_old(&definition.catchup, slot, now_ms)) {
        give_up_old(shard, job, now_ms, sink);
        if (!lane_next(shard, job, now_ms, &slot, sink)) {
            try_again(shard, job, alarm_ms, now_ms, sink); /* nothing is left to try */
            return;
        }
        sink->job_changed(sink->opaque, job);
    }
    job->extra->state.retry_ms = alarm.at_ms;
    alarms_add(&shard->retries, alarm);
}

bool shard_retry(struct shard *shard, int64_t now_ms, const struct sink *sink)
{
    assert(shard->watermark.ordinal == WATERMARK_WHOLE);
    bool tried = false;
    for (int looks = 0; looks < RETRY_LOOKS_MAX; looks++) {
        const struct alarm *first = alarms_first(&shard->retries);
        if (first == NULL || first->at_ms > now_ms) return tried;
        if (sink->full(sink->opaque)) return true;
        struct job *job = shard_job_of(shard, (struct job_reference){.ordinal = first->ordinal,
                                                                     .slot = first->slot});
        int64_t alarm_ms = first->at_ms;
        bool due = is_due(shard, job, alarm_ms);
        enum retry_turn turn = !due || sink->retry == NULL ? RETRY_NOW
                                                           : sink->retry(sink->opaque, job);
        if (turn == RETRY_ALONE) return true;
        (void)alarms_take(&shard->retries);
        if (due && turn == RETRY_NOW) try_again(shard, job, alarm_ms, now_ms, sink);
        else if (due) put_off(shard, job, alarm_ms, now_ms, sink);
        tried = tried || (due && turn == RETRY_NOW);
    }
    return true;
}
