#include "cli/show/job_view.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "lib/base/limits.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"
#include "lib/time/schedule.h"
#include "schemas/definition_json.h"

void time_shorten(const char *time, char *text, size_t bytes)
{
    assert(bytes > 1);
    if (time == NULL || time[0] == '\0') time = "-";
    (void)snprintf(text, bytes, "%s", time);
    size_t length = strlen(text);
    if (length > 5 && strcmp(text + length - 5, ".000Z") == 0) memcpy(text + length - 5, "Z", 2);
}

bool schedule_read(json_t *schedule, struct arena *arena, const struct zone_lookup *zones,
                   struct definition *definition, struct error *error)
{
    definition_defaults(definition);
    struct json_node node = {schedule, NULL, "schedule", 0};
    struct definition_reader reader = {.arena = arena, .zones = zones};
    return definition_read_schedule(&node, definition, &reader, error);
}

/* "30 2 * * * Europe/Berlin", "every 15m", "at 2026-12-01T06:00:00Z". */
static void schedule_text(const json_t *schedule, char text[JOB_VIEW_SCHEDULE_BYTES])
{
    const char *cron = json_member_text(schedule, "cron");
    const char *zone = json_member_text(schedule, "zone");
    if (cron != NULL) {
        (void)snprintf(text, JOB_VIEW_SCHEDULE_BYTES, "%s%s%s", cron, zone == NULL ? "" : " ",
                       zone == NULL ? "" : zone);
        return;
    }
    for (const char *const *word = schedule_kind_words(); *word != NULL; word++) {
        char value[JOB_VIEW_TIME_BYTES];
        if (json_member_text(schedule, *word) == NULL) continue;
        time_shorten(json_member_text(schedule, *word), value, sizeof value);
        (void)snprintf(text, JOB_VIEW_SCHEDULE_BYTES, "%s %s", *word, value);
        return;
    }
    (void)snprintf(text, JOB_VIEW_SCHEDULE_BYTES, "-");
}

bool job_schedule_read(const json_t *job, struct arena *arena, const struct zone_lookup *zones,
                       struct definition *definition)
{
    assert(job != NULL);
    struct incarnation incarnation = {0};
    const char *jitter = json_member_text(job, "jitter");
    json_t *schedule = json_object_get(job, "schedule");
    if (!json_is_object(schedule) || !schedule_read(schedule, arena, zones, definition, NULL))
        return false;
    definition->group = text_of(json_member_text(job, "group"));
    definition->id = text_of(json_member_text(job, "id"));
    if (definition->group.length > NAME_BYTES_MAX || definition->id.length > NAME_BYTES_MAX)
        return false;
    if (jitter != NULL &&
        (!duration_parse(jitter, strlen(jitter), &definition->jitter_ms, NULL) ||
         definition->jitter_ms > SCHEDULE_JITTER_MAX_MS ||
         !incarnation_parse(text_of(json_member_text(job, "incarnation")), &incarnation)))
        return false;
    definition_settle(definition, &incarnation);
    (void)json_member_ms(job, "start", &definition->start_ms);
    (void)json_member_ms(job, "end", &definition->end_ms);
    return true;
}

/* Steps to the first due time after *at_ms inside the job's start and end. */
static bool next_due(const struct definition *definition, int64_t *at_ms)
{
    const struct schedule_spec *spec = &definition->schedule;
    if (definition->start_ms != START_NONE && *at_ms < definition->start_ms)
        *at_ms = schedule_bound(spec, definition->start_ms) - 1;
    return schedule_next(spec, *at_ms, at_ms) &&
           schedule_nominal(spec, *at_ms) < definition->end_ms;
}

json_t *job_next_times(const json_t *job, int64_t after_ms, size_t count,
                       const struct zone_lookup *zones)
{
    assert(count > 0);
    json_t *times = json_array();
    struct definition definition;
    struct arena *arena = arena_create();
    bool read = job_schedule_read(job, arena, zones, &definition);
    while (read && json_array_size(times) < count && next_due(&definition, &after_ms)) {
        char text[INSTANT_TEXT_BYTES];
        instant_format(after_ms, text);
        (void)json_array_append_new(times, json_string(text));
    }
    arena_destroy(arena);
    return times;
}

static const char *state_of(const json_t *job)
{
    assert(job != NULL);
    static const char *const states[] = {"active", "paused", "finished", "failing"};
    const char *state = json_member_text(job, "state");
    for (size_t i = 0; state != NULL && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(state, states[i]) == 0) return states[i];
    if (json_member_text(job, "finished_at") != NULL) return "finished";
    bool paused = json_is_true(json_object_get(job, "paused")) ||
                  json_member_text(job, "paused_at") != NULL;
    assert(states[0][0] == 'a');
    return paused ? "paused" : "active";
}

static void number_text(const json_t *job, const char *name, const char *otherwise,
                        char text[JOB_VIEW_NUMBER_BYTES])
{
    assert(job != NULL);
    const json_t *value = json_object_get(job, name);
    if (json_is_integer(value))
        (void)snprintf(text, JOB_VIEW_NUMBER_BYTES, "%lld", (long long)json_integer_value(value));
    else
        (void)snprintf(text, JOB_VIEW_NUMBER_BYTES, "%s", otherwise);
}

void job_view_read(struct job_view *view, const json_t *job, int64_t now_ms,
                   const struct zone_lookup *zones)
{
    assert(json_is_object(job));
    const char *group = json_member_text(job, "group");
    const char *id = json_member_text(job, "id");
    *view = (struct job_view){.group = group == NULL ? "-" : group, .id = id == NULL ? "-" : id};
    view->state = state_of(job);
    view->paused = strcmp(view->state, "paused") == 0 ||
                   json_is_true(json_object_get(job, "paused"));
    schedule_text(json_object_get(job, "schedule"), view->schedule);
    number_text(job, "revision", "-", view->revision);
    number_text(job, "fired", "0", view->fired); /* a record leaves out a zero */
    bool running = strcmp(view->state, "active") == 0 || strcmp(view->state, "failing") == 0;
    json_t *next = running ? job_next_times(job, now_ms, 1, zones) : json_array();
    time_shorten(json_string_value(json_array_get(next, 0)), view->next, sizeof view->next);
    json_decref(next);
}
