/* What an engine is given for Kafka: requests that travel, can get lost, be late or arrive after
 * their sender has died. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge/repeats.h"
#include "tests/simulation/world/port_broker.h"
#include "tests/simulation/world/requests.h"

enum { IDLE_MS = 10000 };
#define FETCH_US (40 * MILLI_US)
#define MESSAGE_LIMIT_US (5 * SECOND_US)

static const enum broker_topic readable[READABLE] = {TOPIC_CONTROL, TOPIC_FORWARD, TOPIC_STATE,
                                                     TOPIC_RUNS};

static struct broker_simulated *ours(struct broker *broker)
{
    return (struct broker_simulated *)broker;
}

/* A request that only asks, or whose effect nobody has to order: there and back. */
static bool ask(struct seat *slot, struct error *error)
{
    struct world *world = slot->world;
    slot_wait(slot, world->now_us + world_latency_us(world, 200, 4 * MILLI_US));
    int64_t until_us = world->now_us + REQUEST_LIMIT_US;
    while (!process_reaches_kafka(slot->process) && world->now_us < until_us)
        slot_wait(slot, world->now_us + 100 * MILLI_US);
    if (process_reaches_kafka(slot->process)) return true;
    return error_set(error, ERROR_RETRY, "no answer from Kafka");
}

/* ---- owning ---- */

static bool prove_ownership(struct broker *broker, int64_t control_offset, struct error *error)
{
    struct seat *slot = ours(broker)->slot;
    const struct member *member = &slot->process->member;
    (void)control_offset;
    slot_pass(slot, POINT_PROVE);
    if (!member->current)
        return error_set(error, ERROR_RETRY, "the group is being rebalanced");
    int64_t generation = member->generation;
    bool refused = (member->shards >> slot->shard & 1) == 0;
    if (!refused && !ask(slot, error)) return false;
    if (!refused) refused = !group_accepts(slot->process);
    if (refused) {
        slot->world->sometimes.count[SOMETIMES_PROOF_REFUSED]++;
        return error_set(error, ERROR_FENCED, "the group gave the shard to another process");
    }
    if (!member->current || member->generation != generation)
        return error_set(error, ERROR_RETRY, "the group was rebalanced");
    slot->proved_us = slot->world->now_us;
    return true;
}

static void drop_records(struct broker_simulated *own)
{
    for (size_t i = 0; i < own->count; i++) free(own->records[i]);
    own->count = 0;
}

static void close_producer(struct broker *broker)
{
    struct broker_simulated *own = ours(broker);
    (void)loans_over(&own->loans); /* a batch may be on its way until the very end */
    struct heap *before = heap_enter(NULL);
    drop_records(own);
    (void)heap_enter(before);
    own->open = false;
    own->in_transaction = false;
}

static bool open_producer(struct broker *broker, struct error *error)
{
    struct broker_simulated *own = ours(broker);
    struct seat *slot = own->slot;
    struct world *world = slot->world;
    enum answer answer = ANSWER_BUSY;
    close_producer(broker);
    if (slot->proved_us != world->now_us)
        world_violation(world, "no proof: %s opens a producer of shard %d", slot->process->owner,
                        (int)slot->shard);
    slot_pass(slot, POINT_INIT_BEFORE);
    struct request *request = request_create(slot);
    request->init = true;
    int64_t delay_us = slot->process->init_delay_us;
    slot->process->init_delay_us = 0;
    if (!process_reaches_kafka(slot->process)) delay_us = REQUEST_LIMIT_US * 3;
    if (delay_us > 0 && process_reaches_kafka(slot->process)) {
        world->sometimes.count[SOMETIMES_LATE_INIT]++;
        request->give_up_us += delay_us;
        request_send_late_init(request, delay_us);
    } else if (delay_us == 0) {
        request_send(request, world_latency_us(world, MILLI_US, 10 * MILLI_US));
    } else { /* it gets nowhere */
        struct heap *before = heap_enter(NULL);
        request_free(request);
        (void)heap_enter(before);
        slot_wait(slot, world->now_us + REQUEST_LIMIT_US);
        return error_set(error, ERROR_RETRY, "init_transactions: no answer");
    }
    if (!request_wait(request, REQUEST_LIMIT_US, &answer, &own->epoch) ||
        answer != ANSWER_DONE)
        return error_set(error, ERROR_RETRY, "init_transactions: no answer in time");
    own->open = true;
    own->settling = true;
    repeats_opened(slot);
    slot_pass(slot, POINT_INIT_AFTER);
    return true;
}

