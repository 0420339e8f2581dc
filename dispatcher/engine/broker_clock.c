/* Which clock to believe: the broker's, which also stamps the commands. Kafka's word that it has a
 * mark of ours says when it was appended; ours only counts the time between two marks. */
#include <assert.h>
#include <stdlib.h>

#include "dispatcher/engine/engine_state.h"

#define SAMPLE_AGAIN_US INT64_C(2000000) /* at least: one that is no good yet */
#define UNKNOWN_TOLD_US INT64_C(10000000)
#define UNKNOWN_AGAIN_US INT64_C(600000000)
#define JUMP_MS 500 /* the wall clock against the one that never steps */
enum { DOUBT_TIMES = 2 }; /* commits for a better sample leave time for others */

/* Our wall clock at a time of the monotonic one, as if it had not been set since the last look. */
static int64_t wall_at_ms(const struct engine *engine, int64_t monotonic_us)
{
    return engine->last_wall_ms + (monotonic_us - engine->last_monotonic_us) / 1000;
}

int64_t engine_steady_ms(const struct engine *engine)
{
    return wall_at_ms(engine, engine_monotonic_us(engine)) - engine->skew_ms;
}

static void judge(struct engine *engine)
{
    const struct clock_bounds *bounds = &engine->bounds;
    int64_t tolerance_ms = engine->options.settings.clock_tolerance_ms;
    int64_t proven_ms = clock_bounds_proven_ms(bounds);
    engine->skew_ms = clock_bounds_correction_ms(bounds, tolerance_ms);
    engine->clock_refused =
        !bounds->known || llabs(proven_ms) > engine->options.settings.clock_step_ms;
    atomic_store(&engine->correction_ms, engine->skew_ms);
    int64_t doubt_us = (engine->skew_ms - llabs(proven_ms)) * DOUBT_TIMES * 1000;
    int64_t wait_us = engine->options.clock_sample_ms * 1000;
    if (engine->clock_refused) wait_us = SAMPLE_AGAIN_US;
    else if (doubt_us > 0 && wait_us > doubt_us + SAMPLE_AGAIN_US)
        wait_us = doubt_us + SAMPLE_AGAIN_US;
    engine->sample_due_us = engine_monotonic_us(engine) + wait_us;
}

void engine_clock_begin(struct engine *engine)
{
    engine->last_wall_ms = engine_wall_ms(engine);
    engine->last_monotonic_us = engine_monotonic_us(engine);
    engine->bounds.known = !engine->options.state_log; /* the embedded broker's clock is ours */
    engine->unknown_told_us = engine->last_monotonic_us + UNKNOWN_TOLD_US;
    judge(engine);
}

void engine_clock_sample(struct engine *engine, const struct broker_receipt *receipt)
{
    if (engine->last_monotonic_us == 0) return; /* nothing fires here: belfry recover */
    int64_t took_us = receipt->acknowledged_us - engine->mark_sent_us;
    if (receipt->appended_ms != 0 && took_us >= 0)
        clock_bounds_add(&engine->bounds, wall_at_ms(engine, engine->mark_sent_us),
                         wall_at_ms(engine, receipt->acknowledged_us), receipt->appended_ms,
                         receipt->acknowledged_us);
    judge(engine);
}

/* ---- what is said about it ---- */

static void tell(struct engine *engine, enum event_kind kind, int64_t by_ms,
                 enum event_reason reason)
{
    struct event event;
    struct sink sink = outbox_sink(engine->outbox);
    event_init(&event, kind, engine_steady_ms(engine));
    if (kind != EVENT_CLOCK_UNKNOWN) event.count = by_ms;
    event.owner = text_of(engine->options.owner);
    event.reason = reason;
    sink.event(sink.opaque, &event);
}

static void tell_unknown(struct engine *engine)
{
    int64_t monotonic_us = engine_monotonic_us(engine);
    if (engine->bounds.known || monotonic_us < engine->unknown_told_us) return;
    engine->unknown_told_us = monotonic_us + UNKNOWN_AGAIN_US;
    observe(engine->ports.observer, OBSERVED_CLOCK_UNKNOWN, engine->options.shard,
            &(struct observed){
                .action = "nothing_fires",
                .message = "no acknowledgement of a mark says when it was appended: "
                           "message.timestamp.type of the state topic must be LogAppendTime"});
    tell(engine, EVENT_CLOCK_UNKNOWN, 0, REASON_NONE);
}

/* Once, and again when it has become worse. */
static void tell_skew(struct engine *engine)
{
    int64_t tolerance_ms = engine->options.settings.clock_tolerance_ms;
    int64_t proven_ms = clock_bounds_proven_ms(&engine->bounds);
    int64_t off_ms = llabs(proven_ms);
    atomic_store(&engine->clock_ahead_ms, proven_ms);
    atomic_store(&engine->clock_far, engine->bounds.known && engine->clock_refused);
    if (off_ms <= tolerance_ms) {
        engine->skew_told_ms = 0;
        engine->refusal_told = false;
        return;
    }
    if (off_ms <= engine->skew_told_ms + tolerance_ms &&
        engine->clock_refused == engine->refusal_told)
        return;
    engine->skew_told_ms = off_ms;
    engine->refusal_told = engine->clock_refused;
    bool ahead = proven_ms > 0;
    const char *action = engine->clock_refused ? "nothing_fires" : "corrected";
    if (ahead)
        observe(engine->ports.observer, OBSERVED_CLOCK_AHEAD, engine->options.shard,
                &(struct observed){.ahead_ms = off_ms, .action = action});
    else
        observe(engine->ports.observer, OBSERVED_CLOCK_BEHIND, engine->options.shard,
                &(struct observed){.behind_ms = off_ms, .action = action});
    tell(engine, ahead ? EVENT_CLOCK_AHEAD : EVENT_CLOCK_BEHIND, off_ms,
         engine->clock_refused ? REASON_BEYOND_STEP : REASON_CORRECTED);
}

/* Where the wall clock was set, what was known of it moves along: time goes on as before until a
 * sample says better. */
static bool look_for_a_step(struct engine *engine)
{
    int64_t monotonic_us = engine_monotonic_us(engine);
    int64_t wall_ms = engine_wall_ms(engine);
    int64_t jump_ms = wall_ms - wall_at_ms(engine, monotonic_us);
    engine->last_wall_ms = wall_ms;
    engine->last_monotonic_us = monotonic_us;
    bool jumped = jump_ms > JUMP_MS || jump_ms < -JUMP_MS;
    if (!jumped) return false;
    observe(engine->ports.observer, OBSERVED_CLOCK_STEPPED, engine->options.shard,
            &(struct observed){.by_ms = jump_ms});
    if (engine->options.state_log) clock_bounds_shift(&engine->bounds, jump_ms);
    judge(engine);
    return true;
}

bool engine_clock_asks(struct engine *engine)
{
    return look_for_a_step(engine) || engine_monotonic_us(engine) >= engine->sample_due_us;
}

void engine_clock_tell(struct engine *engine)
{
    tell_unknown(engine);
    tell_skew(engine);
}
