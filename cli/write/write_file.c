#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/write/write_read.h"
#include "lib/base/json_scan.h"
#include "lib/base/memory.h"

enum { FILE_BYTES_MAX = 1024 * 1024 * 1024, FILE_CHUNK_BYTES = 64 * 1024 };

static bool stream_read(FILE *stream, const char *name, struct text_writer *out,
                        struct error *error)
{
    char chunk[FILE_CHUNK_BYTES];
    size_t got = 0;
    while ((got = fread(chunk, 1, sizeof chunk, stream)) > 0) {
        if (out->length + got > FILE_BYTES_MAX)
            return error_invalid(error, CODE_TOO_LARGE, "%s: larger than 1 GiB", name);
        text_writer_bytes(out, chunk, got);
    }
    if (ferror(stream) != 0)
        return error_invalid(error, CODE_BAD_VALUE, "%s: %s", name, strerror(errno));
    return true;
}

bool file_read(const char *path, struct text_writer *out, struct error *error)
{
    if (strcmp(path, "-") == 0) return stream_read(stdin, "stdin", out, error);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        return error_invalid(error, CODE_BAD_VALUE, "%s: %s", path, strerror(errno));
    bool read = stream_read(stream, path, out, error);
    (void)fclose(stream);
    return read;
}

static bool add_job(struct write_request *request, const char *name, const json_t *job,
                    struct text json, struct error *error)
{
    assert(json.length > 0);
    const char *group = json_member_text(job, "group");
    if (group != NULL && group[0] != '\0') {
        write_request_add_job(request, group, json);
        return true;
    }
    return error_invalid(error, CODE_MISSING_FIELD,
                         "%s: job %zu: \"group\" is missing or not a text; it says the shard", name,
                         request->job_count + 1);
}

static bool add_job_array(struct write_request *request, const char *name, const json_t *array,
                          struct text json, struct error *error)
{
    assert(json_is_array(array));
    struct text item;
    for (size_t i = 0; i < json_array_size(array); i++) {
        bool found = json_scan_element(&json, &item);
        assert(found);
        if (!found || !add_job(request, name, json_array_get(array, i), item, error)) return false;
    }
    return true;
}

/* The selector of a command: its groups are taken out, the rest stays as it was written. */
static bool read_select(struct write_request *request, const char *name, const json_t *select,
                        struct text json, struct error *error)
{
    assert(request->select_count == 0);
    if (!json_is_object(select))
        return error_invalid(error, CODE_WRONG_TYPE, "%s: \"select\" must be an object", name);
    struct write_select *out = write_request_add_select(request);
    struct text member;
    struct text value;
    while (json_scan_pair(&json, &member, &value)) {
        if (text_equal(member, text_of("groups"))) continue;
        text_writer_comma(&out->rest);
        text_writer_format(&out->rest, "\"%.*s\":", (int)member.length, member.bytes);
        text_writer_bytes(&out->rest, value.bytes, value.length);
    }
    const json_t *groups = json_object_get(select, "groups");
    if (groups == NULL) return true;
    if (!json_is_array(groups) || json_array_size(groups) == 0)
        return error_invalid(error, CODE_WRONG_TYPE,
                             "%s: \"select.groups\" must be a list of names", name);
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const char *group = json_string_value(json_array_get(groups, i));
        if (group == NULL)
            return error_invalid(error, CODE_WRONG_TYPE,
                                 "%s: \"select.groups\" holds more than names", name);
        write_select_add_group(out, group);
    }
    return true;
}

