/* What goes wrong in a seed: kinds of faults in random subsets, and by name the sequences that
 * the protocol's odd-looking rules answer. */
#include <stdio.h>

#include "tests/simulation/plan/fault_makers.h"
#include "tests/simulation/plan/plan.h"
#include "tests/simulation/world/slots.h"

enum { JSON_BYTES = 32 * 1024 };

/* ---- single faults ---- */

static void crash(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_CRASH, some_process(plan, dice),
             random_between(dice, 0, POINT_COUNT - 1), random_between(dice, 1, 6), 0, NULL);
}

static void freeze(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_FREEZE, some_process(plan, dice), some_ms(dice, 120000), 0, 0, NULL);
}

static void freeze_at(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_FREEZE_AT, some_process(plan, dice),
             random_between(dice, 1, POINT_COUNT - 1), random_between(dice, 1, 6),
             random_between(dice, 500, 60000), NULL);
}

static void cut_off(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_CUT_OFF, some_process(plan, dice), some_ms(dice, 180000), 0, 0,
             NULL);
}

static void kafka_down(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_KAFKA_DOWN, some_ms(dice, 600000), 0, 0, 0, NULL);
}

static void leave(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_LEAVE, some_process(plan, dice), 0, 0, 0, NULL);
}

static void clock_step(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t process = some_process(plan, dice);
    int64_t by_ms = random_between(dice, -600000, 600000);
    if (random_chance(dice, 2, 3)) by_ms /= 20;
    plan_add(plan, at_us, DO_CLOCK_STEP, process, by_ms, 0, 0, NULL);
    int64_t right_us = at_us + random_between(dice, 1, 120) * MINUTE_US;
    plan_add(plan, right_us, DO_CLOCK_STEP, process, -by_ms, 0, 0, NULL);
    struct random own = random_from(plan->seed, (uint64_t)at_us);
    if (random_chance(&own, 1, 2)) /* begins anew by it: no shard has moved there yet */
        plan_add(plan, at_us + (right_us - at_us) / random_between(&own, 5, 20), DO_CRASH, process,
                 POINT_NONE, 1, 0, NULL);
}

/* In a long seed somebody sets the clock right after a day or so. */
static void clock_drift(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t process = some_process(plan, dice);
    int64_t ppm = random_between(dice, -200, 200);
    plan_add(plan, at_us, DO_CLOCK_DRIFT, process, ppm, 0, 0, NULL);
    if (plan->settings.hours <= 48) return;
    int64_t hours = random_between(dice, 1, 48);
    int64_t end_us = at_us + hours * HOUR_US;
    plan_add(plan, end_us, DO_CLOCK_DRIFT, process, 0, 0, 0, NULL);
    plan_add(plan, end_us, DO_CLOCK_STEP, process, -(ppm * hours * 3600 / 1000), 0, 0, NULL);
}

static void no_memory(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NO_MEMORY, some_process(plan, dice), random_between(dice, 0, 400), 0,
             0, NULL);
}

static void bad_commit(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t fate = random_between(dice, COMMIT_ABORTABLE, COMMIT_FATE_COUNT - 1);
    int64_t ms = fate == COMMIT_SLOW ? random_between(dice, 1000, 40000)
                                     : some_ms(dice, 30000);
    plan_add(plan, at_us, DO_COMMIT, some_shard(plan, dice), fate, ms, 0, NULL);
}

static void late_init(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_LATE_INIT, some_process(plan, dice),
             random_between(dice, 100, 40000), 0, 0, NULL);
}

static void compact(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_COMPACT, some_shard(plan, dice), 0, 0, 0, NULL);
    plan_add(plan, at_us + 1000, DO_RETAIN, 0, 0, 0, 0, NULL);
}

static void bad_topic(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t topic = random_between(dice, 0, FOREIGN_TOPICS - 1);
    plan_add(plan, at_us, DO_FOREIGN, topic, random_between(dice, FOREIGN_MISSING, FOREIGN_DENIED),
             0, 0, NULL);
    plan_add(plan, at_us + random_between(dice, 1, 300) * MINUTE_US, DO_FOREIGN, topic,
             FOREIGN_GOOD, 0, 0, NULL);
}

/* ---- the sequences, by name ---- */

