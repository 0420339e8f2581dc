#include "tests/simulation/world/group.h"

#include <assert.h>

#include "tests/simulation/world/world.h"

#define SESSION_US (10 * SECOND_US)

static struct group *group_of(const struct process *process)
{
    return &process->world->group;
}

/* ---- what members learn ---- */

static void learn_rebalance(void *object, int64_t number)
{
    struct process *process = object;
    struct group *group = group_of(process);
    if ((int64_t)group->number == number && process_heard(process))
        process->member.current = false;
}

static void learn_assignment(void *object, int64_t generation)
{
    struct process *process = object;
    struct group *group = group_of(process);
    if (group->generation != generation || !process_heard(process) ||
        !group->joined[process->index])
        return;
    process->member = (struct member){
        .current = true, .generation = generation, .shards = group->shards[process->index]};
    process_assign(process, process->member.shards);
}

/* ---- the coordinator ---- */

/* Ranges, in the order of the members. */
static void assign(struct group *group, int32_t processes, int32_t shards)
{
    int32_t members = 0;
    int32_t member = 0;
    int32_t next = 0;
    for (int32_t p = 0; p < processes; p++) members += group->joined[p];
    for (int32_t p = 0; p < processes; p++) {
        group->shards[p] = 0;
        if (!group->joined[p]) continue;
        int32_t share = shards / members + (member < shards % members);
        for (int32_t i = 0; i < share; i++) group->shards[p] |= UINT32_C(1) << next++;
        member++;
    }
    assert(members == 0 || next == shards);
}

/* Everybody who is heard has joined again; those who are not are waited for. */
static void complete(void *object, int64_t number)
{
    struct world *world = object;
    struct group *group = &world->group;
    if (!group->rebalancing || (int64_t)group->number != number) return;
    for (int32_t p = 0; p < world->settings.processes; p++)
        if (group->joined[p] && !process_heard(&world->processes[p])) {
            agenda_add(&world->agenda, world->now_us + 500 * MILLI_US, complete, world, number);
            return;
        }
    group->rebalancing = false;
    group->generation++;
    assign(group, world->settings.processes, world->settings.shards);
    world_trace(world, "group generation %lld", (long long)group->generation);
    for (int32_t p = 0; p < world->settings.processes; p++)
        if (group->joined[p])
            agenda_add(&world->agenda, world->now_us + world_latency_us(world, MILLI_US, 200000),
                       learn_assignment, &world->processes[p], group->generation);
}

static void rebalance(struct world *world)
{
    struct group *group = &world->group;
    group->rebalancing = true;
    group->number++;
    for (int32_t p = 0; p < world->settings.processes; p++)
        if (group->joined[p])
            agenda_add(&world->agenda, world->now_us + world_latency_us(world, 0, 500000),
                       learn_rebalance, &world->processes[p], (int64_t)group->number);
    agenda_add(&world->agenda, world->now_us + world_latency_us(world, 500000, 1000000), complete,
               world, (int64_t)group->number);
}

static void expel(void *object, int64_t missed)
{
    struct process *process = object;
    struct group *group = group_of(process);
    int32_t index = process->index;
    if (!group->joined[index] || (int64_t)group->missed[index] != missed) return;
    world_trace(process->world, "the group gives up process %d", (int)index);
    group->joined[index] = false;
    rebalance(process->world);
}

void group_silent(struct process *process)
{
    struct group *group = group_of(process);
    uint64_t missed = ++group->missed[process->index];
    agenda_add(&process->world->agenda,
               process->world->now_us + SESSION_US - world_latency_us(process->world, 0, 500000),
               expel, process, (int64_t)missed);
}

/* The answer to its heartbeat says that it is out: it joins anew. */
static void learn_expulsion(void *object, int64_t missed)
{
    struct process *process = object;
    struct group *group = group_of(process);
    if ((int64_t)group->missed[process->index] != missed || !process_heard(process)) return;
    process->member.current = false;
    group_join(process);
}

static void learn_present(void *object, int64_t missed)
{
    struct process *process = object;
    struct group *group = group_of(process);
    if ((int64_t)group->missed[process->index] != missed || !process_heard(process)) return;
    if (group->rebalancing) process->member.current = false;
    else if (process->member.generation != group->generation ||
             process->member.current == false)
        learn_assignment(process, group->generation);
}

void group_heard(struct process *process)
{
    struct group *group = group_of(process);
    struct world *world = process->world;
    uint64_t missed = ++group->missed[process->index];
    agenda_add(&world->agenda, world->now_us + world_latency_us(world, 0, 500000),
               group->joined[process->index] ? learn_present : learn_expulsion, process,
               (int64_t)missed);
}

void group_join(struct process *process)
{
    struct group *group = group_of(process);
    group->missed[process->index]++;
    group->joined[process->index] = true;
    rebalance(process->world);
}

void group_leave(struct process *process)
{
    struct group *group = group_of(process);
    process->member = (struct member){.current = false};
    if (!group->joined[process->index]) return;
    group->missed[process->index]++;
    group->joined[process->index] = false;
    rebalance(process->world);
}

bool group_accepts(const struct process *process)
{
    const struct group *group = group_of(process);
    return group->joined[process->index] && process->member.generation == group->generation;
}
