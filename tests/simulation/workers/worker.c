/* Workers as processes: their clocks, how they start, end, die, freeze and wake. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/workers/inside.h"

#define RESTART_LOW_US SECOND_US
#define RESTART_HIGH_US (60 * SECOND_US)
#define MILLION INT64_C(1000000)

struct worker *worker_find(struct world *world, int64_t worker)
{
    if (world->workers == NULL || worker < 0 || worker >= WORKERS_MAX) return NULL;
    struct crew *crew = &world->workers->crews[worker / CREW_WORKERS_MAX];
    struct worker *found = &crew->workers[worker % CREW_WORKERS_MAX];
    return found->exists ? found : NULL;
}

int64_t workers_between(struct world *world, int64_t low, int64_t high)
{
    return random_between(&world->workers->dice, low, high);
}

bool workers_chance(struct world *world, uint32_t hits, uint32_t of)
{
    return random_chance(&world->workers->dice, hits, of);
}

static struct world *world_of(const struct worker *worker)
{
    return worker->crew->world;
}

/* ---- clocks ---- */

int64_t worker_clock_us(const struct worker *worker)
{
    int64_t passed_us = world_of(worker)->now_us - worker->drift_from_us;
    return worker->drift_base_us + passed_us + passed_us / 1000 * worker->drift_ppm / 1000;
}

/* Never too early: then its clock shows at least that. */
int64_t worker_when_us(const struct worker *worker, int64_t clock_us)
{
    int64_t wait_us = clock_us - worker_clock_us(worker);
    if (wait_us <= 0) return world_of(worker)->now_us;
    return world_of(worker)->now_us + wait_us * 1000 / (1000 + worker->drift_ppm / 1000) + 2000;
}

void worker_drift(struct world *world, int64_t index, int64_t ppm)
{
    struct worker *worker = worker_find(world, index);
    if (worker == NULL) return;
    int64_t clock_us = worker_clock_us(worker);
    worker->drift_base_us = clock_us;
    worker->drift_from_us = world->now_us;
    worker->drift_ppm = ppm;
    worker_wake(worker, world->now_us);
}

bool worker_reaches_kafka(const struct worker *worker)
{
    const struct world *world = world_of(worker);
    return worker->running && worker->cut_off_until_us <= world->now_us &&
           world->kafka_down_until_us <= world->now_us;
}

bool worker_is_heard(const struct worker *worker)
{
    return worker_reaches_kafka(worker) && worker->frozen_until_us <= world_of(worker)->now_us;
}

/* ---- what it does when something may have changed ---- */

static int64_t next_us(const struct worker *worker)
{
    int64_t at_us = programs_next_us(worker);
    for (size_t i = 0; i < worker->task_count; i++)
        if (worker->tasks[i].state == TASK_HEARD && worker->commits_from_us < at_us &&
            worker->commits_from_us > world_of(worker)->now_us)
            at_us = worker->commits_from_us;
    return at_us;
}

static void drop_ended(struct worker *worker)
{
    size_t kept = 0;
    for (size_t i = 0; i < worker->task_count; i++) {
        const struct task *task = &worker->tasks[i];
        bool waits = task->place >= 0 && task->offset >= worker->committed[task->place];
        if (task->state == TASK_OVER && !(worker->crew->index == CREW_FIXED && waits)) continue;
        worker->tasks[kept++] = *task;
    }
    worker->task_count = kept;
}

static void step(void *object, int64_t wakes)
{
    struct worker *worker = object;
    const struct world *world = world_of(worker);
    if (!worker->running || (int64_t)worker->wakes != wakes) return;
    worker->wake_us = INT64_MAX;
    if (worker->frozen_until_us > world->now_us) return; /* its waking goes on */
    uint64_t life = worker->life;
    claim_start(worker);
    programs_watch(worker);
    if (!worker->leaving) claim_read(worker);
    claim_say(worker);
    if (worker->running && worker->life == life) claim_commit(worker);
    if (!worker->running || worker->life != life) return;
    drop_ended(worker);
    int64_t at_us = next_us(worker);
    if (at_us < INT64_MAX) worker_wake(worker, at_us > world->now_us ? at_us : world->now_us + 1);
}

