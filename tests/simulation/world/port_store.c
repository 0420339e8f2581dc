/* What an engine is given for Redis: reads that take time, one group of writes under way, each
 * part of which may be lost on the way there or back. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge/checker.h"
#include "tests/simulation/world/world.h"

#define CALL_LIMIT_US (2 * SECOND_US)
enum { PARTS_IN_FLIGHT = 4, ENDS_REFUSED_MOST = 5 };

struct checkpoint_simulated {
    struct checkpoint_port port; /* first: the port's pointer is ours */
    struct seat *slot;
    struct store_group *group; /* under way; NULL: a look is */
    bool asked;   /* a group or a look is under way */
    bool looking; /* the one asked last is a look */
    int64_t generation; /* for that */
    int64_t epoch;
    struct store_position position;
    uint64_t rewrite_token;
    int ends_refused; /* last parts of a rewrite, one after the other */
    int64_t changes; /* of Redis, when this owner's rewrite under way began */
    bool came_late;  /* a part, since its owner last looked: it cannot know */
    bool doubtful;   /* answers were lost: what Redis has is to be compared once more */
    size_t part;               /* the next to be written */
    uint64_t number;           /* counts groups; an arrival for an earlier one is stale */
    uint64_t written;          /* the number of the last one of which a part was written */
    bool answered;
    bool failed;
    enum store_outcome outcome;
    int32_t next_part;
};

static struct checkpoint_simulated *ours(struct checkpoint_port *port)
{
    return (struct checkpoint_simulated *)port;
}

static int64_t way_us(struct world *world)
{
    if (world->redis.slow_until_us > world->now_us)
        return world_latency_us(world, 100 * MILLI_US, 3 * SECOND_US);
    return world_latency_us(world, 100, 3 * MILLI_US);
}

/* What happens to the call that is about to be made. */
static enum redis_trouble trouble(struct world *world)
{
    struct redis *redis = &world->redis;
    if (redis->away_until_us > world->now_us) return REDIS_LOST_BEFORE;
    redis->calls++;
    if (redis->flaky_until_us > world->now_us && redis->calls % redis->flaky_every == 0) {
        world->sometimes.count[SOMETIMES_REDIS_FLAKY]++;
        static const enum redis_trouble kinds[] = {REDIS_LOST_BEFORE, REDIS_LOST_AFTER, REDIS_LATE};
        return kinds[redis->calls / redis->flaky_every % 3];
    }
    if (redis->troubles == 0) return REDIS_WELL;
    redis->troubles--;
    world->sometimes.count[redis->trouble == REDIS_LOST_BEFORE ? SOMETIMES_REDIS_LOST_BEFORE
                                                               : SOMETIMES_REDIS_LOST_AFTER]++;
    return redis->trouble;
}

/* ---- reading ---- */

static bool read_trouble(struct seat *slot, struct error *error)
{
    struct world *world = slot->world;
    int64_t way = way_us(world);
    slot_pass(slot, POINT_STORE_READ);
    if (trouble(world) == REDIS_WELL && way < CALL_LIMIT_US) {
        slot_wait(slot, world->now_us + way);
        return true;
    }
    slot_wait(slot, world->now_us + CALL_LIMIT_US);
    return error_set(error, ERROR_RETRY, "Redis: timed out");
}

/* The image may make room for the shard: in memory of its own, not the process's. */
static bool look_at(struct seat *slot, struct snapshot *snapshot, bool *found,
                    struct error *error)
{
    struct store *store = slot->process->store;
    struct heap *before = heap_enter(NULL);
    bool done = store->operations->read_snapshot(store, slot->shard, snapshot, found, error);
    (void)heap_enter(before);
    slot->snapshot_sequence = done && *found ? snapshot->mark.sequence : -1;
    return done;
}

static bool read_snapshot(struct checkpoint_port *port, struct snapshot *snapshot, bool *found,
                          struct error *error)
{
    struct seat *slot = ours(port)->slot;
    return read_trouble(slot, error) && look_at(slot, snapshot, found, error);
}

