/* What others may read of an engine while it works: numbers that its own thread writes. */
#include <stdatomic.h>

#include "dispatcher/engine/engine_state.h"

#define LOOK_US INT64_C(1000000)
#define HOUR_LOOK_US INT64_C(5000000)

static void tell(_Atomic int64_t *number, int64_t value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

void engine_numbers_begin(struct engine *engine)
{
    struct engine_numbers *numbers = &engine->numbers;
#define BEGIN(name, unknown) tell(&numbers->name, unknown);
    ENGINE_NUMBERS(BEGIN)
#undef BEGIN
    for (enum input input = 0; input < INPUTS_COMMANDS; input++) tell(&numbers->waiting[input], 0);
    engine->looked_us = 0;
    engine->hour_looked_us = 0;
}

/* What was read and is not done, and what stands behind it as far as Kafka has said. */
static int64_t waiting(const struct engine *engine, enum input input)
{
    struct broker *broker = engine->ports.broker;
    int64_t count = (int64_t)inputs_count_of(&engine->inputs, input);
    if (broker->operations->end_seen == NULL) return count;
    int64_t end = broker->operations->end_seen(broker, input_topic(input));
    int64_t position = inputs_position(&engine->inputs, input);
    return end > position ? count + end - position : count;
}

/* What is not counted all the time: now and then, and bounded. */
static void look(struct engine *engine, int64_t monotonic_us)
{
    struct engine_numbers *numbers = &engine->numbers;
    if (monotonic_us - engine->looked_us < LOOK_US) return;
    engine->looked_us = monotonic_us;
    tell(&numbers->owed_oldest_ms, census_oldest_owed_ms(&engine->census, engine->shard));
    struct runs *runs = shard_runs(engine->shard);
    tell(&numbers->runs_oldest_ms, runs == NULL ? INSTANT_NONE : runs_oldest_ms(runs));
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        tell(&numbers->waiting[input], waiting(engine, input));
    if (monotonic_us - engine->hour_looked_us < HOUR_LOOK_US) return;
    engine->hour_looked_us = monotonic_us;
    tell(&numbers->jobs_next_hour,
         shard_jobs_due_by(engine->shard, engine_steady_ms(engine) + HOURS_MS));
}

void engine_numbers_tell(struct engine *engine)
{
    struct engine_numbers *numbers = &engine->numbers;
    const struct census *census = &engine->census;
    struct shard_backlog backlog = shard_backlog(engine->shard);
    tell(&numbers->jobs_paused, census->paused);
    tell(&numbers->jobs_failing, census->failing);
    tell(&numbers->jobs_finished, census->finished);
    tell(&numbers->jobs_zoneless, census->zoneless);
    tell(&numbers->jobs_owing, census->owing);
    tell(&numbers->owed_slots, backlog.slots);
    tell(&numbers->owed_drain_ms, backlog.drain_ms);
    tell(&numbers->runs_open, (int64_t)shard_open_runs(engine->shard));
    tell(&numbers->next_live_ms, shard_next_live_ms(engine->shard));
    look(engine, engine_monotonic_us(engine));
}

static int64_t read(const _Atomic int64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void read_numbers(const struct engine_numbers *numbers, struct engine_status *status)
{
    status->commands = read(&numbers->commands);
#define READ(name, unknown) status->name = read(&numbers->name);
    ENGINE_NUMBERS(READ)
#undef READ
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        status->waiting[input] = read(&numbers->waiting[input]);
}

struct engine_status engine_status(const struct engine *engine)
{
    struct engine_status status = {
        .state = (enum engine_state)atomic_load(&engine->state),
        .since_ms = atomic_load(&engine->since_ms),
        .sequence = atomic_load(&engine->sequence),
        .epoch = atomic_load(&engine->epoch),
        .watermark_ms = atomic_load(&engine->watermark_ms),
        .fires = atomic_load(&engine->fires),
        .jobs = atomic_load(&engine->jobs),
        .checkpoint_sequence = atomic_load(&engine->checkpoint_sequence),
        .moved_us = atomic_load(&engine->moved_us),
        .committed_us = atomic_load(&engine->committed_us),
        .correction_ms = atomic_load(&engine->correction_ms),
        .clock_ahead_ms = atomic_load(&engine->clock_ahead_ms),
        .clock_far = atomic_load(&engine->clock_far)};
    read_numbers(&engine->numbers, &status);
    return status;
}
