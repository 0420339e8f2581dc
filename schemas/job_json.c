#include "schemas/job_json.h"

#include <assert.h>

#include "lib/base/json_scan.h"
#include "lib/base/limits.h"
#include "schemas/debts_json.h"
#include "schemas/definition_json.h"
#include "schemas/hash_json.h"
#include "schemas/incarnation_json.h"
#include "schemas/run_terms_json.h"

enum { RECORD_BYTES = 4 * RECORD_BYTES_MAX, CONTENT_TYPE_BYTES_MAX = 256 };

static_assert(offsetof(struct job_record, definition) == 0, "one table serves both");

static const char *const format_names[] = {"structured", "binary", NULL};
/* enum tail_keeps */
static const char *const tail_keeps_names[] = {"all", "none", "newest", NULL};
static const char *const state_names[] = {"active", "paused", "finished", "failing", NULL};
enum state_word { STATE_ACTIVE = 0, STATE_PAUSED, STATE_FINISHED, STATE_FAILING };

static enum state_word state_of(const struct job_record *record)
{
    if (record->state.finished_ms != INSTANT_NONE) return STATE_FINISHED;
    if (record->definition.paused) return STATE_PAUSED;
    return record->state.failing_since_ms != INSTANT_NONE ? STATE_FAILING : STATE_ACTIVE;
}

/* What a record says that follows from the rest; compared after reading. */
struct record_reading {
    struct job_record record; /* first: the table aims at it */
    int32_t layout;
    int state;
    int64_t created_ms;
    bool anchor_given;
};

static bool read_incarnation(const struct json_node *node, void *target, void *context,
                             struct error *error)
{
    (void)context;
    struct definition *definition = target;
    return incarnation_json_read(node, &definition->incarnation, error);
}

static bool read_import(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    (void)context;
    struct job_record *record = target;
    return incarnation_json_read(node, &record->import, error);
}

/* Hashes, one behind the other. */
static bool read_backfills_had(const struct json_node *node, void *target, void *context,
                               struct error *error)
{
    struct job_record *record = target;
    struct definition_reader *reader = context;
    struct text text;
    if (!json_read_text(node, &text, error)) return false;
    size_t count = text.length / HASH_DIGITS;
    if (text.length % HASH_DIGITS != 0 || count > BACKFILL_IDS_MAX)
        return json_refuse(node, error, CODE_BAD_VALUE, "is not a row of %d hashes of %d digits",
                           BACKFILL_IDS_MAX, HASH_DIGITS);
    uint64_t *hashes = arena_take(reader->arena, count + 1, sizeof *hashes);
    for (size_t i = 0; i < count; i++)
        if (!hash_digits_read(text.bytes + HASH_DIGITS * i, &hashes[i]))
            return json_refuse(node, error, CODE_BAD_VALUE, "is not in hexadecimal digits");
    record->backfills_had = hashes;
    record->backfills_had_count = count;
    return true;
}

#define DEFINITION(member) .offset = offsetof(struct definition, member)
#define RECORD(member) .where = JOB_IN_RECORD, .offset = offsetof(struct job_record, member)
#define READING(member) .where = JOB_IN_RECORD, .offset = offsetof(struct record_reading, member)
enum { JOB_NAMED = JOB_IN_COMMAND | JOB_IN_RECORD };
/* Rows of job_record.h. */
#define INSTANT_KIND .kind = JSON_INSTANT
#define COUNT_KIND .kind = JSON_INT, .max = COUNT_MAX
#define STATE_ROW(row_kind, member, word) {.name = word, row_kind##_KIND, RECORD(state.member)},
#define LIFE_ROW(row_kind, member, word) {.name = word, row_kind##_KIND, RECORD(life.member)},

