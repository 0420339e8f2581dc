/* What can happen to one job: each change keeps timers, alarms, lane and records in agreement. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"

/* ---- where a job is listed ---- */

static void attach(struct shard *shard, struct job *job, int64_t after_ms)
{
    timers_attach(shard->timers, job, job_slots_after_ms(job, after_ms));
    shard_runs_of_resumed(shard, job); /* also of one whose lease was taken away meanwhile */
}

void job_settle(struct shard *shard, struct job *job)
{
    job_set_alarm(shard, job);
    backfill_enqueue(shard, job);
    if (job->flags & (JOB_STANDS_STILL | JOB_FINISHED)) return;
    attach(shard, job, shard_slots_done_ms(shard));
    if (job_owes(job)) lane_enqueue(shard, job);
    else if ((job->flags & JOB_BOUNDED) && !job_has_slot_after(job, shard_slots_done_ms(shard)))
        lane_ask(shard, job);
}

void job_remove(struct shard *shard, struct job *job)
{
    timers_detach(shard->timers, job);
    lane_release(shard, job);
    if (job->extra != NULL) ledger_forget_away(&job->extra->ledger, shard->timers);
    backfill_release(shard, job);
    timers_release(shard->timers, job->schedule);
    job_table_remove(shard->jobs, job);
    job_destroy(job);
    shard_alarms_of_gone(shard);
}

/* ---- what can happen to a job ---- */

struct job *job_finish(struct shard *shard, struct job *job, int64_t at_ms,
                       const struct sink *sink)
{
    assert((job->flags & JOB_FINISHED) == 0);
    timers_detach(shard->timers, job);
    if (job->extra != NULL && !job_fires_used_up(job))
        ledger_forget_away(&job->extra->ledger, shard->timers);
    pending_abandon(job, at_ms, REASON_FINISHED, sink);
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    job_event_init(&event, EVENT_EXHAUSTED, job, at_ms, incarnation);
    sink->event(sink->opaque, &event);
    if (!job_keeps_when_finished(shard, job)) {
        backfill_drop(shard, job, at_ms, REASON_FINISHED, sink);
        sink->job_deleted(sink->opaque, job);
        job_remove(shard, job);
        return NULL;
    }
    job->flags |= JOB_FINISHED;
    job_extra(job)->state.finished_ms = at_ms;
    job_set_alarm(shard, job);
    sink->job_changed(sink->opaque, job);
    return job;
}

void job_unfinish(struct shard *shard, struct job *job)
{
    job->flags &= (uint8_t)~JOB_FINISHED;
    job->extra->state.finished_ms = INSTANT_NONE;
    attach(shard, job, shard_slots_done_ms(shard));
}

/* Whether the schedule is a one-shot whose time had come when it was given to the job, and whose
 * delay was not over. Its slot then is a pending one: those of a schedule come after the edit. */
static bool one_shot_straddles(const struct job *job)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    int64_t since_ms = job_since_ms(job);
    return spec->kind == SCHEDULE_AT && spec->at_ms <= since_ms &&
           schedule_due(spec, spec->at_ms) > since_ms;
}

static void wait_for_delay(struct job *job)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    struct job_slot slot = {spec->at_ms, schedule_due(spec, spec->at_ms)};
    struct definition definition;
    job_view(job, &definition);
    if (!job_fires_used_up(job) && pending_is_named(&definition, slot))
        job_set_pending(job, &slot, 1);
}

/* An `at` in the past: an id never comes twice. */
enum past_at {
    PAST_AT_OPEN,     /* it has not been fired: the catch-up policy decides */
    PAST_AT_DONE,     /* it may have been fired by an earlier schedule: an event says so */
    PAST_AT_ANNOUNCED /* an event has said so */
};

static void say_already_due(struct job *job, int64_t effective_ms, const struct sink *sink)
{
    int64_t at_ms = job->schedule->spec.at_ms;
    job_announce(job, EVENT_SKIPPED, effective_ms, at_ms, at_ms, 1, REASON_ALREADY_DUE, sink);
}

