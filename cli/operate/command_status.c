/* belfry status: is it well, on one screen, and with an exit code for scripts. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/kafka/group_lag.h"
#include "cli/operate/cluster_reading.h"
#include "cli/read/result_view.h"
#include "cli/show/print_text.h"
#include "cli/words/cli.h"
#include "lib/time/instant.h"

enum { TEXT_BYTES = 400 };

struct status {
    const struct settings *settings;
    const struct cluster_view *view;
    const char *group; /* of consumers; NULL: not asked for */
    const char *topic;
    bool lag_known;
    struct group_lag lag;
};

/* ---- as text ---- */

static void say(const char *name, const char *text)
{
    (void)printf("%-15s ", name);
    print_safe(stdout, text, strlen(text));
    (void)fputc('\n', stdout);
}

static void say_daemons(const struct cluster_view *view)
{
    const struct cluster_look *look = view->look;
    char text[TEXT_BYTES];
    char members[FIGURE_BYTES];
    (void)snprintf(text, sizeof text, "%d with shards, %s in the group", (int)view->daemon_count,
                   figure_text(look->group_members, members));
    say("daemons", text);
    (void)snprintf(text, sizeof text, "%d of %d live, %d stuck, %d of which nobody says anything",
                   (int)view->live, (int)look->shards, (int)view->stuck, (int)view->silent);
    say("shards", text);
}

static void say_jobs(const struct cluster_view *view)
{
    const struct shard_figures *sum = &view->sum;
    char text[TEXT_BYTES];
    char total[FIGURE_BYTES], active[FIGURE_BYTES], paused[FIGURE_BYTES], finished[FIGURE_BYTES],
        failing[FIGURE_BYTES];
    bool known = sum->paused != FIGURE_UNKNOWN;
    int64_t others = sum->paused + sum->finished + sum->failing;
    (void)snprintf(text, sizeof text, "%s: %s active, %s paused, %s finished, %s failing",
                   figure_text(sum->jobs, total),
                   figure_text(known ? sum->jobs - others : FIGURE_UNKNOWN, active),
                   figure_text(sum->paused, paused), figure_text(sum->finished, finished),
                   figure_text(sum->failing, failing));
    say("jobs", text);
    (void)snprintf(text, sizeof text, "at least %s due",
                   counted_text(sum->due_in_an_hour, "job", total));
    say("next hour", text);
}

static void say_overdue(const struct cluster_view *view)
{
    const struct shard_figures *sum = &view->sum;
    char text[TEXT_BYTES];
    char slots[FIGURE_BYTES], jobs[FIGURE_BYTES], age[FIGURE_BYTES], off[FIGURE_BYTES] = "-";
    char oldest[INSTANT_TEXT_BYTES];
    if (!instant_in_range(sum->oldest_due_ms)) {
        say("overdue", counted_text(sum->owing, "job", jobs));
        return;
    }
    instant_format(sum->oldest_due_ms, oldest);
    (void)snprintf(text, sizeof text, "%s, the oldest slot was due at %s, %s ago",
                   counted_text(sum->owing, "job", jobs), oldest,
                   age_text(view->look->now_ms - sum->oldest_due_ms, age));
    say("overdue", text);
    if (sum->worked_off_ms != FIGURE_UNKNOWN) (void)age_text(sum->worked_off_ms, off);
    (void)snprintf(text, sizeof text, "%s in the catch-up lane, worked off in %s",
                   counted_text(sum->owed, "slot", slots), off);
    if (sum->owed > 0) say("", text);
}

static void say_runs(const struct cluster_view *view)
{
    const struct shard_figures *sum = &view->sum;
    char text[TEXT_BYTES];
    char runs[FIGURE_BYTES], age[FIGURE_BYTES];
    if (sum->open_runs == FIGURE_UNKNOWN) return; /* older daemons */
    int length = snprintf(text, sizeof text, "%s open", counted_text(sum->open_runs, "run", runs));
    if (sum->oldest_run_ms != FIGURE_UNKNOWN)
        (void)snprintf(text + length, sizeof text - (size_t)length, ", the oldest for %s",
                       age_text(view->look->now_ms - sum->oldest_run_ms, age));
    say("runs", text);
}

static void say_takeover(const struct cluster_view *view)
{
    char text[TEXT_BYTES];
    char at[INSTANT_TEXT_BYTES];
    char took[FIGURE_BYTES] = "-";
    if (view->taken_last < 0) {
        say("last take-over", "-");
        return;
    }
    const struct shard_report *report = &view->look->reports[view->taken_last];
    int64_t since_ms = report->figures.live_since_ms;
    if (report->figures.takeover_ms != FIGURE_UNKNOWN)
        (void)age_text(report->figures.takeover_ms, took);
    if (instant_in_range(since_ms)) instant_format(since_ms, at);
    else at[0] = '\0';
    (void)snprintf(text, sizeof text, "%s, shard %d by %s, in %s", at, (int)report->shard,
                   report->owner, took);
    say("last take-over", text);
}

