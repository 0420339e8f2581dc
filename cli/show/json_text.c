#include "cli/show/json_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json_scan.h"
#include "lib/base/utf8.h"
#include "lib/time/instant.h"

static bool space(char letter)
{
    return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

bool json_text_next(struct text text, size_t *at, const char *what, struct text *slice,
                    json_t **value, struct error *error)
{
    assert(*at <= text.length);
    *value = NULL;
    while (*at < text.length && space(text.bytes[*at])) *at += 1;
    if (*at == text.length) return true;
    json_error_t refused;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK;
    *value = json_loadb(text.bytes + *at, text.length - *at, flags, &refused);
    if (*value == NULL) {
        int lines = 1;
        for (size_t i = 0; i < *at; i++) lines += text.bytes[i] == '\n';
        return error_invalid(error, CODE_INVALID_JSON, "%s: line %d, column %d: %s", what,
                             lines + refused.line - 1, refused.column, refused.text);
    }
    assert(refused.position > 0);
    assert((size_t)refused.position <= text.length - *at);
    *slice = (struct text){text.bytes + *at, (size_t)refused.position};
    *at += (size_t)refused.position;
    return true;
}

bool json_text_one(struct text text, const char *what, json_t **value, struct error *error)
{
    size_t at = 0;
    struct text slice;
    if (!json_text_next(text, &at, what, &slice, value, error)) return false;
    while (at < text.length && space(text.bytes[at])) at++;
    if (*value != NULL && at == text.length) return true;
    const char *fault = *value == NULL ? "empty, a JSON value is needed" : "text after the value";
    json_decref(*value);
    *value = NULL;
    return error_invalid(error, CODE_INVALID_JSON, "%s: %s", what, fault);
}

static void indent_line(struct text_writer *out, size_t depth)
{
    text_writer_words(out, "\n");
    for (size_t i = 0; i < depth; i++) text_writer_words(out, "  ");
}

/* Whether what was written last opens an object or a list. */
static bool has_opened(const struct text_writer *out)
{
    return out->length > 0 && strchr("{[", out->bytes[out->length - 1]) != NULL;
}

void json_text_indent(struct text_writer *out, struct text text)
{
    size_t depth = 0;
    while (text.length > 0) {
        char letter = text.bytes[0];
        bool opens = letter == '{' || letter == '[';
        bool closes = letter == '}' || letter == ']';
        struct text token = {text.bytes, letter == '"' ? json_scan_string(text) : 1};
        text = (struct text){text.bytes + token.length, text.length - token.length};
        if (space(letter)) continue;
        bool new_line = depth > 0 && closes != has_opened(out);
        if (closes) depth--;
        if (new_line) indent_line(out, depth);
        text_writer_raw(out, token);
        if (letter == ':') text_writer_words(out, " ");
        if (letter == ',') indent_line(out, depth);
        if (opens) depth++;
    }
    assert(depth == 0);
}

bool json_text_string(struct text_writer *out, const char *bytes, size_t length,
                      struct error *error)
{
    struct text text = {bytes, length};
    if (utf8_valid_length(text) < length)
        return error_invalid(error, CODE_NOT_UTF8, "a text is not valid UTF-8");
    text_writer_string(out, text);
    return true;
}

const char *json_member_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

json_int_t json_member_number(const json_t *object, const char *name, json_int_t otherwise)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool json_member_ms(const json_t *object, const char *name, int64_t *instant_ms)
{
    const char *text = json_member_text(object, name);
    return text != NULL && instant_parse(text, strlen(text), instant_ms, NULL);
}

void json_set_text(json_t *object, const char *name, struct text text)
{
    if (text.length > 0)
        (void)json_object_set_new(object, name, json_stringn(text.bytes, text.length));
}

void json_set_runnumber(json_t *object, int64_t runnumber)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, runnumber);
    if (runnumber > 0) (void)json_object_set_new(object, "runnumber", json_string(text));
}

void json_set_instant(json_t *object, const char *name, int64_t instant_ms)
{
    char text[INSTANT_TEXT_BYTES];
    if (!instant_in_range(instant_ms)) return;
    instant_format(instant_ms, text);
    (void)json_object_set_new(object, name, json_string(text));
}
