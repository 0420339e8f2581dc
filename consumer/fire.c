/* fire.c - a Kafka record to a fire and back: CloudEvents 1.0, structured and binary mode.
 *
 * Both modes end in one JSON object of attributes, which one table reads: what is required, of
 * which kind, and where it goes. Unknown attributes are passed over: version 1 only grows. */
#include "consumer/fire.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/consumer.h"
#include "consumer/fail.h"
#include "consumer/text.h"
#include "lib/base/base64.h"
#include "lib/base/utf8.h"
#include "lib/time/instant.h"

enum {
    RECORD_BYTES_MAX = 4 << 20, /* twice what Belfry's topics take */
    TREE_BYTES_PER_BYTE = 16,
    TEXT_BYTES_MAX = 1024
};

enum attribute_kind { ATTRIBUTE_TEXT, ATTRIBUTE_INTEGER, ATTRIBUTE_INSTANT };

struct attribute {
    const char *name;
    enum attribute_kind kind;
    bool required;
    const char *exactly;  /* the only value allowed, NULL: any */
    size_t text_offset;   /* of a const char * in struct belfry_fire, NOWHERE */
    size_t number_offset; /* of an int64_t, NOWHERE */
    int64_t min;
};

#define NOWHERE SIZE_MAX
#define FIELD(member) offsetof(struct belfry_fire, member)

static const struct attribute attributes[] = {
    {"specversion", ATTRIBUTE_TEXT, true, "1.0", NOWHERE, NOWHERE, 0},
    {"type", ATTRIBUTE_TEXT, true, "belfry.fire.v1", NOWHERE, NOWHERE, 0},
    {"id", ATTRIBUTE_TEXT, true, NULL, FIELD(id), NOWHERE, 0},
    {"source", ATTRIBUTE_TEXT, true, NULL, FIELD(source), NOWHERE, 0},
    {"subject", ATTRIBUTE_TEXT, true, NULL, FIELD(subject), NOWHERE, 0},
    {"time", ATTRIBUTE_INSTANT, true, NULL, FIELD(time), FIELD(time_ms), 0},
    {"dueat", ATTRIBUTE_INSTANT, true, NULL, FIELD(due), FIELD(due_ms), 0},
    {"jobgroup", ATTRIBUTE_TEXT, true, NULL, FIELD(group), NOWHERE, 0},
    {"jobid", ATTRIBUTE_TEXT, true, NULL, FIELD(job_id), NOWHERE, 0},
    {"jobincarnation", ATTRIBUTE_TEXT, true, NULL, FIELD(incarnation), NOWHERE, 0},
    {"jobrevision", ATTRIBUTE_INTEGER, true, NULL, NOWHERE, FIELD(revision), 1},
    {"firekind", ATTRIBUTE_TEXT, true, NULL, FIELD(kind), NOWHERE, 0},
    {"latenessms", ATTRIBUTE_INTEGER, true, NULL, NOWHERE, FIELD(lateness_ms), INT64_MIN},
    {"missedcount", ATTRIBUTE_INTEGER, true, NULL, NOWHERE, FIELD(missed_count), 0},
    {"attempt", ATTRIBUTE_INTEGER, true, NULL, NOWHERE, FIELD(attempt), 1},
    {"datacontenttype", ATTRIBUTE_TEXT, false, NULL, FIELD(content_type), NOWHERE, 0},
    {"traceparent", ATTRIBUTE_TEXT, false, NULL, FIELD(traceparent), NOWHERE, 0},
};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0] };

