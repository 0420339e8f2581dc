#include "dispatcher/jobs/open_runs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

enum { CHAINS_INITIAL = 16 };

struct entry {
    struct entry *next; /* of its chain */
    int64_t number;
    uint32_t hash; /* of the job's name */
    uint32_t group_length;
    uint32_t id_length;
    uint32_t fire_length;
    char texts[]; /* group, id, fire */
};

struct open_runs {
    struct entry **chains;
    size_t mask;
    size_t count;
    uint8_t key[HASH_KEY_BYTES];
};

struct open_runs *open_runs_create(const uint8_t key[HASH_KEY_BYTES])
{
    struct open_runs *runs = memory_allocate(1, sizeof *runs);
    memcpy(runs->key, key, sizeof runs->key);
    runs->chains = memory_allocate(CHAINS_INITIAL, sizeof(struct entry *));
    runs->mask = CHAINS_INITIAL - 1;
    return runs;
}

void open_runs_destroy(struct open_runs *runs)
{
    if (runs == NULL) return;
    for (size_t i = 0; i <= runs->mask; i++) {
        while (runs->chains[i] != NULL) {
            struct entry *entry = runs->chains[i];
            runs->chains[i] = entry->next;
            free(entry);
        }
    }
    free(runs->chains);
    free(runs);
}

static uint32_t hash_of(const struct open_runs *runs, struct text group, struct text id)
{
    uint64_t hash = hash_siphash(runs->key, group.bytes, group.length);
    return (uint32_t)(hash * 31 + hash_siphash(runs->key, id.bytes, id.length));
}

static struct text text_at(const struct entry *entry, size_t at, size_t length)
{
    return (struct text){entry->texts + at, length};
}

static bool is_of(const struct entry *entry, uint32_t hash, struct text group, struct text id)
{
    return entry->hash == hash && text_equal(text_at(entry, 0, entry->group_length), group) &&
           text_equal(text_at(entry, entry->group_length, entry->id_length), id);
}

static void grow(struct open_runs *runs)
{
    if (runs->count <= runs->mask) return;
    struct entry **before = runs->chains;
    size_t size = runs->mask + 1;
    runs->chains = memory_allocate(size * 2, sizeof(struct entry *));
    runs->mask = size * 2 - 1;
    for (size_t i = 0; i < size; i++) {
        while (before[i] != NULL) {
            struct entry *entry = before[i];
            before[i] = entry->next;
            entry->next = runs->chains[entry->hash & runs->mask];
            runs->chains[entry->hash & runs->mask] = entry;
        }
    }
    free(before);
}

void open_runs_add(struct open_runs *runs, const struct open_run *run)
{
    size_t length = run->group.length + run->id.length + run->fire.length;
    struct entry *entry = memory_allocate(1, sizeof *entry + length);
    entry->number = run->number;
    entry->hash = hash_of(runs, run->group, run->id);
    entry->group_length = (uint32_t)run->group.length;
    entry->id_length = (uint32_t)run->id.length;
    entry->fire_length = (uint32_t)run->fire.length;
    memcpy(entry->texts, run->group.bytes, run->group.length);
    memcpy(entry->texts + run->group.length, run->id.bytes, run->id.length);
    memcpy(entry->texts + run->group.length + run->id.length, run->fire.bytes, run->fire.length);
    runs->count++;
    grow(runs);
    entry->next = runs->chains[entry->hash & runs->mask];
    runs->chains[entry->hash & runs->mask] = entry;
}

bool open_runs_remove(struct open_runs *runs, struct text group, struct text id, int64_t number)
{
    uint32_t hash = hash_of(runs, group, id);
    for (struct entry **at = &runs->chains[hash & runs->mask]; *at != NULL; at = &(*at)->next) {
        struct entry *entry = *at;
        if (entry->number != number || !is_of(entry, hash, group, id)) continue;
        *at = entry->next;
        free(entry);
        runs->count--;
        return true;
    }
    return false;
}

bool open_runs_next(const struct open_runs *runs, struct text group, struct text id, int64_t above,
                    struct open_run *run)
{
    uint32_t hash = hash_of(runs, group, id);
    const struct entry *found = NULL;
    for (const struct entry *entry = runs->chains[hash & runs->mask]; entry != NULL;
         entry = entry->next)
        if (entry->number > above && (found == NULL || entry->number < found->number) &&
            is_of(entry, hash, group, id))
            found = entry;
    if (found == NULL) return false;
    size_t fire_at = (size_t)found->group_length + found->id_length;
    *run = (struct open_run){text_at(found, 0, found->group_length),
                             text_at(found, found->group_length, found->id_length), found->number,
                             text_at(found, fire_at, found->fire_length)};
    return true;
}

bool open_runs_any(const struct open_runs *runs, struct text group, struct text id)
{
    struct open_run run;
    return runs->count > 0 && open_runs_next(runs, group, id, INT64_MIN, &run);
}
