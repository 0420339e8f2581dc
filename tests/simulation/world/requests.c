#include "tests/simulation/world/requests.h"

#include <stdlib.h>

#include "lib/base/memory.h"

void request_free(struct request *request)
{
    for (size_t i = 0; i < request->count; i++) free(request->records[i]);
    free(request->records);
    free(request);
}

static bool sender_waits(const struct request *request)
{
    return !request->abandoned && request->slot->coroutine != NULL &&
           request->slot->life == request->life;
}

static void request_done(struct request *request, enum answer answer)
{
    request->answer = answer;
    request->done = true;
    if (sender_waits(request))
        slot_wake(request->slot, request->world->now_us);
    else
        request_free(request);
}

/* Of the record that asked for it, which is the last. */
static void note_receipt(struct request *request, const struct record *record)
{
    const struct clock *clock = &request->slot->process->clock;
    if (record == NULL || !record->wants_receipt) return;
    request->receipt = (struct broker_receipt){record->offset, record->time_ms,
                                               clock->monotonic_us(clock->opaque) +
                                                   request->acknowledge_us};
}

static void request_arrives(void *object, int64_t number)
{
    struct request *request = object;
    struct world *world = request->world;
    int32_t shard = request->slot->shard;
    (void)number;
    if (world->kafka_down_until_us > world->now_us && world->now_us < request->give_up_us) {
        agenda_add(&world->agenda, world->kafka_down_until_us, request_arrives, request, 0);
        return;
    }
    enum answer answer = ANSWER_DONE;
    if (request->init) {
        answer = cluster_init(world, shard, &request->epoch);
    } else if (request->records != NULL) {
        size_t count = request->count;
        const struct record *last = count > 0 ? request->records[count - 1] : NULL;
        answer = cluster_produce(world, shard, request->epoch, request->records, request->count);
        if (answer == ANSWER_DONE) note_receipt(request, last);
        if (answer != ANSWER_BUSY) request->count = 0;
        if (answer == ANSWER_DONE) {
            free(request->records);
            request->records = NULL;
            if (request->end_delay_us > 0) {
                cluster_watch(world, shard);
                agenda_add(&world->agenda, world->now_us + request->end_delay_us, request_arrives,
                           request, 0);
                return;
            }
        }
    }
    if (answer == ANSWER_DONE && request->end)
        answer = cluster_end(world, shard, request->epoch, request->commit);
    if (answer == ANSWER_BUSY && world->now_us < request->give_up_us) {
        agenda_add(&world->agenda, world->now_us + 5 * MILLI_US, request_arrives, request, 0);
        return;
    }
    if (answer == ANSWER_FENCED && request->end && request->end_delay_us > 0)
        world->sometimes.count[SOMETIMES_END_FENCED]++;
    request_done(request, answer);
}

struct request *request_create(struct seat *slot)
{
    struct heap *before = heap_enter(NULL);
    struct request *request = memory_allocate(1, sizeof *request);
    (void)heap_enter(before);
    request->world = slot->world;
    request->slot = slot;
    request->life = slot->life;
    request->give_up_us = slot->world->now_us + REQUEST_LIMIT_US;
    return request;
}

int64_t request_slow_down(struct request *request)
{
    struct world *world = request->world;
    int32_t shard = request->slot->shard;
    if (world->slow_until_us[shard] <= world->now_us) return 0;
    int64_t slow_us =
        world_latency_us(world, world->slow_low_us[shard], world->slow_high_us[shard]);
    int64_t way_us = world_latency_us(world, 0, slow_us);
    request->acknowledge_us = world_latency_us(world, 0, slow_us - way_us);
    request->end_delay_us = slow_us - way_us + 1;
    request->give_up_us += slow_us;
    world->sometimes.count[SOMETIMES_COMMITS_SLOW]++;
    return way_us;
}

/* Simulated memory must not be allocated as the process's: what is on its way outlives it. */
void request_send(struct request *request, int64_t delay_us)
{
    struct heap *before = heap_enter(NULL);
    agenda_add(&request->world->agenda, request->world->now_us + delay_us, request_arrives,
               request, 0);
    (void)heap_enter(before);
}

/* Waits for the answer; false: none by then. The request is gone afterwards, or goes on alone. */
bool request_wait(struct request *request, int64_t limit_us, enum answer *answer,
                         int64_t *epoch)
{
    struct seat *slot = request->slot;
    int64_t until_us = slot->world->now_us + limit_us;
    while (!request->done && slot->world->now_us < until_us) slot_wait(slot, until_us);
    if (!request->done) {
        request->abandoned = true;
        return false;
    }
    *answer = request->answer;
    if (request->receipt.appended_ms != 0) slot->receipt = request->receipt;
    if (epoch != NULL) *epoch = request->epoch;
    request_free(request);
    return true;
}

void request_delay(struct request *request)
{
    struct world *world = request->world;
    int32_t shard = request->slot->shard;
    struct heap *before = heap_enter(NULL);
    if (world->late_end[shard] != NULL) request_free(world->late_end[shard]);
    (void)heap_enter(before);
    request->abandoned = true;
    world->late_end[shard] = request;
}

void requests_late_end(struct world *world, int32_t shard)
{
    struct request *request = world->late_end[shard];
    if (request == NULL) return;
    world->late_end[shard] = NULL;
    request->give_up_us = world->now_us + REQUEST_LIMIT_US;
    struct heap *before = heap_enter(NULL);
    request_arrives(request, 0);
    (void)heap_enter(before);
}

static void note_late_init(const struct seat *slot)
{
    const struct world *world = slot->world;
    for (int32_t p = 0; p < world->settings.processes; p++)
        if (p != slot->process->index && process_is_live(&world->processes[p], slot->shard))
            slot->world->sometimes.count[SOMETIMES_LATE_INIT_FENCED_OWNER]++;
}

static void late_init_arrives(void *object, int64_t number)
{
    struct request *request = object;
    note_late_init(request->slot);
    request_arrives(request, number);
}

void request_send_late_init(struct request *request, int64_t delay_us)
{
    struct heap *before = heap_enter(NULL);
    agenda_add(&request->world->agenda, request->world->now_us + delay_us, late_init_arrives,
               request, 0);
    (void)heap_enter(before);
}

void requests_drop(struct world *world)
{
    for (int32_t shard = 0; shard < SIM_SHARDS_MAX; shard++)
        if (world->late_end[shard] != NULL) request_free(world->late_end[shard]);
    for (size_t i = 0; i < world->agenda.count; i++) {
        const struct agenda_entry *entry = &world->agenda.heap[i];
        if (entry->call != request_arrives && entry->call != late_init_arrives) continue;
        request_free(entry->object);
    }
}
