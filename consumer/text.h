/* text.h - the small text forms inside a fire: instants, integers, base64, JSON outlines. */
#ifndef BELFRY_CONSUMER_TEXT_H
#define BELFRY_CONSUMER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* RFC 3339 with an offset, years 1 to 9999, no leap second; finer than milliseconds is floored.
 *   instant_ms  UTC since 1970, set only on true */
bool belfry_instant_parse(const char *text, int64_t *instant_ms);

/* A whole decimal integer of 64 bits, optionally negative, nothing around it.
 *   number  set only on true */
bool belfry_integer_parse(const char *text, size_t bytes, int64_t *number);

/* RFC 4648 base64 with padding, nothing else in it.
 *   out        room for at least bytes / 4 * 3
 *   out_bytes  set only on true */
bool belfry_base64_decode(const char *text, size_t bytes, uint8_t *out, size_t *out_bytes);

/* Length of the base64 text of `bytes` bytes, without a terminator. */
size_t belfry_base64_length(size_t bytes);

/* Writes the base64 text, belfry_base64_length() characters, without a terminator. */
void belfry_base64_encode(const uint8_t *in, size_t bytes, char *out);

/* True if the bytes are UTF-8 (no surrogates, shortest form) without a NUL. */
bool belfry_utf8_valid(const char *text, size_t bytes);

/* What one pass over a JSON text shows without understanding it. */
struct belfry_outline {
    size_t depth;       /* the deepest nesting of brackets */
    bool escaped_name;  /* a member of the outer object has an escape in its name */
    const char *data;   /* the value of the outer object's last member "data", NULL: none */
    size_t data_bytes;
};

/* Never reads beyond the text, whatever is in it. The outline is right if the text is JSON. */
void belfry_outline_read(const char *text, size_t bytes, struct belfry_outline *outline);

/* True for application/json, text/json and anything +json; parameters are ignored. */
bool belfry_media_is_json(const char *media_type);

/* True if the media type, without parameters and letter case, is `name`. */
bool belfry_media_is(const char *media_type, size_t bytes, const char *name);

#pragma GCC visibility pop

#endif
