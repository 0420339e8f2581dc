#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/cli/cli.h"
#include "dispatcher/cli/cli_clock.h"
#include "dispatcher/cli/job_view.h"
#include "dispatcher/cli/next_times.h"
#include "dispatcher/core/instant.h"

static const char *const members[] = {"cron", "every", "at", "zone", "dialect", "dst", "anchor"};
enum { MEMBERS = sizeof members / sizeof members[0] };

static json_t *flags_schedule(const struct arguments *arguments)
{
    json_t *schedule = json_object();
    assert(arguments != NULL);
    for (int i = 0; i < MEMBERS; i++) {
        const char *value = arguments_value(arguments, members[i]);
        if (value != NULL) (void)json_object_set_new(schedule, members[i], json_string(value));
    }
    assert(schedule != NULL);
    return schedule;
}

static bool read_from(const struct arguments *arguments, int64_t *from_ms, struct error *error)
{
    assert(arguments != NULL);
    const char *from = arguments_value(arguments, "from");
    struct error refused = {0};
    assert(from_ms != NULL);
    if (from == NULL || instant_parse(from, strlen(from), from_ms, &refused)) return true;
    assert(refused.kind == ERROR_INVALID);
    return error_invalid(error, CLI_CODE_USAGE, "--from: %s", refused.message);
}

static void print_times(const struct settings *settings, const json_t *times)
{
    assert(settings != NULL);
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

/* Under the offending column, as compilers do: the text, then a caret. */
static void point_at(const struct arguments *arguments, const struct error *error)
{
    assert(arguments != NULL);
    const char *cron = arguments_value(arguments, "cron");
    assert(error->kind != ERROR_NONE);
    if (cron == NULL || error->column < 1 || (size_t)error->column > strlen(cron) + 1) return;
    for (const char *at = cron; *at != '\0'; at++)
        if (*at < ' ' || *at > '~') return;
    (void)fprintf(stderr, "  %s\n  %*s\n", cron, error->column, "^");
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

enum exit_code command_next(const struct invocation *invocation)
{
    assert(invocation != NULL);
    const struct arguments *arguments = invocation->arguments;
    const struct zone_lookup *zones = invocation->settings->zones;
    struct error error = {0};
    int64_t from_ms = cli_now_ms();
    int64_t count = NEXT_COUNT_DEFAULT;
    assert(arguments != NULL);
    if (arguments->positional_count > 0)
        (void)error_invalid(&error, CLI_CODE_USAGE,
                            "\"%.60s\" is too much: give the schedule by --cron, --every or --at",
                            arguments->positionals[0]);
    if (error.kind != ERROR_NONE || !read_from(arguments, &from_ms, &error) ||
        !arguments_number(arguments, "count", 1, NEXT_COUNT_MAX, &count, &error))
        return exit_with(&error);
    if (arguments_has(arguments, "batch")) return run_batch(zones);
    json_t *schedule = flags_schedule(arguments);
    json_t *times = NULL;
    if (json_object_size(schedule) == 0)
        (void)error_invalid(&error, CLI_CODE_USAGE,
                            "when? Give --cron EXPR, --every D, --at TIME, or --batch");
    bool ok = error.kind == ERROR_NONE &&
              next_times(schedule, zones, from_ms, count, &times, &error);
    if (ok) print_times(invocation->settings, times);
    enum exit_code code = ok ? CLI_OK : exit_with(&error);
    if (!ok) point_at(arguments, &error);
    json_decref(times);
    json_decref(schedule);
    return code;
}
