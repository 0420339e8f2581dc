#include "cli/words/schedule_flags.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/show/cli_clock.h"
#include "cli/show/job_view.h"
#include "cli/words/schedule_options.h"
#include "lib/base/limits.h"
#include "lib/time/instant.h"

static json_t *flags_json(const struct arguments *arguments)
{
    json_t *schedule = json_object();
    for (const struct option_row *row = options_schedule; row->name != NULL; row++) {
        const char *value = arguments_value(arguments, row->name);
        if (value != NULL) (void)json_object_set_new(schedule, row->name, json_string(value));
    }
    assert(schedule != NULL);
    return schedule;
}

static bool read_from(const struct arguments *arguments, int64_t *from_ms, struct error *error)
{
    const char *from = arguments_value(arguments, "from");
    struct error refused = {0};
    *from_ms = cli_now_ms();
    if (from == NULL || instant_parse(from, strlen(from), from_ms, &refused)) return true;
    assert(refused.kind == ERROR_INVALID);
    return error_invalid(error, CODE_USAGE, "--from: %s", refused.message);
}

void flag_schedule_point_at(const struct arguments *arguments, const struct error *error)
{
    const char *cron = arguments_value(arguments, "cron");
    assert(error->kind != ERROR_NONE);
    if (cron == NULL || error->column < 1 || (size_t)error->column > strlen(cron) + 1) return;
    for (const char *at = cron; *at != '\0'; at++)
        if (*at < ' ' || *at > '~') return;
    (void)fprintf(stderr, "  %s\n  %*s\n", cron, error->column, "^");
}

/* H takes its value from the name given, if any. */
static bool settle(struct flag_schedule *schedule, const struct arguments *arguments,
                   struct error *error)
{
    struct definition *definition = &schedule->definition;
    const struct incarnation none = {0};
    const char *group = arguments_value(arguments, "group");
    const char *id = arguments_value(arguments, "id");
    if (group == NULL && id == NULL) return true;
    if (group == NULL || id == NULL || strlen(group) > NAME_BYTES_MAX ||
        strlen(id) > NAME_BYTES_MAX)
        return error_invalid(error, CODE_USAGE, "a job has --group and --id, each of at most "
                             "%d bytes", NAME_BYTES_MAX);
    definition->group = text_of(group);
    definition->id = text_of(id);
    definition->cron_warnings &= ~(uint32_t)CRON_WARNING_NO_NAME;
    definition_settle(definition, &none);
    return true;
}

bool flag_schedule_read(struct flag_schedule *schedule, const struct invocation *invocation,
                        struct error *error)
{
    const struct arguments *arguments = invocation->arguments;
    const struct zone_lookup *zones = invocation->settings->zones;
    *schedule = (struct flag_schedule){.json = flags_json(arguments), .arena = arena_create()};
    if (arguments->positional_count > 0)
        return error_invalid(error, CODE_USAGE,
                             "\"%.60s\" is too much: give the schedule by " SCHEDULE_NAMES_OR,
                             arguments->positionals[0]);
    if (json_object_size(schedule->json) == 0)
        return error_invalid(error, CODE_USAGE, "when? Give " SCHEDULE_WAYS);
    struct definition *definition = &schedule->definition;
    if (!read_from(arguments, &schedule->from_ms, error)) return false;
    if (!schedule_read(schedule->json, schedule->arena, zones, definition, error)) {
        return false;
    }
    if (definition->schedule.kind == SCHEDULE_EVERY && (definition->given & GIVEN_ANCHOR) == 0)
        definition->schedule.anchor_ms = schedule->from_ms;
    return settle(schedule, arguments, error);
}

void flag_schedule_free(struct flag_schedule *schedule)
{
    json_decref(schedule->json);
    arena_destroy(schedule->arena);
}

const struct zone *flag_schedule_zone(const struct flag_schedule *schedule)
{
    const struct schedule_spec *spec = &schedule->definition.schedule;
    return spec->kind == SCHEDULE_CRON ? spec->cron.zone : NULL;
}

const char *flag_schedule_zone_name(const struct flag_schedule *schedule)
{
    const struct zone *zone = flag_schedule_zone(schedule);
    return zone == NULL ? "UTC" : zone->name;
}
