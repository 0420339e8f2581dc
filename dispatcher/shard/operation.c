#include "dispatcher/shard/operation.h"

#include <assert.h>
#include <stdio.h>

#include "dispatcher/shard/run_commands.h"
#include "dispatcher/shard/shard_state.h"

static void refuse(struct answer *answer, const struct job *job, bool rejected,
                   enum error_code code, const char *field, const char *sentence)
{
    struct text name = job_name(job);
    answer_add_error(answer, job_group(job), job_id(job), rejected, code, field, "%.*s: %s",
                     (int)name.length, name.bytes, sentence);
}

/* ---- update ---- */

static void merge_update(const struct job *job, const struct application *application,
                         struct definition *merged)
{
    const struct definition *set = &application->command->set;
    job_view(job, merged);
    bool was_every = merged->schedule.kind == SCHEDULE_EVERY;
    int64_t every_ms = was_every ? merged->schedule.every_ms : 0;
    definition_merge(merged, set);
    bool reanchor = merged->schedule.kind == SCHEDULE_EVERY && (set->given & GIVEN_ANCHOR) == 0 &&
                    (set->given & GIVEN_SCHEDULE) != 0 &&
                    !(was_every && every_ms == merged->schedule.every_ms);
    if (reanchor) merged->schedule.anchor_ms = application->effective_ms;
    definition_settle(merged, &job->life.incarnation);
}

/* What the fields about runs say together, now that those the update leaves alone are there. */
static bool check_runs(struct answer *answer, const struct job *job,
                       const struct definition *merged)
{
    struct run_terms_fault fault;
    char field[ERROR_FIELD_BYTES];
    if (run_terms_check(&merged->runs, &fault)) return true;
    (void)snprintf(field, sizeof field, "/set/%s%s%s", fault.object == NULL ? "" : fault.object,
                   fault.object == NULL ? "" : "/", fault.member);
    refuse(answer, job, true, fault.code, field, fault.sentence);
    return false;
}

static bool check_update(const struct shard *shard, struct answer *answer, const struct job *job,
                         const struct application *application, struct job_plan *plan)
{
    (void)shard;
    struct definition *merged = &plan->definition;
    merge_update(job, application, merged);
    if (merged->start_ms != START_NONE && merged->end_ms <= merged->start_ms) {
        refuse(answer, job, true, CODE_BAD_VALUE, "/set/end", "end must be later than start");
        return false;
    }
    uint32_t given = application->command->set.given;
    if ((given & GIVEN_RUNS) != 0 && !check_runs(answer, job, merged)) return false;
    uint32_t timing = GIVEN_SCHEDULE | GIVEN_START | GIVEN_END;
    if ((given & timing) != 0 &&
        !schedule_is_unknown(&merged->schedule) &&
        !job_ever_fires(merged, application->effective_ms)) {
        refuse(answer, job, true, CODE_NEVER_FIRES, "/set",
               "no slot after the command's effective time lies between start and end");
        return false;
    }
    plan->changes = !job_same_definition(job, merged);
    return true;
}

static struct job *change_update(struct shard *shard, struct job *job, const struct job_plan *plan,
                                 const struct application *application, const struct sink *sink)
{
    return job_update(shard, job, &plan->definition, application->effective_ms,
                      application->now_ms, sink);
}

static void prospect_update(const struct job *job, const struct job_plan *plan,
                            const struct application *application, struct job_prospect *prospect)
{
    int64_t fired = job->extra == NULL ? 0 : job->extra->state.counted_fires;
    struct job_prospect paused = *prospect;
    *prospect = prospect_of_definition(&plan->definition, application->effective_ms, fired);
    if ((job->flags & JOB_PAUSED) == 0) return;
    prospect->runs = prospect->runs && job->extra->state.until_ms != INSTANT_NONE;
    prospect->after_ms = paused.after_ms;
}

/* ---- pause ---- */

static bool would_pause(const struct job *job, int64_t until_ms)
{
    if (job->flags & JOB_FINISHED) return false;
    if ((job->flags & JOB_PAUSED) == 0) return true;
    return job->extra->state.until_ms != (until_ms == INT64_MAX ? INSTANT_NONE : until_ms);
}

static bool check_pause(const struct shard *shard, struct answer *answer, const struct job *job,
                        const struct application *application, struct job_plan *plan)
{
    (void)shard;
    int64_t until_ms = application->command->until_ms;
    if (until_ms <= application->effective_ms) {
        refuse(answer, job, true, CODE_BAD_VALUE, "/until",
               "until must be later than the time at which the command acts");
        return false;
    }
    plan->changes = would_pause(job, until_ms);
    return true;
}

static struct job *change_pause(struct shard *shard, struct job *job, const struct job_plan *plan,
                                const struct application *application, const struct sink *sink)
{
    (void)plan;
    job_pause(shard, job, application->effective_ms, application->command->until_ms,
              application->command->reason, application->now_ms, sink);
    return job;
}