static bool read_items(struct checkpoint_port *port, store_item_visitor *visitor, void *opaque,
                       struct error *error)
{
    struct seat *slot = ours(port)->slot;
    struct snapshot snapshot;
    bool found = false;
    if (!read_trouble(slot, error) || !look_at(slot, &snapshot, &found, error)) return false;
    struct store *store = slot->process->store;
    struct heap *heap = &slot->process->heap;
    int64_t fail_after = heap->fail_after;
    heap->fail_after = -1; /* the image is locked: nobody may die here */
    bool done = store->operations->read_items(store, slot->shard, visitor, opaque, error);
    heap->fail_after = fail_after;
    return done;
}

/* ---- writing ---- */

static void write_ended(struct checkpoint_simulated *own, bool failed)
{
    struct heap *before = heap_enter(&own->slot->process->heap);
    store_group_destroy(own->group);
    (void)heap_enter(before);
    own->group = NULL;
    own->asked = false;
    own->answered = true;
    own->failed = failed;
    if (own->slot->waiting) slot_wake(own->slot, own->slot->world->now_us);
}

/* What an owner has of a rewrite, as far as it can know, may only be thrown away where Redis has
 * changed since it began. */
static void judge_beginning(struct checkpoint_simulated *own, const struct store_write *write)
{
    struct world *world = own->slot->world;
    struct store *store = own->slot->process->store;
    struct store_position position;
    struct error error = {0};
    if (write->mode != STORE_REWRITE) return;
    if (write->token_before != 0) world->sometimes.count[SOMETIMES_REWRITE_RESUMED]++;
    if (write->part > 0) return;
    if (store->operations->look(store, write->shard, write->generation, write->epoch, &position,
                                &error) &&
        !own->came_late && own->rewrite_token != 0 && position.token >= own->rewrite_token &&
        own->changes == world->redis.changes)
        world_violation(world, "%s shard %d begins its rewrite of Redis anew behind part %d",
                        own->slot->process->owner, (int)own->slot->shard, (int)position.part);
    own->rewrite_token = write->token;
    own->changes = world->redis.changes;
}

/* An owner whose last words are refused again and again has to find out why. */
static void judge_end(struct checkpoint_simulated *own, const struct store_write *write)
{
    const struct seat *slot = own->slot;
    if (write->mode != STORE_REWRITE || write->snapshot == NULL) return;
    own->ends_refused = own->outcome == STORE_GAP ? own->ends_refused + 1 : 0;
    if (own->ends_refused == ENDS_REFUSED_MOST)
        world_violation(slot->world, "refused for ever: %s shard %d writes it anew, in vain",
                        slot->process->owner, (int)slot->shard);
}

/* What was lost and what came late must have left nothing in Redis. */
static void judge_content(struct checkpoint_simulated *own)
{
    struct store_write write;
    if (!own->doubtful || own->group == NULL || own->part == 0) return;
    store_group_part(own->group, own->part - 1, &write);
    if (write.snapshot == NULL || own->outcome != STORE_WRITTEN) return;
    own->doubtful = !rest_judge_written(own->slot, write.snapshot);
    if (!own->doubtful) own->slot->world->sometimes.count[SOMETIMES_REDIS_COMPARED]++;
}

/* Writes the next part; false: it was the last, or the store refused it. */
static bool write_part(struct checkpoint_simulated *own)
{
    struct store *store = own->slot->process->store;
    struct store_write write;
    struct error error = {0};
    if (own->group == NULL) {
        (void)store->operations->look(store, own->slot->shard, own->generation, own->epoch,
                                      &own->position, &error);
        own->came_late = false;
        return false;
    }
    store_group_part(own->group, own->part, &write);
    judge_beginning(own, &write);
    if (write.token_before != 0) own->slot->world->sometimes.count[SOMETIMES_CHECKPOINT_RESUMED]++;
    if (!store->operations->write(store, &write, &own->outcome, &error)) return false;
    judge_end(own, &write);
    if (own->outcome == STORE_WRITTEN) own->written = own->number;
    own->next_part = write.part + 1;
    own->part++;
    return own->outcome == STORE_WRITTEN && own->part < store_group_part_count(own->group);
}

/* Parts that come when nobody waits for them any more. In memory of the world's own. */
struct late {
    struct process *process;
    int64_t starts;
    struct seat *slot;
    uint64_t life;
    uint64_t number; /* of their group */
    struct store_group *parts[PARTS_IN_FLIGHT];
};

