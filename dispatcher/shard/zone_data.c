/* What other zone data means for a slot that waits for its delay. How long one waits depends on the
 * slot after it, so by other data a slot that has fired may seem to wait yet. Which slot is left
 * out is decided once, by what the job is then, and kept in its record: paused, resumed or caught
 * up later, the job would seem to have left out another one.
 *
 * What the job has yet to fire begins where its first range of owed slots does, or the tail behind
 * the ranges, or a pause, or with what comes after the watermark. There the slot in question waits.
 * One that is owed by itself has its delay: what comes behind it has later slots. Left out of a
 * range means that the range begins behind it; of what is not owed yet, that no slot up to it is
 * the job's. A change that lies before the watermark comes from an older daemon, which has named
 * what it left out, and left it out anew each time it restored the job. */
#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"

/* New rules move clocks by no more, with the exception of a day left out at the date line. */
#define MOVES_AT_MOST_MS (3 * HOURS_MS)

static bool has_delays_of_zone(const struct schedule_spec *spec)
{
    return spec->kind == SCHEDULE_CRON && spec->cron.zone != NULL && spec->jitter.most_ms > 0;
}

static uint32_t debt_count(const struct job *job)
{
    return job->extra == NULL ? 0 : ledger_count(&job->extra->ledger);
}

/* Up to where the job's slots are done, or owed as ranges. */
static int64_t done_ms_of(const struct job *job, int64_t changed_ms)
{
    const struct job_extra *extra = job->extra;
    int64_t done_ms = changed_ms;
    if (extra == NULL) return done_ms;
    int64_t paused_ms = extra->state.paused_ms;
    if ((job->flags & JOB_PAUSED) && paused_ms < done_ms) done_ms = paused_ms;
    int64_t tail_from_ms = ledger_tail_from_ms(&extra->ledger);
    return tail_from_ms != INSTANT_NONE && tail_from_ms < done_ms ? tail_from_ms : done_ms;
}

/* The one slot, if any, whose nominal time had come by done_ms and whose delay had not passed. Its
 * due time is after after_ms, too. */
static bool waits(const struct job *job, int64_t done_ms, int64_t after_ms, struct job_slot *slot)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    struct definition definition;
    if (!has_delays_of_zone(spec)) return false;
    job_view(job, &definition);
    if (!job_next_slot(&definition, after_ms, &slot->due_ms)) return false;
    slot->nominal_ms = schedule_nominal(spec, slot->due_ms);
    return slot->nominal_ms <= done_ms;
}

/* The same at the beginning of all that the job has yet to fire; `spec` is whose slot it is. */
static bool waits_first(const struct job *job, int64_t changed_ms, struct job_slot *slot,
                        const struct schedule_spec **spec)
{
    const struct job_extra *extra = job->extra;
    int64_t done_ms = done_ms_of(job, changed_ms);
    *spec = &job->schedule->spec;
    /* Behind a slot that could not be delivered none has fired. */
    if (job_is_failing(job)) return false;
    if (debt_count(job) == 0)
        return waits(job, done_ms, job_slots_after_ms(job, done_ms), slot);
    const struct debt *front = ledger_debt(&extra->ledger, 0);
    int64_t from_ms = debt_from_ms(front);
    if (front->schedule == NULL)
        return waits(job, from_ms, job_owed_after_ms(job, from_ms), slot);
    *spec = &front->schedule->spec;
    if (!has_delays_of_zone(*spec) || !schedule_next(*spec, from_ms, &slot->due_ms)) return false;
    slot->nominal_ms = schedule_nominal(*spec, slot->due_ms);
    return slot->nominal_ms <= from_ms;
}

/* Whether the slot after it is, or may have been, near enough to have bounded its delay. */
static bool delay_may_move(const struct schedule_spec *spec, const struct job_slot *slot)
{
    int64_t next_due_ms = 0;
    if (!schedule_next(spec, slot->due_ms, &next_due_ms)) return false;
    int64_t gap_ms = schedule_nominal(spec, next_due_ms) - slot->nominal_ms;
    return spec->jitter.most_ms > gap_ms - MOVES_AT_MOST_MS;
}

