#include "cli/operate/cluster_view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/progress.h"
#include "dispatcher/engine/step_aside.h"
#include "lib/base/memory.h"
#include "lib/time/instant.h"

enum { FAULT_BYTES = 300, LIST_BYTES = 80, SHARD_LIST_ROOM = 16 };
#define OVERDUE_MS INT64_C(60000) /* a slot owed for longer is worth a word */

/* ---- adding up ---- */

/* How the figures of two shards become one. */
enum figure_sum { SUM_ADD, SUM_LEAST, SUM_MOST };

static enum figure_sum sum_of(size_t offset)
{
    switch (offset) {
    case offsetof(struct shard_figures, reported_ms):
    case offsetof(struct shard_figures, oldest_due_ms):
    case offsetof(struct shard_figures, oldest_run_ms): return SUM_LEAST;
    case offsetof(struct shard_figures, live_since_ms):
    case offsetof(struct shard_figures, takeover_ms):
    case offsetof(struct shard_figures, worked_off_ms):
    case offsetof(struct shard_figures, window_ms): return SUM_MOST;
    default: return SUM_ADD;
    }
}

static int64_t *figure_at(struct shard_figures *figures, size_t row)
{
    return (int64_t *)(void *)((char *)figures + row * sizeof(int64_t));
}

static_assert(sizeof(struct shard_figures) == SHARD_FIGURE_ROWS * sizeof(int64_t),
              "figures are a row of numbers");

static void figures_unknown(struct shard_figures *sum)
{
    for (size_t row = 0; row < SHARD_FIGURE_ROWS; row++) *figure_at(sum, row) = FIGURE_UNKNOWN;
}

/* What is not known adds nothing. */
static void figures_add(struct shard_figures *sum, const struct shard_figures *more)
{
    struct shard_figures added = *more;
    for (size_t row = 0; row < SHARD_FIGURE_ROWS; row++) {
        int64_t *into = figure_at(sum, row);
        int64_t figure = *figure_at(&added, row);
        if (figure == FIGURE_UNKNOWN) continue;
        enum figure_sum how = sum_of(row * sizeof(int64_t));
        if (*into == FIGURE_UNKNOWN) *into = figure;
        else if (how == SUM_ADD) *into += figure;
        else if ((how == SUM_LEAST) == (figure < *into)) *into = figure;
    }
}

static struct daemon_view *daemon_of(struct cluster_view *view, const struct shard_report *report)
{
    for (int32_t i = 0; i < view->daemon_count; i++)
        if (strcmp(view->daemons[i].owner, report->owner) == 0) return &view->daemons[i];
    struct daemon_view *daemon = &view->daemons[view->daemon_count++];
    *daemon = (struct daemon_view){.owner = report->owner, .version = report->version,
                                   .tz_version = report->tz_version};
    figures_unknown(&daemon->sum);
    return daemon;
}

bool shard_is_silent(const struct shard_report *report)
{
    return report->owner[0] == '\0' || report->age_ms >= SHARD_HEALTH_FRESH_MS;
}

bool shard_is_stuck(const struct shard_report *report)
{
    return !shard_is_silent(report) && report->still_ms >= SHARD_STUCK_MS;
}

bool shard_is_live(const struct shard_report *report)
{
    return !shard_is_silent(report) && !shard_is_stuck(report) &&
           strcmp(report->state, "live") == 0;
}

static void add_shard(struct cluster_view *view, const struct shard_report *report)
{
    if (shard_is_silent(report)) {
        view->silent++;
        return;
    }
    struct daemon_view *daemon = daemon_of(view, report);
    const struct shard_figures *figures = &report->figures;
    bool live = shard_is_live(report);
    view->stuck += shard_is_stuck(report);
    view->live += live;
    view->telling += figures->paused != FIGURE_UNKNOWN;
    daemon->shards++;
    daemon->live += live;
    if (llabs(report->clock_ahead_ms) > llabs(daemon->clock_ahead_ms))
        daemon->clock_ahead_ms = report->clock_ahead_ms;
    figures_add(&daemon->sum, figures);
    figures_add(&view->sum, figures);
    if (figures->live_since_ms == FIGURE_UNKNOWN) return;
    if (view->taken_last < 0 ||
        figures->live_since_ms > view->look->reports[view->taken_last].figures.live_since_ms)
        view->taken_last = report->shard;
}

