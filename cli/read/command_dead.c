/* belfry dead list|show: what was refused, and runs that have failed for good. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/read/dead_letters.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_table.h"
#include "cli/show/print_text.h"
#include "cli/show/report_line.h"
#include "cli/show/tail_line.h"
#include "cli/words/cli.h"
#include "lib/model/run.h"
#include "lib/time/instant.h"

enum { PLACE_BYTES = 40, NAME_BYTES = 2 * 200 + 2, WHY_COLUMNS = 120 };

struct dead_view {
    const struct settings *settings;
    struct dead_filter filter;
    struct dead_place *places;
    struct dead_list list;
    size_t shown;
};

static const char *place_text(const struct dead_row *row, char text[PLACE_BYTES])
{
    (void)snprintf(text, PLACE_BYTES, "%" PRId32 "/%" PRId64, row->partition, row->offset);
    return text;
}

static const char *time_text(int64_t at_ms, char text[JOB_VIEW_TIME_BYTES])
{
    char whole[INSTANT_TEXT_BYTES] = "-";
    if (instant_in_range(at_ms)) instant_format(at_ms, whole);
    time_shorten(whole, text, JOB_VIEW_TIME_BYTES);
    return text;
}

/* ---- list ---- */

static struct table_cell cell_of(struct text text)
{
    return (struct table_cell){text.length == 0 ? text_of("-") : text, TONE_PLAIN};
}

static void add_row(struct table *table, const struct dead_row *row)
{
    char place[PLACE_BYTES];
    char time[JOB_VIEW_TIME_BYTES];
    char name[NAME_BYTES];
    bool slash = row->id.length > 0;
    int length = snprintf(name, sizeof name, "%.*s%s%.*s", (int)row->group.length,
                          row->group.bytes, slash ? "/" : "", (int)row->id.length, row->id.bytes);
    struct text job = {name, length < NAME_BYTES ? (size_t)length : NAME_BYTES - 1};
    const struct table_cell cells[] = {
        {text_of(place_text(row, place)), TONE_PLAIN},
        {text_of(time_text(row->at_ms, time)), TONE_PLAIN},
        {text_of(dead_kind_word(row->kind)), row->acknowledged ? TONE_DIM : TONE_PLAIN},
        cell_of(job),
        {row->code, row->acknowledged ? TONE_DIM : TONE_BAD},
        cell_of(row->message),
    };
    table_add(table, cells);
}

static void print_rows(const struct dead_view *view)
{
    static const struct table_column columns[] = {
        {"PLACE", false, 0}, {"TIME", false, 0},  {"KIND", false, 0},
        {"JOB", false, 12},  {"CODE", false, 10}, {"WHY", false, 20},
    };
    const struct settings *settings = view->settings;
    struct table *table = table_create(stdout, columns, sizeof columns / sizeof columns[0],
                                       settings->width, settings->colour);
    for (size_t i = 0; i < view->list.count; i++) add_row(table, &view->list.rows[i]);
    table_finish(table);
}

static void print_names(const struct dead_view *view)
{
    char place[PLACE_BYTES];
    for (size_t i = 0; i < view->list.count; i++)
        (void)puts(place_text(&view->list.rows[i], place));
}

static void print_json_record(const struct dead_view *view, const struct dead_row *row,
                              const rd_kafka_message_t *message)
{
    json_t *record = record_to_json(message);
    if (row->acknowledged) (void)json_object_set_new(record, "acknowledged", json_true());
    (void)json_dumpf(record, stdout,
                     JSON_COMPACT | (view->settings->width > 0 ? JSON_ENSURE_ASCII : 0));
    (void)fputc('\n', stdout);
    json_decref(record);
}

/* ---- show ---- */

static void add_field(struct table *table, const char *name, struct text value)
{
    const struct table_cell cells[] = {{text_of(name), TONE_DIM}, {value, TONE_PLAIN}};
    if (value.length > 0) table_add(table, cells);
}

