/* tallies.h - judges what a shard says it has counted of a transaction: it is in Kafka's logs, they
 * hold as much as was counted, and it is counted once; and none is left out. */
#ifndef BELFRY_TESTS_TALLIES_H
#define BELFRY_TESTS_TALLIES_H

#include <stdint.h>

struct engine;
struct process;
struct taken;
struct world;

void tallies_judge(struct process *process, int32_t shard, const struct taken *taken);
/* What is counted of the shard's jobs is what a walk over them finds. */
void tallies_judge_jobs(struct world *world, const struct engine *engine);

#endif
