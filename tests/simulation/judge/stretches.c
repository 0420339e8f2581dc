#include "tests/simulation/judge/stretches.h"

#include <assert.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/world/zones.h"

#define HORIZON_MS (INT64_C(9) * 366 * 86400000)
enum { WAITING_MOST = 4 };

/* ---- slots of a definition ---- */

static bool in_bounds(const struct wanted *wanted, int64_t nominal_ms)
{
    return (wanted->start_ms == NEVER_MS || nominal_ms >= wanted->start_ms) &&
           nominal_ms < wanted->end_ms;
}

bool wanted_due_after(const struct wanted *wanted, const char *life, int64_t since_ms,
                      int64_t after_ms, int64_t *nominal_ms)
{
    const struct slow_schedule *schedule = &wanted->schedule;
    int64_t at_ms = after_ms - schedule->jitter_ms;
    if (since_ms != NEVER_MS && at_ms < since_ms) at_ms = since_ms;
    if (wanted->start_ms != NEVER_MS && at_ms < wanted->start_ms) at_ms = wanted->start_ms - 1;
    int64_t limit_ms = at_ms + HORIZON_MS;
    if (wanted->end_ms != ALWAYS_MS && wanted->end_ms - 1 < limit_ms)
        limit_ms = wanted->end_ms - 1;
    while (slow_next(schedule, at_ms, limit_ms, &at_ms)) {
        if (slow_due(schedule, life, at_ms) <= after_ms) continue;
        *nominal_ms = at_ms;
        return true;
    }
    return false;
}

/* ---- slots of a stretch ---- */

bool stretch_next(const struct life *life, const struct stretch_of_time *stretch,
                  int64_t after_ms, int64_t until_ms, int64_t *nominal_ms)
{
    const struct slow_schedule *schedule = &stretch->schedule;
    int64_t at_ms = after_ms > stretch->from_ms ? after_ms : stretch->from_ms;
    int64_t limit_ms = stretch->to_ms < until_ms ? stretch->to_ms : until_ms;
    if (stretch->due_after_ms != NEVER_MS && at_ms < stretch->due_after_ms - schedule->jitter_ms)
        at_ms = stretch->due_after_ms - schedule->jitter_ms;
    if (stretch->start_ms != NEVER_MS && at_ms < stretch->start_ms) at_ms = stretch->start_ms - 1;
    if (stretch->end_ms != ALWAYS_MS && limit_ms >= stretch->end_ms) limit_ms = stretch->end_ms - 1;
    if (limit_ms > stretch->due_until_ms) limit_ms = stretch->due_until_ms;
    while (slow_next(schedule, at_ms, limit_ms, &at_ms)) {
        int64_t due_ms = slow_due(schedule, life->id, at_ms);
        if (due_ms <= stretch->due_after_ms) continue;
        if (due_ms > stretch->due_until_ms || due_ms > until_ms) return false;
        *nominal_ms = at_ms;
        return true;
    }
    return false;
}

bool stretch_holds(const struct life *life, const struct stretch_of_time *stretch,
                   int64_t nominal_ms)
{
    int64_t next_ms = 0;
    return stretch_next(life, stretch, nominal_ms - 1, ALWAYS_MS, &next_ms) &&
           next_ms == nominal_ms;
}

const struct stretch_of_time *stretches_of(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = life->stretch_count; i-- > 0;) {
        const struct stretch_of_time *stretch = &life->stretches[i];
        if (stretch->from_ms < nominal_ms && nominal_ms <= stretch->to_ms &&
            stretch_holds(life, stretch, nominal_ms))
            return stretch;
    }
    return NULL;
}

int64_t stretches_due(const struct life *life, int64_t nominal_ms)
{
    const struct stretch_of_time *stretch = NULL;
    if (life->jittered) stretch = stretches_of(life, nominal_ms);
    return stretch == NULL ? nominal_ms : slow_due(&stretch->schedule, life->id, nominal_ms);
}

/* ---- building ---- */

static struct stretch_of_time *push(struct life *life, const struct wanted *wanted,
                                    int64_t from_ms, int64_t due_after_ms)
{
    life->stretches = memory_grow(life->stretches, &life->stretch_capacity,
                                  life->stretch_count + 1, sizeof *life->stretches);
    struct stretch_of_time *stretch = &life->stretches[life->stretch_count++];
    *stretch = (struct stretch_of_time){.schedule = wanted->schedule,
                                        .from_ms = from_ms,
                                        .to_ms = ALWAYS_MS,
                                        .start_ms = wanted->start_ms,
                                        .end_ms = wanted->end_ms,
                                        .due_after_ms = due_after_ms,
                                        .due_until_ms = ALWAYS_MS};
    life->jittered = life->jittered || wanted->schedule.jitter_ms > 0;
    return stretch;
}

