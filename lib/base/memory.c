#include "lib/base/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void memory_is_short(size_t count, size_t bytes)
{
    (void)fprintf(stderr, "belfry: out of memory for %zu x %zu bytes; nothing is lost, restart\n",
                  count, bytes);
    abort();
}

void *memory_allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count == 0 ? 1 : count, bytes == 0 ? 1 : bytes);
    if (memory == NULL) memory_is_short(count, bytes);
    return memory;
}

void *memory_resize(void *memory, size_t count, size_t bytes)
{
    assert(bytes > 0);
    if (count > SIZE_MAX / bytes) memory_is_short(count, bytes);
    void *resized = realloc(memory, count * bytes == 0 ? 1 : count * bytes);
    if (resized == NULL) memory_is_short(count, bytes);
    return resized;
}

char *memory_copy_text(const char *text, size_t length)
{
    assert(text != NULL || length == 0);
    char *copy = memory_allocate(length + 1, 1);
    if (length > 0) memcpy(copy, text, length);
    return copy;
}

void *memory_grow(void *items, size_t *capacity, size_t needed, size_t item_bytes)
{
    assert(capacity != NULL);
    if (needed <= *capacity) return items != NULL ? items : memory_allocate(1, item_bytes);
    size_t grown = *capacity + *capacity / 2;
    if (grown < needed) grown = needed;
    if (grown < 4) grown = 4;
    items = memory_resize(items, grown, item_bytes);
    *capacity = grown;
    return items;
}
