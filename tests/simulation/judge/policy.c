#include "tests/simulation/judge/policy.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge/stretches.h"

/* A process's clock may be off by so much when it judges how late a slot is. */
#define CLOCK_OFF_MS INT64_C(900000)

/* ---- slots of the present definition ---- */

/* The first slot after after_ms that is due by known_ms. */
static bool next_known(const struct life *life, int64_t after_ms, int64_t known_ms,
                       int64_t *next_ms)
{
    const struct wanted *wanted = &life->wanted;
    int64_t limit_ms = known_ms < wanted->end_ms ? known_ms : wanted->end_ms - 1;
    if (wanted->start_ms != NEVER_MS && after_ms < wanted->start_ms)
        after_ms = wanted->start_ms - 1;
    return slow_next(&wanted->schedule, after_ms, limit_ms, next_ms) &&
           slow_due(&wanted->schedule, life->id, *next_ms) <= known_ms;
}

static int64_t count_known(const struct life *life, int64_t after_ms, int64_t known_ms,
                           int64_t most)
{
    int64_t count = 0;
    while (count < most && next_known(life, after_ms, known_ms, &after_ms)) count++;
    return count;
}

/* ---- events ---- */

/* Late by no more than the grace: neither window nor policy `none` may drop it. */
static bool in_grace(const struct life *life, const struct output *event, int64_t nominal_ms)
{
    return event->at_ms - slow_due(&life->wanted.schedule, life->id, nominal_ms) <=
           life->wanted.grace_ms;
}

static void complain(struct world *world, const struct life *life, const struct output *event,
                     const char *what)
{
    world_violation(world, "policy: %s (%s): %s: %s, %" PRId64 " to %" PRId64 ", %" PRId64
                    " slots, at %" PRId64, life->name, life->id, what, event->reason,
                    event->first_ms, event->last_ms, event->count, event->at_ms);
}

static void judge_superseded(struct world *world, struct life *life, const struct output *event,
                             int64_t known_ms)
{
    int64_t kept_ms = 0;
    int64_t newer_ms = 0;
    if (!next_known(life, event->last_ms, known_ms, &kept_ms)) {
        complain(world, life, event, "no newer slot is kept");
        return;
    }
    if (next_known(life, kept_ms, known_ms, &newer_ms))
        complain(world, life, event, "there were newer slots than the one kept");
    if (kept_ms < event->at_ms - life->wanted.window_ms && !in_grace(life, event, kept_ms))
        complain(world, life, event, "the slot kept is older than the window");
    life->stands_for = memory_grow(life->stands_for, &life->stands_for_capacity,
                                   life->stands_for_count + 1, sizeof *life->stands_for);
    life->stands_for[life->stands_for_count++] = (struct stands_for){kept_ms, event->count};
}

static void judge_window(struct world *world, const struct life *life, const struct output *event,
                         int64_t known_ms)
{
    int64_t window_from_ms = event->at_ms - life->wanted.window_ms;
    int64_t next_ms = 0;
    if (event->last_ms >= window_from_ms)
        complain(world, life, event, "dropped inside the window");
    if (in_grace(life, event, event->last_ms))
        complain(world, life, event, "dropped within the grace");
    /* What waited for a run is decided apart from what came due behind it. */
    if (life->wanted.runs.lease_ms > 0) return;
    if (!next_known(life, event->last_ms, known_ms, &next_ms)) return;
    if (life->wanted.policy == SLOW_LATEST ||
        (next_ms < window_from_ms && !in_grace(life, event, next_ms)))
        complain(world, life, event, "not all that left the window is named");
}

static void judge_none(struct world *world, const struct life *life, const struct output *event,
                       int64_t known_ms)
{
    int64_t next_ms = 0;
    if (in_grace(life, event, event->last_ms))
        complain(world, life, event, "dropped within the grace");
    if (next_known(life, event->last_ms, known_ms, &next_ms) && !in_grace(life, event, next_ms))
        complain(world, life, event, "not all that is late is named");
}

