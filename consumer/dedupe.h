/* dedupe.h - a bounded window over the newest fire ids, to filter what is delivered again. */
#ifndef BELFRY_CONSUMER_DEDUPE_H
#define BELFRY_CONSUMER_DEDUPE_H

#include "consumer/consumer.h"
#include "lib/base/hash.h"

#pragma GCC visibility push(hidden)

/* A ring of the newest `capacity` ids and an open-addressing table over it: 24 to 32 bytes an id,
 * all allocated at the start. Not thread-safe. */
struct belfry_dedupe;

/*   capacity  1 to BELFRY_DEDUPE_MAX
 *   returns   the window, to be ended with belfry_dedupe_destroy(); NULL: memory, or no entropy */
struct belfry_dedupe *belfry_dedupe_create(uint32_t capacity, struct belfry_error *error);
void belfry_dedupe_destroy(struct belfry_dedupe *window);

enum { BELFRY_DEDUPE_MAX = 100000000 };

/* A fire id as 128 bits of SipHash-2-4 under a random key of the process: two of 100,000 ids are
 * equal by accident once in 10^28 windows, and nobody can make them so. */
struct hash_128 belfry_dedupe_hash(const struct belfry_dedupe *window, const void *bytes,
                                   size_t length);

/* Remembers the id, forgetting the oldest when full. A known id keeps its place.
 *   returns  true: it was not known. Cannot fail. */
bool belfry_dedupe_add(struct belfry_dedupe *window, struct hash_128 hash);

bool belfry_dedupe_knows(const struct belfry_dedupe *window, struct hash_128 hash);

#pragma GCC visibility pop

#endif
