#include "schemas/report_json.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json_scan.h"
#include "lib/base/number.h"
#include "lib/base/topic_name.h"
#include "lib/base/utf8.h"
#include "schemas/json_reader.h"
#include "schemas/raw_json.h"

enum { EXCERPT_BYTES = 64, LIST_BYTES = 128, EXIT_CODE_MAX = 255, SIGNAL_MAX = 127 };

/* Which reports may have a field. */
enum {
    IN_STARTED = 1 << REPORT_STARTED,
    IN_RUNNING = 1 << REPORT_RUNNING,
    IN_RELEASED = 1 << REPORT_RELEASED,
    IN_ENDED = 1 << REPORT_ENDED
};

/* The context of the readers. */
struct report_source {
    struct text raw; /* the report's own text */
    struct arena *arena;
};

/* The digits of a runnumber. */
static bool read_digits(struct text digits, int64_t *number)
{
    return digits.length > 0 && digits.bytes[0] >= '1' && digits.bytes[0] <= '9' &&
           number_read(digits, number);
}

/* A number, or its digits as text, which is how a fire has it. */
static bool read_runnumber(const struct json_node *node, void *target, void *context,
                           struct error *error)
{
    (void)context;
    struct report *report = target;
    int64_t number = 0;
    if (json_is_integer(node->value)) {
        number = json_integer_value(node->value);
    } else if (json_is_string(node->value)) {
        struct text digits = {json_string_value(node->value), json_string_length(node->value)};
        if (!read_digits(digits, &number)) number = 0;
    } else {
        return json_refuse(node, error, CODE_WRONG_TYPE, "must be an integer, not %s",
                           json_type_name(node->value));
    }
    report->runnumber = number;
    return number > 0 || json_refuse(node, error, CODE_BAD_VALUE, "is not the runnumber of a fire");
}

/* read_kind() did it: the other fields depend on it. */
static bool read_word_before(const struct json_node *node, void *target, void *context,
                             struct error *error)
{
    (void)node;
    (void)target;
    (void)context;
    (void)error;
    return true;
}

static bool read_topic(const struct json_node *node, void *target, void *context,
                       struct error *error)
{
    (void)context;
    struct report *report = target;
    if (!json_read_text(node, &report->topic, error)) return false;
    char excerpt[EXCERPT_BYTES];
    return topic_name_is_valid(report->topic) ||
           json_refuse(node, error, CODE_BAD_VALUE, "'%s' cannot be a topic",
                       utf8_excerpt(report->topic, excerpt, sizeof excerpt));
}

/* What a program wrote: of many lines, and with whatever else it printed. */
static bool read_printed(const struct json_node *node, size_t bytes_max, struct text *printed,
                         struct error *error)
{
    if (!json_read_text(node, printed, error)) return false;
    return printed->length <= bytes_max ||
           json_refuse(node, error, CODE_TOO_LARGE, "has %zu bytes, at most %zu are allowed",
                       printed->length, bytes_max);
}

static bool read_message(const struct json_node *node, void *target, void *context,
                         struct error *error)
{
    (void)context;
    return read_printed(node, RUN_ERROR_BYTES_MAX, &((struct report *)target)->error_message,
                        error);
}

static bool read_output(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    (void)context;
    return read_printed(node, RUN_OUTPUT_BYTES_MAX, &((struct report *)target)->output, error);
}

static bool read_result(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    struct report *report = target;
    const struct report_source *source = context;
    if (!raw_json_read(node, source->raw, source->arena, &report->result, error)) return false;
    return report->result.length <= RUN_RESULT_BYTES_MAX ||
           json_refuse(node, error, CODE_TOO_LARGE, "has %zu bytes, at most %d are allowed",
                       report->result.length, RUN_RESULT_BYTES_MAX);
}

#define FIELD(member) .offset = offsetof(struct report, member)

static const struct json_field error_rows[] = {
    {.name = "code", .kind = JSON_TEXT, .min = 1, .max = RUN_ERROR_CODE_BYTES_MAX,
     FIELD(error_code)},
    {.name = "message", .kind = JSON_CUSTOM, .read = read_message},
};
static const struct json_table error_table = {"'error'", error_rows,
                                              sizeof error_rows / sizeof error_rows[0]};

static bool read_error(const struct json_node *node, void *target, void *context,
                       struct error *error)
{
    (void)context;
    return json_read_object(node, &error_table, 0, target, NULL, NULL, error);
}

/* An empty one is said, too: it takes the last one back. */
static bool read_cursor(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    static const struct json_field row = {.name = "cursor", .kind = JSON_TEXT,
                                          .max = RUN_CURSOR_BYTES_MAX, FIELD(cursor)};
    struct report *report = target;
    report->cursor_given = true;
    return json_read_value(node, &row, report, context, error);
}

