/* What is asked about a job, and what is said of it. Nothing here changes what is due. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"

#define TELL_MS HOURS_MS /* so long what is left out may go without a word */

struct job_reference job_reference_of(const struct job *job)
{
    return (struct job_reference){.ordinal = job->life.ordinal, .slot = job->slot};
}

struct job *shard_job_of(const struct shard *shard, struct job_reference reference)
{
    if (reference.slot >= job_table_slots(shard->jobs)) return NULL;
    struct job *job = job_table_at(shard->jobs, reference.slot);
    return job != NULL && job->life.ordinal == reference.ordinal ? job : NULL;
}

int64_t shard_slots_done_ms(const struct shard *shard)
{
    return shard->watermark.ordinal == WATERMARK_WHOLE ? shard->watermark.instant_ms
                                                       : shard->watermark.instant_ms - 1;
}

bool job_next_slot(const struct definition *definition, int64_t after_ms, int64_t *next_ms)
{
    const struct schedule_spec *spec = &definition->schedule;
    if (definition->start_ms != START_NONE) { /* a delay may reach beyond the start */
        int64_t start_ms = schedule_bound(spec, definition->start_ms);
        if (after_ms < start_ms) after_ms = start_ms - 1;
    }
    return schedule_next(spec, after_ms, next_ms) &&
           schedule_nominal(spec, *next_ms) < definition->end_ms;
}

bool job_once_passed(const struct definition *definition, int64_t effective_ms)
{
    int64_t nominal_ms = 0;
    return schedule_once(&definition->schedule, &nominal_ms) && nominal_ms <= effective_ms;
}

int64_t job_new_slots_after_ms(const struct definition *definition, int64_t effective_ms)
{
    if (job_once_passed(definition, effective_ms)) return effective_ms; /* its delay may go on */
    return schedule_bound(&definition->schedule, effective_ms + 1) - 1;
}

bool job_ever_fires(const struct definition *definition, int64_t after_ms)
{
    int64_t next_ms = 0;
    if (job_once_passed(definition, after_ms)) return true;
    return job_next_slot(definition, after_ms, &next_ms);
}

bool job_has_max_fires(const struct job *job)
{
    if ((job->flags & JOB_BOUNDED) == 0) return false;
    struct definition definition;
    job_view(job, &definition);
    return definition.max_fires > 0;
}

bool job_fires_used_up(const struct job *job)
{
    if ((job->flags & JOB_BOUNDED) == 0 || job->extra == NULL) return false;
    struct definition definition;
    job_view(job, &definition);
    return definition.max_fires > 0 && job->extra->state.counted_fires >= definition.max_fires;
}

struct runs_in_way shard_runs_in_way(const struct shard *shard, const struct job *job)
{
    if (shard->open == NULL) return (struct runs_in_way){.oldest = UINT32_MAX, .own = UINT32_MAX};
    return runs_in_way(shard->open, job->life.ordinal, job_group(job), job_id(job));
}

bool shard_has_runs(const struct shard *shard, const struct job *job)
{
    return shard->open != NULL && shard_runs_in_way(shard, job).count > 0;
}

bool shard_run_in_way(const struct shard *shard, const struct job *job)
{
    return (job->flags & JOB_OVERLAP) != 0 && shard_has_runs(shard, job);
}

bool job_keeps_when_finished(const struct shard *shard, const struct job *job)
{
    if (job->flags & JOB_FOREIGN) return true; /* its last fire may yet fail */
    if (shard_has_runs(shard, job)) return true;
    struct definition definition;
    job_view(job, &definition);
    return definition.keep_finished_ms != 0;
}

/* The job's slots here come after it: its add, or its import. */
static int64_t added_ms(const struct job *job)
{
    int64_t imported_ms = job_imported_ms(job);
    return imported_ms > job->life.incarnation.effective_ms ? imported_ms
                                                       : job->life.incarnation.effective_ms;
}

int64_t job_since_ms(const struct job *job)
{
    int64_t since_ms = added_ms(job);
    bool edited = job->extra != NULL && job->extra->state.schedule_edited_ms > since_ms;
    return edited ? job->extra->state.schedule_edited_ms : since_ms;
}

/* What other zone data has left out is before the result, too. */
static int64_t after_zone_data_ms(const struct job *job, int64_t after_ms)
{
    if (job->extra == NULL || job->extra->state.zone_data_ms == INSTANT_NONE) return after_ms;
    int64_t bound_ms = schedule_bound(&job->schedule->spec, job->extra->state.zone_data_ms + 1) - 1;
    return bound_ms > after_ms ? bound_ms : after_ms;
}

