#include "cli/operate/top_screen.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/print_table.h"
#include "cli/show/print_text.h"
#include "lib/base/memory.h"
#include "lib/time/instant.h"

enum { FAULTS_MAX = 3, DAEMONS_MAX = 5, LINE_BYTES = 512, CELL_BYTES = 160 };

/* What is drawn so far. */
struct screen {
    FILE *stream;
    const struct cluster_view *view;
    const struct top_size *size;
    size_t rows_left;
};

/* ---- lines ---- */

/* A line of no more columns than there are, in a colour or "". */
static void line(struct screen *screen, const char *colour, const char *text)
{
    if (screen->rows_left == 0) return;
    screen->rows_left--;
    struct text_writer safe = {0};
    text_escape(&safe, text, strlen(text));
    bool coloured = screen->size->colour && colour[0] != '\0';
    if (coloured) (void)fputs(colour, screen->stream);
    if (safe.length > 0)
        (void)fwrite(safe.bytes, 1, text_fit(safe.bytes, safe.length, screen->size->columns),
                     screen->stream);
    if (coloured) (void)fputs("\x1b[0m", screen->stream);
    (void)fputc('\n', screen->stream);
    text_writer_free(&safe);
}

static void heading(struct screen *screen, const char *cluster)
{
    const struct cluster_look *look = screen->view->look;
    char text[LINE_BYTES];
    char now[INSTANT_TEXT_BYTES];
    instant_format(look->now_ms, now);
    (void)snprintf(text, sizeof text, "belfry top  %.40s  %.19sZ", cluster, now);
    line(screen, "\x1b[1m", text);
}

static void sums(struct screen *screen)
{
    const struct shard_figures *sum = &screen->view->sum;
    char text[LINE_BYTES];
    char total[FIGURE_BYTES], paused[FIGURE_BYTES], finished[FIGURE_BYTES], failing[FIGURE_BYTES];
    (void)snprintf(text, sizeof text, "jobs    %s: paused %s, finished %s, failing %s",
                   figure_text(sum->jobs, total), figure_text(sum->paused, paused),
                   figure_text(sum->finished, finished), figure_text(sum->failing, failing));
    line(screen, sum->failing > 0 ? "\x1b[31m" : "", text);
    (void)snprintf(text, sizeof text, "rates   %s fires/s, %s commands/s, %s waiting;  next hour "
                   "%s", rate_text(figures_rate(sum, sum->window_fires), total),
                   rate_text(figures_rate(sum, sum->window_commands), paused),
                   counted_text(sum->waiting, "command", failing),
                   counted_text(sum->due_in_an_hour, "job", finished));
    line(screen, "", text);
}

static void owed(struct screen *screen)
{
    const struct shard_figures *sum = &screen->view->sum;
    char text[LINE_BYTES];
    char slots[FIGURE_BYTES], jobs[FIGURE_BYTES], age[FIGURE_BYTES], off[FIGURE_BYTES] = "-";
    int64_t now_ms = screen->view->look->now_ms;
    bool late = sum->oldest_due_ms != FIGURE_UNKNOWN;
    if (sum->worked_off_ms != FIGURE_UNKNOWN) (void)age_text(sum->worked_off_ms, off);
    int length = snprintf(text, sizeof text, "owing   %s", counted_text(sum->owing, "job", jobs));
    if (late)
        length += snprintf(text + length, sizeof text - (size_t)length, ", the oldest slot due %s "
                           "ago", age_text(now_ms - sum->oldest_due_ms, age));
    if (sum->owed > 0)
        (void)snprintf(text + length, sizeof text - (size_t)length, "; %s in the lane, through in "
                       "%s", counted_text(sum->owed, "slot", slots), off);
    line(screen, late ? "\x1b[33m" : "", text);
}

static void runs(struct screen *screen)
{
    const struct shard_figures *sum = &screen->view->sum;
    char text[LINE_BYTES];
    char count[FIGURE_BYTES], age[FIGURE_BYTES];
    if (sum->open_runs <= 0) return; /* none, or older daemons */
    int length = snprintf(text, sizeof text, "runs    %s open",
                          figure_text(sum->open_runs, count));
    if (sum->oldest_run_ms != FIGURE_UNKNOWN)
        (void)snprintf(text + length, sizeof text - (size_t)length, ", the oldest for %s",
                       age_text(screen->view->look->now_ms - sum->oldest_run_ms, age));
    line(screen, "", text);
}

