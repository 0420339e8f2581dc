#include "dispatcher/shard/imported.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/memory.h"

/* An incarnation of the command, and which of its jobs brings it. */
struct claim {
    const struct incarnation *incarnation;
    uint32_t index;
};

static int by_incarnation(const void *left, const void *right)
{
    const struct claim *a = left;
    const struct claim *b = right;
    int order = incarnation_compare(a->incarnation, b->incarnation);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

void imported_find_taken(struct shard *shard, const struct command *command, bool *taken)
{
    assert(command->job_count <= COMMAND_JOBS_MAX);
    size_t count = 0;
    for (uint32_t i = 0; i < command->job_count; i++) {
        taken[i] = false;
        count += definition_has_incarnation(&command->jobs[i]);
    }
    if (count == 0) return;
    struct claim *claims = memory_allocate(count, sizeof *claims);
    count = 0;
    for (uint32_t i = 0; i < command->job_count; i++)
        if (definition_has_incarnation(&command->jobs[i]))
            claims[count++] = (struct claim){&command->jobs[i].incarnation, i};
    qsort(claims, count, sizeof *claims, by_incarnation);
    for (size_t i = 1; i < count; i++)
        if (incarnation_compare(claims[i - 1].incarnation, claims[i].incarnation) == 0)
            taken[claims[i].index] = true; /* no name comes twice in a command */
    for (size_t i = 0; i < count; i++) {
        const struct definition *definition = &command->jobs[claims[i].index];
        if (job_table_life_is_taken(shard->jobs, claims[i].incarnation, definition->group,
                                    definition->id))
            taken[claims[i].index] = true;
    }
    free(claims);
}
