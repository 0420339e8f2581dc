/* utf8.h - what is well-formed UTF-8 (RFC 3629): no surrogates, no overlong forms. */
#ifndef BELFRY_BASE_UTF8_H
#define BELFRY_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/text.h"

/* Bytes of the well-formed sequence at the start of bytes[0..left): 1 to 4, 0 = ill-formed or
 * cut off. left >= 1. */
size_t utf8_sequence(const char *bytes, size_t left);

/* Offset of the first byte that does not belong to a well-formed sequence; text.length if all
 * is well. */
size_t utf8_valid_length(struct text text);

/* Copies as much of `text` as fits into `copy`, terminated, for messages and terminals: control,
 * line-breaking and direction-changing characters and ill-formed bytes become '?', and what is
 * cut off is shown by "...". `bytes` >= 8. Returns `copy`. */
const char *utf8_excerpt(struct text text, char *copy, size_t bytes);

#endif