static void last_takeover(struct screen *screen)
{
    const struct cluster_view *view = screen->view;
    char text[LINE_BYTES];
    char age[FIGURE_BYTES];
    if (view->taken_last < 0) {
        line(screen, "", "taken   -");
        return;
    }
    const struct shard_report *report = &view->look->reports[view->taken_last];
    (void)snprintf(text, sizeof text, "taken   shard %d, %s ago, to %s", (int)report->shard,
                   age_text(view->look->now_ms - report->figures.live_since_ms, age),
                   report->owner);
    line(screen, "", text);
}

static void faults(struct screen *screen)
{
    const json_t *said = screen->view->faults;
    size_t count = json_array_size(said);
    char text[LINE_BYTES];
    if (count == 0) line(screen, "\x1b[32m", "well");
    for (size_t i = 0; i < count && i < FAULTS_MAX; i++) {
        const char *fault = json_string_value(json_array_get(said, i));
        (void)snprintf(text, sizeof text, "not well: %.*s", (int)strcspn(fault, ";"), fault);
        line(screen, "\x1b[31m", text);
    }
}

/* ---- tables ---- */

static void cell(char text[CELL_BYTES], struct table_cell *into, const char *said)
{
    (void)snprintf(text, CELL_BYTES, "%s", said);
    *into = (struct table_cell){text_of(text), TONE_PLAIN};
}

static void daemons(struct screen *screen)
{
    static const struct table_column columns[] = {
        {"DAEMON", false, 12}, {"SHARDS", true, 0},   {"FIRES/S", true, 0}, {"CMDS/S", true, 0},
        {"OWED", true, 0},     {"CLOCK MS", true, 0}, {"VERSION", false, 0}, {"TZDATA", false, 6},
    };
    enum { COLUMNS = sizeof columns / sizeof columns[0] };
    const struct cluster_view *view = screen->view;
    int32_t count = view->daemon_count < DAEMONS_MAX ? view->daemon_count : DAEMONS_MAX;
    if (count == 0 || screen->rows_left < (size_t)count + 2) return;
    line(screen, "", "");
    struct table *table = table_create(screen->stream, columns, COLUMNS, screen->size->columns,
                                       screen->size->colour);
    for (int32_t i = 0; i < count; i++) {
        const struct daemon_view *daemon = &view->daemons[i];
        const struct shard_figures *sum = &daemon->sum;
        char text[COLUMNS][CELL_BYTES];
        char figure[FIGURE_BYTES];
        struct table_cell cells[COLUMNS];
        cell(text[0], &cells[0], daemon->owner);
        cell(text[1], &cells[1], figure_text(daemon->shards, figure));
        cell(text[2], &cells[2], rate_text(figures_rate(sum, sum->window_fires), figure));
        cell(text[3], &cells[3], rate_text(figures_rate(sum, sum->window_commands), figure));
        cell(text[4], &cells[4], figure_text(sum->owed, figure));
        (void)snprintf(figure, sizeof figure, "%" PRId64, daemon->clock_ahead_ms);
        cell(text[5], &cells[5], figure);
        cell(text[6], &cells[6], daemon->version[0] == '\0' ? "-" : daemon->version);
        (void)snprintf(figure, sizeof figure, "%.*s", (int)strcspn(daemon->tz_version, "-"),
                       daemon->tz_version); /* its release */
        cell(text[7], &cells[7], figure[0] == '\0' ? "-" : figure);
        table_add(table, cells);
    }
    table_finish(table);
    screen->rows_left -= (size_t)count + 1;
    if (view->daemon_count > count) {
        char text[LINE_BYTES];
        (void)snprintf(text, sizeof text, "... %d more daemons", (int)(view->daemon_count - count));
        line(screen, "", text);
    }
}

