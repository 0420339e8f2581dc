#include "dispatcher/shard/selector.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/hash.h"
#include "lib/base/memory.h"

/* A list of a selector, hashed when it is long. */
struct name_set {
    const struct text *list;
    size_t count;
    uint32_t *index; /* place in the list + 1; NULL: looked through */
    size_t mask;
    const uint8_t *key;
};
enum { HASHED_FROM = 8 };

static size_t home_of(const struct name_set *set, struct text name)
{
    return (size_t)hash_siphash(set->key, name.bytes, name.length) & set->mask;
}

static size_t place_in(const struct name_set *set, struct text name)
{
    size_t at = home_of(set, name);
    while (set->index[at] != 0 && !text_equal(set->list[set->index[at] - 1], name))
        at = (at + 1) & set->mask;
    return at;
}

static struct name_set name_set_of(const struct text *list, size_t count, const uint8_t *key)
{
    struct name_set set = {.list = list, .count = count, .key = key};
    if (count < HASHED_FROM) return set;
    size_t size = HASHED_FROM;
    while (size < 2 * count) size *= 2;
    set.index = memory_allocate(size, sizeof *set.index);
    set.mask = size - 1;
    for (size_t i = 0; i < count; i++) set.index[place_in(&set, list[i])] = (uint32_t)i + 1;
    return set;
}

static bool listed(const struct name_set *set, struct text name)
{
    if (set->count == 0) return true;
    if (set->index != NULL) return set->index[place_in(set, name)] != 0;
    for (size_t i = 0; i < set->count; i++)
        if (text_equal(set->list[i], name)) return true;
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

struct picker {
    const struct selector *selector;
    struct name_set groups;
    struct name_set ids;
    struct name_set super_groups;
};

static bool matches(const struct picker *picker, const struct job *job)
{
    const struct selector *selector = picker->selector;
    bool paused = (job->flags & JOB_PAUSED) != 0;
    if (selector->paused == PAUSED_YES && !paused) return false;
    if (selector->paused == PAUSED_NO && paused) return false;
    return listed(&picker->groups, job_group(job)) && listed(&picker->ids, job_id(job)) &&
           listed(&picker->super_groups, job_super_group(job)) &&
           labels_match(selector->labels, job);
}

struct found {
    struct job_reference *jobs;
    size_t count;
    size_t capacity;
};

static void found_add(struct found *found, const struct job *job, int64_t above)
{
    if (job->life.ordinal <= above) return;
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

/* ---- ways to find them ---- */

static void find_ids(const struct picker *picker, const struct shard *shard, struct text group,
                     int64_t above, struct found *found)
{
    for (size_t i = 0; i < picker->ids.count; i++) {
        const struct job *job = job_table_find(shard->jobs, group, picker->ids.list[i]);
        if (job != NULL && matches(picker, job)) found_add(found, job, above);
    }
}

/* Named by group and id: looked up, however many jobs the shard has. */
static void find_named(const struct picker *picker, const struct shard *shard, int64_t above,
                       struct found *found)
{
    for (size_t g = 0; g < picker->groups.count; g++)
        find_ids(picker, shard, picker->groups.list[g], above, found);
}

/* Named by id: looked up in each group there is. */
static void find_in_each_group(const struct picker *picker, const struct shard *shard,
                               int64_t above, struct found *found)
{
    const struct job_groups *groups = job_table_groups(shard->jobs);
    size_t cursor = 0;
    for (uint32_t slot = job_groups_each(groups, &cursor); slot != JOB_SLOT_NONE;
         slot = job_groups_each(groups, &cursor))
        find_ids(picker, shard, job_group(job_table_at(shard->jobs, slot)), above, found);
}

static void find_in_groups(const struct picker *picker, const struct shard *shard, int64_t above,
                           struct found *found)
{
    for (size_t g = 0; g < picker->groups.count; g++)
        for (uint32_t slot = job_table_first_of(shard->jobs, picker->groups.list[g]);
             slot != JOB_SLOT_NONE; slot = job_table_next_of(shard->jobs, slot)) {
            const struct job *job = job_table_at(shard->jobs, slot);
            if (matches(picker, job)) found_add(found, job, above);
        }
}

static void find_among_all(const struct picker *picker, const struct shard *shard, int64_t above,
                           struct found *found)
{
    for (uint32_t slot = 0; slot < job_table_slots(shard->jobs); slot++) {
        const struct job *job = job_table_at(shard->jobs, slot);
        if (job != NULL && matches(picker, job)) found_add(found, job, above);
    }
}

struct job_reference *selector_find(const struct selector *selector, const struct shard *shard,
                                    int64_t above, size_t *count)
{
    assert(selector->given);
    const uint8_t *key = shard->config.hash_key;
    struct picker picker = {
        .selector = selector,
        .groups = name_set_of(selector->groups, selector->group_count, key),
        .ids = name_set_of(selector->ids, selector->id_count, key),
        .super_groups = name_set_of(selector->super_groups, selector->super_group_count, key)};
    struct found found = {.jobs = memory_allocate(1, sizeof *found.jobs), .capacity = 1};
    size_t jobs = job_table_count(shard->jobs);
    size_t groups = selector->group_count > 0 ? selector->group_count
                                              : job_groups_count(job_table_groups(shard->jobs));
    bool by_id = selector->id_count > 0 && selector->id_count * groups <= jobs;
    if (by_id && selector->group_count > 0) find_named(&picker, shard, above, &found);
    else if (by_id) find_in_each_group(&picker, shard, above, &found);
    else if (selector->group_count > 0) find_in_groups(&picker, shard, above, &found);
    else find_among_all(&picker, shard, above, &found);
    free(picker.groups.index);
    free(picker.ids.index);
    free(picker.super_groups.index);
    qsort(found.jobs, found.count, sizeof *found.jobs, by_ordinal);
    size_t kept = 0; /* a name listed twice is one job */
    for (size_t i = 0; i < found.count; i++)
        if (kept == 0 || found.jobs[kept - 1].ordinal != found.jobs[i].ordinal)
            found.jobs[kept++] = found.jobs[i];
    *count = kept;
    return found.jobs;
}
