#include "dispatcher/daemon/group_rest.h"

#include <assert.h>

#include "dispatcher/engine/step_aside.h"

#define ASK_AGAIN_US INT64_C(10000000)

/* Asked at most now and then. -1: not known. */
static int32_t members(struct group_rest *rest, int64_t now_us)
{
    struct error ignored = {0};
    int32_t count = 0;
    if (now_us < rest->ask_us) return -1;
    bool known = kafka_cluster_members(rest->kafka, &count, &ignored);
    rest->ask_us = rest->clock->monotonic_us(rest->clock->opaque) + ASK_AGAIN_US;
    return known ? count : -1;
}

static void step_aside(struct group_rest *rest, int64_t now_us)
{
    observe(rest->observer, OBSERVED_GROUP_STEPPED_ASIDE, -1,
            &(struct observed){.for_ms = STEP_ASIDE_FOR_US / 1000,
                               .message = "most shards of this daemon have stopped, and there are "
                                          "others: they are left to them"});
    kafka_cluster_rest(rest->kafka);
    shard_fleet_give_up(rest->fleet);
    rest->away = true;
    rest->until_us = now_us + STEP_ASIDE_FOR_US;
}

bool group_rest_tend(struct group_rest *rest, struct error *error)
{
    assert(rest != NULL && rest->kafka != NULL);
    int64_t now_us = rest->clock->monotonic_us(rest->clock->opaque);
    if (!rest->away) {
        if (shard_fleet_unwell(rest->fleet) && members(rest, now_us) > 1) step_aside(rest, now_us);
        return true;
    }
    if (now_us < rest->until_us && members(rest, now_us) != 0) return true;
    if (!kafka_cluster_join(rest->kafka, error)) return false;
    observe(rest->observer, OBSERVED_GROUP_BACK, -1, NULL);
    rest->away = false;
    return true;
}
