#include "tests/simulation/simulation.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge/checker.h"
#include "tests/simulation/judge/standstill.h"
#include "tests/simulation/workers/workers.h"

/* Faults are over: sessions run out, failing topics are tried again, the lane works off. */
#define REST_US (10 * MINUTE_US)
#define REST_MORE_US (61 * SECOND_US)
#define QUIET_US (1700 * MILLI_US)
#define PING_APART_US (40 * SECOND_US)
enum { PING_TURNS = 3 * FOREIGN_TOPICS, REST_TURNS = 12, QUIET_TURNS = 4000, DECISIONS = 10 };
enum {
    RUNS_TURNS = 60,  /* claims that nobody knows of have expired by then */
    RESUME_TURNS = 10 /* jobs may have been paused for their failures since */
};

struct play {
    struct world *world;
    const struct plan *plan;
};

static void event_comes(void *object, int64_t number)
{
    const struct play *play = object;
    struct world *world = play->world;
    const struct planned *event = &play->plan->events[number];
    bool sent = event->what == DO_COMMAND || event->what == DO_BULKY ||
                event->what == DO_ABOUT_RUN;
    if (sent &&
        world->kafka_down_until_us > world->now_us) {
        agenda_add(&world->agenda, world->kafka_down_until_us, event_comes, object, number);
        return;
    }
    bool clock = event->what == DO_CLOCK_STEP || event->what == DO_CLOCK_DRIFT;
    if (clock && world->now_us >= world->settings.hours * HOUR_US) return; /* they stay right now */
    plan_do(world, event);
}

static void start_processes(struct world *world)
{
    for (int32_t p = 0; p < world->settings.processes; p++)
        if (!world->processes[p].running) process_start(&world->processes[p]);
}

static void end_faults(struct world *world)
{
    world_trace(world, "--- faults are over");
    memset(world->cluster.foreign, 0, sizeof world->cluster.foreign);
    memset(world->cluster.own_limit, 0, sizeof world->cluster.own_limit);
    memset(world->commit_fate, 0, sizeof world->commit_fate);
    memset(world->slow_until_us, 0, sizeof world->slow_until_us);
    memset(world->leader_bad_until_us, 0, sizeof world->leader_bad_until_us);
    world->redis.away_until_us = 0;
    world->redis.slow_until_us = 0;
    world->redis.troubles = 0;
    world->redis.flaky_until_us = 0;
    memset(world->tick_fate, 0, sizeof world->tick_fate);
    memset(world->question_fate, 0, sizeof world->question_fate);
    world->coordinator_silent_until_us = 0;
    workers_calm(world);
    for (int32_t p = 0; p < world->settings.processes; p++) {
        struct process *process = &world->processes[p];
        process_drift_clock(process, 0);
        process_step_clock(process, -process->offset_us);
        process->crash_point = POINT_NONE;
        process->leave_point = POINT_NONE;
        process->heap.fail_after = -1;
        process->init_delay_us = 0;
        process->commits_lost_until_us = 0;
        process->zones_next %= VERSION_LACKS;
        for (int32_t shard = 0; shard < world->settings.shards; shard++)
            if (process->slots[shard].failed) process_try_again(process, shard); /* and say why */
        if (process->running && process->zones_version >= VERSION_LACKS) process_leave(process);
    }
}

/* Frozen and cut off processes come back by themselves; so wait for the last of them. */
static int64_t calm_us(const struct world *world)
{
    int64_t at_us = workers_calm_us(world);
    if (world->kafka_down_until_us > at_us) at_us = world->kafka_down_until_us;
    for (int32_t p = 0; p < world->settings.processes; p++) {
        const struct process *process = &world->processes[p];
        if (process->frozen_until_us > at_us) at_us = process->frozen_until_us;
        if (process->cut_off_until_us > at_us) at_us = process->cut_off_until_us;
    }
    return at_us;
}

/* What a paused job owes stays owed: let them go on, so that everything must come out. */
static void resume_all(struct world *world)
{
    world_send(world, 0, "{\"op\":\"resume\",\"select\":{\"all\":true}}");
    world_run(world, world->now_us + REST_US);
}

/* Jobs that nobody works for would be paused again and again, or try each run for an hour before
 * the next, and never work off a backfill. */
