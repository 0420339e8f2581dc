#include "cli/write/write_read.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/words/schedule_options.h"
#include "cli/words/selection.h"
#include "cli/words/settings.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"

/* Options that are a text member of the command. Those of another command are never given. */
static const struct {
    const char *option;
    const char *member;
} command_texts[] = {
    {"mode", "mode"},
    {"not-after", "not_after"},
    {"until", "until"},
    {"from", "from"},
    {"to", "to"},
    {"backfill-id", "backfill_id"},
    {"run", "run"},
    {"reason", "reason"},
    {"actor", "actor"},
    {"correlation-id", "correlation_id"},
    {"traceparent", "traceparent"},
    {"reply-to", "reply_to"},
};
enum { COMMAND_TEXTS = sizeof command_texts / sizeof command_texts[0] };

static bool read_texts(struct write_request *request, const struct arguments *arguments,
                       struct error *error)
{
    for (int i = 0; i < COMMAND_TEXTS; i++) {
        const char *value = arguments_value(arguments, command_texts[i].option);
        if (value == NULL) continue;
        text_writer_member(&request->members, command_texts[i].member);
        if (!json_text_string(&request->members, value, strlen(value), error)) return false;
    }
    return true;
}

/* Options that are a number of the command. */
static bool read_numbers(struct write_request *request, const struct arguments *arguments,
                         struct error *error)
{
    static const char *const numbers[][2] = {{"expected-revision", "expected_revision"},
                                             {"rate", "rate"}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t number = -1;
        if (!arguments_number(arguments, numbers[i][0], 1, INT64_MAX, &number, error))
            return false;
        if (number < 0) continue;
        text_writer_member(&request->members, numbers[i][1]);
        text_writer_format(&request->members, "%lld", (long long)number);
    }
    return true;
}

/* Of runs: `overlap` of an add is the job's. */
static bool read_runs(struct write_request *request, const struct arguments *arguments,
                      struct error *error)
{
    const char *overlap = arguments_value(arguments, "overlap");
    if (arguments_has(arguments, "cancel-runs")) {
        text_writer_member(&request->members, "cancel_runs");
        text_writer_words(&request->members, "true");
    }
    if (overlap == NULL || (request->op != OP_TRIGGER && request->op != OP_REQUEUE)) return true;
    text_writer_member(&request->members, "overlap");
    return json_text_string(&request->members, overlap, strlen(overlap), error);
}

bool command_id_read(const struct arguments *arguments, const char **command_id,
                     struct error *error)
{
    if (!arguments_text(arguments, "command-id", command_id, error)) return false;
    size_t bytes = *command_id == NULL ? 1 : strlen(*command_id);
    return (bytes >= 1 && bytes <= COMMAND_ID_BYTES_MAX) ||
           error_invalid(error, CODE_USAGE, "--command-id: 1 to %d bytes", COMMAND_ID_BYTES_MAX);
}

/* What every write may say besides its jobs or selector. */
static bool read_common(struct write_request *request, const struct arguments *arguments,
                        struct error *error)
{
    const char *mode = arguments_value(arguments, "mode");
    if (mode != NULL && strcmp(mode, "atomic") != 0 && strcmp(mode, "each") != 0)
        return error_invalid(error, CODE_USAGE, "--mode: \"%.40s\" is not atomic or each",
                             mode);
    if (mode != NULL) request->each = strcmp(mode, "each") == 0;
    const char *command_id = NULL;
    if (!command_id_read(arguments, &command_id, error)) return false;
    if (command_id != NULL) {
        free(request->command_id);
        request->command_id = memory_copy_text(command_id, strlen(command_id));
    }
    const char *reply_to = arguments_value(arguments, "reply-to");
    if (reply_to != NULL) {
        free(request->reply_to);
        request->reply_to = memory_copy_text(reply_to, strlen(reply_to));
    }
    if (arguments_has(arguments, "dry-run")) request->dry_run = true;
    return arguments_number(arguments, "expect", 0, INT64_MAX, &request->expect, error) &&
           read_numbers(request, arguments, error) && read_runs(request, arguments, error) &&
           read_texts(request, arguments, error);
}

/* `"group":G,"id":I` of a new job, from one GROUP/ID or from the flags. */
static bool read_job_name(struct write_request *request, const struct arguments *arguments,
                          struct text *group, struct error *error)
{
    const char *flag_group = arguments_value(arguments, "group");
    const char *flag_id = arguments_value(arguments, "id");
    struct text id = text_of(flag_id);
    *group = text_of(flag_group);
    if (arguments->positional_count > 1)
        return error_invalid(error, CODE_USAGE, "%s by flags takes one job; -f takes many",
                             command_op_word(request->op));
    if (arguments->positional_count == 1) {
        if (flag_group != NULL || flag_id != NULL)
            return error_invalid(error, CODE_USAGE,
                                 "name the job as GROUP/ID or by --group and --id, not both");
        if (!job_name_split(arguments->positionals[0], group, &id, error)) return false;
    } else if (flag_group == NULL || flag_id == NULL) {
        return error_invalid(error, CODE_USAGE,
                             "which job? Name it as GROUP/ID, or by --group and --id, or give "
                             "a file with -f");
    } else if (!job_name_check(*group, id, error)) {
        return false;
    }
    text_writer_format(&request->job, "{\"group\":\"%.*s\",\"id\":\"%.*s\"", (int)group->length,
                       group->bytes, (int)id.length, id.bytes);
    return true;
}

