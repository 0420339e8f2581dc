/* simulation.h - one seed from its first command to its end at rest, and what is wrong with it. */
#ifndef BELFRY_TESTS_SIMULATION_H
#define BELFRY_TESTS_SIMULATION_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/simulation/plan/plan.h"

struct verdict {
    uint64_t hash; /* of everything that was committed, and when */
    double hours;
    int64_t faults;
    int64_t fires;
    int64_t memory_most;
    struct sometimes sometimes;
    int violation_count;
    char violations[VIOLATIONS_MAX][VIOLATION_BYTES];
};

/* Plays the plan to its end, lets the cluster come to rest without faults, judges. */
void simulate(const struct plan *plan, bool verbose, struct verdict *verdict);

/* Leaves events out as long as the plan still fails in the same way. */
void shrink(struct plan *plan, const struct verdict *verdict, bool talk);

#endif
