#include "dispatcher/shard/answer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/memory.h"
#include "lib/model/route.h"

static struct text answer_group(const struct command *command)
{
    if (command->job_count > 0) return command->jobs[0].group;
    if (command->select.group_count == 1) return command->select.groups[0];
    return text_of(NULL);
}

struct answer *answer_begin(struct shard *shard, const struct application *application)
{
    if (shard->answer == NULL) shard->answer = memory_allocate(1, sizeof *shard->answer);
    struct answer *answer = shard->answer; /* its lists are filled later */
    answer->error_total = 0;
    answer->rejected = false;
    const struct command *command = application->command;
    answer->result = (struct result){.command_id = command->command_id,
                                     .correlation_id = command->correlation_id,
                                     .traceparent = command->traceparent,
                                     .reply_to = command->reply_to,
                                     .group = answer_group(command),
                                     .op = command->op,
                                     .outcome = OUTCOME_APPLIED,
                                     .source = *application->source,
                                     .shard = shard->config.shard,
                                     .shards = application->shards_applying,
                                     .sequence = application->sequence,
                                     .effective_ms = application->effective_ms,
                                     .applied_ms = application->now_ms,
                                     .dry_run = command->dry_run};
    return answer;
}

void answer_add_job(struct answer *answer, const struct definition *definition, int64_t revision,
                    bool running, int64_t after_ms)
{
    struct result *result = &answer->result;
    if (result->job_count == RESULT_JOBS_MAX) return;
    struct result_job *job = &answer->jobs[result->job_count++];
    *job = (struct result_job){
        .group = definition->group, .id = definition->id, .revision = revision};
    while (running && job->next_due_count < RESULT_NEXT_DUE_MAX &&
           job_next_slot(definition, after_ms, &after_ms))
        job->next_due_ms[job->next_due_count++] = after_ms;
}

void answer_add_error(struct answer *answer, struct text group, struct text id, bool rejected,
                      enum error_code code, const char *field, const char *format, ...)
{
    if (answer == NULL) return;
    struct result *result = &answer->result;
    answer->error_total++;
    if (rejected) answer->rejected = true;
    if (result->error_count == RESULT_ERRORS_MAX) return;
    struct result_error *error = &answer->errors[result->error_count++];
    *error = (struct result_error){.group = group, .id = id, .code = code};
    (void)snprintf(error->field, sizeof error->field, "%s", field);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
}

struct result_difference *answer_next_difference(struct answer *answer)
{
    struct result *result = &answer->result;
    if (result->difference_count == RESULT_JOBS_MAX) return NULL;
    return &answer->differences[result->difference_count++];
}

void answer_add_refused(struct answer *answer, const struct shard *shard,
                        const struct application *application, bool all)
{
    const struct command *command = application->command;
    const struct shard_config *config = &shard->config;
    for (size_t i = 0; i < command->refused_count; i++) {
        const struct refused_job *refused = &command->refused[i];
        int32_t sent_to = application->source->origin_partition;
        if (!all && refused_job_shard(refused, sent_to, config->shards) != config->shard)
            continue;
        answer->result.matched++;
        answer_add_error(answer, refused->group, refused->id, true, refused->error.code,
                         refused->error.field, "%s", refused->error.message);
    }
}

void answer_add_warning(struct answer *answer, enum error_code code, const char *format, ...)
{
    struct result *result = &answer->result;
    if (result->warning_count == RESULT_WARNINGS_MAX) return;
    for (size_t i = 0; i < result->warning_count; i++)
        if (answer->warnings[i].code == code) return;
    struct result_warning *warning = &answer->warnings[result->warning_count++];
    warning->code = code;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(warning->message, sizeof warning->message, format, arguments);
    va_end(arguments);
}

void answer_refuse(struct answer *answer, enum outcome outcome, enum error_code code,
                   const char *field, const char *format, ...)
{
    struct result *result = &answer->result;
    assert(outcome != OUTCOME_APPLIED);
    if (result->outcome != OUTCOME_APPLIED) return;
    result->outcome = outcome;
    result->code = code;
    (void)snprintf(result->field, sizeof result->field, "%s", field);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(result->message, sizeof result->message, format, arguments);
    va_end(arguments);
}

void answer_conclude(struct answer *answer)
{
    struct result *result = &answer->result;
    if (result->outcome != OUTCOME_APPLIED) return;
    if (answer->error_total == 0) {
        bool acts = command_op_target(result->op) != TARGET_NONE;
        if (acts && result->changed == 0) result->outcome = OUTCOME_UNCHANGED;
        return;
    }
    const struct result_error *first = &answer->errors[0];
    result->outcome = result->changed > 0 ? OUTCOME_PARTIAL
                      : answer->rejected  ? OUTCOME_REJECTED
                                          : OUTCOME_CONFLICT;
    result->code = first->code;
    (void)snprintf(result->field, sizeof result->field, "%s", first->field);
    (void)snprintf(result->message, sizeof result->message, "%s", first->message);
}

void answer_finish(struct answer *answer, struct shard *shard,
                   const struct application *application, const struct sink *sink)
{
    struct result *result = &answer->result;
    result->jobs = answer->jobs;
    result->errors = answer->errors;
    result->warnings = answer->warnings;
    result->differences = answer->differences;
    const struct command *command = application->command;
    if (command->command_id_given && !command->dry_run &&
        result->outcome != OUTCOME_DUPLICATE) {
        struct seen seen = {.hash = seen_hash(command->command_id),
                            .at_ms = application->effective_ms,
                            .outcome = (uint8_t)result->outcome};
        seen.code = result->code;
        seen_table_add(shard->seen, application->sequence, &seen);
        sink->seen(sink->opaque, &seen);
    }
    if (result->outcome == OUTCOME_REJECTED && application->rejection != NULL) {
        (void)error_invalid(application->rejection, result->code, "%s", result->message);
        (void)error_at(application->rejection, result->field);
    }
    sink->result(sink->opaque, result);
}
