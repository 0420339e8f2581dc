/* What other zone data means for a slot that waits for its delay. How long one waits depends on the
 * slot after it, so by other data a slot that has fired may seem to wait yet. */
#include "dispatcher/core/limits.h"
#include "dispatcher/core/mutant.h"
#include "dispatcher/core/shard_state.h"

/* New rules move clocks by no more, with the exception of a day left out at the date line. */
#define MOVES_AT_MOST_MS (3 * HOURS_MS)

/* Up to where the job's slots are done; what a pause or an outage held back has not fired. */
static int64_t done_ms_of(const struct job *job, int64_t changed_ms)
{
    const struct job_extra *extra = job->extra;
    int64_t done_ms = changed_ms;
    if (extra == NULL) return done_ms;
    if ((job->flags & JOB_PAUSED) && extra->paused_ms < done_ms) done_ms = extra->paused_ms;
    if (extra->tail_from_ms != INSTANT_NONE && extra->tail_from_ms < done_ms)
        done_ms = extra->tail_from_ms;
    for (uint32_t i = 0; i < extra->owed_count; i++)
        if (extra->owed[i].from_ms < done_ms) done_ms = extra->owed[i].from_ms;
    return done_ms;
}

/* The one slot, if any, whose nominal time had come by done_ms and whose delay had not passed. */
static bool waits(const struct job *job, int64_t done_ms, struct job_slot *slot)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    bool zoned = spec->kind == SCHEDULE_CRON && spec->cron.zone != NULL;
    if (!zoned || spec->jitter.most_ms == 0) return false;
    struct definition definition;
    job_view(job, &definition);
    if (!job_next_slot(&definition, job_slots_after_ms(job, done_ms), &slot->due_ms)) return false;
    slot->nominal_ms = schedule_nominal(spec, slot->due_ms);
    return slot->nominal_ms <= done_ms;
}

/* Whether the slot after it is, or may have been, near enough to have bounded its delay. */
static bool delay_may_move(const struct job *job, const struct job_slot *slot)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    int64_t next_due_ms = 0;
    if (!schedule_next(spec, slot->due_ms, &next_due_ms)) return false;
    int64_t gap_ms = schedule_nominal(spec, next_due_ms) - slot->nominal_ms;
    return spec->jitter.most_ms > gap_ms - MOVES_AT_MOST_MS;
}

void job_zone_data_changed(struct job *job, int64_t changed_ms)
{
    struct job_slot slot;
    /* Behind a slot that could not be delivered none has fired. */
    if (job->extra != NULL && job->extra->failing_since_ms != INSTANT_NONE) return;
    int64_t done_ms = done_ms_of(job, changed_ms);
    if (!waits(job, done_ms, &slot) || mutant(MUTANT_ZONE_DATA_FIRES_AGAIN)) return;
    if (job->last_due_ms >= slot.nominal_ms || delay_may_move(job, &slot))
        job_extra(job)->zone_data_ms = done_ms;
}

void shard_announce_zone_data(struct shard *shard, int64_t at_ms, int most,
                              const struct sink *sink)
{
    for (uint32_t i = 0; i < job_table_slots(shard->jobs) && most > 0; i++) {
        struct job *job = job_table_at(shard->jobs, i);
        struct job_slot slot;
        if (job == NULL || job->extra == NULL) continue;
        if (job->extra->zone_data_ms == INSTANT_NONE || (job->flags & JOB_FINISHED)) continue;
        int64_t done_ms = job->extra->zone_data_ms;
        job->extra->zone_data_ms = INSTANT_NONE;
        bool waited = waits(job, done_ms, &slot);
        job->extra->zone_data_ms = done_ms;
        if (!waited || job->last_due_ms >= slot.nominal_ms) continue; /* known to have fired */
        if (lane_owes_alone(job, slot.nominal_ms)) continue;          /* it will */
        job_announce(job, EVENT_SKIPPED, at_ms, slot.nominal_ms, slot.nominal_ms, 1, "zone_data",
                     sink);
        most--;
    }
}
