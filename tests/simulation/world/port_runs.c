/* What only runs need of Kafka: ticks, and the question to the coordinator of a group. Neither
 * waits; what is on its way can get lost, be late, come twice, or outlive its sender. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/world/port_broker.h"

#define TICK_LIMIT_US (3 * SECOND_US)
#define TICK_LATE_US (20 * SECOND_US)
#define QUESTION_LIMIT_US (5 * SECOND_US)
#define QUESTION_HINDERS_US (2 * MINUTE_US) /* it is asked again, after a while */
#define QUESTION_STALE_US (4 * SECOND_US)

static struct seat *seat_of(struct broker *broker)
{
    return ((struct broker_simulated *)broker)->slot;
}

/* ---- ticks ---- */

struct tick {
    struct world *world;
    struct record *record; /* NULL: it is in the log */
    int64_t give_up_us;
};

static void tick_free(struct tick *tick)
{
    free(tick->record);
    free(tick);
}

/* Its sender may have another life by then, or none. */
static void tick_arrives(void *object, int64_t process)
{
    struct tick *tick = object;
    struct world *world = tick->world;
    int32_t shard = tick->record->partition;
    int64_t down_us = world->kafka_down_until_us;
    if (world->leader_bad_until_us[shard] > down_us) down_us = world->leader_bad_until_us[shard];
    bool lost = world->now_us > tick->give_up_us || down_us > tick->give_up_us;
    if (!lost && down_us > world->now_us) {
        agenda_add(&world->agenda, down_us, tick_arrives, tick, process);
        return;
    }
    if (lost) world->processes[process].slots[shard].tick_failed = true;
    else (void)cluster_append(world, tick->record);
    if (!lost) tick->record = NULL; /* the log's */
    tick_free(tick);
}

static void send_tick(struct seat *slot, const struct broker_record *record, int64_t delay_us,
                      int64_t limit_us)
{
    struct world *world = slot->world;
    struct heap *before = heap_enter(NULL);
    struct tick *tick = memory_allocate(1, sizeof *tick);
    *tick = (struct tick){.world = world,
                          .record = record_copy(record),
                          .give_up_us = world->now_us + limit_us};
    agenda_add(&world->agenda, world->now_us + delay_us, tick_arrives, tick,
               slot->process->index);
    (void)heap_enter(before);
}

/* While the process does not reach Kafka its ticks stay with it, and are given up. */
bool tick_simulated(struct broker *broker, struct text value, struct error *error)
{
    struct seat *slot = seat_of(broker);
    struct world *world = slot->world;
    struct broker_record record = {
        .topic = TOPIC_RUNS, .partition = slot->shard, .value = value};
    enum tick_fate fate = world->tick_fate[slot->shard];
    world->tick_fate[slot->shard] = TICK_WELL;
    run_facts_tick(&world->facts, slot->shard, world_now_ms(world), value);
    if (fate != TICK_WELL) work_log_hinder(world, slot->shard, world->now_us + 2 * TICK_LATE_US);
    if (slot->tick_failed) {
        slot->tick_failed = false;
        return error_set(error, ERROR_RETRY, "an earlier tick was not written");
    }
    bool away = !process_reaches_kafka(slot->process) &&
                world->kafka_down_until_us <= world->now_us;
    int64_t way_us = world_latency_us(world, MILLI_US, 10 * MILLI_US);
    if (fate == TICK_LOST || away) {
        send_tick(slot, &record, TICK_LIMIT_US + 1, TICK_LIMIT_US);
        return true;
    }
    if (fate == TICK_LATE) way_us += world_latency_us(world, SECOND_US, TICK_LATE_US);
    send_tick(slot, &record, way_us, fate == TICK_LATE ? 2 * TICK_LATE_US : TICK_LIMIT_US);
    if (fate == TICK_TWICE)
        send_tick(slot, &record, way_us + world_latency_us(world, MILLI_US, SECOND_US),
                  TICK_LIMIT_US);
    return true;
}

void ticks_drop(struct world *world)
{
    for (size_t i = 0; i < world->agenda.count; i++)
        if (world->agenda.heap[i].call == tick_arrives) tick_free(world->agenda.heap[i].object);
}

/* ---- the question ---- */

struct asked_place {
    char topic[32];
    int32_t partition;
    int64_t committed;
};

struct asked {
    uint64_t number;
    enum question_fate fate;
    int64_t give_up_us;
    bool here; /* the answer, at its asker's */
    char group[32];
    size_t count;
    struct asked_place places[];
};

void question_forget(struct seat *slot)
{
    struct heap *before = heap_enter(NULL);
    free(slot->asked);
    slot->asked = NULL;
    (void)heap_enter(before);
}

