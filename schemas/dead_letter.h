/* dead_letter.h - a record for belfry.dead: the original bytes and headers, and headers that say
 * where they came from and what was wrong with them. */
#ifndef BELFRY_SCHEMAS_DEAD_LETTER_H
#define BELFRY_SCHEMAS_DEAD_LETTER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/limits.h"
#include "lib/base/text.h"
#include "schemas/record_header.h"
#include "schemas/text_writer.h"

struct dead_letter {
    struct text topic; /* where the original stands */
    int32_t partition;
    int64_t offset;
    struct text key;
    struct text value;         /* its bytes; may be NULL for a tombstone */
    const struct error *error; /* what was wrong */
    const struct record_header *headers; /* its own */
    size_t header_count;
};

enum {
    DEAD_OWN_HEADERS_MAX = 9,
    DEAD_HEADERS_MAX = DEAD_OWN_HEADERS_MAX + HEADERS_MAX,
    DEAD_HEADER_BYTES_MAX = RECORD_HEADERS_BYTES_MAX, /* of the original's that are kept */
    DEAD_SCRATCH_BYTES = 120
};

/* What the dead letter keeps of the original's key and value. */
struct dead_copy {
    struct text key;
    struct text value;
};

/* The headers of the dead letter (dlq_..., then the original's, first come first kept: HEADERS_MAX
 * of them and DEAD_HEADER_BYTES_MAX; dlq_headers_cut says how many are left out, and none of the
 * original's begins with dlq_) and the part of key and value that it keeps. A value: all of it up
 * to DEAD_COPY_BYTES_MAX, else its first DEAD_CUT_BYTES, and a header dlq_truncated with the bytes
 * there were; a key: its first RECORD_KEY_BYTES_MAX, and dlq_key_cut. Texts borrow from the letter,
 * its error and `scratch`, a fixed writer with room for DEAD_SCRATCH_BYTES more. Returns how many
 * headers. */
size_t dead_letter_headers(const struct dead_letter *letter, struct text_writer *scratch,
                           struct record_header headers[DEAD_HEADERS_MAX], struct dead_copy *copy);

#endif
