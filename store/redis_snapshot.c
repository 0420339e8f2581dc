#include "store/redis_snapshot.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum field_kind {
    FIELD_INT64,
    FIELD_INT32,
    FIELD_BOOL,
    FIELD_INPUT,
    FIELD_HASH,
    FIELD_TEXT,
    FIELD_CODE,
    FIELD_COUNT,     /* which write.lua writes itself */
    FIELD_RUN_COUNT  /* likewise; missing where a version wrote that knew no runs */
};

struct snapshot_field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    size_t bytes; /* of a text, with its terminator */
    int32_t since; /* layout; 0: the first one */
};

#define AT(member) offsetof(struct snapshot, member)
#define TEXT_AT(member) AT(member), sizeof(((struct snapshot *)0)->member)
#define LAST_READ(name, input)                                                        \
    {name "_known", FIELD_BOOL, AT(mark.inputs[input].last.known), 0, 2},             \
    {name "_offset", FIELD_INT64, AT(mark.inputs[input].last.offset), 0, 2},          \
    {name "_ms", FIELD_INT64, AT(mark.inputs[input].last.log_time_ms), 0, 2},         \
    {name "_hash", FIELD_HASH, AT(mark.inputs[input].last.hash), 0, 2}
static const struct snapshot_field snapshot_fields[] = {
    {"layout", FIELD_INT32, AT(mark.layout), 0, 0},
    {"generation", FIELD_INT64, AT(mark.generation), 0, 0},
    {"epoch", FIELD_INT64, AT(mark.epoch), 0, 0},
    {"sequence", FIELD_INT64, AT(mark.sequence), 0, 0},
    {"watermark_ms", FIELD_INT64, AT(mark.watermark.instant_ms), 0, 0},
    {"watermark_ordinal", FIELD_INT64, AT(mark.watermark.ordinal), 0, 0},
    {"next_ordinal", FIELD_INT64, AT(mark.next_ordinal), 0, 0},
    {"control_offset", FIELD_INT64, AT(mark.inputs[INPUT_CONTROL].offset), 0, 0},
    {"forward_offset", FIELD_INT64, AT(mark.inputs[INPUT_FORWARD].offset), 0, 0},
    {"completions_offset", FIELD_INT64, AT(mark.inputs[INPUT_RUNS].offset), 0, 0},
    {"state_offset", FIELD_INT64, AT(state_offset), 0, 0},
    {"in_command", FIELD_BOOL, AT(mark.in_command.active), 0, 0},
    {"in_command_topic", FIELD_INPUT, AT(mark.in_command.input), 0, 0},
    {"in_command_offset", FIELD_INT64, AT(mark.in_command.offset), 0, 0},
    {"in_command_ordinal", FIELD_INT64, AT(mark.in_command.ordinal), 0, 0},
    {"in_command_matched", FIELD_INT64, AT(mark.in_command.matched), 0, 0},
    {"in_command_changed", FIELD_INT64, AT(mark.in_command.changed), 0, 0},
    {"in_command_effective_ms", FIELD_INT64, AT(mark.in_command.effective_ms), 0, 0},
    {"in_command_errors", FIELD_INT64, AT(mark.in_command.errors), 0, 0},
    {"in_command_rejected", FIELD_BOOL, AT(mark.in_command.rejected), 0, 0},
    {"in_command_code", FIELD_CODE, AT(mark.in_command.code), 0, 0},
    {"shards", FIELD_INT32, AT(mark.shards), 0, 0},
    {"owner", FIELD_TEXT, TEXT_AT(mark.owner), 0},
    {"tz_version", FIELD_TEXT, TEXT_AT(mark.tz_version), 0},
    {"tz_changed_ms", FIELD_INT64, AT(mark.tz_changed_ms), 0, 0},
    {"written_at_ms", FIELD_INT64, AT(written_at_ms), 0, 0},
    {"job_count", FIELD_COUNT, AT(job_count), 0, 0},
    {"seen_count", FIELD_COUNT, AT(seen_count), 0, 2},
    {"held_jobs", FIELD_COUNT, AT(held.jobs), 0, 2},
    {"held_seen", FIELD_COUNT, AT(held.seen), 0, 2},
    {"held_super_groups", FIELD_COUNT, AT(held.super_groups), 0, 2},
    {"held_runs", FIELD_RUN_COUNT, AT(held.runs), 0, 2},
    {"runs_again_offset", FIELD_INT64, AT(mark.runs_again), 0, 2},
    {"next_run", FIELD_INT64, AT(mark.next_run), 0, 2},
    LAST_READ("control_last", INPUT_CONTROL),
    LAST_READ("forward_last", INPUT_FORWARD),
};
enum { SNAPSHOT_FIELDS = sizeof snapshot_fields / sizeof snapshot_fields[0] };

