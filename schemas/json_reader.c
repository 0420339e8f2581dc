#include "schemas/json_reader.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json_scan.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/base/utf8.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"

enum { EXCERPT_BYTES = 64 };

static void *allocate(size_t bytes)
{
    return memory_resize(NULL, 1, bytes);
}

void json_reader_prepare(void)
{
    json_set_alloc_funcs(allocate, free);
    json_object_seed(0);
}

const char *json_reader_library(void)
{
    return JANSSON_VERSION;
}

bool json_parse(struct text text, size_t bytes_max, json_t **root, struct error *error)
{
    return json_scan_check(text, bytes_max, error) && json_parse_checked(text, root, error);
}

bool json_parse_checked(struct text text, json_t **root, struct error *error)
{
    assert(root != NULL);
    json_error_t failure;
    *root = json_loadb(text.length == 0 ? "" : text.bytes, text.length,
                       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &failure);
    if (*root != NULL) return true;
    char reason[JSON_ERROR_TEXT_LENGTH];
    (void)utf8_excerpt(text_of(failure.text), reason, sizeof reason);
    enum error_code code = CODE_INVALID_JSON;
    const char *hint = "";
    switch (json_error_code(&failure)) {
    case json_error_duplicate_key: code = CODE_DUPLICATE_KEY; break;
    case json_error_numeric_overflow:
        code = CODE_BAD_VALUE;
        hint = "; integers have at most 64 bits, write longer ones as strings";
        break;
    case json_error_null_character: hint = "; \\u0000 is not allowed"; break;
    default: break;
    }
    (void)error_invalid(error, code, "line %d, column %d: %s%s", failure.line, failure.column,
                        reason, hint);
    if (error != NULL) error->column = failure.column;
    return false;
}

/* One step of a JSON Pointer, with its escapes; names come from the sender, so made harmless. */
static size_t put_step(const struct json_node *node, char *pointer, size_t used)
{
    char step[ERROR_FIELD_BYTES];
    if (node->name == NULL) (void)snprintf(step, sizeof step, "%zu", node->index);
    else (void)utf8_excerpt(text_of(node->name), step, sizeof step);
    size_t room = ERROR_FIELD_BYTES - 1;
    if (used < room) pointer[used++] = '/';
    for (const char *at = step; *at != '\0';) {
        size_t length = utf8_sequence(at, strlen(at));
        assert(length > 0);
        bool escaped = *at == '~' || *at == '/';
        if (used + (escaped ? 2 : length) > room) break;
        if (escaped) {
            pointer[used++] = '~';
            pointer[used++] = *at == '~' ? '0' : '1';
        } else {
            memcpy(pointer + used, at, length);
            used += length;
        }
        at += length;
    }
    return used;
}

bool json_refuse_at(const struct json_node *node, struct error *error)
{
    assert(node != NULL);
    const struct json_node *way[JSON_DEPTH_MAX + 1];
    size_t steps = 0;
    for (const struct json_node *at = node; at->parent != NULL; at = at->parent) {
        assert(steps <= JSON_DEPTH_MAX);
        way[steps++] = at;
    }
    char pointer[ERROR_FIELD_BYTES];
    size_t used = 0;
    while (steps > 0) used = put_step(way[--steps], pointer, used);
    pointer[used] = '\0';
    return error_at(error, pointer);
}

bool json_refuse(const struct json_node *node, struct error *error, enum error_code code,
                 const char *format, ...)
{
    assert(node != NULL);
    char message[ERROR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    (void)error_invalid(error, code, "%s", message);
    return json_refuse_at(node, error);
}

const char *json_type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE: return "a boolean";
    case JSON_NULL: return "null";
    }
    return "?";
}

static bool refuse_type(const struct json_node *node, const char *wanted, struct error *error)
{
    return json_refuse(node, error, CODE_WRONG_TYPE, "must be %s, not %s", wanted,
                       json_type_name(node->value));
}

bool json_name_is_valid(struct text name, bool slashes)
{
    if (name.length == 0 || name.length > NAME_BYTES_MAX) return false;
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                      (byte >= '0' && byte <= '9');
        if (letter) continue;
        if (i == 0) return false;
        if (memchr("._:@-", byte, 5) == NULL && !(slashes && byte == '/')) return false;
    }
    return true;
}

bool json_read_text(const struct json_node *node, struct text *text, struct error *error)
{
    assert(text != NULL);
    if (!json_is_string(node->value)) return refuse_type(node, "a string", error);
    text->bytes = json_string_value(node->value);
    text->length = json_string_length(node->value);
    return true;
}

static bool read_bounded_text(const struct json_node *node, const struct json_field *field,
                              struct text *text, struct error *error)
{
    struct text found;
    if (!json_read_text(node, &found, error)) return false;
    if (found.length < (size_t)field->min || found.length > (size_t)field->max)
        return json_refuse(node, error, CODE_BAD_VALUE, "has %zu bytes, %lld to %lld are allowed",
                           found.length, (long long)field->min, (long long)field->max);
    for (size_t i = 0; i < found.length; i++)
        if ((unsigned char)found.bytes[i] < 0x20 || found.bytes[i] == 0x7F)
            return json_refuse(node, error, CODE_BAD_VALUE,
                               "has a control character at byte %zu; none are allowed", i + 1);
    *text = found;
    return true;
}

