#include "lib/base/json_scan.h"

#include <assert.h>
#include <stdint.h>

#include "lib/base/limits.h"
#include "lib/base/utf8.h"

enum { PLAIN_DIGITS_MAX = 18 }; /* any number of so many fits into 64 bits */

/* A cursor over the text; every step takes what it expects or fails. */
struct grammar {
    const char *at;
    const char *end;
    char open[JSON_DEPTH_MAX]; /* brackets that wait for their end */
    size_t depth;
    size_t elements; /* of the array that all of it is */
    bool plain;      /* take only what is right whatever its numbers and characters are */
};

static void skip_space(struct grammar *grammar)
{
    while (grammar->at < grammar->end && (*grammar->at == ' ' || *grammar->at == '\n' ||
                                          *grammar->at == '\r' || *grammar->at == '\t'))
        grammar->at++;
}

static bool take(struct grammar *grammar, char character)
{
    if (grammar->at >= grammar->end || *grammar->at != character) return false;
    grammar->at++;
    return true;
}

static bool take_word(struct grammar *grammar, const char *word)
{
    while (*word != '\0')
        if (!take(grammar, *word++)) return false;
    return true;
}

static bool take_digits(struct grammar *grammar)
{
    const char *start = grammar->at;
    while (grammar->at < grammar->end && *grammar->at >= '0' && *grammar->at <= '9') grammar->at++;
    return grammar->at > start;
}

static bool take_number(struct grammar *grammar)
{
    (void)take(grammar, '-');
    const char *start = grammar->at;
    if (!take(grammar, '0') && !take_digits(grammar)) return false;
    if (grammar->plain && grammar->at - start > PLAIN_DIGITS_MAX) return false;
    if (take(grammar, '.') && !take_digits(grammar)) return false;
    if (!take(grammar, 'e') && !take(grammar, 'E')) return true;
    if (grammar->plain) return false;
    if (!take(grammar, '+')) (void)take(grammar, '-');
    return take_digits(grammar);
}

static bool take_escape(struct grammar *grammar)
{
    if (grammar->at >= grammar->end) return false;
    char kind = *grammar->at++;
    if (kind != 'u') return memchr("\"\\/bfnrt", kind, 8) != NULL;
    if (grammar->plain) return false; /* half a pair, or a NUL */
    for (int i = 0; i < 4; i++) {
        if (grammar->at >= grammar->end) return false;
        char digit = *grammar->at++;
        bool hex = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f') ||
                   (digit >= 'A' && digit <= 'F');
        if (!hex) return false;
    }
    return true;
}

/* Whether one of eight bytes is a quote, a backslash, below a space or beyond ASCII. */
static bool is_special(uint64_t bytes)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t below_space = bytes - each * ' ';
    uint64_t quote = (bytes ^ each * '"') - each;
    uint64_t backslash = (bytes ^ each * '\\') - each;
    return ((bytes | below_space | quote | backslash) & each * 0x80) != 0;
}

const char *json_scan_text(const char *at, const char *end)
{
    assert(at != NULL && at <= end);
    for (;;) {
        uint64_t bytes = 0;
        while ((size_t)(end - at) >= sizeof bytes) {
            memcpy(&bytes, at, sizeof bytes);
            if (is_special(bytes)) break;
            at += sizeof bytes;
        }
        while (at < end && *at >= ' ' && *at != '"' && *at != '\\' && *at <= '~') at++;
        if (at >= end) return end;
        size_t sequence = *at == '"' || *at == '\\' ? 0 : utf8_sequence(at, (size_t)(end - at));
        if (sequence == 0 || (unsigned char)*at < ' ') return at;
        at += sequence;
    }
}

static bool take_string(struct grammar *grammar)
{
    if (!take(grammar, '"')) return false;
    for (;;) {
        grammar->at = json_scan_text(grammar->at, grammar->end);
        if (take(grammar, '"')) return true;
        if (!take(grammar, '\\') || !take_escape(grammar)) return false;
    }
}

/* A key and its colon, where an object expects one. */
static bool take_key(struct grammar *grammar)
{
    skip_space(grammar);
    if (!take_string(grammar)) return false;
    skip_space(grammar);
    return take(grammar, ':');
}

/* A value without parts, or the opening of one with parts that is not empty: *opened says so. */
static bool take_start(struct grammar *grammar, bool *opened)
{
    skip_space(grammar);
    *opened = false;
    if (grammar->at >= grammar->end) return false;
    char first = *grammar->at;
    if (first == '"') return take_string(grammar);
    if (first == 't') return take_word(grammar, "true");
    if (first == 'f') return take_word(grammar, "false");
    if (first == 'n') return take_word(grammar, "null");
    if (first != '{' && first != '[') return take_number(grammar);
    grammar->at++;
    skip_space(grammar);
    if (take(grammar, first == '{' ? '}' : ']')) return true;
    if (grammar->depth == JSON_DEPTH_MAX) return false;
    if (grammar->depth == 0) grammar->elements = first == '[';
    grammar->open[grammar->depth++] = first;
    *opened = true;
    return first == '[' || take_key(grammar);
}

/* After a value: the ends of what it completes, then a comma unless all is complete. */
static bool take_rest(struct grammar *grammar)
{
    while (grammar->depth > 0) {
        char open = grammar->open[grammar->depth - 1];
        skip_space(grammar);
        if (take(grammar, ',')) {
            if (grammar->depth == 1 && open == '[') grammar->elements++;
            return open == '[' || take_key(grammar);
        }
        if (!take(grammar, open == '{' ? '}' : ']')) return false;
        grammar->depth--;
    }
    return true;
}

/* One value with the space before it. */
static bool take_value(struct grammar *grammar)
{
    do {
        bool opened = true;
        while (opened)
            if (!take_start(grammar, &opened)) return false;
        if (!take_rest(grammar)) return false;
        assert(grammar->depth <= JSON_DEPTH_MAX);
    } while (grammar->depth > 0);
    return true;
}

bool json_scan_is_value(struct text text)
{
    size_t elements = 0;
    return json_scan_elements(text, &elements);
}

bool json_scan_elements(struct text text, size_t *elements)
{
    assert(text.bytes != NULL || text.length == 0);
    if (text.length == 0) return false;
    struct grammar grammar = {.at = text.bytes, .end = text.bytes + text.length};
    if (!take_value(&grammar)) return false;
    skip_space(&grammar);
    *elements = grammar.elements;
    return grammar.at == grammar.end;
}

size_t json_scan_plain(struct text text)
{
    assert(text.bytes != NULL || text.length == 0);
    if (text.length == 0) return 0;
    struct grammar grammar;
    grammar.at = text.bytes;
    grammar.end = text.bytes + text.length;
    grammar.depth = 0;
    grammar.plain = true;
    return take_value(&grammar) ? (size_t)(grammar.at - text.bytes) : 0;
}