static void commit_then_owner_changes(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0,
             "one times out committing, another takes over and commits, the first returns");
    int64_t process = some_process(plan, dice);
    plan_add(plan, at_us, DO_COMMIT, some_shard(plan, dice), COMMIT_REPLY_LOST, 2000, 0, NULL);
    plan_add(plan, at_us, DO_FREEZE_AT, process, POINT_COMMIT_AFTER, 1,
             random_between(dice, 12000, 40000), NULL);
}

static void late_init_after_reassignment(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0,
             "init_transactions of a former owner arrives after the reassignment");
    int64_t process = some_process(plan, dice);
    plan_add(plan, at_us, DO_LATE_INIT, process, random_between(dice, 12000, 40000), 0, 0, NULL);
    plan_add(plan, at_us, DO_COMMIT, some_shard(plan, dice), COMMIT_NOT_SENT, 1, 0, NULL);
    plan_add(plan, at_us + random_between(dice, 1, 4) * SECOND_US, DO_CUT_OFF, process, 15000, 0,
             0, NULL);
}

static void coordinator_times_out_a_living_owner(struct plan *plan, struct random *dice,
                                                 int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0,
             "the coordinator gives up the transaction of a living owner");
    plan_add(plan, at_us, DO_COMMIT, some_shard(plan, dice), COMMIT_SLOW,
             random_between(dice, 26000, 40000), 0, NULL);
}

static void zombie_inits(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "a frozen owner wakes just before its init");
    int64_t process = some_process(plan, dice);
    plan_add(plan, at_us, DO_COMMIT, some_shard(plan, dice), COMMIT_NOT_SENT, 1, 0, NULL);
    plan_add(plan, at_us, DO_FREEZE_AT, process, POINT_INIT_BEFORE, 1,
             random_between(dice, 11000, 30000), NULL);
}

static void flush_between_checkpoints(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "FLUSHALL between two checkpoints, then a crash");
    plan_add(plan, at_us, DO_REDIS_FLUSH, 0, 0, 0, 0, NULL);
    plan_add(plan, at_us + some_ms(dice, 1800000) * MILLI_US, DO_CRASH, some_process(plan, dice),
             POINT_NONE, 1, 0, NULL);
}

static void rollback_between_checkpoints(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "Redis goes back between two checkpoints");
    plan_add(plan, at_us, DO_REDIS_SAVE, 0, 0, 0, 0, NULL);
    int64_t back_us = at_us + random_between(dice, 1, 3600) * SECOND_US;
    plan_add(plan, back_us, DO_REDIS_ROLLBACK, 0, 0, 0, 0, NULL);
    plan_add(plan, back_us + random_between(dice, 0, 4000) * MILLI_US, DO_CRASH,
             some_process(plan, dice), POINT_NONE, 1, 0, NULL);
}

/* A command lands while a herd, cut into many transactions, goes out; perhaps the owner dies. */
static void update_in_a_herd(struct plan *plan, struct random *dice, int64_t at_us)
{
    char json[JSON_BYTES];
    int64_t hour_us = (at_us / HOUR_US + 1) * HOUR_US;
    plan_add(plan, hour_us - MINUTE_US, DO_NOTE, 0, 0, 0, 0, "an update in the middle of a herd");
    for (int i = 0; i < 3; i++) {
        int32_t shard = 0;
        int64_t then_us = hour_us + random_between(dice, -20, 60) * MILLI_US;
        workload_command(dice, plan, plan->settings.start_ms + then_us / MILLI_US, json,
                         sizeof json, &shard);
        plan_add(plan, then_us, DO_COMMAND, shard, 0, 0, 0, json);
    }
    if (random_chance(dice, 1, 2))
        plan_add(plan, hour_us - MILLI_US, DO_CRASH, some_process(plan, dice), POINT_COMMIT_AFTER,
                 random_between(dice, 1, 5), 0, NULL);
}

/* Asked to end in the middle of a take-over, or of settling a commit, which then does not end well
 * either: by then memory is not what Kafka has. */
