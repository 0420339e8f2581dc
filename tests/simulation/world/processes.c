/* The simulated processes: their clocks, their shards' coroutines, how they start, end, die,
 * freeze and wake. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "store/store_memory.h"
#include "tests/simulation/workers/workers.h"
#include "tests/simulation/world/told.h"
#include "tests/simulation/world/world.h"

enum { PASSAGES_MAX = 20000000, STRICT_BYTES = 100, REFUSALS_MOST = 10 };
#define RESTART_LOW_US (1 * SECOND_US)
#define RESTART_HIGH_US (20 * SECOND_US)
#define FAILED_AGAIN_US (60 * SECOND_US)
#define REFUSED_AGAIN_US (24 * 60 * 60 * SECOND_US)
#define MEMORY_MAX ((size_t)8 * 1024 * 1024) /* four times what a few hundred jobs take */

static struct seat *present_slot; /* whose coroutine runs */

/* ---- clocks ---- */

static int64_t elapsed_us(const struct process *process)
{
    int64_t passed_us = process->world->now_us - process->drift_from_us;
    return process->world->now_us + passed_us / 1000 * process->drift_ppm / 1000;
}

static int64_t clock_now_ms(void *opaque)
{
    const struct process *process = opaque;
    return process->world->settings.start_ms +
           (elapsed_us(process) + process->offset_us) / MILLI_US;
}

static int64_t clock_monotonic_us(void *opaque)
{
    const struct process *process = opaque;
    return elapsed_us(process) - process->booted_us + SECOND_US;
}

static void clock_sleep_ms(void *opaque, int64_t ms)
{
    const struct process *process = opaque;
    slot_wait(present_slot, process->world->now_us + ms * MILLI_US);
}

void process_step_clock(struct process *process, int64_t by_us)
{
    process->offset_us += by_us;
    process->stepped_us = process->world->now_us;
    for (int32_t s = 0; s < process->world->settings.shards; s++) {
        struct seat *slot = &process->slots[s];
        if (slot->waiting && slot->reading)
            slot_wake(slot, process->world->now_us +
                                world_latency_us(process->world, 0, 200 * MILLI_US));
    }
}

void process_drift_clock(struct process *process, int64_t ppm)
{
    int64_t drifted_us = elapsed_us(process) - process->world->now_us;
    process->offset_us += drifted_us; /* the wall clock keeps what it has gained */
    process->drift_from_us = process->world->now_us;
    process->drift_ppm = ppm;
    process->booted_us -= drifted_us; /* and the other one too */
}

/* ---- coroutines ---- */

static void run_engine(void *argument)
{
    struct seat *slot = argument;
    slot->good = engine_run(slot->engine, &slot->error);
    slot->done = true;
}

static void slot_release(struct seat *slot)
{
    coroutine_destroy(slot->coroutine);
    slot->coroutine = NULL;
    slot->engine = NULL;
    slot->broker = NULL;
    slot->checkpoint = NULL;
    slot->waiting = false;
    slot->reading = false;
    slot->idles = false;
    slot->idle_us = 0;
    slot->done = false;
    slot->ending = false;
    slot->life++;
    slot->wait++;
}

static void slot_tend(void *object, int64_t number);

static void slot_run(void *object, int64_t number)
{
    struct seat *slot = object;
    struct process *process = slot->process;
    struct world *world = process->world;
    if (slot->coroutine == NULL || !slot->waiting || (int64_t)slot->wait != number) return;
    if (process->frozen_until_us > world->now_us) {
        agenda_add(&world->agenda, process->frozen_until_us, slot_run, slot, number);
        return;
    }
    slot->waiting = false;
    present_slot = slot;
    struct heap *before = heap_enter(&process->heap);
    coroutine_resume(slot->coroutine);
    (void)heap_enter(before);
    present_slot = NULL;
    if (process->crashing) {
        process->crashing = false;
        process->leaving = false;
        process_kill(process);
        return;
    }
    if (process->heap.bytes_most > MEMORY_MAX) {
        world_violation(world, "%s has grown to %zu bytes", process->owner,
                        process->heap.bytes_most);
        world->stopped = true;
    }
    if (slot->done)
        agenda_add(&world->agenda, world->now_us + world_latency_us(world, 1000, 200000),
                   slot_tend, slot, (int64_t)slot->life);
}

