/* Owed slots: what came due while it could not be fired. Ranges are of due times; events and fires
 * name nominal ones. First the job owes an undecided tail,
 * (tail_from, watermark]; the catch-up policy turns it into ranges; the lane works these off,
 * one slot of each job in turn. As long as something is owed, the job's own new slots are the
 * tail behind the ranges, so that its fires stay in order of nominal time. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/base/mutant.h"

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
    if (extra->tail_undecided) {
        lane_ask(shard, job);
    } else if (extra->failing_since_ms != INSTANT_NONE) {
        alarms_add(&shard->retries, (struct alarm){.at_ms = extra->retry_ms,
                                                   .ordinal = job->ordinal,
                                                   .slot = job->slot});
    } else {
        lane_enter(shard, job);
    }
}

static void owe_tail(struct shard *shard, struct job *job, int64_t due_ms,
                     const struct sink *sink)
{
    job->extra->tail_from_ms = due_ms - 1;
    job->extra->tail_undecided = true;
    lane_enqueue(shard, job);
    sink->job_changed(sink->opaque, job);
}

void lane_owe(struct shard *shard, struct job *job, int64_t due_ms, const struct sink *sink)
{
    assert(!job_owes(job));
    (void)job_extra(job);
    owe_tail(shard, job, due_ms, sink);
}

void lane_owe_more(struct shard *shard, struct job *job, int64_t due_ms,
                   const struct sink *sink)
{
    assert(job_owes(job));
    /* The tail so far becomes a range, what will be decided another one; without room for both the
     * slot stays with the tail, and is fired. */
    if (job->extra->tail_undecided || job->extra->owed_count + 2 > OWED_RANGES_MAX) return;
    lane_close_tail(shard, job, due_ms - 1, due_ms, sink);
    owe_tail(shard, job, due_ms, sink);
}

static void clamp_to_bounds(const struct job *job, int64_t *from_ms, int64_t *to_ms)
{
    if ((job->flags & JOB_BOUNDED) == 0) return;
    struct definition definition;
    job_view(job, &definition);
    const struct schedule_spec *spec = &definition.schedule;
    if (definition.start_ms != START_NONE) {
        int64_t start_ms = schedule_bound(spec, definition.start_ms);
        if (*from_ms < start_ms) *from_ms = start_ms - 1;
    }
    if (*to_ms >= definition.end_ms) {
        int64_t end_ms = schedule_bound(spec, definition.end_ms);
        if (*to_ms >= end_ms) *to_ms = end_ms - 1;
    }
}

void lane_clamp(const struct job *job, int64_t *from_ms, int64_t *to_ms)
{
    *from_ms = job_slots_after_ms(job, *from_ms);
    clamp_to_bounds(job, from_ms, to_ms);
}

/* The same of a range. */
static void clamp_owed(const struct job *job, int64_t *from_ms, int64_t *to_ms)
{
    *from_ms = job_owed_after_ms(job, *from_ms);
    clamp_to_bounds(job, from_ms, to_ms);
}

static uint64_t slots_in(const struct job *job, int64_t from_ms, int64_t to_ms)
{
    lane_clamp(job, &from_ms, &to_ms);
    if (from_ms >= to_ms) return 0;
    return schedule_count(&job->schedule->spec, from_ms, to_ms, INT64_MAX);
}

/* Whether a range that ended at from_ms may as well go on behind to_ms. */
static bool nothing_between(const struct job *job, int64_t from_ms, int64_t to_ms)
{
    int64_t due_ms = 0;
    clamp_owed(job, &from_ms, &to_ms);
    return !schedule_next(&job->schedule->spec, from_ms, &due_ms) || due_ms > to_ms;
}

/* Where a range (from, to] is to end: with its last slot, so that what remains of a range is one
 * millisecond wide only if that is a slot. False: there is none in it. */
static bool last_slot(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms,
                      int64_t *last_ms)
{
    return from_ms < to_ms && schedule_last(spec, from_ms, to_ms, last_ms);
}

void lane_push_range(struct job *job, uint32_t at, struct job_owed range)
{
    struct job_extra *extra = job->extra;
    assert(extra->owed_count < OWED_RANGES_MAX);
    extra->owed = memory_resize(extra->owed, extra->owed_count + 1, sizeof *extra->owed);
    for (uint32_t i = extra->owed_count; i > at; i--) extra->owed[i] = extra->owed[i - 1];
    extra->owed[at] = range;
    extra->owed_count++;
}

