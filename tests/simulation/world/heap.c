#include "tests/simulation/world/heap.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heap_block {
    struct heap_block *next;
    struct heap_block *previous;
    struct heap *heap;
    size_t bytes;
};
static_assert(sizeof(struct heap_block) % alignof(max_align_t) == 0, "what follows is aligned");

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void __real_free(void *memory);
void __real_abort(void) __attribute__((noreturn));
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void __wrap_free(void *memory);
void __wrap_abort(void) __attribute__((noreturn));
void __wrap___assert_fail(const char *text, const char *file, unsigned line, const char *function)
    __attribute__((noreturn));
int __wrap_fprintf(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

static struct heap *present;
static const struct heap_endings *endings;
static heap_watcher *watcher;
static void *watched;

struct heap *heap_enter(struct heap *heap)
{
    struct heap *before = present;
    present = heap;
    return before;
}

void heap_set_endings(const struct heap_endings *given)
{
    endings = given;
}

void heap_watch(heap_watcher *given, void *opaque)
{
    watcher = given;
    watched = opaque;
}

static void gone(const struct heap_block *block)
{
    const char *bytes = (const char *)(block + 1);
    if (watcher != NULL && block->heap != NULL) watcher(watched, bytes, bytes + block->bytes);
}

static void link_block(struct heap_block *block)
{
    struct heap *heap = block->heap;
    if (heap == NULL) return;
    block->previous = NULL;
    block->next = heap->first;
    if (block->next != NULL) block->next->previous = block;
    heap->first = block;
    heap->bytes += block->bytes;
    if (heap->bytes > heap->bytes_most) heap->bytes_most = heap->bytes;
}

static void unlink_block(struct heap_block *block)
{
    struct heap *heap = block->heap;
    if (heap == NULL) return;
    if (block->previous != NULL) block->previous->next = block->next;
    else heap->first = block->next;
    if (block->next != NULL) block->next->previous = block->previous;
    heap->bytes -= block->bytes;
}

static bool fails(void)
{
    if (present == NULL || present->fail_after < 0) return false;
    return present->fail_after-- == 0;
}

static void *own(struct heap_block *block, size_t bytes)
{
    if (block == NULL) return NULL;
    block->heap = present;
    block->bytes = bytes;
    link_block(block);
    return block + 1;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : own(__real_malloc(sizeof(struct heap_block) + bytes), bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    if (fails()) return NULL;
    return own(__real_calloc(1, sizeof(struct heap_block) + count * bytes), count * bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    if (memory == NULL) return __wrap_malloc(bytes);
    if (fails()) return NULL;
    struct heap_block *block = (struct heap_block *)memory - 1;
    struct heap *heap = block->heap;
    gone(block);
    unlink_block(block);
    block = __real_realloc(block, sizeof *block + bytes);
    if (block == NULL) __real_abort();
    block->heap = heap;
    block->bytes = bytes;
    link_block(block);
    return block + 1;
}

void __wrap_free(void *memory)
{
    if (memory == NULL) return;
    struct heap_block *block = (struct heap_block *)memory - 1;
    gone(block);
    unlink_block(block);
    __real_free(block);
}

void heap_free_all(struct heap *heap)
{
    while (heap->first != NULL) __wrap_free(heap->first + 1);
    assert(heap->bytes == 0);
}

/* ---- ends ---- */

void __wrap_abort(void)
{
    if (present != NULL && endings != NULL) endings->aborted();
    __real_abort();
}

void __wrap___assert_fail(const char *text, const char *file, unsigned line, const char *function)
{
    if (present != NULL && endings != NULL) endings->assertion(text, file, line);
    (void)function;
    (void)printf("%s:%u: %s: %s\n", file, line, function, text);
    __real_abort();
}

/* A simulated process has no standard error. */
int __wrap_fprintf(FILE *file, const char *format, ...)
{
    if (present != NULL) return 0;
    va_list arguments;
    va_start(arguments, format);
    int written = vfprintf(file, format, arguments);
    va_end(arguments);
    return written;
}
