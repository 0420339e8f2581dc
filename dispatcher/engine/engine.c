#include "dispatcher/engine/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"
#include "lib/base/memory.h"
#include "lib/time/zone_stand_in.h"

enum {
    LANE_DISTANCE_MS = 20,    /* lane fires do not begin so close before a live one */
    RETRY_WORK_US = 20 * 1000,        /* retries of one step, before the others have their turn */
    RETRY_PATIENCE_US = 1000 * 1000,  /* after so long they do not give way to live fires */
    PAUSE_CATCH_UP_MS = 300,  /* after so long away commands come before slots again */
    CHECKPOINT_WAIT_MS = 5,   /* at least: the store is not in a hurry */
    DRAIN_MS = 3000,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 5000,
    CONTESTED_AFTER = 3
};

/* ---- small things ---- */

static void set_state(struct engine *engine, enum engine_state state)
{
    atomic_store(&engine->state, (int)state);
    atomic_store(&engine->since_ms, engine_wall_ms(engine));
}

static bool running(const struct engine *engine)
{
    return atomic_load(&engine->wish) == ENGINE_RUN;
}

/* The time to act by: the broker's, as far as it is known. Commits a mark, bare if there is nothing
 * else to say, where Kafka has not been heard of for long, or our clock was set. */
static bool find_time(struct engine *engine, int64_t *now_ms, struct error *error)
{
    if (engine_clock_asks(engine) && !engine_commit(engine, error)) return false;
    engine_clock_tell(engine);
    *now_ms = engine_steady_ms(engine);
    return true;
}

/* ---- life ---- */

static struct engine_settings engine_settings_default(void)
{
#define FIELD(field, section, key, argument, kind, fallback, least, most, help) .field = fallback,
    return (struct engine_settings){ENGINE_SETTINGS(FIELD) ENGINE_LIMITS(FIELD)};
#undef FIELD
}

void engine_options_defaults(struct engine_options *options)
{
    *options = (struct engine_options){.cluster = "belfry",
                                       .owner = "",
                                       .tz_version = "",
                                       .shards = SHARDS_DEFAULT,
                                       .settings = engine_settings_default(),
                                       .clock_sample_ms = MINUTES_MS,
                                       .wait_max_ms = 200,
                                       .batch_outputs_max = BATCH_OUTPUTS_MAX,
                                       .state_log = true,
                                       .runs_append_times = true};
}

static bool on_list(const char *const *list, size_t count, struct text name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(text_of(list[i]), name)) return true;
    return false;
}

static bool topic_allowed(void *opaque, struct text topic)
{
    const struct engine *engine = opaque;
    return on_list(engine->options.fires_topics, engine->options.fires_topic_count, topic);
}

static bool reply_to_allowed(void *opaque, struct text topic)
{
    const struct engine *engine = opaque;
    return on_list(engine->options.results_topics, engine->options.results_topic_count, topic);
}

/* Of a command that has begun: it was allowed then. */
static bool every_topic(void *opaque, struct text topic)
{
    (void)opaque;
    (void)topic;
    return true;
}