/* Slots due in (from_ms, to_ms] of the present schedule, the last one at to_ms. One slot keeps its
 * delay: what made it may have changed when its turn comes, its id must not. */
static struct job_owed range_of(const struct job *job, int64_t from_ms, int64_t to_ms)
{
    struct job_owed range = {.from_ms = from_ms, .to_ms = to_ms};
    if (to_ms - from_ms == 1)
        range.delay_ms = to_ms - schedule_nominal(&job->schedule->spec, to_ms);
    return range;
}

const struct schedule_spec *lane_range_spec(const struct job *job, const struct job_owed *owed)
{
    return owed->schedule != NULL ? &owed->schedule->spec : &job->schedule->spec;
}

int64_t lane_range_nominal(const struct job *job, const struct job_owed *owed, int64_t due_ms)
{
    if (lane_is_single(owed) && owed->delay_ms > 0) return due_ms - owed->delay_ms;
    return schedule_nominal(lane_range_spec(job, owed), due_ms);
}

int64_t lane_nominal(const struct job *job, int64_t due_ms)
{
    if (job->extra->owed_count > 0) return lane_range_nominal(job, &job->extra->owed[0], due_ms);
    return schedule_nominal(&job->schedule->spec, due_ms);
}

bool lane_owes_alone(const struct job *job, int64_t nominal_ms)
{
    for (uint32_t i = 0; job->extra != NULL && i < job->extra->owed_count; i++) {
        const struct job_owed *owed = &job->extra->owed[i];
        if (lane_is_single(owed) &&
            lane_range_nominal(job, owed, owed->to_ms) == nominal_ms)
            return true;
    }
    return false;
}

bool lane_insert(struct job *job, struct job_slot slot)
{
    struct job_extra *extra = job->extra;
    uint32_t at = 0;
    int64_t due_ms = 0;
    if (extra->owed_count == OWED_RANGES_MAX) return false;
    while (at < extra->owed_count &&
           (!lane_range_next(job, &extra->owed[at], &due_ms) ||
            lane_range_nominal(job, &extra->owed[at], due_ms) < slot.nominal_ms))
        at++;
    if (at == 0) return false;
    lane_push_range(job, at, (struct job_owed){.from_ms = slot.due_ms - 1,
                                               .to_ms = slot.due_ms,
                                               .delay_ms = slot.due_ms - slot.nominal_ms});
    return true;
}

static void pop_range(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job->extra;
    assert(extra->owed_count > 0);
    if (extra->owed[0].schedule != NULL) timers_release(shard->timers, extra->owed[0].schedule);
    for (uint32_t i = 1; i < extra->owed_count; i++) extra->owed[i - 1] = extra->owed[i];
    extra->owed_count--;
}

void lane_keep_schedule(struct shard *shard, struct job *job)
{
    (void)shard;
    for (uint32_t i = 0; i < job->extra->owed_count; i++) {
        struct job_owed *owed = &job->extra->owed[i];
        if (owed->schedule != NULL) continue;
        int64_t to_ms = owed->to_ms;
        owed->schedule = timers_retain(job->schedule);
        if (lane_is_single(owed)) continue;
        clamp_owed(job, &owed->from_ms, &to_ms);
        if (!last_slot(&job->schedule->spec, owed->from_ms, to_ms, &owed->to_ms))
            owed->to_ms = owed->from_ms;
    }
}

void lane_release(struct shard *shard, struct job *job)
{
    if (job->extra == NULL) return;
    lane_uncount(shard, job);
    while (job->extra->owed_count > 0) pop_range(shard, job);
    job->extra->tail_from_ms = INSTANT_NONE;
    job->extra->tail_undecided = false;
    job->extra->failing_since_ms = INSTANT_NONE;
    job->extra->retry_ms = INSTANT_NONE;
}

/* ---- the policy ---- */

static void announce_dropped(struct job *job, const struct schedule_spec *spec, int64_t from_ms,
                             int64_t to_ms, int64_t at_ms, int64_t count, const char *reason,
                             const struct sink *sink)
{
    int64_t first_ms = 0;
    int64_t last_ms = 0;
    bool any = schedule_next(spec, from_ms, &first_ms) &&
               schedule_last(spec, from_ms, to_ms, &last_ms);
    assert(any);
    (void)any;
    first_ms = schedule_nominal(spec, first_ms);
    last_ms = schedule_nominal(spec, last_ms);
    job_announce(job, EVENT_MISSED, at_ms, first_ms, last_ms, count, reason, sink);
}