static struct stretch_of_time *current(struct life *life)
{
    if (life->stretch_count == 0) return NULL;
    struct stretch_of_time *last = &life->stretches[life->stretch_count - 1];
    return last->waiting ? NULL : last;
}

static void close_one(struct stretch_of_time *stretch, int64_t to_ms)
{
    if (stretch->to_ms > to_ms)
        stretch->to_ms = to_ms > stretch->from_ms ? to_ms : stretch->from_ms;
}

static struct stretch_of_time *push_waiting(struct life *life, int64_t nominal_ms)
{
    struct stretch_of_time *stretch = push(life, &life->wanted, nominal_ms - 1, NEVER_MS);
    stretch->to_ms = nominal_ms;
    stretch->waiting = true;
    stretch->paused = life->paused_ms != NEVER_MS;
    if (stretch->paused) stretch->due_until_ms = life->paused_ms;
    return stretch;
}

static bool used_up(const struct life *life)
{
    return life->wanted.max_fires > 0 && life->counted >= life->wanted.max_fires;
}

/* The slots of a schedule come after the edit that brings it, but for those of a one-shot. */
static int64_t slots_since_ms(const struct life *life)
{
    bool free = life->wanted.schedule.kind == SLOW_AT && !life->one_shot_over;
    return free ? NEVER_MS : life->since_ms;
}

bool stretches_to_come(const struct life *life, int64_t after_ms)
{
    int64_t next_ms = 0;
    if (wanted_due_after(&life->wanted, life->id, slots_since_ms(life), after_ms, &next_ms))
        return true;
    for (size_t i = 0; i < life->stretch_count; i++) {
        const struct stretch_of_time *stretch = &life->stretches[i];
        if (stretch->waiting && !stretch->named && stretch->to_ms > stretch->from_ms &&
            slow_due(&stretch->schedule, life->id, stretch->to_ms) > after_ms)
            return true;
    }
    return false;
}

/* A one-shot in the past is due at once, or when its delay is over, unless an event has said that
 * an earlier schedule may have fired it: no id comes twice. */
void stretches_begin(struct life *life, int64_t at_ms)
{
    const struct slow_schedule *schedule = &life->wanted.schedule;
    bool past = schedule->kind == SLOW_AT && schedule->at_ms <= at_ms;
    bool fires = past && !used_up(life) && life->over_ms != schedule->at_ms;
    bool waits = past && slow_due(schedule, life->id, schedule->at_ms) > at_ms;
    life->since_ms = at_ms;
    life->one_shot_over = past && (waits || !fires);
    if (fires && waits && in_bounds(&life->wanted, schedule->at_ms))
        (void)push_waiting(life, schedule->at_ms);
    if (life->paused_ms != NEVER_MS) return;
    (void)push(life, &life->wanted, fires && !waits ? schedule->at_ms - 1 : at_ms, NEVER_MS);
}

/* ---- slots that wait for their delay while the schedule is edited ---- */

static bool still_named(const struct wanted *wanted, int64_t nominal_ms)
{
    return in_bounds(wanted, nominal_ms) && slow_names(&wanted->schedule, nominal_ms);
}

/* An event names it: whatever happens to the job, it is accounted for. */
static void name(struct stretch_of_time *stretch)
{
    stretch->named = true;
    stretch->paused = false;
    stretch->due_until_ms = ALWAYS_MS;
}

/* Those kept over earlier edits are judged again. Returns how many stay. */
static int judge_waiting(struct life *life, const struct wanted *next, bool one_shot,
                         int64_t at_ms)
{
    int staying = 0;
    for (size_t i = 0; i < life->stretch_count; i++) {
        struct stretch_of_time *stretch = &life->stretches[i];
        if (!stretch->waiting || stretch->named) continue;
        bool over = !stretch->paused && slow_due(&stretch->schedule, life->id, stretch->to_ms) <=
                                            at_ms;
        if (over) continue;
        if (!still_named(next, stretch->to_ms)) name(stretch);
        else if (one_shot) stretch->to_ms = stretch->from_ms; /* the new schedule's own */
        else staying++;
    }
    return staying;
}

/* The slot of the present schedule whose nominal time has come and whose due time has not. */
static bool straddling(const struct life *life, int64_t at_ms, int64_t *nominal_ms)
{
    if (life->wanted.schedule.jitter_ms == 0 || life->finished_ms != NEVER_MS || used_up(life))
        return false;
    return wanted_due_after(&life->wanted, life->id, slots_since_ms(life), at_ms, nominal_ms) &&
           *nominal_ms <= at_ms;
}