int64_t job_slots_after_ms(const struct job *job, int64_t after_ms)
{
    return after_zone_data_ms(job, job_owed_after_ms(job, after_ms));
}

int64_t job_owed_after_ms(const struct job *job, int64_t after_ms)
{
    const struct schedule_spec *spec = &job->schedule->spec;
    if (spec->jitter.most_ms == 0) return after_ms;
    int64_t since_ms = job_since_ms(job);
    if (spec->kind == SCHEDULE_AT && schedule_due(spec, spec->at_ms) <= since_ms) return after_ms;
    int64_t bound_ms = schedule_bound(spec, since_ms + 1) - 1;
    return bound_ms > after_ms ? bound_ms : after_ms;
}

struct terms job_terms(const struct job *job)
{
    struct terms terms = {.spec = &job->schedule->spec,
                          .owed_after_ms = job_owed_after_ms(job, INT64_MIN),
                          .until_ms = INT64_MAX};
    terms.tail_after_ms = after_zone_data_ms(job, terms.owed_after_ms);
    if ((job->flags & JOB_BOUNDED) == 0) return terms;
    struct definition definition;
    job_view(job, &definition);
    if (definition.start_ms != START_NONE) {
        int64_t start_ms = schedule_bound(terms.spec, definition.start_ms) - 1;
        if (terms.owed_after_ms < start_ms) terms.owed_after_ms = start_ms;
        if (terms.tail_after_ms < start_ms) terms.tail_after_ms = start_ms;
    }
    if (definition.end_ms != END_NONE)
        terms.until_ms = schedule_bound(terms.spec, definition.end_ms) - 1;
    return terms;
}

bool job_has_slot_after(const struct job *job, int64_t after_ms)
{
    int64_t next_ms = 0;
    if (job_fires_used_up(job)) return false;
    if (job_has_pending(job) || (job->flags & JOB_ZONELESS)) return true;
    after_ms = job_slots_after_ms(job, after_ms);
    if ((job->flags & JOB_BOUNDED) == 0)
        return schedule_next(&job->schedule->spec, after_ms, &next_ms);
    struct definition definition;
    job_view(job, &definition);
    return job_next_slot(&definition, after_ms, &next_ms);
}

bool job_is_spent(const struct job *job, int64_t after_ms)
{
    return (job->flags & (JOB_PAUSED | JOB_FINISHED)) == 0 && !job_owes(job) &&
           !job_has_slot_after(job, after_ms);
}

bool job_leaves_out(const struct job *job)
{
    return job->extra != NULL && ledger_leaves_out(&job->extra->ledger) &&
           (job->flags & JOB_ZONELESS) == 0;
}

int64_t job_tell_ms(const struct job *job)
{
    int64_t due_ms = 0;
    if (!job_leaves_out(job)) return INSTANT_NONE;
    struct terms terms = job_terms(job);
    bool found = ledger_first_left_out(&job->extra->ledger, &terms, INT64_MAX, &due_ms);
    return found ? due_ms + TELL_MS : INSTANT_NONE;
}

/* ---- what is said ---- */

void job_event_init(struct event *event, enum event_kind kind, const struct job *job,
                    int64_t at_ms, char *incarnation_text)
{
    event_init(event, kind, at_ms);
    event->group = job_group(job);
    event->id = job_id(job);
    event->incarnation.bytes = incarnation_text;
    event->incarnation.length = incarnation_format(&job->life.incarnation, incarnation_text);
}

void job_announce(struct job *job, enum event_kind kind, int64_t at_ms, int64_t first_ms,
                  int64_t last_ms, int64_t count, enum event_reason reason, const struct sink *sink)
{
    assert(count > 0);
    assert(first_ms <= last_ms);
    if (kind == EVENT_MISSED) job->life.missed += count;
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    job_event_init(&event, kind, job, at_ms, incarnation);
    event.first_ms = first_ms;
    event.last_ms = last_ms;
    event.count = count;
    event.reason = reason;
    sink->event(sink->opaque, &event);
}

void job_announce_unknown(const struct job *job, int64_t from_ms, int64_t at_ms,
                          struct text backfill_id, const struct sink *sink)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    job_event_init(&event, EVENT_SKIPPED, job, at_ms, incarnation);
    event.from_ms = from_ms;
    event.to_ms = at_ms;
    event.reason = REASON_ZONE_MISSING;
    event.backfill_id = backfill_id;
    sink->event(sink->opaque, &event);
}
