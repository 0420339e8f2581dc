#include "store/store_group.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"

enum { BLOCK_BYTES = 256 * 1024, FIRST_BLOCK_BYTES = 4 * 1024 };

/* Blocks never move, so items can point into them. */
struct block {
    struct block *next; /* the older one */
    size_t used_bytes;
    size_t size_bytes;
    char bytes[];
};

struct store_group {
    struct store_group_options options;
    struct block *blocks;
    size_t bytes;
    struct store_item *items;
    size_t item_count;
    size_t item_capacity;
    size_t *part_ends; /* by part: the item behind its last one; the open part has none yet */
    size_t part_count;
    size_t part_capacity;
    size_t open_part_bytes;
    bool finished;
    bool has_snapshot;
    struct snapshot snapshot;
};

struct store_group *store_group_create(const struct store_group_options *options)
{
    assert(options != NULL);
    assert(options->shard >= 0 && options->shard < SHARDS_MAX);
    assert(options->first_part >= 0);
    struct store_group *group = memory_allocate(1, sizeof *group);
    group->options = *options;
    if (options->part_items_max == 0) group->options.part_items_max = STORE_CALL_JOBS_MAX;
    assert(group->options.part_items_max <= STORE_CALL_JOBS_MAX);
    return group;
}

void store_group_destroy(struct store_group *group)
{
    if (group == NULL) return;
    while (group->blocks != NULL) {
        struct block *block = group->blocks;
        group->blocks = block->next;
        free(block);
    }
    free(group->items);
    free(group->part_ends);
    free(group);
}

static const char *copy_bytes(struct store_group *group, const char *bytes, size_t length)
{
    if (bytes == NULL) return NULL;
    struct block *block = group->blocks;
    if (block == NULL || block->size_bytes - block->used_bytes < length) {
        size_t size_bytes = block == NULL ? FIRST_BLOCK_BYTES : BLOCK_BYTES;
        if (size_bytes < length) size_bytes = length;
        block = memory_resize(NULL, 1, sizeof *block + size_bytes);
        block->next = group->blocks;
        block->used_bytes = 0;
        block->size_bytes = size_bytes;
        group->blocks = block;
    }
    char *copy = block->bytes + block->used_bytes;
    if (length > 0) memcpy(copy, bytes, length);
    block->used_bytes += length;
    group->bytes += length;
    return copy;
}

static size_t open_part_items(const struct store_group *group)
{
    size_t first = group->part_count > 0 ? group->part_ends[group->part_count - 1] : 0;
    assert(first <= group->item_count);
    return group->item_count - first;
}

static void close_part(struct store_group *group)
{
    group->part_ends = memory_grow(group->part_ends, &group->part_capacity, group->part_count + 1,
                                   sizeof group->part_ends[0]);
    group->part_ends[group->part_count++] = group->item_count;
    group->open_part_bytes = 0;
}

void store_group_add(struct store_group *group, const struct store_item *item)
{
    assert(group != NULL && !group->finished);
    assert(item->name != NULL && item->name_bytes > 0);
    assert(item->text != NULL || item->text_bytes == 0);
    size_t bytes = item->name_bytes + item->text_bytes;
    size_t items = open_part_items(group);
    if (items == group->options.part_items_max ||
        (items > 0 && group->open_part_bytes + bytes > STORE_PART_BYTES_MAX))
        close_part(group);
    group->open_part_bytes += bytes;
    group->items = memory_grow(group->items, &group->item_capacity, group->item_count + 1,
                               sizeof group->items[0]);
    group->items[group->item_count++] = (struct store_item){
        .kind = item->kind,
        .name = copy_bytes(group, item->name, item->name_bytes),
        .name_bytes = item->name_bytes,
        .text = copy_bytes(group, item->text, item->text_bytes),
        .text_bytes = item->text_bytes,
        .super_group = copy_bytes(group, item->super_group, item->super_group_bytes),
        .super_group_bytes = item->super_group != NULL ? item->super_group_bytes : 0,
    };
}

void store_group_finish(struct store_group *group, const struct snapshot *snapshot)
{
    assert(group != NULL && !group->finished);
    assert(snapshot != NULL || group->item_count > 0);
    if (open_part_items(group) > 0 || group->part_count == 0) close_part(group);
    group->finished = true;
    group->has_snapshot = snapshot != NULL;
    if (snapshot != NULL) group->snapshot = *snapshot;
}

int32_t store_group_shard(const struct store_group *group)
{
    assert(group != NULL);
    return group->options.shard;
}

size_t store_group_item_count(const struct store_group *group)
{
    assert(group != NULL);
    return group->item_count;
}

size_t store_group_bytes(const struct store_group *group)
{
    assert(group != NULL);
    return group->bytes;
}

size_t store_group_part_count(const struct store_group *group)
{
    assert(group != NULL && group->finished);
    assert(group->part_count > 0);
    return group->part_count;
}

void store_group_part(const struct store_group *group, size_t index, struct store_write *write)
{
    assert(group->finished && index < group->part_count);
    assert(write != NULL);
    size_t first = index > 0 ? group->part_ends[index - 1] : 0;
    bool last = index + 1 == group->part_count;
    *write = (struct store_write){
        .shard = group->options.shard,
        .mode = group->options.mode,
        .generation = group->options.generation,
        .epoch = group->options.epoch,
        .follows_sequence = group->options.follows_sequence,
        .part = group->options.first_part + (int32_t)index,
        .token = group->options.token,
        .token_before = index == 0 ? group->options.token_before : 0,
        .items = group->items == NULL ? NULL : group->items + first, /* a snapshot alone */
        .item_count = group->part_ends[index] - first,
        .snapshot = last && group->has_snapshot ? &group->snapshot : NULL,
    };
}