/* What CloudEvents allows in the name of an attribute. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789"

static bool invalid(struct belfry_error *error, const char *name, const char *wanted)
{
    assert(name != NULL);
    assert(wanted != NULL);
    return belfry_fail(error, BELFRY_ERROR_INVALID, "not a fire: %s %s", name, wanted);
}

static void text_set(struct belfry_fire *fire, size_t offset, const char *text)
{
    if (offset == NOWHERE) return;
    assert(offset <= sizeof *fire - sizeof text);
    memcpy((char *)fire + offset, &text, sizeof text);
}

static void number_set(struct belfry_fire *fire, size_t offset, int64_t number)
{
    if (offset == NOWHERE) return;
    assert(offset <= sizeof *fire - sizeof number);
    memcpy((char *)fire + offset, &number, sizeof number);
}

static bool attribute_read(const struct attribute *row, const json_t *value,
                           struct belfry_fire *fire, struct belfry_error *error)
{
    if (value == NULL) return row->required ? invalid(error, row->name, "is missing") : true;
    if (row->kind == ATTRIBUTE_INTEGER) {
        if (!json_is_integer(value)) return invalid(error, row->name, "must be an integer");
        if (json_integer_value(value) < row->min)
            return invalid(error, row->name, "is below what is allowed");
        number_set(fire, row->number_offset, json_integer_value(value));
        return true;
    }
    const char *text = json_string_value(value);
    if (text == NULL) return invalid(error, row->name, "must be text");
    size_t length = json_string_length(value);
    assert(strlen(text) == length); /* jansson refused NULs */
    if (length == 0 || length > TEXT_BYTES_MAX)
        return invalid(error, row->name, "must have 1 to 1024 bytes");
    if (row->exactly != NULL && strcmp(text, row->exactly) != 0) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "not a fire: %s is \"%.40s\", only \"%s\" "
                           "is known",
                           row->name, text, row->exactly);
    }
    text_set(fire, row->text_offset, text);
    if (row->kind != ATTRIBUTE_INSTANT) return true;
    int64_t instant_ms = 0;
    if (!instant_parse_any_year(text, length, &instant_ms))
        return invalid(error, row->name, "must be an RFC 3339 time with an offset");
    number_set(fire, row->number_offset, instant_ms);
    return true;
}

static bool attributes_read(struct belfry_holder *holder, struct belfry_error *error)
{
    struct belfry_fire *fire = &holder->fire;
    assert(json_is_object(holder->attributes));
    fire->content_type = "application/json";
    for (int i = 0; i < ATTRIBUTES; i++) {
        const json_t *value = json_object_get(holder->attributes, attributes[i].name);
        if (!attribute_read(&attributes[i], value, fire, error)) return false;
    }
    size_t group_length = strlen(fire->group);
    if (strncmp(fire->subject, fire->group, group_length) != 0 ||
        fire->subject[group_length] != '/' ||
        strcmp(fire->subject + group_length + 1, fire->job_id) != 0)
        return invalid(error, "subject", "must be jobgroup, \"/\" and jobid");
    assert(fire->id != NULL && fire->due != NULL);
    return true;
}

static bool data_copy(struct belfry_holder *holder, const void *data, size_t bytes,
                      struct belfry_error *error)
{
    assert(holder->data == NULL);
    assert(data != NULL || bytes == 0);
    holder->data = malloc(bytes + 1);
    if (holder->data == NULL) return belfry_fail_memory(error, "a payload");
    if (bytes > 0) memcpy(holder->data, data, bytes);
    holder->data[bytes] = '\0';
    holder->fire.data = holder->data;
    holder->fire.data_bytes = bytes;
    return true;
}

static bool data_from_base64(struct belfry_holder *holder, const json_t *value,
                             struct belfry_error *error)
{
    const char *text = json_string_value(value);
    if (text == NULL) return invalid(error, "data_base64", "must be text");
    size_t length = json_string_length(value);
    assert(holder->data == NULL);
    holder->data = malloc(base64_decoded_bound(length) + 1);
    if (holder->data == NULL) return belfry_fail_memory(error, "a payload");
    size_t bytes = 0;
    if (!base64_decode((struct text){text, length}, holder->data, &bytes))
        return invalid(error, "data_base64", "must be base64 with padding");
    holder->data[bytes] = '\0';
    holder->fire.data = holder->data;
    holder->fire.data_bytes = bytes;
    return true;
}

/* The payload: data_base64, the text of a string whose content type is not JSON, or the JSON of
 * "data" as it stands in the record. */
static bool structured_data(struct belfry_holder *holder, const struct belfry_outline *outline,
                            struct belfry_error *error)
{
    assert(holder->attributes != NULL);
    const json_t *data = json_object_get(holder->attributes, "data");
    const json_t *base64 = json_object_get(holder->attributes, "data_base64");
    if (data != NULL && base64 != NULL)
        return invalid(error, "data",
                       "and data_base64 exclude "
                       "each other");
    if (base64 != NULL) return data_from_base64(holder, base64, error);
    if (data == NULL) return true;
    if (json_is_string(data) && !belfry_media_is_json(holder->fire.content_type))
        return data_copy(holder, json_string_value(data), json_string_length(data), error);
    assert(outline->data != NULL); /* the parser found it, and no name has an escape */
    return data_copy(holder, outline->data, outline->data_bytes, error);
}