void lane_close_tail(struct shard *shard, struct job *job, int64_t to_ms, int64_t at_ms,
                     const struct sink *sink)
{
    (void)shard;
    struct job_extra *extra = job->extra;
    const struct schedule_spec *spec = &job->schedule->spec;
    assert(!extra->tail_undecided);
    int64_t from_ms = extra->tail_from_ms;
    extra->tail_from_ms = INSTANT_NONE;
    int64_t count = from_ms == INSTANT_NONE ? 0 : (int64_t)slots_in(job, from_ms, to_ms);
    if (count == 0) return;
    lane_clamp(job, &from_ms, &to_ms);
    struct job_owed *last = extra->owed_count == 0 ? NULL : &extra->owed[extra->owed_count - 1];
    bool joins = last != NULL && last->schedule == NULL && last->missed_count == 0 &&
                 last->to_ms <= from_ms && nothing_between(job, last->to_ms, from_ms) &&
                 (!lane_is_single(last) || job_names_slot(job, last->to_ms));
    int64_t last_ms = 0;
    bool any = last_slot(spec, from_ms, to_ms, &last_ms);
    assert(any);
    (void)any;
    if (joins) {
        last->to_ms = last_ms;
        last->delay_ms = 0;
    } else if (extra->owed_count == OWED_RANGES_MAX) /* never silent */
        announce_dropped(job, spec, from_ms, to_ms, at_ms, count, "too_many_ranges", sink);
    else
        lane_push_range(job, extra->owed_count, range_of(job, from_ms, last_ms));
}

static void announce_catchup(struct job *job, enum event_kind kind, int64_t at_ms, int64_t count,
                             const struct sink *sink)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    if (kind == EVENT_CATCHUP_FINISHED && mutant(MUTANT_CATCHUP_END_NOT_SAID)) return;
    job_event_init(&event, kind, job, at_ms, incarnation);
    event.count = count;
    sink->event(sink->opaque, &event);
}

void lane_decide(struct shard *shard, struct job *job, int64_t to_ms, int64_t now_ms,
                 const struct sink *sink)
{
    (void)shard;
    struct job_extra *extra = job->extra;
    assert(extra->tail_undecided);
    struct definition definition;
    job_view(job, &definition);
    int64_t from_ms = extra->tail_from_ms;
    int64_t last_ms = to_ms;
    extra->tail_undecided = false;
    lane_clamp(job, &from_ms, &last_ms);
    int64_t total = (int64_t)slots_in(job, extra->tail_from_ms, to_ms);
    if (total > 0) {
        struct verdict verdict = catchup_judge(&definition, from_ms, last_ms, now_ms);
        int64_t kept = (int64_t)slots_in(job, verdict.keep_from_ms, last_ms);
        assert(kept <= total);
        if (kept < total)
            announce_dropped(job, &definition.schedule, from_ms, verdict.keep_from_ms, now_ms,
                             total - kept, verdict.reason, sink);
        bool latest = definition.catchup.policy == CATCHUP_LATEST;
        int64_t newest_ms = 0;
        if (kept > 0 &&
            last_slot(&definition.schedule, verdict.keep_from_ms, last_ms, &newest_ms)) {
            struct job_owed range = range_of(job, verdict.keep_from_ms, newest_ms);
            range.missed_count = latest ? total - kept + mutant(MUTANT_MISSED_COUNT_OFF) : 0;
            range.planned = latest ? 0 : kept;
            lane_push_range(job, extra->owed_count, range);
        }
        if (kept > 0 && !latest)
            announce_catchup(job, EVENT_CATCHUP_STARTED, now_ms, kept, sink);
    }
    extra->tail_from_ms = extra->owed_count > 0 ? to_ms : INSTANT_NONE;
}

void lane_open(struct shard *shard, struct job *job, int64_t from_ms, int64_t to_ms,
               int64_t now_ms, const struct sink *sink)
{
    struct job_extra *extra = job_extra(job);
    assert(extra->tail_from_ms == INSTANT_NONE);
    if (job_fires_used_up(job)) return; /* it is finished, or will be at once */
    if (extra->owed_count == OWED_RANGES_MAX) { /* never silent */
        int64_t count = (int64_t)slots_in(job, from_ms, to_ms);
        if (count > 0)
            announce_dropped(job, &job->schedule->spec, from_ms, to_ms, now_ms, count,
                             "too_many_ranges", sink);
        return;
    }
    extra->tail_from_ms = from_ms;
    extra->tail_undecided = true;
    lane_decide(shard, job, to_ms, now_ms, sink);
}

