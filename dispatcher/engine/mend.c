/* mend.c - a transaction that did not go out, before it is produced again. What goes to topics of
 * others leaves it. Where one of our own topics refuses a record, a small one takes its place; what
 * has none in its place makes its command unfit: the memory is thrown away, and when the shard has
 * been taken over again that command is refused and not done. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"

void engine_tell_refused(struct engine *engine)
{
    struct sink sink = outbox_sink(engine->outbox);
    struct failed_fire failed;
    while (outbox_next_refused(engine->outbox, &failed)) {
        shard_fire_failed(engine->shard, &failed, engine_steady_ms(engine), &sink);
        observe(engine->ports.observer, OBSERVED_FIRE_FAILED, engine->options.shard,
                &(struct observed){.reason = event_reason_word(failed.reason),
                                   .nominal_ms = failed.nominal_ms, .attempt = failed.attempt});
    }
}

static void say_moved(struct engine *engine, size_t results)
{
    if (results > 0)
        observe(engine->ports.observer, OBSERVED_REPLY_MOVED, engine->options.shard,
                &(struct observed){.results = (int64_t)results,
                                   .message = "a reply topic failed: the topic results has them"});
}

/* Fires and results to foreign topics leave it; the jobs are failing, and retried alone. */
static bool take_foreign_out(struct engine *engine, const char *why)
{
    size_t results = 0;
    if (outbox_take_foreign_out(engine->outbox, why, &results) == 0) return false;
    engine_tell_refused(engine);
    say_moved(engine, results);
    return true;
}

/* ---- commands that cannot be written ---- */

static bool refuse_command(struct engine *engine, const struct outbox_command *command,
                           const char *why, struct error *error)
{
    struct unfit_command *unfit = &engine->unfit;
    const char *name = input_name(command->input);
    if (unfit->known && unfit->input == command->input && unfit->offset == command->offset)
        return error_set(error, ERROR_FATAL, "the refusal of command %s/%" PRId64 " is refused, "
                         "too: %.150s", name, command->offset, why);
    *unfit = (struct unfit_command){
        .known = true, .input = command->input, .offset = command->offset};
    (void)snprintf(unfit->why, sizeof unfit->why, "%s", why);
    return error_set(error, ERROR_UNKNOWN, "command %s/%" PRId64 " cannot be written and will be "
                     "refused: %.150s", name, command->offset, why);
}

static void part_commands(struct engine *engine)
{
    struct singly *singly = &engine->singly;
    *singly = (struct singly){.active = true};
    for (size_t i = 0; i < outbox_command_count(engine->outbox); i++) {
        const struct outbox_command *command = outbox_command_at(engine->outbox, i);
        int64_t *end = &singly->offsets[command->input];
        if (*end <= command->offset) *end = command->offset + 1;
    }
}

void engine_mended(struct engine *engine)
{
    struct singly *singly = &engine->singly;
    if (engine->unfit.known &&
        engine->unfit.offset < engine->mark.inputs[engine->unfit.input].offset)
        engine->unfit = (struct unfit_command){0};
    bool behind = true;
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        behind = behind && engine->mark.inputs[input].offset >= singly->offsets[input];
    if (behind) singly->active = false;
}

/* ---- our own topics ---- */

static bool refuse_unfit(struct engine *engine, const struct outbox_refusal *refusal,
                         struct error *error)
{
    const struct outbox_command *command = outbox_command_of(engine->outbox, refusal->record);
    part_commands(engine);
    if (command != NULL) return refuse_command(engine, command, refusal->message, error);
    return error_set(error, ERROR_FATAL, "a record that no command asked for is refused: "
                     "%.180s", refusal->message);
}

/* The records that were refused are known. */
static bool mend_named(struct engine *engine, struct error *error)
{
    struct outbox *outbox = engine->outbox;
    bool mended = true;
    size_t moved = 0;
    for (size_t i = 0; mended && i < outbox_refusal_count(outbox); i++) {
        const struct outbox_refusal *refusal = outbox_refusal_at(outbox, i);
        observe(engine->ports.observer, OBSERVED_RECORD_REFUSED, engine->options.shard,
                &(struct observed){.message = refusal->message});
        enum outbox_outcome outcome = outbox_mend(outbox, refusal);
        moved += outcome == OUTBOX_MOVED;
        if (outcome == OUTBOX_UNFIT) mended = refuse_unfit(engine, refusal, error);
    }
    outbox_forget_refusals(outbox);
    say_moved(engine, moved);
    engine_tell_refused(engine);
    return mended;
}

/* Which record was refused is not known. */
static bool narrow(struct engine *engine, const char *why, struct error *error)
{
    struct outbox *outbox = engine->outbox;
    size_t cut = outbox_cut_largest(outbox);
    if (cut > 0) {
        observe(engine->ports.observer, OBSERVED_COMMIT_NARROWED, engine->options.shard,
                &(struct observed){.cut = (int64_t)cut, .records = (int64_t)outbox_count(outbox)});
        return true;
    }
    size_t commands = outbox_command_count(outbox);
    if (commands == 0)
        return error_set(error, ERROR_FATAL, "small records are refused: %.200s", why);
    part_commands(engine);
    if (commands == 1) return refuse_command(engine, outbox_command_at(outbox, 0), why, error);
    return error_set(error, ERROR_UNKNOWN, "one of %zu commands cannot be written; they are done "
                     "one by one: %.150s", commands, why);
}

bool engine_mend(struct engine *engine, const struct error *failure, struct error *error)
{
    bool refused = failure->code == CODE_REFUSED;
    if (outbox_refusal_count(engine->outbox) > 0) return mend_named(engine, error);
    if (take_foreign_out(engine, failure->message)) return true;
    return !refused || narrow(engine, failure->message, error);
}
