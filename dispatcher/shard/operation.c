#include "dispatcher/shard/operation.h"

#include <assert.h>

#include "dispatcher/shard/shard_state.h"

static void refuse(struct answer *answer, const struct job *job, bool rejected,
                   enum error_code code, const char *field, const char *sentence)
{
    struct text name = job_name(job);
    answer_add_error(answer, job_group(job), job_id(job), rejected, code, field, "%.*s: %s",
                     (int)name.length, name.bytes, sentence);
}

/* ---- update ---- */

static struct definition merged_update(const struct job *job,
                                       const struct application *application)
{
    struct definition merged;
    job_view(job, &merged);
    bool was_every = merged.schedule.kind == SCHEDULE_EVERY;
    int64_t every_ms = was_every ? merged.schedule.every_ms : 0;
    definition_merge(&merged, &application->command->set);
    bool reanchor = merged.schedule.kind == SCHEDULE_EVERY &&
                    (application->command->set.given & GIVEN_ANCHOR) == 0 &&
                    (application->command->set.given & GIVEN_SCHEDULE) != 0 &&
                    !(was_every && every_ms == merged.schedule.every_ms);
    if (reanchor) merged.schedule.anchor_ms = application->effective_ms;
    definition_settle(&merged, &job->incarnation);
    return merged;
}

static bool check_update(struct answer *answer, const struct job *job,
                         const struct application *application)
{
    struct definition merged = merged_update(job, application);
    if (merged.start_ms != START_NONE && merged.end_ms <= merged.start_ms) {
        refuse(answer, job, true, CODE_BAD_VALUE, "/set/end", "end must be later than start");
        return false;
    }
    uint32_t timing = GIVEN_SCHEDULE | GIVEN_START | GIVEN_END;
    if ((application->command->set.given & timing) != 0 &&
        !schedule_is_unknown(&merged.schedule) &&
        !job_ever_fires(&merged, application->effective_ms)) {
        refuse(answer, job, true, CODE_NEVER_FIRES, "/set",
               "no slot after the command's effective time lies between start and end");
        return false;
    }
    return true;
}

static bool would_update(const struct job *job, const struct application *application)
{
    struct definition merged = merged_update(job, application);
    return !job_same_definition(job, &merged);
}

static bool change_update(struct shard *shard, struct job *job,
                          const struct application *application, const struct sink *sink)
{
    if (!would_update(job, application)) return false;
    struct definition merged = merged_update(job, application);
    job_update(shard, job, &merged, application->effective_ms, application->now_ms, sink);
    return true;
}

static void prospect_update(const struct job *job, const struct application *application,
                            struct job_prospect *prospect)
{
    struct definition merged = merged_update(job, application);
    int64_t fired = job->extra == NULL ? 0 : job->extra->state.counted_fires;
    struct job_prospect paused = *prospect;
    *prospect = prospect_of_definition(&merged, application->effective_ms, fired);
    if ((job->flags & JOB_PAUSED) == 0) return;
    prospect->runs = prospect->runs && job->extra->state.until_ms != INSTANT_NONE;
    prospect->after_ms = paused.after_ms;
}

/* ---- pause ---- */

static bool check_pause(struct answer *answer, const struct job *job,
                        const struct application *application)
{
    if (application->command->until_ms > application->effective_ms) return true;
    refuse(answer, job, true, CODE_BAD_VALUE, "/until",
           "until must be later than the time at which the command acts");
    return false;
}

static bool would_pause(const struct job *job, const struct application *application)
{
    if (job->flags & JOB_FINISHED) return false;
    if ((job->flags & JOB_PAUSED) == 0) return true;
    int64_t until_ms = application->command->until_ms;
    return job->extra->state.until_ms != (until_ms == INT64_MAX ? INSTANT_NONE : until_ms);
}

static bool change_pause(struct shard *shard, struct job *job,
                         const struct application *application, const struct sink *sink)
{
    if (!would_pause(job, application)) return false;
    job_pause(shard, job, application->effective_ms, application->command->until_ms,
              application->command->reason, application->now_ms, sink);
    return true;
}

static void prospect_pause(const struct job *job, const struct application *application,
                           struct job_prospect *prospect)
{
    int64_t until_ms = application->command->until_ms;
    prospect->runs = until_ms != INT64_MAX && (job->flags & JOB_FINISHED) == 0;
    if (prospect->runs) prospect->after_ms = until_ms - 1;
}

/* ---- resume ---- */