/* A job begins to run under its schedule: after an add or an edit. */
__attribute__((warn_unused_result)) static struct job *
job_begin(struct shard *shard, struct job *job, enum past_at past, int64_t effective_ms,
          const struct sink *sink)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    bool straddles = one_shot_straddles(job);
    if (straddles && past == PAST_AT_DONE) say_already_due(job, effective_ms, sink);
    else if (straddles && past == PAST_AT_OPEN) wait_for_delay(job);
    if (job->flags & JOB_PAUSED) {
        job_set_alarm(shard, job);
        sink->job_changed(sink->opaque, job);
        return job;
    }
    int64_t at_ms = spec->kind == SCHEDULE_AT ? schedule_due(spec, spec->at_ms) : INT64_MAX;
    job_set_alarm(shard, job);
    attach(shard, job, effective_ms);
    if (at_ms <= effective_ms && past == PAST_AT_DONE) {
        say_already_due(job, effective_ms, sink);
    } else if (at_ms <= effective_ms && past == PAST_AT_OPEN && !job_fires_used_up(job)) {
        /* Judged at its effective time: the same answer before and after a restart. Behind what
         * is owed from an earlier schedule there is no tail: no slot comes after it. */
        ledger_end_tail(&job_extra(job)->ledger);
        lane_open(job, at_ms - 1, at_ms, effective_ms, sink);
    }
    if (!job_owes(job) && !job_has_slot_after(job, effective_ms))
        return job_finish(shard, job, effective_ms, sink);
    if (job_owes(job)) lane_enqueue(shard, job);
    sink->job_changed(sink->opaque, job);
    return job;
}

static struct schedule *intern(struct shard *shard, const struct definition *definition)
{
    struct schedule_words words = definition_words(definition);
    return timers_intern(shard->timers, &definition->schedule, &words);
}

struct job *job_add(struct shard *shard, const struct definition *definition,
                    const struct incarnation *place, int64_t effective_ms,
                    const struct sink *sink)
{
    assert(definition->jitter_ms == definition->schedule.jitter.most_ms); /* settled */
    struct job *job = job_create(definition, intern(shard, definition));
    bool imported = definition_has_incarnation(definition);
    job->life.incarnation = imported ? definition->incarnation : *place;
    assert(job->life.incarnation.effective_ms <= effective_ms);
    if (imported) job_set_import(job, place);
    job->life.ordinal = shard->next_ordinal++;
    job->life.updated_ms = effective_ms;
    job_table_add(shard->jobs, job);
    if (definition->paused) {
        job->flags |= JOB_PAUSED;
        job_extra(job)->state.paused_ms = effective_ms;
    }
    bool past = imported && job_once_passed(definition, effective_ms);
    if (past) say_already_due(job, effective_ms, sink);
    return job_begin(shard, job, past ? PAST_AT_ANNOUNCED : PAST_AT_OPEN, effective_ms, sink);
}

/* The newest slot that the present schedule may have fired by effective_ms. */
static int64_t newest_due_ms(const struct job *job, int64_t effective_ms)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    if (spec->kind == SCHEDULE_AT)
        return schedule_due(spec, spec->at_ms) <= effective_ms ? spec->at_ms : INSTANT_NONE;
    int64_t since_ms = job_since_ms(job);
    int64_t newest_ms = INSTANT_NONE;
    if (since_ms >= effective_ms || !schedule_last(spec, since_ms, effective_ms, &newest_ms))
        return INSTANT_NONE;
    return schedule_nominal(spec, newest_ms);
}

/* Gives the job its new schedule. True: an `at` in the past may have been fired before: exactly
 * known for the schedule that ends here, on the safe side for earlier ones and for what came before
 * an import. */