/* jansson reports some failed allocations as bad tokens. A fire must not be lost to that, so ask
 * its allocator for what the whole tree could need. */
static bool memory_is_short(size_t bytes)
{
    json_malloc_t allocate = NULL;
    json_free_t release = NULL;
    json_get_alloc_funcs(&allocate, &release);
    assert(allocate != NULL && release != NULL);
    assert(bytes <= RECORD_BYTES_MAX);
    void *probe = allocate(bytes * TREE_BYTES_PER_BYTE + 1);
    if (probe == NULL) return true;
    release(probe);
    return false;
}

static json_t *json_read(const char *text, size_t bytes, struct belfry_error *error)
{
    assert(text != NULL);
    json_error_t problem = {0}; /* left as it is when memory is short */
    json_t *value = json_loadb(text, bytes, 0, &problem);
    if (value != NULL) return value;
    if (json_error_code(&problem) == json_error_out_of_memory || memory_is_short(bytes)) {
        belfry_fail_memory(error, "a fire");
    } else {
        belfry_fail(error, BELFRY_ERROR_INVALID, "not a fire: byte %d: %s", problem.position,
                    problem.text);
    }
    return NULL;
}

static bool structured_read(struct belfry_holder *holder, const struct belfry_record *record,
                            struct belfry_error *error)
{
    assert(holder->attributes == NULL);
    if (record->value == NULL || record->value_bytes == 0)
        return invalid(error, "the record", "has no value");
    struct belfry_outline outline;
    belfry_outline_read(record->value, record->value_bytes, &outline);
    if (outline.depth > BELFRY_FIRE_DEPTH_MAX)
        return invalid(error, "the value", "is nested too deeply");
    if (outline.escaped_name) return invalid(error, "a member name", "contains an escape");
    holder->attributes = json_read(record->value, record->value_bytes, error);
    if (holder->attributes == NULL) return false;
    if (!json_is_object(holder->attributes))
        return invalid(error, "the value", "must be a JSON object");
    holder->raw = malloc(record->value_bytes);
    if (holder->raw == NULL) return belfry_fail_memory(error, "a fire");
    memcpy(holder->raw, record->value, record->value_bytes);
    holder->raw_bytes = record->value_bytes;
    return attributes_read(holder, error) && structured_data(holder, &outline, error);
}

static bool is_integer_attribute(const char *name)
{
    for (int i = 0; i < ATTRIBUTES; i++)
        if (strcmp(attributes[i].name, name) == 0) return attributes[i].kind == ATTRIBUTE_INTEGER;
    return false;
}

/* UTF-8 without a NUL. */
static bool is_text(const struct belfry_header *header)
{
    struct text value = {header->value, header->value_bytes};
    return utf8_valid_length(value) == value.length &&
           (value.length == 0 || memchr(value.bytes, '\0', value.length) == NULL);
}

static bool header_add(json_t *object, const char *name, const struct belfry_header *header,
                       struct belfry_error *error)
{
    assert(json_is_object(object));
    int64_t number = 0;
    json_t *value = NULL;
    if (json_object_get(object, name) != NULL) return invalid(error, name, "comes twice");
    if (header->value == NULL || !is_text(header))
        return invalid(error, name, "must be UTF-8 text");
    if (!is_integer_attribute(name)) value = json_stringn(header->value, header->value_bytes);
    else if (belfry_integer_parse(header->value, header->value_bytes, &number))
        value = json_integer(number);
    else return invalid(error, name, "must be an integer");
    /* The value and the name are known to be good: only memory can fail here. */
    if (json_object_set_new(object, name, value) != 0) return belfry_fail_memory(error, "a fire");
    return true;
}