struct engine *engine_create(const struct engine_options *options,
                             const struct engine_ports *ports)
{
    assert(options->shard >= 0 && options->shard < options->shards);
    assert(strlen(options->owner) <= OWNER_BYTES_MAX);
    struct engine *engine = memory_allocate(1, sizeof *engine);
    engine->options = *options;
    engine->ports = *ports;
    command_limits_defaults(&engine->limits);
    engine->limits.record_bytes_max = (size_t)options->settings.record_bytes;
    engine->limits.payload_bytes_max = (size_t)options->settings.payload_bytes;
    engine->limits.every_min_ms = options->settings.every_min_ms;
    engine->limits.runs = options->runs;
    engine->limits.zones = options->zones;
    engine->zones = zone_stand_ins_create(options->zones);
    engine->limits.catchup.grace_ms = options->settings.misfire_grace_ms;
    engine->limits.keep_finished_ms = options->settings.keep_finished_ms;
    engine->limits.topic_allowed = topic_allowed;
    engine->limits.reply_to_allowed = reply_to_allowed;
    engine->limits.opaque = engine;
    engine->begun_limits = engine->limits;
    engine->begun_limits.record_bytes_max = INT32_MAX;
    engine->begun_limits.payload_bytes_max = INT32_MAX;
    engine->begun_limits.every_min_ms = SCHEDULE_EVERY_FLOOR_MS;
    engine->begun_limits.topic_allowed = every_topic;
    engine->begun_limits.reply_to_allowed = every_topic;
    engine->arena = arena_create();
    engine->foreign = (struct foreign){.broker = ports->broker, .clock = ports->clock};
    /* Not known: the proof of ownership keeps what the group has. */
    engine->places[INPUT_CONTROL].offset = -1;
    inputs_init(&engine->inputs, ports->broker);
    census_init(&engine->census);
    engine_numbers_begin(engine);
    if (ports->observer->committed != NULL)
        engine->tally = tally_create(options->settings.misfire_grace_ms);
    set_state(engine, ENGINE_STARTING);
    return engine;
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL) return;
    engine_let_go(engine);
    tally_destroy(engine->tally);
    census_clear(&engine->census);
    arena_destroy(engine->arena);
    zone_stand_ins_destroy(engine->zones);
    free(engine);
}

void engine_wish(struct engine *engine, enum engine_wish wish)
{
    int now = atomic_load(&engine->wish);
    while (now < (int)wish && !atomic_compare_exchange_weak(&engine->wish, &now, (int)wish))
        continue;
}

void engine_assigned(struct engine *engine)
{
    atomic_store(&engine->assigned, 1);
}

/* ---- a step ---- */

/* The lane gives way to live slots that are near, once: where they come without end it works
 * between them, a bounded while each time. */
static bool lane_may_run(struct engine *engine, int64_t now_ms)
{
    if (!shard_lane_is_due(engine->shard, now_ms)) return false;
    int64_t live_ms = shard_next_live_ms(engine->shard);
    bool waited = engine->lane_waits_ms != 0 && now_ms >= engine->lane_waits_ms;
    if (live_ms - now_ms < LANE_DISTANCE_MS && !waited) {
        if (engine->lane_waits_ms == 0 || engine->lane_waits_ms > live_ms)
            engine->lane_waits_ms = live_ms;
        return false;
    }
    engine->lane_waits_ms = 0;
    return true;
}

/* Slots that came due, what is owed, retries of runs. The time must not be behind the watermark. */
static bool step_time(struct engine *engine, int64_t now_ms, struct error *error)
{
    struct sink sink = outbox_sink(engine->outbox);
    while (!shard_advance(engine->shard, now_ms, now_ms, &sink))
        if (!engine_commit(engine, error)) return false;
    while (!shard_decide(engine->shard, now_ms, &sink))
        if (!engine_commit(engine, error)) return false;
    while (!shard_step_runs(engine->shard, engine_runs_now(engine, now_ms), &sink))
        if (!engine_commit(engine, error)) return false;
    if (lane_may_run(engine, now_ms)) shard_run_lane(engine->shard, now_ms, &sink);
    shard_expire_seen(engine->shard, &sink);
    return true;
}

/* Failing jobs, in transactions of their own. They give way to what comes due live, but not for
 * ever, and to everything else after a moment. */
static bool step_retries(struct engine *engine, int64_t now_ms, struct error *error)
{
    int64_t began_us = engine_monotonic_us(engine);
    if (engine->retried_us == 0) engine->retried_us = began_us;
    for (bool more = true; more;) {
        int64_t at_us = engine_monotonic_us(engine);
        int64_t at_ms = now_ms + (at_us - began_us) / 1000;
        bool close = shard_next_live_ms(engine->shard) - at_ms < LANE_DISTANCE_MS;
        bool patient = at_us - engine->retried_us < RETRY_PATIENCE_US;
        if ((close && patient) || at_us - began_us > RETRY_WORK_US) return true;
        assert(outbox_is_empty(engine->outbox));
        struct sink sink = outbox_sink(engine->outbox);
        more = shard_retry(engine->shard, now_ms, &sink);
        bool said = !outbox_says_nothing(engine->outbox);
        if (said && !engine_commit(engine, error)) return false;
        engine->retried_us = engine_monotonic_us(engine);
        if (close) return true;
    }
    return true;
}

