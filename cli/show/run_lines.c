#include "cli/show/run_lines.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_table.h"
#include "cli/show/report_line.h"
#include "lib/base/limits.h"
#include "lib/model/output.h"
#include "lib/model/run.h"
#include "lib/time/instant.h"

enum { WHY_COLUMNS = 120 };

void span_text(int64_t span_ms, char text[SPAN_TEXT_BYTES])
{
    static const int64_t units[] = {DAYS_MS, HOURS_MS, MINUTES_MS, SECONDS_MS};
    static const char letters[] = "dhms";
    const char *sign = span_ms < 0 ? "-" : "";
    if (span_ms < 0) span_ms = span_ms == INT64_MIN ? INT64_MAX : -span_ms;
    if (span_ms < SECONDS_MS) {
        (void)snprintf(text, SPAN_TEXT_BYTES, "%s%" PRId64 "ms", sign, span_ms);
    } else if (span_ms < MINUTES_MS) {
        (void)snprintf(text, SPAN_TEXT_BYTES, "%s%" PRId64 ".%03" PRId64 "s", sign,
                       span_ms / SECONDS_MS, span_ms % SECONDS_MS);
    } else {
        int i = span_ms < HOURS_MS ? 2 : span_ms < DAYS_MS ? 1 : 0;
        (void)snprintf(text, SPAN_TEXT_BYTES, "%s%" PRId64 "%c%" PRId64 "%c", sign,
                       span_ms / units[i], letters[i], span_ms % units[i] / units[i + 1],
                       letters[i + 1]);
    }
}

static void copy_text(char cell[RUN_LINE_BYTES], const char *text)
{
    (void)snprintf(cell, RUN_LINE_BYTES, "%s", text == NULL ? "-" : text);
}

/* How long after the one instant the other is. */
static void set_after(char cell[RUN_LINE_BYTES], const json_t *line, const char *from,
                      const char *to)
{
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    char span[SPAN_TEXT_BYTES];
    copy_text(cell, NULL);
    if (!json_member_ms(line, to, &to_ms)) return;
    if (!json_member_ms(line, from, &from_ms)) {
        time_shorten(json_member_text(line, to), cell, RUN_LINE_BYTES);
        return;
    }
    span_text(to_ms - from_ms, span);
    (void)snprintf(cell, RUN_LINE_BYTES, "+%s", span);
}

static bool is_true(const json_t *line, const char *name)
{
    return json_is_true(json_object_get(line, name));
}

static bool is_skipped(const json_t *line)
{
    const char *outcome = json_member_text(line, "outcome");
    return outcome != NULL && strcmp(outcome, event_kind_name(EVENT_SKIPPED)) == 0;
}

static void set_outcome(char cell[RUN_LINE_BYTES], const json_t *line)
{
    const char *outcome = json_member_text(line, "outcome");
    const char *from = json_member_text(line, "outcome_from");
    bool inferred = from != NULL && strcmp(from, "next_try") == 0;
    if (outcome == NULL && is_true(line, "open")) outcome = "open";
    copy_text(cell, outcome);
    if (inferred) (void)snprintf(cell, RUN_LINE_BYTES, "%s?", outcome);
}

static void write_skipped(struct text_writer *why, const json_t *line)
{
    char last[JOB_VIEW_TIME_BYTES];
    const char *reason = json_member_text(line, "reason");
    const char *run = json_member_text(line, "run");
    time_shorten(json_member_text(line, "last"), last, sizeof last);
    text_writer_format(why, "%" JSON_INTEGER_FORMAT " slots up to %s (%s)",
                       json_member_number(line, "count", 1), last, reason == NULL ? "-" : reason);
    if (run != NULL) text_writer_format(why, ", in the way: %s", run);
}

