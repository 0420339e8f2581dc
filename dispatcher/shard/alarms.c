#include "dispatcher/shard/alarms.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/memory.h"

static bool before(const struct alarm *a, const struct alarm *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->ordinal < b->ordinal;
}

void alarms_clear(struct alarms *alarms)
{
    free(alarms->heap);
    *alarms = (struct alarms){0};
}

void alarms_add(struct alarms *alarms, struct alarm alarm)
{
    alarms->heap =
        memory_grow(alarms->heap, &alarms->capacity, alarms->count + 1, sizeof *alarms->heap);
    size_t at = alarms->count++;
    while (at > 0 && before(&alarm, &alarms->heap[(at - 1) / 2])) {
        alarms->heap[at] = alarms->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    alarms->heap[at] = alarm;
}

const struct alarm *alarms_first(const struct alarms *alarms)
{
    return alarms->count == 0 ? NULL : &alarms->heap[0];
}

/* Puts the alarm into the heap below the place, which is free. */
static void sink_from(struct alarms *alarms, size_t at, struct alarm alarm)
{
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= alarms->count) break;
        if (child + 1 < alarms->count && before(&alarms->heap[child + 1], &alarms->heap[child]))
            child++;
        if (!before(&alarms->heap[child], &alarm)) break;
        alarms->heap[at] = alarms->heap[child];
        at = child;
    }
    alarms->heap[at] = alarm;
}

struct alarm alarms_take(struct alarms *alarms)
{
    assert(alarms->count > 0);
    struct alarm taken = alarms->heap[0];
    struct alarm last = alarms->heap[--alarms->count];
    if (alarms->count > 0) sink_from(alarms, 0, last);
    return taken;
}

void alarms_keep(struct alarms *alarms, bool (*is_kept)(void *opaque, const struct alarm *alarm),
                 void *opaque)
{
    size_t kept = 0;
    for (size_t i = 0; i < alarms->count; i++)
        if (is_kept(opaque, &alarms->heap[i])) alarms->heap[kept++] = alarms->heap[i];
    alarms->count = kept;
    for (size_t i = kept / 2; i-- > 0;) sink_from(alarms, i, alarms->heap[i]);
    if (kept >= alarms->capacity / 4) return;
    size_t capacity = kept + kept / 2 + 1;
    alarms->heap = memory_resize(alarms->heap, capacity, sizeof *alarms->heap);
    alarms->capacity = capacity;
}
