#include "dispatcher/shard/apply_select.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "dispatcher/shard/difference.h"
#include "dispatcher/shard/operation.h"
#include "dispatcher/shard/selector.h"
#include "dispatcher/shard/shard_state.h"

static bool check_revision(struct answer *answer, const struct job *job,
                           const struct application *application)
{
    int64_t expected = application->command->expected_revision;
    if (expected < 0 || expected == job->revision) return true;
    struct text name = job_name(job);
    answer_add_error(answer, job_group(job), job_id(job), false, CODE_REVISION_MISMATCH,
                     "/expected_revision",
                     "%.*s: expected_revision is %" PRId64 ", the job is at revision %" PRIu32
                     "; read it again and decide",
                     (int)name.length, name.bytes, expected, job->revision);
    return false;
}

/* ---- all matching jobs ---- */

static void find_targets(struct shard *shard, const struct command *command, int64_t above)
{
    free(shard->targets);
    shard->targets = selector_find(&command->select, shard, above, &shard->target_count);
    shard->target_at = 0;
}

static void drop_targets(struct shard *shard)
{
    free(shard->targets);
    shard->targets = NULL;
    shard->target_count = 0;
    shard->target_at = 0;
    shard->in_command = (struct in_command){0};
}

static bool can_change(struct answer *answer, const struct job *job,
                       const struct application *application)
{
    const struct operation *operation = operation_of(application->command->op);
    return check_revision(answer, job, application) &&
           (operation->check == NULL || operation->check(answer, job, application));
}

/* The decision over all jobs, before the first is changed. False: nothing may be changed. */
static bool decide(struct shard *shard, struct answer *answer,
                   const struct application *application)
{
    const struct command *command = application->command;
    int64_t matched = (int64_t)shard->target_count;
    answer->result.matched = matched;
    if (command->expect >= 0 && command->expect != matched) {
        answer_add_error(answer, text_of(NULL), text_of(NULL), false, CODE_COUNT_MISMATCH,
                         "/expect", "expect is %" PRId64 ", the selector matches %" PRId64
                         " jobs", command->expect, matched);
        if (command->mode == MODE_ATOMIC) return false;
    }
    bool named = command->select.id_count > 0 && command->select.group_count > 0;
    if (matched == 0 && named) {
        answer_refuse(answer, OUTCOME_CONFLICT, CODE_NOT_FOUND, "/select",
                      "no job matches the selector; `belfry list` shows what is there");
        return false;
    }
    int64_t errors = answer->error_total;
    for (size_t i = 0; i < shard->target_count; i++)
        (void)can_change(answer, shard_job_of(shard, shard->targets[i]), application);
    return command->mode == MODE_EACH || answer->error_total == errors;
}

static void list_job(struct answer *answer, const struct application *application,
                     struct job *job, bool dry)
{
    const struct operation *operation = operation_of(application->command->op);
    struct definition definition;
    job_view(job, &definition);
    if (dry && operation->merged != NULL) definition = operation->merged(job, application);
    bool paused = (job->flags & JOB_PAUSED) != 0;
    if (dry && operation->afterwards != AFTER_AS_BEFORE)
        paused = operation->afterwards == AFTER_STANDS;
    bool running = !paused && (job->flags & JOB_FINISHED) == 0;
    int64_t revision = job->revision + (dry && operation->revises ? 1 : 0);
    answer_add_job(answer, &definition, revision, running, application->effective_ms);
}

static void list_difference(struct answer *answer, const struct job *job, bool would,
                            const struct application *application)
{
    enum command_op op = application->command->op;
    const struct operation *operation = operation_of(op);
    struct result_difference *difference = answer_next_difference(answer);
    if (difference == NULL) return;
    *difference = (struct result_difference){.group = job_group(job),
                                             .id = job_id(job),
                                             .change = would ? op : OP_NONE};
    struct job_prospect before = prospect_of_job(job, application->effective_ms);
    struct job_prospect after = before;
    if (would && operation->prospect != NULL) operation->prospect(job, application, &after);
    difference_make(difference, &before, &after, application->effective_ms);
    if (would && operation->extra_fires != NULL)
        difference->fires_added += operation->extra_fires(job, application);
}

