/* marks.h - judges what a shard's marks say: steps follow each other, one owner at a time, time and
 * offsets never go back, and time does not pass a command that is there to be read. */
#ifndef BELFRY_TESTS_MARKS_H
#define BELFRY_TESTS_MARKS_H

#include <stdbool.h>
#include <stdint.h>

struct world;

enum { UNSEEN_MS = 2500 }; /* a command may be there for so long and not be seen */

void marks_judge(struct world *world, int32_t shard);
/* Whether some process could not hear Kafka then; whether some transaction was open for long. */
bool marks_cut_off(const struct world *world, int64_t from_ms, int64_t to_ms);
bool marks_held(const struct world *world, int64_t from_ms, int64_t to_ms);

#endif
