/* mend.c - a transaction that did not go out, before it is produced again. What goes to topics of
 * others leaves it. Where one of our own topics refuses a record, a small one takes its place; what
 * has none in its place makes its command unfit: the memory is thrown away, and when the shard has
 * been taken over again that command is refused and not done. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"

/* Told in reverse, so that several slots of one job are owed again in their order. */
void engine_tell_refused(struct engine *engine)
{
    struct outbox *outbox = &engine->outbox;
    struct sink sink = outbox_sink(outbox);
    while (outbox->refused_count > 0) {
        struct failed_fire failed = outbox->refused[--outbox->refused_count];
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
    struct outbox *outbox = &engine->outbox;
    size_t results = outbox->foreign_results;
    if (outbox->foreign_count == 0 && results == 0) return false;
    for (size_t i = 0; i < outbox->count; i++)
        if (outbox->records[i].topic == TOPIC_FOREIGN && outbox->records[i].kind != OUTBOX_REMOVED)
            outbox_take_out(outbox, i, REASON_UNDELIVERABLE, why);
    assert(outbox->foreign_count == 0 && outbox->foreign_results == 0);
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
    const struct outbox *outbox = &engine->outbox;
    *singly = (struct singly){.active = true};
    for (size_t i = 0; i < outbox->command_count; i++) {
        const struct outbox_command *command = &outbox->commands[i];
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
    for (enum input input = 0; input < INPUTS_READ; input++)
        behind = behind && engine->mark.inputs[input].offset >= singly->offsets[input];
    if (behind) singly->active = false;
}

/* ---- our own topics ---- */

/* The records that were refused are known. */
static bool mend_named(struct engine *engine, struct error *error)
{
    struct outbox *outbox = &engine->outbox;
    bool mended = true;
    size_t results = outbox->foreign_results;
    for (size_t i = 0; mended && i < outbox->refusal_count; i++) {
        const struct outbox_refusal *refusal = &outbox->refusals[i];
        observe(engine->ports.observer, OBSERVED_RECORD_REFUSED, engine->options.shard,
                &(struct observed){.message = refusal->message});
        if (outbox->records[refusal->record].topic == TOPIC_FOREIGN) {
            outbox_take_out(outbox, refusal->record, REASON_UNDELIVERABLE, refusal->message);
            continue;
        }
        if (outbox_cut(outbox, refusal->record)) continue;
        const struct outbox_command *command = outbox_command_of(outbox, refusal->record);
        part_commands(engine);
        mended = command != NULL
                     ? refuse_command(engine, command, refusal->message, error)
                     : error_set(error, ERROR_FATAL, "a record that no command asked for is "
                                 "refused: %.180s", refusal->message);
    }
    outbox->refusal_count = 0;
    say_moved(engine, results - outbox->foreign_results);
    engine_tell_refused(engine);
    return mended;
}

/* Which record was refused is not known. */
static bool narrow(struct engine *engine, const char *why, struct error *error)
{
    struct outbox *outbox = &engine->outbox;
    size_t cut = outbox_cut_largest(outbox);
    if (cut > 0) {
        observe(engine->ports.observer, OBSERVED_COMMIT_NARROWED, engine->options.shard,
                &(struct observed){.cut = (int64_t)cut, .records = (int64_t)outbox->count});
        return true;
    }
    if (outbox->command_count == 0)
        return error_set(error, ERROR_FATAL, "small records are refused: %.200s", why);
    bool alone = outbox->command_count == 1;
    part_commands(engine);
    if (alone) return refuse_command(engine, &outbox->commands[0], why, error);
    return error_set(error, ERROR_UNKNOWN, "one of %zu commands cannot be written; they are done "
                     "one by one: %.150s", outbox->command_count, why);
}

bool engine_mend(struct engine *engine, const struct error *failure, struct error *error)
{
    bool refused = failure->code == CODE_REFUSED;
    if (engine->outbox.refusal_count > 0) return mend_named(engine, error);
    if (take_foreign_out(engine, failure->message)) return true;
    return !refused || narrow(engine, failure->message, error);
}