void worker_wake(struct worker *worker, int64_t at_us)
{
    if (!worker->running || worker->wake_us <= at_us) return;
    worker->wake_us = at_us;
    agenda_add(&world_of(worker)->agenda, at_us, step, worker, (int64_t)++worker->wakes);
}

struct task *worker_task(struct worker *worker, const char *token)
{
    for (size_t i = 0; i < worker->task_count; i++)
        if (strcmp(worker->tasks[i].token, token) == 0) return &worker->tasks[i];
    return NULL;
}

/* ---- life ---- */

static void start(struct worker *worker)
{
    struct world *world = world_of(worker);
    worker->running = true;
    worker->leaving = false;
    worker->life++;
    worker->wake_us = INT64_MAX;
    worker->task_count = 0;
    worker->generation = -1;
    worker->lets_go = false;
    worker->committing = false;
    worker->commit++;
    worker->commits_from_us = 0;
    worker->cancels = world->workers->cancel_count; /* from its end */
    worker->frozen_until_us = 0;
    worker->cut_off_until_us = 0;
    for (int place = 0; place < PLACES; place++) worker->assigned[place] = false;
    world_trace(world, "worker %d of %s starts", (int)worker->index,
                crew_name(worker->crew->index));
    crew_join(worker);
}

static void start_again(void *object, int64_t life)
{
    struct worker *worker = object;
    if (!worker->running && (int64_t)worker->life == life && worker->starts_us > 0) start(worker);
}

static void start_later(struct worker *worker)
{
    struct world *world = world_of(worker);
    int64_t high_us = world->workers->calm ? 2 * SECOND_US : RESTART_HIGH_US;
    worker->starts_us = world->now_us + workers_between(world, RESTART_LOW_US, high_us);
    agenda_add(&world->agenda, worker->starts_us, start_again, worker, (int64_t)worker->life);
}

static void end_life(struct worker *worker)
{
    worker->running = false;
    worker->task_count = 0;
    worker->wakes++;
    worker->wake_us = INT64_MAX;
    start_later(worker);
}

void worker_dies(struct worker *worker, bool alone)
{
    struct world *world = world_of(worker);
    world_trace(world, "worker %d dies", (int)worker->index);
    world->sometimes.count[SOMETIMES_WORKER_DIED]++;
    programs_die(worker, alone);
    crew_silent(worker);
    end_life(worker);
}

/* Its programs have stopped, and what they say is on its way. */
static void left(void *object, int64_t life)
{
    struct worker *worker = object;
    struct world *world = world_of(worker);
    if (!worker->running || !worker->leaving || (int64_t)worker->life != life) return;
    bool works = worker->frozen_until_us > world->now_us || worker->committing;
    for (size_t i = 0; i < worker->task_count; i++)
        works = works || worker->tasks[i].state == TASK_WORKS ||
                worker->tasks[i].state == TASK_CHECKED ||
                worker->tasks[i].state == TASK_COMMITTED;
    if (works) {
        agenda_add(&world->agenda, world->now_us + 500 * MILLI_US, left, worker, life);
        return;
    }
    world->sometimes.count[SOMETIMES_WORKER_DRAINED]++;
    crew_leave(worker);
    end_life(worker);
}

static void leave(struct worker *worker)
{
    if (worker->leaving) return;
    worker->leaving = true;
    claim_forget(worker);
    for (size_t i = 0; i < worker->task_count; i++)
        if (worker->tasks[i].state == TASK_WORKS)
            program_stop(worker, &worker->tasks[i], STOP_RELEASED);
    worker_wake(worker, world_of(worker)->now_us);
    left(worker, (int64_t)worker->life);
}

/* ---- frozen, cut off ---- */

static void thaw(void *object, int64_t at_us)
{
    struct worker *worker = object;
    if (!worker->running || worker->frozen_until_us != at_us) return;
    programs_thaw(worker);
    if (worker_is_heard(worker)) crew_heard(worker);
    worker_wake(worker, world_of(worker)->now_us);
}

