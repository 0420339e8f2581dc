/* belfry top: a cluster at work, drawn again every two seconds. */
#include <stdio.h>

#include "cli/operate/cluster_reading.h"
#include "cli/operate/top_screen.h"
#include "cli/read/result_view.h"
#include "cli/words/cli.h"
#include "cli/words/watch.h"

enum { COLUMNS_DEFAULT = 80, ROWS_DEFAULT = 24 };

static json_t *shard_json(const struct shard_report *report)
{
    const struct shard_figures *figures = &report->figures;
    json_t *object = json_pack("{s:i, s:s, s:s, s:I}", "shard", (int)report->shard, "owner",
                               report->owner, "state", report->state, "still_ms",
                               (json_int_t)report->still_ms);
#define SHARD_FIGURE_SET(name)                                                                     \
    (void)json_object_set_new(object, #name, figure_json(figures->name));
    SHARD_FIGURES(SHARD_FIGURE_SET)
#undef SHARD_FIGURE_SET
    return object;
}

static void print_json_form(const struct settings *settings, const struct cluster_view *view)
{
    json_t *object = cluster_view_json(view);
    json_t *each = json_array();
    for (int32_t shard = 0; shard < view->look->shards; shard++)
        (void)json_array_append_new(each, shard_json(&view->look->reports[shard]));
    (void)json_object_set_new(object, "cluster", json_string(settings->cluster));
    (void)json_object_set_new(object, "each_shard", each);
    value_print(settings, object);
    json_decref(object);
}

static enum exit_code once(const struct invocation *invocation)
{
    const struct settings *settings = invocation->settings;
    struct error error = {0};
    struct cluster_reading reading = {0};
    if (!cluster_reading_redis(&reading, settings, &error)) {
        cluster_reading_free(&reading);
        return exit_with(&error);
    }
    struct cluster_view view;
    cluster_view_make(&view, &reading.look);
    struct top_size size = {.columns = settings->width, .rows = settings->height,
                            .colour = settings->colour};
    if (size.columns == 0) size = (struct top_size){COLUMNS_DEFAULT, ROWS_DEFAULT, false};
    if (settings->output == OUTPUT_TABLE) top_screen(stdout, &view, settings->cluster, &size);
    else print_json_form(settings, &view);
    cluster_view_free(&view);
    cluster_reading_free(&reading);
    return CLI_OK;
}

enum exit_code command_top(const struct invocation *invocation)
{
    const struct settings *settings = invocation->settings;
    struct error error = {0};
    int64_t every_ms = WATCH_DEFAULT_MS;
    if (invocation->arguments->positional_count > 0)
        (void)error_invalid(&error, CODE_USAGE, "top takes no names");
    else if (settings->output == OUTPUT_NAME)
        (void)error_invalid(&error, CODE_USAGE, "top has no names to print; --once -o json");
    else if (arguments_has(invocation->arguments, "once") &&
             arguments_has(invocation->arguments, "refresh"))
        (void)error_invalid(&error, CODE_USAGE, "--once prints one screen: leave --refresh out");
    else if (arguments_has(invocation->arguments, "once"))
        return once(invocation);
    else if (settings->output != OUTPUT_TABLE || settings->width == 0)
        (void)error_invalid(&error, CODE_USAGE, "top draws on a terminal; elsewhere belfry top "
                            "--once, or --once -o json");
    else if (watch_every(invocation->arguments, "refresh", &every_ms, &error))
        return watch_terminal(invocation, once, every_ms, false);
    return exit_with(&error);
}
