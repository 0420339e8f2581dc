#include "lib/base/json_scan.h"

#include <assert.h>

#include "lib/base/limits.h"

/* A cursor over the text; every step takes what it expects or fails. */
struct grammar {
    const char *at;
    const char *end;
    char open[JSON_DEPTH_MAX]; /* brackets that wait for their end */
    size_t depth;
    size_t elements; /* of the array that all of it is */
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
    if (!take(grammar, '0') && !take_digits(grammar)) return false;
    if (take(grammar, '.') && !take_digits(grammar)) return false;
    if (!take(grammar, 'e') && !take(grammar, 'E')) return true;
    if (!take(grammar, '+')) (void)take(grammar, '-');
    return take_digits(grammar);
}

static bool take_escape(struct grammar *grammar)
{
    if (grammar->at >= grammar->end) return false;
    char kind = *grammar->at++;
    if (kind != 'u') return memchr("\"\\/bfnrt", kind, 8) != NULL;
    for (int i = 0; i < 4; i++) {
        if (grammar->at >= grammar->end) return false;
        char digit = *grammar->at++;
        bool hex = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f') ||
                   (digit >= 'A' && digit <= 'F');
        if (!hex) return false;
    }
    return true;
}

static bool take_string(struct grammar *grammar)
{
    if (!take(grammar, '"')) return false;
    while (grammar->at < grammar->end) {
        unsigned char byte = (unsigned char)*grammar->at++;
        if (byte == '"') return true;
        if (byte < 0x20) return false;
        if (byte == '\\' && !take_escape(grammar)) return false;
    }
    return false;
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
    do {
        bool opened = true;
        while (opened)
            if (!take_start(&grammar, &opened)) return false;
        if (!take_rest(&grammar)) return false;
        assert(grammar.depth <= JSON_DEPTH_MAX);
    } while (grammar.depth > 0);
    skip_space(&grammar);
    *elements = grammar.elements;
    return grammar.at == grammar.end;
}
