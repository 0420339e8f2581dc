/* pending.c - slots of earlier schedules that wait for their due time: their nominal time had come
 * when the schedule was edited, their delay (jitter) was not over. */
#include "dispatcher/shard/shard_state.h"

bool shard_pending_rings(const struct job *job, int64_t at_ms)
{
    return job_has_pending(job) && (job->flags & JOB_STANDS_STILL) == 0 &&
           ledger_waits_for(&job->extra->ledger, at_ms);
}

static void announce_slot(struct job *job, struct job_slot slot, int64_t at_ms,
                          enum event_reason reason, const struct sink *sink)
{
    job_announce(job, EVENT_SKIPPED, at_ms, slot.nominal_ms, slot.nominal_ms, 1, reason, sink);
}

void pending_abandon(struct job *job, int64_t at_ms, enum event_reason reason,
                     const struct sink *sink)
{
    if (!job_has_pending(job)) return;
    for (size_t i = 0; i < ledger_waiting(&job->extra->ledger); i++)
        announce_slot(job, ledger_waiting_slot(&job->extra->ledger, i), at_ms, reason, sink);
    job_set_pending(job, NULL, 0);
}

void pending_at_edit(const struct job *job, int64_t effective_ms, struct pending *pending)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    struct definition definition;
    struct job_slot slot;
    pending->count = job_has_pending(job) ? ledger_waiting(&job->extra->ledger) : 0;
    for (size_t i = 0; i < pending->count; i++)
        pending->slots[i] = ledger_waiting_slot(&job->extra->ledger, i);
    if (spec->jitter.most_ms == 0 || (job->flags & JOB_FINISHED)) return;
    job_view(job, &definition);
    int64_t after_ms = job_slots_after_ms(job, effective_ms);
    if (job_fires_used_up(job) || !job_next_slot(&definition, after_ms, &slot.due_ms)) return;
    slot.nominal_ms = schedule_nominal(spec, slot.due_ms);
    if (slot.nominal_ms <= effective_ms) pending->slots[pending->count++] = slot;
}

bool pending_is_named(const struct definition *definition, struct job_slot slot)
{
    return slot.nominal_ms >= definition->start_ms && slot.nominal_ms < definition->end_ms &&
           schedule_names(&definition->schedule, slot.nominal_ms);
}

bool pending_keep(struct job *job, const struct pending *pending, int64_t effective_ms,
                  const struct sink *sink)
{
    struct definition definition;
    struct job_slot kept[PENDING_MAX];
    size_t count = 0;
    bool one_shot = false;
    job_view(job, &definition);
    for (size_t i = 0; i < pending->count; i++) {
        bool named = pending_is_named(&definition, pending->slots[i]);
        if (named && definition.schedule.kind == SCHEDULE_AT)
            one_shot = true;
        else if (named && count < PENDING_MAX)
            kept[count++] = pending->slots[i];
        else
            announce_slot(job, pending->slots[i], effective_ms, REASON_UPDATED, sink);
    }
    job_set_pending(job, kept, count);
    return one_shot;
}

void pending_recheck(struct job *job, struct pending *pending, int64_t effective_ms,
                     const struct sink *sink)
{
    struct definition definition;
    struct job_slot present = {0};
    size_t before = job_has_pending(job) ? ledger_waiting(&job->extra->ledger) : 0;
    bool has_present = pending->count > before;
    if (has_present) present = pending->slots[--pending->count];
    (void)pending_keep(job, pending, effective_ms, sink);
    job_view(job, &definition);
    if (has_present && !pending_is_named(&definition, present))
        announce_slot(job, present, effective_ms, REASON_UPDATED, sink);
}
