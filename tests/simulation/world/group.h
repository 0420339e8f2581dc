/* group.h - the consumer group of the processes, as its coordinator keeps it: sessions are
 * deadlines, a rebalance revokes everything and assigns anew. */
#ifndef BELFRY_TESTS_GROUP_H
#define BELFRY_TESTS_GROUP_H

#include <stdbool.h>
#include <stdint.h>

struct world;
struct process;

struct member { /* as the process itself believes */
    bool current; /* no rebalance is under way, as far as it knows */
    int64_t generation;
    uint32_t shards;
};

struct group {
    int64_t generation;
    bool rebalancing;
    uint64_t number; /* counts rebalances; events of an earlier one are stale */
    bool joined[4];  /* by process */
    uint64_t missed[4]; /* counts absences; an expulsion for an earlier one is stale */
    uint32_t shards[4];
};

/* The process has started, or has learnt that it was thrown out. */
void group_join(struct process *process);
void group_leave(struct process *process);
/* It cannot be heard any more; its session runs. */
void group_silent(struct process *process);
/* It can be heard again. */
void group_heard(struct process *process);
/* Whether the coordinator accepts an offset commit of this member for this shard. */
bool group_accepts(const struct process *process);

#endif