/* In the order in which records are written. */
static const struct json_field job_rows[] = {
    {.name = "layout", .kind = JSON_INT32, .required = true, READING(layout), .min = 1,
     .max = STATE_LAYOUT},
    {.name = "group", .kind = JSON_NAME, .required = true, .where = JOB_NAMED, DEFINITION(group)},
    {.name = "id", .kind = JSON_ID, .required = true, .where = JOB_NAMED, DEFINITION(id)},
    {.name = "super_group", .kind = JSON_NAME, .given = GIVEN_SUPER_GROUP,
     DEFINITION(super_group)},
    {.name = "state", .kind = JSON_WORD, .required = true, READING(state), .words = state_names},
    {.name = "paused", .kind = JSON_BOOL, .given = GIVEN_PAUSED, .where = JOB_NAMED,
     DEFINITION(paused)},
    {.name = "schedule", .kind = JSON_CUSTOM, .given = GIVEN_SCHEDULE,
     .read = definition_read_schedule},
    {.name = "start", .kind = JSON_INSTANT, .given = GIVEN_START, DEFINITION(start_ms)},
    {.name = "end", .kind = JSON_INSTANT, .given = GIVEN_END, DEFINITION(end_ms)},
    {.name = "max_fires", .kind = JSON_INT, .given = GIVEN_MAX_FIRES, .min = 1, .max = COUNT_MAX,
     DEFINITION(max_fires)},
    {.name = "jitter", .kind = JSON_DURATION, .given = GIVEN_JITTER,
     .max = SCHEDULE_JITTER_MAX_MS, DEFINITION(jitter_ms)},
    {.name = "payload", .kind = JSON_CUSTOM, .given = GIVEN_PAYLOAD,
     .read = definition_read_payload},
    {.name = "payload_base64", .kind = JSON_CUSTOM, .given = GIVEN_PAYLOAD,
     .read = definition_read_payload_base64},
    {.name = "content_type", .kind = JSON_TEXT, .given = GIVEN_CONTENT_TYPE, .min = 1,
     .max = CONTENT_TYPE_BYTES_MAX, DEFINITION(content_type)},
    {.name = "headers", .kind = JSON_CUSTOM, .given = GIVEN_HEADERS,
     .read = definition_read_headers},
    {.name = "topic", .kind = JSON_CUSTOM, .given = GIVEN_TOPIC, .read = definition_read_topic},
    {.name = "key", .kind = JSON_TEXT, .given = GIVEN_KEY, .min = 1, .max = KEY_BYTES_MAX,
     DEFINITION(key)},
    {.name = "format", .kind = JSON_WORD, .given = GIVEN_FORMAT, .words = format_names,
     DEFINITION(format)},
    {.name = "catchup", .kind = JSON_CUSTOM, .read = definition_read_catchup,
     .given = GIVEN_CATCHUP_POLICY | GIVEN_CATCHUP_WINDOW | GIVEN_CATCHUP_LIMIT |
              GIVEN_MISFIRE_GRACE},
    {.name = "lease", .kind = JSON_CUSTOM, .given = GIVEN_LEASE, .read = run_terms_read},
    {.name = "workers", .kind = JSON_CUSTOM, .given = GIVEN_WORKERS, .read = run_terms_read},
    {.name = "lease_mode", .kind = JSON_CUSTOM, .given = GIVEN_LEASE_MODE,
     .read = run_terms_read},
    {.name = "start_within", .kind = JSON_CUSTOM, .given = GIVEN_START_WITHIN,
     .read = run_terms_read},
    {.name = "overlap", .kind = JSON_CUSTOM, .given = GIVEN_OVERLAP, .read = run_terms_read},
    {.name = "overlap_limit", .kind = JSON_CUSTOM, .given = GIVEN_OVERLAP_LIMIT,
     .read = run_terms_read},
    {.name = "retry", .kind = JSON_CUSTOM, .given = GIVEN_RETRY, .read = run_terms_read},
    {.name = "pause_after_failures", .kind = JSON_CUSTOM, .given = GIVEN_PAUSE_AFTER_FAILURES,
     .read = run_terms_read},
    {.name = "keep_finished", .kind = JSON_CUSTOM, .given = GIVEN_KEEP_FINISHED,
     .read = definition_read_keep_finished},
    {.name = "labels", .kind = JSON_CUSTOM, .given = GIVEN_LABELS, .read = definition_read_labels},
    {.name = "traceparent", .kind = JSON_CUSTOM, .given = GIVEN_TRACEPARENT,
     .read = definition_read_traceparent},
    {.name = "revision", .kind = JSON_INT, .required = true, RECORD(revision), .min = 1,
     .max = UINT32_MAX},
    {.name = "incarnation", .kind = JSON_CUSTOM, .given = GIVEN_INCARNATION, .where = JOB_NAMED,
     .read = read_incarnation},
    {.name = "ordinal", .kind = JSON_INT, .required = true, RECORD(life.ordinal),
     .max = INT64_MAX - 1},
    {.name = "created_at", .kind = JSON_INSTANT, .required = true, READING(created_ms)},
    {.name = "updated_at", .kind = JSON_INSTANT, .required = true, RECORD(life.updated_ms)},
    {.name = "anchor_given", .kind = JSON_BOOL, READING(anchor_given)},
    JOB_PAUSE_ROWS(STATE_ROW)
    {.name = "pause_reason", .kind = JSON_TEXT, RECORD(pause_reason), .max = TEXT_FIELD_BYTES_MAX},
    JOB_END_ROWS(STATE_ROW)
    {.name = "owed", .kind = JSON_CUSTOM, .where = JOB_IN_RECORD, .read = owed_read},
    {.name = "tail_from", .kind = JSON_INSTANT, RECORD(tail_from_ms)},
    {.name = "tail_undecided", .kind = JSON_BOOL, RECORD(tail_undecided)},
    {.name = "tail_keeps", .kind = JSON_WORD, RECORD(tail_keeps), .words = tail_keeps_names},
    {.name = "failing", .kind = JSON_CUSTOM, .where = JOB_IN_RECORD, .read = failing_read},
    {.name = "backfills", .kind = JSON_CUSTOM, .where = JOB_IN_RECORD, .read = backfills_read},
    {.name = "backfills_had", .kind = JSON_CUSTOM, .where = JOB_IN_RECORD,
     .read = read_backfills_had},
    {.name = "import", .kind = JSON_CUSTOM, .where = JOB_IN_RECORD, .read = read_import},
    JOB_EDIT_ROWS(STATE_ROW)
    {.name = "pending", .kind = JSON_CUSTOM, .where = JOB_IN_RECORD, .read = pending_read},
    JOB_PAST_ROWS(STATE_ROW)
    JOB_COUNTER_ROWS(LIFE_ROW)
};
const struct json_table job_table = {"a job", job_rows, sizeof job_rows / sizeof job_rows[0]};
const struct json_table set_table = {"'set'", job_rows, sizeof job_rows / sizeof job_rows[0]};