void slot_wake(struct seat *slot, int64_t at_us)
{
    if (!slot->waiting) return;
    agenda_add(&slot->world->agenda, at_us, slot_run, slot, (int64_t)slot->wait);
}

void slot_wait(struct seat *slot, int64_t until_us)
{
    slot->wait++;
    slot->passages = 0;
    slot->waiting = true;
    slot->wait_end_us = until_us;
    if (until_us < slot->world->now_us) until_us = slot->world->now_us;
    slot_wake(slot, until_us);
    coroutine_yield();
}

/* ---- dying in the middle ---- */

static _Noreturn void die_here(struct process *process)
{
    process->crashing = true;
    for (;;) coroutine_yield();
}

static void leave_here(struct process *process, enum point point)
{
    if (process->leave_point != point || --process->leave_countdown > 0) return;
    process->leave_point = POINT_NONE;
    world_trace(process->world, "%s is asked to end at %s", process->owner, point_name(point));
    process->world->sometimes.count[SOMETIMES_LEAVE_AT]++;
    process_leave(process);
}

void slot_pass(struct seat *slot, enum point point)
{
    struct process *process = slot->process;
    if (++slot->passages > PASSAGES_MAX) {
        world_violation(slot->world, "stuck: %s shard %d goes round and round at %s",
                        process->owner, (int)slot->shard, point_name(point));
        slot->world->stopped = true;
        die_here(process);
    }
    leave_here(process, point);
    if (process->crash_point != point || --process->crash_countdown > 0) return;
    process->crash_point = POINT_NONE;
    struct world *world = slot->world;
    if (process->freeze_there) {
        world_trace(world, "%s freezes at %s", process->owner, point_name(point));
        process_freeze(process, process->crash_freeze_us);
        slot_wait(slot, process->frozen_until_us);
        return;
    }
    world_trace(world, "%s dies at %s", process->owner, point_name(point));
    if (point == POINT_COMMIT_BEFORE || point == POINT_COMMIT_AFTER || point == POINT_PRODUCE)
        world->sometimes.count[SOMETIMES_CRASH_IN_COMMIT]++;
    die_here(process);
}

static void aborted(void)
{
    struct process *process = present_slot->process;
    process->world->sometimes.count[SOMETIMES_NO_MEMORY]++;
    world_trace(process->world, "%s: no memory", process->owner);
    die_here(process);
}

static void assertion(const char *text, const char *file, unsigned line)
{
    struct process *process = present_slot->process;
    world_violation(process->world, "assertion %s:%u: %s", file, line, text);
    process->world->stopped = true;
    die_here(process);
}

static const struct heap_endings endings = {aborted, assertion};

/* ---- shards of a process ---- */

