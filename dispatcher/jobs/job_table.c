#include "dispatcher/jobs/job_table.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/jobs/job.h"
#include "lib/base/hash.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"

enum { INDEX_INITIAL = 64, SLOT_EMPTY = 0 };

/* Open addressing with linear probing; an entry is a slot + 1. Removal shifts the run back, so
 * there are no tombstones to clean up. */
struct job_table {
    struct job **jobs; /* by slot */
    size_t job_capacity;
    uint32_t slot_count;
    uint32_t *free_slots; /* a stack */
    size_t free_capacity;
    uint32_t free_count;
    uint32_t *index;
    uint32_t index_mask;
    uint32_t *lives; /* by incarnation; as large as the index. NULL: nobody has asked yet */
    struct job_groups *groups;
    size_t count;
    uint8_t key[HASH_KEY_BYTES];
};

static uint32_t name_hash(const struct job_table *table, struct text group, struct text id)
{
    char name[JOB_NAME_BYTES_MAX];
    assert(group.length + 1 + id.length <= sizeof name);
    memcpy(name, group.bytes, group.length);
    name[group.length] = '/';
    memcpy(name + group.length + 1, id.bytes, id.length);
    return (uint32_t)hash_siphash(table->key, name, group.length + 1 + id.length);
}

struct job_table *job_table_create(const uint8_t key[HASH_KEY_BYTES])
{
    struct job_table *table = memory_allocate(1, sizeof *table);
    memcpy(table->key, key, sizeof table->key);
    table->groups = job_groups_create(key);
    table->index = memory_allocate(INDEX_INITIAL, sizeof *table->index);
    table->index_mask = INDEX_INITIAL - 1;
    return table;
}

void job_table_destroy(struct job_table *table)
{
    if (table == NULL) return;
    for (uint32_t slot = 0; slot < table->slot_count; slot++) job_destroy(table->jobs[slot]);
    free(table->jobs);
    free(table->free_slots);
    free(table->index);
    free(table->lives);
    job_groups_destroy(table->groups);
    free(table);
}

static struct job *find(const struct job_table *table, uint32_t hash, struct text group,
                        struct text id)
{
    for (uint32_t at = hash & table->index_mask; table->index[at] != SLOT_EMPTY;
         at = (at + 1) & table->index_mask) {
        struct job *job = table->jobs[table->index[at] - 1];
        if (job->name_hash == hash && text_equal(job_group(job), group) &&
            text_equal(job_id(job), id))
            return job;
    }
    return NULL;
}

struct job *job_table_find(const struct job_table *table, struct text group, struct text id)
{
    assert(table != NULL);
    return find(table, name_hash(table, group, id), group, id);
}

static void index_insert(struct job_table *table, const struct job *job)
{
    uint32_t at = job->name_hash & table->index_mask;
    while (table->index[at] != SLOT_EMPTY) at = (at + 1) & table->index_mask;
    table->index[at] = job->slot + 1;
}

/* ---- by incarnation ---- */

static uint32_t life_home(const struct job_table *table, const struct incarnation *life)
{
    int64_t words[3] = {life->effective_ms, life->offset,
                        (int64_t)life->index << 32 | life->shard};
    return (uint32_t)hash_siphash(table->key, words, sizeof words) & table->index_mask;
}

static void lives_insert(struct job_table *table, const struct job *job)
{
    if (table->lives == NULL) return;
    uint32_t at = life_home(table, &job->life.incarnation);
    while (table->lives[at] != SLOT_EMPTY) at = (at + 1) & table->index_mask;
    table->lives[at] = job->slot + 1;
}

static void lives_make(struct job_table *table)
{
    free(table->lives);
    table->lives = memory_allocate((size_t)table->index_mask + 1, sizeof *table->lives);
    for (uint32_t slot = 0; slot < table->slot_count; slot++)
        if (table->jobs[slot] != NULL) lives_insert(table, table->jobs[slot]);
}

