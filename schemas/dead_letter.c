#include "schemas/dead_letter.h"

#include <assert.h>

#include "dispatcher/core/limits.h"

static struct text number(struct text_writer *scratch, int64_t value)
{
    size_t before = scratch->length;
    text_writer_integer(scratch, value);
    return (struct text){scratch->bytes + before, scratch->length - before};
}

size_t dead_letter_headers(const struct dead_letter *letter, struct text_writer *scratch,
                           struct record_header headers[DEAD_HEADERS_MAX], struct text *kept)
{
    assert(letter != NULL && letter->error != NULL && kept != NULL);
    assert(scratch->fixed && scratch->capacity - scratch->length >= DEAD_SCRATCH_BYTES);
    const struct error *error = letter->error;
    size_t count = 0;
    headers[count++] = (struct record_header){text_of("dlq_topic"), letter->topic};
    headers[count++] =
        (struct record_header){text_of("dlq_partition"), number(scratch, letter->partition)};
    headers[count++] =
        (struct record_header){text_of("dlq_offset"), number(scratch, letter->offset)};
    headers[count++] = (struct record_header){text_of("dlq_code"), text_of(error->code)};
    headers[count++] = (struct record_header){text_of("dlq_message"), text_of(error->message)};
    if (error->field[0] != '\0')
        headers[count++] = (struct record_header){text_of("dlq_field"), text_of(error->field)};
    *kept = letter->value;
    if (letter->value.length > DEAD_COPY_BYTES_MAX) {
        kept->length = DEAD_CUT_BYTES;
        headers[count++] = (struct record_header){text_of("dlq_truncated"),
                                                  number(scratch, (int64_t)letter->value.length)};
    }
    assert(count <= DEAD_HEADERS_MAX);
    return count;
}