static struct asked *find_question(struct seat *slot, int64_t number)
{
    return slot->asked != NULL && slot->asked->number == (uint64_t)number ? slot->asked : NULL;
}

static void answer_arrives(void *object, int64_t number)
{
    struct asked *asked = find_question(object, number);
    if (asked != NULL) asked->here = true;
}

/* The answer is of this moment, however long it is under way. */
static void coordinator_answers(void *object, int64_t number)
{
    struct seat *slot = object;
    struct world *world = slot->world;
    struct asked *asked = find_question(slot, number);
    if (asked == NULL) return;
    if (world->coordinator_silent_until_us > world->now_us) asked->fate = QUESTION_UNHEARD;
    if (asked->fate == QUESTION_UNHEARD) return;
    if (!process_reaches_kafka(slot->process)) {
        agenda_add(&world->agenda, world->now_us + 100 * MILLI_US, coordinator_answers, slot,
                   number);
        return;
    }
    for (size_t i = 0; i < asked->count; i++) {
        struct asked_place *place = &asked->places[i];
        place->committed = cluster_committed(&world->cluster, asked->group, place->topic,
                                             place->partition);
    }
    if (asked->fate == QUESTION_PARTLY) asked->places[0].committed = BROKER_COMMITTED_UNKNOWN;
    int64_t way_us = world_latency_us(world, 500, 5 * MILLI_US);
    if (asked->fate == QUESTION_STALE)
        way_us += world_latency_us(world, SECOND_US, QUESTION_STALE_US);
    agenda_add(&world->agenda, world->now_us + way_us, answer_arrives, slot, number);
}

bool ask_committed_simulated(struct broker *broker, const char *group,
                             const struct broker_place *places, size_t count, struct error *error)
{
    struct seat *slot = seat_of(broker);
    struct world *world = slot->world;
    assert(count > 0 && count <= BROKER_PLACES_MAX);
    question_forget(slot);
    if (group[0] == '\0') return error_invalid(error, CODE_BAD_NAME, "a group has a name");
    struct heap *before = heap_enter(NULL);
    struct asked *asked =
        memory_allocate(1, sizeof *asked + count * sizeof asked->places[0]);
    *asked = (struct asked){.number = ++slot->questions,
                            .fate = world->question_fate[slot->shard],
                            .give_up_us = world->now_us + QUESTION_LIMIT_US,
                            .count = count};
    (void)snprintf(asked->group, sizeof asked->group, "%s", group);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(asked->places[i].topic, sizeof asked->places[i].topic, "%s",
                       places[i].topic);
        asked->places[i].partition = places[i].partition;
    }
    slot->asked = asked;
    if (asked->fate != QUESTION_WELL)
        work_log_hinder(world, slot->shard, world->now_us + QUESTION_HINDERS_US);
    world->question_fate[slot->shard] = QUESTION_WELL;
    agenda_add(&world->agenda, world->now_us + world_latency_us(world, 500, 5 * MILLI_US),
               coordinator_answers, slot, (int64_t)asked->number);
    (void)heap_enter(before);
    return true;
}

static int64_t answer_for(const struct asked *asked, const struct broker_place *place)
{
    for (size_t i = 0; i < asked->count; i++)
        if (asked->places[i].partition == place->partition &&
            strcmp(asked->places[i].topic, place->topic) == 0)
            return asked->places[i].committed;
    return BROKER_COMMITTED_UNKNOWN;
}

static void note_answer(const struct seat *slot, const struct broker_place *place)
{
    struct group_said said = {.shard = slot->shard, .time_ms = world_now_ms(slot->world),
                              .partition = place->partition, .committed = place->committed};
    (void)snprintf(said.group, sizeof said.group, "%s", slot->asked->group);
    (void)snprintf(said.topic, sizeof said.topic, "%s", place->topic);
    run_facts_said(&slot->world->facts, &said);
}

enum broker_answer committed_simulated(struct broker *broker, struct broker_place *places,
                                       size_t count, struct error *error)
{
    struct seat *slot = seat_of(broker);
    const struct asked *asked = slot->asked;
    if (asked == NULL) return BROKER_UNASKED;
    bool here = asked->here;
    if (!here && slot->world->now_us < asked->give_up_us) return BROKER_ASKED;
    bool denied = here && asked->fate == QUESTION_DENIED;
    for (size_t i = 0; here && !denied && i < count; i++) {
        places[i].committed = answer_for(asked, &places[i]);
        note_answer(slot, &places[i]);
    }
    question_forget(slot);
    if (denied) (void)error_set(error, ERROR_FATAL, "no right to describe the group");
    else if (!here) (void)error_set(error, ERROR_RETRY, "no answer of the group's coordinator");
    return here && !denied ? BROKER_ANSWERED : BROKER_UNANSWERED;
}