/* The slot, if any, that may have fired by the other data. */
static int64_t maybe_fired_ms(const struct job *job, int64_t changed_ms)
{
    struct job_slot slot;
    const struct schedule_spec *spec = NULL;
    if (!waits_first(job, changed_ms, &slot, &spec)) return INSTANT_NONE;
    bool before = job->extra != NULL && job->extra->state.zone_data_ms == slot.nominal_ms;
    bool left_out = before || job->life.last_due_ms >= slot.nominal_ms ||
                    delay_may_move(spec, &slot);
    return left_out ? slot.nominal_ms : INSTANT_NONE;
}

/* The newest slot owed by itself before the debt that is number `end`. */
static int64_t alone_ms(const struct job *job, uint32_t end)
{
    int64_t newest_ms = INSTANT_NONE;
    for (uint32_t i = 0; i < end; i++) {
        const struct debt *debt = ledger_debt(&job->extra->ledger, i);
        if (debt->kind == DEBT_SLOT && debt->slot.nominal_ms > newest_ms)
            newest_ms = debt->slot.nominal_ms;
    }
    return newest_ms;
}

/* True: a range begins later now. */
static bool cut_ranges(struct job *job, int64_t left_out_ms)
{
    struct terms terms = job_terms(job);
    bool cut = false;
    for (uint32_t i = 0; i < debt_count(job); i++) {
        const struct debt *debt = ledger_debt(&job->extra->ledger, i);
        struct job_slot slot;
        if (debt->kind == DEBT_SLOT || !has_delays_of_zone(debt_spec(debt, &terms)) ||
            !debt_next(debt, &terms, &slot))
            continue;
        if (slot.nominal_ms != left_out_ms && slot.nominal_ms > alone_ms(job, i)) continue;
        ledger_pay_of(&job->extra->ledger, i, slot.due_ms);
        cut = true;
    }
    return cut;
}

/* Of what is not owed as a range. */
static bool leave_out(struct job *job, int64_t changed_ms, int64_t left_out_ms)
{
    struct job_slot slot;
    int64_t done_ms = done_ms_of(job, changed_ms);
    int64_t nominal_ms = left_out_ms;
    uint32_t debts = debt_count(job);
    if (waits(job, done_ms, job_slots_after_ms(job, done_ms), &slot) && debts > 0 &&
        slot.nominal_ms <= alone_ms(job, debts))
        nominal_ms = slot.nominal_ms;
    int64_t before_ms = job->extra == NULL ? INSTANT_NONE : job->extra->state.zone_data_ms;
    if (nominal_ms == INSTANT_NONE || nominal_ms <= before_ms) return false;
    job_extra(job)->state.zone_data_ms = nominal_ms;
    return true;
}

void zone_data_changed(struct shard *shard, struct job *job, int64_t changed_ms)
{
    int64_t left_out_ms = maybe_fired_ms(job, changed_ms);
    int64_t before_ms = job->extra == NULL ? INSTANT_NONE : job->extra->state.zone_data_ms;
    bool alone = debt_count(job) > 0 && ledger_owes_alone(&job->extra->ledger, left_out_ms);
    bool fires = alone || job->life.last_due_ms >= left_out_ms;
    bool named = left_out_ms == before_ms || changed_ms < shard->watermark.instant_ms;
    bool cut = cut_ranges(job, left_out_ms);
    if (!leave_out(job, changed_ms, left_out_ms) && !cut) return;
    if (!named && !fires && (job->flags & JOB_FINISHED) == 0)
        job->extra->zone_data_says_ms = left_out_ms;
    job_queue_add(&shard->zone_data, job_reference_of(job));
}

bool zone_data_write(struct shard *shard, int64_t now_ms, const struct sink *sink)
{
    struct job_reference reference;
    while (shard->zone_data.count > 0) {
        if (sink->full(sink->opaque)) return false;
        (void)job_queue_take(&shard->zone_data, &reference);
        struct job *job = shard_job_of(shard, reference);
        if (job == NULL) continue;
        int64_t named_ms = job->extra->zone_data_says_ms;
        job->extra->zone_data_says_ms = INSTANT_NONE;
        if (named_ms != INSTANT_NONE)
            job_announce(job, EVENT_SKIPPED, now_ms, named_ms, named_ms, 1, REASON_ZONE_DATA, sink);
        sink->job_changed(sink->opaque, job);
    }
    return true;
}
