#include "lib/model/traceparent.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* The id in [from, to) is something else than zeros. */
static bool names_something(struct text text, size_t from, size_t to)
{
    while (from < to && text.bytes[from] == '0') from++;
    return from < to;
}

bool traceparent_is_valid(struct text text)
{
    enum { TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53 };
    static_assert(FLAGS_AT + 2 == TRACEPARENT_BYTES, "the parts and their dashes");
    if (text.length != TRACEPARENT_BYTES || memcmp(text.bytes, "00-", 3) != 0) return false;
    for (size_t i = TRACE_AT; i < text.length; i++) {
        bool dash = i == PARENT_AT - 1 || i == FLAGS_AT - 1;
        if (dash ? text.bytes[i] != '-' : !is_digit(text.bytes[i])) return false;
    }
    return names_something(text, TRACE_AT, PARENT_AT - 1) &&
           names_something(text, PARENT_AT, FLAGS_AT - 1);
}
