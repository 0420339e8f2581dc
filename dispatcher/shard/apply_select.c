#include "dispatcher/shard/apply_select.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

/* Of the first targets what the decision has found out is kept until it is their turn. With many,
 * or after a restart amid the command, it is found out again: a job may be a large definition. */
enum { PLANS_KEPT = 8 };

/* What is to be done with the job, or that nothing can be: then adds its error.
 *   opened  so many runs will be opened for jobs before it */
static void make_plan(const struct shard *shard, struct answer *answer, const struct job *job,
                      const struct application *application, int64_t opened,
                      struct job_plan *plan)
{
    const struct operation *operation = operation_of(application->command->op);
    plan->changes = true;
    plan->is_full = operation->opens_run && !shard_has_room(shard, job, opened);
    plan->possible = check_revision(answer, job, application) &&
                     (operation->check == NULL ||
                      operation->check(shard, answer, job, application, plan));
}

/* The decision over all jobs, before the first is changed. False: nothing may be changed. */
static bool decide(struct shard *shard, struct answer *answer,
                   const struct application *application, struct job_plan kept[PLANS_KEPT])
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
    bool opens_run = operation_of(command->op)->opens_run;
    struct job_plan other;
    int64_t opened = 0;
    for (size_t i = 0; i < shard->target_count; i++) {
        const struct job *job = shard_job_of(shard, shard->targets[i]);
        struct job_plan *plan = i < PLANS_KEPT ? &kept[i] : &other;
        make_plan(shard, answer, job, application, opened, plan);
        opened += opens_run && plan->possible && (job->flags & JOB_LEASE) != 0;
    }
    return command->mode == MODE_EACH || answer->error_total == errors;
}

/* As it is, or by a dry run would be: then with its plan. */
static void list_job(struct answer *answer, const struct application *application,
                     const struct job *job, const struct job_plan *plan)
{
    const struct operation *operation = operation_of(application->command->op);
    struct definition present;
    const struct definition *definition = &present;
    bool dry = plan != NULL;
    if (dry && operation->redefines) definition = &plan->definition;
    else job_view(job, &present);
    bool paused = (job->flags & JOB_PAUSED) != 0;
    if (dry && operation->afterwards != AFTER_AS_BEFORE)
        paused = operation->afterwards == AFTER_STANDS;
    bool running = !paused && (job->flags & JOB_FINISHED) == 0;
    int64_t revision = job->revision + (dry && operation->revises ? 1 : 0);
    answer_add_job(answer, definition, revision, running, application->effective_ms);
}

static void list_difference(struct answer *answer, const struct job *job,
                            const struct job_plan *plan, const struct application *application)
{
    enum command_op op = application->command->op;
    const struct operation *operation = operation_of(op);
    struct result_difference *difference = answer_next_difference(answer);
    if (difference == NULL) return;
    *difference = (struct result_difference){.group = job_group(job),
                                             .id = job_id(job),
                                             .change = plan->changes ? op : OP_NONE};
    struct job_prospect before = prospect_of_job(job, application->effective_ms);
    struct job_prospect after = before;
    if (plan->changes && operation->prospect != NULL)
        operation->prospect(job, plan, application, &after);
    difference_make(difference, &before, &after, application->effective_ms);
    if (plan->changes && operation->extra_fires != NULL)
        difference->fires_added += operation->extra_fires(job, plan);
}

static void show_one(struct answer *answer, const struct job *job, const struct job_plan *plan,
                     const struct application *application)
{
    if (plan->changes) list_job(answer, application, job, plan);
    list_difference(answer, job, plan, application);
    answer->result.changed += plan->changes;
}

/* A deleted job's name would dangle, so deletions list nothing but their totals. */
static void change_one(struct shard *shard, struct answer *answer, struct job *job,
                       const struct job_plan *plan, const struct application *application,
                       const struct sink *sink)
{
    if (!plan->changes) return;
    job = operation_of(application->command->op)->change(shard, job, plan, application, sink);
    answer->result.changed++;
    if (job == NULL) return;
    list_job(answer, application, job, NULL);
    job_lighten(job);
}

/* The transaction is full: the next one begins with the present target. */
static void note_place(struct shard *shard, const struct answer *answer,
                       const struct application *application)
{
    struct in_command *in_command = &shard->in_command;
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
}

/*   kept  the plans of the first ones; NULL: all are to be made */
static bool change_targets(struct shard *shard, struct answer *answer,
                           const struct application *application, const struct job_plan *kept,
                           const struct sink *sink)
{
    bool dry = application->command->dry_run;
    for (; shard->target_at < shard->target_count; shard->target_at++) {
        if (sink->full(sink->opaque) && !dry) {
            note_place(shard, answer, application);
            return false;
        }
        struct job_reference reference = shard->targets[shard->target_at];
        struct job *job = shard_job_of(shard, reference);
        shard->in_command.ordinal = reference.ordinal;
        if (job == NULL) continue;
        struct job_plan made;
        const struct job_plan *plan = &made;
        if (kept != NULL && shard->target_at < PLANS_KEPT) plan = &kept[shard->target_at];
        else make_plan(shard, NULL, job, application, 0, &made);
        if (plan->possible && dry) show_one(answer, job, plan, application);
        else if (plan->possible) change_one(shard, answer, job, plan, application, sink);
    }
    return true;
}

bool apply_select(struct shard *shard, struct answer *answer,
                  const struct application *application, const struct sink *sink)
{
    find_targets(shard, application->command, -1);
    shard->in_command.ordinal = -1;
    bool finished = true;
    struct job_plan kept[PLANS_KEPT];
    if (decide(shard, answer, application, kept))
        finished = change_targets(shard, answer, application, kept, sink);
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
    if (!change_targets(shard, answer, &same, NULL, sink)) return false;
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
