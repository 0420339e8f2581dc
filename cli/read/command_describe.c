#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/read/job_fetch.h"
#include "cli/read/job_history.h"
#include "cli/read/result_view.h"
#include "cli/read/run_history.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/open_run_view.h"
#include "cli/show/print_table.h"
#include "cli/show/print_text.h"
#include "cli/show/run_lines.h"
#include "cli/show/why_not.h"
#include "cli/words/cli.h"
#include "lib/base/json_scan.h"
#include "lib/base/limits.h"
#include "lib/time/instant.h"

enum { NEXT_SHOWN = 10, HISTORY_SHOWN = 10, SEARCH_DEFAULT = 20000, OUTPUT_LINES = 20 };

struct description {
    const struct settings *settings;
    struct job_fetched fetched;
    json_t *job;   /* the parsed record */
    json_t *next;  /* the next due times */
    struct job_history history;
    bool followed; /* the job says something of its runs */
    struct run_history runs;
    bool asked;    /* --why */
    int64_t why_ms;
    struct why why;
    int64_t search; /* records of each partition, at most */
};

/* --- for people --- */

static void heading(const struct settings *settings, const char *text)
{
    (void)printf("\n%s%s%s\n", settings->colour ? "\x1b[1m" : "", text,
                 settings->colour ? "\x1b[0m" : "");
}

static void print_fields(const struct description *description)
{
    static const struct table_column columns[] = {{"FIELD", false, 0}, {"VALUE", false, 20}};
    const struct settings *settings = description->settings;
    struct job_view view;
    job_view_read(&view, description->job, cli_now_ms(), settings->zones);
    print_safe(stdout, description->fetched.name, strlen(description->fetched.name));
    (void)printf("  (%s, shard %d)\n\n", view.state, (int)description->fetched.shard);
    struct table *table = table_create(stdout, columns, 2, settings->width, settings->colour);
    size_t blank = strcspn(description->fetched.text, "{");
    struct text text = {description->fetched.text + blank,
                        description->fetched.text_bytes - blank};
    struct text name;
    struct text value;
    static const char *const told[] = {"layout", "group", "id", "state", "ordinal"};
    while (json_scan_pair(&text, &name, &value)) {
        bool said = false;
        for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
            said = said || text_equal(name, text_of(told[i]));
        if (said) continue;
        bool quoted = value.length >= 2 && value.bytes[0] == '"' &&
                      memchr(value.bytes, '\\', value.length) == NULL;
        if (quoted) value = (struct text){value.bytes + 1, value.length - 2};
        const struct table_cell cells[] = {{name, TONE_DIM}, {value, TONE_PLAIN}};
        table_add(table, cells);
    }
    table_finish(table);
}

static void print_next(const struct description *description)
{
    assert(description->next != NULL);
    heading(description->settings, "Next due");
    for (size_t i = 0; i < json_array_size(description->next); i++) {
        char text[JOB_VIEW_TIME_BYTES];
        time_shorten(json_string_value(json_array_get(description->next, i)), text, sizeof text);
        (void)printf("%s\n", text);
    }
    if (json_array_size(description->next) == 0) (void)puts("-");
}

static struct text member_cell(const json_t *object, const char *name, char *room, size_t bytes)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_string(value)) {
        time_shorten(json_string_value(value), room, bytes);
    } else if (json_is_integer(value)) {
        (void)snprintf(room, bytes, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        (void)snprintf(room, bytes, "-");
    }
    return text_of(room);
}

static void print_items(const struct settings *settings, const json_t *items,
                        const char *const *members, const struct table_column *columns,
                        size_t count)
{
    enum { CELLS_MAX = 6, CELL_BYTES = 160 };
    assert(count <= CELLS_MAX);
    if (json_array_size(items) == 0) {
        (void)puts("-");
        return;
    }
    struct table *table = table_create(stdout, columns, count, settings->width, settings->colour);
    for (size_t i = 0; i < json_array_size(items); i++) {
        char room[CELLS_MAX][CELL_BYTES];
        struct table_cell cells[CELLS_MAX];
        for (size_t j = 0; j < count; j++)
            cells[j] = (struct table_cell){
                member_cell(json_array_get(items, i), members[j], room[j], CELL_BYTES),
                TONE_PLAIN};
        table_add(table, cells);
    }
    table_finish(table);
}