static struct store_group *copy_part(const struct store_write *write)
{
    struct store_group *group = store_group_create(&(struct store_group_options){
        .shard = write->shard,
        .mode = write->mode,
        .generation = write->generation,
        .epoch = write->epoch,
        .follows_sequence = write->follows_sequence,
        .first_part = write->part,
        .token = write->token,
        .token_before = write->token_before});
    for (size_t i = 0; i < write->item_count; i++) store_group_add(group, &write->items[i]);
    store_group_finish(group, write->snapshot);
    return group;
}

static void late_free(struct late *late)
{
    for (int i = 0; i < PARTS_IN_FLIGHT; i++) store_group_destroy(late->parts[i]);
    free(late);
}

/* Once its owner has gone on, what may be old must not come behind what is newer. A part 0 may, and
 * what follows it: it begins a group anew, which the owner finds out with its next part. */
static void judge_late(const struct late *late, const struct store_write *write, bool begun)
{
    const struct seat *slot = late->slot;
    if (slot->coroutine == NULL || slot->life != late->life) return;
    ours(slot->checkpoint)->came_late = ours(slot->checkpoint)->doubtful = true;
    if (begun || ours(slot->checkpoint)->written <= late->number) return;
    world_violation(slot->world, "%s shard %d: part %d came late, behind newer ones",
                    slot->process->owner, (int)slot->shard, (int)write->part);
}

static void late_arrives(void *object, int64_t number)
{
    struct late *late = object;
    struct process *process = late->process;
    bool begun = false;
    (void)number;
    for (int i = 0; i < PARTS_IN_FLIGHT && late->parts[i] != NULL; i++) {
        struct store_write write;
        struct error error = {0};
        enum store_outcome outcome = STORE_GAP;
        if (!process->running || process->starts != late->starts) break;
        store_group_part(late->parts[i], 0, &write);
        (void)process->store->operations->write(process->store, &write, &outcome, &error);
        if (outcome != STORE_WRITTEN) continue;
        process->world->sometimes.count[SOMETIMES_REDIS_LATE]++;
        begun = begun || write.part == 0;
        judge_late(late, &write, begun);
    }
    late_free(late);
}

static void send_late(struct checkpoint_simulated *own)
{
    struct world *world = own->slot->world;
    struct heap *before = heap_enter(NULL);
    struct late *late = memory_allocate(1, sizeof *late);
    late->process = own->slot->process;
    late->starts = late->process->starts;
    late->slot = own->slot;
    late->life = own->slot->life;
    late->number = own->number;
    size_t count = store_group_part_count(own->group) - own->part;
    for (size_t i = 0; i < count && i < PARTS_IN_FLIGHT; i++) {
        struct store_write write;
        store_group_part(own->group, own->part + i, &write);
        late->parts[i] = copy_part(&write);
    }
    agenda_add(&world->agenda, world->now_us + world_latency_us(world, SECOND_US, 6 * SECOND_US),
               late_arrives, late, 0);
    (void)heap_enter(before);
}

struct arrival {
    struct seat *slot;
    uint64_t life;
    uint64_t number;
};

static void part_arrives(void *object, int64_t failed)
{
    struct arrival *arrival = object;
    struct seat *slot = arrival->slot;
    struct world *world = slot->world;
    struct checkpoint_simulated *own =
        slot->coroutine != NULL && slot->life == arrival->life ? ours(slot->checkpoint) : NULL;
    if (own == NULL || own->number != arrival->number || !own->asked) {
        free(arrival);
        return;
    }
    if (slot->process->frozen_until_us > world->now_us) {
        agenda_add(&world->agenda, slot->process->frozen_until_us, part_arrives, arrival, failed);
        return;
    }
    if (failed != 0) {
        free(arrival);
        write_ended(own, true);
        return;
    }
    enum redis_trouble what = trouble(world);
    int64_t way = way_us(world);
    if (way > CALL_LIMIT_US && what == REDIS_WELL) what = REDIS_LOST_AFTER;
    if (what == REDIS_LATE && own->group != NULL) send_late(own);
    own->doubtful = own->doubtful || what != REDIS_WELL;
    if (what == REDIS_LOST_BEFORE || what == REDIS_LATE) {
        agenda_add(&world->agenda, world->now_us + CALL_LIMIT_US, part_arrives, arrival, 1);
        return;
    }
    bool more = write_part(own);
    judge_content(own);
    if (what == REDIS_LOST_AFTER) {
        agenda_add(&world->agenda, world->now_us + CALL_LIMIT_US, part_arrives, arrival, 1);
    } else if (more) {
        agenda_add(&world->agenda, world->now_us + way, part_arrives, arrival, 0);
    } else {
        free(arrival);
        write_ended(own, false);
    }
}

