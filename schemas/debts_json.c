#include "schemas/debts_json.h"

#include <assert.h>

#include "lib/base/limits.h"
#include "lib/model/job_record.h"
#include "schemas/definition_json.h"
#include "schemas/json_writer.h"

/* ---- owed ranges ---- */

static bool read_schedule(const struct json_node *node, void *target, void *context,
                          struct error *error)
{
    struct owed_range *range = target;
    struct definition definition;
    definition_defaults(&definition);
    if (!definition_read_schedule(node, &definition, context, error)) return false;
    range->has_schedule = true;
    range->schedule = definition.schedule;
    range->words = definition_words(&definition);
    return true;
}

static void write_schedule(struct text_writer *writer, const struct json_field *field,
                           const void *source)
{
    const struct owed_range *range = source;
    if (!range->has_schedule) return;
    text_writer_member(writer, field->name);
    schedule_write(writer, &range->schedule, &range->words);
}

#define FIELD(member) .offset = offsetof(struct owed_range, member), .write = json_write_value
static const struct json_field owed_rows[] = {
    {.name = "from", .kind = JSON_INSTANT, .required = true, FIELD(from_ms)},
    {.name = "to", .kind = JSON_INSTANT, .required = true, FIELD(to_ms)},
    {.name = "missed", .kind = JSON_INT, .max = COUNT_MAX, FIELD(missed_count)},
    {.name = "planned", .kind = JSON_INT, .max = COUNT_MAX, FIELD(planned)},
    {.name = "delay_ms", .kind = JSON_INT, .max = SCHEDULE_JITTER_MAX_MS, FIELD(delay_ms)},
    {.name = "schedule", .kind = JSON_CUSTOM, .read = read_schedule, .write = write_schedule},
    {.name = "jitter", .kind = JSON_DURATION, .max = SCHEDULE_JITTER_MAX_MS, FIELD(jitter_ms)},
};
#undef FIELD
static const struct json_table owed_table = {
    "an owed range", owed_rows, sizeof owed_rows / sizeof owed_rows[0]};

bool owed_read(const struct json_node *node, void *target, void *context, struct error *error)
{
    struct job_record *record = target;
    if (!json_check_array(node, OWED_RANGES_MAX, error)) return false;
    size_t count = json_array_size(node->value);
    for (size_t i = 0; i < count; i++) {
        struct json_node item = {json_array_get(node->value, i), node, NULL, i};
        struct owed_range *range = &record->owed[i];
        *range = (struct owed_range){0};
        if (!json_read_object(&item, &owed_table, 0, range, context, NULL, error)) return false;
        if (range->from_ms > range->to_ms)
            return json_refuse(&item, error, CODE_BAD_VALUE, "'from' is later than 'to'");
    }
    record->owed_count = count;
    return true;
}

void owed_write(struct text_writer *writer, const struct job_record *record)
{
    assert(record->owed_count <= OWED_RANGES_MAX);
    json_write_list(writer, "owed", &owed_table, record->owed, record->owed_count,
                    sizeof record->owed[0]);
}

/* ---- backfills ---- */

static bool read_backfill_schedule(const struct json_node *node, void *target, void *context,
                                   struct error *error)
{
    struct backfill_record *backfill = target;
    return read_schedule(node, &backfill->range, context, error);
}

static void write_backfill_schedule(struct text_writer *writer, const struct json_field *field,
                                    const void *source)
{
    const struct backfill_record *backfill = source;
    write_schedule(writer, field, &backfill->range);
}

#define FIELD(member)                                                                              \
    .required = true, .offset = offsetof(struct backfill_record, member), .write = json_write_value
static const struct json_field backfill_rows[] = {
    {.name = "id", .kind = JSON_TEXT, .min = 1, .max = COMMAND_ID_BYTES_MAX, FIELD(id)},
    {.name = "rate", .kind = JSON_INT, .min = 1, .max = BACKFILL_RATE_MAX, FIELD(rate)},
    {.name = "fired", .kind = JSON_INT, .max = COUNT_MAX, FIELD(fired)},
    {.name = "from", .kind = JSON_INSTANT, FIELD(range.from_ms)},
    {.name = "to", .kind = JSON_INSTANT, FIELD(range.to_ms)},
    {.name = "schedule", .kind = JSON_CUSTOM, .required = true, .read = read_backfill_schedule,
     .write = write_backfill_schedule},
};
#undef FIELD
static const struct json_table backfill_table = {
    "a backfill", backfill_rows, sizeof backfill_rows / sizeof backfill_rows[0]};

