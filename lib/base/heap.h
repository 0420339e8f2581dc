/* heap.h - a binary heap in an array of the caller's, who adds at its end, takes from its front and
 * then says which item is to find its place. Here, so that compilers see the order of each kind. */
#ifndef BELFRY_BASE_HEAP_H
#define BELFRY_BASE_HEAP_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { HEAP_ITEM_BYTES_MAX = 64 };

struct heap_kind {
    size_t item_bytes; /* at most HEAP_ITEM_BYTES_MAX */
    bool (*before)(const void *left, const void *right);
    void (*placed)(const void *item, size_t at); /* told where an item is now; NULL: need not be */
};

static inline void *heap_at(const struct heap_kind *kind, void *items, size_t at)
{
    return (char *)items + at * kind->item_bytes;
}

static inline bool heap_before(const struct heap_kind *kind, void *items, size_t left, size_t right)
{
    return kind->before(heap_at(kind, items, left), heap_at(kind, items, right));
}

static inline void heap_placed(const struct heap_kind *kind, void *items, size_t at)
{
    if (kind->placed != NULL) kind->placed(heap_at(kind, items, at), at);
}

/* The item at `at` goes on to `to`; the one there comes to its place. */
static inline void heap_swap(const struct heap_kind *kind, void *items, size_t at, size_t to)
{
    char held[HEAP_ITEM_BYTES_MAX];
    assert(kind->item_bytes <= sizeof held);
    memcpy(held, heap_at(kind, items, at), kind->item_bytes);
    memcpy(heap_at(kind, items, at), heap_at(kind, items, to), kind->item_bytes);
    memcpy(heap_at(kind, items, to), held, kind->item_bytes);
    heap_placed(kind, items, at);
}

/* Moves the item towards the front until the one above it is not behind it. */
static inline void heap_rise(const struct heap_kind *kind, void *items, size_t at)
{
    while (at > 0 && heap_before(kind, items, at, (at - 1) / 2)) {
        heap_swap(kind, items, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
    heap_placed(kind, items, at);
}

/* Moves the item away from the front until none below it is before it. */
static inline void heap_sink(const struct heap_kind *kind, void *items, size_t count, size_t at)
{
    assert(at < count);
    for (size_t child = at * 2 + 1; child < count; child = at * 2 + 1) {
        if (child + 1 < count && heap_before(kind, items, child + 1, child)) child++;
        if (!heap_before(kind, items, child, at)) break;
        heap_swap(kind, items, at, child);
        at = child;
    }
    heap_placed(kind, items, at);
}

#endif