static bool job_reschedule(struct shard *shard, struct job *job, struct schedule *schedule,
                           int64_t effective_ms)
{
    struct job_extra *extra = job_extra(job);
    bool one_shot = schedule->spec.kind == SCHEDULE_AT;
    int64_t at_ms = one_shot ? schedule->spec.at_ms : INT64_MAX;
    int64_t newest_ms = newest_due_ms(job, effective_ms);
    bool done_before = at_ms <= extra->state.earlier_due_ms || at_ms <= job_imported_ms(job) ||
                       (at_ms <= newest_ms && schedule_names(&job->schedule->spec, at_ms));
    if (newest_ms > extra->state.earlier_due_ms) extra->state.earlier_due_ms = newest_ms;
    timers_detach(shard->timers, job);
    timers_release(shard->timers, job->schedule);
    job->schedule = schedule;
    extra->state.schedule_edited_ms = effective_ms;
    extra->state.zone_data_ms = INSTANT_NONE;
    if (job->flags & JOB_FINISHED) {
        job->flags &= (uint8_t)~JOB_FINISHED;
        extra->state.finished_ms = INSTANT_NONE;
    }
    return done_before;
}

static bool bounds_differ(const struct job *job, const struct definition *definition)
{
    struct definition present;
    job_view(job, &present);
    return present.start_ms != definition->start_ms || present.end_ms != definition->end_ms;
}

/* An ended job that is set aside runs again where it may have a slot to come: which ones there are
 * is not known before the zone is back. */
static void revive_zoneless(struct job *job, int64_t effective_ms)
{
    job->flags &= (uint8_t)~JOB_FINISHED;
    job->extra->state.finished_ms = INSTANT_NONE;
    job->extra->state.zone_missing_ms = effective_ms;
}

/* Of a job that is set aside; it no longer is where the new schedule is known, which is to be taken
 * as any other then. */
__attribute__((warn_unused_result)) static struct job *
update_zoneless(struct shard *shard, struct job *job, struct schedule *schedule,
                const struct definition *definition, int64_t effective_ms,
                const struct sink *sink)
{
    bool rescheduled = !schedule_spec_equal(&schedule->spec, &job->schedule->spec);
    bool known = !schedule_is_unknown(&schedule->spec);
    bool may_run = job_fires_used_up(job) || bounds_differ(job, definition);
    bool ended = zoneless_edit(shard, job, definition, rescheduled, effective_ms, sink);
    if (rescheduled && known) {
        job->extra->state.zone_missing_ms = INSTANT_NONE;
        job->flags &= (uint8_t)~JOB_ZONELESS;
        return job;
    }
    job_redefine(job, definition);
    job->revision++;
    job->life.updated_ms = effective_ms;
    timers_release(shard->timers, job->schedule);
    job->schedule = schedule;
    if (ended) job->extra->state.schedule_edited_ms = effective_ms;
    bool revived = (job->flags & JOB_FINISHED) != 0;
    bool spent = job_fires_used_up(job) ||
                 ((ended || revived) && definition->end_ms <= effective_ms + 1);
    if (revived && (rescheduled || (may_run && !spent))) revive_zoneless(job, effective_ms);
    if (spent && (job->flags & (JOB_PAUSED | JOB_FINISHED)) == 0) {
        zoneless_end(shard, job, effective_ms, sink);
        return job_finish(shard, job, effective_ms, sink);
    }
    job_set_alarm(shard, job);
    sink->job_changed(sink->opaque, job);
    return job;
}

/* Other words for the same instants, or the same schedule once more. Takes the reference. */
static void reword(struct shard *shard, struct job *job, struct schedule *schedule)
{
    if (schedule == job->schedule) {
        timers_release(shard->timers, schedule);
        return;
    }
    bool attached = job->timer_index != TIMER_INDEX_NONE;
    timers_detach(shard->timers, job);
    timers_release(shard->timers, job->schedule);
    job->schedule = schedule;
    if (attached) attach(shard, job, shard_slots_done_ms(shard));
}

/* The instants stay, but with other bounds the job may end here, or be over no more. */
__attribute__((warn_unused_result)) static struct job *
judge_end(struct shard *shard, struct job *job, int64_t effective_ms, const struct sink *sink)
{
    bool finished = (job->flags & JOB_FINISHED) != 0;
    if (finished && job_has_slot_after(job, effective_ms)) { /* a later end, more fires */
        job->flags &= (uint8_t)~JOB_FINISHED;
        job->extra->state.finished_ms = INSTANT_NONE;
        return job_begin(shard, job, PAST_AT_OPEN, effective_ms, sink);
    }
    if (job_is_spent(job, effective_ms)) return job_finish(shard, job, effective_ms, sink);
    if (finished) job_set_alarm(shard, job); /* keep_finished may have changed */
    if (job_owes(job)) lane_enqueue(shard, job); /* what was decided just now */
    sink->job_changed(sink->opaque, job);
    return job;
}

