/* belfry validate: what a schedule means, before anything depends on it. */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/show/cron_words.h"
#include "cli/show/job_text.h"
#include "cli/show/local_time.h"
#include "cli/show/next_times.h"
#include "cli/show/print_text.h"
#include "cli/show/run_words.h"
#include "cli/words/cli.h"
#include "cli/words/run_flags.h"
#include "cli/words/schedule_flags.h"
#include "lib/time/cron_local.h"
#include "lib/time/instant.h"

enum { CHANGES_SHOWN = 4, SPAN_DAYS = 400, CHANGE_BYTES = 200 };

/* ---- clock changes the schedule meets ---- */

static void change_text(const struct cron *cron, const struct zone_view *after, int32_t before_s,
                        char text[CHANGE_BYTES])
{
    char from[LOCAL_TIME_BYTES];
    char to[LOCAL_TIME_BYTES];
    bool once = (cron->flags & CRON_ONCE) != 0;
    bool gap = after->offset_s > before_s;
    (void)clock_text(after->from_s + before_s, from);
    (void)clock_text(after->from_s + after->offset_s, to);
    if (gap)
        (void)snprintf(text, CHANGE_BYTES, "clocks go forward from %s to %s: what falls between %s",
                       from, to, once ? "runs once, right after it" : "is left out");
    else
        (void)snprintf(text, CHANGE_BYTES, "clocks go back from %s to %s: what comes twice %s",
                       from, to, once ? "runs the first time only" : "runs both times");
}

/* Whether the schedule names a time that the change leaves out or shows twice. */
static bool meets(const struct cron *cron, const struct zone_view *after, int32_t before_s)
{
    int64_t left_s = after->from_s + before_s;
    int64_t right_s = after->from_s + after->offset_s;
    return left_s < right_s ? cron_local_count(cron, left_s, right_s) > 0
                            : cron_local_count(cron, right_s, left_s) > 0;
}

static json_t *clock_changes(const struct schedule_spec *spec, int64_t from_ms)
{
    json_t *changes = json_array();
    if (spec->kind != SCHEDULE_CRON || spec->cron.zone == NULL) return changes;
    const struct zone *zone = spec->cron.zone;
    int64_t until_s = from_ms / 1000 + (int64_t)SPAN_DAYS * CIVIL_SECONDS_PER_DAY;
    struct zone_view view = zone_at(zone, from_ms / 1000);
    while (view.until_s < until_s && json_array_size(changes) < CHANGES_SHOWN) {
        int32_t before_s = view.offset_s;
        char text[CHANGE_BYTES];
        char at[INSTANT_TEXT_BYTES];
        view = zone_at(zone, view.until_s);
        if (!meets(&spec->cron, &view, before_s)) continue;
        change_text(&spec->cron, &view, before_s, text);
        instant_format(view.from_s * 1000, at);
        (void)json_array_append_new(changes, json_pack("{s:s,s:s}", "at", at, "effect", text));
    }
    return changes;
}

/* ---- runs ---- */

/* What the flags say about runs, as a job with this schedule would have it. `runs` borrows from the
 * arena of the schedule. */
static bool read_runs(const struct arguments *arguments, struct flag_schedule *schedule,
                      struct run_terms *runs, struct error *error)
{
    struct text_writer text = {0};
    struct definition definition;
    struct error cause = {0};
    run_terms_defaults(runs);
    text_writer_words(&text, "{\"group\":\"g\",\"id\":\"i\"");
    bool read = run_flags_write(&text, arguments, error);
    text_writer_char(&text, '}');
    json_t *job = read ? json_loadb(text.bytes, text.length, 0, NULL) : NULL;
    text_writer_free(&text);
    if (!read) return false;
    assert(job != NULL);
    (void)json_object_set(job, "schedule", schedule->json);
    arena_keep_json(schedule->arena, job);
    if (job_text_read(job, (struct text){NULL, 0}, schedule->arena, &definition, &cause)) {
        *runs = definition.runs;
        return true;
    }
    return error_invalid(error, cause.code, "%s (at %s)", cause.message, cause.field);
}

/* ---- printing ---- */

static json_t *warnings_of(const struct definition *definition, const struct run_terms *runs)
{
    json_t *warnings = run_warnings(runs);
    for (uint32_t bit = 1; bit <= definition->cron_warnings; bit <<= 1)
        if ((definition->cron_warnings & bit) != 0)
            (void)json_array_append_new(warnings,
                                        json_string(cron_warning_text((enum cron_warning)bit)));
    return warnings;
}

static void heading(const struct settings *settings, const char *text)
{
    (void)printf("\n%s%s%s\n", settings->colour ? "\x1b[1m" : "", text,
                 settings->colour ? "\x1b[0m" : "");
}