static void freeze(struct worker *worker, int64_t for_us, bool alone)
{
    struct world *world = world_of(worker);
    if (worker->frozen_until_us > world->now_us) return;
    bool heard = worker_is_heard(worker);
    worker->frozen_from_us = world->now_us;
    worker->frozen_until_us = world->now_us + for_us;
    worker->frozen_alone = alone;
    world->sometimes.count[alone ? SOMETIMES_WORKER_FROZEN_ALONE : SOMETIMES_WORKER_FROZEN]++;
    world_trace(world, "worker %d freezes for %lld ms%s", (int)worker->index,
                (long long)(for_us / MILLI_US), alone ? ", its programs go on" : "");
    if (heard) crew_silent(worker);
    agenda_add(&world->agenda, worker->frozen_until_us, thaw, worker, worker->frozen_until_us);
}

static void heard_again(void *object, int64_t life)
{
    struct worker *worker = object;
    if (!worker->running || (int64_t)worker->life != life || !worker_is_heard(worker)) return;
    crew_heard(worker);
    worker_wake(worker, world_of(worker)->now_us);
}

static void kafka_back(void *object, int64_t number)
{
    struct worker *worker = object;
    (void)number;
    if (worker_is_heard(worker)) heard_again(worker, (int64_t)worker->life);
    else if (worker->joined) crew_silent(worker);
}

static void cut_off(struct worker *worker, int64_t for_us)
{
    struct world *world = world_of(worker);
    int64_t until_us = world->now_us + for_us;
    if (until_us <= worker->cut_off_until_us) return;
    bool heard = worker_is_heard(worker);
    worker->cut_off_until_us = until_us;
    world->sometimes.count[SOMETIMES_WORKER_CUT_OFF]++;
    if (heard) crew_silent(worker);
    agenda_add(&world->agenda, until_us, heard_again, worker, (int64_t)worker->life);
}

void workers_kafka_down(struct world *world, int64_t until_us)
{
    if (world->workers == NULL) return;
    work_log_hinder(world, -1, until_us);
    for (int64_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *worker = worker_find(world, i);
        if (worker == NULL) continue;
        worker->missed++; /* sessions begin anew when it is back */
        agenda_add(&world->agenda, until_us, kafka_back, worker, 0);
    }
}

/* ---- what is done to it ---- */

static void harm_it(struct worker *worker, enum worker_harm harm, int64_t ms)
{
    if (!worker->running) return;
    switch (harm) {
    case HARM_DIES: worker_dies(worker, false); return;
    case HARM_DIES_ALONE: worker_dies(worker, true); return;
    case HARM_FREEZES: freeze(worker, ms * MILLI_US, false); return;
    case HARM_FREEZES_ALONE: freeze(worker, ms * MILLI_US, true); return;
    case HARM_CUT_OFF: cut_off(worker, ms * MILLI_US); return;
    case HARM_EXPELLED: crew_expel(worker); return;
    case HARM_LEAVES: leave(worker); return;
    case WORKER_HARM_COUNT: return;
    }
}

void worker_harm(struct world *world, int64_t index, enum worker_harm harm, int64_t ms)
{
    struct worker *worker = worker_find(world, index);
    if (worker != NULL) harm_it(worker, harm, ms);
}

void worker_harm_at(struct world *world, int64_t index, enum worker_point point,
                    enum worker_harm harm, int64_t ms)
{
    struct worker *worker = worker_find(world, index);
    if (worker == NULL || point < 0 || point >= WORKER_POINT_COUNT) return;
    worker->armed[point] = (struct armed){true, harm, ms};
}

bool worker_pass(struct worker *worker, enum worker_point point)
{
    struct armed armed = worker->armed[point];
    if (armed.set) {
        uint64_t life = worker->life;
        worker->armed[point].set = false;
        world_of(worker)->sometimes.count[SOMETIMES_WORKER_HARMED_AT]++;
        harm_it(worker, armed.harm, armed.ms);
        if (worker->life != life) return false;
    }
    return worker->running && worker->frozen_until_us <= world_of(worker)->now_us;
}

