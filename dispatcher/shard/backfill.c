/* Backfills: past ranges of a job that a command asked for, worked off beside the job's own slots
 * at a rate of their own. Their fires have ids of their own, so they disturb no order and double
 * nothing. Each keeps the schedule it was opened under. */
#include <assert.h>
#include <stdlib.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"

#define SECOND_US INT64_C(1000000)
#define BURST_US (SECOND_US / 10) /* what a late turn may catch up */

struct text command_backfill_id(const struct command *command)
{
    return command->backfill_id.length > 0 ? command->backfill_id : command->command_id;
}

static uint32_t backfill_count(const struct job *job)
{
    return job->extra == NULL ? 0 : job->extra->backfill_count;
}

struct job_backfill *backfill_find(const struct job *job, struct text id)
{
    for (uint32_t i = 0; i < backfill_count(job); i++)
        if (text_equal(text_of(job->extra->backfills[i].id), id)) return &job->extra->backfills[i];
    return NULL;
}

bool backfill_is_full(const struct job *job)
{
    return backfill_count(job) == BACKFILLS_MAX;
}

/* Backfills go by nominal time: what has passed need not be spread. */
static struct schedule_spec without_jitter(const struct job *job)
{
    struct schedule_spec spec = job->schedule->spec;
    spec.jitter = (struct schedule_jitter){0};
    return spec;
}

bool backfill_range(const struct job *job, int64_t *from_ms, int64_t *to_ms)
{
    struct schedule_spec spec = without_jitter(job);
    struct definition definition;
    job_view(job, &definition);
    if (definition.start_ms != START_NONE && *from_ms < definition.start_ms)
        *from_ms = definition.start_ms - 1;
    if (*to_ms >= definition.end_ms) *to_ms = definition.end_ms - 1;
    return *from_ms < *to_ms && schedule_last(&spec, *from_ms, *to_ms, to_ms);
}

int64_t backfill_slots(const struct job *job, int64_t from_ms, int64_t to_ms)
{
    struct schedule_spec spec = without_jitter(job);
    return (int64_t)schedule_count(&spec, from_ms, to_ms, INT64_MAX);
}

static void announce(const struct job *job, const struct job_backfill *backfill,
                     enum event_kind kind, int64_t at_ms, int64_t count, enum event_reason reason,
                     const struct sink *sink)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    job_event_init(&event, kind, job, at_ms, incarnation);
    event.backfill_id = text_of(backfill->id);
    event.count = count;
    event.reason = reason;
    struct job_slot next;
    if (kind != EVENT_BACKFILL_FINISHED && debt_next(&backfill->debt, NULL, &next)) {
        event.first_ms = next.due_ms;
        event.last_ms = debt_to_ms(&backfill->debt);
    }
    sink->event(sink->opaque, &event);
}

void backfill_enqueue(struct shard *shard, struct job *job)
{
    if (backfill_count(job) == 0 || (job->flags & JOB_STANDS_STILL) || job->extra->in_backfill ||
        shard_run_in_way(shard, job) || shard_hold(shard, job))
        return;
    job_queue_add(&shard->backfills, job_reference_of(job));
    job->extra->in_backfill = true;
}

void backfill_resume(struct shard *shard, struct job *job)
{
    for (uint32_t i = 0; i < backfill_count(job); i++)
        job->extra->backfills[i].retry_ms = INSTANT_NONE;
    backfill_enqueue(shard, job);
}

void backfill_go_on(struct shard *shard, struct job *job)
{
    backfill_resume(shard, job);
    if (job->extra != NULL && job->extra->in_backfill) shard->lane_state.goes_on = true;
}

struct job_backfill *backfill_push(struct job *job, struct text id)
{
    struct job_extra *extra = job_extra(job);
    assert(extra->backfill_count < BACKFILLS_MAX);
    extra->backfills = memory_resize(extra->backfills, extra->backfill_count + 1,
                                     sizeof *extra->backfills);
    struct job_backfill *backfill = &extra->backfills[extra->backfill_count++];
    *backfill = (struct job_backfill){.id = memory_copy_text(id.bytes, id.length),
                                      .retry_ms = INSTANT_NONE};
    return backfill;
}

