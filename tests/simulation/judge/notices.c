#include "tests/simulation/judge/notices.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge/model.h"
#include "tests/simulation/judge/stretches.h"
#include "tests/simulation/world/world.h"

void notices_free(struct notices *notices)
{
    free(notices->resumed);
    free(notices->said);
}

static void add(struct left_out **list, size_t *count, size_t *capacity, struct left_out one)
{
    *list = memory_grow(*list, capacity, *count + 1, sizeof **list);
    (*list)[(*count)++] = one;
}

void notices_resumed(struct notices *notices, int64_t paused_ms, int64_t to_ms)
{
    if (to_ms < paused_ms) to_ms = paused_ms;
    add(&notices->resumed, &notices->resumed_count, &notices->resumed_capacity,
        (struct left_out){paused_ms, to_ms});
}

void notices_event(struct world *world, struct life *life, const struct output *event)
{
    struct notices *notices = &life->notices;
    if (strcmp(event->word, "resumed") == 0)
        add(&notices->said, &notices->said_count, &notices->said_capacity,
            (struct left_out){event->from_ms, event->to_ms});
    else if (strcmp(event->word, "fire_failed") == 0)
        life_failed(life, &(struct failure){
                              .nominal_ms = event->first_ms,
                              .from_ms = event->at_ms,
                              /* no slot waits behind one of a backfill */
                              .to_ms = event->trigger[0] == '\0' ? ALWAYS_MS : event->at_ms});
    else if (strcmp(event->word, "catchup_started") == 0)
        notices->catchups += event->count;
    else if (strcmp(event->word, "catchup_finished") == 0)
        notices->catchups -= event->count;
    if (notices->catchups < 0)
        world_violation(world, "catch-up: %s finishes what it never began", life->name);
}

void notices_fire(struct world *world, struct life *life, const struct output *fire)
{
    life_fires_again(life, fire->from_ms);
    if (fire->matched <= 1) return;
    if (stretches_reckoned_fire(life, fire->at_ms)) return; /* it failed under another time */
    for (size_t i = 0; i < life->failure_count; i++)
        if (life->failures[i].nominal_ms == fire->at_ms) return;
    world_violation(world, "failure not told: %s fires %" PRId64 " at attempt %" PRId64,
                    life->name, fire->at_ms, fire->matched);
}

void notices_judge(struct world *world, const struct life *life)
{
    const struct notices *notices = &life->notices;
    if (notices->said_count != notices->resumed_count)
        world_violation(world, "resumed: %s (%s) ended %zu pauses, events tell of %zu",
                        life->name, life->id, notices->resumed_count, notices->said_count);
    for (size_t i = 0; i < notices->said_count && i < notices->resumed_count; i++) {
        const struct left_out *said = &notices->said[i];
        const struct left_out *resumed = &notices->resumed[i];
        if (said->from_ms != resumed->from_ms || said->to_ms != resumed->to_ms)
            world_violation(world, "resumed: %s leaves out %" PRId64 " to %" PRId64
                            ", the event says %" PRId64 " to %" PRId64, life->name,
                            resumed->from_ms, resumed->to_ms, said->from_ms, said->to_ms);
    }
    if (life->there && notices->catchups != 0)
        world_violation(world, "catch-up: %s (%s) has not said that it caught up", life->name,
                        life->id);
}

void notices_judge_step(struct world *world, int32_t shard, const struct step *before,
                        const struct step *step)
{
    int told = 0;
    for (size_t i = step->first; i < step->first + step->count; i++) {
        const struct output *output = &world->history.outputs[i];
        told += output->kind == OUTPUT_EVENT && strcmp(output->word, "shard_taken") == 0;
    }
    int wanted = before == NULL || before->mark.epoch != step->mark.epoch;
    if (told != wanted)
        world_violation(world, "shard_taken: shard %d says it %d times with epoch %" PRId64
                        ", sequence %" PRId64, (int)shard, told, step->mark.epoch,
                        step->mark.sequence);
}