static bool read_name(const struct json_node *node, bool slashes, struct text *name,
                      struct error *error)
{
    struct text found;
    if (!json_read_text(node, &found, error)) return false;
    if (json_name_is_valid(found, slashes)) {
        *name = found;
        return true;
    }
    char excerpt[EXCERPT_BYTES];
    return json_refuse(node, error, CODE_BAD_NAME,
                       "'%s' is not a name: 1 to %d of A-Z a-z 0-9 . _ : @ -%s, "
                       "beginning with a letter or digit",
                       utf8_excerpt(found, excerpt, sizeof excerpt), NAME_BYTES_MAX,
                       slashes ? " /" : "");
}

static bool read_instant(const struct json_node *node, int64_t *instant_ms, struct error *error)
{
    if (!json_is_string(node->value))
        return json_refuse(
            node, error, json_is_number(node->value) ? CODE_BAD_TIME : CODE_WRONG_TYPE,
            "must be a time such as \"2026-12-01T06:00:00Z\", not %s", json_type_name(node->value));
    return instant_parse(json_string_value(node->value), json_string_length(node->value),
                         instant_ms, error) ||
           json_refuse_at(node, error);
}

static bool read_duration(const struct json_node *node, const struct json_field *field,
                          int64_t *duration_ms, struct error *error)
{
    if (!json_is_string(node->value))
        return json_refuse(
            node, error, json_is_number(node->value) ? CODE_BAD_DURATION : CODE_WRONG_TYPE,
            "must be a duration such as \"90s\", not %s", json_type_name(node->value));
    struct text text = {json_string_value(node->value), json_string_length(node->value)};
    int64_t parsed_ms = 0;
    if (!duration_parse(text.bytes, text.length, &parsed_ms, error))
        return json_refuse_at(node, error);
    if (parsed_ms < field->min || parsed_ms > field->max) {
        char least[DURATION_TEXT_BYTES];
        char most[DURATION_TEXT_BYTES];
        char excerpt[EXCERPT_BYTES];
        duration_format(field->min, least);
        duration_format(field->max, most);
        return json_refuse(node, error, CODE_BAD_VALUE, "'%s' is not between %s and %s",
                           utf8_excerpt(text, excerpt, sizeof excerpt), least, most);
    }
    *duration_ms = parsed_ms;
    return true;
}

static bool read_integer(const struct json_node *node, const struct json_field *field,
                         int64_t *integer, struct error *error)
{
    if (!json_is_integer(node->value)) return refuse_type(node, "an integer", error);
    int64_t value = json_integer_value(node->value);
    if (value < field->min || value > field->max)
        return json_refuse(node, error, CODE_BAD_VALUE, "%lld is not between %lld and %lld",
                           (long long)value, (long long)field->min, (long long)field->max);
    *integer = value;
    return true;
}

/* "a, b or c" for messages. */
static const char *list_words(const char *const *words, char *list, size_t bytes)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; words[i] != NULL && used < bytes; i++) {
        const char *separator = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        int written = snprintf(list + used, bytes - used, "%s%s", separator, words[i]);
        assert(written > 0);
        used += (size_t)written;
    }
    return list;
}

static bool read_word(const struct json_node *node, const struct json_field *field, int *index,
                      struct error *error)
{
    struct text text;
    if (!json_read_text(node, &text, error)) return false;
    for (int i = 0; field->words[i] != NULL; i++)
        if (text_equal(text, text_of(field->words[i]))) {
            *index = i;
            return true;
        }
    char excerpt[EXCERPT_BYTES];
    char list[ERROR_MESSAGE_BYTES / 2];
    return json_refuse(node, error, CODE_BAD_VALUE, "'%s' is not known here, allowed: %s",
                       utf8_excerpt(text, excerpt, sizeof excerpt),
                       list_words(field->words, list, sizeof list));
}

bool json_read_value(const struct json_node *node, const struct json_field *field, void *target,
                     void *context, struct error *error)
{
    assert(node->value != NULL);
    assert(target != NULL);
    char *member = (char *)target + field->offset;
    int64_t number = 0;
    switch (field->kind) {
    case JSON_TEXT: return read_bounded_text(node, field, (struct text *)(void *)member, error);
    case JSON_NAME: return read_name(node, false, (struct text *)(void *)member, error);
    case JSON_ID: return read_name(node, true, (struct text *)(void *)member, error);
    case JSON_INSTANT: return read_instant(node, (int64_t *)(void *)member, error);
    case JSON_DURATION: return read_duration(node, field, (int64_t *)(void *)member, error);
    case JSON_INT: return read_integer(node, field, (int64_t *)(void *)member, error);
    case JSON_INT32:
        if (!read_integer(node, field, &number, error)) return false;
        *(int32_t *)(void *)member = (int32_t)number;
        return true;
    case JSON_BOOL:
        if (!json_is_boolean(node->value)) return refuse_type(node, "true or false", error);
        *(bool *)(void *)member = json_is_true(node->value);
        return true;
    case JSON_WORD: {
        int index = 0;
        if (!read_word(node, field, &index, error)) return false;
        memcpy(member, &index, sizeof index);
        return true;
    }
    case JSON_CUSTOM: return field->read(node, target, context, error);
    }
    return false;
}