static bool binary_read(struct belfry_holder *holder, const struct belfry_record *record,
                        struct belfry_error *error)
{
    assert(holder->attributes == NULL);
    holder->attributes = json_object();
    if (holder->attributes == NULL) return belfry_fail_memory(error, "a fire");
    for (size_t i = 0; i < record->header_count; i++) {
        const struct belfry_header *header = &record->headers[i];
        const char *name = NULL;
        if (strncmp(header->name, "ce_", 3) == 0) name = header->name + 3;
        if (strcmp(header->name, "content-type") == 0) name = "datacontenttype";
        if (name == NULL) continue;
        if (strspn(name, NAME_LETTERS) != strlen(name)) continue; /* no CloudEvents attribute */
        if (strcmp(name, "data") == 0)
            return invalid(error, "header ce_data", "is not allowed: the value is the data");
        if (!header_add(holder->attributes, name, header, error)) return false;
    }
    if (!attributes_read(holder, error)) return false;
    if (record->value == NULL || record->value_bytes == 0) return true;
    return data_copy(holder, record->value, record->value_bytes, error);
}

static const struct belfry_header *header_find(const struct belfry_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        assert(record->headers[i].name != NULL);
        if (strcmp(record->headers[i].name, name) == 0) return &record->headers[i];
    }
    return NULL;
}

/* Where the fire has no attribute of this name, its job may have a header of its own; a broken one
 * is no reason to lose a fire. */
static bool traceparent_read(struct belfry_holder *holder, const struct belfry_record *record,
                             struct belfry_error *error)
{
    assert(holder->attributes != NULL);
    const struct belfry_header *header = header_find(record, "traceparent");
    if (header == NULL || holder->fire.traceparent != NULL) return true;
    if (header->value == NULL || header->value_bytes > TEXT_BYTES_MAX || !is_text(header))
        return true;
    if (!header_add(holder->attributes, "traceparent", header, error)) return false;
    holder->fire.traceparent =
        json_string_value(json_object_get(holder->attributes, "traceparent"));
    assert(holder->fire.traceparent != NULL);
    return true;
}

static bool record_read(struct belfry_holder *holder, const struct belfry_record *record,
                        struct belfry_error *error)
{
    assert(holder != NULL && record != NULL);
    if (record->value_bytes > RECORD_BYTES_MAX) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "not a fire: %zu bytes, at most %d are "
                           "allowed",
                           record->value_bytes, RECORD_BYTES_MAX);
    }
    if (record->header_count > BELFRY_HEADERS_MAX)
        return invalid(error, "the record", "has more than 256 headers");
    for (size_t i = 0; i < record->header_count; i++)
        if (record->headers[i].name == NULL) return invalid(error, "a header", "has no name");
    const struct belfry_header *type = header_find(record, "content-type");
    bool structured =
        type != NULL && type->value != NULL &&
        belfry_media_is(type->value, type->value_bytes, "application/cloudevents+json");
    if (!structured && header_find(record, "ce_specversion") == NULL) {
        return invalid(error, "the record",
                       "has neither the header content-type "
                       "application/cloudevents+json nor ce_specversion");
    }
    bool read =
        structured ? structured_read(holder, record, error) : binary_read(holder, record, error);
    return read && traceparent_read(holder, record, error);
}

struct belfry_fire *belfry_fire_decode(const struct belfry_record *record,
                                       struct belfry_error *error)
{
    if (record == NULL || record->topic == NULL) {
        belfry_fail(error, BELFRY_ERROR_INVALID, "record and topic must not be NULL");
        return NULL;
    }
    struct belfry_holder *holder = calloc(1, sizeof *holder);
    if (holder == NULL) {
        belfry_fail_memory(error, "a fire");
        return NULL;
    }
    holder->topic = strdup(record->topic);
    if (holder->topic == NULL) belfry_fail_memory(error, "a topic name");
    if (holder->topic == NULL || !record_read(holder, record, error)) {
        belfry_fire_free(&holder->fire);
        return NULL;
    }
    holder->fire.topic = holder->topic;
    holder->fire.partition = record->partition;
    holder->fire.offset = record->offset;
    assert(holder->fire.id != NULL);
    return &holder->fire;
}

void belfry_fire_free(struct belfry_fire *fire)
{
    if (fire == NULL) return;
    struct belfry_holder *holder = (struct belfry_holder *)fire;
    json_decref(holder->attributes);
    free(holder->topic);
    free(holder->raw);
    free(holder->data);
    free(holder);
}