static void slot_start(struct seat *slot)
{
    struct process *process = slot->process;
    struct world *world = process->world;
    const struct settings *settings = &world->settings;
    struct engine_options options;
    engine_options_defaults(&options);
    static const char *const topics[] = {"orders", "mail", "audit"};
    options.owner = process->owner;
    options.tz_version = zones_version_name(process->zones_version);
    options.zones = zones_lookup(world->zones, process->zones_version);
    options.shard = slot->shard;
    options.shards = settings->shards;
    options.runs = settings->runs;
    options.runs_append_times = settings->runs;
    options.settings.catchup_rate = settings->catchup_per_second;
    options.settings.checkpoint_interval_ms = settings->checkpoint_interval_ms;
    options.clock_sample_ms = settings->clock_sample_ms;
    options.wait_max_ms = settings->wait_max_ms;
    if (settings->batch_max > 0) { /* small ones, so that all come in several */
        options.batch_outputs_max = (size_t)settings->batch_max;
        options.checkpoint_group_max = (size_t)settings->batch_max;
        options.checkpoint_part_max = (size_t)settings->batch_max / 3 + 1;
    }
    options.fires_topics = topics;
    options.fires_topic_count = FOREIGN_TOPICS;
    options.results_topics = topics;
    options.results_topic_count = process->strict ? 0 : FOREIGN_TOPICS;
    if (process->strict) options.settings.record_bytes = STRICT_BYTES;
    struct heap *before = heap_enter(&process->heap);
    int64_t fail_after = process->heap.fail_after;
    process->heap.fail_after = -1; /* a process dies only in its coroutines */
    slot->broker = broker_simulated_create(slot);
    slot->checkpoint = checkpoint_simulated_create(slot);
    struct engine_ports ports = {.broker = slot->broker,
                                 .checkpoint = slot->checkpoint,
                                 .clock = &process->clock,
                                 .observer = &process->observer,
                                 .own_commit = &slot->own_commit};
    slot->engine = engine_create(&options, &ports);
    process->heap.fail_after = fail_after;
    (void)heap_enter(before);
    slot->coroutine = coroutine_create(run_engine, slot);
    slot->error = (struct error){0};
    slot->failed = false;
    slot->waiting = true;
    slot_wake(slot, world->now_us + world_latency_us(world, 100, 5000));
}

static void leave_when_done(struct process *process)
{
    for (int32_t s = 0; s < process->world->settings.shards; s++)
        if (process->slots[s].coroutine != NULL) return;
    process_kill(process);
}

/* What Kafka has lost is refused each minute until an operator decides: for months there is nothing
 * in it after the first tries. */
static int64_t failed_again_us(struct seat *slot)
{
    const struct losses *losses = &slot->world->losses;
    bool refused = losses->refused[slot->shard] || losses->half[slot->shard];
    slot->refusals = refused ? slot->refusals + 1 : 0;
    return slot->refusals > REFUSALS_MOST ? REFUSED_AGAIN_US : FAILED_AGAIN_US;
}

/* An engine has come to its end: its shard is free again. */
static void slot_tend(void *object, int64_t life)
{
    struct seat *slot = object;
    struct process *process = slot->process;
    struct world *world = process->world;
    if ((int64_t)slot->life != life) return;
    if (slot->coroutine != NULL) {
        if (!slot->done) return;
        bool asked = slot->ending;
        bool good = slot->good;
        struct heap *before = heap_enter(&process->heap);
        int64_t fail_after = process->heap.fail_after;
        process->heap.fail_after = -1;
        engine_destroy(slot->engine);
        slot->broker->operations->destroy(slot->broker);
        checkpoint_simulated_destroy(slot->checkpoint, false);
        process->heap.fail_after = fail_after;
        (void)heap_enter(before);
        slot_release(slot);
        slot->failed = !good;
        slot->not_before_us = world->now_us;
        if (!good) slot->not_before_us += failed_again_us(slot);
        else if (!asked) slot->not_before_us += SECOND_US;
        if (process->leaving) {
            leave_when_done(process);
            return;
        }
    }
    if (!slot->wanted) return;
    if (world->now_us >= slot->not_before_us) slot_start(slot);
    else agenda_add(&world->agenda, slot->not_before_us, slot_tend, slot, (int64_t)slot->life);
}

void process_try_again(struct process *process, int32_t shard)
{
    struct seat *slot = &process->slots[shard];
    slot->refusals = 0;
    if (!process->running || !slot->wanted || slot->coroutine != NULL) return;
    slot->not_before_us = process->world->now_us;
    agenda_add(&process->world->agenda, slot->not_before_us, slot_tend, slot, (int64_t)slot->life);
}

static void wish(struct seat *slot, enum engine_wish wanted)
{
    slot->ending = true;
    engine_wish(slot->engine, wanted);
    if (slot->reading) slot_wake(slot, slot->world->now_us);
}