static void print_history(const struct description *description)
{
    static const char *const fire_members[] = {"dueat", "firekind", "latenessms", "missedcount",
                                               "jobrevision"};
    static const struct table_column fire_columns[] = {{"DUE AT", false, 0},
                                                       {"KIND", false, 0},
                                                       {"LATE MS", true, 0},
                                                       {"MISSED", true, 0},
                                                       {"REVISION", true, 0}};
    static const char *const event_members[] = {"at", "event", "reason", "count", "first"};
    static const struct table_column event_columns[] = {{"AT", false, 0},
                                                        {"EVENT", false, 0},
                                                        {"REASON", false, 6},
                                                        {"SLOTS", true, 0},
                                                        {"FIRST SLOT", false, 10}};
    heading(description->settings, "Last fires");
    print_items(description->settings, description->history.fires, fire_members, fire_columns, 5);
    heading(description->settings, "Last events");
    print_items(description->settings, description->history.events, event_members, event_columns,
                5);
    (void)fflush(stdout);
}

static void say_cut(const struct description *description)
{
    char back_to[INSTANT_TEXT_BYTES] = "now";
    const struct job_history *history = &description->history;
    if (instant_in_range(history->back_to_ms)) instant_format(history->back_to_ms, back_to);
    (void)fflush(stdout);
    if (history->cut)
        (void)fprintf(stderr, "belfry: of the topics only the last %lld records of the shard were "
                      "looked through, back to %s; --search N looks further\n",
                      (long long)description->search, back_to);
}

/* The last lines of what a program wrote, each indented. */
static void print_output(struct text output)
{
    size_t start = output.length;
    int lines = 0;
    while (start > 0 && output.bytes[start - 1] == '\n') start = --output.length;
    for (; start > 0; start--)
        if (output.bytes[start - 1] == '\n' && ++lines == OUTPUT_LINES) break;
    if (start > 0) (void)puts("  ...");
    while (start < output.length) {
        const char *line = output.bytes + start;
        const char *end = memchr(line, '\n', output.length - start);
        size_t length = end == NULL ? output.length - start : (size_t)(end - line);
        (void)fputs("  ", stdout);
        print_safe(stdout, line, length);
        (void)fputc('\n', stdout);
        start += length + 1;
    }
}

/* What the newest try wrote that wrote anything. */
static void print_newest_output(const struct description *description)
{
    for (size_t i = json_array_size(description->runs.lines); i-- > 0;) {
        const json_t *line = json_array_get(description->runs.lines, i);
        const json_t *output = json_object_get(line, "output");
        char title[64];
        if (!json_is_string(output)) continue;
        (void)snprintf(title, sizeof title, "Output of runnumber %.24s",
                       json_member_text(line, "runnumber"));
        heading(description->settings, title);
        print_output((struct text){json_string_value(output), json_string_length(output)});
        return;
    }
}

static void print_runs(const struct description *description)
{
    const struct settings *settings = description->settings;
    if (!description->followed) return;
    heading(settings, "Open runs");
    if (json_array_size(description->runs.open) == 0) (void)puts("-");
    else open_runs_print(stdout, description->runs.open, settings->width, settings->colour);
    heading(settings, "Last runs");
    run_lines_print(stdout, description->runs.lines, settings->width, settings->colour);
    print_newest_output(description);
}

static void print_why(const struct description *description)
{
    assert(description->why.code != NULL);
    char at[INSTANT_TEXT_BYTES];
    char shown[JOB_VIEW_TIME_BYTES];
    instant_format(description->why_ms, at);
    time_shorten(at, shown, sizeof shown);
    print_safe(stdout, description->fetched.name, strlen(description->fetched.name));
    (void)printf(" at %s: ", shown);
    print_safe(stdout, description->why.text, strlen(description->why.text));
    (void)fputc('\n', stdout);
}

/* --- for programs --- */

static void print_object(const struct description *description)
{
    assert(description->job != NULL);
    json_t *object = json_pack("{s:O, s:i, s:O, s:O, s:O}", "job", description->job, "shard",
                               (int)description->fetched.shard, "next_due", description->next,
                               "fires", description->history.fires, "events",
                               description->history.events);
    if (description->followed) {
        (void)json_object_set(object, "open_runs", description->runs.open);
        (void)json_object_set(object, "runs", description->runs.lines);
    }
    if (description->asked) {
        char at[INSTANT_TEXT_BYTES];
        instant_format(description->why_ms, at);
        (void)json_object_set_new(object, "why",
                                  json_pack("{s:s, s:s, s:s}", "at", at, "code",
                                            description->why.code, "message",
                                            description->why.text));
    }
    value_print(description->settings, object);
    json_decref(object);
}

