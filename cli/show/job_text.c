#include "cli/show/job_text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "lib/base/json_scan.h"
#include "lib/base/memory.h"
#include "lib/time/instant.h"
#include "schemas/command_json.h"
#include "schemas/definition_json.h"
#include "schemas/job_json.h"

static bool any_topic(void *opaque, struct text topic)
{
    (void)opaque;
    assert(topic.length > 0);
    return true;
}

/* Stands for every zone where only the texts of jobs count. */
static const struct zone *any_zone(void *opaque, struct text name, struct error *error)
{
    static const struct zone_span span;
    static const struct zone zone = {.name = "UTC", .cycle_s = INT64_MAX, .span_count = 1,
                                     .spans = &span};
    (void)opaque;
    (void)name;
    (void)error;
    return &zone;
}

const struct zone_lookup *job_text_zones(void)
{
    static const struct zone_lookup zones = {.find = any_zone};
    return &zones;
}

bool job_text_read(json_t *job, struct text raw, struct arena *arena,
                   struct definition *definition, struct error *error)
{
    struct command_limits limits;
    command_limits_defaults(&limits);
    limits.every_min_ms = SCHEDULE_EVERY_FLOOR_MS;
    limits.runs = true;
    limits.topic_allowed = any_topic;
    struct definition_reader reader = {
        .limits = &limits, .arena = arena, .zones = job_text_zones(), .raw = raw};
    struct json_node node = {job, NULL, NULL, 0};
    definition_defaults(definition);
    return definition_read(&node, &job_table, JOB_IN_COMMAND, &reader, definition, error);
}

void job_text_default(struct definition *definition, const struct store_defaults *defaults)
{
    if ((definition->given & GIVEN_MISFIRE_GRACE) == 0)
        definition->catchup.grace_ms = defaults->misfire_grace_ms;
    if ((definition->given & GIVEN_KEEP_FINISHED) == 0)
        definition->keep_finished_ms = defaults->keep_finished_ms;
}

static void write_members(struct text_writer *writer, const struct definition *definition)
{
    if (definition->super_group.length > 0) {
        text_writer_member(writer, "super_group");
        text_writer_string(writer, definition->super_group);
    }
    definition_write(writer, definition);
}

void job_text_write(struct text_writer *writer, const struct definition *definition)
{
    assert(definition->group.length > 0);
    text_writer_words(writer, "{\"group\":");
    text_writer_string(writer, definition->group);
    text_writer_member(writer, "id");
    text_writer_string(writer, definition->id);
    write_members(writer, definition);
    if (definition->paused) text_writer_words(writer, ",\"paused\":true");
    if (definition_has_incarnation(definition)) {
        char incarnation[INCARNATION_TEXT_BYTES];
        size_t length = incarnation_format(&definition->incarnation, incarnation);
        text_writer_member(writer, "incarnation");
        text_writer_string(writer, (struct text){incarnation, length});
    }
    text_writer_char(writer, '}');
}

static bool find_member(struct text object, struct text name, struct text *value)
{
    struct text member;
    while (json_scan_pair(&object, &member, value))
        if (text_equal(member, name)) return true;
    *value = (struct text){"", 0};
    return false;
}

static size_t visit_differences(struct text present, struct text wanted,
                                job_text_difference *visit, void *opaque)
{
    size_t count = 0;
    struct text rest = present;
    struct text name;
    struct text value;
    struct text other;
    while (json_scan_pair(&rest, &name, &value)) {
        if (find_member(wanted, name, &other) && text_equal(value, other)) continue;
        visit(opaque, name, value, other);
        count++;
    }
    rest = wanted;
    while (json_scan_pair(&rest, &name, &value)) {
        if (find_member(present, name, &other)) continue;
        visit(opaque, name, other, value);
        count++;
    }
    return count;
}

/* Takes the first `"anchor":"..."` out, that of the schedule, which is written first. Returns the
 * text that is left, in `room`, which the caller frees. */
static struct text without_anchor(struct text text, int64_t anchor_ms, char **room)
{
    char instant[INSTANT_TEXT_BYTES];
    char anchor[INSTANT_TEXT_BYTES + 16];
    instant_format(anchor_ms, instant);
    int length = snprintf(anchor, sizeof anchor, ",\"anchor\":\"%s\"", instant);
    assert(length > 0 && (size_t)length < sizeof anchor);
    const char *at = memmem(text.bytes, text.length, anchor, (size_t)length);
    assert(at != NULL);
    size_t before = (size_t)(at - text.bytes);
    size_t after = text.length - before - (size_t)length;
    *room = memory_allocate(before + after + 1, 1);
    memcpy(*room, text.bytes, before);
    memcpy(*room + before, at + length, after);
    return (struct text){*room, before + after};
}

size_t job_text_compare(const struct definition *present, struct definition *wanted,
                        job_text_difference *visit, void *opaque)
{
    struct text_writer texts[2];
    text_writer_init(&texts[0]);
    text_writer_init(&texts[1]);
    struct schedule_spec *spec = &wanted->schedule;
    bool keeps = spec->kind == SCHEDULE_EVERY && (wanted->given & GIVEN_ANCHOR) == 0 &&
                 present->schedule.kind == SCHEDULE_EVERY &&
                 present->schedule.every_ms == spec->every_ms;
    if (keeps) spec->anchor_ms = present->schedule.anchor_ms;
    const struct definition *sides[2] = {present, wanted};
    for (int i = 0; i < 2; i++) {
        text_writer_char(&texts[i], '{');
        write_members(&texts[i], sides[i]);
        text_writer_char(&texts[i], '}');
    }
    struct text text = text_writer_text(&texts[1]);
    char *room = NULL;
    /* The daemon gives it one when the change is applied. */
    bool open = spec->kind == SCHEDULE_EVERY && (wanted->given & GIVEN_ANCHOR) == 0 && !keeps;
    if (open) text = without_anchor(text, spec->anchor_ms, &room);
    size_t count = visit_differences(text_writer_text(&texts[0]), text, visit, opaque);
    free(room);
    text_writer_free(&texts[0]);
    text_writer_free(&texts[1]);
    return count;
}
