/* A command is applied: duplicates and late ones answered, jobs added, the rest handed to
 * apply_select.c. Each command ends in exactly one result. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/shard/answer.h"
#include "dispatcher/shard/apply_select.h"
#include "dispatcher/shard/difference.h"
#include "dispatcher/shard/imported.h"
#include "dispatcher/shard/operation.h"
#include "dispatcher/shard/shard_state.h"
#include "lib/base/memory.h"
#include "lib/model/route.h"

static bool mine(const struct shard *shard, const struct definition *definition)
{
    return shard_of_group(definition->group, shard->config.shards) == shard->config.shard;
}

/* ---- what is to be done ---- */

/* The place of a job in its command, as a JSON Pointer. */
struct place {
    char pointer[ERROR_FIELD_BYTES];
};

static struct place place_of(const struct command *command, uint32_t index, const char *member)
{
    struct place place;
    if (command->single)
        (void)snprintf(place.pointer, sizeof place.pointer, "/job%s", member);
    else
        (void)snprintf(place.pointer, sizeof place.pointer, "/jobs/%" PRIu32 "%s",
                       command->positions[index], member);
    return place;
}

static bool check_fires(struct answer *answer, const struct command *command, uint32_t index,
                        const struct definition *definition, int64_t after_ms)
{
    if (job_ever_fires(definition, after_ms)) return true;
    answer_add_error(answer, definition->group, definition->id, true, CODE_NEVER_FIRES,
                     place_of(command, index, "/schedule").pointer,
                     "%.*s/%.*s: no slot after the command's effective time lies between start "
                     "and end; change schedule, start or end",
                     (int)definition->group.length, definition->group.bytes,
                     (int)definition->id.length, definition->id.bytes);
    return false;
}

/* `every` counts from when the command acts, where the user gives no anchor. */
static void anchor(struct definition *definition, int64_t effective_ms)
{
    if (definition->schedule.kind == SCHEDULE_EVERY && (definition->given & GIVEN_ANCHOR) == 0)
        definition->schedule.anchor_ms = effective_ms;
}

static struct incarnation incarnation_of(const struct application *application, uint32_t index)
{
    return (struct incarnation){.effective_ms = application->effective_ms,
                                .shard = application->source->origin_partition,
                                .offset = application->source->origin_offset,
                                .index = application->command->positions[index]};
}

/* A job that is not there. */
static bool plan_new(struct answer *answer, const struct application *application, uint32_t index,
                     struct job_plan *plan)
{
    const struct definition *definition = &application->command->jobs[index];
    struct incarnation place = incarnation_of(application, index);
    bool imported = definition_has_incarnation(definition);
    plan->job = NULL;
    plan->changes = true;
    plan->definition = *definition;
    anchor(&plan->definition, application->effective_ms);
    definition_settle(&plan->definition, imported ? &definition->incarnation : &place);
    return check_fires(answer, application->command, index, &plan->definition,
                       job_new_slots_after_ms(&plan->definition, application->effective_ms));
}

static bool plan_add(const struct shard *shard, struct answer *answer,
                     const struct application *application, uint32_t index, struct job_plan *plan)
{
    const struct command *command = application->command;
    const struct definition *definition = &command->jobs[index];
    if (job_table_find(shard->jobs, definition->group, definition->id) == NULL)
        return plan_new(answer, application, index, plan);
    answer_add_error(answer, definition->group, definition->id, false, CODE_EXISTS,
                     place_of(command, index, "").pointer,
                     "%.*s/%.*s exists; use put to replace it, or another id",
                     (int)definition->group.length, definition->group.bytes,
                     (int)definition->id.length, definition->id.bytes);
    return false;
}

/* What a put makes of an existing job: fields left out return to their defaults; the anchor of
 * an unchanged `every` and the paused state stay. */
static void put_over(const struct job *job, const struct definition *definition,
                     int64_t effective_ms, struct definition *merged)
{
    *merged = *definition;
    anchor(merged, effective_ms);
    const struct schedule_spec *spec = &job->schedule->spec;
    definition_settle(merged, &job->life.incarnation);
    bool same_every = spec->kind == SCHEDULE_EVERY && merged->schedule.kind == SCHEDULE_EVERY &&
                      spec->every_ms == merged->schedule.every_ms;
    if (same_every && (definition->given & GIVEN_ANCHOR) == 0) {
        merged->schedule.anchor_ms = spec->anchor_ms;
        if (job->schedule->anchor_given) merged->given |= GIVEN_ANCHOR;
    }
}