static void add_member(struct table *table, const char *name, const json_t *object,
                       const char *member)
{
    const json_t *value = json_object_get(object, member);
    char number[24];
    if (json_is_integer(value)) {
        (void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        add_field(table, name, text_of(number));
    } else if (json_is_string(value)) {
        add_field(table, name,
                  (struct text){json_string_value(value), json_string_length(value)});
    }
}

static void print_tries(const struct dead_view *view, const json_t *tries)
{
    static const struct table_column columns[] = {
        {"TRY", true, 0}, {"RUNNUMBER", true, 0}, {"OUTCOME", false, 0},
        {"ENDED", false, 0}, {"WORKER", false, 12}, {"WHY", false, 20},
    };
    if (json_array_size(tries) == 0) return;
    (void)fputc('\n', stdout);
    struct table *table = table_create(stdout, columns, sizeof columns / sizeof columns[0],
                                       view->settings->width, view->settings->colour);
    for (size_t i = 0; i < json_array_size(tries); i++) {
        const json_t *one = json_array_get(tries, i);
        bool released = json_is_true(json_object_get(one, "released"));
        char number[2][24];
        static const char *const numbers[] = {"try", "runnumber"};
        struct text_writer why = {0};
        report_reason(&why, one, WHY_COLUMNS);
        for (int j = 0; j < 2; j++)
            (void)snprintf(number[j], sizeof number[j], "%" JSON_INTEGER_FORMAT,
                           json_integer_value(json_object_get(one, numbers[j])));
        const struct table_cell cells[] = {
            {text_of(number[0]), TONE_PLAIN},
            {text_of(number[1]), TONE_PLAIN},
            cell_of(text_of(released ? report_word(REPORT_RELEASED, RUN_SUCCESS)
                                     : json_member_text(one, "outcome"))),
            cell_of(text_of(json_member_text(one, "ended_at"))),
            cell_of(text_of(json_member_text(one, "worker"))),
            cell_of(text_writer_text(&why))};
        table_add(table, cells);
        text_writer_free(&why);
    }
    table_finish(table);
}

/* Line by line behind a bar, so that nobody takes it for ours. */
static void print_output(const char *output)
{
    if (output == NULL || output[0] == '\0') return;
    (void)puts("\nthe end of its output");
    while (*output != '\0') {
        size_t length = strcspn(output, "\n");
        (void)fputs("  | ", stdout);
        print_safe(stdout, output, length);
        (void)fputc('\n', stdout);
        output += length + (output[length] == '\n');
    }
}

static void print_run(const struct dead_view *view, const struct dead_row *row,
                      struct table *table, const json_t *value)
{
    const json_t *record = json_object_get(value, "record");
    const json_t *error = json_object_get(value, "error");
    char result[200] = "";
    add_field(table, "run", row->run);
    add_member(table, "runnumber", value, "runnumber");
    add_field(table, "outcome", row->code);
    add_member(table, "ended at", value, "ended_at");
    add_member(table, "exit code", value, "exit_code");
    add_member(table, "signal", value, "signal");
    add_member(table, "error code", error, "code");
    add_member(table, "error", error, "message");
    add_member(table, "worker", json_object_get(record, "claim"), "worker");
    add_member(table, "tries that count", record, "counted");
    add_member(table, "due", record, "due");
    const json_t *said = json_object_get(value, "result");
    size_t bytes = said == NULL ? 0
                                : json_dumpb(said, result, sizeof result,
                                             JSON_COMPACT | JSON_ENCODE_ANY);
    if (bytes > sizeof result) bytes = sizeof result;
    add_field(table, "result", (struct text){result, bytes});
    table_finish(table);
    print_tries(view, json_object_get(record, "tries"));
    print_output(json_member_text(value, "output"));
}

static void print_refused(struct table *table, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name = NULL;
    const void *bytes = NULL;
    size_t length = 0;
    add_field(table, "key", (struct text){message->key, message->key_len});
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &bytes, &length) ==
                           RD_KAFKA_RESP_ERR_NO_ERROR; i++)
            add_field(table, name, (struct text){bytes, bytes == NULL ? 0 : length});
    table_finish(table);
    (void)fputc('\n', stdout);
    print_safe(stdout, message->payload == NULL ? "" : message->payload, message->len);
    (void)fputc('\n', stdout);
}

