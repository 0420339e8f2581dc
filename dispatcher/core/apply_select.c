#include "dispatcher/core/apply_select.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/core/mutant.h"
#include "dispatcher/core/result_code.h"
#include "dispatcher/core/selector.h"
#include "dispatcher/core/shard_state.h"

/* What one operation does to one job. */
struct operation {
    /* Whether it can be done; else adds the job's error. */
    bool (*check)(struct answer *answer, const struct job *job,
                  const struct application *application);
    /* Does it; false: the job was as wanted already. The job may be gone afterwards. */
    bool (*change)(struct shard *shard, struct job *job, const struct application *application,
                   const struct sink *sink);
    /* The same question without doing it, for dry runs. */
    bool (*would_change)(const struct job *job, const struct application *application);
};

static void refuse(struct answer *answer, const struct job *job, bool rejected, const char *code,
                   const char *field, const char *sentence)
{
    struct text name = job_name(job);
    answer_add_error(answer, job_group(job), job_id(job), rejected, code, field, "%.*s: %s",
                     (int)name.length, name.bytes, sentence);
}

static bool check_revision(struct answer *answer, const struct job *job,
                           const struct application *application)
{
    int64_t expected = application->command->expected_revision;
    if (expected < 0 || expected == job->revision) return true;
    struct text name = job_name(job);
    answer_add_error(answer, job_group(job), job_id(job), false, "revision_mismatch",
                     "/expected_revision",
                     "%.*s: expected_revision is %" PRId64 ", the job is at revision %" PRIu32
                     "; read it again and decide",
                     (int)name.length, name.bytes, expected, job->revision);
    return false;
}

/* ---- update ---- */

static struct definition merged_definition(const struct job *job,
                                           const struct application *application)
{
    struct definition merged;
    job_view(job, &merged);
    bool was_every = merged.schedule.kind == SCHEDULE_EVERY;
    int64_t every_ms = merged.schedule.every_ms;
    definition_merge(&merged, &application->command->set);
    bool reanchor = merged.schedule.kind == SCHEDULE_EVERY &&
                    (application->command->set.given & GIVEN_ANCHOR) == 0 &&
                    (application->command->set.given & GIVEN_SCHEDULE) != 0 &&
                    !(was_every && every_ms == merged.schedule.every_ms);
    if (reanchor) merged.schedule.anchor_ms = application->effective_ms;
    return merged;
}

static bool check_update(struct answer *answer, const struct job *job,
                         const struct application *application)
{
    struct definition merged = merged_definition(job, application);
    int64_t next_ms = 0;
    bool past_at = merged.schedule.kind == SCHEDULE_AT &&
                   merged.schedule.at_ms <= application->effective_ms;
    if (merged.start_ms != START_NONE && merged.end_ms <= merged.start_ms) {
        refuse(answer, job, true, "bad_value", "/set/end", "end must be later than start");
        return false;
    }
    uint32_t timing = GIVEN_SCHEDULE | GIVEN_START | GIVEN_END;
    if ((application->command->set.given & timing) != 0 && !past_at &&
        !job_next_slot(&merged, application->effective_ms, &next_ms)) {
        refuse(answer, job, true, "never_fires", "/set",
               "no slot after the command's effective time lies between start and end");
        return false;
    }
    return true;
}

static bool would_update(const struct job *job, const struct application *application)
{
    struct definition merged = merged_definition(job, application);
    return !job_same_definition(job, &merged);
}

static bool change_update(struct shard *shard, struct job *job,
                          const struct application *application, const struct sink *sink)
{
    if (!would_update(job, application)) return false;
    struct definition merged = merged_definition(job, application);
    job_update(shard, job, &merged, application->effective_ms, application->now_ms, sink);
    return true;
}

/* ---- pause ---- */

static bool check_pause(struct answer *answer, const struct job *job,
                        const struct application *application)
{
    if (application->command->until_ms > application->effective_ms) return true;
    refuse(answer, job, true, "bad_value", "/until",
           "until must be later than the time at which the command acts");
    return false;
}

static bool would_pause(const struct job *job, const struct application *application)
{
    if (job->flags & JOB_FINISHED) return false;
    if ((job->flags & JOB_PAUSED) == 0) return true;
    int64_t until_ms = application->command->until_ms;
    return job->extra->until_ms != (until_ms == INT64_MAX ? INSTANT_NONE : until_ms);
}

static bool change_pause(struct shard *shard, struct job *job,
                         const struct application *application, const struct sink *sink)
{
    if (!would_pause(job, application)) return false;
    job_pause(shard, job, application->effective_ms, application->command->until_ms,
              application->now_ms, sink);
    return true;
}

/* ---- resume ---- */

static bool check_resume(struct answer *answer, const struct job *job,
                         const struct application *application)
{
    const struct command *command = application->command;
    if (command->from != RESUME_INSTANT || (job->flags & JOB_PAUSED) == 0) return true;
    if (command->from_ms > application->effective_ms) {
        refuse(answer, job, false, "from_in_future", "/from",
               "from is later than the time at which the command acts");
        return false;
    }
    if (command->from_ms < job_paused_ms(job)) {
        refuse(answer, job, false, "from_before_pause", "/from",
               "from is before the pause began; earlier slots were not missed");
        return false;
    }
    return true;
}

static bool would_resume(const struct job *job, const struct application *application)
{
    (void)application;
    return (job->flags & JOB_PAUSED) != 0;
}