/* ---- transactions ---- */

static bool begin(struct broker *broker, struct error *error)
{
    struct broker_simulated *own = ours(broker);
    (void)error;
    assert(own->open && !own->in_transaction);
    slot_pass(own->slot, POINT_BEGIN);
    own->in_transaction = true;
    return true;
}

static bool produce(struct broker *broker, const struct broker_record *record,
                    struct error *error)
{
    struct broker_simulated *own = ours(broker);
    assert(own->open && own->in_transaction);
    slot_pass(own->slot, POINT_PRODUCE);
    if (record->topic == TOPIC_FOREIGN) {
        int32_t topic = foreign_topic_index(record->foreign_topic);
        if (topic < 0 || own->slot->world->cluster.foreign[topic] == FOREIGN_MISSING)
            return error_set(error, ERROR_INVALID, "topic %s does not exist",
                             record->foreign_topic);
    }
    struct heap *before = heap_enter(NULL);
    struct record *copy = record_copy(record);
    repeats_judge(own->slot, copy);
    struct cluster *cluster = &own->slot->world->cluster;
    bool refused = cluster->own_named && cluster_too_large(cluster, copy);
    own->records = memory_grow(own->records, &own->capacity, own->count + 1, sizeof *own->records);
    if (refused) free(copy);
    else own->records[own->count++] = copy;
    (void)heap_enter(before);
    if (!refused) loans_add(&own->loans, own->slot->world, record->value);
    return !refused || error_set(error, ERROR_INVALID, "a record of ours is too large");
}

/* Hands the records, or the first `count` of them, to a request; the rest is dropped. */
static struct request *request_with(struct broker_simulated *own, size_t count)
{
    struct request *request = request_create(own->slot);
    request->epoch = own->epoch;
    struct heap *before = heap_enter(NULL);
    for (size_t i = count; i < own->count; i++) free(own->records[i]);
    request->records = own->records;
    request->count = count;
    own->records = NULL;
    own->count = 0;
    own->capacity = 0;
    (void)heap_enter(before);
    return request;
}

static bool outcome_unknown(struct broker_simulated *own, int64_t after_us, struct error *error)
{
    struct seat *slot = own->slot;
    slot_wait(slot, slot->world->now_us + after_us);
    return error_set(error, ERROR_UNKNOWN, "commit: timed out");
}

static bool answered(struct broker_simulated *own, enum answer answer, struct error *error)
{
    switch (answer) {
    case ANSWER_DONE: own->in_transaction = false; return loans_over(&own->loans);
    case ANSWER_FENCED: return error_set(error, ERROR_FENCED, "a newer producer is there");
    case ANSWER_DENIED:
        (void)error_set(error, ERROR_UNKNOWN, "a record was refused");
        error->code = CODE_REFUSED;
        return false;
    case ANSWER_BUSY: return error_set(error, ERROR_UNKNOWN, "commit: timed out");
    case ANSWER_WRONG_STATE: return error_set(error, ERROR_UNKNOWN, "invalid state");
    }
    return false;
}

/* The first half of the records, then the rest and the end. What has been late meets an open
 * transaction. */
