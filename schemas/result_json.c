#include "schemas/result_json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/limits.h"
#include "lib/time/civil.h"

static void write_text(struct text_writer *writer, const char *name, struct text text)
{
    text_writer_member(writer, name);
    text_writer_string(writer, text);
}

static void write_given(struct text_writer *writer, const char *name, const char *terminated)
{
    if (terminated[0] != '\0') write_text(writer, name, text_of(terminated));
}

static void write_integer(struct text_writer *writer, const char *name, int64_t value)
{
    text_writer_member(writer, name);
    text_writer_integer(writer, value);
}

static void write_instants(struct text_writer *writer, const char *name, const int64_t *due_ms,
                           int32_t count)
{
    assert(count >= 0 && count <= RESULT_NEXT_DUE_MAX);
    text_writer_member(writer, name);
    text_writer_char(writer, '[');
    for (int32_t i = 0; i < count; i++) {
        text_writer_comma(writer);
        text_writer_instant(writer, due_ms[i]);
    }
    text_writer_char(writer, ']');
}

static void write_jobs(struct text_writer *writer, const struct result *result)
{
    size_t count = result->job_count < RESULT_JOBS_MAX ? result->job_count : RESULT_JOBS_MAX;
    text_writer_member(writer, "jobs");
    text_writer_char(writer, '[');
    for (size_t i = 0; i < count; i++) {
        const struct result_job *job = &result->jobs[i];
        text_writer_comma(writer);
        text_writer_char(writer, '{');
        write_text(writer, "group", job->group);
        write_text(writer, "id", job->id);
        write_integer(writer, "revision", job->revision);
        write_instants(writer, "next_due", job->next_due_ms, job->next_due_count);
        text_writer_char(writer, '}');
    }
    text_writer_char(writer, ']');
}

static void write_days(struct text_writer *writer, const struct result_difference *difference)
{
    text_writer_member(writer, "dst_days");
    text_writer_char(writer, '[');
    for (int32_t i = 0; i < difference->dst_day_count; i++) {
        char text[32];
        struct civil_date date = civil_date(difference->dst_days[i]);
        int length = snprintf(text, sizeof text, "%04" PRId32 "-%02" PRId32 "-%02" PRId32,
                              date.year, date.month, date.day);
        assert(length == 10);
        text_writer_comma(writer);
        text_writer_string(writer, (struct text){text, (size_t)length});
    }
    text_writer_char(writer, ']');
}

static void write_difference(struct text_writer *writer, const struct result_difference *difference)
{
    text_writer_comma(writer);
    text_writer_char(writer, '{');
    write_text(writer, "group", difference->group);
    write_text(writer, "id", difference->id);
    bool changes = difference->change != OP_NONE;
    write_text(writer, "change",
               text_of(changes ? command_op_word(difference->change) : "unchanged"));
    write_instants(writer, "next_due_before", difference->before_ms, difference->before_count);
    write_instants(writer, "next_due_after", difference->after_ms, difference->after_count);
    write_integer(writer, "fires_added", difference->fires_added);
    write_integer(writer, "fires_removed", difference->fires_removed);
    write_days(writer, difference);
    if (difference->counted_to_ms != INT64_MAX) {
        text_writer_member(writer, "counted_to");
        text_writer_instant(writer, difference->counted_to_ms);
    }
    text_writer_char(writer, '}');
}

/* What a dry run found out. */
static void write_differences(struct text_writer *writer, const struct result *result)
{
    text_writer_member(writer, "diff");
    text_writer_words(writer, "{\"jobs\":[");
    for (size_t i = 0; i < result->difference_count; i++)
        write_difference(writer, &result->differences[i]);
    text_writer_words(writer, "]}");
}

static void write_errors(struct text_writer *writer, const struct result *result)
{
    size_t count = result->error_count;
    if (count > RESULT_ERRORS_MAX) count = RESULT_ERRORS_MAX;
    text_writer_member(writer, "errors");
    text_writer_char(writer, '[');
    for (size_t i = 0; i < count; i++) {
        const struct result_error *error = &result->errors[i];
        text_writer_comma(writer);
        text_writer_char(writer, '{');
        if (error->group.length > 0) write_text(writer, "group", error->group);
        if (error->id.length > 0) write_text(writer, "id", error->id);
        assert(error->code != CODE_NONE);
        write_text(writer, "code", text_of(error_code_word(error->code)));
        write_given(writer, "message", error->message);
        write_given(writer, "field", error->field);
        text_writer_char(writer, '}');
    }
    text_writer_char(writer, ']');
}

static void write_warnings(struct text_writer *writer, const struct result *result)
{
    text_writer_member(writer, "warnings");
    text_writer_char(writer, '[');
    for (size_t i = 0; i < result->warning_count; i++) {
        text_writer_comma(writer);
        text_writer_char(writer, '{');
        write_text(writer, "code", text_of(error_code_word(result->warnings[i].code)));
        write_text(writer, "message", text_of(result->warnings[i].message));
        text_writer_char(writer, '}');
    }
    text_writer_char(writer, ']');
}

static void write_source(struct text_writer *writer, const struct source *source,
                         struct text control_topic)
{
    text_writer_member(writer, "source");
    text_writer_char(writer, '{');
    write_text(writer, "topic", control_topic);
    write_integer(writer, "partition", source->origin_partition);
    write_integer(writer, "offset", source->origin_offset);
    text_writer_char(writer, '}');
}

void result_encode(struct text_writer *writer, const struct result *result,
                   struct text control_topic)
{
    assert(writer != NULL && result != NULL);
    assert(result->command_id.length > 0);
    text_writer_char(writer, '{');
    write_text(writer, "command_id", result->command_id);
    write_given(writer, "op", command_op_word(result->op));
    write_text(writer, "outcome", text_of(outcome_name(result->outcome)));
    if (result->outcome == OUTCOME_DUPLICATE)
        write_text(writer, "first_outcome", text_of(outcome_name(result->first_outcome)));
    write_given(writer, "code", error_code_word(result->code));
    write_given(writer, "message", result->message);
    write_given(writer, "field", result->field);
    if (result->dry_run) text_writer_words(writer, ",\"dry_run\":true");
    write_integer(writer, "matched", result->matched);
    write_integer(writer, "changed", result->changed);
    if (result->job_count > 0) write_jobs(writer, result);
    if (result->difference_count > 0) write_differences(writer, result);
    if (result->error_count > 0) write_errors(writer, result);
    if (result->warning_count > 0) write_warnings(writer, result);
    write_source(writer, &result->source, control_topic);
    write_integer(writer, "shard", result->shard);
    write_integer(writer, "shards", result->shards);
    write_integer(writer, "sequence", result->sequence);
    text_writer_member(writer, "effective_at");
    text_writer_instant(writer, result->effective_ms);
    text_writer_member(writer, "applied_at");
    text_writer_instant(writer, result->applied_ms);
    if (result->correlation_id.length > 0)
        write_text(writer, "correlation_id", result->correlation_id);
    if (result->traceparent.length > 0) write_text(writer, "traceparent", result->traceparent);
    text_writer_char(writer, '}');
}
