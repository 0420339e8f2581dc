/* The three steps of a claim: `started` is in the log in time, the offset is committed, and there
 * is time left. In the order of offsets, and never back. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/workers/inside.h"
#include "tests/simulation/world/json_scan.h"

#define OFFSETS_LIMIT_US (5 * SECOND_US)

static struct world *world_of(const struct worker *worker)
{
    return worker->crew->world;
}

static bool claims(const struct worker *worker)
{
    return worker->crew->index != CREW_FIXED;
}

/* ---- reading ---- */

static void copy(char *to, size_t bytes, struct text text)
{
    assert(text.length < bytes);
    if (text.length > 0) memcpy(to, text.bytes, text.length);
    to[text.length] = '\0';
}

static void new_token(struct worker *worker, struct task *task)
{
    (void)snprintf(task->token, sizeof task->token, "t%d-%llu-%lld", (int)worker->index,
                   (unsigned long long)worker->life, (long long)++worker->tokens);
}

static void take_fire(struct worker *worker, int32_t place, const struct record *fire)
{
    struct text value = fire->value;
    worker->tasks = memory_grow(worker->tasks, &worker->task_capacity, worker->task_count + 1,
                                sizeof *worker->tasks);
    struct task *task = &worker->tasks[worker->task_count++];
    *task = (struct task){
        .place = place, .read_from = place, .offset = fire->offset, .state = TASK_READ};
    copy(task->run, sizeof task->run, scan_text(value, "\"id\":\""));
    copy(task->job, sizeof task->job, scan_text(value, "\"subject\":\""));
    task->runnumber = scan_number(value, "\"runnumber\":\"", 0);
    task->try = scan_number(value, "\"try\":", 0);
    task->lease_ms = scan_number(value, "\"leasems\":", 0);
    task->expires_ms = scan_instant(value, "\"expirytime\":\"");
    if (task->expires_ms == INT64_MIN) task->expires_ms = INT64_MAX;
    task->shard =
        (int32_t)scan_number(scan_text(value, "\"source\":\"/belfry/"), "belfry/", -1);
    assert(task->runnumber > 0 && task->lease_ms > 0 && task->shard >= 0);
    new_token(worker, task);
}

static bool is_mine(const struct worker *worker, const struct record *fire)
{
    return text_equal(scan_text(fire->value, "\"workers\":\""),
                      text_of(crew_name(worker->crew->index)));
}

static size_t in_hand(const struct worker *worker)
{
    size_t count = 0;
    for (size_t i = 0; i < worker->task_count; i++) count += worker->tasks[i].state != TASK_OVER;
    return count;
}

/* Only what it has a free place for. */
void claim_read(struct worker *worker)
{
    struct world *world = world_of(worker);
    if (!worker_reaches_kafka(worker)) return;
    size_t room = (size_t)worker->capacity;
    size_t busy = in_hand(worker);
    for (int32_t place = 0; place < PLACES && busy < room; place++) {
        const struct record *fire = NULL;
        while (worker->assigned[place] && busy < room &&
               (fire = log_next(place_log(world, place), worker->position[place])) != NULL) {
            worker->position[place] = fire->offset + 1;
            if (!is_mine(worker, fire)) continue;
            take_fire(worker, place, fire);
            busy++;
            if (!worker_pass(worker, WORKER_READ)) return;
        }
    }
}

/* ---- the first step ---- */

/* It cannot be started in time any more: nothing is said, it is claimed anew. Not where a commit
 * may have happened: that has to be known first. */
static bool too_late(const struct worker *worker, const struct task *task)
{
    return (task->state == TASK_SAID || task->state == TASK_HEARD) && !task->asked &&
           worker_clock_us(worker) >= task_kill_us(task);
}

static void say_started(struct worker *worker, struct task *task)
{
    char place[120];
    task->state = TASK_SAID;
    task->sent_us = worker_clock_us(worker);
    (void)snprintf(place, sizeof place, ",\"topic\":\"%s\",\"partition\":%d,\"offset\":%lld",
                   place_topic(task->place), (int)place_partition(task->place),
                   (long long)task->offset);
    post_send(worker, task, POST_STARTED, "started", place);
}

void claim_say(struct worker *worker)
{
    for (size_t i = 0; i < worker->task_count; i++) {
        struct task *task = &worker->tasks[i];
        if (too_late(worker, task)) {
            new_token(worker, task);
            task->state = TASK_READ;
        }
        if (task->state != TASK_READ) continue;
        if (!claims(worker)) {
            program_start(worker, task, false);
            continue;
        }
        say_started(worker, task);
        if (!worker_pass(worker, WORKER_SAID)) return;
    }
}

