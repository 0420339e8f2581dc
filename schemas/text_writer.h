/* text_writer.h - appends JSON to a buffer that grows, or to a fixed one of the caller's.
 *
 * A fixed writer that runs out of room drops what does not fit and says `overflowed`; a growing
 * one never does. The bytes are not terminated. */
#ifndef BELFRY_SCHEMAS_TEXT_WRITER_H
#define BELFRY_SCHEMAS_TEXT_WRITER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/text.h"

struct text_writer {
    char *bytes;
    size_t length;
    size_t capacity;
    bool fixed;
    bool overflowed;
};

/* Empty and growing, with room; end it with text_writer_free(). Zeroed memory is one without. */
void text_writer_init(struct text_writer *writer);

/* Writes into `bytes`, which stays the caller's and never moves. */
void text_writer_init_fixed(struct text_writer *writer, char *bytes, size_t capacity);

/* Frees the buffer of a growing writer; the writer is empty and usable again. */
void text_writer_free(struct text_writer *writer);

/* Forgets the content, keeps the buffer. */
static inline void text_writer_reset(struct text_writer *writer)
{
    writer->length = 0;
    writer->overflowed = false;
}

static inline struct text text_writer_text(const struct text_writer *writer)
{
    return (struct text){writer->bytes, writer->length};
}

/* The slow half of text_writer_reserve(). */
char *text_writer_make_room(struct text_writer *writer, size_t bytes);

/* Where the next `bytes` bytes may be written, for the caller to add to writer->length; NULL only
 * for a fixed writer without room. Nothing is lost of what is there. */
static inline char *text_writer_reserve(struct text_writer *writer, size_t bytes)
{
    assert(writer->length <= writer->capacity);
    if (__builtin_expect(writer->capacity - writer->length < bytes, 0))
        return text_writer_make_room(writer, bytes);
    return writer->bytes + writer->length;
}

static inline void text_writer_bytes(struct text_writer *writer, const void *bytes, size_t length)
{
    if (length == 0) return;
    char *at = text_writer_reserve(writer, length);
    if (at == NULL) return;
    memcpy(at, bytes, length);
    writer->length += length;
}

static inline void text_writer_raw(struct text_writer *writer, struct text text)
{
    text_writer_bytes(writer, text.bytes, text.length);
}

/* For literals: the compiler knows the length. */
static inline void text_writer_words(struct text_writer *writer, const char *terminated)
{
    text_writer_bytes(writer, terminated, strlen(terminated));
}

static inline void text_writer_char(struct text_writer *writer, char character)
{
    char *at = text_writer_reserve(writer, 1);
    if (at == NULL) return;
    *at = character;
    writer->length++;
}

/* As printf() writes it. */
void text_writer_format(struct text_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What a growing writer holds, with a terminator behind it until something is appended. */
char *text_writer_terminated(struct text_writer *writer);

/* Decimal, without leading zeros. */
void text_writer_integer(struct text_writer *writer, int64_t value);

/* A JSON string with its quotes. Ill-formed UTF-8 becomes U+FFFD, so the result is always valid. */
void text_writer_string(struct text_writer *writer, struct text text);

/* The inside of a JSON string, without quotes. */
void text_writer_escaped(struct text_writer *writer, struct text text);

/* "2026-11-21T20:57:54.123Z" with quotes; INSTANT_MIN_MS..INSTANT_MAX_MS. */
void text_writer_instant(struct text_writer *writer, int64_t instant_ms);

/* "90s" with quotes; >= 0. */
void text_writer_duration(struct text_writer *writer, int64_t duration_ms);

/* Base64 with quotes. */
void text_writer_base64(struct text_writer *writer, struct text bytes);

/* Starts a member: `"name":`, after a comma unless the last byte opens an object. `name` needs no
 * escaping. */
void text_writer_member(struct text_writer *writer, const char *name);

/* A comma unless the last byte opens an array or object. */
void text_writer_comma(struct text_writer *writer);

/* The digits of `value` at `at` (up to 20); returns the end. */
char *text_put_unsigned(char *at, uint64_t value);

#endif