static void say_unread(const struct description *description)
{
    const char *unread = description->history.unread;
    if (unread[0] == '\0') return;
    (void)fflush(stdout);
    (void)fputs("belfry: warning: fires and events are shown as far as they can be read: ", stderr);
    print_safe(stderr, unread, strlen(unread));
    (void)fputc('\n', stderr);
}

static bool read_arguments(struct description *description, struct error *error)
{
    const struct arguments *arguments = description->settings->arguments;
    const char *why = arguments_value(arguments, "why");
    struct error refused = {0};
    description->search = SEARCH_DEFAULT;
    description->asked = why != NULL;
    if (why != NULL && !instant_parse(why, strlen(why), &description->why_ms, &refused))
        return error_invalid(error, CODE_USAGE, "--why: %s", refused.message);
    return arguments_number(arguments, "search", 1, INT64_MAX, &description->search, error);
}

static void read_runs(struct description *description, int64_t from_ms)
{
    const json_t *job = description->job;
    description->followed = json_object_get(job, "lease") != NULL ||
                            json_object_get(job, "lease_mode") != NULL;
    if (!description->followed) return;
    const struct run_history_wanted wanted = {
        .incarnation = json_member_text(job, "incarnation"), .shard = description->fetched.shard,
        .from_ms = from_ms, .last = description->search, .most = HISTORY_SHOWN, .outputs = true};
    run_history_read(&description->runs, description->settings, &wanted, &description->history);
}

static bool describe(struct description *description, struct error *error)
{
    struct job_fetched *fetched = &description->fetched;
    if (!read_arguments(description, error) ||
        !job_fetch(fetched, description->settings, "describe", error))
        return false;
    description->job = json_loadb(fetched->text, fetched->text_bytes, 0, NULL);
    if (!json_is_object(description->job))
        return error_set(error, ERROR_FATAL, "%s: its record in Redis is no JSON object; belfry "
                         "verify says what to do", fetched->name);
    int64_t now_ms = cli_now_ms();
    const struct zone_lookup *zones = description->settings->zones;
    struct job_view view;
    job_view_read(&view, description->job, now_ms, zones);
    description->next = view.next[0] == '-'
                            ? json_array()
                            : job_next_times(description->job, now_ms, NEXT_SHOWN, zones);
    /* A fire is recorded when it is produced, at its due time or later. */
    int64_t from_ms = description->asked ? description->why_ms - MINUTES_MS : 0;
    job_history_read(&description->history, description->settings, fetched->name,
                     json_member_text(description->job, "topic"), fetched->shard,
                     from_ms > 0 ? from_ms : 0, description->search,
                     description->asked ? 0 : HISTORY_SHOWN);
    read_runs(description, from_ms > 0 ? from_ms : 0);
    if (!description->asked) return true;
    const struct why_facts facts = {.job = description->job,
                                    .zones = zones,
                                    .fires = description->history.fires,
                                    .events = description->history.events,
                                    .open_runs = description->runs.open,
                                    .at_ms = description->why_ms,
                                    .now_ms = now_ms,
                                    .watermark_ms = fetched->watermark_ms,
                                    .history_cut = description->history.cut,
                                    .unread = description->history.unread[0] == '\0'
                                                  ? NULL
                                                  : description->history.unread};
    why_not(&description->why, &facts);
    return true;
}

enum exit_code command_describe(const struct invocation *invocation)
{
    struct error error = {0};
    struct description description = {.settings = invocation->settings};
    bool described = describe(&description, &error);
    enum output_format output = invocation->settings->output;
    if (described && (output == OUTPUT_JSON || output == OUTPUT_NDJSON)) {
        print_object(&description);
    } else if (described && output == OUTPUT_NAME) {
        (void)puts(description.fetched.name);
    } else if (described && description.asked) {
        print_why(&description);
    } else if (described) {
        print_fields(&description);
        print_next(&description);
        print_runs(&description);
        print_history(&description);
        say_cut(&description);
    }
    bool whole = !described || description.history.whole;
    if (described) say_unread(&description);
    run_history_free(&description.runs);
    job_history_free(&description.history);
    json_decref(description.next);
    json_decref(description.job);
    job_fetched_free(&description.fetched);
    if (!described) return exit_with(&error);
    return whole ? CLI_OK : CLI_PARTLY;
}