void claim_heard(struct worker *worker, struct task *task, int64_t sent_us, int64_t appended_ms)
{
    if (task->state != TASK_SAID) return;
    bool late = appended_ms >= task->expires_ms;
    task->state = late ? TASK_LATE : TASK_HEARD;
    task->sent_us = sent_us;
    world_of(worker)->sometimes.count[SOMETIMES_CLAIM_EXPIRED] += late;
    if (worker_pass(worker, WORKER_HEARD)) worker_wake(worker, world_of(worker)->now_us);
}

/* ---- the second step ---- */

struct offsets { /* a request to commit them, and its answer */
    struct worker *worker;
    uint64_t life;
    uint64_t member;
    uint64_t commit;
    int64_t generation;
    enum offsets_fate fate;
    int64_t give_up_us;
    bool answered; /* neither yes nor no where not */
    bool good;
    int64_t offset[PLACES]; /* -1: none */
};

static void start_committed(struct worker *worker, const struct offsets *request)
{
    for (size_t i = 0; i < worker->task_count; i++) {
        struct task *task = &worker->tasks[i];
        if (task->place < 0 || task->state > TASK_LATE ||
            task->offset >= request->offset[task->place])
            continue;
        task->state = task->state == TASK_HEARD ? TASK_COMMITTED : TASK_OVER;
    }
    for (int place = 0; place < PLACES; place++)
        if (worker->assigned[place] && request->offset[place] > worker->committed[place])
            worker->committed[place] = request->offset[place];
    if (worker_pass(worker, WORKER_COMMITTED)) claim_start(worker);
}

/* Thrown out, or of a generation that is over: what is unclaimed there is another's. */
static void drop_refused(struct worker *worker, const struct offsets *request)
{
    world_of(worker)->sometimes.count[SOMETIMES_OFFSETS_REFUSED]++;
    for (int place = 0; place < PLACES; place++)
        if (request->offset[place] >= 0) worker->refused[place] = true;
    for (size_t i = 0; i < worker->task_count; i++) {
        struct task *task = &worker->tasks[i];
        if (task->place < 0 || request->offset[task->place] < 0) continue;
        if (task->state <= TASK_LATE) task->state = TASK_OVER;
    }
}

static void offsets_answered(void *object, int64_t number)
{
    struct offsets *request = object;
    struct worker *worker = request->worker;
    struct world *world = world_of(worker);
    bool mine = worker->running && worker->life == request->life &&
                worker->commit == request->commit;
    if (mine && worker->frozen_until_us > world->now_us) {
        agenda_add(&world->agenda, worker->frozen_until_us + 1, offsets_answered, request, number);
        return;
    }
    if (mine) {
        worker->committing = false;
        if (!request->answered) {
            world->sometimes.count[SOMETIMES_OFFSETS_UNKNOWN]++;
            worker->commits_from_us =
                world->now_us + workers_between(world, 100 * MILLI_US, SECOND_US);
        } else if (request->good) {
            start_committed(worker, request);
        } else {
            drop_refused(worker, request);
        }
        if (worker->running && worker->life == request->life) {
            if (worker->lets_go) crew_let_go(worker);
            worker_wake(worker, world->now_us);
        }
    }
    free(request);
}

static void offsets_arrive(void *object, int64_t number)
{
    struct offsets *request = object;
    struct worker *worker = request->worker;
    struct world *world = world_of(worker);
    struct crew *crew = worker->crew;
    int64_t away_us = world->kafka_down_until_us;
    if (worker->life == request->life && worker->cut_off_until_us > away_us)
        away_us = worker->cut_off_until_us;
    if (away_us > world->now_us) { /* it gets nowhere */
        int64_t at_us = away_us < request->give_up_us ? away_us : request->give_up_us;
        bool over = world->now_us >= request->give_up_us;
        agenda_add(&world->agenda, over ? world->now_us + 1 : at_us,
                   over ? offsets_answered : offsets_arrive, request, number);
        return;
    }
    bool lost = request->fate == OFFSETS_LOST;
    request->good = worker->joined && worker->member == request->member &&
                    crew->generation == request->generation;
    for (int32_t place = 0; place < PLACES && request->good && !lost; place++)
        if (request->offset[place] >= 0)
            cluster_commit_offset(world, crew_name(crew->index), place_topic(place),
                                  place_partition(place), request->offset[place]);
    request->answered = !lost && request->fate != OFFSETS_UNKNOWN;
    int64_t way_us = request->answered ? workers_between(world, 300, 8 * MILLI_US)
                                       : OFFSETS_LIMIT_US;
    agenda_add(&world->agenda, world->now_us + way_us, offsets_answered, request, number);
}