/* True: it was, or would be, changed. */
static bool change_one(struct shard *shard, struct answer *answer, struct job *job,
                       const struct application *application, const struct sink *sink)
{
    const struct operation *operation = operation_of(application->command->op);
    if (application->command->dry_run) {
        bool would =
            operation->would_change == NULL || operation->would_change(job, application);
        if (would) list_job(answer, application, job, true);
        list_difference(answer, job, would, application);
        return would;
    }
    return operation->change(shard, job, application, sink);
}

/* Whether the job is still listed among the answer's jobs after its change; a deleted one's name
 * would dangle, so deletions list nothing but their totals. */
static void list_changed(struct shard *shard, struct answer *answer,
                         struct job_reference reference, const struct application *application)
{
    struct job *job = shard_job_of(shard, reference);
    if (job != NULL && !application->command->dry_run)
        list_job(answer, application, job, false);
}

static bool change_targets(struct shard *shard, struct answer *answer,
                           const struct application *application, const struct sink *sink)
{
    struct in_command *in_command = &shard->in_command;
    for (; shard->target_at < shard->target_count; shard->target_at++) {
        if (sink->full(sink->opaque) && !application->command->dry_run) {
            in_command->active = true;
            in_command->input = application->source->input;
            in_command->offset = application->source->offset;
            in_command->matched = answer->result.matched;
            in_command->changed = answer->result.changed;
            in_command->effective_ms = application->effective_ms;
            in_command->errors = answer->error_total;
            in_command->rejected = answer->rejected;
            if (answer->error_total > 0 && in_command->code == CODE_NONE)
                in_command->code = answer->errors[0].code;
            return false;
        }
        struct job_reference reference = shard->targets[shard->target_at];
        struct job *job = shard_job_of(shard, reference);
        in_command->ordinal = reference.ordinal;
        if (job == NULL) continue;
        if (!can_change(NULL, job, application) ||
            !change_one(shard, answer, job, application, sink))
            continue;
        answer->result.changed++;
        list_changed(shard, answer, reference, application);
        shard_lighten(shard, reference);
    }
    return true;
}

bool apply_select(struct shard *shard, struct answer *answer,
                  const struct application *application, const struct sink *sink)
{
    find_targets(shard, application->command, -1);
    shard->in_command.ordinal = -1;
    bool finished = true;
    if (decide(shard, answer, application))
        finished = change_targets(shard, answer, application, sink);
    if (finished) drop_targets(shard);
    return finished;
}

bool apply_select_continue(struct shard *shard, const struct application *application,
                           const struct sink *sink)
{
    const struct in_command begun = shard->in_command;
    assert(begun.offset == application->source->offset);
    if (!zone_data_write(shard, application->now_ms, sink)) return false;
    if (shard->targets == NULL) find_targets(shard, application->command, begun.ordinal);
    struct application same = *application;
    same.effective_ms = begun.effective_ms;
    struct answer *answer = answer_begin(shard, &same);
    answer->result.matched = begun.matched;
    answer->result.changed = begun.changed;
    if (begun.errors > 0) { /* the list went with the memory; what is left is that it was there */
        answer_add_error(answer, text_of(NULL), text_of(NULL), begun.rejected, begun.code, "",
                         "%" PRId64 " jobs could not be changed, the first: %s", begun.errors,
                         error_code_word(begun.code));
        answer->error_total = begun.errors;
    }
    if (!change_targets(shard, answer, &same, sink)) return false;
    drop_targets(shard);
    answer_conclude(answer);
    answer_finish(answer, shard, &same, sink);
    return true;
}

bool shard_can_continue(const struct command *command)
{
    return command_op_target(command->op) == TARGET_SELECTED;
}

void shard_interrupt(struct shard *shard, const struct application *application,
                     const struct error *why, const struct sink *sink)
{
    const struct in_command begun = shard->in_command;
    assert(begun.active);
    struct application same = *application;
    same.effective_ms = begun.effective_ms;
    struct answer *answer = answer_begin(shard, &same);
    answer->result.matched = begun.matched;
    answer->result.changed = begun.changed;
    answer_refuse(answer, OUTCOME_PARTIAL, CODE_INTERRUPTED, why->field,
                  "%" PRId64 " of %" PRId64 " jobs were done, the rest cannot be: %s",
                  begun.changed, begun.matched, why->message);
    drop_targets(shard);
    answer_finish(answer, shard, &same, sink);
}
