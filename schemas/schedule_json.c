#include "schemas/definition_json.h"

#include <assert.h>

#include "dispatcher/core/duration.h"
#include "dispatcher/core/job_record.h"
#include "dispatcher/core/limits.h"
#include "schemas/command_json.h"
#include "schemas/utf8.h"

enum { ZONE_BYTES_MAX = 64, EXCERPT_BYTES = 64 };

enum dialect { DIALECT_STANDARD = 0, DIALECT_SECONDS, DIALECT_QUARTZ };
static const char *const dialect_names[] = {"standard", "seconds", "quartz", NULL};
static const char *const dst_names[] = {"vixie", "skip_repeat", NULL};

struct schedule_fields {
    struct text cron;
    struct text zone;
    int dialect; /* -1: not given */
    int dst;     /* -1: not given */
    int64_t every_ms; /* -1: not given */
    int64_t anchor_ms; /* INSTANT_NONE: not given */
    int64_t at_ms;     /* INSTANT_NONE: not given */
};

static bool zone_name_looks_right(struct text zone)
{
    if (zone.length == 0 || zone.length > ZONE_BYTES_MAX) return false;
    bool start = true; /* of a part between slashes */
    for (size_t i = 0; i < zone.length; i++) {
        char byte = zone.bytes[i];
        bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        bool other = (byte >= '0' && byte <= '9') || memchr("_+-", byte, 3) != NULL;
        if (byte == '/' ? start : !(letter || (other && !start))) return false;
        start = byte == '/';
    }
    return !start;
}

static bool read_zone(const struct json_node *node, void *target, void *context,
                      struct error *error)
{
    (void)context;
    struct schedule_fields *fields = target;
    if (!json_read_text(node, &fields->zone, error)) return false;
    if (text_equal(fields->zone, text_of("UTC"))) return true;
    char excerpt[EXCERPT_BYTES];
    (void)utf8_excerpt(fields->zone, excerpt, sizeof excerpt);
    if (!zone_name_looks_right(fields->zone))
        return json_refuse(node, error, "unknown_zone",
                           "'%s' is not the name of a time zone; names look like Europe/Berlin",
                           excerpt);
    return json_refuse(node, error, "not_supported",
                       "zone '%s': only UTC is supported yet; give the schedule in UTC", excerpt);
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
    {.name = "cron", .kind = JSON_TEXT, FIELD(cron), .min = 1, .max = CRON_TEXT_BYTES_MAX},
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

static bool refuse_member(const struct json_node *node, const char *name, const char *code,
                          const char *message, struct error *error)
{
    struct json_node member = {json_object_get(node->value, name), node, name, 0};
    return json_refuse(&member, error, code, "%s", message);
}

/* One kind, and no field of another kind. */
static bool check_kinds(const struct json_node *node, const struct schedule_fields *fields,
                        struct error *error)
{
    bool cron = fields->cron.length > 0;
    bool every = fields->every_ms >= 0;
    bool at = fields->at_ms != INSTANT_NONE;
    if (cron + every + at == 0)
        return json_refuse(node, error, "missing_field",
                           "a schedule needs one of 'cron', 'every' and 'at'");
    if (cron + every + at > 1)
        return json_refuse(node, error, "bad_value",
                           "a schedule has exactly one of 'cron', 'every' and 'at'");
    if (!cron && fields->zone.length > 0)
        return refuse_member(node, "zone", "bad_value", "'zone' belongs to 'cron' only", error);
    if (!cron && fields->dialect >= 0)
        return refuse_member(node, "dialect", "bad_value", "'dialect' belongs to 'cron' only",
                             error);
    if (!cron && fields->dst >= 0)
        return refuse_member(node, "dst", "bad_value", "'dst' belongs to 'cron' only", error);
    if (!every && fields->anchor_ms != INSTANT_NONE)
        return refuse_member(node, "anchor", "bad_value", "'anchor' belongs to 'every' only",
                             error);
    return true;
}

static size_t count_words(struct text text)
{
    size_t words = 0;
    bool inside = false;
    for (size_t i = 0; i < text.length; i++) {
        bool space = text.bytes[i] == ' ' || text.bytes[i] == '\t';
        if (!space && !inside) words++;
        inside = !space;
    }
    return words;
}

static bool make_cron(const struct json_node *node, const struct schedule_fields *fields,
                      struct definition *definition, struct error *error)
{
    if (fields->dialect == DIALECT_QUARTZ)
        return refuse_member(node, "dialect", "not_supported",
                             "dialect 'quartz' is not supported yet; write it as five or six "
                             "standard fields", error);
    if (fields->dst >= 0)
        return refuse_member(node, "dst", "not_supported",
                             "'dst' is not supported yet; schedules are in UTC", error);
    struct json_node member = {json_object_get(node->value, "cron"), node, "cron", 0};
    if (fields->dialect == DIALECT_SECONDS && count_words(fields->cron) != 6)
        return json_refuse(&member, error, "bad_cron",
                           "dialect 'seconds' has six fields, this has %zu",
                           count_words(fields->cron));
    struct cron cron;
    if (!cron_parse(fields->cron.bytes, fields->cron.length, &cron, NULL, error))
        return json_refuse_at(&member, error);
    definition->schedule = schedule_from_cron(&cron);
    definition->cron_text = fields->cron;
    definition->zone = fields->zone;
    return true;
}

static bool make_every(const struct json_node *node, const struct schedule_fields *fields,
                       const struct command_limits *limits, struct definition *definition,
                       struct error *error)
{
    int64_t min_ms = limits == NULL ? SCHEDULE_EVERY_FLOOR_MS : limits->every_min_ms;
    if (!schedule_check_every(fields->every_ms, min_ms, error)) {
        struct json_node member = {json_object_get(node->value, "every"), node, "every", 0};
        return json_refuse_at(&member, error);
    }
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
    if (!json_read_object(node, &schedule_table, 0, &fields, NULL, NULL, error)) return false;
    if (!check_kinds(node, &fields, error)) return false;
    if (fields.cron.length > 0) return make_cron(node, &fields, definition, error);
    if (fields.every_ms >= 0) return make_every(node, &fields, reader->limits, definition, error);
    definition->schedule = schedule_from_at(fields.at_ms);
    return true;
}

void schedule_write(struct text_writer *writer, const struct schedule_spec *schedule,
                    struct text cron_text, struct text zone)
{
    assert(schedule != NULL);
    switch (schedule->kind) {
    case SCHEDULE_CRON:
        assert(cron_text.length > 0);
        text_writer_words(writer, "{\"cron\":");
        text_writer_string(writer, cron_text);
        if (zone.length > 0) {
            text_writer_member(writer, "zone");
            text_writer_string(writer, zone);
        }
        break;
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
