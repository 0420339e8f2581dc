/* walks.h - what tests of random walks share. */
#ifndef BELFRY_TESTS_WALKS_H
#define BELFRY_TESTS_WALKS_H

#include <stdint.h>
#include <stdlib.h>

/* How many walks a test takes. Under Valgrind, which is thirty times slower, a tenth of them: the
 * sanitizers see them all. */
static inline uint64_t walks_of(uint64_t all)
{
    return getenv("BELFRY_VALGRIND") == NULL ? all : all / 10;
}

/* The next number of a walk, less than `below`; *random is its seed at first, and never 0. */
static inline uint64_t walk_draw(uint64_t *random, uint64_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random % below;
}

#endif