void worker_posts(struct world *world, int64_t index, enum post_fate fate, int64_t count,
                  int64_t ms)
{
    struct worker *worker = worker_find(world, index);
    if (worker == NULL) return;
    worker->post_fate = fate;
    worker->post_count = count;
    worker->post_ms = ms;
}

void worker_offsets(struct world *world, int64_t index, enum offsets_fate fate, int64_t count,
                    int64_t ms)
{
    struct worker *worker = worker_find(world, index);
    if (worker == NULL) return;
    worker->offsets_fate = fate;
    worker->offsets_count = count;
    worker->offsets_ms = ms;
}

/* ---- all of them ---- */

static void open_crew(struct workers *workers, int32_t index)
{
    struct crew *crew = &workers->crews[index];
    struct world *world = workers->world;
    crew->world = world;
    crew->index = index;
    int64_t count = workers_between(world, 1, CREW_WORKERS_MAX);
    bool one = workers_chance(world, 1, 2); /* many at once, or one */
    for (int32_t i = 0; i < CREW_WORKERS_MAX; i++) {
        struct worker *worker = &crew->workers[i];
        *worker = (struct worker){.crew = crew,
                                  .index = index * CREW_WORKERS_MAX + i,
                                  .exists = i < count,
                                  .wake_us = INT64_MAX,
                                  .generation = -1,
                                  .capacity = one ? 1 : workers_between(world, 1, 50)};
    }
}

void workers_open(struct world *world)
{
    world->workers = NULL;
    if (!world->settings.runs) return;
    struct workers *workers = memory_allocate(1, sizeof *workers);
    world->workers = workers;
    workers->world = world;
    workers->dice = random_from(world->seed, 7);
    workers->longest_leases = workers_chance(world, 1, 2) ? 30 : workers_between(world, 1, 30);
    for (int32_t i = 0; i < CREWS; i++) open_crew(workers, i);
}

void workers_close(struct world *world)
{
    struct workers *workers = world->workers;
    if (workers == NULL) return;
    posts_drop(world);
    offsets_drop(world);
    for (int i = 0; i < CREWS; i++)
        for (int j = 0; j < CREW_WORKERS_MAX; j++) free(workers->crews[i].workers[j].tasks);
    free(workers->cancels);
    free(workers);
    world->workers = NULL;
}

void workers_start(struct world *world)
{
    for (int64_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *worker = worker_find(world, i);
        bool nobody = worker != NULL && worker->crew->index == CREW_NOBODY;
        if (worker != NULL && !worker->running && (!nobody || world->workers->calm)) start(worker);
    }
}

static void calm_worker(struct world *world, struct worker *worker)
{
    worker_drift(world, worker->index, 0);
    memset(worker->armed, 0, sizeof worker->armed);
    worker->post_count = 0;
    worker->offsets_count = 0;
    for (size_t i = 0; i < worker->task_count; i++) {
        struct task *task = &worker->tasks[i];
        if (task->state != TASK_WORKS) continue;
        if (task->end_us > world->now_us + MINUTE_US) task->end_us = world->now_us + MINUTE_US;
        if (task->stop == STOP_NONE) task->outcome = RUN_SUCCESS;
    }
    worker_wake(worker, world->now_us);
}

void workers_calm(struct world *world)
{
    if (world->workers == NULL) return;
    world->workers->calm = true;
    for (int64_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *worker = worker_find(world, i);
        if (worker != NULL) calm_worker(world, worker);
    }
    workers_start(world);
}

int64_t workers_calm_us(const struct world *world)
{
    int64_t at_us = world->now_us;
    for (int64_t i = 0; i < WORKERS_MAX && world->workers != NULL; i++) {
        const struct worker *worker = worker_find((struct world *)world, i);
        if (worker == NULL || !worker->running) continue;
        if (worker->frozen_until_us > at_us) at_us = worker->frozen_until_us;
        if (worker->cut_off_until_us > at_us) at_us = worker->cut_off_until_us;
    }
    return at_us;
}