static bool change_resume(struct shard *shard, struct job *job,
                          const struct application *application, const struct sink *sink)
{
    if (!would_resume(job, application)) return false;
    const struct command *command = application->command;
    int64_t from_ms = application->effective_ms;
    if (mutant(MUTANT_RESUME_FROM_IGNORED)) from_ms = application->effective_ms;
    else if (command->from == RESUME_PAUSED_AT) from_ms = job->extra->paused_ms;
    else if (command->from == RESUME_INSTANT) from_ms = command->from_ms;
    if (job->extra->schedule_edited_ms != INSTANT_NONE && from_ms < job->extra->schedule_edited_ms)
        from_ms = job->extra->schedule_edited_ms;
    job_resume(shard, job, application->effective_ms, from_ms, application->now_ms, sink);
    return true;
}

/* ---- delete, trigger ---- */

static bool check_nothing(struct answer *answer, const struct job *job,
                          const struct application *application)
{
    (void)answer;
    (void)job;
    (void)application;
    return true;
}

static bool would_always(const struct job *job, const struct application *application)
{
    (void)job;
    (void)application;
    return true;
}

static bool change_delete(struct shard *shard, struct job *job,
                          const struct application *application, const struct sink *sink)
{
    job_delete(shard, job, application->effective_ms, sink);
    return true;
}

static bool change_trigger(struct shard *shard, struct job *job,
                           const struct application *application, const struct sink *sink)
{
    (void)shard;
    struct fire fire = {.job = job,
                        .kind = FIRE_TRIGGER,
                        .nominal_ms = application->effective_ms,
                        .due_ms = application->effective_ms,
                        .now_ms = application->now_ms,
                        .attempt = 1,
                        .trigger_id = application->command->command_id};
    job->fired++;
    sink->fire(sink->opaque, &fire);
    return true;
}

static const struct operation *operation_of(enum command_op op)
{
    static const struct operation operations[] = {
        [OP_UPDATE] = {check_update, change_update, would_update},
        [OP_PAUSE] = {check_pause, change_pause, would_pause},
        [OP_RESUME] = {check_resume, change_resume, would_resume},
        [OP_DELETE] = {check_nothing, change_delete, would_always},
        [OP_TRIGGER] = {check_nothing, change_trigger, would_always},
    };
    assert(op >= OP_UPDATE && op <= OP_TRIGGER);
    return &operations[op];
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
           operation->check(answer, job, application);
}

/* The decision over all jobs, before the first is changed. False: nothing may be changed. */
static bool decide(struct shard *shard, struct answer *answer,
                   const struct application *application)
{
    const struct command *command = application->command;
    int64_t matched = (int64_t)shard->target_count;
    answer->result.matched = matched;
    if (command->expect >= 0 && command->expect != matched) {
        answer_add_error(answer, text_of(NULL), text_of(NULL), false, "count_mismatch",
                         "/expect", "expect is %" PRId64 ", the selector matches %" PRId64
                         " jobs", command->expect, matched);
        if (command->mode == MODE_ATOMIC) return false;
    }
    bool named = command->select.id_count > 0 && command->select.group_count > 0;
    if (matched == 0 && named) {
        answer_refuse(answer, OUTCOME_CONFLICT, "not_found", "/select",
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
    struct definition definition;
    job_view(job, &definition);
    int64_t revision = job->revision;
    bool paused = (job->flags & JOB_PAUSED) != 0;
    if (dry) {
        revision++;
        if (application->command->op == OP_UPDATE)
            definition = merged_definition(job, application);
        if (application->command->op == OP_PAUSE) paused = true;
        if (application->command->op == OP_RESUME) paused = false;
    }
    bool running = !paused && (job->flags & JOB_FINISHED) == 0;
    if (application->command->op == OP_DELETE) running = false;
    answer_add_job(answer, &definition, revision, running, application->effective_ms);
}

/* True: it was, or would be, changed. */
static bool change_one(struct shard *shard, struct answer *answer, struct job *job,
                       const struct application *application, const struct sink *sink)
{
    const struct operation *operation = operation_of(application->command->op);
    if (application->command->dry_run) {
        bool would = operation->would_change(job, application);
        if (would) list_job(answer, application, job, true);
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

/* Refusals were counted when the command was decided, over all its jobs. */
static void keep_refusals(struct in_command *in_command, const struct answer *answer)
{
    in_command->refused = answer->error_total;
    if (answer->error_total > 0)
        (void)snprintf(in_command->code, sizeof in_command->code, "%s", answer->errors[0].code);
}

static void restore_refusals(struct answer *answer, const struct in_command *begun)
{
    if (begun->refused == 0) return;
    answer_add_error(answer, text_of(NULL), text_of(NULL), false,
                     result_code_word(result_code_index(begun->code)), "",
                     "%" PRId64 " refusals; the command took several transactions, so they are "
                     "not listed one by one", begun->refused);
    answer->error_total = begun->refused;
}

static bool change_targets(struct shard *shard, struct answer *answer,
                           const struct application *application, const struct sink *sink)
{
    struct in_command *in_command = &shard->in_command;
    for (; shard->target_at < shard->target_count; shard->target_at++) {
        if (sink->full(sink->opaque) && !application->command->dry_run) {
            in_command->active = true;
            in_command->topic = application->source->topic;
            in_command->offset = application->source->offset;
            in_command->matched = answer->result.matched;
            in_command->changed = answer->result.changed;
            in_command->effective_ms = application->effective_ms;
            keep_refusals(in_command, answer);
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
    if (shard->targets == NULL) find_targets(shard, application->command, begun.ordinal);
    struct application same = *application;
    same.effective_ms = begun.effective_ms;
    struct answer *answer = answer_create(shard, &same);
    answer->result.matched = begun.matched;
    answer->result.changed = begun.changed;
    restore_refusals(answer, &begun);
    if (!change_targets(shard, answer, &same, sink)) {
        free(answer);
        return false;
    }
    drop_targets(shard);
    answer_conclude(answer);
    answer_finish(answer, shard, &same, sink);
    return true;
}
