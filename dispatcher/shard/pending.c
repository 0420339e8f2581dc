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

bool pending_at_edit(const struct job *job, int64_t effective_ms, struct job_slot *slot)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    struct definition definition;
    if (spec->jitter.most_ms == 0 || (job->flags & JOB_FINISHED)) return false;
    job_view(job, &definition);
    int64_t after_ms = job_slots_after_ms(job, effective_ms);
    if (job_fires_used_up(job) || !job_next_slot(&definition, after_ms, &slot->due_ms))
        return false;
    slot->nominal_ms = schedule_nominal(spec, slot->due_ms);
    return slot->nominal_ms <= effective_ms;
}

static struct naming naming_of(const struct definition *definition)
{
    return (struct naming){&definition->schedule, definition->start_ms, definition->end_ms};
}

bool pending_is_named(const struct definition *definition, struct job_slot slot)
{
    struct naming naming = naming_of(definition);
    return naming_has(&naming, slot.nominal_ms);
}

bool pending_keep(struct job *job, const struct job_slot *present, int64_t effective_ms,
                  const struct sink *sink)
{
    struct definition definition;
    if (present == NULL && !job_has_pending(job)) return false;
    job_view(job, &definition);
    struct naming naming = naming_of(&definition);
    struct waiting_edit edit = ledger_edit_waiting(&job_extra(job)->ledger, &naming, present);
    for (size_t i = 0; i < edit.left_out_count; i++)
        announce_slot(job, edit.left_out[i], effective_ms, REASON_UPDATED, sink);
    return edit.once;
}

void pending_recheck(struct job *job, const struct job_slot *present, int64_t effective_ms,
                     const struct sink *sink)
{
    struct definition definition;
    (void)pending_keep(job, NULL, effective_ms, sink);
    job_view(job, &definition);
    if (present != NULL && !pending_is_named(&definition, *present))
        announce_slot(job, *present, effective_ms, REASON_UPDATED, sink);
}