void stretches_edit(struct life *life, const struct wanted *next, int64_t at_ms)
{
    int64_t slot_ms = 0;
    struct stretch_of_time *last = current(life);
    bool one_shot = next->schedule.kind == SLOW_AT;
    bool waits = straddling(life, at_ms, &slot_ms);
    if (last != NULL) close_one(last, waits ? slot_ms - 1 : at_ms);
    int staying = judge_waiting(life, next, one_shot, at_ms);
    if (!waits) return;
    bool stays = still_named(next, slot_ms);
    if (stays && one_shot) return;
    struct stretch_of_time *slot = push_waiting(life, slot_ms);
    if (!stays || staying >= WAITING_MOST) name(slot);
}

void stretches_rebound(struct life *life, const struct wanted *next, int64_t at_ms)
{
    int64_t slot_ms = 0;
    bool waits = straddling(life, at_ms, &slot_ms);
    struct stretch_of_time *last = current(life);
    if (last != NULL && last->due_until_ms > at_ms) last->due_until_ms = at_ms;
    (void)judge_waiting(life, next, false, at_ms);
    if (waits && !in_bounds(next, slot_ms)) name(push_waiting(life, slot_ms));
}

/* ---- the rest of a life ---- */

void stretches_revive(struct life *life, int64_t at_ms)
{
    struct stretch_of_time *last = current(life);
    if (last != NULL && last->due_until_ms > at_ms) last->due_until_ms = at_ms;
    (void)push(life, &life->wanted, slots_since_ms(life), at_ms);
}

void stretches_pause(struct life *life, int64_t at_ms)
{
    struct stretch_of_time *last = current(life);
    if (last != NULL && last->due_until_ms > at_ms) last->due_until_ms = at_ms;
    for (size_t i = 0; i < life->stretch_count; i++) {
        struct stretch_of_time *stretch = &life->stretches[i];
        if (!stretch->waiting || stretch->named || stretch->due_until_ms != ALWAYS_MS) continue;
        if (slow_due(&stretch->schedule, life->id, stretch->to_ms) <= at_ms) continue; /* owed */
        stretch->due_until_ms = at_ms;
        stretch->paused = true;
    }
}

void stretches_resume(struct life *life, int64_t from_ms)
{
    for (size_t i = 0; i < life->stretch_count; i++) {
        struct stretch_of_time *stretch = &life->stretches[i];
        if (!stretch->paused) continue;
        stretch->paused = false;
        if (slow_due(&stretch->schedule, life->id, stretch->to_ms) > from_ms)
            stretch->due_until_ms = ALWAYS_MS;
    }
    (void)push(life, &life->wanted, slots_since_ms(life), from_ms);
}

void stretches_end(struct life *life, int64_t at_ms)
{
    struct stretch_of_time *last = current(life);
    if (last != NULL && last->due_until_ms > at_ms) last->due_until_ms = at_ms;
    for (size_t i = 0; i < life->stretch_count; i++) {
        struct stretch_of_time *stretch = &life->stretches[i];
        bool left_out = !stretch->paused && stretch->due_until_ms != ALWAYS_MS;
        if (stretch->waiting && !stretch->named && !left_out) name(stretch);
    }
}

static bool is_named(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = life->announced_count; i-- > 0;)
        if (!life->announced[i].off_schedule && life->announced[i].first_ms <= nominal_ms &&
            nominal_ms <= life->announced[i].last_ms)
            return true;
    return false;
}

static bool has_fired(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = life->fired_count; i-- > 0;)
        if (life->fired[i].nominal_ms == nominal_ms) return true;
    return false;
}

/* What an event has named of a stretch's slots after newest_ms stays, as stretches of their own. */
static void keep_named(struct life *life, size_t index, int64_t newest_ms)
{
    for (size_t i = 0; i < life->announced_count; i++) {
        const struct announced *announced = &life->announced[i];
        int64_t next_ms = 0;
        if (announced->off_schedule || announced->last_ms <= newest_ms) continue;
        struct stretch_of_time named = life->stretches[index];
        if (named.from_ms < newest_ms) named.from_ms = newest_ms;
        if (named.from_ms < announced->first_ms) named.from_ms = announced->first_ms - 1;
        close_one(&named, announced->last_ms);
        named.named = true;
        if (!stretch_next(life, &named, named.from_ms, ALWAYS_MS, &next_ms)) continue;
        *push(life, &life->wanted, named.from_ms, NEVER_MS) = named;
    }
}