/* Another bound: the failures in a row count from here. */
static bool recounts_failures(const struct job *job, const struct definition *definition)
{
    struct definition present;
    if (job->extra == NULL || job->extra->state.failed_runs == 0) return false;
    job_view(job, &present);
    return present.runs.pause_after_failures != definition->runs.pause_after_failures;
}

struct job *job_update(struct shard *shard, struct job *job, const struct definition *definition,
                       int64_t effective_ms, int64_t now_ms, const struct sink *sink)
{
    assert(definition->jitter_ms == definition->schedule.jitter.most_ms); /* settled */
    struct schedule *schedule = intern(shard, definition);
    bool rescheduled = !schedule_spec_equal(&schedule->spec, &job->schedule->spec);
    bool rebounded = bounds_differ(job, definition);
    if (job->flags & JOB_ZONELESS) {
        job = update_zoneless(shard, job, schedule, definition, effective_ms, sink);
        if (job == NULL || (job->flags & JOB_ZONELESS)) return job;
    }
    struct job_slot delayed;
    const struct job_slot *present =
        pending_at_edit(job, effective_ms, &delayed) ? &delayed : NULL;
    (void)overlap_settle(shard, job, effective_ms, effective_ms, sink);
    if (job_is_undecided(job)) lane_decide(job, effective_ms, now_ms, sink);
    bool recounts = recounts_failures(job, definition);
    if (rescheduled || rebounded) lane_edit(job, effective_ms, now_ms, sink);
    job_redefine(job, definition);
    if (recounts) job->extra->state.failed_runs = 0;
    job->revision++;
    job->life.updated_ms = effective_ms;
    backfill_enqueue(shard, job); /* no run may be in their way any more */
    if (job->extra != NULL) ledger_forget_away(&job->extra->ledger, shard->timers);
    if (job_fires_used_up(job)) lane_cut(shard, job, effective_ms, sink); /* lowered */
    if (rescheduled) {
        bool done_before = job_reschedule(shard, job, schedule, effective_ms);
        if (pending_keep(job, present, effective_ms, sink)) done_before = false;
        enum past_at past = done_before ? PAST_AT_DONE : PAST_AT_OPEN;
        return job_begin(shard, job, past, effective_ms, sink);
    }
    if (rebounded) pending_recheck(job, present, effective_ms, sink);
    reword(shard, job, schedule);
    return judge_end(shard, job, effective_ms, sink);
}

void job_pause(struct shard *shard, struct job *job, int64_t effective_ms, int64_t until_ms,
               struct text reason, int64_t now_ms, const struct sink *sink)
{
    assert((job->flags & JOB_FINISHED) == 0);
    struct job_extra *extra = job_extra(job);
    if ((job->flags & JOB_PAUSED) == 0) {
        if (job->flags & JOB_ZONELESS) zoneless_end(shard, job, effective_ms, sink);
        (void)overlap_settle(shard, job, effective_ms, effective_ms, sink);
        lane_pause(job, effective_ms, now_ms, sink);
        timers_detach(shard->timers, job);
        job->flags |= JOB_PAUSED;
        extra->state.paused_ms = effective_ms;
    }
    extra->state.until_ms = until_ms == INT64_MAX ? INSTANT_NONE : until_ms;
    job_set_pause_reason(job, reason);
    job->revision++;
    job->life.updated_ms = effective_ms;
    job_set_alarm(shard, job);
    sink->job_changed(sink->opaque, job);
}