static bool commit_in_parts(struct broker_simulated *own, int64_t delay_us, struct error *error)
{
    struct seat *slot = own->slot;
    struct world *world = slot->world;
    enum answer answer = ANSWER_DONE;
    size_t half = own->count / 2;
    struct request *rest = request_with(own, own->count);
    struct request *first = request_create(slot);
    struct heap *before = heap_enter(NULL);
    first->epoch = rest->epoch;
    first->records = memory_allocate(half + 1, sizeof(struct record *));
    memcpy(first->records, rest->records, half * sizeof(struct record *));
    first->count = half;
    rest->count -= half;
    memmove(rest->records, rest->records + half, rest->count * sizeof(struct record *));
    (void)heap_enter(before);
    rest->commit = true;
    rest->end = true;
    world->sometimes.count[SOMETIMES_COMMIT_PARTS]++;
    request_send(first, world_latency_us(world, 500, 5 * MILLI_US));
    bool told = request_wait(first, REQUEST_LIMIT_US, &answer, NULL);
    if (!told || answer != ANSWER_DONE) { /* a record is missing: nobody asks for the end */
        before = heap_enter(NULL);
        request_free(rest);
        (void)heap_enter(before);
        return told ? answered(own, answer, error)
                    : error_set(error, ERROR_UNKNOWN, "flush: timed out");
    }
    cluster_watch(world, slot->shard);
    requests_late_end(world, slot->shard);
    slot_wait(slot, world->now_us + delay_us);
    rest->give_up_us = world->now_us + REQUEST_LIMIT_US;
    request_send(rest, world_latency_us(world, 500, 5 * MILLI_US));
    if (!request_wait(rest, REQUEST_LIMIT_US, &answer, NULL))
        return error_set(error, ERROR_UNKNOWN, "commit: timed out");
    return answered(own, answer, error);
}

/* The adapter knows that it may have asked twice, and that a new producer must go on. */
static bool commit_twice(struct broker_simulated *own, struct error *error)
{
    struct seat *slot = own->slot;
    struct world *world = slot->world;
    enum answer answer = ANSWER_DONE;
    struct request *again = request_with(own, own->count);
    again->commit = true;
    again->end = true;
    struct request *first = request_create(slot);
    first->epoch = own->epoch;
    first->commit = true;
    first->end = true;
    first->end_delay_us = 1;
    world->sometimes.count[SOMETIMES_COMMIT_TWICE]++;
    request_send(again, world_latency_us(world, MILLI_US, 20 * MILLI_US));
    (void)request_wait(again, REQUEST_LIMIT_US, &answer, NULL);
    request_delay(first);
    world->commit_fate[slot->shard] = COMMIT_PARTS;
    world->commit_delay_us[slot->shard] = world_latency_us(world, 1, SECOND_US);
    return error_set(error, ERROR_UNKNOWN,
                     "commit went through, but may have been asked for twice");
}

static bool commit_badly(struct broker_simulated *own, enum commit_fate fate,
                         int64_t delay_us, struct error *error)
{
    struct seat *slot = own->slot;
    struct world *world = slot->world;
    int64_t way_us = world_latency_us(world, MILLI_US, 5 * MILLI_US);
    static const enum sometimes_kind kinds[COMMIT_FATE_COUNT] = {
        [COMMIT_ABORTABLE] = SOMETIMES_COMMIT_ABORTABLE,
        [COMMIT_NOT_SENT] = SOMETIMES_COMMIT_NOT_SENT,
        [COMMIT_CUT] = SOMETIMES_COMMIT_CUT,
        [COMMIT_REPLY_LOST] = SOMETIMES_COMMIT_REPLY_LOST,
        [COMMIT_LATE] = SOMETIMES_COMMIT_LATE,
        [COMMIT_SLOW] = SOMETIMES_COMMIT_SLOW};
    if (fate == COMMIT_PARTS) return commit_in_parts(own, delay_us, error);
    if (fate == COMMIT_TWICE) return commit_twice(own, error);
    world->sometimes.count[kinds[fate]]++;
    size_t count = fate == COMMIT_CUT ? own->count / 2 : own->count;
    struct request *request = request_with(own, count);
    enum answer answer = ANSWER_DONE;
    world_trace(world, "%s shard %d: the commit goes wrong: %s", slot->process->owner,
                (int)slot->shard, commit_fate_name(fate));
    if (fate == COMMIT_NOT_SENT) {
        struct heap *before = heap_enter(NULL);
        request_free(request);
        (void)heap_enter(before);
        return outcome_unknown(own, delay_us, error);
    }
    if (fate == COMMIT_ABORTABLE) {
        request_send(request, way_us);
        if (!request_wait(request, REQUEST_LIMIT_US, &answer, NULL))
            return error_set(error, ERROR_UNKNOWN, "flush: timed out");
        if (answer != ANSWER_DONE) return answered(own, answer, error);
        cluster_watch(world, slot->shard);
        return error_set(error, ERROR_ABORT, "the coordinator asks for an abort");
    }
    request->commit = true;
    request->end = fate != COMMIT_CUT;
    request->end_delay_us =
        fate == COMMIT_LATE || fate == COMMIT_SLOW || fate == COMMIT_CUT ? delay_us : 0;
    request->give_up_us += delay_us;
    if (fate == COMMIT_CUT || fate == COMMIT_LATE || fate == COMMIT_REPLY_LOST)
        request->abandoned = true;
    request_send(request, way_us);
    if (fate == COMMIT_REPLY_LOST) return outcome_unknown(own, delay_us, error);
    if (fate == COMMIT_LATE || fate == COMMIT_CUT)
        return outcome_unknown(own, 1 + delay_us * world_latency_us(world, 1, 20) / 10, error);
    if (!request_wait(request, 2 * REQUEST_LIMIT_US + delay_us, &answer, NULL))
        return error_set(error, ERROR_UNKNOWN, "commit: timed out");
    return answered(own, answer, error);
}

