#include "dispatcher/runs/number_index.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "lib/base/memory.h"

enum { SIZE_FIRST = 16 };

void number_index_free(struct number_index *index)
{
    free(index->places);
    index->places = NULL;
    index->size = 0;
    index->count = 0;
}

static void place(struct number_index *index, uint32_t number)
{
    uint32_t at = index->hash_of(index->owner, number) & (index->size - 1);
    while (index->places[at] != 0) at = (at + 1) & (index->size - 1);
    index->places[at] = number + 1;
}

static void resize(struct number_index *index, uint32_t size)
{
    uint32_t *old = index->places;
    uint32_t old_size = index->size;
    index->places = memory_allocate(size, sizeof *index->places);
    index->size = size;
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i] != 0) place(index, old[i] - 1);
    free(old);
}

void number_index_reserve(struct number_index *index, uint32_t count)
{
    uint32_t size = index->size == 0 ? SIZE_FIRST : index->size;
    while (count > size / 4 * 3) size *= 2;
    if (size > index->size) resize(index, size);
}

void number_index_add(struct number_index *index, uint32_t number)
{
    assert(number != NUMBER_NONE);
    number_index_reserve(index, index->count + 1);
    place(index, number);
    index->count++;
}

/* Closes the hole: what stands behind it and could stand in it moves there. */
static void close_hole(struct number_index *index, uint32_t hole)
{
    uint32_t mask = index->size - 1;
    for (uint32_t at = (hole + 1) & mask; index->places[at] != 0; at = (at + 1) & mask) {
        uint32_t home = index->hash_of(index->owner, index->places[at] - 1) & mask;
        if (((at - home) & mask) < ((at - hole) & mask)) continue;
        index->places[hole] = index->places[at];
        hole = at;
    }
    index->places[hole] = 0;
}

void number_index_remove(struct number_index *index, uint32_t number)
{
    assert(index->count > 0);
    uint32_t at = index->hash_of(index->owner, number) & (index->size - 1);
    while (index->places[at] != number + 1) {
        assert(index->places[at] != 0);
        at = (at + 1) & (index->size - 1);
    }
    close_hole(index, at);
    index->count--;
    if (index->count == 0) number_index_free(index);
    else if (index->size > SIZE_FIRST && index->count < index->size / 8)
        resize(index, index->size / 2);
}

uint32_t number_index_find(const struct number_index *index, uint32_t hash,
                           bool (*is_wanted)(const void *owner, uint32_t number,
                                             const void *wanted),
                           const void *wanted)
{
    if (index->count == 0) return NUMBER_NONE;
    uint32_t mask = index->size - 1;
    for (uint32_t at = hash & mask; index->places[at] != 0; at = (at + 1) & mask)
        if (is_wanted(index->owner, index->places[at] - 1, wanted)) return index->places[at] - 1;
    return NUMBER_NONE;
}