static void stop_in_a_takeover(struct plan *plan, struct random *dice, int64_t at_us)
{
    char json[JSON_BYTES];
    int32_t shard = 0;
    int32_t other = 0;
    bool often = random_chance(dice, 2, 3);
    bool moving = random_chance(dice, 1, 2); /* no proof of ownership: a member comes or goes */
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "an orderly stop in the middle of a take-over");
    workload_command(dice, plan, plan->settings.start_ms + at_us / MILLI_US, json, sizeof json,
                     &shard);
    plan_add(plan, at_us, DO_COMMIT, shard,
             often ? COMMIT_NOT_SENT
                   : random_between(dice, COMMIT_ABORTABLE, COMMIT_FATE_COUNT - 1),
             moving ? 1 : random_between(dice, 1, 30000), 0, NULL);
    plan_add(plan, at_us + MILLI_US, DO_COMMAND, shard, 0, 0, 0, json);
    /* Something has just been committed: Redis is behind, there is something to be drained. */
    workload_command(dice, plan, plan->settings.start_ms + at_us / MILLI_US, json, sizeof json,
                     &other);
    plan_add(plan, at_us - random_between(dice, 30, 200) * MILLI_US, DO_COMMAND, shard, 0, 0, 0,
             json);
    int64_t away_us = at_us + random_between(dice, 0, 2000) * MILLI_US;
    if (moving)
        plan_add(plan, at_us - random_between(dice, 0, 600) * MILLI_US, DO_LEAVE,
                 some_process(plan, dice), 0, 0, 0, NULL);
    for (int32_t p = 0; p < plan->settings.processes; p++) {
        int64_t point = often ? POINT_PROVE : random_between(dice, POINT_PROVE, POINT_COUNT - 1);
        plan_add(plan, at_us + MILLI_US, DO_LEAVE_AT, p, point, random_between(dice, 1, 3), 0,
                 NULL);
        if (random_chance(dice, 1, 4))
            plan_add(plan, away_us, DO_FREEZE, p, random_between(dice, 8000, 15000), 0, 0, NULL);
        if (!moving)
            plan_add(plan, away_us, DO_CUT_OFF, p, random_between(dice, 9000, 25000), 0, 0, NULL);
    }
}

/* Everything is down for hours while commands come in. */
static void commands_after_downtime(struct plan *plan, struct random *dice, int64_t at_us)
{
    char json[JSON_BYTES];
    int64_t hours = random_between(dice, 2, 10);
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "many commands after a long downtime");
    for (int32_t p = 0; p < plan->settings.processes; p++)
        plan_add(plan, at_us, DO_FREEZE, p, hours * 3600000, 0, 0, NULL);
    int64_t commands = random_between(dice, 20, 120);
    for (int64_t i = 0; i < commands; i++) {
        int32_t shard = 0;
        int64_t then_us = at_us + random_between(dice, 1, hours * 3600) * SECOND_US;
        workload_command(dice, plan, plan->settings.start_ms + then_us / MILLI_US, json,
                         sizeof json, &shard);
        plan_add(plan, then_us, DO_COMMAND, shard, 0, 0, 0, json);
    }
}

static void end_arrives_in_the_next_transaction(struct plan *plan, struct random *dice,
                                                int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0,
             "a commit is asked for twice, the first request arrives in the next transaction");
    plan_add(plan, at_us, DO_COMMIT, some_shard(plan, dice), COMMIT_TWICE, 1, 0, NULL);
}

/* New zone data for some or all, one process after the other, as in a rolling update; perhaps it
 * is taken back. */
static void zone_data(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "new zone data, one process after the other");
    int64_t version = random_between(dice, 0, 3) > 0;
    for (int32_t p = 0; p < plan->settings.processes; p++) {
        if (random_chance(dice, 1, 5)) continue;
        at_us += random_chance(dice, 1, 2) ? random_between(dice, 0, 60) * MINUTE_US
                                           : random_between(dice, 0, 30) * SECOND_US;
        plan_add(plan, at_us, DO_ZONES, p, version, 0, 0, NULL);
        if (random_chance(dice, 1, 3))
            plan_add(plan, at_us, DO_CRASH, p, POINT_NONE, 1, 0, NULL);
        else plan_add(plan, at_us, DO_LEAVE, p, 0, 0, 0, NULL);
    }
}

