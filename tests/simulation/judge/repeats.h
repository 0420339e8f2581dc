/* repeats.h - judges what a producer puts out again, after a try whose outcome was not known: time
 * must not pass a command that came while the process could not hear of it. */
#ifndef BELFRY_TESTS_REPEATS_H
#define BELFRY_TESTS_REPEATS_H

#include "tests/simulation/world/cluster.h"

struct seat;

void repeats_opened(struct seat *seat);
void repeats_judge(struct seat *seat, const struct record *record);

#endif
