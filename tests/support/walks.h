/* walks.h - what tests of random walks share. */
#ifndef BELFRY_TESTS_WALKS_H
#define BELFRY_TESTS_WALKS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* How many walks a test takes: a tenth of them under Valgrind, which is thirty times slower, and
 * under ThreadSanitizer, as they have one thread. AddressSanitizer sees them all. */
static inline uint64_t walks_of(uint64_t all)
{
    const char *sanitize = getenv("BELFRY_SANITIZE");
    bool is_few = getenv("BELFRY_VALGRIND") != NULL ||
                  (sanitize != NULL && strcmp(sanitize, "thread") == 0);
    return is_few ? all / 10 : all;
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