/* The store is a newer owner's, it says, and yet Kafka has taken a commit of ours since, or it has
 * more of our own epoch than there is: it is from a time that Kafka has lost. Taking over again
 * looks at both and decides. */
static bool store_is_of_nobody(const struct engine *engine, int64_t sequence_before)
{
    struct checkpointer_status status = checkpointer_status(engine->checkpointer);
    return status.ahead || (status.stale && engine->mark.sequence > sequence_before);
}

/* The end that was read is in a mark before retention can reach it. */
static void remember_ends(struct engine *engine)
{
    struct mark next;
    engine_next_mark(engine, &next);
    bool further = false;
    for (enum input input = 0; input < INPUT_COUNT; input++)
        further = further || next.inputs[input].offset != engine->mark.inputs[input].offset;
    if (!further) return;
    int64_t soon_us = engine_monotonic_us(engine) + MINUTES_MS * INT64_C(1000);
    if (engine->mark_due_us > soon_us) engine->mark_due_us = soon_us;
}

/* Commands to be read first, or a clock that is behind, may come between a take-over and the first
 * step of time. A checkpoint of memory then would let the next owner take for said what nobody has
 * said. */
static bool may_checkpoint(const struct engine *engine)
{
    return shard_is_written(engine->shard);
}

/* Whether time may go on to now: all that came before is applied, and the clock says when it is. */
static bool is_time(const struct engine *engine, int64_t now_ms)
{
    bool told = inputs_caught_up(&engine->inputs) && inputs_next(&engine->inputs) == NULL;
    return told && !engine->clock_refused &&
           now_ms >= shard_watermark(engine->shard).instant_ms; /* else wait for it */
}

/* What the step has to say, or a mark because time has gone on. */
static bool commit_step(struct engine *engine, struct error *error)
{
    remember_ends(engine);
    bool mark_due = engine_monotonic_us(engine) >= engine->mark_due_us;
    if (outbox_says_nothing(engine->outbox) && !mark_due) return true;
    return engine_commit(engine, error);
}

static void checkpoint_step(struct engine *engine)
{
    if (may_checkpoint(engine))
        checkpointer_tick(engine->checkpointer, engine->shard, &engine->mark, engine_state_offset,
                          engine);
    atomic_store(&engine->checkpoint_sequence, checkpointer_sequence(engine->checkpointer));
}

static bool step(struct engine *engine, struct error *error)
{
    int64_t now_ms = 0;
    int64_t sequence = engine->mark.sequence;
    int64_t began_us = engine_monotonic_us(engine);
    assert(engine_rests(engine));
    engine->foreign.budget = FOREIGN_LOOKS_STEP;
    if (!find_time(engine, &now_ms, error)) return false;
    engine->looked_long =
        engine_monotonic_us(engine) - began_us > PAUSE_CATCH_UP_MS * INT64_C(1000);
    if (engine->looked_long) return true;
    if (!engine_follow_reports(engine, error) || !engine_apply_reports(engine, now_ms, error) ||
        !engine_apply_inputs(engine, now_ms, error))
        return false;
    bool due = is_time(engine, now_ms);
    if (due && !step_time(engine, now_ms, error)) return false;
    if (!commit_step(engine, error)) return false;
    if (due && !step_retries(engine, now_ms, error)) return false;
    if (due) atomic_store(&engine->moved_us, engine_monotonic_us(engine));
    if (store_is_of_nobody(engine, sequence))
        return error_set(error, ERROR_UNKNOWN, "the store refuses us as an old owner, but Kafka "
                         "takes our commits: it has lost what the store knows");
    if (engine_monotonic_us(engine) >= engine->shrink_due_us) {
        outbox_shrink(engine->outbox);
        engine->shrink_due_us = INT64_MAX;
    }
    assert(engine_rests(engine) && outbox_is_empty(engine->outbox));
    engine_ask_about_runs(engine, now_ms);
    checkpoint_step(engine);
    engine_numbers_tell(engine);
    return true;
}