static void prospect_pause(const struct job *job, const struct job_plan *plan,
                           const struct application *application, struct job_prospect *prospect)
{
    (void)plan;
    int64_t until_ms = application->command->until_ms;
    prospect->runs = until_ms != INT64_MAX && (job->flags & JOB_FINISHED) == 0;
    if (prospect->runs) prospect->after_ms = until_ms - 1;
}

/* ---- resume ---- */

static int64_t resume_from_ms(const struct job *job, const struct application *application)
{
    const struct command *command = application->command;
    int64_t from_ms = application->effective_ms;
    if (command->from == RESUME_PAUSED_AT) from_ms = job->extra->state.paused_ms;
    else if (command->from == RESUME_INSTANT) from_ms = command->from_ms;
    int64_t edited_ms = job->extra->state.schedule_edited_ms;
    return edited_ms != INSTANT_NONE && from_ms < edited_ms ? edited_ms : from_ms;
}

static bool check_resume(const struct shard *shard, struct answer *answer, const struct job *job,
                         const struct application *application, struct job_plan *plan)
{
    (void)shard;
    const struct command *command = application->command;
    plan->changes = (job->flags & JOB_PAUSED) != 0;
    if (!plan->changes) return true;
    if (command->from == RESUME_INSTANT && command->from_ms > application->effective_ms) {
        refuse(answer, job, false, CODE_FROM_IN_FUTURE, "/from",
               "from is later than the time at which the command acts");
        return false;
    }
    if (command->from == RESUME_INSTANT && command->from_ms < job_paused_ms(job)) {
        refuse(answer, job, false, CODE_FROM_BEFORE_PAUSE, "/from",
               "from is before the pause began; earlier slots were not missed");
        return false;
    }
    plan->from_ms = resume_from_ms(job, application);
    return true;
}

static struct job *change_resume(struct shard *shard, struct job *job, const struct job_plan *plan,
                                 const struct application *application, const struct sink *sink)
{
    return job_resume(shard, job, application->effective_ms, plan->from_ms, application->now_ms,
                      sink);
}

static void prospect_resume(const struct job *job, const struct job_plan *plan,
                            const struct application *application, struct job_prospect *prospect)
{
    (void)plan;
    prospect->runs = prospect->fires_left > 0 && (job->flags & JOB_FINISHED) == 0;
    prospect->after_ms = application->effective_ms;
}

/* ---- delete, trigger ---- */

/* A trigger cannot wait as a slot does. */
static bool check_trigger(const struct shard *shard, struct answer *answer,
                          const struct job *job, const struct application *application,
                          struct job_plan *plan)
{
    if ((job->flags & JOB_LEASE) == 0) return true;
    const struct run_identity identity = {.incarnation = job->life.incarnation,
                                          .kind = FIRE_TRIGGER,
                                          .trigger_id = application->command->command_id};
    char run[RUN_ID_BYTES_MAX + 1];
    size_t length = run_id_format(&identity, run);
    return runs_can_open(shard, answer, job, application, plan, (struct text){run, length});
}

static struct job *change_delete(struct shard *shard, struct job *job, const struct job_plan *plan,
                                 const struct application *application, const struct sink *sink)
{
    (void)plan;
    if (application->command->cancel_runs)
        runs_cancel_of(shard, job, text_of(NULL), application->now_ms, sink);
    job_delete(shard, job, application->effective_ms, sink);
    return NULL;
}

static struct job *change_trigger(struct shard *shard, struct job *job,
                                  const struct job_plan *plan,
                                  const struct application *application, const struct sink *sink)
{
    (void)plan;
    struct fire fire = {.job = job,
                        .kind = FIRE_TRIGGER,
                        .nominal_ms = application->effective_ms,
                        .due_ms = application->effective_ms,
                        .now_ms = application->now_ms,
                        .attempt = 1,
                        .trigger_id = application->command->command_id,
                        .traceparent = application->command->traceparent};
    job->life.fired++;
    shard_fire(shard, &fire, sink);
    return job;
}

static void prospect_delete(const struct job *job, const struct job_plan *plan,
                            const struct application *application, struct job_prospect *prospect)
{
    (void)job;
    (void)plan;
    (void)application;
    prospect->runs = false;
}

static int64_t fires_trigger(const struct job *job, const struct job_plan *plan)
{
    (void)job;
    (void)plan;
    return 1;
}

/* ---- backfill ---- */

/* Why it cannot be opened, whatever its range; CODE_NONE: it can be. */
static enum error_code cannot_backfill(const struct job *job, struct text id, const char **field,
                                       const char **why)
{
    *field = "";
    if (job_has_had_backfill(job, backfill_hash(id))) {
        *field = "/backfill_id";
        *why = backfill_find(job, id) != NULL
                   ? "a backfill of this id is under way; cancel it, or choose another id"
                   : "the job has had a backfill of this id: its fires would have the same ids; "
                     "choose another id";
        return CODE_EXISTS;
    }
    if (schedule_is_unknown(&job->schedule->spec)) {
        *why = "the daemon's machine lacks the time zone of the job: nobody knows its slots; "
               "install time zone data that has it, or give the job another zone";
        return CODE_UNKNOWN_ZONE;
    }
    if (job_backfills_had(job) == BACKFILL_IDS_MAX) {
        *why = "the job has had 1000 backfills and remembers the id of each; export it, delete "
               "it and import it again: then it begins anew with their ids";
        return CODE_TOO_MANY;
    }
    *why = "so many backfills of one job are under way; wait, or cancel one";
    return backfill_is_full(job) ? CODE_TOO_MANY : CODE_NONE;
}

