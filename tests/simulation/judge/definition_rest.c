/* A job in the owner's memory beside what the commands made of it, field by field. */
#include <inttypes.h>
#include <string.h>

#include "dispatcher/jobs/job.h"
#include "tests/simulation/judge/account.h"

static bool same_schedule(const struct definition *definition, const struct wanted *wanted)
{
    const struct schedule_spec *spec = &definition->schedule;
    const struct slow_schedule *slow = &wanted->schedule;
    switch (slow->kind) {
    case SLOW_CRON:
        return spec->kind == SCHEDULE_CRON &&
               text_equal(definition->cron_text, text_of(wanted->cron));
    case SLOW_EVERY:
        return spec->kind == SCHEDULE_EVERY && spec->every_ms == slow->every_ms &&
               (slow->anchor_ms - spec->anchor_ms) % slow->every_ms == 0;
    case SLOW_AT: return spec->kind == SCHEDULE_AT && spec->at_ms == slow->at_ms;
    }
    return false;
}

static bool same_policy(const struct definition *definition, const struct wanted *wanted)
{
    static const enum catchup_policy policies[] = {
        [SLOW_LATEST] = CATCHUP_LATEST, [SLOW_NONE] = CATCHUP_NONE, [SLOW_ALL] = CATCHUP_ALL};
    const struct catchup *catchup = &definition->catchup;
    return catchup->policy == policies[wanted->policy] &&
           catchup->window_ms == wanted->window_ms && catchup->limit == wanted->limit &&
           catchup->grace_ms == wanted->grace_ms;
}

static bool same_bounds(const struct definition *definition, const struct wanted *wanted)
{
    int64_t start_ms = wanted->start_ms == NEVER_MS ? START_NONE : wanted->start_ms;
    int64_t end_ms = wanted->end_ms == ALWAYS_MS ? END_NONE : wanted->end_ms;
    return definition->start_ms == start_ms && definition->end_ms == end_ms &&
           definition->max_fires == wanted->max_fires &&
           definition->keep_finished_ms == wanted->keep_ms;
}

void rest_judge_definition(struct world *world, const struct life *life, const struct job *job)
{
    struct definition definition;
    job_view(job, &definition);
    const struct wanted *wanted = &life->wanted;
    int64_t until_ms = INSTANT_NONE;
    if (life->paused_ms != NEVER_MS && life->until_ms != ALWAYS_MS) until_ms = life->until_ms;
    int64_t pause_ends_ms = job->extra == NULL ? INSTANT_NONE : job->extra->state.until_ms;
    const char *what = NULL;
    if (!same_schedule(&definition, wanted)) what = "schedule";
    else if (!same_policy(&definition, wanted)) what = "catch-up policy";
    else if (!same_bounds(&definition, wanted)) what = "start, end, max_fires or keep_finished";
    else if (pause_ends_ms != until_ms) what = "end of the pause";
    if (what != NULL)
        world_violation(world, "definition: %s: the %s in memory is not what the commands made it",
                        life->name, what);
}
