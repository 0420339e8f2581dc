#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/words/cli.h"
#include "cli/words/run_flags.h"
#include "cli/words/schedule_options.h"
#include "cli/write/write_read.h"

enum flag_kind { FLAG_TEXT, FLAG_NUMBER, FLAG_PAIRS, FLAG_JSON };
enum flag_place { PLACE_JOB, PLACE_CATCHUP };

/* Which member of a job an option writes. Options that a command does not have are never given. */
struct flag_row {
    const char *option;
    const char *member;
    enum flag_kind kind;
    enum flag_place place;
};

static const struct flag_row flag_rows[] = {
    {"payload", "payload", FLAG_JSON, PLACE_JOB},
    {"payload-base64", "payload_base64", FLAG_TEXT, PLACE_JOB},
    {"content-type", "content_type", FLAG_TEXT, PLACE_JOB},
    {"header", "headers", FLAG_PAIRS, PLACE_JOB},
    {"topic", "topic", FLAG_TEXT, PLACE_JOB},
    {"key", "key", FLAG_TEXT, PLACE_JOB},
    {"format", "format", FLAG_TEXT, PLACE_JOB},
    {"catchup", "policy", FLAG_TEXT, PLACE_CATCHUP},
    {"window", "window", FLAG_TEXT, PLACE_CATCHUP},
    {"limit", "limit", FLAG_NUMBER, PLACE_CATCHUP},
    {"grace", "misfire_grace", FLAG_TEXT, PLACE_CATCHUP},
    {"start", "start", FLAG_TEXT, PLACE_JOB},
    {"end", "end", FLAG_TEXT, PLACE_JOB},
    {"max-fires", "max_fires", FLAG_NUMBER, PLACE_JOB},
    {"jitter", "jitter", FLAG_TEXT, PLACE_JOB},
    {"keep-finished", "keep_finished", FLAG_TEXT, PLACE_JOB},
    {"job-traceparent", "traceparent", FLAG_TEXT, PLACE_JOB},
    {"set-super-group", "super_group", FLAG_TEXT, PLACE_JOB},
    {"set-label", "labels", FLAG_PAIRS, PLACE_JOB},
};
enum { FLAG_ROWS = sizeof flag_rows / sizeof flag_rows[0] };

static bool usage_of(struct error *error, const char *option, const struct error *refused)
{
    assert(refused->kind != ERROR_NONE);
    return error_invalid(error, CODE_USAGE, "--%s: %s", option, refused->message);
}

/* `KEY=VALUE` of each occurrence, as the members of an object. */
static bool flag_pairs(struct text_writer *out, const struct arguments *arguments,
                       const char *option, struct error *error)
{
    text_writer_words(out, "{");
    size_t at = 0;
    const char *pair = NULL;
    while ((pair = arguments_next(arguments, option, &at)) != NULL) {
        const char *equals = strchr(pair, '=');
        if (equals == NULL || equals == pair)
            return error_invalid(error, CODE_USAGE, "--%s: \"%.60s\" is not KEY=VALUE", option,
                                 pair);
        struct error refused = {0};
        text_writer_comma(out);
        bool written = json_text_string(out, pair, (size_t)(equals - pair), &refused);
        text_writer_words(out, ":");
        if (!written || !json_text_string(out, equals + 1, strlen(equals + 1), &refused))
            return usage_of(error, option, &refused);
    }
    text_writer_words(out, "}");
    return true;
}

/* A JSON text, or @FILE that holds one; the text is passed on as it is. */
static bool flag_json(struct text_writer *out, const char *option, const char *value,
                      struct error *error)
{
    struct error refused = {0};
    struct text_writer file = {0};
    struct text text = text_of(value);
    bool read = true;
    if (value[0] == '@') {
        read = file_read(value + 1, &file, &refused);
        text = (struct text){file.bytes, file.length};
    }
    json_t *parsed = NULL;
    read = read && json_text_one(text, value[0] == '@' ? value + 1 : "the value", &parsed,
                                 &refused);
    if (read) text_writer_bytes(out, text.bytes, text.length);
    json_decref(parsed);
    text_writer_free(&file);
    if (read) return true;
    if (value[0] == '@') return usage_of(error, option, &refused);
    return error_invalid(error, CODE_USAGE,
                         "--%s: %s; a text needs its own quotes: --%s '\"text\"'", option,
                         refused.message, option);
}

