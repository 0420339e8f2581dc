/* What happens to Redis: away, slow, emptied, rolled back; calls, answers, single keys lost. */
#include "tests/simulation/plan/fault_makers.h"
#include "tests/simulation/plan/plan.h"

void fault_redis_away(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_REDIS_AWAY, some_ms(dice, 1800000), 0, 0, 0, NULL);
}

void fault_redis_slow(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_REDIS_SLOW, some_ms(dice, 600000), 0, 0, 0, NULL);
}

void fault_redis_flush(struct plan *plan, struct random *dice, int64_t at_us)
{
    (void)dice;
    plan_add(plan, at_us, DO_REDIS_FLUSH, 0, 0, 0, 0, NULL);
}

void fault_redis_rollback(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_REDIS_SAVE, 0, 0, 0, 0, NULL);
    plan_add(plan, at_us + some_ms(dice, 4 * 3600000) * MILLI_US, DO_REDIS_ROLLBACK, 0, 0, 0, 0,
             NULL);
}

void fault_redis_lost(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_REDIS_LOST, random_between(dice, 0, 1), random_between(dice, 1, 4),
             0, 0, NULL);
}

/* Each so many-th call or answer gets lost, for long, while all is to be written anew. */
void fault_redis_flaky(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_REDIS_FLAKY, random_between(dice, 2, 8),
             random_between(dice, 60000, 1800000), 0, 0, NULL);
    if (random_chance(dice, 2, 3)) plan_add(plan, at_us, DO_REDIS_FLUSH, 0, 0, 0, 0, NULL);
    if (random_chance(dice, 1, 3))
        plan_add(plan, at_us + random_between(dice, 1, 30) * SECOND_US, DO_CRASH,
                 some_process(plan, dice), POINT_NONE, 1, 0, NULL);
}

/* Single keys go, as where Redis evicts: of the jobs or of the remembered command ids; one, some or
 * all. Often the owners die then: who comes next finds it so. */
void fault_redis_damage(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t every = random_chance(dice, 1, 3) ? 1000000 : random_between(dice, 1, 4);
    int64_t first = every == 1 ? 0 : random_between(dice, 0, 5);
    int64_t seen = random_between(dice, 0, 1);
    for (int32_t shard = 0; shard < plan->settings.shards; shard++)
        plan_add(plan, at_us, DO_REDIS_DAMAGE, shard, seen, first, every, NULL);
    if (random_chance(dice, 2, 3))
        for (int32_t p = 0; p < plan->settings.processes; p++)
            plan_add(plan, at_us + random_between(dice, 0, 2) * MILLI_US, DO_CRASH, p, POINT_NONE,
                     1, 0, NULL);
}