/* Compare and set: an expected revision is that of a job which exists. */
static bool check_put_revision(struct answer *answer, const struct job *job,
                               const struct definition *definition, int64_t expected)
{
    if (expected < 0 || (job != NULL && job->revision == expected)) return true;
    char standing[48] = "the job does not exist";
    if (job != NULL)
        (void)snprintf(standing, sizeof standing, "the job is at revision %" PRIu32,
                       job->revision);
    answer_add_error(answer, definition->group, definition->id, false,
                     job != NULL ? CODE_REVISION_MISMATCH : CODE_NOT_FOUND, "/expected_revision",
                     "%.*s/%.*s: expected_revision is %" PRId64 ", %s; read it again and decide",
                     (int)definition->group.length, definition->group.bytes,
                     (int)definition->id.length, definition->id.bytes, expected, standing);
    return false;
}

static bool plan_put(const struct shard *shard, struct answer *answer,
                     const struct application *application, uint32_t index, struct job_plan *plan)
{
    const struct command *command = application->command;
    const struct definition *definition = &command->jobs[index];
    struct job *job = job_table_find(shard->jobs, definition->group, definition->id);
    if (!check_put_revision(answer, job, definition, command->expected_revision)) return false;
    if (job == NULL) return plan_new(answer, application, index, plan);
    plan->job = job;
    put_over(job, definition, application->effective_ms, &plan->definition);
    plan->changes = !job_same_definition(job, &plan->definition);
    return !plan->changes || check_fires(answer, command, index, &plan->definition,
                                         application->effective_ms);
}

/* A life belongs to one name, and has begun before it is gone on with. */
static bool check_incarnation(const struct shard *shard, struct answer *answer,
                              const struct application *application, uint32_t index, bool taken)
{
    const struct command *command = application->command;
    const struct definition *definition = &command->jobs[index];
    if (!definition_has_incarnation(definition)) return true;
    const struct incarnation *wanted = &definition->incarnation;
    const struct job *job = job_table_find(shard->jobs, definition->group, definition->id);
    bool other = job != NULL && incarnation_compare(&job->life.incarnation, wanted) != 0;
    bool future = wanted->effective_ms > application->effective_ms;
    if (!other && !future && !taken) return true;
    answer_add_error(answer, definition->group, definition->id, future,
                     future ? CODE_BAD_VALUE : CODE_EXISTS,
                     place_of(command, index, "/incarnation").pointer, "%.*s/%.*s: %s",
                     (int)definition->group.length, definition->group.bytes,
                     (int)definition->id.length, definition->id.bytes,
                     future  ? "an incarnation begins when a job is added, not later than now"
                     : other ? "the job is there under another incarnation; leave it out, or "
                               "delete the job first"
                             : "another job has this incarnation: their fires would have the "
                               "same ids; leave it out");
    return false;
}

static void plan_job(const struct shard *shard, struct answer *answer,
                     const struct application *application, uint32_t index, bool taken,
                     struct job_plan *plan)
{
    bool adds = application->command->op == OP_ADD;
    plan->possible = check_incarnation(shard, answer, application, index, taken) &&
                     (adds ? plan_add : plan_put)(shard, answer, application, index, plan);
}

/* ---- doing it ---- */

