/* offsets.h - which offsets of one partition may be committed while records finish out of order. */
#ifndef BELFRY_CONSUMER_OFFSETS_H
#define BELFRY_CONSUMER_OFFSETS_H

#include "consumer/consumer.h"

#pragma GCC visibility push(hidden)

enum { BELFRY_OFFSET_NONE = -1 };

/* The records read and not yet covered by the commit position, in order. Zero-initialise. */
struct belfry_offset_entry {
    int64_t offset;
    bool finished;
};

struct belfry_offsets {
    struct belfry_offset_entry *entries; /* a ring of `capacity`, a power of two */
    uint32_t capacity;
    uint32_t head;
    uint32_t count;
};

/* Frees what is inside. */
void belfry_offsets_clear(struct belfry_offsets *offsets);

/* A record was read. Offsets only grow (a smaller one is a rewind: it and what follows come again).
 *   returns  false: memory is short, nothing has changed */
bool belfry_offsets_begin(struct belfry_offsets *offsets, int64_t offset);

/* A record is finished; an unknown offset is passed over.
 *   returns  the position to commit (the next offset to read), BELFRY_OFFSET_NONE: as before */
int64_t belfry_offsets_finish(struct belfry_offsets *offsets, int64_t offset);

#pragma GCC visibility pop

#endif