static bool leader_is_well(const struct seat *slot)
{
    return slot->world->leader_bad_until_us[slot->shard] <= slot->world->now_us;
}

static bool can_write(const struct seat *slot)
{
    const struct world *world = slot->world;
    return process_reaches_kafka(slot->process) &&
           slot->process->commits_lost_until_us <= world->now_us &&
           leader_is_well(slot);
}

static bool commit(struct broker *broker, struct broker_receipt *receipt, struct error *error)
{
    struct broker_simulated *own = ours(broker);
    struct seat *slot = own->slot;
    struct world *world = slot->world;
    enum answer answer = ANSWER_DONE;
    assert(own->open && own->in_transaction);
    slot_pass(slot, POINT_COMMIT_BEFORE);
    slot->receipt = (struct broker_receipt){.offset = -1};
    enum commit_fate fate = world->commit_fate[slot->shard];
    int64_t delay_us = world->commit_delay_us[slot->shard];
    world->commit_fate[slot->shard] = COMMIT_WELL;
    int64_t until_us = world->now_us + MESSAGE_LIMIT_US;
    while (!can_write(slot) && world->now_us < until_us)
        slot_wait(slot, world->now_us + 100 * MILLI_US);
    if (!can_write(slot)) {
        fate = COMMIT_NOT_SENT;
        delay_us = MILLI_US;
    }
    bool done = false;
    if (fate != COMMIT_WELL) {
        done = commit_badly(own, fate, delay_us, error);
    } else {
        struct request *request = request_with(own, own->count);
        request->commit = true;
        request->end = true;
        int64_t way_us = world_latency_us(world, 500, 10 * MILLI_US);
        request_send(request, way_us + request_slow_down(request));
        if (request_wait(request, 3 * REQUEST_LIMIT_US, &answer, NULL))
            done = answered(own, answer, error);
        else
            done = error_set(error, ERROR_UNKNOWN, "commit: timed out");
    }
    slot_pass(slot, POINT_COMMIT_AFTER);
    *receipt = slot->receipt;
    if (done) {
        own->settling = false;
        loss_taken(slot);
    }
    return done;
}

static bool abort_transaction(struct broker *broker, struct error *error)
{
    struct broker_simulated *own = ours(broker);
    struct seat *slot = own->slot;
    enum answer answer = ANSWER_DONE;
    assert(own->open && own->in_transaction);
    struct request *request = request_create(slot);
    request->epoch = own->epoch;
    request->end = true;
    request_send(request, world_latency_us(slot->world, 500, 5 * MILLI_US));
    if (!request_wait(request, REQUEST_LIMIT_US, &answer, NULL))
        return error_set(error, ERROR_UNKNOWN, "abort: timed out");
    return answered(own, answer, error);
}

/* ---- reading ---- */

