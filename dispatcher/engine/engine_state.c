/* What every part of an engine asks its ports for. */
#include "dispatcher/engine/engine_state.h"

int64_t engine_monotonic_us(const struct engine *engine)
{
    return engine->ports.clock->monotonic_us(engine->ports.clock->opaque);
}

int64_t engine_wall_ms(const struct engine *engine)
{
    return engine->ports.clock->now_ms(engine->ports.clock->opaque);
}

void engine_sleep_ms(const struct engine *engine, int64_t ms)
{
    engine->ports.clock->sleep_ms(engine->ports.clock->opaque, ms);
}

struct runs_now engine_runs_now(const struct engine *engine, int64_t now_ms)
{
    return (struct runs_now){.now_ms = now_ms, .steady_ms = engine_monotonic_us(engine) / 1000};
}

void engine_tell_error(const struct engine *engine, enum observed_kind kind,
                       const struct error *error)
{
    observe(engine->ports.observer, kind, engine->options.shard,
            &(struct observed){.kind = error_kind_name(error->kind), .message = error->message});
}
