/* run_memory.h - an owner's open runs in memory beside what the state log says of them: whenever
 * somebody has just taken a shard, and now and then. */
#ifndef BELFRY_TESTS_RUN_MEMORY_H
#define BELFRY_TESTS_RUN_MEMORY_H

#include <stdint.h>

struct process;
struct taken;

/* Kafka has taken a step of the shard's: what is in it, its owner has in memory. */
void run_memory_judge(struct process *process, int32_t shard, const struct taken *taken);

#endif
