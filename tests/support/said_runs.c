#include "tests/support/said_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/read/run_join.h"
#include "cli/read/worker_table.h"
#include "cli/show/open_run_view.h"
#include "cli/show/print_text.h"
#include "cli/show/report_line.h"
#include "cli/show/run_lines.h"
#include "lib/base/limits.h"
#include "lib/time/instant.h"
#include "schemas/arena.h"
#include "schemas/run_json.h"

void said_require(bool condition)
{
    if (!condition) abort();
}

json_t *said_json(const char *text)
{
    json_error_t wrong;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &wrong);
    if (value == NULL) (void)fprintf(stderr, "no JSON: %s: %s\n", text, wrong.text);
    said_require(value != NULL);
    return value;
}

int64_t said_instant(const char *text)
{
    int64_t instant_ms = 0;
    said_require(instant_parse(text, strlen(text), &instant_ms, NULL));
    return instant_ms;
}

/* ---- runs ---- */

#define RUNS_NOW "2026-01-10T12:30:00Z"

/* report TIME ...: a record of `runs`, appended then */
void said_report(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    (void)said;
    for (; *text != '\0'; text++) /* the lines of a step are one */
        text_writer_char(&given->reports, *text == '\n' ? ' ' : *text);
    text_writer_char(&given->reports, '\n');
}

/* open {...}: what an open run, or one that is late after a minute, is called; it is one of the
 * job's for the steps behind it */
void said_open(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    struct arena *arena = arena_create();
    struct run_record record;
    struct error error = {0};
    struct text_writer state = {0};
    bool open = false;
    int64_t now_ms = said_instant(RUNS_NOW);
    bool read = run_record_decode(text_of(text), arena, &record, &open, &error);
    if (!read) (void)fprintf(stderr, "%s: %s\n", text, error.message);
    said_require(read && open);
    json_t *view = open_run_view(&record, 2, now_ms);
    open_run_state(&state, view);
    text_escape(said, state.bytes, state.length);
    text_writer_words(said, open_run_is_late(&record, MINUTES_MS, now_ms) ? " (late)\n" : "\n");
    text_writer_free(&state);
    if (given->open == NULL) given->open = json_array();
    said_require(json_array_append_new(given->open, view) == 0);
    arena_destroy(arena);
}

static void say_line(struct text_writer *said, const json_t *line)
{
    char cells[RUN_LINE_CELLS][RUN_LINE_BYTES];
    run_line_cells(line, cells);
    for (int i = 0; i < RUN_LINE_CELLS; i++) {
        text_writer_words(said, i == 0 ? "" : " | ");
        text_escape(said, cells[i], strlen(cells[i]));
    }
    text_writer_char(said, '\n');
}

/* Each record with the time before it. */
static void each_report(struct said_given *given,
                        void (*take)(void *opaque, struct text record, int64_t at_ms), void *opaque)
{
    const char *line = given->reports.length == 0 ? "" : text_writer_terminated(&given->reports);
    for (const char *end = NULL; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char at[32] = "";
        size_t length = strcspn(line, " ");
        said_require(length < sizeof at && line + length < end);
        memcpy(at, line, length);
        take(opaque, (struct text){line + length + 1, (size_t)(end - line) - length - 1},
             said_instant(at));
    }
}

static void join_report(void *opaque, struct text record, int64_t at_ms)
{
    run_join_reports(opaque, record, at_ms);
}

static void take_report(void *opaque, struct text record, int64_t at_ms)
{
    worker_table_reports(opaque, record, at_ms);
}

static json_t *lines_of(struct said_given *given, size_t most, bool outputs)
{
    struct run_join *join = run_join_create(most, outputs);
    run_join_incarnation(join, "1-0.1.0");
    for (size_t i = 0; i < json_array_size(given->fires); i++)
        run_join_fire(join, json_array_get(given->fires, i));
    each_report(given, join_report, join);
    for (size_t i = 0; i < json_array_size(given->events); i++)
        run_join_event(join, json_array_get(given->events, i));
    for (size_t i = 0; i < json_array_size(given->open); i++)
        run_join_open(join, json_array_get(given->open, i));
    json_t *lines = run_join_finish(join);
    run_join_destroy(join);
    return lines;
}

/* history N: the newest N tries of a job with the life 1-0.1.0, as belfry history shows them */
void said_history(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    json_t *lines = lines_of(given, strtoul(text, NULL, 10), false);
    for (size_t i = 0; i < json_array_size(lines); i++) say_line(said, json_array_get(lines, i));
    json_decref(lines);
}

/* told N: the same as programs get it, with outputs */
void said_told(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    json_t *lines = lines_of(given, strtoul(text, NULL, 10), true);
    for (size_t i = 0; i < json_array_size(lines); i++) {
        char *line = json_dumps(json_array_get(lines, i), JSON_COMPACT | JSON_SORT_KEYS);
        text_writer_format(said, "%s\n", line);
        free(line);
    }
    json_decref(lines);
}

/* members GROUP [...]: who is in a consumer group */
void said_members(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    const char *array = strchr(text, '[');
    (void)said;
    said_require(array != NULL && array > text);
    given->members = said_json(array);
    (void)snprintf(given->workers, sizeof given->workers, "%.*s", (int)(array - text - 1), text);
}

/* workers: who does the work */
void said_workers(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    struct worker_table *table = worker_table_create();
    (void)text;
    each_report(given, take_report, table);
    for (size_t i = 0; i < json_array_size(given->open); i++)
        worker_table_open(table, json_array_get(given->open, i));
    worker_table_members(table, given->workers, given->members);
    json_t *rows = worker_table_rows(table, said_instant(RUNS_NOW));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        char *row = json_dumps(json_array_get(rows, i), JSON_COMPACT | JSON_SORT_KEYS);
        text_writer_format(said, "%s\n", row);
        free(row);
    }
    json_decref(rows);
    worker_table_destroy(table);
}

/* ---- records of topics ---- */

/* A record of the first minute of 2026; the lines of a step are one. */
static void say_record(struct text_writer *said, const char *text,
                       void (*write)(struct text_writer *, int64_t, struct text))
{
    struct text_writer line = {0};
    char *record = strdup(text);
    for (char *at = record; *at != '\0'; at++)
        if (*at == '\n') *at = ' ';
    write(&line, said_instant("2026-01-01T00:00:00Z"), text_of(record));
    text_writer_format(said, "%s\n", text_writer_terminated(&line));
    text_writer_free(&line);
    free(record);
}

/* tail-runs ...: a record of `runs` */
void said_tail_runs(void *context, const char *text, struct text_writer *said)
{
    (void)context;
    say_record(said, text, report_lines);
}

void said_tail_cancels(void *context, const char *text, struct text_writer *said)
{
    (void)context;
    say_record(said, text, cancel_line);
}
