/* offsets.c - a ring of records in flight; the commit position is the end of its finished start. */
#include "consumer/offsets.h"

#include <assert.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 16 };

static struct belfry_offset_entry *entry_at(const struct belfry_offsets *offsets, uint32_t index)
{
    assert(index < offsets->capacity);
    assert((offsets->capacity & (offsets->capacity - 1)) == 0);
    return &offsets->entries[(offsets->head + index) & (offsets->capacity - 1)];
}

void belfry_offsets_clear(struct belfry_offsets *offsets)
{
    free(offsets->entries);
    *offsets = (struct belfry_offsets){0};
}

static bool grow(struct belfry_offsets *offsets)
{
    assert(offsets->count == offsets->capacity);
    if (offsets->capacity > UINT32_MAX / 4) return false;
    uint32_t capacity = offsets->capacity == 0 ? CAPACITY_FIRST : offsets->capacity * 2;
    struct belfry_offset_entry *entries = calloc(capacity, sizeof *entries);
    if (entries == NULL) return false;
    for (uint32_t i = 0; i < offsets->count; i++) entries[i] = *entry_at(offsets, i);
    free(offsets->entries);
    offsets->entries = entries;
    offsets->capacity = capacity;
    offsets->head = 0;
    return true;
}

bool belfry_offsets_begin(struct belfry_offsets *offsets, int64_t offset)
{
    assert(offset >= 0);
    while (offsets->count > 0 && entry_at(offsets, offsets->count - 1)->offset >= offset)
        offsets->count--;
    if (offsets->count == offsets->capacity && !grow(offsets)) return false;
    offsets->count++;
    *entry_at(offsets, offsets->count - 1) = (struct belfry_offset_entry){.offset = offset};
    return true;
}

static struct belfry_offset_entry *entry_find(struct belfry_offsets *offsets, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = offsets->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (entry_at(offsets, middle)->offset < offset) low = middle + 1;
        else high = middle;
    }
    assert(low <= offsets->count);
    if (low == offsets->count || entry_at(offsets, low)->offset != offset) return NULL;
    return entry_at(offsets, low);
}

int64_t belfry_offsets_finish(struct belfry_offsets *offsets, int64_t offset)
{
    struct belfry_offset_entry *entry = entry_find(offsets, offset);
    if (entry == NULL) return BELFRY_OFFSET_NONE;
    assert(entry->offset == offset);
    entry->finished = true;
    int64_t position = BELFRY_OFFSET_NONE;
    while (offsets->count > 0 && entry_at(offsets, 0)->finished) {
        position = entry_at(offsets, 0)->offset + 1;
        offsets->head = (offsets->head + 1) & (offsets->capacity - 1);
        offsets->count--;
    }
    return position;
}