static const struct json_field report_rows[] = {
    {.name = "run", .kind = JSON_TEXT, .required = true, .min = 1, .max = RUN_ID_BYTES_MAX,
     FIELD(run)},
    {.name = "runnumber", .kind = JSON_CUSTOM, .required = true, .read = read_runnumber},
    {.name = "report", .kind = JSON_CUSTOM, .required = true, .read = read_word_before},
    {.name = "token", .kind = JSON_TEXT, .min = 1, .max = RUN_TOKEN_BYTES_MAX, FIELD(token)},
    {.name = "worker", .kind = JSON_TEXT, .min = 1, .max = WORKER_BYTES_MAX, FIELD(worker)},
    {.name = "workers", .kind = JSON_TEXT, .min = 1, .max = WORKERS_BYTES_MAX, FIELD(workers)},
    {.name = "topic", .kind = JSON_CUSTOM, .required = true, .where = IN_STARTED,
     .read = read_topic},
    {.name = "partition", .kind = JSON_INT32, .required = true, .where = IN_STARTED,
     .max = INT32_MAX, FIELD(partition)},
    {.name = "offset", .kind = JSON_INT, .required = true, .where = IN_STARTED, .max = INT64_MAX,
     FIELD(offset)},
    {.name = "exit_code", .kind = JSON_INT32, .where = IN_ENDED, .max = EXIT_CODE_MAX,
     FIELD(exit_code)},
    {.name = "signal", .kind = JSON_INT32, .where = IN_ENDED, .min = 1, .max = SIGNAL_MAX,
     FIELD(signal)},
    {.name = "error", .kind = JSON_CUSTOM, .where = IN_ENDED, .read = read_error},
    {.name = "output", .kind = JSON_CUSTOM, .where = IN_ENDED, .read = read_output},
    {.name = "result", .kind = JSON_CUSTOM, .where = IN_ENDED, .read = read_result},
    {.name = "retry_after", .kind = JSON_DURATION, .where = IN_ENDED, .max = RETRY_DELAY_MAX_MS,
     FIELD(retry_after_ms)},
    {.name = "cursor", .kind = JSON_CUSTOM, .where = IN_RUNNING | IN_RELEASED | IN_ENDED,
     .read = read_cursor},
};
#undef FIELD

/* One table, and what messages call its subject. */
#define TABLE(subject)                                                                             \
    {                                                                                              \
        subject, report_rows, sizeof report_rows / sizeof report_rows[0]                           \
    }
static const struct json_table report_tables[] = {
    [REPORT_STARTED] = TABLE("a report 'started'"),
    [REPORT_RUNNING] = TABLE("a report 'running'"),
    [REPORT_RELEASED] = TABLE("a report 'released'"),
    [REPORT_ENDED] = TABLE("a report of an end"),
};
#undef TABLE

static const char *list_words(char *list, size_t bytes)
{
    size_t used = 0;
    for (int i = 0; i < (int)REPORT_ENDED && used < bytes; i++)
        used += (size_t)snprintf(list + used, bytes - used, "%s%s", i == 0 ? "" : ", ",
                                 report_word((enum report_kind)i, RUN_SUCCESS));
    for (int i = 0; i < RUN_OUTCOME_COUNT && used < bytes; i++)
        if (run_outcome_sayer((enum run_outcome)i) == RUN_SAID_BY_WORKER)
            used += (size_t)snprintf(list + used, bytes - used, ", %s",
                                     run_outcome_word((enum run_outcome)i));
    return list;
}

static bool read_kind(const struct json_node *root, struct report *report, struct error *error)
{
    struct json_node node = {json_object_get(root->value, "report"), root, "report", 0};
    struct text word;
    char excerpt[EXCERPT_BYTES];
    if (node.value == NULL || json_is_null(node.value))
        return json_refuse(&node, error, CODE_MISSING_FIELD, "'report' is required in a report");
    if (!json_read_text(&node, &word, error)) return false;
    if (report_find(word, &report->kind, &report->outcome)) return true;
    char list[LIST_BYTES];
    return json_refuse(&node, error, CODE_BAD_VALUE,
                       "'%s' is nothing that a worker reports, "
                       "allowed: %s",
                       utf8_excerpt(word, excerpt, sizeof excerpt), list_words(list, sizeof list));
}

/* What only members of the group say, about a try that one of them has claimed. */
static bool check_claimed(const struct json_node *root, const char *name, struct text text,
                          const struct report *report, struct error *error)
{
    struct json_node node = {NULL, root, name, 0};
    return text.length > 0 ||
           json_refuse(&node, error, CODE_MISSING_FIELD, "'%s' is required in %s", name,
                       report_tables[report->kind].subject);
}

static bool check_together(const struct json_node *root, const struct report *report,
                           struct error *error)
{
    struct json_node signal = {NULL, root, "signal", 0};
    if (report->kind != REPORT_ENDED)
        return check_claimed(root, "token", report->token, report, error) &&
               check_claimed(root, "workers", report->workers, report, error);
    return report->exit_code < 0 || report->signal == 0 ||
           json_refuse(&signal, error, CODE_BAD_VALUE,
                       "a program ends with 'exit_code' or by 'signal', not both");
}