/* The shards that somebody should look at first: silent, stuck, not live, owing, busy. */
static int by_worry(const void *left, const void *right)
{
    const struct shard_report *a = *(const struct shard_report *const *)left;
    const struct shard_report *b = *(const struct shard_report *const *)right;
    bool a_silent = shard_is_silent(a), b_silent = shard_is_silent(b);
    bool a_stuck = shard_is_stuck(a), b_stuck = shard_is_stuck(b);
    bool a_live = shard_is_live(a), b_live = shard_is_live(b);
    if (a_silent != b_silent) return a_silent ? -1 : 1;
    if (a_stuck != b_stuck) return a_stuck ? -1 : 1;
    if (a_live != b_live) return a_live ? 1 : -1;
    bool a_fails = a->figures.failing > 0, b_fails = b->figures.failing > 0;
    if (a_fails != b_fails) return a_fails ? -1 : 1;
    if (a->figures.owed != b->figures.owed) return a->figures.owed > b->figures.owed ? -1 : 1;
    if (a->figures.window_fires != b->figures.window_fires)
        return a->figures.window_fires > b->figures.window_fires ? -1 : 1;
    return a->shard < b->shard ? -1 : 1;
}

static void shard_row(struct table *table, const struct shard_report *report, int64_t now_ms)
{
    enum { COLUMNS = 9 };
    const struct shard_figures *figures = &report->figures;
    char text[COLUMNS][CELL_BYTES];
    char figure[FIGURE_BYTES] = "-";
    struct table_cell cells[COLUMNS];
    bool silent = shard_is_silent(report);
    bool stuck = shard_is_stuck(report);
    cell(text[0], &cells[0], figure_text(report->shard, figure));
    cell(text[1], &cells[1], silent ? "silent" : stuck ? "stuck" : report->state);
    if (stuck) cells[1].tone = TONE_BAD;
    else if (!shard_is_live(report)) cells[1].tone = TONE_WARN;
    cell(text[2], &cells[2], figure_text(figures->jobs, figure));
    cell(text[3], &cells[3], figure_text(figures->failing, figure));
    cell(text[4], &cells[4], figure_text(figures->owed, figure));
    (void)snprintf(figure, sizeof figure, "-");
    if (figures->oldest_due_ms != FIGURE_UNKNOWN)
        (void)age_text(now_ms - figures->oldest_due_ms, figure);
    cell(text[5], &cells[5], figure);
    cell(text[6], &cells[6], rate_text(figures_rate(figures, figures->window_fires), figure));
    cell(text[7], &cells[7], rate_text(figures_rate(figures, figures->window_commands), figure));
    cell(text[8], &cells[8], silent ? "-" : report->owner);
    table_add(table, cells);
}

static void shards(struct screen *screen)
{
    static const struct table_column columns[] = {
        {"SHARD", true, 0}, {"STATE", false, 0},  {"JOBS", true, 0},
        {"FAILING", true, 0}, {"OWED", true, 0},  {"OLDEST", true, 0},
        {"FIRES/S", true, 0}, {"CMDS/S", true, 0}, {"DAEMON", false, 8},
    };
    const struct cluster_look *look = screen->view->look;
    if (screen->rows_left < 4) return;
    line(screen, "", "");
    size_t room = screen->rows_left - 1;
    size_t count = (size_t)look->shards <= room ? (size_t)look->shards : room - 1;
    const struct shard_report **order = memory_allocate((size_t)look->shards, sizeof *order);
    for (int32_t i = 0; i < look->shards; i++) order[i] = &look->reports[i];
    qsort(order, (size_t)look->shards, sizeof *order, by_worry);
    struct table *table =
        table_create(screen->stream, columns, sizeof columns / sizeof columns[0],
                     screen->size->columns, screen->size->colour);
    for (size_t i = 0; i < count; i++) shard_row(table, order[i], look->now_ms);
    table_finish(table);
    free(order);
    screen->rows_left -= count + 1;
    if (count < (size_t)look->shards) {
        char text[LINE_BYTES];
        (void)snprintf(text, sizeof text, "... %zu more shards", (size_t)look->shards - count);
        line(screen, "", text);
    }
}

void top_screen(FILE *stream, const struct cluster_view *view, const char *cluster,
                const struct top_size *size)
{
    assert(size->columns > 0 && size->rows > 0);
    struct screen screen = {stream, view, size, size->rows};
    char text[LINE_BYTES];
    heading(&screen, cluster);
    (void)snprintf(text, sizeof text, "shards  %d of %d live, %d stuck, %d silent;  daemons %d",
                   (int)view->live, (int)view->look->shards, (int)view->stuck, (int)view->silent,
                   (int)view->daemon_count);
    line(&screen, view->live < view->look->shards ? "\x1b[33m" : "", text);
    sums(&screen);
    owed(&screen);
    runs(&screen);
    last_takeover(&screen);
    faults(&screen);
    daemons(&screen);
    shards(&screen);
}
