#include "schemas/definition_json.h"

#include <assert.h>

#include "lib/base/limits.h"
#include "lib/base/utf8.h"
#include "lib/model/job_record.h"
#include "lib/time/duration.h"

static const char *const dialect_names[] = {"standard", "seconds", "quartz", NULL};
static const char *const dst_names[] = {"vixie", "skip_repeat", NULL};
static_assert(CRON_STANDARD == 0 && CRON_SECONDS == 1 && CRON_QUARTZ == 2, "indices of names");
static_assert(CRON_DST_VIXIE == 0 && CRON_DST_SKIP_REPEAT == 1, "indices of names");

struct schedule_fields {
    struct text cron;
    struct text zone;
    int dialect; /* -1: not given */
    int dst;     /* -1: not given */
    int64_t every_ms; /* -1: not given */
    int64_t anchor_ms; /* INSTANT_NONE: not given */
    int64_t at_ms;     /* INSTANT_NONE: not given */
};

/* The parser of cron text has the rules: which bytes, how many, and in which column. */
static bool read_cron(const struct json_node *node, void *target, void *context,
                      struct error *error)
{
    struct schedule_fields *fields = target;
    (void)context;
    return json_read_text(node, &fields->cron, error);
}

/* Checked here, so that a wrong one is named with the zone's own place. */
static bool read_zone(const struct json_node *node, void *target, void *context,
                      struct error *error)
{
    struct schedule_fields *fields = target;
    const struct definition_reader *reader = context;
    const struct zone *zone = NULL;
    if (!json_read_text(node, &fields->zone, error)) return false;
    if (fields->zone.length == 0)
        return json_refuse(node, error, CODE_UNKNOWN_ZONE,
                           "is empty; leave it out, or name a zone "
                           "such as Europe/Berlin");
    if (zone_find(reader->zones, fields->zone, &zone, error)) return true;
    return json_refuse_at(node, error);
}

static bool read_anchor(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    (void)context;
    struct schedule_fields *fields = target;
    if (json_is_string(node->value) && strcmp(json_string_value(node->value), "epoch") == 0) {
        fields->anchor_ms = 0;
        return true;
    }
    static const struct json_field row = {.name = "anchor", .kind = JSON_INSTANT,
                                          .offset = offsetof(struct schedule_fields, anchor_ms)};
    return json_read_value(node, &row, target, NULL, error);
}

#define FIELD(member) .offset = offsetof(struct schedule_fields, member)
static const struct json_field schedule_rows[] = {
    {.name = "cron", .kind = JSON_CUSTOM, .read = read_cron},
    {.name = "zone", .kind = JSON_CUSTOM, .read = read_zone},
    {.name = "dialect", .kind = JSON_WORD, FIELD(dialect), .words = dialect_names},
    {.name = "dst", .kind = JSON_WORD, FIELD(dst), .words = dst_names},
    {.name = "every", .kind = JSON_DURATION, FIELD(every_ms), .max = DURATION_MAX_MS},
    {.name = "anchor", .kind = JSON_CUSTOM, .read = read_anchor},
    {.name = "at", .kind = JSON_INSTANT, FIELD(at_ms)},
};
#undef FIELD
static const struct json_table schedule_table = {
    "a schedule", schedule_rows, sizeof schedule_rows / sizeof schedule_rows[0]};

static bool refuse_member(const struct json_node *node, const char *name, enum error_code code,
                          const char *message, struct error *error)
{
    struct json_node member = {json_object_get(node->value, name), node, name, 0};
    return json_refuse(&member, error, code, "%s", message);
}

/* One kind, and no field of another kind. */
static bool check_kinds(const struct json_node *node, const struct schedule_fields *fields,
                        struct error *error)
{
    bool cron = fields->cron.bytes != NULL;
    bool every = fields->every_ms >= 0;
    bool at = fields->at_ms != INSTANT_NONE;
    if (cron + every + at == 0)
        return json_refuse(node, error, CODE_MISSING_FIELD,
                           "a schedule needs one of 'cron', 'every' and 'at'");
    if (cron + every + at > 1)
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "a schedule has exactly one of 'cron', 'every' and 'at'");
    if (!cron && fields->zone.length > 0)
        return refuse_member(node, "zone", CODE_BAD_VALUE, "'zone' belongs to 'cron' only", error);
    if (!cron && fields->dialect >= 0)
        return refuse_member(node, "dialect", CODE_BAD_VALUE, "'dialect' belongs to 'cron' only",
                             error);
    if (!cron && fields->dst >= 0)
        return refuse_member(node, "dst", CODE_BAD_VALUE, "'dst' belongs to 'cron' only", error);
    if (!every && fields->anchor_ms != INSTANT_NONE)
        return refuse_member(node, "anchor", CODE_BAD_VALUE, "'anchor' belongs to 'every' only",
                             error);
    return true;
}