/* What is allowed but seldom meant; said once for a command, with the first job it is true of. */
static void warn_about(struct answer *answer, const struct definition *definition,
                       const struct application *application)
{
    const char *name = definition->id.bytes;
    int length = (int)definition->id.length;
    if (definition->topic.length > 0 && application->topic_exists != NULL &&
        !application->topic_exists(application->opaque, definition->topic))
        answer_add_warning(answer, CODE_TOPIC_MISSING,
                           "%.*s: topic %.*s does not exist; fires wait until it is created",
                           length, name, (int)definition->topic.length, definition->topic.bytes);
    if (definition->runs.mode == LEASE_FIXED)
        answer_add_warning(answer, CODE_AT_LEAST_ONCE,
                           "%.*s: with lease_mode 'fixed' nobody claims a try: its work may be "
                           "started twice",
                           length, name);
    if (definition->schedule.kind != SCHEDULE_CRON) return;
    for (uint32_t bit = 1; bit <= definition->cron_warnings; bit <<= 1)
        if ((definition->cron_warnings & bit) != 0 && bit != CRON_WARNING_NO_ZONE &&
            bit != CRON_WARNING_NO_NAME)
            answer_add_warning(answer, CODE_CRON, "%.*s: %s", length, name,
                               cron_warning_text((enum cron_warning)bit));
    if ((definition->cron_warnings & CRON_WARNING_NO_ZONE) != 0)
        answer_add_warning(answer, CODE_ZONE_IS_UTC,
                           "%.*s: the cron expression names no zone; it is read in UTC", length,
                           name);
}

/* How a job that is not there yet would go on. */
static struct job_prospect prospect_of_new(const struct definition *definition,
                                           int64_t effective_ms)
{
    struct job_prospect new = prospect_of_definition(definition, effective_ms, 0);
    new.after_ms = job_new_slots_after_ms(definition, effective_ms);
    if (definition->paused) new.runs = false;
    if (definition_has_incarnation(definition) && job_once_passed(definition, effective_ms))
        new.runs = false; /* it may have been fired before the import */
    return new;
}

/* How a job would go on behind a put, which leaves the pause as it is. */
static struct job_prospect prospect_of_put(const struct job *job,
                                           const struct definition *definition,
                                           const struct job_prospect *old, int64_t effective_ms)
{
    int64_t fired = job->extra != NULL ? job->extra->state.counted_fires : 0;
    struct job_prospect new = prospect_of_definition(definition, effective_ms, fired);
    if ((job->flags & JOB_PAUSED) == 0) return new;
    new.runs = new.runs && old->runs;
    new.after_ms = old->after_ms;
    return new;
}

/* What a dry run shows of an add or put. */
static void add_difference(struct answer *answer, const struct job_plan *plan,
                           int64_t effective_ms)
{
    const struct job *job = plan->job;
    const struct definition *after = &plan->definition;
    struct result_difference *difference = answer_next_difference(answer);
    if (difference == NULL) return;
    struct job_prospect old =
        job != NULL ? prospect_of_job(job, effective_ms) : prospect_none();
    struct job_prospect new = job == NULL ? prospect_of_new(after, effective_ms)
                                          : prospect_of_put(job, after, &old, effective_ms);
    *difference = (struct result_difference){
        .group = after->group,
        .id = after->id,
        .change = !plan->changes ? OP_NONE : job != NULL ? OP_UPDATE : OP_ADD};
    difference_make(difference, &old, plan->changes ? &new : &old, effective_ms);
}

static void add_one(struct shard *shard, struct answer *answer, const struct job_plan *plan,
                    uint32_t index, const struct application *application,
                    const struct sink *sink)
{
    int64_t effective_ms = application->effective_ms;
    struct incarnation place = incarnation_of(application, index);
    answer_add_job(answer, &plan->definition, 1, !plan->definition.paused,
                   job_new_slots_after_ms(&plan->definition, effective_ms));
    warn_about(answer, &application->command->jobs[index], application);
    answer->result.changed++;
    if (application->command->dry_run) {
        add_difference(answer, plan, effective_ms);
        return;
    }
    struct job *job = job_add(shard, &plan->definition, &place, effective_ms, sink);
    if (job != NULL) job_lighten(job);
}

static void put_one(struct shard *shard, struct answer *answer, const struct job_plan *plan,
                    uint32_t index, const struct application *application,
                    const struct sink *sink)
{
    struct job *job = plan->job;
    int64_t effective_ms = application->effective_ms;
    bool running = (job->flags & JOB_PAUSED) == 0;
    answer_add_job(answer, &plan->definition, job->revision + (plan->changes ? 1 : 0), running,
                   effective_ms);
    if (application->command->dry_run) add_difference(answer, plan, effective_ms);
    if (!plan->changes) return;
    warn_about(answer, &application->command->jobs[index], application);
    answer->result.changed++;
    if (application->command->dry_run) return;
    job = job_update(shard, job, &plan->definition, effective_ms, application->now_ms, sink);
    if (job != NULL) job_lighten(job);
}

