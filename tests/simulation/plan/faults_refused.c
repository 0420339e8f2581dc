/* What Kafka refuses: commands at the bounds of what is allowed, topics that take no record, and
 * configurations that change between two lives of a process. */
#include <stdio.h>

#include "lib/base/limits.h"
#include "tests/simulation/plan/fault_makers.h"
#include "tests/simulation/plan/plan.h"
#include "tests/simulation/world/slots.h"

enum { JSON_BYTES = 32 * 1024 };

/* Commands with all that comes with a record, at its bounds and beyond. */
void fault_bulky(struct plan *plan, struct random *dice, int64_t at_us)
{
    static const int64_t keys[] = {0, 200, RECORD_KEY_BYTES_MAX, RECORD_KEY_BYTES_MAX + 1, 100000};
    static const int64_t each[] = {10, 1000, RECORD_HEADERS_BYTES_MAX / 64 - 1,
                                   RECORD_HEADERS_BYTES_MAX / 64};
    char json[JSON_BYTES];
    for (int64_t i = random_between(dice, 1, 4); i > 0; i--) {
        int32_t shard = 0;
        int64_t then_us = at_us + i * random_between(dice, 1, 500) * MILLI_US;
        workload_command(dice, plan, plan->settings.start_ms + then_us / MILLI_US, json,
                         sizeof json, &shard);
        plan_add(plan, then_us, DO_BULKY, shard, keys[random_between(dice, 0, 4)],
                 random_chance(dice, 1, 2) ? 0 : 64, each[random_between(dice, 0, 3)], json);
    }
}

/* One of our own topics takes no large records for a while, and such come. */
void fault_own_limit(struct plan *plan, struct random *dice, int64_t at_us)
{
    static const enum broker_topic topics[] = {TOPIC_RESULTS, TOPIC_DEAD, TOPIC_FORWARD,
                                               TOPIC_FORWARD};
    int64_t topic = topics[random_between(dice, 0, 3)];
    plan_add(plan, at_us, DO_OWN_LIMIT, topic, random_between(dice, 1500, 5000),
             random_between(dice, 0, 1), 0, NULL);
    for (int64_t i = random_between(dice, 1, 4); i > 0; i--)
        fault_bulky(plan, dice, at_us + random_between(dice, 0, 20) * MINUTE_US);
    plan_add(plan, at_us + random_between(dice, 20, 60) * MINUTE_US, DO_OWN_LIMIT, topic, 0, 0, 0,
             NULL);
}

/* Another configuration, one process after the other; perhaps it is taken back. */
void fault_strict(struct plan *plan, struct random *dice, int64_t at_us)
{
    for (int32_t p = 0; p < plan->settings.processes; p++) {
        int64_t low = random_chance(dice, 1, 2);
        plan_add(plan, at_us, DO_STRICT, p, low, 0, 0, NULL);
        plan_add(plan, at_us, DO_CRASH, p, random_between(dice, 0, POINT_COUNT - 1),
                 random_between(dice, 1, 6), 0, NULL);
        if (low)
            plan_add(plan, at_us + random_between(dice, 1, 60) * MINUTE_US, DO_STRICT, p, 0, 0, 0,
                     NULL);
    }
    /* A command that takes several transactions is under way when they end. */
    plan_add(plan, at_us + random_between(dice, 0, 3000) * MILLI_US, DO_COMMAND,
             random_between(dice, 0, plan->settings.shards - 1), 0, 0, 0,
             "{\"op\":\"update\",\"select\":{\"all\":true},\"reason\":\"of a length that a strict "
             "configuration does not take\",\"set\":{\"payload\":77}}");
}

/* A topic of others denies everything while jobs fire to it and replies are wanted there. */
void fault_denied_topic(struct plan *plan, struct random *dice, int64_t at_us)
{
    char json[JSON_BYTES];
    int group = (int)random_between(dice, 0, 5);
    int64_t topic = random_between(dice, 0, FOREIGN_TOPICS - 1);
    const char *name = foreign_topic_name((int32_t)topic);
    char group_name[24];
    (void)snprintf(group_name, sizeof group_name, "g%d", group);
    int32_t shard = slow_shard_of(group_name, plan->settings.shards);
    int length = snprintf(json, sizeof json, "{\"op\":\"put\",\"jobs\":[");
    for (int i = 0; i < 6; i++)
        length += snprintf(json + length, sizeof json - (size_t)length,
                           "%s{\"group\":\"g%d\",\"id\":\"to-%d\",\"schedule\":{\"cron\":"
                           "\"*/%d * * * *\"},\"topic\":\"%s\",\"catchup\":{\"policy\":\"all\"}}",
                           i == 0 ? "" : ",", group, i, 7 + i, name);
    (void)snprintf(json + length, sizeof json - (size_t)length, "]}");
    plan_add(plan, at_us - MINUTE_US, DO_COMMAND, shard, 0, 0, 0, json);
    plan_add(plan, at_us, DO_FOREIGN, topic, FOREIGN_DENIED, 0, 0, NULL);
    for (int64_t i = random_between(dice, 2, 8); i > 0; i--) {
        (void)snprintf(json, sizeof json, "{\"op\":\"ping\",\"reply_to\":\"%s\"}", name);
        plan_add(plan, at_us + random_between(dice, 0, 30) * MINUTE_US, DO_COMMAND, shard, 0, 0, 0,
                 json);
    }
    plan_add(plan, at_us + random_between(dice, 30, 60) * MINUTE_US, DO_FOREIGN, topic,
             FOREIGN_GOOD, 0, 0, NULL);
    (void)snprintf(json, sizeof json, "{\"op\":\"delete\",\"select\":{\"groups\":[\"g%d\"],"
                   "\"ids\":[\"to-0\",\"to-1\",\"to-2\",\"to-3\",\"to-4\",\"to-5\"]}}", group);
    plan_add(plan, at_us + random_between(dice, 60, 120) * MINUTE_US, DO_COMMAND, shard, 0, 0, 0,
             json);
}