static bool check_every(const struct json_node *node, int64_t every_ms,
                        const struct command_limits *limits, struct error *error)
{
    int64_t min_ms = limits == NULL ? SCHEDULE_EVERY_FLOOR_MS : limits->every_min_ms;
    return schedule_check_every(every_ms, min_ms, error) || json_refuse_at(node, error);
}

static bool make_cron(const struct json_node *node, const struct schedule_fields *fields,
                      const struct definition_reader *reader, struct definition *definition,
                      struct error *error)
{
    struct json_node member = {json_object_get(node->value, "cron"), node, "cron", 0};
    struct cron_options options = {
        .dialect = fields->dialect < 0 ? CRON_STANDARD : (enum cron_dialect)fields->dialect,
        .dst = fields->dst < 0 ? CRON_DST_VIXIE : (enum cron_dst)fields->dst,
        .zone = fields->zone,
        .zones = reader->zones,
    };
    struct cron_reading reading;
    if (!cron_parse(fields->cron.bytes, fields->cron.length, &options, &reading, error))
        return json_refuse_at(&member, error);
    if (reading.every_ms > 0) { /* @every */
        if (!check_every(&member, reading.every_ms, reader->limits, error)) return false;
        definition->schedule = schedule_from_every(reading.every_ms, 0);
        return true;
    }
    definition->schedule = schedule_from_cron(&reading.cron);
    definition->cron_text = fields->cron;
    definition->zone = fields->zone;
    definition->dialect = options.dialect;
    definition->dst = options.dst;
    definition->hashed = reading.hashed;
    definition->cron_warnings = reading.warnings;
    return true;
}

static bool make_every(const struct json_node *node, const struct schedule_fields *fields,
                       const struct command_limits *limits, struct definition *definition,
                       struct error *error)
{
    struct json_node member = {json_object_get(node->value, "every"), node, "every", 0};
    if (!check_every(&member, fields->every_ms, limits, error)) return false;
    bool anchored = fields->anchor_ms != INSTANT_NONE;
    definition->schedule = schedule_from_every(fields->every_ms, anchored ? fields->anchor_ms : 0);
    if (anchored) definition->given |= GIVEN_ANCHOR;
    return true;
}

bool definition_read_schedule(const struct json_node *node, void *target, void *context,
                              struct error *error)
{
    assert(target != NULL && context != NULL);
    struct definition *definition = target;
    const struct definition_reader *reader = context;
    struct schedule_fields fields = {.dialect = -1, .dst = -1, .every_ms = -1,
                                     .anchor_ms = INSTANT_NONE, .at_ms = INSTANT_NONE};
    if (!json_read_object(node, &schedule_table, 0, &fields, context, NULL, error)) return false;
    if (!check_kinds(node, &fields, error)) return false;
    if (fields.cron.bytes != NULL) return make_cron(node, &fields, reader, definition, error);
    if (fields.every_ms >= 0) return make_every(node, &fields, reader->limits, definition, error);
    definition->schedule = schedule_from_at(fields.at_ms);
    return true;
}

static void write_cron(struct text_writer *writer, const struct schedule_words *words)
{
    assert(words->cron.length > 0);
    text_writer_words(writer, "{\"cron\":");
    text_writer_string(writer, words->cron);
    if (words->zone.length > 0) {
        text_writer_member(writer, "zone");
        text_writer_string(writer, words->zone);
    }
    if (words->dialect != CRON_STANDARD) {
        text_writer_member(writer, "dialect");
        text_writer_string(writer, text_of(dialect_names[words->dialect]));
    }
    if (words->dst != CRON_DST_VIXIE) {
        text_writer_member(writer, "dst");
        text_writer_string(writer, text_of(dst_names[words->dst]));
    }
}

void schedule_write(struct text_writer *writer, const struct schedule_spec *schedule,
                    const struct schedule_words *words)
{
    assert(schedule != NULL);
    switch (schedule->kind) {
    case SCHEDULE_CRON: write_cron(writer, words); break;
    case SCHEDULE_EVERY:
        text_writer_words(writer, "{\"every\":");
        text_writer_duration(writer, schedule->every_ms);
        text_writer_member(writer, "anchor");
        text_writer_instant(writer, schedule->anchor_ms);
        break;
    case SCHEDULE_AT:
        text_writer_words(writer, "{\"at\":");
        text_writer_instant(writer, schedule->at_ms);
        break;
    }
    text_writer_char(writer, '}');
}