static bool check_backfill(const struct shard *shard, struct answer *answer, const struct job *job,
                           const struct application *application, struct job_plan *plan)
{
    (void)shard;
    const struct command *command = application->command;
    plan->from_ms = command->from_ms;
    plan->to_ms = command->to_ms == INT64_MAX ? application->effective_ms : command->to_ms;
    if (plan->to_ms > application->effective_ms) {
        refuse(answer, job, true, CODE_BAD_VALUE, "/to",
               "to is later than the time at which the command acts");
        return false;
    }
    if (plan->from_ms >= plan->to_ms) {
        refuse(answer, job, true, CODE_BAD_VALUE, "/from",
               "from must be earlier than to, and than the time at which the command acts");
        return false;
    }
    const char *field = NULL;
    const char *why = NULL;
    enum error_code code = cannot_backfill(job, command_backfill_id(command), &field, &why);
    if (code != CODE_NONE) {
        refuse(answer, job, false, code, field, why);
        return false;
    }
    plan->changes = backfill_range(job, &plan->from_ms, &plan->to_ms);
    return true;
}

static struct job *change_backfill(struct shard *shard, struct job *job,
                                   const struct job_plan *plan,
                                   const struct application *application, const struct sink *sink)
{
    backfill_open(shard, job, application->command, plan->from_ms, plan->to_ms,
                  application->effective_ms, sink);
    sink->job_changed(sink->opaque, job);
    return job;
}

static int64_t fires_backfill(const struct job *job, const struct job_plan *plan)
{
    return backfill_slots(job, plan->from_ms, plan->to_ms);
}

static bool check_cancel_backfill(const struct shard *shard, struct answer *answer,
                                  const struct job *job, const struct application *application,
                                  struct job_plan *plan)
{
    (void)shard;
    (void)answer;
    plan->backfill = backfill_find(job, command_backfill_id(application->command));
    plan->changes = plan->backfill != NULL;
    return true;
}

static struct job *change_cancel_backfill(struct shard *shard, struct job *job,
                                          const struct job_plan *plan,
                                          const struct application *application,
                                          const struct sink *sink)
{
    backfill_cancel(shard, job, plan->backfill, application->effective_ms, REASON_CANCELLED, sink);
    sink->job_changed(sink->opaque, job);
    return job;
}

/* ---- cancel, requeue ---- */

static bool check_cancel(const struct shard *shard, struct answer *answer, const struct job *job,
                         const struct application *application, struct job_plan *plan)
{
    (void)answer;
    plan->changes = runs_can_cancel(shard, job, application->command->run);
    return true;
}

static struct job *change_cancel(struct shard *shard, struct job *job, const struct job_plan *plan,
                                 const struct application *application, const struct sink *sink)
{
    (void)plan;
    runs_cancel_of(shard, job, application->command->run, application->now_ms, sink);
    return job;
}

static struct job *change_requeue(struct shard *shard, struct job *job,
                                  const struct job_plan *plan,
                                  const struct application *application, const struct sink *sink)
{
    requeue(shard, job, plan, application, sink);
    return job;
}

/* The retry of a run that waits would come without the command. */
static int64_t fires_requeue(const struct job *job, const struct job_plan *plan)
{
    (void)job;
    return plan->run_k == UINT32_MAX ? 1 : 0;
}

const struct operation *operation_of(enum command_op op)
{
    static const struct operation operations[COMMAND_OP_COUNT + 1] = {
        [OP_UPDATE] = {.check = check_update, .change = change_update,
                       .prospect = prospect_update, .redefines = true, .revises = true},
        [OP_PAUSE] = {.check = check_pause, .change = change_pause, .prospect = prospect_pause,
                      .revises = true, .afterwards = AFTER_STANDS},
        [OP_RESUME] = {.check = check_resume, .change = change_resume,
                       .prospect = prospect_resume, .revises = true, .afterwards = AFTER_RUNS},
        [OP_DELETE] = {.change = change_delete, .prospect = prospect_delete,
                       .afterwards = AFTER_STANDS},
        [OP_TRIGGER] = {.check = check_trigger, .change = change_trigger,
                        .extra_fires = fires_trigger, .opens_run = true},
        [OP_BACKFILL] = {.check = check_backfill, .change = change_backfill,
                         .extra_fires = fires_backfill},
        [OP_CANCEL_BACKFILL] = {.check = check_cancel_backfill,
                                .change = change_cancel_backfill},
        [OP_CANCEL] = {.check = check_cancel, .change = change_cancel},
        [OP_REQUEUE] = {.check = requeue_check, .change = change_requeue,
                        .extra_fires = fires_requeue, .opens_run = true},
    };
    assert(command_op_target(op) == TARGET_SELECTED && operations[op].change != NULL);
    return &operations[op];
}
