/* outline.c - one pass over JSON text: how deep it is, and where the payload lies, so that the
 * payload can be handed on byte for byte instead of as the parser would print it again. */
#include "consumer/text.h"

#include <assert.h>
#include <string.h>

struct scan {
    const char *text;
    size_t depth;
    bool in_string;
    bool in_value;     /* between ':' and ',' of the outer object */
    size_t name_start; /* of the outer object's current member, after the quote */
    size_t name_end;
    size_t value_start;
};

static bool is_space(char symbol)
{
    return symbol == ' ' || symbol == '\t' || symbol == '\n' || symbol == '\r';
}

static void value_end(struct scan *scan, size_t end, struct belfry_outline *outline)
{
    static const char name[] = "data";
    assert(scan->name_start <= scan->name_end);
    if (!scan->in_value) return;
    scan->in_value = false;
    size_t start = scan->value_start;
    assert(start <= end);
    if (scan->name_end - scan->name_start != sizeof name - 1) return;
    if (memcmp(scan->text + scan->name_start, name, sizeof name - 1) != 0) return;
    while (start < end && is_space(scan->text[start])) start++;
    while (end > start && is_space(scan->text[end - 1])) end--;
    outline->data = scan->text + start;
    outline->data_bytes = end - start;
}

static void outside_string(struct scan *scan, size_t i, struct belfry_outline *outline)
{
    assert(!scan->in_string);
    switch (scan->text[i]) {
    case '"':
        scan->in_string = true;
        if (scan->depth == 1 && !scan->in_value) scan->name_start = scan->name_end = i + 1;
        break;
    case '{':
    case '[':
        scan->depth++;
        if (scan->depth > outline->depth) outline->depth = scan->depth;
        break;
    case '}':
    case ']':
        if (scan->depth == 1) value_end(scan, i, outline);
        if (scan->depth > 0) scan->depth--;
        break;
    case ',':
        if (scan->depth == 1) value_end(scan, i, outline);
        break;
    case ':':
        if (scan->depth == 1 && !scan->in_value) {
            scan->in_value = true;
            scan->value_start = i + 1;
        }
        break;
    default:
        break;
    }
}

void belfry_outline_read(const char *text, size_t bytes, struct belfry_outline *outline)
{
    assert(text != NULL || bytes == 0);
    assert(outline != NULL);
    *outline = (struct belfry_outline){0};
    struct scan scan = {.text = text};
    for (size_t i = 0; i < bytes; i++) {
        if (!scan.in_string) {
            outside_string(&scan, i, outline);
        } else if (text[i] == '\\') {
            if (scan.depth == 1 && !scan.in_value) outline->escaped_name = true;
            i++;
        } else if (text[i] == '"') {
            scan.in_string = false;
            if (scan.depth == 1 && !scan.in_value) scan.name_end = i;
        }
    }
}
