/* loans.h - the values a producer has borrowed: it reads them again whenever it likes until its
 * transaction has ended or it is closed, so they must be there and be the same until then. */
#ifndef BELFRY_TESTS_LOANS_H
#define BELFRY_TESTS_LOANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"

struct world;

struct loan {
    struct text value;
    uint64_t sum;
};

struct loans { /* of one producer; zero: none */
    struct loans *next;
    struct world *world;
    struct loan *items; /* the simulator's memory */
    size_t count;
    size_t capacity;
};

void loans_add(struct loans *loans, struct world *world, struct text value);
/* They are read a last time, a violation where one has been changed since, and given back. True. */
bool loans_over(struct loans *loans);
void loans_free(struct loans *loans);

#endif
