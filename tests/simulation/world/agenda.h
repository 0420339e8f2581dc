/* agenda.h - what is to happen at which virtual time; at one time, in the order of asking. */
#ifndef BELFRY_TESTS_AGENDA_H
#define BELFRY_TESTS_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void agenda_call(void *object, int64_t number);

struct agenda_entry {
    int64_t at_us;
    uint64_t order;
    agenda_call *call;
    void *object;
    int64_t number;
};

struct agenda {
    struct agenda_entry *heap;
    size_t count;
    size_t capacity;
    uint64_t order;
};

void agenda_clear(struct agenda *agenda); /* frees */
void agenda_add(struct agenda *agenda, int64_t at_us, agenda_call *call, void *object,
                int64_t number);
/* Takes the earliest out; false: nothing is to come. */
bool agenda_take(struct agenda *agenda, struct agenda_entry *entry);

#endif
