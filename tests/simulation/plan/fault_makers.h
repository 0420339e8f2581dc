/* fault_makers.h - shared by faults.c and faults_redis.c: each puts one kind of fault in a plan. */
#ifndef BELFRY_SIMULATION_FAULT_MAKERS_H
#define BELFRY_SIMULATION_FAULT_MAKERS_H

#include "tests/simulation/plan/plan.h"

typedef void fault_maker(struct plan *plan, struct random *dice, int64_t at_us);

static inline int64_t some_process(const struct plan *plan, struct random *dice)
{
    return random_between(dice, 0, plan->settings.processes - 1);
}

static inline int64_t some_shard(const struct plan *plan, struct random *dice)
{
    return random_between(dice, 0, plan->settings.shards - 1);
}

/* Short ones often, long ones now and then. */
static inline int64_t some_ms(struct random *dice, int64_t most_ms)
{
    int64_t ms = random_between(dice, 1, most_ms);
    return random_chance(dice, 2, 3) ? 1 + ms / 20 : ms;
}

fault_maker fault_redis_away;
fault_maker fault_redis_slow;
fault_maker fault_redis_flush;
fault_maker fault_redis_rollback;
fault_maker fault_redis_lost;
fault_maker fault_redis_flaky;
fault_maker fault_redis_damage;

/* faults_refused.c: what Kafka or a configuration refuses. */
void fault_bulky(struct plan *plan, struct random *dice, int64_t at_us);
void fault_own_limit(struct plan *plan, struct random *dice, int64_t at_us);
void fault_strict(struct plan *plan, struct random *dice, int64_t at_us);
void fault_denied_topic(struct plan *plan, struct random *dice, int64_t at_us);

#endif
