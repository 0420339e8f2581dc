/* The store from the state log: what an operator asks for where no daemon runs. */
#include <inttypes.h>

#include "dispatcher/engine/engine_state.h"
#include "dispatcher/engine/replay.h"
#include "dispatcher/recovery/recover.h"

static bool captured_end(void *opaque, int64_t *offset)
{
    *offset = *(const int64_t *)opaque;
    return true;
}

/* Waits in slices, so that progress can be shown; a store that stays away ends it. */
static bool drain(struct engine *engine, const struct mark *mark, int64_t end, int64_t silence_ms,
                  const struct recover_options *options, struct error *error)
{
    enum { SLICE_MS = 200 };
    int64_t heard_us = engine_monotonic_us(engine);
    for (;;) {
        int64_t slice_us = engine_monotonic_us(engine) + SLICE_MS * INT64_C(1000);
        if (checkpointer_drain(engine->checkpointer, engine->shard, mark, captured_end, &end,
                               slice_us))
            return true;
        struct checkpointer_status status = checkpointer_status(engine->checkpointer);
        if (status.stale)
            return error_set(error, ERROR_FENCED, "a daemon has taken the shard and writes Redis "
                             "itself");
        if (options->progress != NULL)
            options->progress(options->opaque, status.handed);
        if (!status.away) heard_us = engine_monotonic_us(engine);
        else engine_sleep_ms(engine, SLICE_MS);
        if (engine_monotonic_us(engine) - heard_us > silence_ms * 1000)
            return error_set(error, ERROR_RETRY, "Redis does not answer");
    }
}

bool recover_rebuild(struct engine *engine, int64_t silence_ms,
                     const struct recover_options *options, struct recover_report *report,
                     struct error *error)
{
    struct broker *broker = engine->ports.broker;
    struct checkpoint_port *port = engine->ports.checkpoint;
    struct replay replay = {0};
    struct snapshot snapshot;
    struct error unreadable = {0};
    bool found = false;
    *report = (struct recover_report){0};
    engine_forget(engine);
    engine_start_empty(engine);
    if (!port->operations->read_snapshot(port, &snapshot, &found, &unreadable) &&
        unreadable.kind != ERROR_INVALID) {
        *error = unreadable;
        return false;
    }
    if (!broker->operations->offsets(broker, TOPIC_STATE, &replay.first, &replay.end, error))
        return false;
    replay.from = replay.first;
    if (!replay_state_log(engine, &replay, error)) return false;
    if (replay.found && replay.mark.recovering)
        return error_set(error, ERROR_FATAL, "belfry recover was begun on this shard and has not "
                         "ended; run it again");
    if (found && (!replay.found || snapshot.mark.generation > replay.mark.generation ||
                  (snapshot.mark.generation == replay.mark.generation &&
                   snapshot.mark.sequence > replay.mark.sequence)))
        return error_set(error, ERROR_FATAL, "state_lost: the state log stands at sequence %"
                         PRId64 ", Redis at %" PRId64 ": that is for belfry recover",
                         replay.mark.sequence, snapshot.mark.sequence);
    if (!replay.found) return true; /* a shard that no daemon has taken yet */
    shard_restore_look(engine->shard);
    report->jobs = (int64_t)shard_job_count(engine->shard);
    report->runs = (int64_t)shard_open_runs(engine->shard);
    report->mark = replay.mark;
    checkpointer_rewrite(engine->checkpointer);
    checkpointer_arm(engine->checkpointer); /* memory is what the log's last mark says */
    bool done = drain(engine, &replay.mark, replay.end, silence_ms, options, error);
    engine_forget(engine);
    return done;
}
