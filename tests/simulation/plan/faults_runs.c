/* What goes wrong with workers and their reports, alone and in the sequences that the protocol of
 * docs/runs.md was built against. */
#include "tests/simulation/plan/fault_makers.h"
#include "tests/simulation/workers/workers.h"

enum { RUN_FAULTS_MOST = 60, LEASE_LONG_MS = 600000 };

static int64_t some_worker(struct random *dice)
{
    return random_between(dice, 0, WORKERS_MAX - 1);
}

/* Those that the promise does not cover are seldom. */
static int64_t some_harm(struct random *dice)
{
    int64_t harm = random_between(dice, 0, WORKER_HARM_COUNT - 1);
    bool limit = harm == HARM_DIES_ALONE || harm == HARM_FREEZES_ALONE;
    return limit && !random_chance(dice, 1, 4) ? HARM_FREEZES : harm;
}

static void harmed(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t worker = some_worker(dice);
    int64_t harm = some_harm(dice);
    plan_add(plan, at_us, DO_WORKER, worker, harm, some_ms(dice, 2 * LEASE_LONG_MS), 0, NULL);
}

static void harmed_at(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t worker = some_worker(dice);
    int64_t point = random_between(dice, 0, WORKER_POINT_COUNT - 1);
    int64_t harm = some_harm(dice);
    plan_add(plan, at_us, DO_WORKER_AT, worker, point, harm, some_ms(dice, 2 * LEASE_LONG_MS),
             NULL);
}

/* One after the other, as new versions are rolled out. */
static void deploy(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t crew = random_between(dice, 0, CREWS - 1);
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "the workers of a group are replaced");
    for (int64_t i = 0; i < CREW_WORKERS_MAX; i++) {
        plan_add(plan, at_us, DO_WORKER, crew * CREW_WORKERS_MAX + i, HARM_LEAVES, 0, 0, NULL);
        at_us += random_between(dice, 0, 20000) * MILLI_US;
    }
}

static void drift(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_WORKER_DRIFT, some_worker(dice), random_between(dice, -80000, 80000),
             0, 0, NULL);
}

static void posts(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t worker = some_worker(dice);
    int64_t fate = random_between(dice, POST_LATE, POST_FATE_COUNT - 1);
    int64_t count = random_between(dice, 1, 6);
    plan_add(plan, at_us, DO_POSTS, worker, fate, count, some_ms(dice, LEASE_LONG_MS), NULL);
}

static void offsets(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t worker = some_worker(dice);
    int64_t fate = random_between(dice, OFFSETS_UNKNOWN, OFFSETS_SLOW);
    int64_t count = random_between(dice, 1, 4);
    plan_add(plan, at_us, DO_OFFSETS, worker, fate, count, some_ms(dice, 60000), NULL);
}

static void set_back(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t crew = random_between(dice, 0, CREW_FIXED);
    plan_add(plan, at_us, DO_SET_BACK, crew, some_ms(dice, 1800000), 0, 0, NULL);
}

static void hide_runs(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t shard = some_shard(plan, dice);
    plan_add(plan, at_us, DO_HIDE_RUNS, shard, some_ms(dice, LEASE_LONG_MS), 0, 0, NULL);
}

static void forge(struct plan *plan, struct random *dice, int64_t at_us)
{
    for (int64_t i = random_between(dice, 1, 8); i > 0; i--) {
        int64_t shard = some_shard(plan, dice);
        plan_add(plan, at_us + random_between(dice, 0, 60000) * MILLI_US, DO_FORGE, shard,
                 random_between(dice, 0, FORGERY_COUNT - 1), 0, 0, NULL);
    }
}

static void append_back(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t shard = some_shard(plan, dice);
    int64_t back_ms = random_between(dice, 1, 900);
    plan_add(plan, at_us, DO_APPEND_BACK, shard, back_ms, some_ms(dice, 1800000), 0, NULL);
}

static void silent(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_SILENT, some_ms(dice, LEASE_LONG_MS), 0, 0, 0, NULL);
}

static void tick(struct plan *plan, struct random *dice, int64_t at_us)
{
    for (int64_t i = random_between(dice, 1, 6); i > 0; i--) {
        int64_t shard = some_shard(plan, dice);
        plan_add(plan, at_us + i * 20 * SECOND_US, DO_TICK, shard,
                 random_between(dice, TICK_LOST, TICK_FATE_COUNT - 1), 0, 0, NULL);
    }
}

static void question(struct plan *plan, struct random *dice, int64_t at_us)
{
    for (int64_t i = random_between(dice, 1, 6); i > 0; i--) {
        int64_t shard = some_shard(plan, dice);
        plan_add(plan, at_us + i * 20 * SECOND_US, DO_QUESTION, shard,
                 random_between(dice, QUESTION_UNHEARD, QUESTION_FATE_COUNT - 1), 0, 0, NULL);
    }
}

