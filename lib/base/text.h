/* text.h - a borrowed run of bytes; not terminated, may be empty, never owns. */
#ifndef BELFRY_BASE_TEXT_H
#define BELFRY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
    const char *bytes; /* NULL only when length is 0 */
    size_t length;
};

static inline struct text text_of(const char *terminated)
{
    return (struct text){terminated, terminated == NULL ? 0 : strlen(terminated)};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

#endif
