#include "tests/simulation/judge_runs/run_memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"
#include "dispatcher/runs/runs.h"
#include "lib/base/memory.h"
#include "tests/simulation/world/world.h"

enum { NOW_AND_THEN = 64 }; /* steps */

/* What the state log says of each k after the step; NULL: nothing, or that it is free. */
static const struct run_said **fold(const struct history *history, int32_t shard, size_t steps,
                                    size_t *count)
{
    const struct run_said **newest = NULL;
    size_t capacity = 0;
    *count = 0;
    for (size_t i = 0; i < steps; i++) {
        const struct step *step = &history->steps[shard][i];
        for (size_t j = step->first; j < step->first + step->count && !step->gone; j++) {
            const struct output *output = &history->outputs[j];
            const struct run_said *said = history_run(history, output);
            if (output->kind != OUTPUT_RUN || said->k < 0) continue;
            while (*count <= (size_t)said->k) {
                newest = memory_grow((void *)newest, &capacity, *count + 1, sizeof *newest);
                newest[(*count)++] = NULL;
            }
            newest[said->k] = said->free ? NULL : said;
        }
    }
    return newest;
}

/* A claim is in its record only when it is some seconds old. */
static bool is_same(const struct run_record *record, const struct run_said *said)
{
    return record->first_runnumber == said->first_runnumber &&
           record->runnumber == said->runnumber && record->counted == said->counted &&
           record->released == said->released &&
           record->lost_in_a_row == said->lost_in_a_row &&
           record->cancel_asked == said->cancel_asked &&
           (record->state == RUN_STATE_WAITING) == (strcmp(said->state, "waiting") == 0);
}

static void compare(struct world *world, const struct runs *runs, int32_t shard,
                    const struct run_said *const *said, size_t count)
{
    size_t top = runs == NULL ? 0 : runs_top(runs);
    for (size_t k = 0; k < (top > count ? top : count); k++) {
        struct run_view view;
        bool is_open = k < top && runs_look(runs, (uint32_t)k, &view);
        bool is_said = k < count && said[k] != NULL;
        if (is_open == is_said && (!is_open || is_same(&view.record, said[k]))) continue;
        world_violation(world, "open runs: shard %d, %zu: %" PRId64 " in memory, %" PRId64
                        " in the log", (int)shard, k, is_open ? view.record.runnumber : 0,
                        is_said ? said[k]->runnumber : 0);
        return;
    }
}

void run_memory_judge(struct process *process, int32_t shard, const struct taken *taken)
{
    struct world *world = process->world;
    const struct engine *engine = process->slots[shard].engine;
    const struct history *history = &world->history;
    size_t steps = history->step_count[shard];
    while (steps > 0 && history->steps[shard][steps - 1].mark.sequence > taken->sequence) steps--;
    if (steps == 0 || engine == NULL) return;
    const struct step *step = &history->steps[shard][steps - 1];
    bool first = steps == 1 || step[-1].mark.epoch != step->mark.epoch;
    if (!first && taken->sequence % NOW_AND_THEN != 0) return;
    size_t count = 0;
    const struct run_said **said = fold(history, shard, steps, &count);
    compare(world, shard_runs(engine->shard), shard, said, count);
    world->sometimes.count[SOMETIMES_RUNS_TAKEN_OVER] += first && count > 0;
    free((void *)said);
}