static void lives_remove(struct job_table *table, const struct job *job)
{
    if (table->lives == NULL) return;
    uint32_t mask = table->index_mask;
    uint32_t at = life_home(table, &job->life.incarnation);
    while (table->lives[at] != job->slot + 1) at = (at + 1) & mask;
    for (uint32_t next = (at + 1) & mask; table->lives[next] != SLOT_EMPTY;
         next = (next + 1) & mask) {
        uint32_t home = life_home(table, &table->jobs[table->lives[next] - 1]->life.incarnation);
        if (((next - home) & mask) < ((next - at) & mask)) continue;
        table->lives[at] = table->lives[next];
        at = next;
    }
    table->lives[at] = SLOT_EMPTY;
}

bool job_table_life_is_taken(struct job_table *table, const struct incarnation *life,
                             struct text group, struct text id)
{
    if (table->lives == NULL) lives_make(table);
    for (uint32_t at = life_home(table, life); table->lives[at] != SLOT_EMPTY;
         at = (at + 1) & table->index_mask) {
        const struct job *job = table->jobs[table->lives[at] - 1];
        if (incarnation_compare(&job->life.incarnation, life) == 0 &&
            !(text_equal(job_group(job), group) && text_equal(job_id(job), id)))
            return true;
    }
    return false;
}

/* ---- adding and removing ---- */

static void index_grow(struct job_table *table)
{
    size_t size = (size_t)table->index_mask + 1;
    if ((table->count + 1) * 4 <= size * 3) return;
    free(table->index);
    table->index = memory_allocate(size * 2, sizeof *table->index);
    table->index_mask = (uint32_t)(size * 2 - 1);
    for (uint32_t slot = 0; slot < table->slot_count; slot++)
        if (table->jobs[slot] != NULL) index_insert(table, table->jobs[slot]);
    if (table->lives != NULL) lives_make(table);
}

void job_table_add(struct job_table *table, struct job *job)
{
    job->name_hash = name_hash(table, job_group(job), job_id(job));
    assert(find(table, job->name_hash, job_group(job), job_id(job)) == NULL);
    index_grow(table);
    if (table->free_count > 0) {
        job->slot = table->free_slots[--table->free_count];
    } else {
        table->jobs = memory_grow(table->jobs, &table->job_capacity,
                                  (size_t)table->slot_count + 1, sizeof *table->jobs);
        job->slot = table->slot_count++;
    }
    table->jobs[job->slot] = job;
    index_insert(table, job);
    lives_insert(table, job);
    job_groups_add(table->groups, table->jobs, job);
    table->count++;
}

/* Closes the hole at `at`: moves back each later entry of the run that may stand there. */
static void index_remove(struct job_table *table, uint32_t at)
{
    uint32_t mask = table->index_mask;
    for (uint32_t next = (at + 1) & mask; table->index[next] != SLOT_EMPTY;
         next = (next + 1) & mask) {
        uint32_t home = table->jobs[table->index[next] - 1]->name_hash & mask;
        if (((next - home) & mask) < ((next - at) & mask)) continue;
        table->index[at] = table->index[next];
        at = next;
    }
    table->index[at] = SLOT_EMPTY;
}

void job_table_remove(struct job_table *table, struct job *job)
{
    assert(job_table_at(table, job->slot) == job);
    uint32_t at = job->name_hash & table->index_mask;
    while (table->index[at] != job->slot + 1) at = (at + 1) & table->index_mask;
    index_remove(table, at);
    lives_remove(table, job);
    job_groups_remove(table->groups, table->jobs, job);
    table->jobs[job->slot] = NULL;
    table->free_slots = memory_grow(table->free_slots, &table->free_capacity,
                                    (size_t)table->free_count + 1, sizeof *table->free_slots);
    table->free_slots[table->free_count++] = job->slot;
    table->count--;
}

uint32_t job_table_first_of(const struct job_table *table, struct text group)
{
    return job_groups_first(table->groups, table->jobs, group);
}

uint32_t job_table_next_of(const struct job_table *table, uint32_t slot)
{
    return table->jobs[slot]->group_next;
}

const struct job_groups *job_table_groups(const struct job_table *table)
{
    return table->groups;
}

size_t job_table_count(const struct job_table *table)
{
    assert(table != NULL);
    return table->count;
}

uint32_t job_table_slots(const struct job_table *table)
{
    assert(table != NULL);
    return table->slot_count;
}

struct job *job_table_at(const struct job_table *table, uint32_t slot)
{
    assert(slot < table->slot_count);
    return table->jobs[slot];
}