/* Behind what is claimed or passed over without a gap; -1: nothing new. */
static int64_t offset_of(const struct worker *worker, int32_t place)
{
    int64_t offset = worker->position[place];
    bool any = false;
    if (!worker->assigned[place] || worker->refused[place]) return -1;
    for (size_t i = 0; i < worker->task_count; i++) {
        const struct task *task = &worker->tasks[i];
        bool done = claims(worker) ? task->state > TASK_SAID : task->state == TASK_OVER;
        if (task->place != place || task->offset < worker->committed[place]) continue;
        if (!done) {
            if (task->offset < offset) offset = task->offset;
            break;
        }
        any = true;
    }
    return any && offset > worker->committed[place] ? offset : -1;
}

static enum offsets_fate next_fate(struct worker *worker)
{
    if (worker->offsets_count <= 0) return OFFSETS_WELL;
    worker->offsets_count--;
    return worker->offsets_fate;
}

static void send_offsets(struct worker *worker, const int64_t offset[PLACES])
{
    struct world *world = world_of(worker);
    struct offsets *request = memory_allocate(1, sizeof *request);
    *request = (struct offsets){.worker = worker,
                                .life = worker->life,
                                .member = worker->member,
                                .commit = ++worker->commit,
                                .generation = worker->generation,
                                .fate = next_fate(worker),
                                .give_up_us = world->now_us + OFFSETS_LIMIT_US};
    memcpy(request->offset, offset, sizeof request->offset);
    worker->committing = true;
    for (size_t i = 0; i < worker->task_count; i++) {
        struct task *task = &worker->tasks[i];
        if (task->place >= 0 && task->offset < offset[task->place]) task->asked = true;
    }
    int64_t way_us = workers_between(world, 300, 8 * MILLI_US);
    if (request->fate == OFFSETS_SLOW) way_us += worker->offsets_ms * MILLI_US;
    agenda_add(&world->agenda, world->now_us + way_us, offsets_arrive, request, 0);
}

void claim_commit(struct worker *worker)
{
    int64_t offset[PLACES];
    bool any = false;
    if (worker->committing || worker->generation < 0 || worker->lets_go ||
        worker->commits_from_us > world_of(worker)->now_us ||
        worker->frozen_until_us > world_of(worker)->now_us)
        return;
    for (int32_t place = 0; place < PLACES; place++) {
        offset[place] = offset_of(worker, place);
        any = any || offset[place] >= 0;
    }
    if (!any) return;
    send_offsets(worker, offset);
    (void)worker_pass(worker, WORKER_COMMITS);
}

/* ---- the third step ---- */

/* False: it is not at work any more. */
static bool start_one(struct worker *worker, struct task *task)
{
    struct world *world = world_of(worker);
    bool late = false;
    if (task->state == TASK_COMMITTED) {
        if (worker_clock_us(worker) >= task_kill_us(task)) {
            world->sometimes.count[SOMETIMES_CLAIM_TOO_LATE]++;
            post_send(worker, task, POST_FINAL, "released", "");
            task->state = TASK_OVER;
            return true;
        }
        task->state = TASK_CHECKED;
        if (!worker_pass(worker, WORKER_CHECKED)) return false;
    } else {
        late = worker_clock_us(worker) >= task_kill_us(task);
    }
    program_start(worker, task, late);
    return worker_pass(worker, WORKER_STARTED);
}

void claim_start(struct worker *worker)
{
    for (size_t i = 0; i < worker->task_count; i++) {
        struct task *task = &worker->tasks[i];
        if (task->state != TASK_COMMITTED && task->state != TASK_CHECKED) continue;
        if (!start_one(worker, task)) return;
    }
}

void claim_forget(struct worker *worker)
{
    for (size_t i = 0; i < worker->task_count; i++) {
        struct task *task = &worker->tasks[i];
        if (task->state <= TASK_LATE) {
            world_of(worker)->sometimes.count[SOMETIMES_CLAIM_FORGOTTEN] +=
                task->state != TASK_READ;
            task->state = TASK_OVER;
        }
        task->place = -1;
    }
}

void offsets_drop(struct world *world)
{
    for (size_t i = 0; i < world->agenda.count; i++)
        if (world->agenda.heap[i].call == offsets_answered ||
            world->agenda.heap[i].call == offsets_arrive)
            free(world->agenda.heap[i].object);
}