static void print_letter(struct dead_view *view, const struct dead_row *row,
                         const rd_kafka_message_t *message)
{
    static const struct table_column columns[] = {{"FIELD", false, 0}, {"VALUE", false, 20}};
    char place[PLACE_BYTES];
    char time[JOB_VIEW_TIME_BYTES];
    (void)place_text(row, place);
    (void)printf("%s%s  (%s, %s%s)\n\n", view->shown++ > 0 ? "\n" : "", place,
                 dead_kind_word(row->kind), time_text(row->at_ms, time),
                 row->acknowledged ? ", acknowledged" : "");
    struct table *table =
        table_create(stdout, columns, 2, view->settings->width, view->settings->colour);
    if (row->kind == DEAD_RUN) {
        json_t *value = json_loadb(message->payload, message->len, 0, NULL);
        add_field(table, "group", row->group);
        add_field(table, "id", row->id);
        print_run(view, row, table, value);
        json_decref(value);
    } else {
        print_refused(table, message);
    }
    (void)fflush(stdout);
    if (row->acknowledged) return;
    (void)fputs("belfry: ", stderr);
    if (row->kind != DEAD_REPORT)
        (void)fprintf(stderr, "again: belfry dead requeue %s; ", place);
    (void)fprintf(stderr, "dealt with: belfry dead ack %s\n", place);
}

/* ---- both ---- */

static bool print_whole(void *opaque, const struct dead_row *row,
                        const rd_kafka_message_t *message)
{
    struct dead_view *view = opaque;
    enum output_format output = view->settings->output;
    if (output == OUTPUT_JSON || output == OUTPUT_NDJSON) print_json_record(view, row, message);
    else print_letter(view, row, message);
    return ferror(stdout) == 0;
}

static enum exit_code print_all(struct dead_view *view, bool show)
{
    struct error error = {0};
    enum output_format output = view->settings->output;
    if (show && view->list.count == 0) {
        (void)fputs("belfry: no dead letter matches; belfry dead list shows them\n", stderr);
        return CLI_NOT_FOUND;
    }
    if (output == OUTPUT_NAME) print_names(view);
    else if (output == OUTPUT_TABLE && !show) print_rows(view);
    else if (!dead_list_visit(&view->list, view->settings, print_whole, view, &error))
        return exit_with(&error);
    return CLI_OK;
}

static enum exit_code look(const struct invocation *invocation, bool show)
{
    struct error error = {0};
    struct dead_view view = {.settings = invocation->settings};
    const struct arguments *arguments = invocation->arguments;
    bool read = dead_filter_read(&view.filter, &view.places, arguments, 1, cli_now_ms(), &error);
    if (read && show && view.filter.place_count == 0)
        read = error_invalid(&error, CODE_USAGE, "which one? belfry dead show PARTITION/OFFSET; "
                             "belfry dead list shows them");
    if (show) view.filter.acknowledged = true; /* it is named */
    read = read && dead_list_read(&view.list, view.settings, &view.filter, 0, &error);
    enum exit_code code = read ? print_all(&view, show) : exit_with(&error);
    dead_list_free(&view.list);
    free(view.places);
    return code;
}

static enum exit_code dead_list(const struct invocation *invocation)
{
    return look(invocation, false);
}

static enum exit_code dead_show(const struct invocation *invocation)
{
    return look(invocation, true);
}

enum exit_code command_dead(const struct invocation *invocation)
{
    static const struct {
        const char *word;
        command_run *run;
    } verbs[] = {
        {"list", dead_list}, {"show", dead_show}, {"requeue", dead_requeue}, {"ack", dead_ack}};
    static const struct verb_option rows[] = {
        {"all", "requeue ack"},    {"dry-run", "requeue ack"},     {"wait", "requeue"},
        {"rate", "requeue"},       {"overlap", "requeue"},         {"actor", "requeue ack"},
        {"reason", "requeue ack"}, {"acknowledged", "list show"}, {NULL, NULL},
    };
    struct error error = {0};
    const struct arguments *arguments = invocation->arguments;
    const char *verb = arguments->positional_count > 0 ? arguments->positionals[0] : "";
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verb, verbs[i].word) != 0) continue;
        if (!verb_options_check(arguments, invocation->command->name, verb,
                                invocation->command->options, rows, &error))
            return exit_with(&error);
        return verbs[i].run(invocation);
    }
    (void)error_invalid(&error, CODE_USAGE, "dead what? belfry dead list, show, requeue or ack");
    return exit_with(&error);
}
