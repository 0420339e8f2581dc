#include "dispatcher/jobs/alarms.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/heap.h"
#include "lib/base/memory.h"

static bool before(const void *left, const void *right)
{
    const struct alarm *a = left;
    const struct alarm *b = right;
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->ordinal < b->ordinal;
}

static const struct heap_kind kind = {.item_bytes = sizeof(struct alarm), .before = before};

void alarms_clear(struct alarms *alarms)
{
    free(alarms->heap);
    *alarms = (struct alarms){0};
}

void alarms_add(struct alarms *alarms, struct alarm alarm)
{
    alarms->heap =
        memory_grow(alarms->heap, &alarms->capacity, alarms->count + 1, sizeof *alarms->heap);
    alarms->heap[alarms->count] = alarm;
    heap_rise(&kind, alarms->heap, alarms->count++);
}

const struct alarm *alarms_first(const struct alarms *alarms)
{
    return alarms->count == 0 ? NULL : &alarms->heap[0];
}

struct alarm alarms_take(struct alarms *alarms)
{
    assert(alarms->count > 0);
    struct alarm taken = alarms->heap[0];
    alarms->heap[0] = alarms->heap[--alarms->count];
    if (alarms->count > 0) heap_sink(&kind, alarms->heap, alarms->count, 0);
    return taken;
}

void alarms_keep(struct alarms *alarms, bool (*is_kept)(void *opaque, const struct alarm *alarm),
                 void *opaque)
{
    size_t kept = 0;
    for (size_t i = 0; i < alarms->count; i++)
        if (is_kept(opaque, &alarms->heap[i])) alarms->heap[kept++] = alarms->heap[i];
    alarms->count = kept;
    for (size_t i = kept / 2; i-- > 0;) heap_sink(&kind, alarms->heap, kept, i);
    if (kept >= alarms->capacity / 4) return;
    size_t capacity = kept + kept / 2 + 1;
    alarms->heap = memory_resize(alarms->heap, capacity, sizeof *alarms->heap);
    alarms->capacity = capacity;
}
