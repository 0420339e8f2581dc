#include "dispatcher/jobs/job_groups.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/jobs/job.h"
#include "lib/base/memory.h"

enum { INDEX_INITIAL = 16 };

struct entry { /* a group: open addressing, linear probing, no tombstones */
    uint32_t first; /* JOB_SLOT_NONE: a hole */
    uint32_t hash;
};

struct job_groups {
    uint32_t *before; /* by slot: the job before it in the list of its group */
    size_t before_capacity;
    struct entry *entries;
    size_t mask;
    size_t count;
    uint16_t *free_numbers; /* of groups that are gone */
    size_t free_count;
    size_t free_capacity;
    uint16_t last_number; /* so many have been given out for the first time */
    uint8_t key[HASH_KEY_BYTES];
};

static struct entry *holes(size_t count)
{
    struct entry *entries = memory_allocate(count, sizeof *entries);
    for (size_t i = 0; i < count; i++) entries[i].first = JOB_SLOT_NONE;
    return entries;
}

struct job_groups *job_groups_create(const uint8_t key[HASH_KEY_BYTES])
{
    struct job_groups *groups = memory_allocate(1, sizeof *groups);
    memcpy(groups->key, key, sizeof groups->key);
    groups->entries = holes(INDEX_INITIAL);
    groups->mask = INDEX_INITIAL - 1;
    return groups;
}

void job_groups_destroy(struct job_groups *groups)
{
    if (groups == NULL) return;
    free(groups->before);
    free(groups->entries);
    free(groups->free_numbers);
    free(groups);
}

static uint32_t hash_of(const struct job_groups *groups, struct text group)
{
    return (uint32_t)hash_siphash(groups->key, group.bytes, group.length);
}

/* The group's entry, or the hole where it would be. */
static size_t place_of(const struct job_groups *groups, struct job *const *jobs, uint32_t hash,
                       struct text group)
{
    size_t at = hash & groups->mask;
    for (; groups->entries[at].first != JOB_SLOT_NONE; at = (at + 1) & groups->mask)
        if (groups->entries[at].hash == hash &&
            text_equal(job_group(jobs[groups->entries[at].first]), group))
            break;
    return at;
}

static void grow(struct job_groups *groups)
{
    size_t size = groups->mask + 1;
    if ((groups->count + 1) * 4 <= size * 3) return;
    struct entry *before = groups->entries;
    groups->entries = holes(size * 2);
    groups->mask = size * 2 - 1;
    for (size_t i = 0; i < size; i++) {
        if (before[i].first == JOB_SLOT_NONE) continue;
        size_t at = before[i].hash & groups->mask;
        while (groups->entries[at].first != JOB_SLOT_NONE) at = (at + 1) & groups->mask;
        groups->entries[at] = before[i];
    }
    free(before);
}

static uint16_t new_number(struct job_groups *groups)
{
    if (groups->free_count > 0) return groups->free_numbers[--groups->free_count];
    return groups->last_number == GROUP_NUMBERS_MAX ? 0 : ++groups->last_number;
}

static void give_back(struct job_groups *groups, uint16_t number)
{
    if (number == 0) return;
    groups->free_numbers = memory_grow(groups->free_numbers, &groups->free_capacity,
                                       groups->free_count + 1, sizeof *groups->free_numbers);
    groups->free_numbers[groups->free_count++] = number;
}

void job_groups_add(struct job_groups *groups, struct job *const *jobs, const struct job *job)
{
    assert(jobs[job->slot] == job);
    grow(groups);
    groups->before = memory_grow(groups->before, &groups->before_capacity, (size_t)job->slot + 1,
                                 sizeof *groups->before);
    uint32_t hash = hash_of(groups, job_group(job));
    struct entry *entry = &groups->entries[place_of(groups, jobs, hash, job_group(job))];
    jobs[job->slot]->group_next = entry->first;
    groups->before[job->slot] = JOB_SLOT_NONE;
    if (entry->first != JOB_SLOT_NONE) {
        groups->before[entry->first] = job->slot;
        jobs[job->slot]->group_number = jobs[entry->first]->group_number;
    } else {
        groups->count++;
        jobs[job->slot]->group_number = new_number(groups);
    }
    *entry = (struct entry){job->slot, hash};
}

/* Closes the hole at `at`: moves back each later entry of the run that may stand there. */
static void remove_entry(struct job_groups *groups, size_t at)
{
    for (size_t next = (at + 1) & groups->mask; groups->entries[next].first != JOB_SLOT_NONE;
         next = (next + 1) & groups->mask) {
        size_t home = groups->entries[next].hash & groups->mask;
        if (((next - home) & groups->mask) < ((next - at) & groups->mask)) continue;
        groups->entries[at] = groups->entries[next];
        at = next;
    }
    groups->entries[at].first = JOB_SLOT_NONE;
    groups->count--;
}

void job_groups_remove(struct job_groups *groups, struct job *const *jobs, const struct job *job)
{
    assert(jobs[job->slot] == job);
    uint32_t next = job->group_next;
    uint32_t before = groups->before[job->slot];
    if (next != JOB_SLOT_NONE) groups->before[next] = before;
    if (before != JOB_SLOT_NONE) {
        jobs[before]->group_next = next;
        return;
    }
    size_t at = place_of(groups, jobs, hash_of(groups, job_group(job)), job_group(job));
    assert(groups->entries[at].first == job->slot);
    if (next != JOB_SLOT_NONE) {
        groups->entries[at].first = next;
        return;
    }
    give_back(groups, job->group_number);
    remove_entry(groups, at);
}

uint32_t job_groups_first(const struct job_groups *groups, struct job *const *jobs,
                          struct text group)
{
    return groups->entries[place_of(groups, jobs, hash_of(groups, group), group)].first;
}

size_t job_groups_count(const struct job_groups *groups)
{
    return groups->count;
}

uint32_t job_groups_each(const struct job_groups *groups, size_t *cursor)
{
    while (*cursor <= groups->mask) {
        uint32_t first = groups->entries[(*cursor)++].first;
        if (first != JOB_SLOT_NONE) return first;
    }
    return JOB_SLOT_NONE;
}
