/* A consumer group's coordinator: sessions are deadlines, a rebalance waits until each member has
 * let go of what it has. It accepts the offsets of each member of the present generation, and does
 * not look at whose the partition is. */
#include <assert.h>
#include <string.h>

#include "tests/simulation/workers/inside.h"

#define SESSION_US (10 * SECOND_US)
#define LEARN_US (500 * MILLI_US)

const char *crew_name(int32_t crew)
{
    static const char *const names[CREWS] = {"w0", "w1", "w2", "fixed", "nobody"};
    assert(crew >= 0 && crew < CREWS);
    return names[crew];
}

/* ---- what it reads ---- */

const char *place_topic(int32_t place)
{
    return place < FIRES_PARTITIONS ? "belfry.fires"
                                    : foreign_topic_name(place - FIRES_PARTITIONS);
}

int32_t place_partition(int32_t place)
{
    return place < FIRES_PARTITIONS ? place : 0;
}

struct log *place_log(struct world *world, int32_t place)
{
    if (place < FIRES_PARTITIONS) return cluster_fires(&world->cluster, -1, place);
    return cluster_fires(&world->cluster, place - FIRES_PARTITIONS, 0);
}

static int64_t soon_us(struct world *world, int64_t most_us)
{
    return world->now_us + workers_between(world, MILLI_US, most_us);
}

/* ---- what members learn ---- */

/* By its heartbeat; it lets go at once, or when its commit is answered. */
static void learn_rebalance(void *object, int64_t number)
{
    struct worker *worker = object;
    const struct crew *crew = worker->crew;
    if (!crew->rebalancing || (int64_t)crew->number != number || !worker_is_heard(worker) ||
        !worker->joined || worker->has_let_go)
        return;
    worker->lets_go = true;
    if (!worker->committing) crew_let_go(worker);
}

void crew_let_go(struct worker *worker)
{
    claim_forget(worker);
    memset(worker->assigned, 0, sizeof worker->assigned);
    worker->lets_go = false;
    worker->has_let_go = true;
}

static void take(struct worker *worker, int32_t place)
{
    struct crew *crew = worker->crew;
    int64_t offset = cluster_committed(&crew->world->cluster, crew_name(crew->index),
                                       place_topic(place), place_partition(place));
    worker->assigned[place] = true;
    worker->refused[place] = false;
    worker->position[place] = offset < 0 ? 0 : offset; /* from the earliest */
    worker->committed[place] = worker->position[place];
}

static void learn_assignment(void *object, int64_t generation)
{
    struct worker *worker = object;
    struct crew *crew = worker->crew;
    if (crew->generation != generation || crew->rebalancing || !worker->joined ||
        !worker_is_heard(worker) || worker->generation == generation)
        return;
    worker->generation = generation;
    for (int32_t place = 0; place < PLACES; place++)
        if (crew->holder[place] == worker) take(worker, place);
    worker_wake(worker, crew->world->now_us);
}

/* ---- the coordinator ---- */

static void assign(struct crew *crew)
{
    struct worker *members[CREW_WORKERS_MAX];
    size_t count = 0;
    for (int i = 0; i < CREW_WORKERS_MAX; i++)
        if (crew->workers[i].joined) members[count++] = &crew->workers[i];
    size_t turn = count > 0 ? (size_t)workers_between(crew->world, 0, (int64_t)count - 1) : 0;
    for (int32_t place = 0; place < PLACES; place++)
        crew->holder[place] = count == 0 ? NULL : members[turn++ % count];
}

static void complete(void *object, int64_t number)
{
    struct crew *crew = object;
    struct world *world = crew->world;
    if (!crew->rebalancing || (int64_t)crew->number != number) return;
    for (int i = 0; i < CREW_WORKERS_MAX; i++)
        if (crew->workers[i].joined && !crew->workers[i].has_let_go) {
            agenda_add(&world->agenda, world->now_us + LEARN_US, complete, crew, number);
            return;
        }
    crew->rebalancing = false;
    crew->generation++;
    assign(crew);
    for (int i = 0; i < CREW_WORKERS_MAX; i++)
        if (crew->workers[i].joined)
            agenda_add(&world->agenda, soon_us(world, 200 * MILLI_US), learn_assignment,
                       &crew->workers[i], crew->generation);
}