void backfill_open(struct shard *shard, struct job *job, const struct command *command,
                   int64_t from_ms, int64_t to_ms, int64_t at_ms, const struct sink *sink)
{
    struct job_backfill *backfill = backfill_push(job, command_backfill_id(command));
    job_remember_backfill(job, backfill_hash(command_backfill_id(command)));
    backfill->rate = command->rate;
    struct schedule_spec spec = without_jitter(job);
    struct schedule_words words = schedule_words_of(job->schedule);
    backfill->debt = (struct debt){.kind = DEBT_RANGE,
                                   .range = {from_ms, to_ms},
                                   .schedule = timers_intern(shard->timers, &spec, &words)};
    announce(job, backfill, EVENT_BACKFILL_STARTED, at_ms, debt_left(&backfill->debt, NULL).count,
             REASON_NONE, sink);
    backfill_enqueue(shard, job);
}

static void remove_one(struct shard *shard, struct job *job, struct job_backfill *backfill)
{
    struct job_extra *extra = job->extra;
    uint32_t at = (uint32_t)(backfill - extra->backfills);
    assert(at < extra->backfill_count);
    timers_release(shard->timers, backfill->debt.schedule);
    free(backfill->id);
    extra->backfill_count--;
    for (uint32_t i = at; i < extra->backfill_count; i++)
        extra->backfills[i] = extra->backfills[i + 1];
}

void backfill_cancel(struct shard *shard, struct job *job, struct job_backfill *backfill,
                     int64_t at_ms, enum event_reason reason, const struct sink *sink)
{
    struct job_slot next;
    if (schedule_is_unknown(&backfill->debt.schedule->spec))
        job_announce_unknown(job, debt_from_ms(&backfill->debt), at_ms, text_of(backfill->id),
                             sink);
    else if (debt_next(&backfill->debt, NULL, &next))
        announce(job, backfill, EVENT_SKIPPED, at_ms, debt_left(&backfill->debt, NULL).count,
                 reason, sink);
    remove_one(shard, job, backfill);
}

void backfill_drop(struct shard *shard, struct job *job, int64_t at_ms, enum event_reason reason,
                   const struct sink *sink)
{
    while (backfill_count(job) > 0)
        backfill_cancel(shard, job, &job->extra->backfills[0], at_ms, reason, sink);
}

void backfill_release(struct shard *shard, struct job *job)
{
    while (backfill_count(job) > 0) remove_one(shard, job, &job->extra->backfills[0]);
}

/* ---- working off ---- */

static void fire_next(struct shard *shard, struct job *job, struct job_backfill *backfill,
                      int64_t nominal_ms, int64_t now_ms, const struct sink *sink)
{
    struct fire fire = {.job = job,
                        .kind = FIRE_BACKFILL,
                        .nominal_ms = nominal_ms,
                        .due_ms = nominal_ms,
                        .now_ms = now_ms,
                        .attempt = backfill->attempts + 1,
                        .trigger_id = text_of(backfill->id)};
    backfill->attempts = 0;
    backfill->fired++;
    debt_pay(&backfill->debt, nominal_ms);
    job->life.fired++;
    shard_fire(shard, &fire, sink);
}

/* Fires what the backfill's rate allows by now. */
static bool run_one(struct shard *shard, struct job *job, struct job_backfill *backfill,
                    int64_t now_ms, int64_t *allowance, const struct sink *sink)
{
    int64_t now_us = now_ms * 1000;
    int64_t interval_us = SECOND_US / backfill->rate;
    if (backfill->due_us < now_us - BURST_US) backfill->due_us = now_us;
    if (backfill->due_us > now_us + interval_us) backfill->due_us = now_us + interval_us;
    bool fired = false;
    struct job_slot slot;
    while (*allowance > 0 && backfill->due_us <= now_us && !sink->full(sink->opaque) &&
           debt_next(&backfill->debt, NULL, &slot) && !shard_run_in_way(shard, job) &&
           !shard_holds(shard, job)) {
        fire_next(shard, job, backfill, slot.nominal_ms, now_ms, sink);
        backfill->due_us += interval_us;
        (*allowance)--;
        fired = true;
    }
    return fired;
}