static void say_lag(const struct status *status)
{
    const struct group_lag *lag = &status->lag;
    char text[TEXT_BYTES];
    char records[FIGURE_BYTES], offsets[FIGURE_BYTES], age[FIGURE_BYTES];
    if (status->group == NULL) return;
    int64_t now_ms = status->view->look->now_ms;
    if (!status->lag_known)
        (void)snprintf(text, sizeof text, "%.100s: not known", status->group);
    else if (lag->begun == 0)
        (void)snprintf(text, sizeof text, "%.100s has committed nothing in %.100s", status->group,
                       status->topic);
    else if (lag->records == 0)
        (void)snprintf(text, sizeof text, "%.100s has read all of %.100s", status->group,
                       status->topic);
    else
        (void)snprintf(text, sizeof text, "%.100s is %s%s behind in %.100s, the oldest came %s ago",
                       status->group, lag->more ? "more than " : "",
                       counted_text(lag->records, "record", records), status->topic,
                       age_text(now_ms - lag->oldest_ms, age));
    say("consumers", text);
    if (!lag->more) return;
    (void)snprintf(text, sizeof text, "at most %s, markers of transactions included",
                   figure_text(lag->offsets, offsets));
    say("", text);
}

static void print_text_form(const struct status *status)
{
    const struct cluster_view *view = status->view;
    const struct shard_figures *sum = &view->sum;
    char text[TEXT_BYTES];
    char fires[FIGURE_BYTES], commands[FIGURE_BYTES], waiting[FIGURE_BYTES];
    say("cluster", status->settings->cluster);
    say_daemons(view);
    say_jobs(view);
    say_overdue(view);
    say_runs(view);
    (void)snprintf(text, sizeof text, "%s fires/s, %s commands/s; %s waiting",
                   rate_text(figures_rate(sum, sum->window_fires), fires),
                   rate_text(figures_rate(sum, sum->window_commands), commands),
                   counted_text(sum->waiting, "command", waiting));
    say("rates", text);
    say_takeover(view);
    say_lag(status);
    if (view->telling < view->look->shards) {
        (void)snprintf(text, sizeof text, "of %d of %d shards", (int)view->telling,
                       (int)view->look->shards);
        say("figures", text);
    }
    for (size_t i = 0; i < json_array_size(view->faults); i++)
        say("not well", json_string_value(json_array_get(view->faults, i)));
    if (cluster_view_well(view)) say("well", "yes");
}

/* ---- as JSON ---- */

static json_t *lag_json(const struct status *status)
{
    const struct group_lag *lag = &status->lag;
    if (!status->lag_known)
        return json_pack("{s:s, s:s, s:n}", "group", status->group, "topic", status->topic,
                         "records");
    return json_pack("{s:s, s:s, s:I, s:b, s:I, s:i, s:i, s:o}", "group", status->group, "topic",
                     status->topic, "records", (json_int_t)lag->records, "more", lag->more,
                     "offsets", (json_int_t)lag->offsets, "partitions", (int)lag->partitions,
                     "partitions_begun", (int)lag->begun, "oldest",
                     figure_instant_json(lag->oldest_ms));
}

static void print_json_form(const struct status *status)
{
    const struct cluster_look *look = status->view->look;
    json_t *object = cluster_view_json(status->view);
    (void)json_object_set_new(object, "cluster", json_string(status->settings->cluster));
    (void)json_object_set_new(object, "group_members", figure_json(look->group_members));
    if (status->group != NULL) (void)json_object_set_new(object, "consumers", lag_json(status));
    value_print(status->settings, object);
    json_decref(object);
}

/* ---- the command ---- */

static bool read_options(struct status *status, const struct arguments *arguments,
                         char topic[TOPIC_NAME_BYTES], struct error *error)
{
    status->group = arguments_value(arguments, "consumer-group");
    status->topic = arguments_value(arguments, "topic");
    topic_name(topic, status->settings, "fires");
    if (arguments->positional_count > 0)
        return error_invalid(error, CODE_USAGE, "status takes no names");
    if (status->topic != NULL && status->group == NULL)
        return error_invalid(error, CODE_USAGE, "--topic goes with --consumer-group");
    if (status->settings->output == OUTPUT_NAME)
        return error_invalid(error, CODE_USAGE, "status has no names to print; -o json");
    if (status->topic == NULL) status->topic = topic;
    return true;
}

enum exit_code command_status(const struct invocation *invocation)
{
    struct error error = {0};
    struct cluster_reading reading = {0};
    struct cluster_view view;
    char topic[TOPIC_NAME_BYTES];
    struct status status = {.settings = invocation->settings, .view = &view};
    if (!read_options(&status, invocation->arguments, topic, &error)) return exit_with(&error);
    if (!cluster_reading_redis(&reading, status.settings, &error)) {
        cluster_reading_free(&reading);
        return exit_with(&error);
    }
    cluster_reading_group(&reading, status.settings);
    struct error unread = {0};
    if (status.group != NULL && reading.look.kafka_fault == NULL) {
        status.lag_known = group_lag_read(status.settings, status.group, status.topic, &status.lag,
                                          &unread);
        if (!status.lag_known) reading.look.kafka_fault = unread.message;
    }
    cluster_view_make(&view, &reading.look);
    if (status.settings->output == OUTPUT_TABLE) print_text_form(&status);
    else print_json_form(&status);
    bool well = cluster_view_well(&view);
    cluster_view_free(&view);
    cluster_reading_free(&reading);
    return well ? CLI_OK : CLI_FAILED;
}
