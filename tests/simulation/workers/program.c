/* The programs that workers start, and their leases: a sign of life every third of it, an end asked
 * for at two thirds without an acknowledged one, a kill before anybody may take them for lost. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulation/workers/inside.h"

#define MARGIN_MIN_US SECOND_US
#define STOPS_US (2 * SECOND_US)

static struct world *world_of(const struct worker *worker)
{
    return worker->crew->world;
}

static bool has_lease(const struct worker *worker)
{
    return worker->crew->index != CREW_FIXED;
}

static int64_t lease_us(const struct task *task)
{
    return task->lease_ms * MILLI_US;
}

int64_t task_margin_us(const struct task *task)
{
    int64_t tenth_us = lease_us(task) / 10;
    return tenth_us > MARGIN_MIN_US ? tenth_us : MARGIN_MIN_US;
}

int64_t task_kill_us(const struct task *task)
{
    return task->sent_us + lease_us(task) - task_margin_us(task);
}

static int64_t term_us(const struct task *task)
{
    return task->sent_us + lease_us(task) * 2 / 3;
}

/* ---- a program ---- */

/* 10 ms to three leases. */
static int64_t duration_us(struct world *world, const struct task *task)
{
    if (world->workers->calm) return workers_between(world, 10 * MILLI_US, SECOND_US);
    if (workers_chance(world, 1, 2)) return workers_between(world, 10 * MILLI_US, 5 * SECOND_US);
    int64_t most_us = lease_us(task) / 10 * world->workers->longest_leases;
    if (workers_chance(world, 1, 2)) most_us = lease_us(task) / 2;
    return workers_between(world, 10 * MILLI_US, most_us);
}

static enum run_outcome outcome(struct world *world)
{
    static const enum run_outcome bad[] = {RUN_FAILURE, RUN_FAILURE, RUN_FAILURE, RUN_TIMEOUT,
                                           RUN_REFUSED};
    if (world->workers->calm || workers_chance(world, 2, 3)) return RUN_SUCCESS;
    return bad[workers_between(world, 0, 4)];
}

static void log_start(struct worker *worker, struct task *task, bool late)
{
    const struct crew *crew = worker->crew;
    struct work work = {.runnumber = task->runnumber,
                        .try = task->try,
                        .worker = worker->index,
                        .shard = task->shard,
                        .limits = late ? WORK_STARTED_LATE : 0};
    (void)snprintf(work.run, sizeof work.run, "%s", task->run);
    (void)snprintf(work.job, sizeof work.job, "%s", task->job);
    (void)snprintf(work.token, sizeof work.token, "%s", task->token);
    (void)snprintf(work.workers, sizeof work.workers, "%s", crew_name(crew->index));
    if (!has_lease(worker)) work.limits |= WORK_NOT_CLAIMED;
    if (task->offset < crew->set_back[task->read_from]) work.limits |= WORK_SET_BACK;
    task->work = work_log_start(world_of(worker), &work);
}

void program_start(struct worker *worker, struct task *task, bool late)
{
    struct world *world = world_of(worker);
    enum stop stop = task->stop;
    task->state = TASK_WORKS;
    task->end_us = world->now_us + duration_us(world, task);
    task->stop_us = INT64_MAX;
    task->outcome = outcome(world);
    task->renew_us = task->sent_us + lease_us(task) / 3;
    task->stop = STOP_NONE;
    log_start(worker, task, late);
    world->sometimes.count[SOMETIMES_PROGRAM_STARTED]++;
    world->sometimes.count[SOMETIMES_STARTED_LATE] += late;
    if (worker->leaving) program_stop(worker, task, STOP_RELEASED);
    else if (stop != STOP_NONE) program_stop(worker, task, stop);
}

/* Most listen at once. */
void program_stop(struct worker *worker, struct task *task, enum stop stop)
{
    struct world *world = world_of(worker);
    if (task->state != TASK_WORKS) {
        if (task->stop == STOP_NONE) task->stop = stop;
        return;
    }
    if (task->stop != STOP_NONE) return;
    bool deaf = !world->workers->calm && stop != STOP_RELEASED && workers_chance(world, 1, 6);
    task->stop = stop;
    task->stop_us = deaf ? INT64_MAX : world->now_us + workers_between(world, 0, STOPS_US);
    worker_wake(worker, world->now_us);
}

