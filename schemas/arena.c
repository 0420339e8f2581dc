#include "schemas/arena.h"

#include <assert.h>
#include <jansson.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/memory.h"

enum { BLOCK_BYTES = 16 * 1024 };

struct block {
    struct block *next;
    size_t used;
    size_t capacity;
    alignas(max_align_t) char bytes[];
};

struct arena {
    struct block *newest; /* the oldest is the one that a reset keeps */
    json_t *kept;
};

static struct block *block_create(size_t capacity, struct block *next)
{
    assert(capacity >= BLOCK_BYTES);
    struct block *block = memory_resize(NULL, 1, sizeof *block + capacity);
    block->used = 0;
    block->capacity = capacity;
    block->next = next;
    return block;
}

struct arena *arena_create(void)
{
    struct arena *arena = memory_allocate(1, sizeof *arena);
    arena->newest = block_create(BLOCK_BYTES, NULL);
    return arena;
}

void arena_reset(struct arena *arena)
{
    assert(arena != NULL);
    json_decref(arena->kept);
    arena->kept = NULL;
    while (arena->newest->next != NULL) {
        struct block *next = arena->newest->next;
        free(arena->newest);
        arena->newest = next;
    }
    arena->newest->used = 0;
}

void arena_destroy(struct arena *arena)
{
    if (arena == NULL) return;
    arena_reset(arena);
    free(arena->newest);
    free(arena);
}

char *arena_take_bytes(struct arena *arena, size_t count)
{
    assert(arena != NULL);
    assert(count < SIZE_MAX / 2);
    struct block *block = arena->newest;
    if (block->capacity - block->used < count) {
        size_t capacity = block->capacity < SIZE_MAX / 4 ? block->capacity * 2 : block->capacity;
        block = block_create(count > capacity ? count : capacity, block);
        arena->newest = block;
    }
    char *taken = block->bytes + block->used;
    block->used += count;
    return taken;
}

void arena_give_back(struct arena *arena, size_t count)
{
    assert(arena != NULL);
    assert(arena->newest->used >= count);
    arena->newest->used -= count;
}

void *arena_take(struct arena *arena, size_t count, size_t bytes)
{
    assert(arena != NULL);
    assert(bytes > 0 && count < SIZE_MAX / 2 / bytes);
    size_t alignment = alignof(max_align_t);
    size_t over = arena->newest->used % alignment;
    if (over != 0 && arena->newest->capacity - arena->newest->used >= alignment)
        arena->newest->used += alignment - over;
    else if (over != 0)
        arena->newest->used = arena->newest->capacity; /* too full: the next block begins aligned */
    char *taken = arena_take_bytes(arena, count * bytes);
    memset(taken, 0, count * bytes);
    return taken;
}

struct text arena_copy(struct arena *arena, struct text text)
{
    if (text.length == 0) return (struct text){NULL, 0};
    char *copy = arena_take_bytes(arena, text.length);
    memcpy(copy, text.bytes, text.length);
    return (struct text){copy, text.length};
}

void arena_keep_json(struct arena *arena, void *value)
{
    assert(arena != NULL);
    assert(value != NULL);
    assert(arena->kept == NULL); /* one message at a time */
    arena->kept = value;
}
