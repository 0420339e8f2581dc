#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/read/calendar.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_view.h"
#include "cli/show/next_times.h"
#include "cli/words/cli.h"
#include "cli/words/schedule_flags.h"
#include "lib/time/instant.h"

static void print_times(const struct settings *settings, const json_t *times)
{
    assert(json_is_array(times));
    if (settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON) {
        json_t *answer = json_pack("{s:O}", "next", times);
        (void)json_dumpf(answer, stdout, JSON_COMPACT);
        (void)fputc('\n', stdout);
        json_decref(answer);
        return;
    }
    for (size_t i = 0; i < json_array_size(times); i++) {
        char text[JOB_VIEW_TIME_BYTES];
        time_shorten(json_string_value(json_array_get(times, i)), text, sizeof text);
        (void)puts(text);
    }
    if (json_array_size(times) == 0) (void)fputs("belfry: never again\n", stderr);
}

/* One line at a time, so that a program can talk to it through two pipes. */
static enum exit_code run_batch(const struct zone_lookup *zones)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length = 0;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    while ((length = getline(&line, &capacity, stdin)) >= 0) {
        assert(line != NULL);
        if (strspn(line, " \t\r\n") == (size_t)length) continue;
        json_t *answer = next_batch_answer(line, (size_t)length, zones, cli_now_ms());
        (void)json_dumpf(answer, stdout, JSON_COMPACT);
        (void)fputc('\n', stdout);
        json_decref(answer);
    }
    free(line);
    return CLI_OK;
}

static bool batch_alone(const struct arguments *arguments, struct error *error)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const struct option_row *given = arguments->items[i].row;
        const struct option_row *row = settings_options;
        while (row->name != NULL && row != given) row++;
        if (row->name == NULL && strcmp(given->name, "batch") != 0)
            return error_invalid(error, CODE_USAGE, "--%s does not go with --batch, which reads "
                                 "all of each schedule from its line", given->name);
    }
    return true;
}

/* The next ones as an array of texts. */
static json_t *next_of(const struct flag_schedule *schedule, int64_t count)
{
    json_t *times = json_array();
    int64_t at_ms = schedule->from_ms;
    while ((int64_t)json_array_size(times) < count &&
           schedule_next(&schedule->definition.schedule, at_ms, &at_ms)) {
        char text[INSTANT_TEXT_BYTES];
        instant_format(at_ms, text);
        (void)json_array_append_new(times, json_string(text));
    }
    return times;
}

enum exit_code command_next(const struct invocation *invocation)
{
    const struct arguments *arguments = invocation->arguments;
    struct flag_schedule schedule = {0};
    struct error error = {0};
    bool calendar = arguments_has(arguments, "calendar");
    int64_t count = calendar ? 1 : NEXT_COUNT_DEFAULT;
    int64_t most = calendar ? CALENDAR_MONTHS_MAX : NEXT_COUNT_MAX;
    enum exit_code code = CLI_OK;
    if (arguments_has(arguments, "batch") && arguments->positional_count == 0)
        return batch_alone(arguments, &error) ? run_batch(invocation->settings->zones)
                                              : exit_with(&error);
    if (!flag_schedule_read(&schedule, invocation, &error) ||
        !arguments_number(arguments, "count", 1, most, &count, &error)) {
        code = exit_with(&error);
        flag_schedule_point_at(arguments, &error);
    } else if (calendar) {
        calendar_print(invocation->settings, &schedule, count);
    } else {
        json_t *times = next_of(&schedule, count);
        print_times(invocation->settings, times);
        json_decref(times);
    }
    flag_schedule_free(&schedule);
    return code;
}