static bool flag_write(struct text_writer *out, const struct flag_row *row,
                       const struct arguments *arguments, struct error *error)
{
    const char *value = arguments_value(arguments, row->option);
    assert(value != NULL);
    text_writer_member(out, row->member);
    int64_t number = 0;
    struct error refused = {0};
    switch (row->kind) {
    case FLAG_TEXT:
        if (json_text_string(out, value, strlen(value), &refused)) return true;
        return usage_of(error, row->option, &refused);
    case FLAG_NUMBER:
        if (!arguments_number(arguments, row->option, 0, INT64_MAX, &number, error)) return false;
        text_writer_format(out, "%lld", (long long)number);
        return true;
    case FLAG_PAIRS: return flag_pairs(out, arguments, row->option, error);
    case FLAG_JSON: return flag_json(out, row->option, value, error);
    }
    assert(false);
    return false;
}

/* All given flags of one place; nothing is written when none is given. */
static bool flags_of_place(struct text_writer *out, enum flag_place place,
                           const struct arguments *arguments, struct error *error)
{
    for (int i = 0; i < FLAG_ROWS; i++) {
        const struct flag_row *row = &flag_rows[i];
        if (row->place != place || !arguments_has(arguments, row->option)) continue;
        if (!flag_write(out, row, arguments, error)) return false;
    }
    return true;
}

/* `"member":{...}` around what was written; nothing where that is nothing. Frees it. */
static void write_inside(struct text_writer *out, const char *member, struct text_writer *inside)
{
    if (inside->length > 0) {
        text_writer_member(out, member);
        text_writer_char(out, '{');
        text_writer_raw(out, text_writer_text(inside));
        text_writer_char(out, '}');
    }
    text_writer_free(inside);
}

static bool write_catchup(struct text_writer *out, const struct arguments *arguments,
                          struct error *error)
{
    struct text_writer inside = {0};
    bool written = flags_of_place(&inside, PLACE_CATCHUP, arguments, error);
    write_inside(out, "catchup", &inside);
    return written;
}

/* An option of a schedule is a member of the same name. */
static bool write_schedule(struct text_writer *out, const struct arguments *arguments,
                           struct error *error)
{
    struct text_writer inside = {0};
    bool written = true;
    for (const struct option_row *row = options_schedule; written && row->name != NULL; row++) {
        const struct flag_row flag = {row->name, row->name, FLAG_TEXT, PLACE_JOB};
        if (arguments_has(arguments, row->name))
            written = flag_write(&inside, &flag, arguments, error);
    }
    write_inside(out, "schedule", &inside);
    return written;
}

static bool check_kinds(const struct arguments *arguments, struct error *error)
{
    int kinds = schedule_kinds_given(arguments);
    if (kinds > 1)
        return error_invalid(error, CODE_USAGE,
                             "give one of " SCHEDULE_NAMES_AND ", not %d of them", kinds);
    if (arguments_has(arguments, "payload") && arguments_has(arguments, "payload-base64"))
        return error_invalid(error, CODE_USAGE,
                             "give --payload or --payload-base64, not both");
    return true;
}

bool write_flags_job(struct text_writer *out, const struct arguments *arguments,
                     struct error *error)
{
    return check_kinds(arguments, error) && write_schedule(out, arguments, error) &&
           flags_of_place(out, PLACE_JOB, arguments, error) &&
           write_catchup(out, arguments, error) && run_flags_write(out, arguments, error);
}
