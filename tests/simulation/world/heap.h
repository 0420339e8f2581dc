/* heap.h - the memory of simulated processes. The linker sends malloc and its kin here (--wrap), so
 * that each block knows whose it is: a process that is killed loses its memory at once, one that
 * grows without bound is seen, and an allocation can be made to fail. */
#ifndef BELFRY_TESTS_HEAP_H
#define BELFRY_TESTS_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_block;

struct heap {
    struct heap_block *first;
    size_t bytes;
    size_t bytes_most;
    int64_t fail_after; /* that many allocations from now the next one fails; < 0: none does */
};

/* Whose memory is allocated from now on; NULL: the simulator's. Returns the one before. */
struct heap *heap_enter(struct heap *heap);
/* All that the process had. */
void heap_free_all(struct heap *heap);

/* Told of all memory that is freed, or moved away from, while it is set; NULL: nobody is. */
typedef void heap_watcher(void *opaque, const char *from, const char *to);
void heap_watch(heap_watcher *watcher, void *opaque);

/* abort() and failed assertions of the code under test come here. Never return. */
struct heap_endings {
    void (*aborted)(void);
    void (*assertion)(const char *text, const char *file, unsigned line);
};
void heap_set_endings(const struct heap_endings *endings);

#endif
