/* fire.c - a Kafka record to a fire: CloudEvents 1.0, structured and binary mode.
 *
 * Both modes end in one JSON object of attributes, which one table reads: what is required, of
 * which kind, and where it goes. Unknown attributes are passed over: version 1 only grows. What is
 * a fire is said here; fire_plain.c is only the faster way for most of them. */
#include "consumer/fire.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/attribute.h"
#include "consumer/consumer.h"
#include "consumer/fail.h"
#include "consumer/record.h"
#include "consumer/text.h"
#include "lib/base/base64.h"
#include "lib/base/utf8.h"

enum { TREE_BYTES_PER_BYTE = 16 };

/* What CloudEvents allows in the name of an attribute. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789"

static bool attribute_read(const struct belfry_attribute *row, const json_t *value,
                           struct belfry_fire *fire, struct belfry_error *error)
{
    if (value == NULL)
        return row->required ? belfry_not_fire(error, row->name, "is missing") : true;
    if (row->kind == BELFRY_ATTRIBUTE_INTEGER) {
        if (!json_is_integer(value)) return belfry_not_fire(error, row->name, "must be an integer");
        return belfry_attribute_number(row, json_integer_value(value), fire, error);
    }
    const char *text = json_string_value(value);
    if (text == NULL) return belfry_not_fire(error, row->name, "must be text");
    return belfry_attribute_text(row, text, json_string_length(value), fire, error);
}

static bool attributes_read(struct belfry_holder *holder, struct belfry_error *error)
{
    assert(json_is_object(holder->attributes));
    for (int i = 0; i < BELFRY_ATTRIBUTES; i++) {
        const struct belfry_attribute *row = &belfry_attributes[i];
        const json_t *value = json_object_get(holder->attributes, row->name);
        if (!attribute_read(row, value, &holder->fire, error)) return false;
    }
    return belfry_attributes_end(&holder->fire, error);
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
    if (text == NULL) return belfry_not_fire(error, "data_base64", "must be text");
    size_t length = json_string_length(value);
    assert(holder->data == NULL);
    holder->data = malloc(base64_decoded_bound(length) + 1);
    if (holder->data == NULL) return belfry_fail_memory(error, "a payload");
    size_t bytes = 0;
    if (!base64_decode((struct text){text, length}, holder->data, &bytes))
        return belfry_not_fire(error, "data_base64", "must be base64 with padding");
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
        return belfry_not_fire(error, "data",
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
    assert(bytes <= BELFRY_RECORD_BYTES_MAX);
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
        return belfry_not_fire(error, "the record", "has no value");
    struct belfry_outline outline;
    belfry_outline_read(record->value, record->value_bytes, &outline);
    if (outline.depth > BELFRY_FIRE_DEPTH_MAX)
        return belfry_not_fire(error, "the value", "is nested too deeply");
    if (outline.escaped_name) return belfry_not_fire(error, "a member name", "contains an escape");
    holder->attributes = json_read(record->value, record->value_bytes, error);
    if (holder->attributes == NULL) return false;
    if (!json_is_object(holder->attributes))
        return belfry_not_fire(error, "the value", "must be a JSON object");
    holder->raw = malloc(record->value_bytes);
    if (holder->raw == NULL) return belfry_fail_memory(error, "a fire");
    memcpy(holder->raw, record->value, record->value_bytes);
    holder->raw_bytes = record->value_bytes;
    return attributes_read(holder, error) && structured_data(holder, &outline, error);
}

static bool is_integer_attribute(const char *name)
{
    int row = belfry_attribute_find(text_of(name));
    return row < BELFRY_ATTRIBUTES && belfry_attributes[row].kind == BELFRY_ATTRIBUTE_INTEGER;
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
    if (json_object_get(object, name) != NULL) return belfry_not_fire(error, name, "comes twice");
    if (header->value == NULL || !is_text(header))
        return belfry_not_fire(error, name, "must be UTF-8 text");
    if (!is_integer_attribute(name)) value = json_stringn(header->value, header->value_bytes);
    else if (belfry_integer_parse(header->value, header->value_bytes, &number))
        value = json_integer(number);
    else return belfry_not_fire(error, name, "must be an integer");
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
            return belfry_not_fire(error, "header ce_data",
                                   "is not allowed: the value is the data");
        if (!header_add(holder->attributes, name, header, error)) return false;
    }
    if (!attributes_read(holder, error)) return false;
    if (record->value == NULL || record->value_bytes == 0) return true;
    return data_copy(holder, record->value, record->value_bytes, error);
}

/* Where the fire has no attribute of this name, its job may have a header of its own; a broken one
 * is no reason to lose a fire. */
static bool traceparent_read(struct belfry_holder *holder, const struct belfry_record *record,
                             struct belfry_error *error)
{
    assert(holder->attributes != NULL);
    const struct belfry_header *header = belfry_header_find(record, "traceparent");
    if (header == NULL || holder->fire.traceparent != NULL) return true;
    if (header->value == NULL || header->value_bytes > BELFRY_ATTRIBUTE_BYTES_MAX ||
        !is_text(header))
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
    bool structured = false;
    if (!belfry_record_mode(record, &structured, error)) return false;
    bool read =
        structured ? structured_read(holder, record, error) : binary_read(holder, record, error);
    return read && traceparent_read(holder, record, error);
}

struct belfry_fire *belfry_fire_decode_tree(const struct belfry_record *record,
                                            struct belfry_error *error)
{
    assert(record != NULL && record->topic != NULL);
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

struct belfry_fire *belfry_fire_decode(const struct belfry_record *record,
                                       struct belfry_error *error)
{
    if (record == NULL || record->topic == NULL) {
        belfry_fail(error, BELFRY_ERROR_INVALID, "record and topic must not be NULL");
        return NULL;
    }
    struct belfry_fire *fire = belfry_fire_decode_plain(record);
    return fire != NULL ? fire : belfry_fire_decode_tree(record, error);
}

void belfry_fire_free(struct belfry_fire *fire)
{
    if (fire == NULL) return;
    struct belfry_holder *holder = (struct belfry_holder *)fire;
    if (!holder->plain) {
        json_decref(holder->attributes);
        free(holder->topic);
        free(holder->raw);
        free(holder->data);
    }
    free(holder);
}