/* RFC 3339 UTC with milliseconds; "" beyond the years that text can name. */
static void write_instant(int64_t instant_ms, char text[REDIS_INSTANT_BYTES])
{
    int64_t rest_ms = instant_ms % 1000;
    if (rest_ms < 0) rest_ms += 1000;
    time_t seconds = (time_t)((instant_ms - rest_ms) / 1000);
    struct tm parts;
    text[0] = '\0';
    if (gmtime_r(&seconds, &parts) == NULL) return;
    if (parts.tm_year < -1900 || parts.tm_year > 9999 - 1900) return;
    size_t length = strftime(text, REDIS_INSTANT_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    assert(length > 0 && length + sizeof ".000Z" <= REDIS_INSTANT_BYTES);
    (void)snprintf(text + length, REDIS_INSTANT_BYTES - length, ".%03dZ", (int)rest_ms);
}

static int64_t field_number(const struct snapshot_field *field, const char *record)
{
    const void *place = record + field->offset;
    switch (field->kind) {
    case FIELD_INT64: return *(const int64_t *)place;
    case FIELD_INT32: return *(const int32_t *)place;
    case FIELD_BOOL: return *(const bool *)place ? 1 : 0;
    case FIELD_INPUT: return (int64_t) * (const enum input *)place;
    case FIELD_HASH: return (int64_t) * (const uint64_t *)place;
    case FIELD_TEXT:
    case FIELD_CODE:
    case FIELD_COUNT:
    case FIELD_RUN_COUNT: break;
    }
    assert(!"a text has no number, and a count is not ours to say");
    return 0;
}

static bool is_counted(const struct snapshot_field *field)
{
    return field->kind == FIELD_COUNT || field->kind == FIELD_RUN_COUNT;
}

void redis_snapshot_add(const struct snapshot *snapshot, char watermark[REDIS_INSTANT_BYTES],
                        char written_at[REDIS_INSTANT_BYTES], struct redis_command *command)
{
    assert(snapshot != NULL);
    assert(command != NULL);
    const char *record = (const char *)snapshot;
    int sent = 2; /* the two instants for people */
    for (int i = 0; i < SNAPSHOT_FIELDS; i++) sent += !is_counted(&snapshot_fields[i]);
    redis_command_add_number(command, (int64_t)2 * sent);
    for (int i = 0; i < SNAPSHOT_FIELDS; i++) {
        const struct snapshot_field *field = &snapshot_fields[i];
        if (is_counted(field)) continue;
        redis_command_add_text(command, field->name);
        const char *place = record + field->offset;
        if (field->kind == FIELD_TEXT) redis_command_add_text(command, place);
        else if (field->kind == FIELD_CODE)
            redis_command_add_text(command, error_code_word(*(const enum error_code *)place));
        else redis_command_add_number(command, field_number(field, record));
    }
    write_instant(snapshot->mark.watermark.instant_ms, watermark);
    write_instant(snapshot->written_at_ms, written_at);
    redis_command_add_text(command, "watermark");
    redis_command_add_text(command, watermark);
    redis_command_add_text(command, "written_at");
    redis_command_add_text(command, written_at);
}

bool redis_number_read(const char *text, size_t length, int64_t *number)
{
    assert(number != NULL);
    bool negative = length > 0 && text[0] == '-';
    size_t first = negative ? 1 : 0;
    if (first == length || length - first > 19) return false;
    if (text[first] == '0' && (length - first > 1 || negative)) return false;
    uint64_t value = 0;
    for (size_t i = first; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (uint64_t)(text[i] - '0'); /* 19 digits fit */
    }
    if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0)) return false;
    *number = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static const redisReply *find_value(const redisReply *reply, const char *name)
{
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *key = reply->element[i];
        if (key->type == REDIS_REPLY_STRING && strcmp(key->str, name) == 0)
            return reply->element[i + 1];
    }
    return NULL;
}