static int by_owner(const void *left, const void *right)
{
    return strcmp(((const struct daemon_view *)left)->owner,
                  ((const struct daemon_view *)right)->owner);
}

/* ---- what is not well ---- */

__attribute__((format(printf, 2, 3))) static void fault(struct cluster_view *view,
                                                        const char *format, ...)
{
    char text[FAULT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *said = json_string(text);
    (void)json_array_append_new(view->faults, said != NULL ? said : json_string("(no UTF-8)"));
}

void shard_list_add(char *text, size_t bytes, int32_t shard)
{
    size_t used = strlen(text);
    assert(bytes > SHARD_LIST_ROOM && used < bytes);
    if (used > 0 && text[used - 1] == '.') return;
    if (used + SHARD_LIST_ROOM > bytes) (void)snprintf(text + used, bytes - used, " ...");
    else (void)snprintf(text + used, bytes - used, "%s%d", used == 0 ? "" : ", ", (int)shard);
}

/* The shards of which `is` is true. */
static const char *list_shards(const struct cluster_view *view, char text[LIST_BYTES],
                               bool (*is)(const struct shard_report *report))
{
    text[0] = '\0';
    for (int32_t shard = 0; shard < view->look->shards; shard++)
        if (is(&view->look->reports[shard])) shard_list_add(text, LIST_BYTES, shard);
    return text;
}

static bool is_not_live(const struct shard_report *report)
{
    return !shard_is_silent(report) && !shard_is_stuck(report) && !shard_is_live(report);
}

static void find_shard_faults(struct cluster_view *view)
{
    const struct cluster_look *look = view->look;
    char text[LIST_BYTES];
    char count[FIGURE_BYTES];
    if (view->daemon_count == 0) {
        fault(view, "no daemon has said anything for %d s: does belfryd run, and write to this "
              "Redis?", (int)(SHARD_HEALTH_FRESH_MS / 1000));
        return;
    }
    if (view->silent > 0)
        fault(view, "nobody says anything of shard %s: it is being moved, or its daemon does not "
              "reach Redis", list_shards(view, text, shard_is_silent));
    for (int32_t shard = 0, said = 0; shard < look->shards && said < 3; shard++) {
        const struct shard_report *report = &look->reports[shard];
        if (!shard_is_stuck(report)) continue;
        fault(view, "shard %d of %s has not moved for %" PRId64 " s (%s)", (int)shard,
              report->owner, report->still_ms / 1000, report->state);
        said++;
    }
    if (view->live + view->stuck + view->silent < look->shards)
        fault(view, "not live yet: shard %s", list_shards(view, text, is_not_live));
    if (look->shards_not_whole > 0)
        fault(view, "Redis has lost a part of %s; belfry shards shows which",
              counted_text(look->shards_not_whole, "shard", count));
}

static void find_faults(struct cluster_view *view)
{
    const struct cluster_look *look = view->look;
    const struct shard_figures *sum = &view->sum;
    char age[FIGURE_BYTES];
    char count[FIGURE_BYTES];
    if (look->kafka_fault != NULL) fault(view, "%s", look->kafka_fault);
    find_shard_faults(view);
    if (sum->failing > 0)
        fault(view, "failing: %s, whose fires cannot be produced; belfry doctor names them",
              counted_text(sum->failing, "job", count));
    if (sum->zoneless > 0)
        fault(view, "set aside: %s, whose time zone is missing; belfry doctor names them",
              counted_text(sum->zoneless, "job", count));
    int64_t late_ms = sum->oldest_due_ms == FIGURE_UNKNOWN ? 0 : look->now_ms - sum->oldest_due_ms;
    if (late_ms > OVERDUE_MS)
        fault(view, "slots of %s are overdue, the oldest for %s",
              counted_text(sum->owing, "job", count), age_text(late_ms, age));
}

void cluster_view_make(struct cluster_view *view, const struct cluster_look *look)
{
    assert(look->shards > 0 && look->shards <= SHARDS_MAX);
    *view = (struct cluster_view){.look = look, .taken_last = -1, .faults = json_array()};
    view->daemons = memory_allocate((size_t)look->shards, sizeof *view->daemons);
    figures_unknown(&view->sum);
    for (int32_t shard = 0; shard < look->shards; shard++) add_shard(view, &look->reports[shard]);
    qsort(view->daemons, (size_t)view->daemon_count, sizeof *view->daemons, by_owner);
    find_faults(view);
}

void cluster_view_free(struct cluster_view *view)
{
    free(view->daemons);
    json_decref(view->faults);
    *view = (struct cluster_view){0};
}

bool cluster_view_well(const struct cluster_view *view)
{
    return json_array_size(view->faults) == 0;
}

/* ---- in words ---- */

double figures_rate(const struct shard_figures *figures, int64_t count)
{
    if (count == FIGURE_UNKNOWN || figures->window_ms <= 0) return -1;
    return (double)count * 1000 / (double)figures->window_ms;
}

const char *figure_text(int64_t figure, char text[FIGURE_BYTES])
{
    static_assert((int)FIGURE_BYTES >= (int)GROUPED_BYTES, "a number fits");
    if (figure < 0) (void)snprintf(text, FIGURE_BYTES, "-");
    else number_grouped((uint64_t)figure, text);
    return text;
}

const char *counted_text(int64_t figure, const char *what, char text[FIGURE_BYTES])
{
    char number[FIGURE_BYTES];
    (void)snprintf(text, FIGURE_BYTES, "%.25s %.10s%s", figure_text(figure, number), what,
                   figure == 1 ? "" : "s");
    return text;
}

const char *rate_text(double rate, char text[FIGURE_BYTES])
{
    if (rate < 0) (void)snprintf(text, FIGURE_BYTES, "-");
    else if (rate < 100) (void)snprintf(text, FIGURE_BYTES, "%.1f", rate);
    else number_grouped((uint64_t)(rate + 0.5), text);
    return text;
}

const char *age_text(int64_t age_ms, char text[FIGURE_BYTES])
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"d", DAYS_MS}, {"h", HOURS_MS}, {"m", MINUTES_MS}, {"s", SECONDS_MS}};
    enum { UNITS = sizeof units / sizeof units[0] };
    if (age_ms < SECONDS_MS) {
        (void)snprintf(text, FIGURE_BYTES, "%" PRId64 "ms", age_ms < 0 ? 0 : age_ms);
        return text;
    }
    size_t first = 0;
    while (age_ms < units[first].ms) first++;
    int64_t rest_ms = age_ms % units[first].ms;
    int64_t smaller = first + 1 < UNITS ? rest_ms / units[first + 1].ms : 0;
    if (smaller > 0)
        (void)snprintf(text, FIGURE_BYTES, "%" PRId64 "%s%" PRId64 "%s", age_ms / units[first].ms,
                       units[first].unit, smaller, units[first + 1].unit);
    else
        (void)snprintf(text, FIGURE_BYTES, "%" PRId64 "%s", age_ms / units[first].ms,
                       units[first].unit);
    return text;
}

