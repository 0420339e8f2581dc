#include "dispatcher/core/imported.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/core/job.h"
#include "dispatcher/core/memory.h"

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

/* The first claim that is not before the incarnation. */
static size_t lower_bound(const struct claim *claims, size_t count,
                          const struct incarnation *incarnation)
{
    size_t first = 0;
    while (first < count) {
        size_t middle = first + (count - first) / 2;
        if (incarnation_compare(claims[middle].incarnation, incarnation) < 0) first = middle + 1;
        else count = middle;
    }
    return first;
}

static bool is_named(const struct job *job, const struct definition *definition)
{
    return text_equal(job_group(job), definition->group) &&
           text_equal(job_id(job), definition->id);
}

static void compare_with_shard(const struct shard *shard, const struct command *command,
                               const struct claim *claims, size_t count, bool *taken)
{
    for (uint32_t slot = 0; slot < shard_slots(shard); slot++) {
        const struct job *job = shard_job_at(shard, slot);
        if (job == NULL) continue;
        for (size_t i = lower_bound(claims, count, &job->incarnation);
             i < count && incarnation_compare(claims[i].incarnation, &job->incarnation) == 0; i++)
            if (!is_named(job, &command->jobs[claims[i].index])) taken[claims[i].index] = true;
    }
}

void imported_find_taken(const struct shard *shard, const struct command *command, bool *taken)
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
    compare_with_shard(shard, command, claims, count, taken);
    free(claims);
}