static bool number_take(enum field_kind kind, int64_t number, void *place)
{
    switch (kind) {
    case FIELD_INT64:
    case FIELD_COUNT:
    case FIELD_RUN_COUNT: *(int64_t *)place = number; return true;
    case FIELD_INT32:
        *(int32_t *)place = (int32_t)number;
        return number >= INT32_MIN && number <= INT32_MAX;
    case FIELD_BOOL: *(bool *)place = number == 1; return number == 0 || number == 1;
    case FIELD_INPUT:
        *(enum input *)place = number == INPUT_FORWARD ? INPUT_FORWARD : INPUT_CONTROL;
        return number == INPUT_CONTROL || number == INPUT_FORWARD;
    case FIELD_HASH: *(uint64_t *)place = (uint64_t)number; return true;
    case FIELD_TEXT:
    case FIELD_CODE: break;
    }
    return false;
}

static bool field_read(const struct snapshot_field *field, const redisReply *value, char *record)
{
    void *place = record + field->offset;
    size_t length = value->len;
    int64_t number = 0;
    if (field->kind == FIELD_TEXT) {
        if (length >= field->bytes || memchr(value->str, '\0', length) != NULL) return false;
        memcpy(place, value->str, length + 1);
        return true;
    }
    if (field->kind == FIELD_CODE) {
        *(enum error_code *)place = error_code_find((struct text){value->str, length});
        return length < ERROR_CODE_BYTES;
    }
    return redis_number_read(value->str, length, &number) &&
           number_take(field->kind, number, place);
}

bool redis_snapshot_read(const redisReply *reply, struct snapshot *snapshot, bool *found,
                         struct error *error)
{
    assert(snapshot != NULL);
    assert(found != NULL);
    *found = false;
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->seen_count = -1;
    snapshot->there = (struct store_counts){-1, -1, -1, -1, -1};
    snapshot->held = snapshot->there;
    snapshot->held.runs = 0;
    if (reply->type != REDIS_REPLY_ARRAY)
        return error_set(error, ERROR_INVALID, "Redis snapshot: not a list of fields");
    if (reply->elements == 0) return true;
    for (int i = 0; i < SNAPSHOT_FIELDS; i++) {
        const struct snapshot_field *field = &snapshot_fields[i];
        const redisReply *value = find_value(reply, field->name);
        if (i > 0 && snapshot->mark.layout < field->since) continue; /* written without it */
        if (value == NULL && field->kind == FIELD_RUN_COUNT) continue;
        if (value == NULL || value->type != REDIS_REPLY_STRING)
            return error_set(error, ERROR_INVALID,
                             "Redis snapshot: field %s is missing; the "
                             "snapshot is not to be used, the next checkpoint mends it",
                             field->name);
        if (!field_read(field, value, (char *)snapshot))
            return error_set(error, ERROR_INVALID,
                             "Redis snapshot: %s '%.40s' is unreadable; the "
                             "snapshot is not to be used, the next checkpoint mends it",
                             field->name, value->str);
        if (i == 0 && snapshot->mark.layout > STATE_LAYOUT)
            return error_set(error, ERROR_FATAL,
                             "Redis holds layout %" PRId32 ", this version "
                             "knows %d; use the newer belfryd",
                             snapshot->mark.layout, STATE_LAYOUT);
    }
    snapshot->mark.jobs = snapshot->job_count;
    snapshot->mark.runs = snapshot->run_count = snapshot->held.runs;
    snapshot->held.groups = snapshot->held.jobs;
    *found = true;
    return true;
}

static bool element_number(const redisReply *reply, size_t index, int32_t *number)
{
    const redisReply *element = reply->element[index];
    int64_t value = 0;
    if (element->type != REDIS_REPLY_STRING) return false;
    if (!redis_number_read(element->str, element->len, &value)) return false;
    *number = (int32_t)value;
    return value >= INT32_MIN && value <= INT32_MAX;
}

bool redis_meta_read(const redisReply *reply, struct store_meta *meta, struct error *error)
{
    assert(reply != NULL && meta != NULL);
    memset(meta, 0, sizeof *meta);
    bool valid = reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
                 element_number(reply, 0, &meta->layout) &&
                 element_number(reply, 1, &meta->shards) &&
                 reply->element[2]->type == REDIS_REPLY_STRING &&
                 reply->element[2]->len < sizeof meta->kafka_cluster_id;
    if (!valid)
        return error_set(error, ERROR_FATAL,
                         "Redis: the meta record (layout, shards, "
                         "kafka_cluster_id) is unreadable; mend or delete the key <cluster>:meta");
    memcpy(meta->kafka_cluster_id, reply->element[2]->str, (size_t)reply->element[2]->len + 1);
    return true;
}
