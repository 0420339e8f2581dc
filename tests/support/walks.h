/* walks.h - how many random walks a test takes. Under Valgrind, which is thirty times slower, a
 * tenth of them: the sanitizers see them all. */
#ifndef BELFRY_TESTS_WALKS_H
#define BELFRY_TESTS_WALKS_H

#include <stdint.h>
#include <stdlib.h>

static inline uint64_t walks_of(uint64_t all)
{
    return getenv("BELFRY_VALGRIND") == NULL ? all : all / 10;
}

#endif
