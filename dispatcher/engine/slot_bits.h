/* slot_bits.h - a set of slots of the job table, one bit for each. It starts as {0} and grows. */
#ifndef BELFRY_SLOT_BITS_H
#define BELFRY_SLOT_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slot_bits {
    uint64_t *words; /* free() them */
    size_t count;
    size_t set; /* how many slots are in it */
};

void slot_bits_set(struct slot_bits *bits, uint32_t slot);
/* Takes the slot out; false: it was not in. */
bool slot_bits_take(struct slot_bits *bits, uint32_t slot);
/* The first slot at or after `from`; false: none. */
bool slot_bits_next(const struct slot_bits *bits, uint32_t from, uint32_t *slot);
void slot_bits_clear(struct slot_bits *bits);
/* Moves all slots of `from` to `into`. */
void slot_bits_merge(struct slot_bits *into, struct slot_bits *from);

#endif