/* ---- how it ends ---- */

static const char *more_of(struct world *world, enum run_outcome ended, char more[120])
{
    more[0] = '\0';
    switch (ended) {
    case RUN_FAILURE:
        if (workers_chance(world, 1, 3))
            (void)snprintf(more, 120, ",\"exit_code\":%d", (int)workers_between(world, 1, 3));
        else if (workers_chance(world, 1, 4))
            (void)snprintf(more, 120, ",\"retry_after\":\"%ds\"",
                           (int)workers_between(world, 1, 600));
        else if (workers_chance(world, 1, 3))
            (void)snprintf(more, 120, ",\"cursor\":\"row %d\",\"error\":{\"code\":\"E%d\"}",
                           (int)workers_between(world, 1, 9999),
                           (int)workers_between(world, 1, 9));
        break;
    case RUN_SUCCESS:
        if (workers_chance(world, 1, 6)) (void)snprintf(more, 120, ",\"result\":{\"rows\":7}");
        break;
    case RUN_TIMEOUT:
        if (workers_chance(world, 1, 3)) (void)snprintf(more, 120, ",\"signal\":15");
        break;
    default: break;
    }
    return more;
}

static void report_end(struct worker *worker, struct task *task, enum run_outcome ended)
{
    char more[120];
    post_send(worker, task, POST_FINAL, run_outcome_word(ended),
              more_of(world_of(worker), ended, more));
    task->state = TASK_OVER;
}

/* It has come to its end, or has listened. */
static void end_program(struct worker *worker, struct task *task, int64_t at_us)
{
    struct world *world = world_of(worker);
    bool by_itself = task->end_us <= at_us;
    if (by_itself && (task->outcome == RUN_SUCCESS || task->stop == STOP_NONE)) {
        work_log_end(world, task->work, at_us, WORK_ENDED, task->outcome);
        report_end(worker, task, task->outcome);
    } else if (task->stop == STOP_RELEASED) {
        work_log_end(world, task->work, at_us, WORK_RELEASED, RUN_FAILURE);
        post_send(worker, task, POST_FINAL, "released", "");
        task->state = TASK_OVER;
    } else {
        enum run_outcome ended =
            task->stop == STOP_CANCELLED ? RUN_CANCELLED : RUN_LOST_LEASE;
        world->sometimes.count[SOMETIMES_PROGRAM_CANCELLED] += ended == RUN_CANCELLED;
        work_log_end(world, task->work, at_us, WORK_ENDED, ended);
        report_end(worker, task, ended);
    }
}

static void kill_program(struct worker *worker, struct task *task, int64_t at_us)
{
    struct world *world = world_of(worker);
    world->sometimes.count[SOMETIMES_PROGRAM_KILLED]++;
    work_log_end(world, task->work, at_us, WORK_KILLED, RUN_LOST_LEASE);
    report_end(worker, task, RUN_LOST_LEASE);
}

static int64_t stops_at_us(const struct task *task)
{
    return task->end_us < task->stop_us ? task->end_us : task->stop_us;
}

static void renew(struct worker *worker, struct task *task)
{
    struct world *world = world_of(worker);
    char more[40] = "";
    if (workers_chance(world, 1, 4))
        (void)snprintf(more, sizeof more, ",\"cursor\":\"at %d\"",
                       (int)workers_between(world, 1, 9999));
    task->renew_us = worker_clock_us(worker) + lease_us(task) / 3;
    post_send(worker, task, POST_RUNNING, "running", more);
}

/* False: it is not at work any more. */
static bool watch_one(struct worker *worker, struct task *task)
{
    struct world *world = world_of(worker);
    int64_t clock_us = worker_clock_us(worker);
    if (stops_at_us(task) <= world->now_us) {
        end_program(worker, task, world->now_us);
        return worker_pass(worker, WORKER_ENDS);
    }
    if (!has_lease(worker)) return true;
    if (clock_us >= task_kill_us(task)) {
        kill_program(worker, task, world->now_us);
        return worker_pass(worker, WORKER_ENDS);
    }
    if (clock_us >= term_us(task) && task->stop == STOP_NONE) {
        world->sometimes.count[SOMETIMES_PROGRAM_TERM]++;
        program_stop(worker, task, STOP_LOST_LEASE);
    }
    if (clock_us < task->renew_us || task->stop == STOP_LOST_LEASE) return true;
    renew(worker, task);
    return worker_pass(worker, WORKER_RENEWS);
}