void crew_rebalance(struct crew *crew)
{
    struct world *world = crew->world;
    crew->rebalancing = true;
    crew->number++;
    world->sometimes.count[SOMETIMES_WORKERS_REBALANCED]++;
    for (int i = 0; i < CREW_WORKERS_MAX; i++) {
        struct worker *worker = &crew->workers[i];
        if (!worker->joined) continue;
        worker->has_let_go = worker->generation < 0;
        agenda_add(&world->agenda, soon_us(world, 3 * SECOND_US), learn_rebalance, worker,
                   (int64_t)crew->number);
    }
    agenda_add(&world->agenda, soon_us(world, SECOND_US), complete, crew, (int64_t)crew->number);
}

static void expel(void *object, int64_t missed)
{
    struct worker *worker = object;
    if (!worker->joined || (int64_t)worker->missed != missed) return;
    worker->joined = false;
    crew_rebalance(worker->crew);
}

void crew_silent(struct worker *worker)
{
    struct world *world = worker->crew->world;
    agenda_add(&world->agenda, world->now_us + SESSION_US - workers_between(world, 0, LEARN_US),
               expel, worker, (int64_t)++worker->missed);
}

/* The answer to its heartbeat, or to a commit, says that it is out: what it had is another's. */
static void learn_expulsion(void *object, int64_t life)
{
    struct worker *worker = object;
    if (!worker->running || (int64_t)worker->life != life || worker->joined ||
        !worker_is_heard(worker))
        return;
    claim_forget(worker);
    memset(worker->assigned, 0, sizeof worker->assigned);
    worker->generation = -1;
    worker->lets_go = false;
    crew_join(worker);
}

void crew_expel(struct worker *worker)
{
    struct world *world = worker->crew->world;
    if (!worker->joined) return;
    world->sometimes.count[SOMETIMES_WORKER_EXPELLED]++;
    worker->missed++;
    worker->joined = false;
    crew_rebalance(worker->crew);
    agenda_add(&world->agenda, soon_us(world, 4 * SECOND_US), learn_expulsion, worker,
               (int64_t)worker->life);
}

static void learn_present(void *object, int64_t missed)
{
    struct worker *worker = object;
    struct crew *crew = worker->crew;
    if ((int64_t)worker->missed != missed || !worker_is_heard(worker)) return;
    if (!worker->joined) learn_expulsion(worker, (int64_t)worker->life);
    else if (crew->rebalancing) learn_rebalance(worker, (int64_t)crew->number);
    else learn_assignment(worker, crew->generation);
}

void crew_heard(struct worker *worker)
{
    struct world *world = worker->crew->world;
    agenda_add(&world->agenda, soon_us(world, LEARN_US), learn_present, worker,
               (int64_t)++worker->missed);
}

void crew_join(struct worker *worker)
{
    worker->missed++;
    worker->member++;
    worker->generation = -1;
    worker->joined = true;
    crew_rebalance(worker->crew);
}

void crew_leave(struct worker *worker)
{
    worker->missed++;
    if (!worker->joined) return;
    worker->joined = false;
    crew_rebalance(worker->crew);
}

/* ---- somebody sets the offsets back ---- */

static int64_t first_since(const struct log *log, int64_t time_ms)
{
    for (size_t i = log->count; i-- > 0;)
        if (log->records[i]->time_ms < time_ms) return log->records[i]->offset + 1;
    return log->first_offset;
}

void workers_set_back(struct world *world, int64_t index, int64_t ms)
{
    if (world->workers == NULL || index < 0 || index >= CREWS) return;
    struct crew *crew = &world->workers->crews[index];
    for (int32_t place = 0; place < PLACES; place++) {
        const char *topic = place_topic(place);
        int32_t partition = place_partition(place);
        int64_t before =
            cluster_committed(&world->cluster, crew_name(crew->index), topic, partition);
        int64_t back = first_since(place_log(world, place), world_now_ms(world) - ms);
        if (before <= back) continue;
        if (crew->set_back[place] < before) crew->set_back[place] = before;
        cluster_commit_offset(world, crew_name(crew->index), topic, partition, back);
        world->sometimes.count[SOMETIMES_OFFSETS_SET_BACK]++;
    }
    crew_rebalance(crew); /* they read on from there */
}