/* Some or all lack a zone for hours: not before the commands that name it are applied. */
static void zone_lost(struct plan *plan, struct random *dice, int64_t at_us)
{
    if (at_us < 3 * HOUR_US) return;
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "a zone is missing for hours");
    int64_t back_us = at_us + random_between(dice, 1, 20) * HOUR_US;
    int64_t version = random_between(dice, 0, 3) > 0;
    for (int32_t p = 0; p < plan->settings.processes; p++) {
        if (random_chance(dice, 1, 4)) continue;
        plan_add(plan, at_us, DO_ZONES, p, version | VERSION_LACKS, 0, 0, NULL);
        plan_add(plan, at_us, DO_CRASH, p, POINT_NONE, 1, 0, NULL);
        at_us += random_between(dice, 0, 60) * SECOND_US;
        plan_add(plan, back_us, DO_ZONES, p, version, 0, 0, NULL);
        plan_add(plan, back_us, DO_LEAVE, p, 0, 0, 0, NULL);
        back_us += random_between(dice, 0, 60) * SECOND_US;
    }
}

/* Everything is down for hours, and who has begun to catch up dies: the next one counts what is
 * owed by other rules. */
static void zone_data_while_owing(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t hours = random_between(dice, 2, 20);
    int64_t back_us = at_us + hours * HOUR_US + random_between(dice, 500, 20000) * MILLI_US;
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "new zone data while slots are owed");
    for (int32_t p = 0; p < plan->settings.processes; p++) {
        plan_add(plan, at_us, DO_FREEZE, p, hours * 3600000, 0, 0, NULL);
        plan_add(plan, back_us, DO_ZONES, p, random_between(dice, 0, 3) > 0, 0, 0, NULL);
        plan_add(plan, back_us, DO_CRASH, p, POINT_NONE, 1, 0, NULL);
    }
}

/* Daily jobs with a delay of up to a day, which the next slot bounds: by other data it is another
 * one, for a slot that has fired or that waits yet. */
static void zone_data_while_waiting(struct plan *plan, struct random *dice, int64_t at_us)
{
    char json[JSON_BYTES];
    int group = (int)random_between(dice, 0, 5);
    int length = snprintf(json, sizeof json, "{\"op\":\"put\",\"jobs\":[");
    for (int hour = 0; hour < 24; hour += 3)
        length += snprintf(json + length, sizeof json - (size_t)length,
                           "%s{\"group\":\"g%d\",\"id\":\"daily-%d\",\"schedule\":{\"cron\":"
                           "\"0 %d * * *\",\"zone\":\"Sim/Often\"},\"jitter\":\"1d\"}",
                           hour == 0 ? "" : ",", group, hour, hour);
    (void)snprintf(json + length, sizeof json - (size_t)length, "]}");
    char name[24];
    (void)snprintf(name, sizeof name, "g%d", group);
    plan_add(plan, 150 * SECOND_US, DO_COMMAND, slow_shard_of(name, plan->settings.shards), 0, 0, 0,
             json);
    zone_data(plan, dice, at_us);
}

/* Who takes over finds a snapshot that is hours old: the state log tells the rest. */
static void redis_comes_back_without_an_owner(struct plan *plan, struct random *dice,
                                              int64_t at_us)
{
    int64_t ms = random_between(dice, 1, 6) * 3600000;
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "Redis is back just when the owners die");
    plan_add(plan, at_us, DO_REDIS_AWAY, ms, 0, 0, 0, NULL);
    for (int32_t p = 0; p < plan->settings.processes; p++)
        plan_add(plan, at_us + (ms - 1) * MILLI_US, DO_CRASH, p, POINT_NONE, 1, 0, NULL);
}

/* A far region or a slow disk for an hour or so, in which the owner changes or a clock is wrong. */
static void slow_commits(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t ms = random_between(dice, 30, 90) * 60000;
    int64_t low_ms = random_between(dice, 200, 1500);
    int64_t high_ms = low_ms + (random_chance(dice, 1, 2) ? 300 : random_between(dice, 1, 18500));
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "slow commits, and a new owner among them");
    for (int32_t shard = 0; shard < plan->settings.shards; shard++)
        plan_add(plan, at_us, DO_SLOW_COMMITS, shard, ms, low_ms, high_ms, NULL);
    int64_t process = some_process(plan, dice);
    if (random_chance(dice, 1, 2)) {
        int64_t by_ms = random_between(dice, -20000, 20000);
        plan_add(plan, at_us, DO_CLOCK_STEP, process, by_ms, 0, 0, NULL);
        plan_add(plan, at_us + ms * MILLI_US, DO_CLOCK_STEP, process, -by_ms, 0, 0, NULL);
    }
    plan_add(plan, at_us + SECOND_US, DO_CRASH, process, POINT_NONE, 1, 0, NULL);
}