static struct reading *reading_of(struct broker_simulated *own, enum broker_topic topic)
{
    for (size_t i = 0; i < READABLE; i++)
        if (readable[i] == topic) return &own->readings[i];
    assert(!"a topic that a shard reads");
    return NULL;
}

static void note_reading(const struct broker_simulated *own, int64_t offset)
{
    const struct seat *slot = own->slot;
    int64_t first = cluster_log(&slot->world->cluster, TOPIC_RUNS, slot->shard)->first_offset;
    struct run_reading reading = {.shard = slot->shard,
                                  .time_ms = world_now_ms(slot->world),
                                  .offset = offset < first ? first : offset,
                                  .life = slot->life << 32 | own->take_overs};
    (void)snprintf(reading.owner, sizeof reading.owner, "%s", slot->process->owner);
    run_facts_begin(&slot->world->facts, &reading);
}

static bool start_reading(struct broker *broker, enum broker_topic topic, int64_t offset,
                          struct error *error)
{
    struct reading *reading = reading_of(ours(broker), topic);
    (void)error;
    assert(!reading->active);
    struct world *world = ours(broker)->slot->world;
    *reading = (struct reading){.active = true,
                                .ready_us = world->now_us + world_latency_us(world, 500, FETCH_US),
                                .position = offset,
                                .told_end = -1};
    if (topic == TOPIC_CONTROL) ours(broker)->take_overs++;
    if (topic == TOPIC_RUNS) note_reading(ours(broker), offset);
    return true;
}

static void stop_reading(struct broker *broker, enum broker_topic topic)
{
    reading_of(ours(broker), topic)->active = false;
}

static bool offsets(struct broker *broker, enum broker_topic topic, int64_t *first, int64_t *end,
                    struct error *error)
{
    struct seat *slot = ours(broker)->slot;
    if (topic == TOPIC_STATE && !ours(broker)->settling &&
        process_is_live(slot->process, slot->shard))
        world_violation(slot->world, "asks: shard %d of %s, alive and well, asks where its state "
                        "log ends", (int)slot->shard, slot->process->owner);
    if (topic == TOPIC_STATE && !leader_is_well(slot)) {
        slot_wait(slot, slot->world->now_us + SECOND_US);
        return error_set(error, ERROR_RETRY, "no leader");
    }
    if (!process_reaches_kafka(slot->process)) {
        if (!ask(slot, error)) return false;
    } else if (topic != TOPIC_STATE && !ask(slot, error)) {
        return false;
    }
    const struct log *log = cluster_log(&slot->world->cluster, topic, slot->shard);
    *first = log->first_offset;
    *end = log_stable_offset(log);
    return true;
}

static void fill_record(const struct record *record, enum broker_topic topic,
                        struct broker_input *input)
{
    input->kind = BROKER_RECORD;
    input->topic = topic;
    input->offset = record->offset;
    input->log_time_ms = record->time_ms;
    input->key = record->key;
    input->value = record->value;
    input->tombstone = record->tombstone;
    input->header_count = record->header_count;
    for (size_t i = 0; i < record->header_count; i++) input->headers[i] = record->headers[i];
}

static int64_t reading_ready_us(const struct broker_simulated *own, const struct reading *reading)
{
    int64_t from_us = own->slot->process->fetch_from_us;
    return reading->ready_us > from_us ? reading->ready_us : from_us;
}

/* When the wait for something to read is over at the latest. */
static int64_t wait_until_us(const struct broker_simulated *own, int64_t until_us)
{
    int64_t now_us = own->slot->world->now_us;
    for (size_t i = 0; i < READABLE; i++) {
        int64_t ready_us = reading_ready_us(own, &own->readings[i]);
        if (own->readings[i].active && ready_us > now_us && ready_us < until_us)
            until_us = ready_us;
    }
    return until_us;
}