static void set_why(char cell[RUN_LINE_BYTES], const json_t *line)
{
    struct text_writer why = {0};
    static const struct {
        const char *member;
        const char *words;
    } remarks[] = {{"late_success", "succeeded after it was given up"},
                   {"doubled", "two workers say that they run it"},
                   {"failed", "no further try"}};
    if (is_skipped(line)) write_skipped(&why, line);
    else report_reason(&why, line, WHY_COLUMNS);
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++) {
        if (!is_true(line, remarks[i].member)) continue;
        if (why.length > 0) text_writer_words(&why, "; ");
        text_writer_words(&why, remarks[i].words);
    }
    copy_text(cell, why.length == 0 ? NULL : text_writer_terminated(&why));
    text_writer_free(&why);
}

void run_line_cells(const json_t *line, char cells[RUN_LINE_CELLS][RUN_LINE_BYTES])
{
    const json_t *duration = json_object_get(line, "duration_ms");
    assert(json_is_object(line));
    time_shorten(json_member_text(line, "due"), cells[RUN_LINE_DUE], RUN_LINE_BYTES);
    set_after(cells[RUN_LINE_FIRED], line, "due", "fired_at");
    set_after(cells[RUN_LINE_CLAIMED], line, "fired_at", "claimed_at");
    set_outcome(cells[RUN_LINE_OUTCOME], line);
    copy_text(cells[RUN_LINE_DURATION], NULL);
    if (json_is_integer(duration))
        span_text(json_integer_value(duration), cells[RUN_LINE_DURATION]);
    copy_text(cells[RUN_LINE_TRY], NULL);
    if (json_object_get(line, "try") != NULL)
        (void)snprintf(cells[RUN_LINE_TRY], RUN_LINE_BYTES, "%" JSON_INTEGER_FORMAT,
                       json_member_number(line, "try", 0));
    copy_text(cells[RUN_LINE_WORKER], json_member_text(line, "worker"));
    time_shorten(json_member_text(line, "ended_at"), cells[RUN_LINE_ENDED], RUN_LINE_BYTES);
    set_why(cells[RUN_LINE_WHY], line);
    copy_text(cells[RUN_LINE_RUNNUMBER], json_member_text(line, "runnumber"));
}

static enum table_tone outcome_tone(const char *outcome)
{
    if (strcmp(outcome, run_outcome_word(RUN_SUCCESS)) == 0) return TONE_GOOD;
    if (strcmp(outcome, "open") == 0 || strcmp(outcome, "-") == 0) return TONE_PLAIN;
    bool mild = strcmp(outcome, report_word(REPORT_RELEASED, RUN_SUCCESS)) == 0 ||
                strcmp(outcome, event_kind_name(EVENT_SKIPPED)) == 0 ||
                strcmp(outcome, run_outcome_word(RUN_CANCELLED)) == 0;
    return mild ? TONE_WARN : TONE_BAD;
}

void run_lines_print(FILE *stream, const json_t *lines, size_t width, bool colour)
{
    static const struct table_column columns[RUN_LINE_CELLS] = {
        {"DUE", false, 0},     {"FIRED", true, 0}, {"CLAIMED", true, 0}, {"OUTCOME", false, 0},
        {"DURATION", true, 0}, {"TRY", true, 0},   {"WORKER", false, 8}, {"ENDED", false, 0},
        {"WHY", false, 12},    {"RUNNUMBER", false, 10}};
    if (json_array_size(lines) == 0) {
        (void)fputs("-\n", stream);
        return;
    }
    struct table *table = table_create(stream, columns, RUN_LINE_CELLS, width, colour);
    for (size_t i = 0; i < json_array_size(lines); i++) {
        char texts[RUN_LINE_CELLS][RUN_LINE_BYTES];
        struct table_cell cells[RUN_LINE_CELLS];
        run_line_cells(json_array_get(lines, i), texts);
        for (int c = 0; c < RUN_LINE_CELLS; c++)
            cells[c] = (struct table_cell){text_of(texts[c]), TONE_PLAIN};
        cells[RUN_LINE_OUTCOME].tone = outcome_tone(texts[RUN_LINE_OUTCOME]);
        cells[RUN_LINE_RUNNUMBER].tone = TONE_DIM;
        table_add(table, cells);
    }
    table_finish(table);
}