bool layout_check(const void *root, const char *what, struct error *error)
{
    const json_t *layout = json_object_get(root, "layout");
    if (!json_is_integer(layout) || json_integer_value(layout) < 1) {
        (void)error_invalid(error, CODE_BAD_VALUE, "%s has no layout number", what);
        return error_at(error, "/layout");
    }
    if (json_integer_value(layout) <= STATE_LAYOUT) return true;
    (void)error_set(error, ERROR_FATAL,
                    "%s has layout %lld, this version knows up to %d; start a newer belfryd", what,
                    (long long)json_integer_value(layout), STATE_LAYOUT);
    if (error != NULL) error->code = CODE_NEWER_LAYOUT;
    return error_at(error, "/layout");
}

/* What can be derived must be what was written, or somebody else wrote it. */
static bool check_derived(const struct json_node *root, const struct record_reading *reading,
                          struct error *error)
{
    const struct job_record *record = &reading->record;
    struct json_node incarnation = {NULL, root, "incarnation", 0};
    if (!definition_has_incarnation(&record->definition))
        return json_refuse(&incarnation, error, CODE_MISSING_FIELD,
                           "'incarnation' is required and "
                           "may not be null");
    if (record->definition.schedule.kind == 0)
        return json_refuse(root, error, CODE_MISSING_FIELD, "a job record needs a 'schedule'");
    if (reading->created_ms != record->definition.incarnation.effective_ms)
        return json_refuse(root, error, CODE_BAD_VALUE,
                           "'created_at' is not the incarnation's time");
    if (record->definition.paused && record->state.paused_ms == INSTANT_NONE)
        return json_refuse(root, error, CODE_MISSING_FIELD, "a paused job needs a 'paused_at'");
    if (reading->state != (int)state_of(record))
        return json_refuse(root, error, CODE_BAD_VALUE, "'state' is '%s', the rest says '%s'",
                           state_names[reading->state], state_names[state_of(record)]);
    return true;
}