static void fail_soon(struct world *world)
{
    static const char *const settings[] = {"\"pause_after_failures\":null,\"retry\":null",
                                           "\"start_within\":\"10s\""};
    char text[200];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "{\"op\":\"update\",\"mode\":\"each\",\"select\":"
                       "{\"groups\":[\"r0\",\"r1\",\"r2\",\"r3\",\"r4\",\"r5\"]},"
                       "\"set\":{%s}}", settings[i]);
        world_send(world, 0, text);
    }
    resume_all(world);
}

/* A reply topic that failed gets replies again once it takes them: the last ping to each goes
 * there. */
static void ping_replies(struct world *world)
{
    char text[80];
    for (int turn = 0; turn < PING_TURNS && !world->stopped; turn++) {
        for (int32_t shard = 0; shard < world->settings.shards; shard++) {
            int32_t topic = turn % FOREIGN_TOPICS;
            (void)snprintf(text, sizeof text, "{\"op\":\"ping\",\"reply_to\":\"%s\"}",
                           foreign_topic_name(topic));
            world->last_ping[shard][topic] = (int64_t)world->sent_count[shard];
            world_send(world, shard, text);
        }
        world_run(world, world->now_us + PING_APART_US);
    }
}

static void come_to_rest(struct world *world)
{
    end_faults(world);
    world_run(world, calm_us(world));
    end_faults(world);
    world->calm_us = world->now_us;
    world_run(world, world->now_us + MINUTE_US); /* forwarded commands are applied by then */
    for (int turn = 0; turn < DECISIONS && loss_operator(world); turn++)
        world_run(world, world->now_us + REST_US);
    resume_all(world);
    if (loss_operator(world)) { /* a shard was refused only now; it forwards what it had not read */
        world_run(world, world->now_us + REST_US);
        resume_all(world);
    }
    ping_replies(world);
    /* The bound: what is not done by then is not going to be. Backfills and the lane have rates. */
    int64_t work_ms = 2 * rest_backfills_ms(world) + rest_owed_ms(world);
    int turns = REST_TURNS + (int)(work_ms * MILLI_US / REST_MORE_US);
    if (world->settings.runs) turns += RUNS_TURNS;
    for (int turn = 1; turn <= turns && !world->stopped && !rest_caught_up(world); turn++) {
        world_run(world, world->now_us + REST_MORE_US);
        if (world->settings.runs && turn % RESUME_TURNS == 0) fail_soon(world);
    }
    if (!world->stopped && !rest_caught_up(world))
        world_violation(world, "not caught up: %d minutes after the last fault", turns + 10);
    /* Jobs go on firing: judged is a moment between two steps, with Redis up to date. */
    for (int turn = 0; turn < QUIET_TURNS && !world->stopped && !rest_reached(world); turn++)
        world_run(world, world->now_us + QUIET_US);
}

static int64_t count_fires(const struct history *history)
{
    int64_t fires = 0;
    for (size_t i = 0; i < history->output_count; i++)
        fires += history->outputs[i].kind == OUTPUT_FIRE;
    return fires;
}

void simulate(const struct plan *plan, bool verbose, struct verdict *verdict)
{
    struct world *world = memory_allocate(1, sizeof *world);
    struct play play = {world, plan};
    world_open(world, plan->seed, &plan->settings);
    world->verbose = verbose;
    int64_t end_us = plan->settings.hours * HOUR_US; /* what is planned for later does not happen */
    for (size_t i = 0; i < plan->count; i++)
        if (plan->events[i].at_us <= end_us)
            agenda_add(&world->agenda, plan->events[i].at_us, event_comes, &play, (int64_t)i);
    start_processes(world);
    workers_start(world);
    standstill_watch(world, 0);
    world_run(world, end_us);
    if (!world->stopped) come_to_rest(world);
    if (!world->stopped) {
        rest_judge(world);
        checker_judge(world);
        if (world->violation_count == 0) anew_play(world);
    }
    for (int32_t shard = 0; verbose && shard < world->settings.shards; shard++)
        history_write(&world->history, shard, stdout);
    *verdict = (struct verdict){.hash = world->hash,
                                .hours = (double)world->now_us / (double)HOUR_US,
                                .faults = world->faults,
                                .fires = count_fires(&world->history),
                                .sometimes = world->sometimes,
                                .violation_count = world->violation_count};
    memcpy(verdict->violations, world->violations, sizeof verdict->violations);
    for (int32_t p = 0; p < world->settings.processes; p++)
        if ((int64_t)world->processes[p].heap.bytes_most > verdict->memory_most)
            verdict->memory_most = (int64_t)world->processes[p].heap.bytes_most;
    world_close(world);
    free(world);
}
