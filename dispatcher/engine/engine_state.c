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

void engine_log_error(const struct engine *engine, enum observer_level level, const char *event,
                      const struct error *error)
{
    char quoted[ERROR_MESSAGE_BYTES + 64];
    observe(engine->ports.observer, level, event, engine->options.shard, "kind=%s message=%s",
            error_kind_name(error->kind), observer_quote(quoted, sizeof quoted, error->message));
}