/* How long nothing will have to be done. */
static int32_t wait_ms(const struct engine *engine)
{
    int64_t now_ms = engine_steady_ms(engine);
    int64_t wait = engine->options.wait_max_ms;
    int64_t due_ms = shard_next_due_ms(engine->shard, now_ms);
    int64_t live_ms = shard_next_live_ms(engine->shard);
    if (inputs_next(&engine->inputs) != NULL || engine->looked_long) return 0;
    if (due_ms < live_ms && live_ms - now_ms < LANE_DISTANCE_MS)
        due_ms = live_ms; /* the lane gives way */
    if (inputs_caught_up(&engine->inputs) && due_ms < now_ms + wait)
        wait = due_ms - now_ms; /* before that nothing fires: what is read ends the wait */
    int64_t reports_ms = engine_reports_wait_ms(engine, now_ms);
    if (reports_ms < wait) wait = reports_ms;
    int64_t monotonic_us = engine_monotonic_us(engine);
    int64_t behind_ms = shard_watermark(engine->shard).instant_ms - now_ms;
    if (behind_ms > 0) wait = behind_ms; /* our clock went back */
    if (engine->clock_refused) wait = (engine->sample_due_us - monotonic_us) / 1000 + 1;
    if (wait > engine->options.wait_max_ms) wait = engine->options.wait_max_ms;
    int64_t checkpoint_us = may_checkpoint(engine)
                                ? checkpointer_due_us(engine->checkpointer, &engine->mark)
                                : INT64_MAX;
    if (checkpoint_us != INT64_MAX) {
        int64_t checkpoint_ms = (checkpoint_us - monotonic_us) / 1000;
        if (checkpoint_ms < CHECKPOINT_WAIT_MS) checkpoint_ms = CHECKPOINT_WAIT_MS;
        if (checkpoint_ms < wait) wait = checkpoint_ms;
    }
    return wait < 0 ? 0 : (int32_t)wait;
}

/* How long ago the command was written that has just been read: who is frozen while it waits for
 * long wakes before the wait is over. */
static int64_t read_late_ms(const struct engine *engine)
{
    const struct broker_input *next = inputs_next(&engine->inputs);
    if (next == NULL) return 0;
    return engine_steady_ms(engine) - next->log_time_ms;
}

/* After the process was frozen or the broker away, beyond the wait that was asked for: commands
 * that came meanwhile act before slots that came due meanwhile. */
static bool catch_up_after_pause(struct engine *engine, int64_t waited_ms, int64_t *looked_us,
                                 struct error *error)
{
    int64_t monotonic_us = engine_monotonic_us(engine);
    int64_t since_ms = (monotonic_us - *looked_us) / 1000;
    int64_t away_ms = since_ms - waited_ms;
    *looked_us = monotonic_us;
    bool late = inputs_caught_up(&engine->inputs) && since_ms >= PAUSE_CATCH_UP_MS &&
                read_late_ms(engine) >= PAUSE_CATCH_UP_MS;
    bool away = away_ms >= PAUSE_CATCH_UP_MS;
    if (away)
        observe(engine->ports.observer, OBSERVED_SHARD_PAUSED, engine->options.shard,
                &(struct observed){.for_ms = away_ms});
    return (!away && !late) || inputs_capture_ends(&engine->inputs, error);
}

static bool live(struct engine *engine, struct error *error)
{
    int64_t looked_us = engine_monotonic_us(engine);
    while (running(engine)) {
        int32_t wait = wait_ms(engine);
        error_clear(error);
        /* After the reading, which is where nearly all time passes: a process frozen there must
         * not step before it has looked for what came meanwhile. */
        if (!engine_read(engine, wait, error) ||
            !catch_up_after_pause(engine, wait, &looked_us, error) || !step(engine, error)) {
            if (error->kind != ERROR_RETRY || !engine->settled) return false;
            engine_tell_error(engine, OBSERVED_SHARD_RETRY, error);
            engine_sleep_ms(engine, BACKOFF_FIRST_MS);
        }
    }
    return true;
}

