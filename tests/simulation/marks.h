/* marks.h - the marks of a shard, one after the other: they go on by one and never back, and never
 * past what could have been read. */
#ifndef BELFRY_TESTS_MARKS_H
#define BELFRY_TESTS_MARKS_H

#include "tests/simulation/world.h"

enum { UNSEEN_MS = 2500 }; /* within such a time a shard knows of what is there to be read */

void marks_judge(struct world *world, int32_t shard);
/* Whether some process could not hear Kafka between the two. */
bool marks_cut_off(const struct world *world, int64_t from_ms, int64_t to_ms);

#endif
