/* text.h - small text forms inside a fire: integers, JSON outlines, media types. */
#ifndef BELFRY_CONSUMER_TEXT_H
#define BELFRY_CONSUMER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* A whole decimal integer of 64 bits, optionally negative, nothing around it.
 *   number  set only on true */
bool belfry_integer_parse(const char *text, size_t bytes, int64_t *number);

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
