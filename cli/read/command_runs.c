/* belfry runs: those that are open, and those that failed. */
#include <jansson.h>
#include <stdio.h>

#include "cli/read/failed_runs.h"
#include "cli/read/open_runs.h"
#include "cli/read/result_view.h"
#include "cli/read/run_selection.h"
#include "cli/show/open_run_view.h"
#include "cli/show/print_text.h"
#include "cli/words/cli.h"
#include "cli/words/watch.h"

enum { SHOWN_DEFAULT = 1000, SHOWN_MOST = 100000 };
#define LATE_DEFAULT_MS MINUTES_MS

typedef void table_printer(FILE *stream, const json_t *views, size_t width, bool colour);

static void print_views(const struct settings *settings, const json_t *views, table_printer *print)
{
    if (settings->output == OUTPUT_TABLE) print(stdout, views, settings->width, settings->colour);
    else rows_print(settings, views, "run");
    (void)fflush(stdout);
}

static void say_rest(const struct open_runs *runs)
{
    int64_t shown = (int64_t)json_array_size(runs->views);
    if (runs->matched > shown)
        (void)fprintf(stderr, "belfry: %lld open runs match, the oldest %lld are shown; -n N shows "
                      "more\n", (long long)runs->matched, (long long)shown);
    if (runs->unreadable > 0)
        (void)fprintf(stderr, "belfry: warning: %lld open runs are written in a way that this "
                      "version cannot read\n", (long long)runs->unreadable);
}

static bool read_wanted(struct open_runs_wanted *wanted, const struct arguments *arguments,
                        struct error *error)
{
    int64_t most = SHOWN_DEFAULT;
    int64_t late_ms = LATE_DEFAULT_MS;
    bool read = arguments_number(arguments, "limit", 1, SHOWN_MOST, &most, error) &&
                arguments_duration(arguments, "late", &late_ms, error) &&
                arguments_duration(arguments, "older-than", &wanted->older_ms, error);
    wanted->most = (size_t)most;
    if (arguments_has(arguments, "late")) wanted->late_ms = late_ms;
    return read;
}

static enum exit_code failed_once(const struct settings *settings)
{
    const struct arguments *arguments = settings->arguments;
    struct error error = {0};
    struct run_selection selection = {0};
    int64_t most = SHOWN_DEFAULT;
    int64_t left_out = 0;
    json_t *runs = NULL;
    bool alone = !arguments_has(arguments, "late") && !arguments_has(arguments, "older-than");
    if (!alone)
        (void)error_invalid(&error, CODE_USAGE, "--late and --older-than are about open runs: give "
                            "them or --failed");
    bool read = alone && arguments_number(arguments, "limit", 1, SHOWN_MOST, &most, &error) &&
                run_selection_read(&selection, settings, &error) &&
                failed_runs_read(settings, &selection, most, &runs, &left_out, &error);
    if (read) print_views(settings, runs, failed_runs_print);
    if (read && left_out > 0)
        (void)fprintf(stderr, "belfry: only the newest are shown, %lld more match; -n N shows "
                      "more\n", (long long)left_out);
    json_decref(runs);
    run_selection_free(&selection);
    return read ? CLI_OK : exit_with(&error);
}

static enum exit_code runs_once(const struct invocation *invocation)
{
    if (arguments_has(invocation->arguments, "failed")) return failed_once(invocation->settings);
    const struct settings *settings = invocation->settings;
    struct error error = {0};
    struct run_selection selection = {0};
    struct open_runs runs = {0};
    struct open_runs_wanted wanted = {.selection = &selection, .shard = OPEN_RUNS_ALL,
                                      .late_ms = -1, .older_ms = -1};
    bool read = read_wanted(&wanted, settings->arguments, &error) &&
                run_selection_read(&selection, settings, &error) &&
                open_runs_read(&runs, settings, &wanted, &error);
    if (read || error.code == CODE_NOT_WHOLE) {
        print_views(settings, runs.views, open_runs_print);
        say_rest(&runs);
    }
    open_runs_free(&runs);
    run_selection_free(&selection);
    return read ? CLI_OK : exit_with(&error);
}

enum exit_code command_runs(const struct invocation *invocation)
{
    return watch_or_once(invocation, runs_once);
}