/* ---- working off ---- */

/* A range one millisecond wide is its one slot, whatever the schedule says by now. */
bool lane_range_next(const struct job *job, const struct job_owed *owed, int64_t *due_ms)
{
    if (owed->from_ms >= owed->to_ms) return false;
    if (lane_is_single(owed)) {
        *due_ms = owed->to_ms;
        return true;
    }
    int64_t from_ms = owed->from_ms;
    int64_t to_ms = owed->to_ms;
    if (owed->schedule != NULL)
        return schedule_next(&owed->schedule->spec, from_ms, due_ms) && *due_ms <= to_ms;
    clamp_owed(job, &from_ms, &to_ms);
    return schedule_next(&job->schedule->spec, from_ms, due_ms) && *due_ms <= to_ms;
}

static bool tail_next(const struct shard *shard, const struct job *job, int64_t *due_ms)
{
    if (job->extra->tail_from_ms == INSTANT_NONE) return false;
    int64_t from_ms = job->extra->tail_from_ms;
    int64_t to_ms = shard->watermark.instant_ms;
    lane_clamp(job, &from_ms, &to_ms);
    return schedule_next(&job->schedule->spec, from_ms, due_ms) && *due_ms <= to_ms;
}

/* The next owed slot; drops ranges that are done. False: nothing is owed any more. */
bool lane_next(struct shard *shard, struct job *job, int64_t now_ms, int64_t *due_ms,
               const struct sink *sink)
{
    struct job_extra *extra = job->extra;
    while (extra->owed_count > 0) {
        if (lane_range_next(job, &extra->owed[0], due_ms)) return true;
        int64_t planned = extra->owed[0].planned;
        pop_range(shard, job);
        if (planned > 0) announce_catchup(job, EVENT_CATCHUP_FINISHED, now_ms, planned, sink);
    }
    return tail_next(shard, job, due_ms);
}

void lane_done(struct job *job, int64_t due_ms)
{
    struct job_extra *extra = job->extra;
    if (mutant(MUTANT_LANE_SKIPS)) due_ms += HOURS_MS;
    if (extra->owed_count > 0) extra->owed[0].from_ms = due_ms;
    else extra->tail_from_ms = due_ms;
}

void lane_give_up(struct shard *shard, struct job *job, struct job_slot slot,
                  const struct catchup *catchup, int64_t now_ms, const struct sink *sink)
{
    const struct job_owed *owed = job->extra->owed_count > 0 ? &job->extra->owed[0] : NULL;
    const struct schedule_spec *spec =
        owed != NULL ? lane_range_spec(job, owed) : &job->schedule->spec;
    int64_t from_ms = slot.due_ms - 1;
    int64_t to_ms = owed != NULL ? owed->to_ms : shard->watermark.instant_ms;
    int64_t last_ms = slot.due_ms;
    bool single = owed != NULL && lane_is_single(owed);
    if (single || mutant(MUTANT_GIVEN_UP_ONE_BY_ONE)) {
        job_announce(job, EVENT_MISSED, now_ms, slot.nominal_ms, slot.nominal_ms, 1,
                     "undeliverable", sink);
        lane_done(job, slot.due_ms);
        return;
    }
    if (owed == NULL) lane_clamp(job, &from_ms, &to_ms);
    else if (owed->schedule == NULL) clamp_owed(job, &from_ms, &to_ms);
    int64_t old_ms = catchup_too_old_ms(catchup, spec, now_ms);
    if (to_ms > old_ms) to_ms = old_ms;
    bool any = last_slot(spec, from_ms, to_ms, &last_ms);
    assert(any);
    (void)any;
    int64_t count = (int64_t)schedule_count(spec, from_ms, last_ms, INT64_MAX);
    announce_dropped(job, spec, from_ms, last_ms, now_ms, count, "undeliverable", sink);
    lane_done(job, last_ms);
}

void lane_finish_catchup(struct job *job, int64_t now_ms, const struct sink *sink)
{
    for (uint32_t i = 0; i < job->extra->owed_count; i++) {
        int64_t planned = job->extra->owed[i].planned;
        job->extra->owed[i].planned = 0;
        if (planned > 0) announce_catchup(job, EVENT_CATCHUP_FINISHED, now_ms, planned, sink);
    }
}