/* What max_fires leaves out is no longer due: slots later than the last one that fired, and a
 * one-shot in the past that was owed behind it. A slot that an event has named stays. */
static void leave_out(struct life *life, size_t index, int64_t newest_ms)
{
    struct stretch_of_time *stretch = &life->stretches[index];
    int64_t at_ms = stretch->schedule.at_ms;
    bool named = stretch->named || (stretch->waiting && is_named(life, stretch->to_ms));
    if (named) return;
    if (stretch->to_ms > newest_ms) keep_named(life, index, newest_ms);
    stretch = &life->stretches[index];
    close_one(stretch, newest_ms);
    if (stretch->schedule.kind == SLOW_AT && !has_fired(life, at_ms) && !is_named(life, at_ms))
        close_one(stretch, stretch->from_ms);
}

void stretches_finish(struct life *life, bool by_count)
{
    int64_t newest_ms = NEVER_MS; /* a one-shot in the past may be the last to fire */
    size_t count = life->stretch_count;
    for (size_t i = 0; i < life->fired_count; i++)
        if (life->fired[i].nominal_ms > newest_ms) newest_ms = life->fired[i].nominal_ms;
    for (size_t i = 0; i < count; i++) {
        if (by_count) leave_out(life, i, newest_ms);
        struct stretch_of_time *stretch = &life->stretches[i];
        stretch->named = stretch->named || stretch->waiting; /* what waits is named, not fired */
    }
}

bool stretches_waited(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = 0; i < life->stretch_count; i++)
        if (life->stretches[i].waiting && life->stretches[i].to_ms == nominal_ms) return true;
    return false;
}

bool stretches_came_late(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = 0; i < life->stretch_count; i++)
        if (life->stretches[i].due_after_ms >= nominal_ms &&
            stretch_holds(life, &life->stretches[i], nominal_ms))
            return true;
    return false;
}

/* ---- another version of the zone data ---- */

static bool same_slots(const struct life *life, const struct slow_schedule *a,
                       const struct slow_schedule *b, int64_t from_ms, int64_t to_ms)
{
    int64_t at_ms = from_ms;
    for (;;) {
        int64_t a_ms = ALWAYS_MS;
        int64_t b_ms = ALWAYS_MS;
        if (!slow_next(a, at_ms, to_ms, &a_ms)) a_ms = ALWAYS_MS;
        if (!slow_next(b, at_ms, to_ms, &b_ms)) b_ms = ALWAYS_MS;
        if (a_ms != b_ms) return false;
        if (a_ms == ALWAYS_MS) return true;
        if (slow_due(a, life->id, a_ms) != slow_due(b, life->id, a_ms)) return false;
        at_ms = a_ms;
    }
}

static void note_reckoned(struct life *life, const struct reckoned *reckoned)
{
    life->reckoned = memory_grow(life->reckoned, &life->reckoned_capacity,
                                 life->reckoned_count + 1, sizeof *life->reckoned);
    life->reckoned[life->reckoned_count++] = *reckoned;
}

/* What is owed is kept as ranges of time: whoever has other rules finds other slots in them. */
static void reckon(struct life *life, const struct stretch_of_time *stretch,
                   const struct slow_zone *zone, int64_t due_ms)
{
    int64_t from_ms = life->last_nominal_ms; /* where the range may begin */
    if (from_ms < stretch->from_ms) from_ms = stretch->from_ms;
    if (from_ms < stretch->due_after_ms) from_ms = stretch->due_after_ms;
    int64_t at_ms = from_ms;
    while (stretch_next(life, stretch, at_ms, due_ms, &at_ms)) {
        if (is_named(life, at_ms)) continue;
        struct reckoned reckoned = {.from_ms = from_ms, .to_ms = due_ms,
                                    .after = stretch->schedule};
        reckoned.after.zone = zone;
        if (!same_slots(life, &stretch->schedule, &reckoned.after, reckoned.from_ms, due_ms))
            note_reckoned(life, &reckoned);
        return;
    }
}

#define DAY_MS INT64_C(86400000) /* the longest delay */
#define MOVES_AT_MOST_MS INT64_C(10800000) /* as the product has it */

/* Whether the slot behind is, or by other data may have been, near enough to bound the delay. */
static bool delay_may_move(const struct slow_schedule *schedule, int64_t nominal_ms)
{
    int64_t next_ms = 0;
    return slow_next(schedule, nominal_ms,
                     nominal_ms + schedule->jitter_ms + MOVES_AT_MOST_MS - 1, &next_ms);
}

