/* belfry workers: who is alive, and what it works on. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/kafka/group_members.h"
#include "cli/kafka/topic_scan.h"
#include "cli/read/job_filter.h"
#include "cli/read/open_runs.h"
#include "cli/read/result_view.h"
#include "cli/read/worker_table.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_table.h"
#include "cli/show/print_text.h"
#include "cli/words/cli.h"
#include "cli/words/watch.h"

enum { OPEN_MOST = 20000, SEARCH_DEFAULT = 20000, GROUPS_ASKED_MOST = 100 };
#define SINCE_DEFAULT_MS (15 * MINUTES_MS)

struct asking {
    const struct settings *settings;
    struct worker_table *table;
    int64_t since_ms;
    int64_t search;
    bool whole;
};

static void warn(struct asking *asking, const struct error *error)
{
    asking->whole = false;
    (void)fputs("belfry: warning: ", stderr);
    print_safe(stderr, error->message, strlen(error->message));
    (void)fputc('\n', stderr);
}

static bool visit(void *opaque, const rd_kafka_message_t *message)
{
    if (message->payload != NULL)
        worker_table_reports(opaque, (struct text){message->payload, message->len},
                             rd_kafka_message_timestamp(message, NULL));
    return true;
}

static bool read_reports(struct asking *asking, struct error *error)
{
    char topic[TOPIC_NAME_BYTES];
    struct scan scan = {SCAN_ALL, cli_now_ms() - asking->since_ms, asking->search};
    struct scan_report report = {0};
    topic_name(topic, asking->settings, "runs");
    if (scan.from_ms < 0) scan.from_ms = 0;
    return topic_scan(asking->settings, topic, &scan, visit, asking->table, &report, error);
}

static bool read_open(struct asking *asking, struct error *error)
{
    struct open_runs runs = {0};
    const struct open_runs_wanted wanted = {.shard = OPEN_RUNS_ALL, .late_ms = -1, .older_ms = -1,
                                            .workers_only = true, .most = OPEN_MOST};
    bool read = open_runs_read(&runs, asking->settings, &wanted, error);
    for (size_t i = 0; i < json_array_size(runs.views); i++)
        worker_table_open(asking->table, json_array_get(runs.views, i));
    open_runs_free(&runs);
    return read;
}

static bool read_members(struct asking *asking, struct cli_kafka *client, const char *workers,
                         struct error *error)
{
    json_t *members = NULL;
    if (!group_members_read(client, asking->settings->timeout_ms, workers, &members, error))
        return false;
    worker_table_members(asking->table, workers, members);
    json_decref(members);
    return true;
}

/* Those that are named by --workers, else those of which something was heard. Where Kafka does not
 * answer for one, it is not waited for again. */
static bool read_groups(struct asking *asking, struct cli_kafka *client, struct error *error)
{
    const struct arguments *arguments = asking->settings->arguments;
    const json_t *groups = worker_table_groups(asking->table);
    const char *name = NULL;
    size_t at = 0;
    bool read = true;
    while (read && (name = arguments_next(arguments, "workers", &at)) != NULL)
        read = read_members(asking, client, name, error);
    if (arguments_has(arguments, "workers")) return read;
    if (json_object_size(groups) > GROUPS_ASKED_MOST)
        return error_set(error, ERROR_FATAL, "%zu consumer groups are named in what workers "
                         "report: who is in them is not asked; --workers names those that are "
                         "meant", json_object_size(groups));
    json_t *copy = json_copy((json_t *)(uintptr_t)groups);
    for (void *item = json_object_iter(copy); read && item != NULL;
         item = json_object_iter_next(copy, item))
        read = read_members(asking, client, json_object_iter_key(item), error);
    json_decref(copy);
    return read;
}

static void read_all_members(struct asking *asking)
{
    struct error error = {0};
    struct cli_kafka *client = cli_kafka_create(asking->settings, CLI_READER, &error);
    if (client == NULL || !read_groups(asking, client, &error)) warn(asking, &error);
    cli_kafka_destroy(client);
}

