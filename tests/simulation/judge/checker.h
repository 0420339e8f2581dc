/* checker.h - judges what a cluster has committed by a second, slow method: a fold of the commands
 * as clients sent them, and for each job a list of its slots, walked one by one. It shares no
 * code with the core. */
#ifndef BELFRY_TESTS_CHECKER_H
#define BELFRY_TESTS_CHECKER_H

#include "tests/simulation/world/world.h"

/* Everything that was committed, after the cluster has come to rest. Adds violations. */
void checker_judge(struct world *world);

/* rest.c: memory, Redis and the state log agree, every shard has one owner, nothing is left to
 * be done. */
void rest_judge(struct world *world);
/* How long the backfills under way may take at their rates. */
int64_t rest_backfills_ms(struct world *world);
/* How long the lane may take for what is owed: slots that come due meanwhile do not lengthen it. */
int64_t rest_owed_ms(struct world *world);
/* Whether everything that faults have left behind is worked off. */
bool rest_caught_up(struct world *world);
/* And whether nothing is under way at this very moment. */
bool rest_reached(struct world *world);
/* Whether the owner stands between two steps at what Redis has just got of it, whole; then Redis
 * and memory agree but for counters. */
bool rest_judge_written(const struct seat *seat, const struct snapshot *snapshot);
/* An owner has written a Redis anew, which it expected at this sequence. Whatever got lost or came
 * late: not where Redis holds a position of this owner, and nobody else has touched it since. */
void rest_judge_gap(const struct process *process, int32_t shard, int64_t expected_sequence);

#endif
