#include "lib/base/utf8.h"

#include <assert.h>
#include <stdint.h>

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Of three or four bytes: the second says more than that it goes on. */
static bool is_second(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0: return second >= 0xA0; /* else overlong */
    case 0xED: return second <= 0x9F; /* else a surrogate */
    case 0xF0: return second >= 0x90; /* else overlong */
    case 0xF4: return second <= 0x8F; /* else above U+10FFFF */
    default: return true;
    }
}

size_t utf8_sequence(const char *bytes, size_t left)
{
    assert(bytes != NULL);
    assert(left > 0);
    const unsigned char *at = (const unsigned char *)bytes;
    if (at[0] < 0x80) return 1;
    if (at[0] < 0xC2 || at[0] > 0xF4) return 0;
    size_t length = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    if (left < length || !is_second(at[0], at[1])) return 0;
    for (size_t i = 1; i < length; i++)
        if (!is_continuation(at[i])) return 0;
    return length;
}

size_t utf8_valid_length(struct text text)
{
    assert(text.bytes != NULL || text.length == 0);
    size_t at = 0;
    while (at < text.length) {
        if ((unsigned char)text.bytes[at] < 0x80) {
            at++;
            continue;
        }
        size_t length = utf8_sequence(text.bytes + at, text.length - at);
        if (length == 0) break;
        at += length;
    }
    return at;
}

/* Characters that could forge a line or turn the direction of what a person reads. */
static bool is_unsafe(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    if (length == 1) return at[0] < 0x20 || at[0] == 0x7F;
    if (length == 2) return at[0] == 0xC2 && at[1] < 0xA0;
    if (length == 4) return false;
    uint32_t point = ((uint32_t)(at[0] & 0x0F) << 12) | ((uint32_t)(at[1] & 0x3F) << 6) |
                     (uint32_t)(at[2] & 0x3F);
    return (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

const char *utf8_excerpt(struct text text, char *copy, size_t bytes)
{
    assert(copy != NULL);
    assert(bytes >= 8);
    size_t used = 0;
    size_t last_fit = 0; /* where "..." still has room */
    size_t at = 0;
    while (at < text.length) {
        size_t length = utf8_sequence(text.bytes + at, text.length - at);
        bool shown = length > 0 && !is_unsafe(text.bytes + at, length);
        size_t needed = shown ? length : 1;
        if (used + needed >= bytes) {
            memcpy(copy + last_fit, "...", 4);
            return copy;
        }
        if (shown) memcpy(copy + used, text.bytes + at, length);
        else copy[used] = '?';
        used += needed;
        if (used + 4 <= bytes) last_fit = used;
        at += length > 0 ? length : 1;
    }
    copy[used] = '\0';
    return copy;
}