static void apply_jobs(struct shard *shard, struct answer *answer,
                       const struct application *application, const struct sink *sink)
{
    const struct command *command = application->command;
    assert(command->job_count <= COMMAND_JOBS_MAX);
    bool taken[COMMAND_JOBS_MAX];
    int64_t sent = (int64_t)(command->job_count + command->refused_count);
    if (command->expect >= 0 && command->expect != sent)
        answer_add_error(answer, text_of(NULL), text_of(NULL), false, CODE_COUNT_MISMATCH,
                         "/expect", "expect is %" PRId64 ", the command has %" PRId64 " jobs",
                         command->expect, sent);
    answer_add_refused(answer, shard, application, false);
    imported_find_taken(shard, command, taken);
    struct job_plan *plans = memory_resize(NULL, command->job_count, sizeof *plans);
    for (uint32_t i = 0; i < command->job_count; i++) {
        plans[i].possible = false;
        if (!mine(shard, &command->jobs[i])) continue;
        answer->result.matched++;
        plan_job(shard, answer, application, i, taken[i], &plans[i]);
    }
    bool refused = answer->error_total > 0 && command->mode == MODE_ATOMIC;
    for (uint32_t i = 0; !refused && i < command->job_count; i++) {
        if (!plans[i].possible) continue;
        if (plans[i].job == NULL) add_one(shard, answer, &plans[i], i, application, sink);
        else put_one(shard, answer, &plans[i], i, application, sink);
    }
    free(plans);
}

/* ---- every command ---- */

static bool answer_duplicate(struct shard *shard, const struct application *application,
                             const struct sink *sink)
{
    struct seen seen;
    const struct command *command = application->command;
    if (!command->command_id_given ||
        !seen_table_find(shard->seen, seen_hash(command->command_id), &seen))
        return false;
    struct answer *answer = answer_begin(shard, application);
    answer_refuse(answer, OUTCOME_DUPLICATE, seen.code, "/command_id",
                  "command_id %.*s was seen before: nothing is done twice; the first outcome "
                  "was %s",
                  (int)command->command_id.length, command->command_id.bytes,
                  outcome_name((enum outcome)seen.outcome));
    answer->result.first_outcome = (enum outcome)seen.outcome;
    answer_finish(answer, shard, application, sink);
    return true;
}

bool shard_apply(struct shard *shard, const struct application *application,
                 const struct sink *sink)
{
    const struct command *command = application->command;
    assert(shard->watermark.ordinal == WATERMARK_WHOLE);
    assert(application->effective_ms >= shard->watermark.instant_ms);
    if (shard->in_command.active)
        return apply_select_continue(shard, application, sink);
    if (answer_duplicate(shard, application, sink)) return true;
    struct answer *answer = answer_begin(shard, application);
    bool finished = true;
    if (application->effective_ms > command->not_after_ms)
        answer_refuse(answer, OUTCOME_EXPIRED, CODE_EXPIRED, "/not_after",
                      "the command acts after its not_after; send it again with a later one");
    else if (command_op_target(command->op) == TARGET_GIVEN)
        apply_jobs(shard, answer, application, sink);
    else if (command_op_target(command->op) == TARGET_SELECTED)
        finished = apply_select(shard, answer, application, sink);
    if (!finished) return false;
    answer_conclude(answer);
    answer_finish(answer, shard, application, sink);
    return true;
}

void shard_reject(struct shard *shard, const struct application *application,
                  const struct error *error, const struct sink *sink)
{
    assert(error->kind == ERROR_INVALID);
    if (answer_duplicate(shard, application, sink)) return;
    struct answer *answer = answer_begin(shard, application);
    answer_add_refused(answer, shard, application, true);
    answer_refuse(answer, OUTCOME_REJECTED, error->code != CODE_NONE ? error->code : CODE_BAD_VALUE,
                  error->field, "%s", error->message);
    answer_finish(answer, shard, application, sink);
}
