#include "dispatcher/core/selector.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/core/memory.h"
#include "dispatcher/core/shard_state.h"

static bool listed(const struct text *list, size_t count, struct text text)
{
    if (count == 0) return true;
    for (size_t i = 0; i < count; i++)
        if (text_equal(list[i], text)) return true;
    return false;
}

static bool has_label(struct text labels, struct text wanted_name, struct text wanted_value)
{
    struct text name;
    struct text value;
    while (pairs_next(&labels, &name, &value))
        if (text_equal(name, wanted_name) && text_equal(value, wanted_value)) return true;
    return false;
}

static bool labels_match(struct text wanted, const struct job *job)
{
    if (wanted.length == 0) return true;
    struct definition definition;
    job_view(job, &definition);
    struct text name;
    struct text value;
    while (pairs_next(&wanted, &name, &value))
        if (!has_label(definition.labels, name, value)) return false;
    return true;
}

bool selector_matches(const struct selector *selector, const struct job *job)
{
    assert(selector->given);
    bool paused = (job->flags & JOB_PAUSED) != 0;
    if (selector->paused == PAUSED_YES && !paused) return false;
    if (selector->paused == PAUSED_NO && paused) return false;
    return listed(selector->groups, selector->group_count, job_group(job)) &&
           listed(selector->ids, selector->id_count, job_id(job)) &&
           listed(selector->super_groups, selector->super_group_count, job_super_group(job)) &&
           labels_match(selector->labels, job);
}

struct found {
    struct job_reference *jobs;
    size_t count;
    size_t capacity;
};

static void found_add(struct found *found, const struct job *job, int64_t above)
{
    if (job->ordinal <= above) return;
    found->jobs =
        memory_grow(found->jobs, &found->capacity, found->count + 1, sizeof *found->jobs);
    found->jobs[found->count++] = job_reference_of(job);
}

static int by_ordinal(const void *left, const void *right)
{
    const struct job_reference *a = left;
    const struct job_reference *b = right;
    return (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
}

/* Named by group and id: looked up, however many jobs the shard has. */
static void find_named(const struct selector *selector, const struct shard *shard, int64_t above,
                       struct found *found)
{
    for (size_t g = 0; g < selector->group_count; g++) {
        for (size_t i = 0; i < selector->id_count; i++) {
            const struct job *job =
                job_table_find(shard->jobs, selector->groups[g], selector->ids[i]);
            if (job != NULL && selector_matches(selector, job)) found_add(found, job, above);
        }
    }
}

struct job_reference *selector_find(const struct selector *selector, const struct shard *shard,
                                    int64_t above, size_t *count)
{
    struct found found = {.jobs = memory_allocate(1, sizeof *found.jobs), .capacity = 1};
    size_t named = selector->group_count * selector->id_count;
    if (named > 0 && named <= job_table_count(shard->jobs)) {
        find_named(selector, shard, above, &found);
    } else {
        for (uint32_t slot = 0; slot < job_table_slots(shard->jobs); slot++) {
            const struct job *job = job_table_at(shard->jobs, slot);
            if (job != NULL && selector_matches(selector, job)) found_add(&found, job, above);
        }
    }
    qsort(found.jobs, found.count, sizeof *found.jobs, by_ordinal);
    size_t kept = 0; /* a name listed twice is one job */
    for (size_t i = 0; i < found.count; i++)
        if (kept == 0 || found.jobs[kept - 1].ordinal != found.jobs[i].ordinal)
            found.jobs[kept++] = found.jobs[i];
    *count = kept;
    return found.jobs;
}
