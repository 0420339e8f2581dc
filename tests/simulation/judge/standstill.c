/* Shards whose time does not move: what a daemon does about its own, and that none stands still
 * while somebody could run it. */
#include "tests/simulation/judge/standstill.h"

#include <stdlib.h>
#include <string.h>

#include "tests/simulation/world/world.h"

#define LOOK_US (20 * SECOND_US)
#define LOOK_RARELY_US (4 * MINUTE_US)
#define STILL_US (15 * MINUTE_US) /* and as long as a shard may wait for the next slot */
#define CLOCK_TRUSTED_US (270 * SECOND_US)
enum {
    EARLY_MS = 1000 + 1000, /* clock.tolerance, and what a clock drifts in an hour, the longest time
                             * between two looks */
    LATE_MS = 25000         /* what a slow commit leaves in doubt */
};

static struct engine_status status_of(const struct seat *slot)
{
    bool runs = slot->coroutine != NULL && !slot->done;
    return runs ? engine_status(slot->engine) : (struct engine_status){0};
}

/* For how long its time has not moved, but for long waits because nothing is due. */
static int64_t still_us(const struct seat *slot)
{
    const struct process *process = slot->process;
    int64_t since_us = status_of(slot).moved_us;
    int64_t now_us = process->clock.monotonic_us(process->clock.opaque);
    int64_t assigned_us = now_us - (process->world->now_us - slot->wanted_us);
    int64_t idle_us = now_us - (process->world->now_us - slot->idle_us);
    if (slot->idles && since_us > 0) return 0;
    if (since_us > 0 && since_us < idle_us) since_us = idle_us;
    if (since_us < assigned_us) since_us = assigned_us;
    return now_us - since_us;
}

/* ---- a daemon steps aside ---- */

static bool commits_now(const struct seat *slot)
{
    const struct process *process = slot->process;
    int64_t committed_us = status_of(slot).committed_us;
    return step_aside_commits(committed_us, process->clock.monotonic_us(process->clock.opaque));
}

static void come_back(void *object, int64_t starts)
{
    struct process *process = object;
    if (!process->running || process->leaving || process->starts != starts || !process->away)
        return;
    process->away = false;
    group_join(process);
}

static bool others(const struct process *process)
{
    const struct world *world = process->world;
    for (int32_t p = 0; p < world->settings.processes; p++)
        if (p != process->index && world->group.joined[p]) return true;
    return false;
}

/* Each may make one process leave, however many are bad at once. */
static void count_bad_leaders(struct world *world)
{
    int bad = 0;
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        bool is_bad = world->leader_bad_until_us[shard] > world->now_us;
        bad += is_bad;
        world->leaders_gone_bad += is_bad && !world->leader_was_bad[shard];
        world->leader_was_bad[shard] = is_bad;
    }
    if (bad > 0) return;
    world->leaders_gone_bad = 0;
    memset(world->has_left, 0, sizeof world->has_left);
}

/* How many have left in turn, with this one: a process that was started again is the same. */
static int have_left(struct world *world, int32_t index)
{
    int count = 0;
    world->has_left[index] = true;
    for (int32_t p = 0; p < world->settings.processes; p++) count += world->has_left[p];
    return count;
}

static bool has_bad_leader(const struct process *process)
{
    bool has = false;
    for (int32_t shard = 0; shard < process->world->settings.shards; shard++)
        has = has || (process->slots[shard].wanted &&
                      process->world->leader_bad_until_us[shard] > process->world->now_us);
    return has;
}

static bool clock_is_near(const struct process *process)
{
    return llabs(process->offset_us) < CLOCK_TRUSTED_US;
}

static void tend(struct process *process)
{
    struct world *world = process->world;
    if (!process->running || process->leaving || !process_heard(process)) return;
    if (process->away) {
        if (!others(process)) come_back(process, process->starts);
        return;
    }
    int stuck = 0;
    int well = 0;
    step_aside_begin(&process->aside);
    for (int32_t s = 0; s < world->settings.shards; s++) {
        const struct seat *slot = &process->slots[s];
        struct shard_health health = {.still_us = still_us(slot),
                                      .moved_here = status_of(slot).moved_us > 0,
                                      .failed = slot->failed,
                                      .commits = commits_now(slot),
                                      .clock_far = status_of(slot).clock_far};
        if (!slot->wanted) continue;
        step_aside_count(&process->aside, &health);
        well += health.still_us < SHARD_STUCK_US && health.commits;
        stuck += health.still_us >= SHARD_STUCK_US;
    }
    if (!step_aside_now(&process->aside, world->now_us) || !others(process)) return;
    if (well >= stuck)
        world_violation(world, "leaves for few: %s leaves the group, %d of its shards are stuck, "
                        "%d commit", process->owner, stuck, well);
    if (process->aside.left_us > 0 &&
        world->now_us - process->aside.left_us < STEP_ASIDE_AGAIN_US)
        world_violation(world, "leaves again: %s has left the group %lld s ago", process->owner,
                        (long long)((world->now_us - process->aside.left_us) / SECOND_US));
    step_aside_left(&process->aside, world->now_us);
    world_trace(world, "%s leaves the group for a moment", process->owner);
    world->sometimes.count[SOMETIMES_STEPPED_ASIDE]++;
    if (has_bad_leader(process) && process->aside.far == 0 &&
        have_left(world, process->index) > world->leaders_gone_bad)
        world_violation(world, "leaves in turn: %s leaves the group for a shard that nobody can "
                        "write", process->owner);
    process->away = true;
    group_leave(process);
    process_assign(process, 0);
    agenda_add(&world->agenda, world->now_us + STEP_ASIDE_FOR_US, come_back, process,
               process->starts);
}