static void kafka_away(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "Kafka is away for longer than a lease");
    plan_add(plan, at_us, DO_KAFKA_DOWN, random_between(dice, 8000, LEASE_LONG_MS), 0, 0, 0, NULL);
}

static void daemons_away(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t ms = random_between(dice, 8000, 3 * LEASE_LONG_MS);
    bool cut = random_chance(dice, 1, 3);
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "daemons are away for longer than a lease");
    for (int32_t p = 0; p < plan->settings.processes; p++)
        plan_add(plan, at_us, DO_FREEZE, p, ms, 0, 0, NULL);
    for (int32_t shard = 0; cut && shard < plan->settings.shards; shard++)
        plan_add(plan, at_us + (ms - 10) * MILLI_US, DO_RETAIN_RUNS, shard,
                 random_between(dice, 0, ms / 2), 0, 0, NULL);
    for (int32_t p = 0; random_chance(dice, 1, 2) && p < plan->settings.processes; p++)
        plan_add(plan, at_us + (ms - 1) * MILLI_US, DO_CRASH, p, POINT_NONE, 1, 0, NULL);
}

/* All workers of a group die in the middle of a step, and are back before their lease is over. */
static void crew_dies(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t crew = random_between(dice, 0, CREW_FIXED - 1);
    int64_t point = random_between(dice, 0, WORKER_POINT_COUNT - 1);
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "a group of workers dies between two steps");
    for (int64_t i = 0; i < CREW_WORKERS_MAX; i++)
        plan_add(plan, at_us, DO_WORKER_AT, crew * CREW_WORKERS_MAX + i, point, HARM_DIES, 0,
                 NULL);
}

/* What a claim's second step is for: two members, one fire. */
static void expelled_in_a_claim(struct plan *plan, struct random *dice, int64_t at_us)
{
    static const enum worker_point points[] = {WORKER_SAID, WORKER_HEARD, WORKER_COMMITS};
    int64_t crew = random_between(dice, 0, CREW_FIXED - 1);
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "a group throws workers out in their claims");
    for (int64_t i = 0; i < CREW_WORKERS_MAX; i++)
        plan_add(plan, at_us, DO_WORKER_AT, crew * CREW_WORKERS_MAX + i,
                 points[random_between(dice, 0, 2)], HARM_EXPELLED, 0, NULL);
}

/* A take-over while a lease is over and a tick is on its way: it comes late, to another owner. */
static void tick_of_a_former_owner(struct plan *plan, struct random *dice, int64_t at_us)
{
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "a tick comes after its owner has gone");
    int64_t worker = some_worker(dice);
    plan_add(plan, at_us, DO_WORKER_AT, worker, WORKER_STARTED, HARM_DIES, 0, NULL);
    for (int32_t shard = 0; shard < plan->settings.shards; shard++)
        plan_add(plan, at_us, DO_TICK, shard, TICK_LATE, 0, 0, NULL);
    int64_t later_us = at_us + random_between(dice, 11000, 60000) * MILLI_US;
    for (int32_t p = 0; p < plan->settings.processes; p++)
        plan_add(plan, later_us, DO_CRASH, p, POINT_NONE, 1, 0, NULL);
}

/* Frozen past the lease at each step, with its machine: nothing may come of it but a later try. */
static void frozen_in_a_claim(struct plan *plan, struct random *dice, int64_t at_us)
{
    int64_t ms = random_between(dice, 9000, LEASE_LONG_MS);
    plan_add(plan, at_us, DO_NOTE, 0, 0, 0, 0, "workers freeze in their claims");
    for (int64_t i = 0; i < WORKERS_MAX; i++)
        if (random_chance(dice, 1, 2))
            plan_add(plan, at_us, DO_WORKER_AT, i, random_between(dice, WORKER_READ, WORKER_ENDS),
                     HARM_FREEZES, ms, NULL);
}

void faults_runs_add(struct plan *plan, struct random *dice)
{
    static fault_maker *const makers[] = {
        harmed, harmed, harmed, harmed_at, harmed_at, harmed_at, deploy, drift, posts, posts,
        offsets, offsets, set_back, hide_runs, hide_runs, forge, append_back, silent, tick,
        question, kafka_away, daemons_away, crew_dies, expelled_in_a_claim,
        tick_of_a_former_owner, frozen_in_a_claim};
    enum { MAKERS = sizeof makers / sizeof makers[0] };
    uint64_t kinds = random_next(dice);
    if (random_chance(dice, 1, 2)) kinds |= random_next(dice);
    int64_t span_us = plan->settings.hours * HOUR_US - 5 * MINUTE_US;
    for (int64_t i = random_between(dice, 0, RUN_FAULTS_MOST); i > 0; i--) {
        size_t maker = (size_t)random_between(dice, 0, MAKERS - 1);
        int64_t at_us = 5 * MINUTE_US + random_between(dice, 0, span_us - 1);
        if ((kinds >> maker & 1) != 0) makers[maker](plan, dice, at_us);
    }
}