/* By other data a slot that has fired may seem to wait for its delay yet. Whether there is one that
 * does not fire for that. */
static bool passes_over(const struct life *life, int64_t done_ms)
{
    const struct slow_schedule *schedule = &life->wanted.schedule;
    int64_t at_ms = done_ms - schedule->jitter_ms;
    while (slow_next(schedule, at_ms, done_ms, &at_ms))
        if (slow_due(schedule, life->id, at_ms) > done_ms)
            return life->last_nominal_ms >= at_ms || delay_may_move(schedule, at_ms);
    return false;
}

/* It may be one at the change, or the first of those that are owed or held back by a pause. Where
 * neither its delay nor the slots around have changed it has to fire. */
static void note_waiting(struct life *life, const struct slow_schedule *before, int64_t due_ms)
{
    const struct slow_schedule *after = &life->wanted.schedule;
    int64_t done_ms = life->last_nominal_ms;
    for (size_t i = 0; i < life->announced_count; i++)
        if (life->announced[i].last_ms > done_ms) done_ms = life->announced[i].last_ms;
    if (life->stretch_count == 0) return; /* it has only been paused */
    if (done_ms == NEVER_MS) done_ms = life->stretches[0].from_ms;
    if (done_ms == NEVER_MS) done_ms = due_ms - after->jitter_ms; /* nor had a slot before */
    int64_t next_ms = done_ms;
    int64_t also_ms = done_ms;
    (void)slow_next(before, done_ms, due_ms, &next_ms);
    (void)slow_next(after, done_ms, due_ms, &also_ms);
    if (next_ms == also_ms && !delay_may_move(after, next_ms) && !passes_over(life, due_ms) &&
        same_slots(life, before, after, done_ms, due_ms + after->jitter_ms))
        return;
    note_reckoned(life, &(struct reckoned){.from_ms = done_ms,
                                           .to_ms = next_ms > also_ms ? next_ms : also_ms,
                                           .after = *after});
    note_reckoned(life, &(struct reckoned){.from_ms = due_ms - after->jitter_ms, .to_ms = due_ms,
                                           .after = *after});
}

void stretches_change_zones(struct life *life, const struct zones *zones, int version,
                            int64_t due_ms)
{
    for (size_t i = 0; i < life->stretch_count; i++) {
        const struct slow_zone *zone = life->stretches[i].schedule.zone;
        if (zone != NULL)
            reckon(life, &life->stretches[i], zones_slow(zones, zone->name, version), due_ms);
    }
    struct slow_schedule *schedule = &life->wanted.schedule;
    if (schedule->zone == NULL) return;
    if (zones_may_leave(schedule->zone)) { /* its clocks are the same in all data that has it */
        if (schedule->jitter_ms > 0)
            note_reckoned(life, &(struct reckoned){.from_ms = due_ms - 2 * DAY_MS,
                                                   .to_ms = due_ms,
                                                   .after = *schedule});
        return;
    }
    const struct slow_schedule before = *schedule;
    schedule->zone = zones_slow(zones, schedule->zone->name, version);
    schedule->once = life->wanted.fixed && schedule->zone->count > 1;
    int64_t done_ms = life->paused_ms != NEVER_MS && life->paused_ms < due_ms ? life->paused_ms
                                                                              : due_ms;
    bool passed = schedule->jitter_ms > 0 && passes_over(life, done_ms);
    if (schedule->jitter_ms > 0) note_waiting(life, &before, due_ms);
    if (passed && life->since_ms < done_ms) life->since_ms = done_ms;
    struct stretch_of_time *last = current(life);
    if (last == NULL || last->to_ms != ALWAYS_MS || last->due_until_ms != ALWAYS_MS) return;
    int64_t from_ms = last->from_ms;
    if (passed && due_ms > from_ms) from_ms = due_ms;
    last->due_until_ms = due_ms;
    life->ended_by_rules = life->finished_ms != NEVER_MS;
    if (life->ended_by_rules) return; /* it stays finished, whatever the new rules say */
    (void)push(life, &life->wanted, from_ms, due_ms);
}

bool stretches_reckoned(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = 0; i < life->reckoned_count; i++)
        if (life->reckoned[i].from_ms < nominal_ms && nominal_ms <= life->reckoned[i].to_ms)
            return true;
    return false;
}

bool stretches_reckoned_fire(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = 0; i < life->reckoned_count; i++)
        if (life->reckoned[i].from_ms < nominal_ms && nominal_ms <= life->reckoned[i].to_ms &&
            slow_names(&life->reckoned[i].after, nominal_ms))
            return true;
    return false;
}
