/* base64.h - RFC 4648 section 4, with padding, nothing else allowed in between. */
#ifndef BELFRY_BASE_BASE64_H
#define BELFRY_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/text.h"

static inline size_t base64_encoded_length(size_t length)
{
    return (length + 2) / 3 * 4;
}

/* Writes base64_encoded_length(bytes.length) characters, not terminated. */
void base64_encode(struct text bytes, char *encoded);

/* Bytes that base64_decode() may write for a text of this length. */
static inline size_t base64_decoded_bound(size_t length)
{
    return length / 4 * 3;
}

/* False when `text` is not canonical base64: *length is not set then. */
bool base64_decode(struct text text, char *decoded, size_t *length)
    __attribute__((warn_unused_result));

#endif