/* Takes a JSON payload out of the record before it is parsed: it was parsed when the job was added,
 * is passed on as text, and is most of the bytes. *rest is the record with null in its place. */
static bool take_payload(struct text value, struct arena *arena, struct text *payload,
                         struct text *rest, struct error *error)
{
    *rest = value;
    *payload = json_scan_member(value, "payload");
    if (payload->length == 0) return true;
    if (!json_scan_is_value(*payload)) {
        (void)error_invalid(error, CODE_INVALID_JSON, "the payload is not JSON");
        return error_at(error, "/payload");
    }
    size_t before = (size_t)(payload->bytes - value.bytes);
    size_t after = value.length - before - payload->length;
    char *copy = arena_take_bytes(arena, before + 4 + after);
    memcpy(copy, value.bytes, before);
    memcpy(copy + before, "null", 4);
    memcpy(copy + before + 4, payload->bytes + payload->length, after);
    *rest = (struct text){copy, before + 4 + after};
    char *compact = arena_take_bytes(arena, payload->length);
    payload->length = json_scan_compact(*payload, compact);
    payload->bytes = compact;
    return true;
}

static bool read_record(const struct json_node *node, struct arena *arena,
                        const struct zone_lookup *zones, struct text payload,
                        struct record_reading *reading, struct error *error)
{
    if (!json_is_object(node->value))
        return json_refuse(node, error, CODE_WRONG_TYPE, "a job record is an object, not %s",
                           json_type_name(node->value));
    if (!layout_check(node->value, "a job record", error)) return false;
    struct definition_reader reader = {.arena = arena, .zones = zones};
    struct definition *definition = &reading->record.definition;
    job_record_defaults(&reading->record);
    definition->given = 0;
    if (!json_read_object(node, &job_table, JOB_IN_RECORD, reading, &reader, &definition->given,
                          error) ||
        !check_derived(node, reading, error) ||
        ((definition->given & GIVEN_RUNS) != 0 &&
         !run_terms_check_read(node, &definition->runs, error)))
        return false;
    reading->record.life.incarnation = definition->incarnation;
    if (reading->anchor_given) definition->given |= GIVEN_ANCHOR;
    else definition->given &= ~(uint32_t)GIVEN_ANCHOR; /* records name the anchor in any case */
    if (payload.length == 0 || text_equal(payload, text_of("null"))) return true;
    if (definition->payload.length > 0)
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "a job has 'payload' or 'payload_base64', not both");
    definition->payload = payload;
    return true;
}

bool job_record_decode(struct text value, struct arena *arena, const struct zone_lookup *zones,
                       struct job_record *record, struct error *error)
{
    assert(arena != NULL && record != NULL);
    if (!json_scan_check(value, RECORD_BYTES, error)) return false;
    struct text payload;
    struct text rest;
    if (!take_payload(value, arena, &payload, &rest, error)) return false;
    struct json_node node = {NULL, NULL, NULL, 0};
    if (!json_parse_checked(rest, &node.value, error)) return false;
    arena_keep_json(arena, node.value);
    struct record_reading reading = {0};
    if (!read_record(&node, arena, zones, payload, &reading, error)) return false;
    *record = reading.record;
    return true;
}

