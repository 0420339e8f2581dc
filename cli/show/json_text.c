#include "cli/show/json_text.h"

#include <assert.h>
#include <string.h>

#include "lib/base/utf8.h"

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
        return error_invalid(error, "invalid_json", "%s: line %d, column %d: %s", what,
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
    return error_invalid(error, "invalid_json", "%s: %s", what, fault);
}

struct json_walk json_walk_open(struct text container)
{
    assert(container.length >= 2);
    assert(container.bytes[0] == '{' || container.bytes[0] == '[');
    return (struct json_walk){container.bytes + 1, container.bytes + container.length};
}

static void skip_space(struct json_walk *walk)
{
    assert(walk->at <= walk->end);
    while (walk->at < walk->end && (space(*walk->at) || *walk->at == ',' || *walk->at == ':'))
        walk->at++;
}

/* Past the closing quote of a string that starts at walk->at. */
static void skip_string(struct json_walk *walk)
{
    assert(*walk->at == '"');
    walk->at++;
    while (walk->at < walk->end && *walk->at != '"') walk->at += *walk->at == '\\' ? 2 : 1;
    assert(walk->at < walk->end);
    walk->at++;
}

static void skip_value(struct json_walk *walk)
{
    assert(walk->at < walk->end);
    size_t depth = 0;
    do {
        char letter = *walk->at;
        if (letter == '"') {
            skip_string(walk);
            continue;
        }
        if (letter == '{' || letter == '[') depth++;
        if (letter == '}' || letter == ']') {
            if (depth == 0) return; /* the container's own end, right after a plain value */
            depth--;
        }
        if (depth == 0 && (letter == ',' || space(letter))) return;
        walk->at++;
    } while (walk->at < walk->end && !(depth == 0 && strchr("}]\"", walk->at[-1]) != NULL));
    assert(depth == 0);
}

bool json_walk_item(struct json_walk *walk, struct text *value)
{
    skip_space(walk);
    if (walk->at >= walk->end || *walk->at == ']' || *walk->at == '}') return false;
    const char *start = walk->at;
    skip_value(walk);
    *value = (struct text){start, (size_t)(walk->at - start)};
    return true;
}

bool json_walk_member(struct json_walk *walk, struct text *name, struct text *value)
{
    skip_space(walk);
    if (walk->at >= walk->end || *walk->at == '}') return false;
    const char *start = walk->at;
    skip_string(walk);
    *name = (struct text){start + 1, (size_t)(walk->at - start) - 2};
    bool found = json_walk_item(walk, value);
    assert(found);
    return found;
}

static void indent_line(struct text_writer *out, size_t depth)
{
    text_writer_words(out, "\n");
    for (size_t i = 0; i < depth; i++) text_writer_words(out, "  ");
}

void json_text_indent(struct text_writer *out, struct text text)
{
    size_t depth = 0;
    struct json_walk walk = {text.bytes, text.bytes + text.length};
    while (walk.at < walk.end) {
        char letter = *walk.at;
        const char *start = walk.at;
        bool opens = letter == '{' || letter == '[';
        bool closes = letter == '}' || letter == ']';
        if (letter == '"') skip_string(&walk);
        else walk.at++;
        if (space(letter)) continue;
        bool empty = closes && out->length > 0 && strchr("{[", out->bytes[out->length - 1]) != NULL;
        bool first = depth > 0 && !closes && strchr("{[", out->bytes[out->length - 1]) != NULL;
        if (closes) depth--;
        if (first || (closes && !empty)) indent_line(out, depth);
        text_writer_bytes(out, start, (size_t)(walk.at - start));
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
        return error_invalid(error, "not_utf8", "a text is not valid UTF-8");
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