static void print_people(const struct settings *settings, const struct flag_schedule *schedule,
                         const json_t *answer)
{
    const struct zone *zone = flag_schedule_zone(schedule);
    const char *bold = settings->colour ? "\x1b[1m" : "";
    const char *dim = settings->colour ? "\x1b[2m" : "";
    const char *warn = settings->colour ? "\x1b[33m" : "";
    const char *plain = settings->colour ? "\x1b[0m" : "";
    (void)printf("%s%s%s\n%s(%s)%s\n", bold,
                 json_string_value(json_object_get(answer, "words")), plain, dim,
                 flag_schedule_zone_name(schedule), plain);
    const json_t *next = json_object_get(answer, "next");
    heading(settings, json_array_size(next) == 0 ? "never again" : "next");
    for (size_t i = 0; i < json_array_size(next); i++) {
        const char *utc = json_string_value(json_array_get(next, i));
        int64_t at_ms = 0;
        char text[LOCAL_TIME_BYTES];
        if (!instant_parse(utc, strlen(utc), &at_ms, NULL)) continue;
        (void)printf("  %s", local_time_text(zone, at_ms, text));
        if (zone != NULL) (void)printf("   %s%s%s", dim, utc, plain);
        (void)putchar('\n');
    }
    const json_t *changes = json_object_get(answer, "clock_changes");
    if (json_array_size(changes) > 0) heading(settings, "when the clocks change");
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        const char *utc = json_string_value(json_object_get(change, "at"));
        int64_t at_ms = 0;
        if (!instant_parse(utc, strlen(utc), &at_ms, NULL)) continue;
        struct civil_date date = local_date(local_seconds(zone, at_ms));
        (void)printf("  %04d-%02d-%02d  %s\n", (int)date.year, (int)date.month, (int)date.day,
                     json_string_value(json_object_get(change, "effect")));
    }
    const json_t *runs = json_object_get(answer, "runs");
    if (json_array_size(runs) > 0) heading(settings, "runs");
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *sentence = json_array_get(runs, i);
        (void)fputs("  ", stdout);
        print_safe(stdout, json_string_value(sentence), json_string_length(sentence));
        (void)putchar('\n');
    }
    const json_t *warnings = json_object_get(answer, "warnings");
    if (json_array_size(warnings) > 0) heading(settings, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++)
        (void)printf("  %s%s%s\n", warn, json_string_value(json_array_get(warnings, i)), plain);
}

static json_t *next_of(const struct flag_schedule *schedule, int64_t count)
{
    json_t *next = json_array();
    int64_t at_ms = schedule->from_ms;
    while ((int64_t)json_array_size(next) < count &&
           schedule_next(&schedule->definition.schedule, at_ms, &at_ms)) {
        char text[INSTANT_TEXT_BYTES];
        instant_format(at_ms, text);
        (void)json_array_append_new(next, json_string(text));
    }
    return next;
}

static json_t *answer_of(const struct flag_schedule *schedule, const struct run_terms *runs,
                         int64_t count)
{
    const struct definition *definition = &schedule->definition;
    struct text_writer words = {0};
    schedule_words(&words, &definition->schedule);
    json_t *answer = json_pack(
        "{s:b,s:s,s:s,s:o,s:o,s:o,s:o}", "valid", 1, "words",
        text_writer_terminated(&words), "zone", flag_schedule_zone_name(schedule), "next",
        next_of(schedule, count), "clock_changes",
        clock_changes(&definition->schedule, schedule->from_ms), "runs", run_words(runs),
        "warnings", warnings_of(definition, runs));
    text_writer_free(&words);
    assert(answer != NULL);
    return answer;
}

enum exit_code command_validate(const struct invocation *invocation)
{
    const struct settings *settings = invocation->settings;
    struct flag_schedule schedule = {0};
    struct run_terms runs;
    struct error error = {0};
    int64_t count = NEXT_COUNT_DEFAULT;
    enum exit_code code = CLI_OK;
    bool json = settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON;
    if (!flag_schedule_read(&schedule, invocation, &error) ||
        !read_runs(invocation->arguments, &schedule, &runs, &error) ||
        !arguments_number(invocation->arguments, "count", 1, NEXT_COUNT_MAX, &count, &error)) {
        bool usage = error.code == CODE_USAGE;
        if (json && !usage) {
            json_t *answer = json_pack("{s:b,s:s,s:s}", "valid", 0, "code",
                                       error_code_word(error.code), "error",
                                       error.message);
            if (error.column > 0)
                (void)json_object_set_new(answer, "column", json_integer(error.column));
            (void)json_dumpf(answer, stdout, JSON_COMPACT);
            (void)fputc('\n', stdout);
            json_decref(answer);
            code = CLI_FAILED;
        } else {
            code = exit_with(&error);
            flag_schedule_point_at(invocation->arguments, &error);
        }
    } else {
        json_t *answer = answer_of(&schedule, &runs, count);
        if (json) {
            (void)json_dumpf(answer, stdout, JSON_COMPACT);
            (void)fputc('\n', stdout);
        } else {
            print_people(settings, &schedule, answer);
        }
        json_decref(answer);
    }
    flag_schedule_free(&schedule);
    return code;
}