static bool check_resume(struct answer *answer, const struct job *job,
                         const struct application *application)
{
    const struct command *command = application->command;
    if (command->from != RESUME_INSTANT || (job->flags & JOB_PAUSED) == 0) return true;
    if (command->from_ms > application->effective_ms) {
        refuse(answer, job, false, CODE_FROM_IN_FUTURE, "/from",
               "from is later than the time at which the command acts");
        return false;
    }
    if (command->from_ms < job_paused_ms(job)) {
        refuse(answer, job, false, CODE_FROM_BEFORE_PAUSE, "/from",
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
    if (command->from == RESUME_PAUSED_AT) from_ms = job->extra->state.paused_ms;
    else if (command->from == RESUME_INSTANT) from_ms = command->from_ms;
    int64_t edited_ms = job->extra->state.schedule_edited_ms;
    if (edited_ms != INSTANT_NONE && from_ms < edited_ms) from_ms = edited_ms;
    job_resume(shard, job, application->effective_ms, from_ms, application->now_ms, sink);
    return true;
}

static void prospect_resume(const struct job *job, const struct application *application,
                            struct job_prospect *prospect)
{
    prospect->runs = prospect->fires_left > 0 && (job->flags & JOB_FINISHED) == 0;
    prospect->after_ms = application->effective_ms;
}

/* ---- delete, trigger ---- */

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

static void prospect_delete(const struct job *job, const struct application *application,
                            struct job_prospect *prospect)
{
    (void)job;
    (void)application;
    prospect->runs = false;
}

static int64_t fires_trigger(const struct job *job, const struct application *application)
{
    (void)job;
    (void)application;
    return 1;
}

/* ---- backfill ---- */

static int64_t backfill_to_ms(const struct application *application)
{
    int64_t to_ms = application->command->to_ms;
    return to_ms == INT64_MAX ? application->effective_ms : to_ms;
}

static bool check_backfill(struct answer *answer, const struct job *job,
                           const struct application *application)
{
    const struct command *command = application->command;
    int64_t to_ms = backfill_to_ms(application);
    if (to_ms > application->effective_ms) {
        refuse(answer, job, true, CODE_BAD_VALUE, "/to",
               "to is later than the time at which the command acts");
        return false;
    }
    if (command->from_ms >= to_ms) {
        refuse(answer, job, true, CODE_BAD_VALUE, "/from",
               "from must be earlier than to, and than the time at which the command acts");
        return false;
    }
    if (job_has_had_backfill(job, backfill_hash(command_backfill_id(command)))) {
        refuse(answer, job, false, CODE_EXISTS, "/backfill_id",
               backfill_find(job, command_backfill_id(command)) != NULL
                   ? "a backfill of this id is under way; cancel it, or choose another id"
                   : "the job has had a backfill of this id: its fires would have the same ids; "
                     "choose another id");
        return false;
    }
    if (schedule_is_unknown(&job->schedule->spec)) {
        refuse(answer, job, false, CODE_UNKNOWN_ZONE, "",
               "the daemon's machine lacks the time zone of the job: nobody knows its slots; "
               "install time zone data that has it, or give the job another zone");
        return false;
    }
    if (job_backfills_had(job) == BACKFILL_IDS_MAX) {
        refuse(answer, job, false, CODE_TOO_MANY, "",
               "the job has had 1000 backfills and remembers the id of each; export it, delete "
               "it and import it again: then it begins anew with their ids");
        return false;
    }
    if (backfill_is_full(job)) {
        refuse(answer, job, false, CODE_TOO_MANY, "",
               "so many backfills of one job are under way; wait, or cancel one");
        return false;
    }
    return true;
}

static bool would_backfill(const struct job *job, const struct application *application)
{
    int64_t from_ms = application->command->from_ms;
    int64_t to_ms = backfill_to_ms(application);
    return backfill_range(job, &from_ms, &to_ms);
}

static bool change_backfill(struct shard *shard, struct job *job,
                            const struct application *application, const struct sink *sink)
{
    int64_t from_ms = application->command->from_ms;
    int64_t to_ms = backfill_to_ms(application);
    if (!backfill_range(job, &from_ms, &to_ms)) return false;
    backfill_open(shard, job, application->command, from_ms, to_ms, application->effective_ms,
                  sink);
    sink->job_changed(sink->opaque, job);
    return true;
}

static int64_t fires_backfill(const struct job *job, const struct application *application)
{
    int64_t from_ms = application->command->from_ms;
    int64_t to_ms = backfill_to_ms(application);
    return backfill_range(job, &from_ms, &to_ms) ? backfill_slots(job, from_ms, to_ms) : 0;
}

static bool would_cancel(const struct job *job, const struct application *application)
{
    return backfill_find(job, command_backfill_id(application->command)) != NULL;
}

static bool change_cancel(struct shard *shard, struct job *job,
                          const struct application *application, const struct sink *sink)
{
    struct job_backfill *backfill =
        backfill_find(job, command_backfill_id(application->command));
    if (backfill == NULL) return false;
    backfill_cancel(shard, job, backfill, application->effective_ms, REASON_CANCELLED, sink);
    sink->job_changed(sink->opaque, job);
    return true;
}

const struct operation *operation_of(enum command_op op)
{
    static const struct operation operations[COMMAND_OP_COUNT + 1] = {
        [OP_UPDATE] = {.check = check_update, .change = change_update,
                       .would_change = would_update, .prospect = prospect_update,
                       .merged = merged_update, .revises = true},
        [OP_PAUSE] = {.check = check_pause, .change = change_pause, .would_change = would_pause,
                      .prospect = prospect_pause, .revises = true, .afterwards = AFTER_STANDS},
        [OP_RESUME] = {.check = check_resume, .change = change_resume,
                       .would_change = would_resume, .prospect = prospect_resume,
                       .revises = true, .afterwards = AFTER_RUNS},
        [OP_DELETE] = {.change = change_delete, .prospect = prospect_delete,
                       .afterwards = AFTER_STANDS},
        [OP_TRIGGER] = {.change = change_trigger, .extra_fires = fires_trigger},
        [OP_BACKFILL] = {.check = check_backfill, .change = change_backfill,
                         .would_change = would_backfill, .extra_fires = fires_backfill},
        [OP_CANCEL_BACKFILL] = {.change = change_cancel, .would_change = would_cancel},
    };
    assert(command_op_target(op) == TARGET_SELECTED && operations[op].change != NULL);
    return &operations[op];
}
