#include "schemas/dead_letter.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

static struct text number(struct text_writer *scratch, int64_t value)
{
    size_t before = scratch->length;
    text_writer_integer(scratch, value);
    return (struct text){scratch->bytes + before, scratch->length - before};
}

/* Its name is ours to say: a sender's header must not pass for one of Belfry's. */
static bool is_reserved(struct text name)
{
    return name.length >= 4 && strncasecmp(name.bytes, "dlq_", 4) == 0;
}

/* Appends the original's headers behind ours; returns how many had no room. */
static size_t copy_original(const struct dead_letter *letter, struct record_header *headers,
                            size_t *count)
{
    size_t bytes = 0;
    size_t copied = 0;
    size_t left_out = 0;
    for (size_t i = 0; i < letter->header_count; i++) {
        const struct record_header *header = &letter->headers[i];
        size_t size = header->name.length + header->value.length;
        if (is_reserved(header->name)) continue;
        if (left_out > 0 || copied == HEADERS_MAX || bytes + size > DEAD_HEADER_BYTES_MAX) {
            left_out++;
            continue;
        }
        headers[(*count)++] = *header;
        bytes += size;
        copied++;
    }
    return left_out;
}

size_t dead_letter_headers(const struct dead_letter *letter, struct text_writer *scratch,
                           struct record_header headers[DEAD_HEADERS_MAX], struct dead_copy *copy)
{
    assert(letter != NULL && letter->error != NULL && copy != NULL);
    assert(scratch->fixed && scratch->capacity - scratch->length >= DEAD_SCRATCH_BYTES);
    const struct error *error = letter->error;
    size_t count = 0;
    headers[count++] = (struct record_header){text_of("dlq_topic"), letter->topic};
    headers[count++] =
        (struct record_header){text_of("dlq_partition"), number(scratch, letter->partition)};
    headers[count++] =
        (struct record_header){text_of("dlq_offset"), number(scratch, letter->offset)};
    headers[count++] =
        (struct record_header){text_of("dlq_code"), text_of(error_code_word(error->code))};
    headers[count++] = (struct record_header){text_of("dlq_message"), text_of(error->message)};
    if (error->field[0] != '\0')
        headers[count++] = (struct record_header){text_of("dlq_field"), text_of(error->field)};
    *copy = (struct dead_copy){letter->key, letter->value};
    if (letter->key.length > RECORD_KEY_BYTES_MAX) {
        copy->key.length = RECORD_KEY_BYTES_MAX;
        headers[count++] = (struct record_header){text_of("dlq_key_cut"),
                                                  number(scratch, (int64_t)letter->key.length)};
    }
    if (letter->value.length > DEAD_COPY_BYTES_MAX) {
        copy->value.length = DEAD_CUT_BYTES;
        headers[count++] = (struct record_header){text_of("dlq_truncated"),
                                                  number(scratch, (int64_t)letter->value.length)};
    }
    size_t left_out = copy_original(letter, headers, &count);
    if (left_out > 0)
        headers[count++] = (struct record_header){text_of("dlq_headers_cut"),
                                                  number(scratch, (int64_t)left_out)};
    assert(count <= DEAD_HEADERS_MAX);
    return count;
}