/* ---- what must not be ---- */

static bool is_well(const struct process *process)
{
    return process->running && !process->leaving && process_heard(process) &&
           process->commits_lost_until_us <= process->world->now_us &&
           clock_is_near(process) && process->drift_ppm == 0;
}

/* It has tried what it can: it was away for a while, and was not well when it came back. */
static bool has_stepped_aside(const struct process *process)
{
    return !is_well(process) && process->aside.left_us > 0 && !process->aside.helped;
}

/* One that has never moved here, in a process where others have or alone in one that is not well,
 * may be ill wherever it is: each would give it to the next in turn. Not where it is our clock that
 * holds it. */
static bool may_be_ill_anywhere(const struct seat *owner)
{
    const struct process *process = owner->process;
    struct engine_status status = status_of(owner);
    bool alone = process->aside.assigned == 1 && !is_well(process);
    return status.moved_us == 0 && (process->aside.ever_moved || alone) && !status.clock_far;
}

/* Somebody could run it, and has been able to for long. */
static void judge(struct world *world, int32_t shard)
{
    bool could = world->leader_bad_until_us[shard] <= world->now_us;
    bool some = false;
    const struct seat *owner = NULL;
    for (int32_t p = 0; p < world->settings.processes; p++) {
        const struct process *process = &world->processes[p];
        some = some || is_well(process);
        if (process->running && process->slots[shard].wanted) owner = &process->slots[shard];
        could = could && process_heard(process) && (!process->running || !process->leaving);
    }
    if (!could || !some || owner == NULL || owner->failed || has_stepped_aside(owner->process) ||
        may_be_ill_anywhere(owner))
        world->stands_since_us[shard] = 0;
    else if (still_us(owner) < MINUTE_US) world->stands_since_us[shard] = 0;
    else if (world->stands_since_us[shard] == 0) world->stands_since_us[shard] = world->now_us;
    else if (world->now_us - world->stands_since_us[shard] > STILL_US)
        world_violation(world, "stands still: shard %d of %s for %lld s although it could run",
                        (int)shard, owner->process->owner,
                        (long long)(still_us(owner) / SECOND_US));
}

/* The time a shard goes by is Kafka's, whatever its process's clock says. No time passes during a
 * take-over: what the clock is worth is known with the first mark. */
static void judge_time(struct world *world, const struct seat *slot)
{
    const struct process *process = slot->process;
    if (!process->running) return;
    struct engine_status status = status_of(slot);
    int64_t now_us = process->clock.monotonic_us(process->clock.opaque);
    int64_t moved_us = world->now_us - (now_us - status.moved_us);
    if (status.state != ENGINE_LIVE || status.moved_us == 0 ||
        moved_us <= process->stepped_us + SECOND_US || world->now_us - moved_us > STILL_US)
        return;
    int64_t ahead_ms = process->clock.now_ms(process->clock.opaque) - world_now_ms(world) -
                       status.correction_ms;
    if (ahead_ms > EARLY_MS || ahead_ms < -LATE_MS)
        world_violation(world, "time: shard %d of %s is %lld ms ahead of Kafka's clock",
                        (int)slot->shard, process->owner, (long long)ahead_ms);
}

void standstill_watch(void *object, int64_t number)
{
    struct world *world = object;
    count_bad_leaders(world);
    for (int32_t p = 0; p < world->settings.processes; p++) tend(&world->processes[p]);
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        judge(world, shard);
        for (int32_t p = 0; p < world->settings.processes; p++)
            judge_time(world, &world->processes[p].slots[shard]);
    }
    bool rarely = world->settings.hours > 48;
    agenda_add(&world->agenda, world->now_us + (rarely ? LOOK_RARELY_US : LOOK_US),
               standstill_watch, world, number);
}