static void bad_leader(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_BAD_LEADER, some_shard(plan, dice),
             random_between(dice, 1, 40) * 60000, 0, 0, NULL);
}

static void commits_lost(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t process = some_process(plan, dice);
    if (random_chance(dice, 1, 2)) {
        plan_add(plan, at_us, DO_COMMITS_LOST, process, random_between(dice, 1, 60) * 60000, 0, 0,
                 NULL);
        return;
    }
    for (int turn = 0; turn < 8; turn++) { /* now it is well, now it is not */
        plan_add(plan, at_us, DO_COMMITS_LOST, process, random_between(dice, 90, 180) * 1000, 0, 0,
                 NULL);
        at_us += random_between(dice, 180, 280) * SECOND_US;
    }
}

/* Cut off over the full hour, for less than a session, while everything is paused: what was decided
 * without that is not to be said when Kafka is back. */
static void paused_while_cut_off(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t hour_us = (at_us / HOUR_US + 1) * HOUR_US;
    plan_add(plan, hour_us - MINUTE_US, DO_NOTE, 0, 0, 0, 0, "a pause while its owner is cut off");
    for (int32_t p = 0; p < plan->settings.processes; p++)
        plan_add(plan, hour_us - random_between(dice, 3500, 4500) * MILLI_US, DO_CUT_OFF, p,
                 random_between(dice, 8500, 13000), 0, 0, NULL);
    for (int32_t shard = 0; shard < plan->settings.shards; shard++)
        plan_add(plan, hour_us - random_between(dice, 2600, 3400) * MILLI_US, DO_COMMAND, shard, 0,
                 0, 0, "{\"op\":\"pause\",\"select\":{\"all\":true}}");
    for (int32_t shard = 0; shard < plan->settings.shards; shard++)
        plan_add(plan, hour_us + random_between(dice, 1, 90) * MINUTE_US, DO_COMMAND, shard, 0, 0,
                 0, "{\"op\":\"resume\",\"select\":{\"all\":true}}");
}

/* A command that must be forwarded is the last one for long: retention cuts the logs to their ends,
 * with the markers of its transaction; who reads on is a new owner. The old one may have lived on,
 * or been away since just after it had read the command. */
static void retention(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "a quiet log is cut to its end, and its owner dies");
    int64_t cut_us = at_us + random_between(dice, 21, 30) * MINUTE_US;
    bool away = random_chance(dice, 1, 2);
    for (int number = 0; number < 6; number++) {
        char json[JSON_BYTES];
        char name[24];
        (void)snprintf(name, sizeof name, "g%d", number);
        (void)snprintf(json, sizeof json, "{\"op\":\"resume\",\"select\":{\"groups\":[\"%s\"]}}",
                       name);
        int32_t shard = slow_shard_of(name, plan->settings.shards);
        plan_add(plan, at_us, DO_COMMAND, (shard + 1) % plan->settings.shards, 0, 0, 0, json);
    }
    if (away) /* what is given up leaves records and a marker that no mark can be behind */
        for (int32_t shard = 0; shard < plan->settings.shards; shard++)
            plan_add(plan, at_us - MILLI_US, DO_COMMIT, shard, COMMIT_CUT, 1000, 0, NULL);
    if (away)
        for (int32_t p = 0; p < plan->settings.processes; p++)
            plan_add(plan, at_us + random_between(dice, 50, 2000) * MILLI_US, DO_FREEZE, p,
                     (cut_us - at_us) / MILLI_US, 0, 0, NULL);
    plan_add(plan, cut_us, DO_RETAIN, 0, 0, 0, 0, NULL);
    for (int32_t p = 0; p < plan->settings.processes; p++)
        plan_add(plan, cut_us + MILLI_US, DO_CRASH, p, POINT_NONE, 1, 0, NULL);
}