/* A one-shot whose time passed in the pause is over, unless it is to be caught up. */
static bool one_shot_passed(const struct job *job, int64_t from_ms, int64_t effective_ms)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    const struct job_state *state = &job->extra->state;
    if (spec->kind != SCHEDULE_AT) return false;
    int64_t due_ms = schedule_due(spec, spec->at_ms);
    if (one_shot_straddles(job)) return job_has_pending(job) && from_ms >= due_ms;
    bool in_pause = due_ms > state->paused_ms || state->schedule_edited_ms >= state->paused_ms;
    return in_pause && due_ms <= effective_ms && from_ms >= due_ms;
}

/* Of the pause that ends, the interval that is left out. */
static void say_resumed(const struct job *job, int64_t effective_ms, int64_t from_ms,
                        const struct sink *sink)
{
    int64_t paused_ms = job->extra->state.paused_ms;
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    job_event_init(&event, EVENT_RESUMED, job, effective_ms, incarnation);
    event.from_ms = paused_ms;
    event.to_ms = paused_ms > from_ms ? paused_ms : from_ms;
    sink->event(sink->opaque, &event);
}

/* What comes due from here on is owed when the zone is back. */
__attribute__((warn_unused_result)) static struct job *
resume_zoneless(struct shard *shard, struct job *job, int64_t effective_ms, int64_t from_ms,
                const struct sink *sink)
{
    if (job_fires_used_up(job)) { /* by an update in the pause */
        zoneless_end(shard, job, effective_ms, sink);
        return job_finish(shard, job, effective_ms, sink);
    }
    job->extra->state.zone_missing_ms = from_ms;
    job_set_alarm(shard, job);
    sink->job_changed(sink->opaque, job);
    return job;
}

struct job *job_resume(struct shard *shard, struct job *job, int64_t effective_ms,
                       int64_t from_ms, int64_t now_ms, const struct sink *sink)
{
    assert(job->flags & JOB_PAUSED);
    struct job_extra *extra = job_extra(job);
    say_resumed(job, effective_ms, from_ms, sink);
    bool passed = one_shot_passed(job, from_ms, effective_ms);
    job->flags &= (uint8_t)~JOB_PAUSED;
    extra->state.paused_ms = INSTANT_NONE;
    extra->state.until_ms = INSTANT_NONE;
    extra->state.failed_runs = 0;
    job_set_pause_reason(job, text_of(NULL));
    job->revision++;
    job->life.updated_ms = effective_ms;
    ledger_forget_waiting(&extra->ledger, from_ms);
    if (job->flags & JOB_ZONELESS)
        return resume_zoneless(shard, job, effective_ms, from_ms, sink);
    attach(shard, job, effective_ms);
    job_set_alarm(shard, job);
    backfill_resume(shard, job);
    if (passed) {
        int64_t at_ms = job->schedule->spec.at_ms;
        job_announce(job, EVENT_SKIPPED, effective_ms, at_ms, at_ms, 1,
                     at_ms > extra->state.earlier_due_ms ? REASON_PAUSED : REASON_ALREADY_DUE,
                     sink);
    } else if (from_ms < effective_ms && !job_fires_used_up(job)) {
        lane_open(job, from_ms, effective_ms, now_ms, sink);
    }
    if (job_owes(job)) {
        if (ledger_tail_from_ms(&extra->ledger) == INSTANT_NONE)
            ledger_open_tail(&extra->ledger, effective_ms, false);
        lane_enqueue(shard, job);
    } else if (!job_has_slot_after(job, effective_ms)) {
        return job_finish(shard, job, effective_ms, sink);
    }
    sink->job_changed(sink->opaque, job);
    return job;
}

void job_delete(struct shard *shard, struct job *job, int64_t effective_ms,
                const struct sink *sink)
{
    if (job->flags & JOB_ZONELESS) zoneless_end(shard, job, effective_ms, sink);
    (void)overlap_settle(shard, job, effective_ms, effective_ms, sink);
    if (job_owes(job)) lane_drop(shard, job, effective_ms, REASON_DELETED, sink);
    pending_abandon(job, effective_ms, REASON_DELETED, sink);
    backfill_drop(shard, job, effective_ms, REASON_DELETED, sink);
    shard_runs_of_deleted(shard, job, effective_ms, sink);
    sink->job_deleted(sink->opaque, job);
    job_remove(shard, job);
}