static bool fits_policy(const char *reason, enum slow_policy policy)
{
    if (strcmp(reason, "superseded") == 0) return policy == SLOW_LATEST;
    if (strcmp(reason, "limit") == 0) return policy == SLOW_ALL;
    if (strcmp(reason, "policy_none") == 0) return policy == SLOW_NONE;
    return policy != SLOW_NONE;
}

/* The stretch of an earlier schedule under which a slot that waits for a run came due; NULL: it is
 * of the present one. */
static const struct stretch_of_time *earlier_of(const struct life *life, int64_t nominal_ms)
{
    if (life->wanted.runs.lease_ms == 0) return NULL;
    const struct stretch_of_time *stretch = stretches_of(life, nominal_ms);
    bool present = stretch == NULL || slow_same(&stretch->schedule, &life->wanted.schedule);
    return present ? NULL : stretch;
}

/* The next slot of a schedule that has counted, whatever pauses there were between. */
static int64_t next_of(const struct life *life, const struct slow_schedule *schedule,
                       int64_t after_ms)
{
    int64_t next_ms = ALWAYS_MS;
    int64_t at_ms = 0;
    for (size_t i = 0; i < life->stretch_count; i++)
        if (slow_same(&life->stretches[i].schedule, schedule) &&
            stretch_next(life, &life->stretches[i], after_ms, ALWAYS_MS, &at_ms) && at_ms < next_ms)
            next_ms = at_ms;
    return next_ms;
}

/* Which slots there are says the schedule of then, how old they may be the present policy. */
static void judge_earlier(struct world *world, const struct life *life, const struct output *event,
                          const struct stretch_of_time *stretch)
{
    int64_t at_ms = event->first_ms;
    int64_t count = 1;
    for (; at_ms < event->last_ms; count++) at_ms = next_of(life, &stretch->schedule, at_ms);
    if (at_ms != event->last_ms || count != event->count)
        complain(world, life, event, "does not name what it counts");
    if (event->at_ms - slow_due(&stretch->schedule, life->id, event->last_ms) <=
        life->wanted.grace_ms)
        complain(world, life, event, "dropped within the grace");
    if (strcmp(event->reason, "window") == 0 &&
        event->last_ms >= event->at_ms - life->wanted.window_ms)
        complain(world, life, event, "dropped inside the window");
}

void policy_judge_missed(struct world *world, struct life *life, const struct output *event,
                         int64_t known_ms)
{
    const struct wanted *wanted = &life->wanted;
    const char *reason = event->reason;
    bool by_rule = strcmp(reason, "superseded") == 0 || strcmp(reason, "policy_none") == 0 ||
                   strcmp(reason, "window") == 0 || strcmp(reason, "limit") == 0;
    /* A one-shot is judged by the definition that comes with it, a slot that waited alone. */
    if (!by_rule || life->reckoned_count > 0 || wanted->schedule.kind == SLOW_AT ||
        stretches_waited(life, event->first_ms))
        return;
    const struct stretch_of_time *earlier = earlier_of(life, event->first_ms);
    if (earlier != NULL) judge_earlier(world, life, event, earlier);
    if (earlier != NULL || !slow_names(&wanted->schedule, event->first_ms)) return;
    if (!fits_policy(reason, wanted->policy)) complain(world, life, event, "another policy");
    if (event->at_ms - slow_due(&wanted->schedule, life->id, event->first_ms) <= wanted->grace_ms)
        complain(world, life, event, "too soon");
    if (!slow_names(&wanted->schedule, event->last_ms) ||
        count_known(life, event->first_ms - 1, ALWAYS_MS, event->count + 1) < event->count ||
        1 + count_known(life, event->first_ms, slow_due(&wanted->schedule, life->id,
                                                        event->last_ms), event->count) !=
            event->count)
        complain(world, life, event, "does not name what it counts");
    if (reason[0] == 's') judge_superseded(world, life, event, known_ms);
    if (reason[0] == 'w') judge_window(world, life, event, known_ms);
    if (reason[0] == 'p') judge_none(world, life, event, known_ms);
    if (reason[0] == 'l' && count_known(life, event->last_ms, known_ms, wanted->limit + 1) !=
                                wanted->limit)
        complain(world, life, event, "the limit is not what stays");
}

