/* Which clock to believe. Each of our marks that we read back says what the broker's clock was
 * when it was appended; a clock of ours that runs ahead of it must not fire early. */
#include <assert.h>
#include <inttypes.h>

#include "dispatcher/core/mutant.h"
#include "dispatcher/engine/engine_state.h"

#define SAMPLE_TOOK_MAX_US INT64_C(500000)
#define SAMPLE_REFUSED_US INT64_C(2000000)
enum { LOOKS_MAX = 5, LOOK_AGAIN_MS = 20 }; /* the marker of a commit may come a moment later */
#define JUMP_MS 500 /* the wall clock against the one that never steps */

void engine_clock_sample(struct engine *engine, int64_t produced_ms, int64_t log_time_ms)
{
    int64_t ahead_ms = mutant(MUTANT_CLOCK_BELIEVED) ? 0 : produced_ms - log_time_ms;
    int64_t excess_ms = ahead_ms - engine->options.clock_tolerance_ms;
    bool refused = ahead_ms > engine->options.clock_step_ms;
    if (excess_ms < 0) excess_ms = 0;
    bool worse = excess_ms > engine->skew_ms + engine->options.clock_tolerance_ms ||
                 (refused && !engine->clock_refused);
    engine->skew_ms = excess_ms;
    engine->clock_refused = refused;
    engine->skew_due_us = engine_monotonic_us(engine) +
                          (refused ? SAMPLE_REFUSED_US : engine->options.clock_sample_ms * 1000);
    if (!worse) return;
    observe(engine->ports.observer, LEVEL_ERROR, "clock.ahead", engine->options.shard,
            "ahead_ms=%" PRId64 " action=%s", ahead_ms, refused ? "nothing_fires" : "corrected");
    struct event event;
    event_init(&event, EVENT_CLOCK_AHEAD, log_time_ms);
    event.count = ahead_ms;
    event.owner = text_of(engine->options.owner);
    event.reason = refused ? "beyond_step" : "corrected";
    struct sink sink = outbox_sink(&engine->outbox);
    sink.event(sink.opaque, &event);
}

bool engine_clock_look(struct engine *engine, int64_t produced_ms, int64_t produced_us,
                       bool *seen, struct error *error)
{
    /* The mark was appended at some time between: after a slow commit that says little. */
    bool slow = engine_monotonic_us(engine) - produced_us > SAMPLE_TOOK_MAX_US;
    struct mark mark;
    int64_t log_time_ms = 0;
    bool found = false;
    *seen = false;
    for (int look = 0; look < LOOKS_MAX && !*seen && !slow; look++) {
        if (look > 0) engine_sleep_ms(engine, LOOK_AGAIN_MS);
        if (!engine_read_last_mark(engine, &mark, &log_time_ms, &found, error)) return false;
        *seen = found && mark.sequence == engine->mark.sequence &&
                mark.epoch == engine->mark.epoch;
    }
    if (*seen) engine_clock_sample(engine, produced_ms, log_time_ms);
    else engine->skew_due_us = engine_monotonic_us(engine) + SAMPLE_REFUSED_US;
    return true;
}

/* A bare mark, read back. Until that succeeds, a clock that has jumped ahead by jump_ms is not
 * believed to have done so. */
static bool take_sample(struct engine *engine, int64_t jump_ms, struct error *error)
{
    bool seen = false;
    int64_t produced_ms = engine_wall_ms(engine);
    int64_t produced_us = engine_monotonic_us(engine);
    if (!engine_commit(engine, error) ||
        !engine_clock_look(engine, produced_ms, produced_us, &seen, error))
        return false;
    if (!seen && jump_ms > 0) engine->skew_ms += jump_ms;
    return true;
}

int64_t engine_steady_ms(const struct engine *engine)
{
    int64_t passed_us = engine_monotonic_us(engine) - engine->last_monotonic_us;
    return engine->last_wall_ms + passed_us / 1000 - engine->skew_ms;
}

bool engine_now(struct engine *engine, int64_t *now_ms, struct error *error)
{
    int64_t wall_ms = engine_wall_ms(engine);
    int64_t monotonic_us = engine_monotonic_us(engine);
    int64_t passed_ms = (monotonic_us - engine->last_monotonic_us) / 1000;
    int64_t jump_ms = wall_ms - engine->last_wall_ms - passed_ms;
    bool jumped = jump_ms > JUMP_MS || jump_ms < -JUMP_MS;
    engine->last_wall_ms = wall_ms;
    engine->last_monotonic_us = monotonic_us;
    if (jumped)
        observe(engine->ports.observer, LEVEL_WARN, "clock.stepped", engine->options.shard,
                "by_ms=%" PRId64, jump_ms);
    if ((jumped || monotonic_us >= engine->skew_due_us) &&
        !take_sample(engine, jumped ? jump_ms : 0, error))
        return false;
    *now_ms = engine_steady_ms(engine);
    return true;
}
