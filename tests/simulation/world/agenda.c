#include "tests/simulation/world/agenda.h"

#include <stdlib.h>

#include "lib/base/memory.h"

void agenda_clear(struct agenda *agenda)
{
    free(agenda->heap);
    *agenda = (struct agenda){0};
}

static bool before(const struct agenda_entry *a, const struct agenda_entry *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void agenda_add(struct agenda *agenda, int64_t at_us, agenda_call *call, void *object,
                int64_t number)
{
    agenda->heap = memory_grow(agenda->heap, &agenda->capacity, agenda->count + 1,
                               sizeof *agenda->heap);
    struct agenda_entry entry = {at_us, agenda->order++, call, object, number};
    size_t at = agenda->count++;
    while (at > 0 && before(&entry, &agenda->heap[(at - 1) / 2])) {
        agenda->heap[at] = agenda->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    agenda->heap[at] = entry;
}

bool agenda_take(struct agenda *agenda, struct agenda_entry *entry)
{
    if (agenda->count == 0) return false;
    *entry = agenda->heap[0];
    struct agenda_entry last = agenda->heap[--agenda->count];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= agenda->count) break;
        if (child + 1 < agenda->count && before(&agenda->heap[child + 1], &agenda->heap[child]))
            child++;
        if (!before(&agenda->heap[child], &last)) break;
        agenda->heap[at] = agenda->heap[child];
        at = child;
    }
    agenda->heap[at] = last;
    return true;
}