static bool read_job(struct write_request *request, const struct arguments *arguments,
                     struct error *error)
{
    assert(command_op_target(request->op) == TARGET_GIVEN);
    struct text group;
    if (!read_job_name(request, arguments, &group, error)) return false;
    if (schedule_kinds_given(arguments) == 0)
        return error_invalid(error, CODE_USAGE, "when? Give " SCHEDULE_WAYS);
    struct text_writer *job = &request->job;
    const char *super_group = arguments_value(arguments, "super-group");
    if (super_group != NULL) {
        text_writer_member(job, "super_group");
        if (!json_text_string(job, super_group, strlen(super_group), error)) return false;
    }
    if (arguments_has(arguments, "label")) {
        text_writer_member(job, "labels");
        if (!selection_labels(job, arguments, error)) return false;
    }
    bool paused = false;
    if (arguments_has(arguments, "paused")) {
        if (!selection_paused(arguments, &paused, error)) return false;
        text_writer_member(job, "paused");
        text_writer_words(job, paused ? "true" : "false");
    }
    if (!write_flags_job(job, arguments, error)) return false;
    text_writer_words(job, "}");
    char *owner = memory_copy_text(group.bytes, group.length);
    write_request_add_job(request, owner, (struct text){job->bytes, job->length});
    free(owner);
    assert(request->job_count == 1);
    return true;
}

static bool read_set(struct write_request *request, const struct arguments *arguments,
                     struct error *error)
{
    assert(request->op == OP_UPDATE);
    struct text_writer set = {0};
    bool read = write_flags_job(&set, arguments, error);
    if (read && set.length == 0)
        read = error_invalid(error, CODE_USAGE,
                             "nothing to update: give --cron, --payload or another new value");
    if (read) {
        text_writer_member(&request->members, "set");
        text_writer_char(&request->members, '{');
        text_writer_raw(&request->members, text_writer_text(&set));
        text_writer_char(&request->members, '}');
    }
    text_writer_free(&set);
    assert(read || error->kind != ERROR_NONE);
    return read;
}

/* Flags that -f stands in for. */
static bool refuse_beside_file(const struct arguments *arguments,
                               struct error *error)
{
    assert(arguments_has(arguments, "file"));
    static const char *const allowed[] = {
        "file", "wait", "dry-run", "mode", "expect", "expected-revision", "not-after", "until",
        "from", "to", "rate", "backfill-id", "run", "cancel-runs", "reason", "actor", "command-id",
        "correlation-id", "traceparent", "reply-to", "kafka", "redis", "redis-password-file",
        "cluster", "output", "property", "timeout"};
    if (arguments->positional_count > 0)
        return error_invalid(error, CODE_USAGE, "-f says which jobs; \"%.60s\" is too much",
                             arguments->positionals[0]);
    for (size_t i = 0; i < arguments->count; i++) {
        const char *name = arguments->items[i].row->name;
        bool found = false;
        for (size_t j = 0; j < sizeof allowed / sizeof allowed[0]; j++)
            found = found || strcmp(name, allowed[j]) == 0;
        if (!found)
            return error_invalid(error, CODE_USAGE,
                                 "--%s cannot stand beside -f: write it in the file", name);
    }
    return true;
}

bool write_request_read(struct write_request *request, enum command_op op,
                        const struct arguments *arguments, struct error *error)
{
    *request = (struct write_request){.op = op, .expect = -1};
    const char *file = arguments_value(arguments, "file");
    if (file != NULL)
        return refuse_beside_file(arguments, error) && write_file_read(request, file, error) &&
               read_common(request, arguments, error);
    if (!read_common(request, arguments, error)) return false;
    if (command_op_target(op) == TARGET_GIVEN) return read_job(request, arguments, error);
    if (op == OP_UPDATE && !read_set(request, arguments, error)) return false;
    if (op == OP_REQUEUE && !arguments_has(arguments, "run"))
        return error_invalid(error, CODE_USAGE, "which run? Give --run with the id of its fire");
    if (op == OP_BACKFILL && !arguments_has(arguments, "from"))
        return error_invalid(error, CODE_USAGE, "since when? Give --from TIME, and --to TIME "
                             "where it is not to go on until now");
    return write_select_read(request, arguments, error);
}