void process_assign(struct process *process, uint32_t shards)
{
    if (process->leaving) return;
    for (int32_t s = 0; s < process->world->settings.shards; s++) {
        struct seat *slot = &process->slots[s];
        bool wanted = (shards >> s & 1) != 0;
        if (wanted && !slot->wanted) slot->wanted_us = process->world->now_us;
        slot->wanted = wanted;
        if (slot->coroutine == NULL || slot->done) {
            slot->not_before_us = 0;
            if (slot->wanted && slot->coroutine == NULL) slot_start(slot);
        } else if (!slot->ending) {
            if (!slot->wanted) wish(slot, ENGINE_DROP);
            else engine_assigned(slot->engine);
        }
    }
}

bool process_is_live(const struct process *process, int32_t shard)
{
    const struct seat *slot = &process->slots[shard];
    return process->running && slot->coroutine != NULL && !slot->done &&
           engine_status(slot->engine).state == ENGINE_LIVE;
}

/* ---- processes ---- */

void process_start(struct process *process)
{
    struct world *world = process->world;
    assert(!process->running);
    heap_set_endings(&endings);
    process->running = true;
    process->leaving = false;
    process->zones_version = process->zones_next;
    process->strict = process->strict_next;
    world->ever_strict = world->ever_strict || process->strict;
    world->sometimes.count[SOMETIMES_STRICT] += process->strict;
    process->starts++;
    (void)snprintf(process->owner, sizeof process->owner, "p%d-%lld", (int)process->index,
                   (long long)process->starts);
    process->clock = (struct clock){.opaque = process,
                                    .now_ms = clock_now_ms,
                                    .monotonic_us = clock_monotonic_us,
                                    .sleep_ms = clock_sleep_ms};
    process->observer = told_observer(process);
    process->booted_us = elapsed_us(process);
    process->heap.fail_after = -1;
    process->heap.bytes_most = 0;
    process->crash_point = POINT_NONE;
    process->leave_point = POINT_NONE;
    process->init_delay_us = 0;
    process->frozen_until_us = 0;
    process->fetch_from_us = 0;
    process->cut_off_until_us = 0;
    process->member = (struct member){.current = false};
    process->aside = (struct step_aside){0};
    process->away = false;
    process->commits_lost_until_us = 0;
    process->store = store_memory_create(world->redis.image);
    for (int32_t s = 0; s < world->settings.shards; s++) {
        struct seat *slot = &process->slots[s];
        slot->world = world;
        slot->process = process;
        slot->shard = s;
        slot->wanted = false;
        slot->not_before_us = 0;
        slot->taken_sequence = 0;
        slot->own_commit = (struct own_commit){0};
    }
    world_trace(world, "%s starts", process->owner);
    group_join(process);
}

static void start_again(void *object, int64_t starts)
{
    struct process *process = object;
    if (process->starts == starts && !process->running && !process->stays_down)
        process_start(process);
}

void process_kill(struct process *process)
{
    struct world *world = process->world;
    assert(process->running && present_slot == NULL);
    world_trace(world, "%s is gone", process->owner);
    for (int32_t s = 0; s < world->settings.shards; s++) {
        struct seat *slot = &process->slots[s];
        if (slot->coroutine == NULL) continue;
        slot->broker->operations->destroy(slot->broker);
        checkpoint_simulated_destroy(slot->checkpoint, true);
        slot_release(slot);
    }
    if (process->leaving && process->heap.bytes > 0)
        world_violation(world, "memory: %s has ended in order and left %zu bytes behind",
                        process->owner, process->heap.bytes);
    heap_free_all(&process->heap);
    process->store->operations->destroy(process->store);
    process->store = NULL;
    bool in_order = process->leaving;
    process->running = false;
    process->leaving = false;
    if (in_order) {
        world->sometimes.count[SOMETIMES_SHUTDOWN]++;
        group_leave(process);
    } else {
        world->sometimes.count[SOMETIMES_CRASH]++;
        group_silent(process);
    }
    process->member = (struct member){.current = false};
    agenda_add(&world->agenda,
               world->now_us + world_latency_us(world, RESTART_LOW_US, RESTART_HIGH_US),
               start_again, process, process->starts);
}