static json_t *rows_wanted(const struct asking *asking)
{
    const struct arguments *arguments = asking->settings->arguments;
    json_t *all = worker_table_rows(asking->table, cli_now_ms());
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *row = json_array_get(all, i);
        if (text_among(arguments, "workers", json_member_text(row, "workers")) &&
            text_among(arguments, "group", json_member_text(row, "group")))
            (void)json_array_append(rows, row);
    }
    json_decref(all);
    return rows;
}

static void print_row(struct table *table, const json_t *row)
{
    static const char *const members[] = {"worker", "workers", "state", "runnumber", "run"};
    struct text texts[5];
    char sign[JOB_VIEW_TIME_BYTES];
    char since[JOB_VIEW_TIME_BYTES];
    char job[JOB_NAME_BYTES_MAX + 1] = "-";
    const char *group = json_member_text(row, "group");
    const char *id = json_member_text(row, "id");
    for (size_t i = 0; i < 5; i++) {
        const char *text = json_member_text(row, members[i]);
        texts[i] = text_of(text == NULL ? "-" : text);
    }
    time_shorten(json_member_text(row, "last_sign_at"), sign, sizeof sign);
    time_shorten(json_member_text(row, "since"), since, sizeof since);
    if (group != NULL && id != NULL) (void)snprintf(job, sizeof job, "%s/%s", group, id);
    bool silent = text_equal(texts[2], text_of("silent"));
    bool working = text_equal(texts[2], text_of("working"));
    const struct table_cell cells[] = {
        {texts[0], TONE_PLAIN},
        {texts[1], TONE_PLAIN},
        {texts[2], silent ? TONE_BAD : working ? TONE_GOOD : TONE_DIM},
        {text_of(sign), TONE_PLAIN},
        {text_of(job), TONE_PLAIN},
        {text_of(since), TONE_PLAIN},
        {texts[3], TONE_DIM},
        {texts[4], TONE_DIM},
    };
    table_add(table, cells);
}

static void print_table(const struct settings *settings, const json_t *rows)
{
    static const struct table_column columns[] = {
        {"WORKER", false, 10},    {"OF", false, 8},    {"STATE", false, 0},
        {"LAST SIGN", false, 0},  {"JOB", false, 12},  {"SINCE", false, 0},
        {"RUNNUMBER", false, 10}, {"RUN", false, 12}};
    struct table *table = table_create(stdout, columns, sizeof columns / sizeof columns[0],
                                       settings->width, settings->colour);
    for (size_t i = 0; i < json_array_size(rows); i++) print_row(table, json_array_get(rows, i));
    table_finish(table);
}

static void print_rows(const struct settings *settings, const json_t *rows)
{
    if (settings->output == OUTPUT_TABLE) print_table(settings, rows);
    else rows_print(settings, rows, "worker");
    (void)fflush(stdout);
}

static bool read_asking(struct asking *asking, struct error *error)
{
    const struct arguments *arguments = asking->settings->arguments;
    if (arguments->positional_count > 0)
        return error_invalid(error, CODE_USAGE, "\"%.60s\" is too much: --workers names a consumer "
                             "group, --group a group of jobs", arguments->positionals[0]);
    return arguments_duration(arguments, "since", &asking->since_ms, error) &&
           arguments_number(arguments, "search", 1, INT64_MAX, &asking->search, error);
}

static enum exit_code workers_once(const struct invocation *invocation)
{
    struct error error = {0};
    struct error part = {0};
    struct asking asking = {.settings = invocation->settings, .table = worker_table_create(),
                            .since_ms = SINCE_DEFAULT_MS, .search = SEARCH_DEFAULT, .whole = true};
    bool read = read_asking(&asking, &error) && read_reports(&asking, &error);
    if (read) {
        if (!read_open(&asking, &part)) warn(&asking, &part);
        read_all_members(&asking);
        json_t *rows = rows_wanted(&asking);
        print_rows(asking.settings, rows);
        json_decref(rows);
    }
    worker_table_destroy(asking.table);
    if (!read) return exit_with(&error);
    return asking.whole ? CLI_OK : CLI_PARTLY;
}

enum exit_code command_workers(const struct invocation *invocation)
{
    return watch_or_once(invocation, workers_once);
}
