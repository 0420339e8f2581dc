/* Whether an input log still is the one that the mark's offsets are of: a topic that was deleted
 * and made anew has offsets, too, but not the same record at them. */
#include <inttypes.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"
#include "dispatcher/engine/replay.h"
#include "lib/base/hash.h"

static const char advice[] = "belfry recover --from kafka goes on; see docs/operation.md, "
                             "\"state_lost\"";

/* The value's hash, keyed by the key's. It is kept in marks: never to be changed. */
static uint64_t hash_of(const struct broker_input *input)
{
    uint8_t key[HASH_KEY_BYTES] = "belfry last read";
    uint64_t of_key = hash_siphash(key, input->key.bytes, input->key.length);
    for (size_t i = 0; i < sizeof of_key; i++) key[i] = (uint8_t)(of_key >> (8 * i));
    return hash_siphash(key, input->value.bytes, input->value.length);
}

void engine_remember(const struct broker_input *input, struct last_read *last)
{
    *last = (struct last_read){.known = true,
                               .offset = input->offset,
                               .log_time_ms = input->log_time_ms,
                               .hash = hash_of(input)};
}

void engine_stand_at(struct engine *engine, const struct mark *mark)
{
    memcpy(engine->places, mark->inputs, sizeof engine->places);
}

/* The first record that is left of those from the offset on. */
static bool read_one(struct engine *engine, enum broker_topic topic, int64_t offset,
                     struct last_read *there, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    const struct broker_operations *operations = broker->operations;
    int64_t deadline_us = engine_monotonic_us(engine) + REPLAY_SILENCE_US;
    *there = (struct last_read){0};
    if (!operations->start_reading(broker, topic, offset, error)) return false;
    bool ended = false;
    while (!ended) {
        struct broker_input input = {.kind = BROKER_NOTHING};
        if (!operations->poll(broker, REPLAY_POLL_MS, &input, error)) break;
        if (input.kind == BROKER_NOTHING && (engine_monotonic_us(engine) > deadline_us ||
                                             atomic_load(&engine->wish) != ENGINE_RUN)) {
            error_set(error, ERROR_RETRY, "the last record read: neither it nor the log's end");
            break;
        }
        ended = input.kind != BROKER_NOTHING && input.topic == topic;
        if (input.kind != BROKER_RECORD) continue;
        if (ended) engine_remember(&input, there);
        operations->release(broker, &input);
    }
    operations->stop_reading(broker, topic);
    return ended;
}

bool engine_look_at_log(struct engine *engine, enum input input, const struct input_place *place,
                        struct log_look *look, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    const struct last_read *last = &place->last;
    enum broker_topic topic = input_topic(input);
    int64_t first = 0;
    *look = (struct log_look){0};
    if (!broker->operations->offsets(broker, topic, &first, &look->end, error)) return false;
    if (look->end < place->offset || !last->known || last->offset < first ||
        last->offset >= look->end)
        return true;
    if (!read_one(engine, topic, last->offset, &look->there, error)) return false;
    look->differs = look->there.known && look->there.offset == last->offset &&
                    (look->there.log_time_ms != last->log_time_ms ||
                     look->there.hash != last->hash);
    return true;
}

bool engine_say_cut(enum input input, int64_t end, int64_t read_to, struct error *error)
{
    return error_set(error, ERROR_FATAL, "state_lost: topic %s ends at %" PRId64 ", the shard had "
                     "read it to %" PRId64 ": it was cut or made anew; %s", input_name(input), end,
                     read_to, advice);
}

static bool check_log(struct engine *engine, enum input input, const struct mark *mark,
                      struct error *error)
{
    const char *name = input_name(input);
    const struct input_place *place = &mark->inputs[input];
    const struct last_read *last = &place->last;
    int64_t read_to = mark_read_to(mark, input);
    struct log_look look;
    if (!engine_look_at_log(engine, input, place, &look, error)) return false;
    if (look.end < read_to) return engine_say_cut(input, look.end, read_to, error);
    if (look.differs)
        return error_set(error, ERROR_FATAL, "state_lost: topic %s was made anew: its record %"
                         PRId64 " was appended at %" PRId64 ", the one this shard has read at %"
                         PRId64 "; %s", name, last->offset, look.there.log_time_ms,
                         last->log_time_ms, advice);
    return true;
}

bool engine_check_logs(struct engine *engine, const struct mark *mark, struct error *error)
{
    if (!engine->options.state_log) return true;
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        if (!check_log(engine, input, mark, error)) return false;
    return true;
}

bool engine_place_reports(struct engine *engine, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    struct runs *runs = shard_runs(engine->shard);
    int64_t first = 0;
    int64_t end = 0;
    if (!broker->operations->offsets(broker, TOPIC_RUNS, &first, &end, error)) return false;
    if (end < runs_read_to(runs)) return engine_say_cut(INPUT_RUNS, end, runs_read_to(runs), error);
    if (end > 0) runs_read(runs, end - 1);
    engine->reports.applied = end;
    engine->reports.placed = true;
    return true;
}