static bool read_report(const struct json_node *node, struct report_source *source,
                        struct report *report, struct error *error)
{
    if (!json_is_object(node->value))
        return json_refuse(node, error, CODE_WRONG_TYPE, "a report is an object, not %s",
                           json_type_name(node->value));
    if (!read_kind(node, report, error)) return false;
    return json_read_object(node, &report_tables[report->kind], 1U << report->kind, report, source,
                            NULL, error) &&
           check_together(node, report, error);
}

static bool reading_failed(struct error *error)
{
    error->code = CODE_BAD_REPORT; /* the message says which kind */
    return false;
}

bool reports_open(struct text value, struct report_reader *reader, struct error *error)
{
    assert(reader != NULL && error != NULL);
    if (!json_scan_check(value, RECORD_BYTES_MAX, error)) return reading_failed(error);
    size_t count = 0;
    if (!json_scan_elements(value, &count))
        return error_invalid(error, CODE_BAD_REPORT, "the record is not JSON");
    if (count > REPORTS_MAX)
        return error_invalid(error, CODE_BAD_REPORT, "more than %d reports in one record",
                             REPORTS_MAX);
    *reader = (struct report_reader){.rest = value, .array = count > 0};
    return true;
}

bool reports_next(struct report_reader *reader, struct arena *arena, struct report *report,
                  struct error *error)
{
    assert(reader != NULL && arena != NULL && report != NULL && error != NULL);
    struct report_source source = {reader->rest, arena};
    if (reader->array && !json_scan_element(&reader->rest, &source.raw)) return false;
    if (!reader->array && reader->index > 0) return false;
    reader->raw = source.raw;
    arena_reset(arena);
    error_clear(error);
    struct json_node root = {NULL, NULL, NULL, 0};
    struct json_node element = {NULL, &root, NULL, reader->index++};
    struct json_node *node = reader->array ? &element : &root;
    *report = (struct report){.exit_code = -1, .retry_after_ms = -1};
    if (!json_parse_checked(source.raw, &node->value, error)) {
        (void)json_refuse_at(node, error);
        (void)reading_failed(error);
        return true;
    }
    arena_keep_json(arena, node->value);
    if (!read_report(node, &source, report, error)) (void)reading_failed(error);
    return true;
}

/* ---- at a glance ---- */

/* The inside of a string that says what it means: without escapes. */
static bool glance_text(struct text value, struct text *text)
{
    if (value.length < 2 || value.bytes[0] != '"') return false;
    *text = (struct text){value.bytes + 1, value.length - 2};
    return text->length == 0 || memchr(text->bytes, '\\', text->length) == NULL;
}

static bool glance_number(struct text value, int64_t *number)
{
    struct text digits = value;
    if (value.length > 0 && value.bytes[0] == '"' && !glance_text(value, &digits)) return false;
    return read_digits(digits, number);
}

static bool glance_kind(struct text value, struct report *seen)
{
    struct text word;
    return glance_text(value, &word) && report_find(word, &seen->kind, &seen->outcome);
}

/* What one member says, if it is one of the four; false: it is not clear. */
static bool glance_member(struct text name, struct text value, struct report *seen, bool *kind)
{
    if (memchr(name.bytes, '\\', name.length) != NULL) return false;
    if (text_equal(name, text_of("run"))) return glance_text(value, &seen->run);
    if (text_equal(name, text_of("runnumber"))) return glance_number(value, &seen->runnumber);
    if (text_equal(name, text_of("workers"))) return glance_text(value, &seen->workers);
    if (!text_equal(name, text_of("report"))) return true;
    *kind = glance_kind(value, seen);
    return *kind;
}

/* Whether the next token is one of these two; it is stepped over. */
static bool step_over(struct text *at, char one, char other)
{
    while (at->length > 0 && (unsigned char)*at->bytes <= ' ') {
        at->bytes++;
        at->length--;
    }
    if (at->length == 0 || (*at->bytes != one && *at->bytes != other)) return false;
    at->bytes++;
    at->length--;
    return true;
}

bool reports_glance(struct report_reader *reader, struct report *seen)
{
    struct text at = reader->rest;
    struct text name;
    struct text value;
    bool kind = false;
    if (reader->array ? !step_over(&at, '[', ',') : reader->index > 0) return false;
    *seen = (struct report){.runnumber = 0};
    while (json_scan_pair(&at, &name, &value))
        if (!glance_member(name, value, seen, &kind)) return false;
    reader->behind = at;
    return step_over(&reader->behind, '}', '}') && kind && seen->run.length > 0 &&
           seen->runnumber > 0;
}

void reports_pass(struct report_reader *reader)
{
    reader->rest = reader->behind;
    reader->index++;
}