static fault_maker *const makers[] = {
    crash, crash, freeze, freeze_at, cut_off, kafka_down, leave, clock_step, clock_drift,
    no_memory, bad_commit, bad_commit, late_init, fault_redis_away, fault_redis_slow,
    fault_redis_flush, fault_redis_rollback, fault_redis_lost, compact, bad_topic,
    commit_then_owner_changes, late_init_after_reassignment, coordinator_times_out_a_living_owner,
    zombie_inits, flush_between_checkpoints, rollback_between_checkpoints, update_in_a_herd,
    commands_after_downtime, end_arrives_in_the_next_transaction,
    zone_data, zone_data_while_owing, zone_data_while_owing, zone_data_while_waiting,
    zone_lost, zone_lost,
    redis_comes_back_without_an_owner, stop_in_a_takeover, stop_in_a_takeover,
    fault_redis_damage, fault_redis_damage, fault_bulky, fault_own_limit, fault_strict,
    slow_commits, bad_leader, fault_denied_topic,
    commits_lost,
    fault_redis_flaky, fault_redis_flaky, paused_while_cut_off, paused_while_cut_off,
    retention, retention};
enum { MAKERS = sizeof makers / sizeof makers[0], FAULTS_MOST = 60 };

/* Kafka crashes and has not flushed everything. Redis may be away then, or be given up later. */
static void kafka_loses(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "Kafka loses what it had not flushed");
    if (random_chance(dice, 1, 3))
        plan_add(plan, at_us - SECOND_US, DO_REDIS_AWAY, some_ms(dice, 1800000), 0, 0, 0, NULL);
    else if (random_chance(dice, 1, 3))
        plan_add(plan, at_us + some_ms(dice, 600000) * MILLI_US, DO_REDIS_FLUSH, 0, 0, 0, 0, NULL);
    int64_t down_ms = random_between(dice, 10, 30000);
    plan_add(plan, at_us, DO_KAFKA_DOWN, down_ms, 0, 0, 0, NULL);
    plan_add(plan, at_us + MILLI_US, DO_LOSE, some_shard(plan, dice),
             random_between(dice, 1, 300000), 0, 0, NULL);
    if (random_chance(dice, 2, 3))
        plan_add(plan, at_us + random_between(dice, 0, 40000) * MILLI_US, DO_CRASH,
                 some_process(plan, dice), POINT_NONE, 1, 0, NULL);
    if (random_chance(dice, 1, 2))
        plan_add(plan, at_us + random_between(dice, 10, 180) * MINUTE_US, DO_REDIS_FLUSH, 0, 0, 0,
                 0, NULL);
}

static void crash_all(struct plan *plan, int64_t at_us)
{
    for (int32_t p = 0; p < plan->settings.processes; p++)
        plan_add(plan, at_us, DO_CRASH, p, POINT_NONE, 1, 0, NULL);
}

/* A new owner goes on without what was lost, and without Redis; it or the next one finds a Redis
 * that has what was lost. */
static void kafka_loses_what_redis_has(struct plan *plan, struct random *dice, int64_t at_us)
{
    bool epochs = random_chance(dice, 1, 2); /* some were lost, too: the living owner's is behind */
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0,
             "Kafka loses what Redis has, and goes on while Redis is away");
    int64_t away_us = random_between(dice, 5, 60) * MINUTE_US;
    plan_add(plan, at_us - 2 * SECOND_US, DO_REDIS_AWAY, away_us / MILLI_US, 0, 0, 0, NULL);
    plan_add(plan, at_us, DO_KAFKA_DOWN, 10, 0, 0, 0, NULL);
    for (int32_t shard = 0; shard < plan->settings.shards; shard++)
        plan_add(plan, at_us + MILLI_US, DO_LOSE, shard, random_between(dice, 60000, 900000), 0, 0,
                 NULL);
    if (epochs && at_us > 2 * MINUTE_US) {
        crash_all(plan, at_us - 100 * SECOND_US);
        crash_all(plan, at_us - 50 * SECOND_US);
    }
    crash_all(plan, at_us + SECOND_US);
    if (!epochs) crash_all(plan, at_us - 3 * SECOND_US + away_us);
}

