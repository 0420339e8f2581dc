/* A command is applied: duplicates and late ones answered, jobs added, the rest handed to
 * apply_select.c. Each command ends in exactly one result. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "dispatcher/shard/answer.h"
#include "dispatcher/shard/apply_select.h"
#include "dispatcher/shard/difference.h"
#include "dispatcher/shard/imported.h"
#include "dispatcher/shard/shard_state.h"
#include "lib/model/route.h"

static bool mine(const struct shard *shard, const struct definition *definition)
{
    return shard_of_group(definition->group, shard->config.shards) == shard->config.shard;
}

/* ---- add and put ---- */

static struct definition anchored(const struct definition *definition, int64_t effective_ms)
{
    struct definition copy = *definition;
    if (copy.schedule.kind == SCHEDULE_EVERY && (copy.given & GIVEN_ANCHOR) == 0)
        copy.schedule.anchor_ms = effective_ms;
    return copy;
}

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
                        const struct definition *definition, int64_t effective_ms)
{
    if (job_ever_fires(definition, effective_ms)) return true;
    answer_add_error(answer, definition->group, definition->id, true, CODE_NEVER_FIRES,
                     place_of(command, index, "/schedule").pointer,
                     "%.*s/%.*s: no slot after the command's effective time lies between start "
                     "and end; change schedule, start or end",
                     (int)definition->group.length, definition->group.bytes,
                     (int)definition->id.length, definition->id.bytes);
    return false;
}

static bool check_add(const struct shard *shard, struct answer *answer,
                      const struct command *command, uint32_t index, int64_t effective_ms)
{
    const struct definition *definition = &command->jobs[index];
    if (job_table_find(shard->jobs, definition->group, definition->id) != NULL) {
        answer_add_error(answer, definition->group, definition->id, false, CODE_EXISTS,
                         place_of(command, index, "").pointer,
                         "%.*s/%.*s exists; use put to replace it, or another id",
                         (int)definition->group.length, definition->group.bytes,
                         (int)definition->id.length, definition->id.bytes);
        return false;
    }
    struct definition copy = anchored(definition, effective_ms);
    return check_fires(answer, command, index, &copy, effective_ms);
}

/* What a put makes of an existing job: fields left out return to their defaults; the anchor of
 * an unchanged `every` and the paused state stay. */
static struct definition put_over(const struct job *job, const struct definition *definition,
                                  int64_t effective_ms)
{
    struct definition merged = anchored(definition, effective_ms);
    const struct schedule_spec *spec = &job->schedule->spec;
    definition_settle(&merged, &job->incarnation);
    bool same_every = spec->kind == SCHEDULE_EVERY && merged.schedule.kind == SCHEDULE_EVERY &&
                      spec->every_ms == merged.schedule.every_ms;
    if (same_every && (definition->given & GIVEN_ANCHOR) == 0) {
        merged.schedule.anchor_ms = spec->anchor_ms;
        if (job->schedule->anchor_given) merged.given |= GIVEN_ANCHOR;
    }
    return merged;
}

/* What a dry run shows of an add or put; `job` NULL: it would be new. */
static void add_difference(struct answer *answer, const struct job *job,
                           const struct definition *after, bool same, int64_t effective_ms)
{
    struct result_difference *difference = answer_next_difference(answer);
    if (difference == NULL) return;
    struct job_prospect old =
        job != NULL ? prospect_of_job(job, effective_ms) : prospect_none();
    int64_t fired = job != NULL && job->extra != NULL ? job->extra->state.counted_fires : 0;
    struct job_prospect new = prospect_of_definition(after, effective_ms, fired);
    if (job == NULL && after->paused) new.runs = false;
    if (job == NULL && definition_has_incarnation(after) && job_once_passed(after, effective_ms))
        new.runs = false; /* it may have been fired before the import */
    if (job != NULL && (job->flags & JOB_PAUSED)) { /* a put leaves the pause as it is */
        new.runs = new.runs && old.runs;
        new.after_ms = old.after_ms;
    }
    *difference = (struct result_difference){
        .group = after->group,
        .id = after->id,
        .change = same ? OP_NONE : job != NULL ? OP_UPDATE : OP_ADD};
    difference_make(difference, &old, same ? &old : &new, effective_ms);
}