/* ---- as JSON ---- */

json_t *figure_json(int64_t figure)
{
    return figure == FIGURE_UNKNOWN ? json_null() : json_integer(figure);
}

static json_t *figure_rate_json(const struct shard_figures *figures, int64_t count)
{
    double rate = figures_rate(figures, count);
    return rate < 0 ? json_null() : json_real(rate);
}

json_t *figure_instant_json(int64_t instant_ms)
{
    char text[INSTANT_TEXT_BYTES];
    if (!instant_in_range(instant_ms)) return json_null();
    instant_format(instant_ms, text);
    return json_string(text);
}

static json_t *taken_json(const struct cluster_view *view)
{
    if (view->taken_last < 0) return json_null();
    const struct shard_report *report = &view->look->reports[view->taken_last];
    return json_pack("{s:i, s:s, s:o, s:o}", "shard", (int)report->shard, "owner", report->owner,
                     "at", figure_instant_json(report->figures.live_since_ms), "took_ms",
                     figure_json(report->figures.takeover_ms));
}

static json_t *jobs_json(const struct shard_figures *sum, int64_t stored)
{
    int64_t active = sum->paused == FIGURE_UNKNOWN
                         ? FIGURE_UNKNOWN
                         : sum->jobs - sum->paused - sum->finished - sum->failing;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "total", figure_json(sum->jobs),
                     "active", figure_json(active), "paused", figure_json(sum->paused), "finished",
                     figure_json(sum->finished), "failing", figure_json(sum->failing),
                     "without_zone", figure_json(sum->zoneless), "due_in_an_hour",
                     figure_json(sum->due_in_an_hour), "in_redis", figure_json(stored));
}

