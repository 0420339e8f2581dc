#include "lib/base/json_scan.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/utf8.h"

struct scan {
    struct text text;
    size_t at;
    size_t depth;
    size_t tokens;
    uint32_t members[JSON_DEPTH_MAX + 1]; /* colons seen at each depth */
};

/* Steps over the inside of a string, up to its closing quote or the end of the text. */
static bool check_string(struct scan *scan, struct error *error)
{
    const char *bytes = scan->text.bytes;
    size_t length = scan->text.length;
    size_t at = scan->at;
    while (at < length && bytes[at] != '"') {
        if (bytes[at] == '\\') {
            at += at + 1 < length && (unsigned char)bytes[at + 1] < 0x80 ? 2 : 1;
            continue;
        }
        if ((unsigned char)bytes[at] < 0x80) {
            at++;
            continue;
        }
        size_t sequence = utf8_sequence(bytes + at, length - at);
        if (sequence == 0)
            return error_invalid(error, CODE_NOT_UTF8, "byte %zu is not well-formed UTF-8", at + 1);
        at += sequence;
    }
    scan->at = at < length ? at + 1 : at;
    return true;
}

static bool check_open(struct scan *scan, struct error *error)
{
    scan->depth++;
    scan->tokens++;
    if (scan->depth > JSON_DEPTH_MAX)
        return error_invalid(error, CODE_TOO_DEEP, "byte %zu: nested deeper than %d levels",
                             scan->at, JSON_DEPTH_MAX);
    scan->members[scan->depth] = 0;
    return true;
}

static bool check_byte(struct scan *scan, char byte, struct error *error)
{
    switch (byte) {
    case '"': return check_string(scan, error);
    case '{':
    case '[': return check_open(scan, error);
    case '}':
    case ']':
        if (scan->depth > 0) scan->depth--;
        return true;
    case ',': scan->tokens++; return true;
    case ':':
        scan->tokens++;
        if (++scan->members[scan->depth] > JSON_MEMBERS_MAX)
            return error_invalid(error, CODE_TOO_MANY,
                                 "byte %zu: an object has more than %d members", scan->at,
                                 JSON_MEMBERS_MAX);
        return true;
    case '\t':
    case '\n':
    case '\r': return true;
    default: break;
    }
    if ((unsigned char)byte < ' ') /* jansson passes over a NUL that follows a number or word */
        return error_invalid(error, CODE_INVALID_JSON, "byte %zu: a control character", scan->at);
    if ((unsigned char)byte < 0x80) return true;
    if (utf8_sequence(scan->text.bytes + scan->at - 1, scan->text.length - scan->at + 1) == 0)
        return error_invalid(error, CODE_NOT_UTF8, "byte %zu is not well-formed UTF-8", scan->at);
    return error_invalid(error, CODE_INVALID_JSON, "byte %zu: only strings may hold this character",
                         scan->at);
}

bool json_scan_check(struct text text, size_t bytes_max, struct error *error)
{
    assert(text.bytes != NULL || text.length == 0);
    if (text.length > bytes_max)
        return error_invalid(error, CODE_TOO_LARGE, "%zu bytes, at most %zu are allowed",
                             text.length, bytes_max);
    struct scan scan = {.text = text};
    while (scan.at < text.length) {
        char byte = text.bytes[scan.at++];
        if (!check_byte(&scan, byte, error)) return false;
        assert(scan.depth <= JSON_DEPTH_MAX);
        if (scan.tokens > JSON_TOKENS_MAX)
            return error_invalid(error, CODE_TOO_MANY, "more than %d values in one message",
                                 JSON_TOKENS_MAX);
    }
    return true;
}

static size_t skip_space(struct text text, size_t at)
{
    while (at < text.length && (text.bytes[at] == ' ' || text.bytes[at] == '\n' ||
                                text.bytes[at] == '\r' || text.bytes[at] == '\t'))
        at++;
    return at;
}

/* From an opening quote to just after the closing one. */
static size_t skip_string(struct text text, size_t at)
{
    const char *end = text.bytes + text.length;
    const char *byte = text.bytes + at + 1;
    const char *quote = text.bytes + at;
    assert(*quote == '"');
    for (;;) {
        if (quote < byte && byte < end) quote = memchr(byte, '"', (size_t)(end - byte));
        if (quote == NULL || byte >= end) return text.length;
        const char *escape = memchr(byte, '\\', (size_t)(quote - byte));
        if (escape == NULL) return (size_t)(quote - text.bytes) + 1;
        byte = escape + 2;
    }
}