/* group NULL: a look. */
static void send(struct checkpoint_simulated *own, struct store_group *group)
{
    struct seat *slot = own->slot;
    own->group = group;
    own->asked = true;
    own->looking = group == NULL;
    own->part = 0;
    own->number++;
    own->answered = false;
    struct heap *before = heap_enter(NULL);
    struct arrival *arrival = memory_allocate(1, sizeof *arrival);
    *arrival = (struct arrival){slot, slot->life, own->number};
    agenda_add(&slot->world->agenda, slot->world->now_us + way_us(slot->world), part_arrives,
               arrival, 0);
    (void)heap_enter(before);
}

static void submit(struct checkpoint_port *port, struct store_group *group)
{
    slot_pass(ours(port)->slot, POINT_STORE_WRITE);
    send(ours(port), group);
}

static void look(struct checkpoint_port *port, int64_t generation, int64_t epoch)
{
    struct checkpoint_simulated *own = ours(port);
    own->generation = generation;
    own->epoch = epoch;
    send(own, NULL);
}

static void position(struct checkpoint_port *port, struct store_position *position)
{
    *position = ours(port)->position;
}

bool checkpoint_simulated_rests(struct checkpoint_port *port)
{
    const struct checkpoint_simulated *own = ours(port);
    return !own->asked && !own->answered;
}

static enum checkpoint_state poll(struct checkpoint_port *port, int32_t *next_part,
                                  struct error *error)
{
    struct checkpoint_simulated *own = ours(port);
    if (own->asked) return CHECKPOINT_BUSY;
    if (!own->answered) return CHECKPOINT_IDLE;
    own->answered = false;
    *next_part = own->next_part;
    if (own->failed) {
        error_set(error, ERROR_RETRY, "Redis: timed out");
        return CHECKPOINT_AWAY;
    }
    if (own->looking) return CHECKPOINT_LOOKED;
    switch (own->outcome) {
    case STORE_WRITTEN: return CHECKPOINT_WRITTEN;
    case STORE_GAP: return CHECKPOINT_GAP;
    case STORE_STALE: return CHECKPOINT_STALE;
    case STORE_DAMAGED: return CHECKPOINT_DAMAGED;
    }
    return CHECKPOINT_AWAY;
}

static enum checkpoint_state wait_outcome(struct checkpoint_port *port, int64_t limit_ms,
                                          int32_t *next_part, struct error *error)
{
    struct checkpoint_simulated *own = ours(port);
    struct world *world = own->slot->world;
    int64_t until_us = world->now_us + limit_ms * MILLI_US;
    while (own->asked && world->now_us < until_us) slot_wait(own->slot, until_us);
    return poll(port, next_part, error);
}

static const struct checkpoint_operations operations = {
    .read_snapshot = read_snapshot,
    .read_items = read_items,
    .submit = submit,
    .look = look,
    .position = position,
    .poll = poll,
    .wait = wait_outcome,
};

struct checkpoint_port *checkpoint_simulated_create(struct seat *slot)
{
    struct checkpoint_simulated *own = memory_allocate(1, sizeof *own);
    own->port.operations = &operations;
    own->slot = slot;
    return &own->port;
}

void checkpoint_simulated_destroy(struct checkpoint_port *port, bool killed)
{
    struct checkpoint_simulated *own = ours(port);
    /* A part that was on the wire may be written after the death of who sent it. */
    if (own->group != NULL && killed && own->part < store_group_part_count(own->group) &&
        random_chance(&own->slot->world->dice, 1, 2) &&
        own->slot->world->redis.away_until_us <= own->slot->world->now_us)
        (void)write_part(own);
    store_group_destroy(own->group);
    free(own);
}

void arrivals_drop(struct world *world)
{
    for (size_t i = 0; i < world->agenda.count; i++)
        if (world->agenda.heap[i].call == part_arrives) free(world->agenda.heap[i].object);
    for (size_t i = 0; i < world->agenda.count; i++)
        if (world->agenda.heap[i].call == late_arrives) late_free(world->agenda.heap[i].object);
}