void process_leave(struct process *process)
{
    if (!process->running || process->leaving) return;
    process->leaving = true;
    for (int32_t s = 0; s < process->world->settings.shards; s++) {
        struct seat *slot = &process->slots[s];
        if (slot->coroutine != NULL && !slot->done) wish(slot, ENGINE_SHUTDOWN);
    }
    leave_when_done(process);
}

bool process_reaches_kafka(const struct process *process)
{
    const struct world *world = process->world;
    return process->running && process->cut_off_until_us <= world->now_us &&
           world->kafka_down_until_us <= world->now_us;
}

bool process_heard(const struct process *process)
{
    return process_reaches_kafka(process) && process->frozen_until_us <= process->world->now_us;
}

static void thaw(void *object, int64_t at_us)
{
    struct process *process = object;
    struct world *world = process->world;
    if (!process->running || process->frozen_until_us != at_us) return;
    /* What came meanwhile must not race with a wait that ends a moment after the waking: the
     * product's waits are short enough to notice, the simulator's are not (world.h). */
    for (int32_t s = 0; s < world->settings.shards; s++) {
        const struct seat *slot = &process->slots[s];
        if (slot->waiting && slot->reading && slot->wait_end_us > world->now_us &&
            slot->wait_end_us < world->now_us + SECOND_US) {
            process_freeze(process, slot->wait_end_us + 600 * MILLI_US - world->now_us);
            return;
        }
    }
    process->fetch_from_us = world->now_us + world_latency_us(world, 0, 200 * MILLI_US);
    bool moved = false;
    for (int32_t s = 0; s < world->settings.shards; s++)
        moved = moved || (process->slots[s].wanted &&
                          (world->group.shards[process->index] >> s & 1) == 0);
    if (moved) world->sometimes.count[SOMETIMES_ZOMBIE]++;
    world_trace(world, "%s wakes%s", process->owner, moved ? " as a zombie" : "");
    if (process_heard(process)) group_heard(process);
}

void process_freeze(struct process *process, int64_t for_us)
{
    struct world *world = process->world;
    int64_t until_us = world->now_us + for_us;
    if (!process->running || until_us <= process->frozen_until_us) return;
    bool heard = process_heard(process);
    process->frozen_until_us = until_us;
    if (world->settings.runs) work_log_freeze(world, process->owner, until_us);
    world->sometimes.count[SOMETIMES_FREEZE]++;
    if (heard) group_silent(process);
    agenda_add(&world->agenda, until_us, thaw, process, until_us);
}

static void heard_again(void *object, int64_t number)
{
    struct process *process = object;
    struct world *world = process->world;
    (void)number;
    if (!process->running || !process_reaches_kafka(process)) return;
    if (process_heard(process)) group_heard(process);
    for (int32_t s = 0; s < world->settings.shards; s++)
        if (process->slots[s].reading)
            slot_wake(&process->slots[s], world->now_us + world_latency_us(world, 0, 20000));
}

void world_kafka_down(struct world *world, int64_t for_us)
{
    int64_t until_us = world->now_us + for_us;
    if (until_us <= world->kafka_down_until_us) return;
    world->kafka_down_until_us = until_us;
    world->sometimes.count[SOMETIMES_KAFKA_DOWN]++;
    workers_kafka_down(world, until_us);
    for (int32_t p = 0; p < world->settings.processes; p++) {
        world->group.missed[p]++; /* sessions begin anew when it is back */
        agenda_add(&world->agenda, until_us, heard_again, &world->processes[p], 0);
    }
}

void process_cut_off(struct process *process, int64_t for_us)
{
    struct world *world = process->world;
    int64_t until_us = world->now_us + for_us;
    if (!process->running || until_us <= process->cut_off_until_us) return;
    bool heard = process_heard(process);
    process->cut_off_until_us = until_us;
    if (world->cut_count < CUTS_MAX)
        world->cuts[world->cut_count++] =
            (struct cut){world_now_ms(world), world->settings.start_ms + until_us / MILLI_US};
    world->sometimes.count[SOMETIMES_CUT_OFF]++;
    if (heard) group_silent(process);
    agenda_add(&world->agenda, until_us, heard_again, process, 0);
}