json_t *cluster_view_json(const struct cluster_view *view)
{
    const struct cluster_look *look = view->look;
    const struct shard_figures *sum = &view->sum;
    json_t *owed = json_pack("{s:o, s:o, s:o, s:o}", "jobs", figure_json(sum->owing), "oldest_due",
                             figure_instant_json(sum->oldest_due_ms), "slots_in_lane",
                             figure_json(sum->owed), "worked_off_ms",
                             figure_json(sum->worked_off_ms));
    json_t *runs = json_pack("{s:o, s:o}", "open", figure_json(sum->open_runs), "oldest_opened",
                             figure_instant_json(sum->oldest_run_ms));
    json_t *shards = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "total", (int)look->shards, "live",
                               (int)view->live, "stuck", (int)view->stuck, "silent",
                               (int)view->silent, "telling", (int)view->telling, "not_whole",
                               (int)look->shards_not_whole);
    json_t *daemons = json_array();
    for (int32_t i = 0; i < view->daemon_count; i++) {
        const struct daemon_view *daemon = &view->daemons[i];
        (void)json_array_append_new(
            daemons, json_pack("{s:s, s:i, s:i, s:I, s:s, s:s, s:o, s:o, s:o, s:o}", "owner",
                               daemon->owner, "shards", (int)daemon->shards, "live",
                               (int)daemon->live, "clock_ahead_ms",
                               (json_int_t)daemon->clock_ahead_ms, "version", daemon->version,
                               "tz_version", daemon->tz_version, "jobs",
                               figure_json(daemon->sum.jobs), "owed", figure_json(daemon->sum.owed),
                               "fires_per_second",
                               figure_rate_json(&daemon->sum, daemon->sum.window_fires),
                               "commands_per_second",
                               figure_rate_json(&daemon->sum, daemon->sum.window_commands)));
    }
    return json_pack("{s:b, s:O, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "well",
                     cluster_view_well(view), "not_well", view->faults, "as_of",
                     figure_instant_json(sum->reported_ms), "daemons", daemons, "shards", shards,
                     "jobs", jobs_json(sum, look->snapshot_jobs), "owed", owed, "runs", runs,
                     "last_takeover", taken_json(view), "fires_per_second",
                     figure_rate_json(sum, sum->window_fires), "commands_per_second",
                     figure_rate_json(sum, sum->window_commands), "commands_waiting",
                     figure_json(sum->waiting));
}