void lane_end(struct shard *shard, struct job *job, int64_t now_ms, const struct sink *sink)
{
    lane_finish_catchup(job, now_ms, sink);
    if (job->flags & JOB_FOREIGN) aside_put(shard, job);
    lane_release(shard, job);
}

void lane_fire_slot(struct shard *shard, struct job *job, enum fire_kind kind, int64_t due_ms,
                    int64_t now_ms, const struct sink *sink)
{
    struct job_extra *extra = job->extra;
    int64_t missed = extra->owed_count > 0 ? extra->owed[0].missed_count : 0;
    int32_t attempt = extra->attempts + 1;
    extra->attempts = 0;
    struct job_slot slot = {lane_nominal(job, due_ms), due_ms};
    job_fire(job, kind, slot, now_ms, missed, attempt, sink);
    if (mutant(MUTANT_LANE_FIRES_TWICE)) job_fire(job, kind, slot, now_ms, missed, 1, sink);
    if (job_has_max_fires(job)) extra->counted_fires++;
    lane_done(job, due_ms);
    if (job_fires_used_up(job)) lane_end(shard, job, now_ms, sink);
}

struct dropped {
    int64_t count;
    int64_t first_ms;
    int64_t last_ms;
};

static void drop_named(struct dropped *dropped, int64_t first_ms, int64_t last_ms, int64_t count)
{
    dropped->count += count;
    if (first_ms < dropped->first_ms) dropped->first_ms = first_ms;
    if (last_ms > dropped->last_ms) dropped->last_ms = last_ms;
}

/* Adds the slots due in (from_ms, to_ms]. */
static void drop_slots(struct dropped *dropped, const struct schedule_spec *spec, int64_t from_ms,
                       int64_t to_ms, int64_t first_due_ms)
{
    int64_t last_due_ms = first_due_ms;
    if (!schedule_last(spec, from_ms, to_ms, &last_due_ms)) last_due_ms = first_due_ms;
    drop_named(dropped, schedule_nominal(spec, first_due_ms), schedule_nominal(spec, last_due_ms),
               (int64_t)schedule_count(spec, from_ms, to_ms, INT64_MAX));
}

static void drop_range(struct dropped *dropped, const struct job *job, const struct job_owed *owed)
{
    int64_t due_ms = 0;
    int64_t from_ms = owed->from_ms;
    int64_t to_ms = owed->to_ms;
    if (!lane_range_next(job, owed, &due_ms)) return;
    if (lane_is_single(owed)) {
        int64_t nominal_ms = lane_range_nominal(job, owed, due_ms);
        drop_named(dropped, nominal_ms, nominal_ms, 1);
        return;
    }
    if (owed->schedule == NULL) clamp_owed(job, &from_ms, &to_ms);
    drop_slots(dropped, lane_range_spec(job, owed), from_ms, to_ms, due_ms);
}

static struct dropped all_owed(const struct shard *shard, const struct job *job)
{
    const struct job_extra *extra = job->extra;
    struct dropped dropped = {.first_ms = INT64_MAX, .last_ms = INT64_MIN};
    int64_t due_ms = 0;
    for (uint32_t i = 0; i < extra->owed_count; i++) drop_range(&dropped, job, &extra->owed[i]);
    if (tail_next(shard, job, &due_ms)) {
        int64_t from_ms = extra->tail_from_ms;
        int64_t to_ms = shard->watermark.instant_ms;
        lane_clamp(job, &from_ms, &to_ms);
        drop_slots(&dropped, &job->schedule->spec, from_ms, to_ms, due_ms);
    }
    return dropped;
}

int64_t lane_slots_owed(const struct shard *shard, const struct job *job)
{
    return all_owed(shard, job).count;
}

void lane_drop(struct shard *shard, struct job *job, int64_t at_ms, const char *reason,
               const struct sink *sink)
{
    struct dropped dropped = all_owed(shard, job);
    if (dropped.count > 0)
        job_announce(job, EVENT_SKIPPED, at_ms, dropped.first_ms, dropped.last_ms, dropped.count,
                     reason, sink);
    lane_release(shard, job);
}

void lane_cut(struct shard *shard, struct job *job, int64_t at_ms, const struct sink *sink)
{
    if (!job_owes(job)) return;
    lane_finish_catchup(job, at_ms, sink);
    lane_drop(shard, job, at_ms, "updated", sink);
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
    extra->lane_slots = lane_slots_owed(shard, job);
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
    if (!mutant(MUTANT_LANE_JOINED_FORGOTTEN)) shard->lane_state.joined++;
}