/* From the first byte of a value to just after its last. */
static size_t skip_value(struct text text, size_t at)
{
    size_t depth = 0;
    while (at < text.length) {
        char byte = text.bytes[at];
        if (byte == '"') {
            at = skip_string(text, at);
        } else if (byte == '{' || byte == '[') {
            depth++;
            at++;
        } else if (byte == '}' || byte == ']') {
            if (depth == 0) return at; /* the end of what holds a number or a word */
            depth--;
            at++;
        } else if (depth == 0 &&
                   (byte == ',' || byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t')) {
            return at;
        } else {
            at++;
            continue;
        }
        if (depth == 0) return at;
    }
    return at;
}

size_t json_scan_depth(struct text text)
{
    assert(text.bytes != NULL || text.length == 0);
    size_t depth = 0;
    size_t deepest = 0;
    size_t at = 0;
    while (at < text.length) {
        char byte = text.bytes[at];
        at = byte == '"' ? skip_string(text, at) : at + 1;
        if (byte == '{' || byte == '[') depth++;
        if ((byte == '}' || byte == ']') && depth > 0) depth--;
        if (depth > deepest) deepest = depth;
    }
    return deepest;
}

bool json_scan_pair(struct text *rest, struct text *name, struct text *value)
{
    assert(rest != NULL && name != NULL && value != NULL);
    size_t at = skip_space(*rest, 0);
    if (at >= rest->length || (rest->bytes[at] != '{' && rest->bytes[at] != ',')) return false;
    at = skip_space(*rest, at + 1);
    if (at >= rest->length || rest->bytes[at] != '"') return false;
    size_t end = skip_string(*rest, at);
    if (end < at + 2) return false; /* cut off */
    *name = (struct text){rest->bytes + at + 1, end - at - 2};
    at = skip_space(*rest, end);
    if (at >= rest->length || rest->bytes[at] != ':') return false;
    at = skip_space(*rest, at + 1);
    end = skip_value(*rest, at);
    *value = (struct text){rest->bytes + at, end - at};
    rest->bytes += end;
    rest->length -= end;
    return true;
}

struct text json_scan_member(struct text object, const char *name)
{
    assert(name != NULL);
    struct text wanted = text_of(name);
    struct text member;
    struct text value;
    size_t at = skip_space(object, 0);
    if (at >= object.length || object.bytes[at] != '{') return (struct text){NULL, 0};
    while (json_scan_pair(&object, &member, &value))
        if (text_equal(member, wanted)) return value;
    return (struct text){NULL, 0};
}

size_t json_scan_string(struct text text)
{
    assert(text.length > 0);
    return skip_string(text, 0);
}

bool json_scan_element(struct text *rest, struct text *element)
{
    assert(rest != NULL && element != NULL);
    size_t at = skip_space(*rest, 0);
    if (at >= rest->length) return false;
    if (rest->bytes[at] != '[' && rest->bytes[at] != ',') return false;
    at = skip_space(*rest, at + 1);
    if (at >= rest->length || rest->bytes[at] == ']') return false;
    size_t end = skip_value(*rest, at);
    *element = (struct text){rest->bytes + at, end - at};
    rest->bytes += end;
    rest->length -= end;
    return true;
}

size_t json_scan_compact(struct text value, char *compact)
{
    assert(value.bytes != NULL || value.length == 0);
    assert(compact != NULL);
    char *out = compact;
    size_t at = skip_space(value, 0);
    while (at < value.length) {
        size_t end = at;
        if (value.bytes[at] == '"') {
            end = skip_string(value, at);
        } else {
            assert((unsigned char)value.bytes[at] > ' '); /* else it would not come on */
            while (end < value.length && value.bytes[end] != '"' &&
                   (unsigned char)value.bytes[end] > ' ')
                end++;
        }
        memcpy(out, value.bytes + at, end - at);
        out += end - at;
        at = skip_space(value, end);
        assert(end < value.length || at == end);
    }
    return (size_t)(out - compact);
}
