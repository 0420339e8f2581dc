/* memory.h - allocation that cannot fail: when memory is short the process ends with a message.
 * The daemon may do that at any instruction and loses nothing: it restarts from the last mark.
 * The consumer library never uses this header. */
#ifndef BELFRY_BASE_MEMORY_H
#define BELFRY_BASE_MEMORY_H

#include <stddef.h>

/* Zeroed memory for count items of `bytes` each; free() it. Never NULL, also for zero bytes. */
void *memory_allocate(size_t count, size_t bytes) __attribute__((malloc, returns_nonnull));

/* As realloc(), for count items; the new part is not zeroed. */
void *memory_resize(void *memory, size_t count, size_t bytes) __attribute__((returns_nonnull));

/* A terminated copy of the first `length` bytes of text; free() it. */
char *memory_copy_text(const char *text, size_t length) __attribute__((malloc, returns_nonnull));

/* Grows an array for at least `needed` items, by half at a time; updates *capacity. */
void *memory_grow(void *items, size_t *capacity, size_t needed, size_t item_bytes)
    __attribute__((returns_nonnull));

#endif