static void read_cancels(struct worker *worker)
{
    const struct workers *workers = world_of(worker)->workers;
    if (!worker_reaches_kafka(worker)) return;
    for (; worker->cancels < workers->cancel_count; worker->cancels++) {
        const struct asked_stop *asked = &workers->cancels[worker->cancels];
        for (size_t i = 0; i < worker->task_count; i++) {
            struct task *task = &worker->tasks[i];
            if (task->runnumber == asked->runnumber && task->state != TASK_OVER &&
                strcmp(task->run, asked->run) == 0)
                program_stop(worker, task, STOP_CANCELLED);
        }
    }
}

void programs_watch(struct worker *worker)
{
    read_cancels(worker);
    for (size_t i = 0; i < worker->task_count; i++)
        if (worker->tasks[i].state == TASK_WORKS && !watch_one(worker, &worker->tasks[i])) return;
}

int64_t programs_next_us(const struct worker *worker)
{
    int64_t at_us = INT64_MAX;
    for (size_t i = 0; i < worker->task_count; i++) {
        const struct task *task = &worker->tasks[i];
        if (task->state != TASK_WORKS) continue;
        int64_t next_us = stops_at_us(task);
        if (next_us < at_us) at_us = next_us;
        if (!has_lease(worker)) continue;
        int64_t clock_us = task_kill_us(task);
        if (task->stop == STOP_NONE && term_us(task) < clock_us) clock_us = term_us(task);
        if (task->stop != STOP_LOST_LEASE && task->renew_us < clock_us) clock_us = task->renew_us;
        next_us = worker_when_us(worker, clock_us);
        if (next_us < at_us) at_us = next_us;
    }
    return at_us;
}

/* ---- their worker dies, or wakes ---- */

/* A program of its own ends when it ends, and nobody says so. */
static void ends_alone(void *object, int64_t work)
{
    work_log_end(object, (size_t)work, ((struct world *)object)->now_us, WORK_DIED, RUN_FAILURE);
}

void programs_die(struct worker *worker, bool alone)
{
    struct world *world = world_of(worker);
    bool frozen = worker->frozen_until_us > world->now_us && !worker->frozen_alone;
    for (size_t i = 0; i < worker->task_count; i++) {
        const struct task *task = &worker->tasks[i];
        if (task->state != TASK_WORKS) continue;
        if (alone && task->end_us > world->now_us) {
            world->sometimes.count[SOMETIMES_PROGRAM_RAN_ON]++;
            world->work_log.works[task->work].limits |= WORK_RAN_ON;
            agenda_add(&world->agenda, task->end_us, ends_alone, world, (int64_t)task->work);
            continue;
        }
        int64_t at_us = frozen ? worker->frozen_from_us : world->now_us;
        work_log_end(world, task->work, at_us < task->end_us ? at_us : task->end_us, WORK_DIED,
                     RUN_FAILURE);
    }
}

/* The whole machine stood still: programs did nothing meanwhile, and what is over its lease is
 * killed before it does anything. */
static void thaw_one(struct worker *worker, struct task *task, int64_t slept_us)
{
    struct world *world = world_of(worker);
    bool over = has_lease(worker) && worker_clock_us(worker) >= task_kill_us(task);
    if (!worker->frozen_alone) {
        task->end_us += slept_us;
        if (task->stop_us < INT64_MAX) task->stop_us += slept_us;
        if (over) kill_program(worker, task, worker->frozen_from_us);
        return;
    }
    int64_t kill_us = world->now_us - (worker_clock_us(worker) - task_kill_us(task));
    int64_t end_us = stops_at_us(task);
    if (over && end_us > kill_us) {
        world->sometimes.count[SOMETIMES_PROGRAM_RAN_ON]++;
        world->work_log.works[task->work].limits |= WORK_RAN_ON;
    }
    if (end_us <= world->now_us) end_program(worker, task, end_us);
}

void programs_thaw(struct worker *worker)
{
    int64_t slept_us = world_of(worker)->now_us - worker->frozen_from_us;
    for (size_t i = 0; i < worker->task_count; i++)
        if (worker->tasks[i].state == TASK_WORKS)
            thaw_one(worker, &worker->tasks[i], slept_us);
}