static void add_one(struct shard *shard, struct answer *answer, uint32_t index,
                    const struct application *application, const struct sink *sink)
{
    const struct definition *definition = &application->command->jobs[index];
    const struct source *source = application->source;
    int64_t effective_ms = application->effective_ms;
    struct incarnation place = {.effective_ms = effective_ms,
                                .shard = source->origin_partition,
                                .offset = source->origin_offset,
                                .index = application->command->positions[index]};
    bool imported = definition_has_incarnation(definition);
    struct definition copy = anchored(definition, effective_ms);
    definition_settle(&copy, imported ? &definition->incarnation : &place);
    answer_add_job(answer, &copy, 1, !definition->paused, effective_ms);
    warn_about(answer, definition, application);
    answer->result.changed++;
    if (application->command->dry_run)
        add_difference(answer, NULL, &copy, false, effective_ms);
    else
        (void)job_add(shard, &copy, &place, effective_ms, sink);
}

static void put_one(struct shard *shard, struct answer *answer, uint32_t index,
                    const struct application *application, const struct sink *sink)
{
    const struct definition *definition = &application->command->jobs[index];
    struct job *job = job_table_find(shard->jobs, definition->group, definition->id);
    if (job == NULL) {
        add_one(shard, answer, index, application, sink);
        return;
    }
    int64_t effective_ms = application->effective_ms;
    struct definition merged = put_over(job, definition, effective_ms);
    bool running = (job->flags & JOB_PAUSED) == 0;
    bool same = job_same_definition(job, &merged);
    answer_add_job(answer, &merged, job->revision + (same ? 0 : 1), running, effective_ms);
    if (application->command->dry_run)
        add_difference(answer, job, &merged, same, effective_ms);
    if (same) return;
    warn_about(answer, definition, application);
    answer->result.changed++;
    if (application->command->dry_run) return;
    struct job_reference reference = job_reference_of(job);
    job_update(shard, job, &merged, effective_ms, application->now_ms, sink);
    shard_lighten(shard, reference);
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

static bool check_put(const struct shard *shard, struct answer *answer,
                      const struct command *command, uint32_t index, int64_t effective_ms)
{
    const struct definition *definition = &command->jobs[index];
    const struct job *job = job_table_find(shard->jobs, definition->group, definition->id);
    if (!check_put_revision(answer, job, definition, command->expected_revision)) return false;
    struct definition copy = job != NULL ? put_over(job, definition, effective_ms)
                                         : anchored(definition, effective_ms);
    if (job != NULL && job_same_definition(job, &copy)) return true;
    return check_fires(answer, command, index, &copy, effective_ms);
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
    bool other = job != NULL && incarnation_compare(&job->incarnation, wanted) != 0;
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

static bool check_job(const struct shard *shard, struct answer *answer,
                      const struct application *application, uint32_t index, bool taken)
{
    const struct command *command = application->command;
    if (!check_incarnation(shard, answer, application, index, taken)) return false;
    if (command->op == OP_ADD)
        return check_add(shard, answer, command, index, application->effective_ms);
    return check_put(shard, answer, command, index, application->effective_ms);
}

static void apply_jobs(struct shard *shard, struct answer *answer,
                       const struct application *application, const struct sink *sink)
{
    const struct command *command = application->command;
    assert(command->job_count <= COMMAND_JOBS_MAX);
    bool good[COMMAND_JOBS_MAX];
    bool taken[COMMAND_JOBS_MAX];
    int64_t sent = (int64_t)(command->job_count + command->refused_count);
    if (command->expect >= 0 && command->expect != sent)
        answer_add_error(answer, text_of(NULL), text_of(NULL), false, CODE_COUNT_MISMATCH,
                         "/expect", "expect is %" PRId64 ", the command has %" PRId64 " jobs",
                         command->expect, sent);
    answer_add_refused(answer, shard, application, false);
    imported_find_taken(shard, command, taken);
    for (uint32_t i = 0; i < command->job_count; i++) {
        good[i] = false;
        if (!mine(shard, &command->jobs[i])) continue;
        answer->result.matched++;
        good[i] = check_job(shard, answer, application, i, taken[i]);
    }
    if (answer->error_total > 0 && command->mode == MODE_ATOMIC) return;
    for (uint32_t i = 0; i < command->job_count; i++) {
        if (!good[i]) continue;
        if (command->op == OP_ADD) add_one(shard, answer, i, application, sink);
        else put_one(shard, answer, i, application, sink);
    }
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