/* A new owner has the epoch of one that Kafka has lost, and finds a Redis that has more of it. */
static void kafka_loses_an_epoch(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "Kafka loses a whole epoch, which Redis has");
    at_us += 2 * MINUTE_US;
    crash_all(plan, at_us - 55 * SECOND_US);
    for (int32_t shard = 0; shard < plan->settings.shards; shard++) {
        for (int64_t i = random_between(dice, 10, 30); i > 0; i--)
            plan_add(plan, at_us - 3 * SECOND_US - i * 600 * MILLI_US, DO_COMMAND, shard, 0, 0, 0,
                     "{\"op\":\"ping\"}");
        plan_add(plan, at_us + MILLI_US, DO_LOSE, shard, random_between(dice, 55000, 60000), 0, 0,
                 NULL);
    }
    plan_add(plan, at_us - SECOND_US, DO_REDIS_AWAY, random_between(dice, 15000, 60000), 0, 0, 0,
             NULL);
    plan_add(plan, at_us, DO_KAFKA_DOWN, 10, 0, 0, 0, NULL);
    crash_all(plan, at_us + SECOND_US);
}

/* An owner that lives does not learn what came of a commit and has to look: its own are gone. So it
 * is with a whole epoch of its own. */
static void kafka_loses_its_owner_s(struct plan *plan, struct random *dice, int64_t at_us)
{
    bool epoch = random_chance(dice, 1, 3) && at_us > 2 * MINUTE_US;
    int64_t lost_ms = epoch ? random_between(dice, 55000, 60000) : random_between(dice, 1, 300000);
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "Kafka loses commits of an owner that looks again");
    if (epoch) crash_all(plan, at_us - 55 * SECOND_US);
    plan_add(plan, at_us - SECOND_US, DO_REDIS_AWAY, some_ms(dice, 1800000), 0, 0, 0, NULL);
    plan_add(plan, at_us, DO_KAFKA_DOWN, 10, 0, 0, 0, NULL);
    for (int32_t shard = 0; shard < plan->settings.shards; shard++) {
        plan_add(plan, at_us - 2 * SECOND_US, DO_COMMAND, shard, 0, 0, 0, "{\"op\":\"ping\"}");
        plan_add(plan, at_us + MILLI_US, DO_LOSE, shard, lost_ms, 0, 0, NULL);
        plan_add(plan, at_us + SECOND_US, DO_COMMIT, shard, COMMIT_NOT_SENT, 0, 0, NULL);
        plan_add(plan, at_us + SECOND_US, DO_COMMAND, shard, 0, 0, 0, "{\"op\":\"ping\"}");
    }
}

/* A random subset of the kinds, each of them now and then. */
void faults_add(struct plan *plan, struct random *dice)
{
    uint64_t kinds = random_next(dice);
    if (random_chance(dice, 1, 2)) kinds &= random_next(dice);
    int64_t span_us = plan->settings.hours * HOUR_US - 2 * MINUTE_US;
    int64_t faults = random_between(dice, 0, FAULTS_MOST);
    int64_t until_us = 2 * MINUTE_US;
    int64_t losses = random_chance(dice, 1, 6) ? random_between(dice, 1, 4) : 0;
    if (plan->typical) losses = 0; /* Kafka keeps what it has acknowledged */
    bool loses = losses > 0; /* then the first commands may be applied again, late */
    while (losses-- > 0) {
        static fault_maker *const losing[] = {kafka_loses, kafka_loses, kafka_loses_what_redis_has,
                                              kafka_loses_what_redis_has, kafka_loses_an_epoch};
        fault_maker *maker = losing[random_between(dice, 0, 4)];
        int64_t at_us = until_us + random_between(dice, 0, span_us - 1);
        struct random own = random_from(plan->seed, (uint64_t)at_us);
        maker(plan, dice, at_us);
        if (random_chance(&own, 1, 3))
            kafka_loses_its_owner_s(plan, &own, until_us + random_between(&own, 0, span_us - 1));
    }
    for (int64_t i = 0; i < faults; i++) {
        size_t maker = (size_t)random_between(dice, 0, MAKERS - 1);
        int64_t at_us = until_us + random_between(dice, 0, span_us - 1);
        bool long_one = makers[maker] == commands_after_downtime;
        bool owing = makers[maker] == zone_data_while_owing;
        if (long_one && !random_chance(dice, 1, 12)) continue;
        if (owing && !random_chance(dice, 1, 3)) continue;
        if (makers[maker] == zone_lost && loses) continue;
        if ((kinds >> maker & 1) != 0) makers[maker](plan, dice, at_us);
    }
}