/* Members that the plan writes itself. True: `member` is one of them and has been read. */
static bool take_member(struct write_request *request, const char *name, const char *member,
                        const json_t *value, struct text json, bool *ok, struct error *error)
{
    const char *text = json_string_value(value);
    *ok = true;
    if (strcmp(member, "op") == 0) return true;
    if (strcmp(member, "command_id") == 0 && text != NULL && text[0] != '\0') {
        request->command_id = memory_copy_text(text, strlen(text));
    } else if (strcmp(member, "expect") == 0 && json_is_integer(value) &&
               json_integer_value(value) >= 0) {
        request->expect = json_integer_value(value);
    } else if (strcmp(member, "dry_run") == 0 && json_is_boolean(value)) {
        request->dry_run = json_is_true(value);
    } else if (strcmp(member, "job") == 0) {
        *ok = add_job(request, name, value, json, error);
    } else if (strcmp(member, "jobs") == 0 && json_is_array(value)) {
        *ok = add_job_array(request, name, value, json, error);
    } else if (strcmp(member, "select") == 0) {
        *ok = read_select(request, name, value, json, error);
    } else {
        return false;
    }
    return true;
}

static bool read_command(struct write_request *request, const char *name, const json_t *command,
                         struct text json, struct error *error)
{
    const char *op = json_member_text(command, "op");
    assert(json_is_object(command));
    const char *own = command_op_word(request->op);
    if (op == NULL || strcmp(op, own) != 0)
        return error_invalid(error, CODE_BAD_VALUE, "%s: its \"op\" is %s; use belfry %s -f", name,
                             op == NULL ? "no text" : op, op == NULL ? own : op);
    struct text member;
    struct text value;
    while (json_scan_pair(&json, &member, &value)) {
        char *key = memory_copy_text(member.bytes, member.length);
        const json_t *parsed = json_object_get(command, key);
        bool ok = true;
        bool taken =
            take_member(request, name, key, parsed, value, &ok, error);
        free(key);
        if (!ok) return false;
        if (taken) continue;
        text_writer_comma(&request->members);
        text_writer_format(&request->members, "\"%.*s\":", (int)member.length, member.bytes);
        text_writer_bytes(&request->members, value.bytes, value.length);
    }
    const char *reply_to = json_member_text(command, "reply_to");
    if (reply_to != NULL) request->reply_to = memory_copy_text(reply_to, strlen(reply_to));
    const char *mode = json_member_text(command, "mode");
    request->each = mode != NULL && strcmp(mode, "each") == 0;
    return true;
}

static bool read_value(struct write_request *request, const char *name, size_t count,
                       const json_t *value, struct text json, bool *command,
                       struct error *error)
{
    bool add = command_op_target(request->op) == TARGET_GIVEN;
    if (json_is_object(value) && json_object_get(value, "op") != NULL) {
        if (count > 1)
            return error_invalid(error, CODE_BAD_VALUE, "%s: one command a file", name);
        *command = true;
        return read_command(request, name, value, json, error);
    }
    if (*command) return error_invalid(error, CODE_BAD_VALUE, "%s: text after the command", name);
    if (!add)
        return error_invalid(error, CODE_BAD_VALUE,
                             "%s: not a command: an object with \"op\":\"%s\"", name,
                             command_op_word(request->op));
    if (json_is_array(value)) return add_job_array(request, name, value, json, error);
    if (json_is_object(value)) return add_job(request, name, value, json, error);
    return error_invalid(error, CODE_WRONG_TYPE,
                         "%s: value %zu is neither a job nor a list of jobs", name, count);
}

bool write_file_parse(struct write_request *request, const char *name, struct error *error)
{
    struct text text = {request->file.bytes, request->file.length};
    size_t at = 0;
    bool command = false;
    for (size_t count = 1;; count++) {
        json_t *value = NULL;
        struct text json;
        if (!json_text_next(text, &at, name, &json, &value, error)) return false;
        if (value == NULL) break;
        bool read = read_value(request, name, count, value, json, &command, error);
        json_decref(value);
        if (!read) return false;
    }
    if (command || request->job_count > 0) return true;
    return error_invalid(error, CODE_MISSING_FIELD, "%s: no job in it", name);
}

bool write_file_read(struct write_request *request, const char *path, struct error *error)
{
    if (!file_read(path, &request->file, error)) return false;
    return write_file_parse(request, strcmp(path, "-") == 0 ? "stdin" : path, error);
}