/* One that fired its last slot in an earlier transaction is done: that fire cannot fail now. */
static bool run_job(struct shard *shard, struct job *job, int64_t now_ms, int64_t *allowance,
                    const struct sink *sink)
{
    bool changed = false;
    for (uint32_t i = 0; i < job->extra->backfill_count;) {
        struct job_backfill *backfill = &job->extra->backfills[i];
        struct job_slot next;
        if (!debt_next(&backfill->debt, NULL, &next)) {
            announce(job, backfill, EVENT_BACKFILL_FINISHED, now_ms, backfill->fired, REASON_NONE,
                     sink);
            remove_one(shard, job, backfill);
            changed = true;
            continue;
        }
        if (backfill->retry_ms == INSTANT_NONE &&
            run_one(shard, job, backfill, now_ms, allowance, sink))
            changed = true;
        i++;
    }
    return changed;
}

void backfill_run(struct shard *shard, int64_t now_ms, int64_t *allowance,
                  const struct sink *sink)
{
    struct job_reference reference;
    for (size_t count = shard->backfills.count; count > 0 && *allowance > 0; count--) {
        if (sink->full(sink->opaque)) return;
        (void)job_queue_take(&shard->backfills, &reference);
        struct job *job = shard_job_of(shard, reference);
        if (job == NULL) continue;
        job->extra->in_backfill = false;
        if (job->flags & JOB_STANDS_STILL) continue;
        if (run_job(shard, job, now_ms, allowance, sink))
            sink->job_changed(sink->opaque, job);
        backfill_enqueue(shard, job);
        job_lighten(job);
    }
}

/* ---- failing ---- */

void backfill_failed(struct shard *shard, struct job *job, const struct failed_fire *failed,
                     int64_t retry_ms, const struct sink *sink)
{
    struct job_backfill *backfill = backfill_find(job, text_of(failed->backfill_id));
    if (backfill == NULL) return; /* cancelled by the same transaction */
    backfill->fired--;
    if (debt_from_ms(&backfill->debt) >= failed->nominal_ms)
        debt_back(&backfill->debt, failed->nominal_ms);
    backfill->attempts = failed->attempt;
    if (backfill->retry_ms == INSTANT_NONE) {
        backfill->retry_ms = retry_ms;
        alarms_add(&shard->retries, (struct alarm){.at_ms = retry_ms,
                                                   .ordinal = job->life.ordinal,
                                                   .slot = job->slot});
    }
    sink->job_changed(sink->opaque, job);
}

struct job_backfill *backfill_to_retry(const struct job *job, int64_t alarm_ms)
{
    struct job_slot slot;
    for (uint32_t i = 0; i < backfill_count(job); i++) {
        struct job_backfill *backfill = &job->extra->backfills[i];
        if (backfill->retry_ms == alarm_ms && (job->flags & JOB_STANDS_STILL) == 0 &&
            debt_next(&backfill->debt, NULL, &slot))
            return backfill;
    }
    return NULL;
}

bool backfill_retry(struct shard *shard, struct job *job, int64_t alarm_ms, int64_t now_ms,
                    const struct sink *sink)
{
    struct job_slot slot;
    struct job_backfill *backfill = backfill_to_retry(job, alarm_ms);
    if (backfill == NULL || !debt_next(&backfill->debt, NULL, &slot)) return false;
    backfill->retry_ms = INSTANT_NONE;
    fire_next(shard, job, backfill, slot.nominal_ms, now_ms, sink);
    backfill_enqueue(shard, job);
    sink->job_changed(sink->opaque, job);
    return true;
}
