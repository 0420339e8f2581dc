#include "tests/simulation/world/agenda.h"

#include <stdlib.h>

#include "lib/base/heap.h"
#include "lib/base/memory.h"

void agenda_clear(struct agenda *agenda)
{
    free(agenda->heap);
    *agenda = (struct agenda){0};
}

static bool before(const void *left, const void *right)
{
    const struct agenda_entry *a = left;
    const struct agenda_entry *b = right;
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static const struct heap_kind kind = {.item_bytes = sizeof(struct agenda_entry), .before = before};

void agenda_add(struct agenda *agenda, int64_t at_us, agenda_call *call, void *object,
                int64_t number)
{
    agenda->heap = memory_grow(agenda->heap, &agenda->capacity, agenda->count + 1,
                               sizeof *agenda->heap);
    agenda->heap[agenda->count] =
        (struct agenda_entry){at_us, agenda->order++, call, object, number};
    heap_rise(&kind, agenda->heap, agenda->count++);
}

bool agenda_take(struct agenda *agenda, struct agenda_entry *entry)
{
    if (agenda->count == 0) return false;
    *entry = agenda->heap[0];
    agenda->heap[0] = agenda->heap[--agenda->count];
    if (agenda->count > 0) heap_sink(&kind, agenda->heap, agenda->count, 0);
    return true;
}
