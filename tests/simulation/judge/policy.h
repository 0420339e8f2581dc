/* policy.h - what the catch-up policy may drop and fire, judged slot by slot: which slots an event
 * names, why, and which of them is fired in their place. */
#ifndef BELFRY_TESTS_POLICY_H
#define BELFRY_TESTS_POLICY_H

#include "tests/simulation/judge/model.h"
#include "tests/simulation/world/world.h"

/* An event `missed`. known_ms: up to where slots had come due when it was decided. */
void policy_judge_missed(struct world *world, struct life *life, const struct output *event,
                         int64_t known_ms);
/* A fire of a slot, as the life is before it. */
void policy_judge_fire(struct world *world, int32_t shard, const struct life *life,
                       const struct output *fire);

#endif