/* ---- owning and losing ---- */

/* What is not settled must not reach the store: the next owner would believe it. */
static void say_goodbye(struct engine *engine)
{
    if (atomic_load(&engine->wish) != ENGINE_SHUTDOWN || engine->checkpointer == NULL) return;
    if (!engine->settled) return;
    assert(engine_rests(engine));
    bool stored =
        may_checkpoint(engine) &&
        checkpointer_drain(engine->checkpointer, engine->shard, &engine->mark, engine_state_offset,
                           engine, engine_monotonic_us(engine) + DRAIN_MS * INT64_C(1000));
    observe(engine->ports.observer, OBSERVED_SHARD_DRAINED, engine->options.shard,
            &(struct observed){.sequence = engine->mark.sequence,
                               .checkpoint = stored ? "written" : "behind"});
}

/* After a failure memory may be ahead of Kafka: what is not settled goes. */
static void throw_away(struct engine *engine)
{
    if (!engine->settled) engine_let_go(engine);
}

/* Waits for the back-off, or without bound for the group's word when it is not the owner. */
static void wait_for_turn(struct engine *engine, const struct error *error, int64_t backoff_ms)
{
    if (error->kind != ERROR_FENCED) {
        engine_sleep_ms(engine, backoff_ms);
        return;
    }
    set_state(engine, ENGINE_WAITING);
    int64_t until_us = engine_monotonic_us(engine) + backoff_ms * 1000;
    while (running(engine) && engine_monotonic_us(engine) < until_us) {
        if (atomic_exchange(&engine->assigned, 0) != 0) return;
        engine_sleep_ms(engine, 20);
    }
}

static void tell_contested(const struct engine *engine, int times)
{
    if (times < CONTESTED_AFTER) return;
    observe(engine->ports.observer, OBSERVED_SHARD_CONTESTED, engine->options.shard,
            &(struct observed){.times = times, .message = "fenced again and again although the "
                                                          "group says it is ours"});
}

/* What has a code of its own waits for an operator. */
static void tell_restart(const struct engine *engine, const struct error *error)
{
    if (error->kind == ERROR_FENCED) {
        engine_tell_error(engine, OBSERVED_SHARD_FENCED, error);
        return;
    }
    observe_at(engine->ports.observer, error->code == CODE_NONE ? LEVEL_WARN : LEVEL_ERROR,
               OBSERVED_SHARD_RESTART, engine->options.shard,
               &(struct observed){.kind = error_kind_name(error->kind),
                                  .message = error->message});
}

bool engine_run(struct engine *engine, struct error *error)
{
    int64_t backoff_ms = BACKOFF_FIRST_MS;
    int contested = 0;
    while (running(engine)) {
        error_clear(error);
        set_state(engine, ENGINE_STARTING);
        if (engine_take_over(engine, error)) {
            set_state(engine, ENGINE_LIVE);
            observe(engine->ports.observer, OBSERVED_SHARD_LIVE, engine->options.shard,
                    &(struct observed){.epoch = engine->mark.epoch,
                                       .sequence = engine->mark.sequence});
            int64_t live_us = engine_monotonic_us(engine);
            if (live(engine, error)) break;
            if (engine_monotonic_us(engine) - live_us > 60 * INT64_C(1000000)) {
                contested = 0;
                backoff_ms = BACKOFF_FIRST_MS;
            }
        }
        throw_away(engine);
        if (error->kind == ERROR_FATAL) break;
        if (error->kind == ERROR_FENCED) tell_contested(engine, ++contested);
        tell_restart(engine, error);
        wait_for_turn(engine, error, backoff_ms);
        if (backoff_ms < BACKOFF_LAST_MS) backoff_ms *= 2;
    }
    bool good = error->kind != ERROR_FATAL;
    if (good) say_goodbye(engine);
    else engine_tell_error(engine, OBSERVED_SHARD_FAILED, error);
    engine->ports.broker->operations->close_producer(engine->ports.broker);
    set_state(engine, ENGINE_ENDED);
    return good;
}