static void write_integer(struct text_writer *writer, const char *name, int64_t value)
{
    text_writer_member(writer, name);
    text_writer_integer(writer, value);
}

static void write_instant(struct text_writer *writer, const char *name, int64_t instant_ms)
{
    if (instant_ms == INSTANT_NONE) return;
    text_writer_member(writer, name);
    text_writer_instant(writer, instant_ms);
}

static void write_count(struct text_writer *writer, const char *name, int64_t count)
{
    if (count != 0) write_integer(writer, name, count);
}

/* Rows of job_record.h. */
#define INSTANT_WRITE write_instant
#define COUNT_WRITE write_count
#define STATE_WRITE(kind, member, name) kind##_WRITE(writer, name, record->state.member);
#define LIFE_WRITE(kind, member, name) kind##_WRITE(writer, name, record->life.member);

static void write_past(struct text_writer *writer, const struct job_record *record)
{
    if (record->backfills_had_count > 0) {
        text_writer_words(writer, ",\"backfills_had\":\"");
        for (size_t i = 0; i < record->backfills_had_count; i++) {
            char digits[HASH_DIGITS];
            hash_digits_put(digits, record->backfills_had[i]);
            text_writer_raw(writer, (struct text){digits, sizeof digits});
        }
        text_writer_char(writer, '"');
    }
    if (record->import.effective_ms == INCARNATION_NONE_MS) return;
    incarnation_json_write(writer, "import", &record->import);
}

static void write_kept(struct text_writer *writer, const struct job_record *record)
{
    write_integer(writer, "revision", record->revision);
    incarnation_json_write(writer, "incarnation", &record->life.incarnation);
    write_integer(writer, "ordinal", record->life.ordinal);
    write_instant(writer, "created_at", record->life.incarnation.effective_ms);
    write_instant(writer, "updated_at", record->life.updated_ms);
    if ((record->definition.given & GIVEN_ANCHOR) != 0)
        text_writer_words(writer, ",\"anchor_given\":true");
    JOB_PAUSE_ROWS(STATE_WRITE)
    if (record->pause_reason.length > 0) {
        text_writer_member(writer, "pause_reason");
        text_writer_string(writer, record->pause_reason);
    }
    JOB_END_ROWS(STATE_WRITE)
    owed_write(writer, record);
    write_instant(writer, "tail_from", record->tail_from_ms);
    if (record->tail_undecided) text_writer_words(writer, ",\"tail_undecided\":true");
    if (record->tail_keeps != TAIL_KEEPS_ALL) {
        text_writer_member(writer, "tail_keeps");
        text_writer_string(writer, text_of(tail_keeps_names[record->tail_keeps]));
    }
    failing_write(writer, record);
    backfills_write(writer, record);
    write_past(writer, record);
    JOB_EDIT_ROWS(STATE_WRITE)
    pending_write(writer, record);
    JOB_PAST_ROWS(STATE_WRITE)
    JOB_COUNTER_ROWS(LIFE_WRITE)
}

void job_record_encode(struct text_writer *writer, const struct job_record *record)
{
    assert(writer != NULL && record != NULL);
    assert(record->definition.schedule.kind != 0);
    const struct definition *definition = &record->definition;
    text_writer_words(writer, "{\"layout\":2,\"group\":");
    static_assert(STATE_LAYOUT == 2, "the line above says 2");
    text_writer_string(writer, definition->group);
    text_writer_words(writer, ",\"id\":");
    text_writer_string(writer, definition->id);
    if (definition->super_group.length > 0) {
        text_writer_member(writer, "super_group");
        text_writer_string(writer, definition->super_group);
    }
    text_writer_words(writer, ",\"state\":");
    text_writer_string(writer, text_of(state_names[state_of(record)]));
    if (definition->paused) text_writer_words(writer, ",\"paused\":true");
    definition_write(writer, definition);
    write_kept(writer, record);
    text_writer_char(writer, '}');
}
