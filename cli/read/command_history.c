/* belfry history: the tries of a job's runs, one a line. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/read/job_fetch.h"
#include "cli/read/result_view.h"
#include "cli/read/run_history.h"
#include "cli/show/cli_clock.h"
#include "cli/show/json_text.h"
#include "cli/show/print_text.h"
#include "cli/show/run_lines.h"
#include "cli/words/cli.h"
#include "lib/base/limits.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"

enum { SHOWN_DEFAULT = 100, SHOWN_MOST = 20000, SEARCH_DEFAULT = 100000 };

struct asked {
    int64_t since_ms; /* 0: as far back as the topics go */
    int64_t most;
    int64_t search;
};

static bool read_asked(struct asked *asked, const struct arguments *arguments,
                       struct error *error)
{
    const char *since = arguments_value(arguments, "since");
    int64_t ago_ms = 0;
    *asked = (struct asked){.most = SHOWN_DEFAULT, .search = SEARCH_DEFAULT};
    if (since != NULL && duration_parse(since, strlen(since), &ago_ms, NULL)) {
        asked->since_ms = cli_now_ms() - ago_ms;
    } else if (since != NULL && !instant_parse(since, strlen(since), &asked->since_ms, NULL)) {
        return error_invalid(error, CODE_USAGE, "--since: \"%.40s\" is neither a time such as "
                             "2026-11-22T02:30:00Z nor a length of time such as 6h", since);
    }
    if (asked->since_ms < 0) asked->since_ms = 0;
    return arguments_number(arguments, "limit", 1, SHOWN_MOST, &asked->most, error) &&
           arguments_number(arguments, "search", 1, INT64_MAX, &asked->search, error);
}

static void print_history(const struct settings *settings, const struct run_history *runs)
{
    if (settings->output == OUTPUT_TABLE)
        run_lines_print(stdout, runs->lines, settings->width, settings->colour);
    else
        rows_print(settings, runs->lines, "run");
    (void)fflush(stdout);
}

static void say_how_far(const struct asked *asked, const struct run_history *runs,
                        const struct job_history *history)
{
    char back_to[INSTANT_TEXT_BYTES] = "now";
    if (instant_in_range(history->back_to_ms)) instant_format(history->back_to_ms, back_to);
    if (history->cut)
        (void)fprintf(stderr, "belfry: looked back to %s, through the last %lld records of each "
                      "topic; --search N looks further\n", back_to, (long long)asked->search);
    if (runs->cut)
        (void)fprintf(stderr, "belfry: only the newest %lld lines are shown; -n N shows more\n",
                      (long long)asked->most);
    if (history->unread[0] == '\0') return;
    (void)fputs("belfry: warning: this is what could be read: ", stderr);
    print_safe(stderr, history->unread, strlen(history->unread));
    (void)fputc('\n', stderr);
}

/* The topic of the job's fires; NULL: the cluster's. */
static const char *topic_of(const struct arguments *arguments, const json_t *job)
{
    const char *given = arguments_value(arguments, "topic");
    return given != NULL ? given : json_member_text(job, "topic");
}

/* False: there is nothing to show of a job that is not there. */
static bool show(const struct settings *settings, const struct job_fetched *fetched,
                 const struct asked *asked, bool *whole)
{
    json_t *job = fetched->text == NULL
                      ? NULL
                      : json_loadb(fetched->text, fetched->text_bytes, 0, NULL);
    struct job_history history;
    struct run_history runs;
    const struct run_history_wanted wanted = {
        .incarnation = json_member_text(job, "incarnation"), .shard = fetched->shard,
        .from_ms = asked->since_ms, .last = asked->search, .most = (size_t)asked->most};
    job_history_read(&history, settings, fetched->name, topic_of(settings->arguments, job),
                     fetched->shard, asked->since_ms, asked->search, (size_t)asked->most);
    run_history_read(&runs, settings, &wanted, &history);
    *whole = history.whole;
    bool shown = job != NULL || json_array_size(runs.lines) > 0;
    if (shown && job == NULL)
        (void)fprintf(stderr, "belfry: there is no job %s now; this is of one of that name\n",
                      fetched->name);
    if (shown) print_history(settings, &runs);
    if (shown) say_how_far(asked, &runs, &history);
    run_history_free(&runs);
    job_history_free(&history);
    json_decref(job);
    return shown;
}

enum exit_code command_history(const struct invocation *invocation)
{
    const struct settings *settings = invocation->settings;
    struct error error = {0};
    struct job_fetched fetched = {0};
    struct asked asked;
    bool read = read_asked(&asked, settings->arguments, &error) &&
                job_fetch(&fetched, settings, "history", &error);
    /* A job that is deleted has a past, too. */
    bool gone = !read && error.code == CODE_NOT_FOUND;
    bool whole = true;
    bool shown = (read || gone) && show(settings, &fetched, &asked, &whole);
    job_fetched_free(&fetched);
    if (!shown) return exit_with(&error);
    return whole ? CLI_OK : CLI_PARTLY;
}