/* What is there to be read, from a topic chosen by chance. False: the position is gone. */
static bool look(struct broker_simulated *own, struct broker_input *input, struct error *error)
{
    struct world *world = own->slot->world;
    size_t count = reading_of(own, TOPIC_RUNS)->active ? READABLE : READABLE - 1;
    size_t first = (size_t)world_latency_us(world, 0, (int64_t)count - 1);
    for (size_t i = 0; i < count; i++) {
        size_t at = (first + i) % count;
        struct reading *reading = &own->readings[at];
        if (!reading->active || reading_ready_us(own, reading) > world->now_us) continue;
        const struct log *log = cluster_log(&world->cluster, readable[at], own->slot->shard);
        if (reading->position < log->first_offset) { /* said once: nothing is read there any more */
            reading->ready_us = INT64_MAX;
            return error_set(error, ERROR_UNKNOWN, "the offset to read is gone");
        }
        const struct record *record = log_next(log, reading->position);
        int64_t stable = log_stable_offset(log);
        if (record != NULL) {
            reading->position = record->offset + 1;
            fill_record(record, readable[at], input);
            if (readable[at] == TOPIC_RUNS)
                run_facts_read(&world->facts, own->slot->shard, record->offset,
                               world_now_ms(world));
            return true;
        }
        if (stable > reading->told_end || reading->told_end < reading->position) {
            if (stable > reading->position) reading->position = stable;
            reading->told_end = reading->position;
            input->kind = BROKER_END;
            input->topic = readable[at];
            input->offset = reading->position;
            return true;
        }
    }
    return true;
}

static bool poll(struct broker *broker, int32_t wait_ms, struct broker_input *input,
                 struct error *error)
{
    struct broker_simulated *own = ours(broker);
    struct seat *slot = own->slot;
    struct world *world = slot->world;
    slot_pass(slot, POINT_POLL);
    input->kind = BROKER_NOTHING;
    input->header_count = 0;
    input->truncated_headers = false;
    input->tombstone = false;
    input->handle = NULL;
    bool reaches = process_reaches_kafka(slot->process);
    if (reaches && !look(own, input, error)) return false;
    if (input->kind != BROKER_NOTHING || wait_ms == 0) return true;
    slot->reading = true;
    slot->idles = wait_ms > IDLE_MS;
    int64_t end_us = world->now_us + wait_ms * MILLI_US;
    int64_t until_us = end_us;
    do {
        until_us = wait_until_us(own, end_us);
        slot_wait(slot, until_us);
    } while (wait_until_us(own, end_us) < end_us && world->now_us < end_us);
    slot->reading = false;
    if (slot->idles) slot->idle_us = world->now_us;
    slot->idles = false;
    return !process_reaches_kafka(slot->process) || look(own, input, error);
}

/* Records stay in their logs while somebody may hold them: a copy is made for none. */
static void release(struct broker *broker, struct broker_input *input)
{
    (void)broker;
    input->kind = BROKER_NOTHING;
}

static bool foreign_topic(struct broker *broker, const char *topic, struct topic_info *info,
                          struct error *error)
{
    struct seat *slot = ours(broker)->slot;
    if (!ask(slot, error)) return false;
    int32_t index = foreign_topic_index(topic);
    *info = (struct topic_info){
        .exists = index >= 0 && slot->world->cluster.foreign[index] != FOREIGN_MISSING,
        .partitions = 1};
    return true;
}

static void destroy(struct broker *broker)
{
    struct broker_simulated *own = ours(broker);
    close_producer(broker);
    question_forget(own->slot);
    loans_free(&own->loans);
    free(own->records);
    free(own);
}

static const struct broker_operations operations = {
    .prove_ownership = prove_ownership,
    .open_producer = open_producer,
    .close_producer = close_producer,
    .begin = begin,
    .produce = produce,
    .commit = commit,
    .abort = abort_transaction,
    .start_reading = start_reading,
    .stop_reading = stop_reading,
    .offsets = offsets,
    .poll = poll,
    .release = release,
    .foreign_topic = foreign_topic,
    .tick = tick_simulated,
    .ask_committed = ask_committed_simulated,
    .committed = committed_simulated,
    .destroy = destroy,
};

struct broker *broker_simulated_create(struct seat *slot)
{
    struct broker_simulated *own = memory_allocate(1, sizeof *own);
    own->broker.operations = &operations;
    own->slot = slot;
    question_forget(slot); /* of an earlier life */
    return &own->broker;
}
