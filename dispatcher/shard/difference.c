#include "dispatcher/shard/difference.h"

#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"
#include "lib/time/civil.h"

struct job_prospect prospect_none(void)
{
    struct job_prospect prospect = {.runs = false};
    definition_defaults(&prospect.definition);
    return prospect;
}

struct job_prospect prospect_of_definition(const struct definition *definition,
                                           int64_t effective_ms, int64_t fired)
{
    int64_t left = INT64_MAX;
    if (definition->max_fires > 0) left = definition->max_fires - fired;
    return (struct job_prospect){.runs = left > 0,
                                 .definition = *definition,
                                 .after_ms = effective_ms,
                                 .fires_left = left};
}

struct job_prospect prospect_of_job(const struct job *job, int64_t effective_ms)
{
    struct definition definition;
    job_view(job, &definition);
    int64_t fired = job->extra == NULL ? 0 : job->extra->state.counted_fires;
    struct job_prospect prospect = prospect_of_definition(&definition, effective_ms, fired);
    if (job->flags & JOB_FINISHED) prospect.runs = false;
    if ((job->flags & JOB_PAUSED) == 0) return prospect;
    int64_t until_ms = job->extra->state.until_ms;
    if (until_ms == INSTANT_NONE) prospect.runs = false;
    else if (until_ms > effective_ms) prospect.after_ms = until_ms - 1;
    return prospect;
}

/* The fires of a prospect, one after the other. */
struct walk {
    const struct job_prospect *prospect;
    bool any;
    int64_t next_ms;
    int64_t left;
};

static void walk_on(struct walk *walk, int64_t after_ms)
{
    walk->any = walk->left > 0 &&
                job_next_slot(&walk->prospect->definition, after_ms, &walk->next_ms);
    walk->left--;
}

static struct walk walk_begin(const struct job_prospect *prospect)
{
    struct walk walk = {.prospect = prospect, .left = prospect->fires_left};
    if (prospect->runs) walk_on(&walk, prospect->after_ms);
    return walk;
}

static int32_t list_next(const struct job_prospect *prospect, int64_t due_ms[RESULT_NEXT_DUE_MAX])
{
    int32_t count = 0;
    for (struct walk walk = walk_begin(prospect); walk.any && count < RESULT_NEXT_DUE_MAX;
         walk_on(&walk, walk.next_ms))
        due_ms[count++] = walk.next_ms;
    return count;
}

static bool caught_up_at_once(const struct job_prospect *before, const struct job_prospect *after,
                              int64_t effective_ms)
{
    const struct schedule_spec *spec = &after->definition.schedule;
    int64_t nominal_ms = 0;
    if (!after->runs || !schedule_once(spec, &nominal_ms) || nominal_ms > effective_ms)
        return false;
    if (schedule_spec_equal(&before->definition.schedule, spec)) return false;
    const struct catchup *catchup = &after->definition.catchup;
    int64_t window_ms = catchup->grace_ms;
    if (catchup->policy != CATCHUP_NONE && catchup->window_ms > window_ms)
        window_ms = catchup->window_ms;
    return effective_ms - nominal_ms <= window_ms;
}

static void add_day(struct result_difference *difference, int32_t day)
{
    int32_t at = 0;
    while (at < difference->dst_day_count && difference->dst_days[at] < day) at++;
    if (at < difference->dst_day_count && difference->dst_days[at] == day) return;
    if (difference->dst_day_count == RESULT_DST_DAYS_MAX) return;
    for (int32_t i = difference->dst_day_count; i > at; i--)
        difference->dst_days[i] = difference->dst_days[i - 1];
    difference->dst_days[at] = day;
    difference->dst_day_count++;
}

/* The local days in (from, to] on which the clocks of the job's zone are changed. */
static void add_dst_days(struct result_difference *difference, const struct job_prospect *prospect,
                         int64_t from_ms, int64_t to_ms)
{
    const struct schedule_spec *spec = &prospect->definition.schedule;
    if (!prospect->runs || spec->kind != SCHEDULE_CRON || spec->cron.zone == NULL) return;
    struct zone_view view = zone_at(spec->cron.zone, from_ms < 0 ? 0 : from_ms / SECONDS_MS);
    while (view.until_s <= to_ms / SECONDS_MS) {
        int64_t change_s = view.until_s;
        int32_t offset_s = view.offset_s; /* the day that is shown just before the change */
        add_day(difference, (int32_t)((change_s - 1 + offset_s) / CIVIL_SECONDS_PER_DAY));
        view = zone_at(spec->cron.zone, change_s);
    }
}

void difference_make(struct result_difference *difference, const struct job_prospect *before,
                     const struct job_prospect *after, int64_t effective_ms)
{
    difference->before_count = list_next(before, difference->before_ms);
    difference->after_count = list_next(after, difference->after_ms);
    difference->fires_added = caught_up_at_once(before, after, effective_ms) ? 1 : 0;
    difference->fires_removed = 0;
    difference->counted_to_ms = INT64_MAX;
    difference->dst_day_count = 0;
    int64_t to_ms = effective_ms + DIFFERENCE_SPAN_MS;
    add_dst_days(difference, before, effective_ms, to_ms);
    add_dst_days(difference, after, effective_ms, to_ms);
    struct walk old = walk_begin(before);
    struct walk new = walk_begin(after);
    for (int steps = 0; (old.any && old.next_ms <= to_ms) || (new.any && new.next_ms <= to_ms);
         steps++) {
        int64_t old_ms = old.any ? old.next_ms : INT64_MAX;
        int64_t new_ms = new.any ? new.next_ms : INT64_MAX;
        if (steps == DIFFERENCE_FIRES_MAX) {
            difference->counted_to_ms = (old_ms < new_ms ? old_ms : new_ms) - 1;
            return;
        }
        if (old_ms < new_ms) difference->fires_removed++;
        if (new_ms < old_ms) difference->fires_added++;
        if (old_ms <= new_ms) walk_on(&old, old_ms);
        if (new_ms <= old_ms) walk_on(&new, new_ms);
    }
}