/* ---- fires ---- */

/* The step in which the shard's time passed due_ms. */
static size_t passage(const struct history *history, int32_t shard, int64_t due_ms)
{
    size_t low = 0;
    size_t high = history->step_count[shard];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (history->steps[shard][middle].mark.watermark_ms >= due_ms) high = middle;
        else low = middle + 1;
    }
    return low;
}

/* Behind a fire that could not be delivered its owner sees slots come due, and commits nothing. */
static bool came_behind_failed(const struct life *life, const struct step *step, int64_t due_ms)
{
    if (step[-1].mark.epoch != step->mark.epoch) return false;
    for (size_t i = 0; i < life->failure_count; i++)
        if (due_ms >= life->failures[i].from_ms && due_ms <= life->failures[i].to_ms) return true;
    return false;
}

/* Slots that came due in one step without a command for their job, each of them late, are decided
 * about together: of those the policy keeps what it says, whatever is fired later. */
static void judge_kept(struct world *world, int32_t shard, const struct life *life,
                       const struct output *fire)
{
    const struct history *history = &world->history;
    const struct wanted *wanted = &life->wanted;
    size_t at = passage(history, shard, stretches_due(life, fire->at_ms));
    if (at == 0 || at == history->step_count[shard]) return;
    const struct step *step = &history->steps[shard][at];
    if (step[-1].mark.watermark_ms < life->touched_ms || step[-1].mark.ordinal != INT64_MAX ||
        step->mark.in_command || step[-1].mark.in_command ||
        came_behind_failed(life, step, stretches_due(life, fire->at_ms)))
        return;
    /* Its commit may have taken long: the mark says when it was decided. */
    int64_t known_ms = step->mark.watermark_ms - wanted->grace_ms - CLOCK_OFF_MS;
    const char *what = NULL;
    int64_t newer_ms = 0;
    if (stretches_due(life, fire->at_ms) > known_ms) return;
    if (wanted->policy == SLOW_NONE) what = "late, and the policy is none";
    else if (fire->at_ms < known_ms - wanted->window_ms) what = "older than the window";
    else if (wanted->policy == SLOW_LATEST && next_known(life, fire->at_ms, known_ms, &newer_ms))
        what = "not the newest";
    else if (wanted->policy == SLOW_ALL &&
             count_known(life, fire->at_ms, known_ms, wanted->limit) >= wanted->limit)
        what = "above the limit";
    if (what != NULL)
        world_violation(world, "policy: %s (%s) fires %" PRId64 ": %s", life->name, life->id,
                        fire->at_ms, what);
}

static int64_t stands_for(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = life->stands_for_count; i-- > 0;)
        if (life->stands_for[i].nominal_ms == nominal_ms) return life->stands_for[i].count;
    return 0;
}

void policy_judge_fire(struct world *world, int32_t shard, const struct life *life,
                       const struct output *fire)
{
    if (life->reckoned_count > 0) return;
    int64_t count = stands_for(life, fire->at_ms);
    if (fire->count != count)
        world_violation(world, "missedcount: %s (%s) fires %" PRId64 " for %" PRId64
                        " more, events named %" PRId64, life->name, life->id, fire->at_ms,
                        fire->count, count);
    if (strcmp(fire->word, "catchup") == 0 && life->wanted.schedule.kind != SLOW_AT &&
        !stretches_waited(life, fire->at_ms))
        judge_kept(world, shard, life, fire);
}