bool backfills_read(const struct json_node *node, void *target, void *context, struct error *error)
{
    struct job_record *record = target;
    if (!json_check_array(node, BACKFILLS_MAX, error)) return false;
    size_t count = json_array_size(node->value);
    for (size_t i = 0; i < count; i++) {
        struct json_node item = {json_array_get(node->value, i), node, NULL, i};
        struct backfill_record *backfill = &record->backfills[i];
        *backfill = (struct backfill_record){0};
        if (!json_read_object(&item, &backfill_table, 0, backfill, context, NULL, error))
            return false;
        if (backfill->range.from_ms > backfill->range.to_ms)
            return json_refuse(&item, error, CODE_BAD_VALUE, "'from' is later than 'to'");
    }
    record->backfill_count = count;
    return true;
}

void backfills_write(struct text_writer *writer, const struct job_record *record)
{
    assert(record->backfill_count <= BACKFILLS_MAX);
    json_write_list(writer, "backfills", &backfill_table, record->backfills, record->backfill_count,
                    sizeof record->backfills[0]);
}

/* ---- slots that wait ---- */

#define FIELD(member)                                                                              \
    .required = true, .offset = offsetof(struct job_slot, member), .write = json_write_value
static const struct json_field pending_rows[] = {
    {.name = "nominal", .kind = JSON_INSTANT, FIELD(nominal_ms)},
    {.name = "due", .kind = JSON_INSTANT, FIELD(due_ms)},
};
#undef FIELD
static const struct json_table pending_table = {
    "a pending slot", pending_rows, sizeof pending_rows / sizeof pending_rows[0]};

bool pending_read(const struct json_node *node, void *target, void *context, struct error *error)
{
    (void)context;
    struct job_record *record = target;
    if (!json_check_array(node, PENDING_MAX, error)) return false;
    size_t count = json_array_size(node->value);
    for (size_t i = 0; i < count; i++) {
        struct json_node item = {json_array_get(node->value, i), node, NULL, i};
        struct job_slot *slot = &record->pending[i];
        if (!json_read_object(&item, &pending_table, 0, slot, NULL, NULL, error)) return false;
        if (slot->nominal_ms > slot->due_ms)
            return json_refuse(&item, error, CODE_BAD_VALUE, "'nominal' is later than 'due'");
        if (i > 0 && slot->nominal_ms <= slot[-1].nominal_ms)
            return json_refuse(&item, error, CODE_BAD_VALUE, "not in order of 'nominal'");
    }
    record->pending_count = count;
    return true;
}

void pending_write(struct text_writer *writer, const struct job_record *record)
{
    assert(record->pending_count <= PENDING_MAX);
    json_write_list(writer, "pending", &pending_table, record->pending, record->pending_count,
                    sizeof record->pending[0]);
}

/* ---- failing ---- */

#define FIELD(member) .offset = offsetof(struct job_record, state.member), .write = json_write_value
static const struct json_field failing_rows[] = {
    {.name = "since", .kind = JSON_INSTANT, .required = true, FIELD(failing_since_ms)},
    {.name = "retry_at", .kind = JSON_INSTANT, FIELD(retry_ms)},
    {.name = "attempts", .kind = JSON_INT32, .max = INT32_MAX, FIELD(attempts)},
};
#undef FIELD
static const struct json_table failing_table = {
    "'failing'", failing_rows, sizeof failing_rows / sizeof failing_rows[0]};

bool failing_read(const struct json_node *node, void *target, void *context, struct error *error)
{
    (void)context;
    return json_read_object(node, &failing_table, 0, target, NULL, NULL, error);
}

void failing_write(struct text_writer *writer, const struct job_record *record)
{
    if (record->state.failing_since_ms == INSTANT_NONE) return;
    text_writer_member(writer, "failing");
    text_writer_char(writer, '{');
    json_write_members(writer, &failing_table, record);
    text_writer_char(writer, '}');
}
