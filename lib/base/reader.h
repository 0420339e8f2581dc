/* reader.h - a cursor over input bytes whose refusals name the column.
 * Shared by the hand-written parsers (times, durations, cron). Locale-free; no allocation. */
#ifndef BELFRY_BASE_READER_H
#define BELFRY_BASE_READER_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `text` is borrowed, need not be terminated and may hold any bytes. `error` may be NULL. */
struct reader {
    const char *text;
    size_t length;
    size_t at;           /* index of the next byte; at == length is the end */
    const char *subject; /* what is being read, first word of a refusal: "minute", "time" */
    struct error *error;
};

enum { READER_EXCERPT_BYTES = 33 };

/* A piece of the input fit for a message: printable ASCII, '?' for the rest, "..." when cut. */
struct reader_excerpt {
    char text[READER_EXCERPT_BYTES];
};

static inline bool reader_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static inline bool reader_is_letter(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static inline char reader_upper(char byte)
{
    return byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
}

/* The next byte, or '\0' at the end. A NUL byte in the input looks the same, but leaves
 * at < length: every parser ends by asking reader_at_end(). */
static inline char reader_peek(const struct reader *reader)
{
    return reader->at < reader->length ? reader->text[reader->at] : '\0';
}

static inline bool reader_at_end(const struct reader *reader)
{
    return reader->at == reader->length;
}

/* Steps over `byte` if it is next. */
bool reader_take(struct reader *reader, char byte);

/* Steps over a run of digits and returns how many there were; *number is their value, which
 * stays at READER_NUMBER_MAX when it is larger. */
#define READER_NUMBER_MAX INT64_C(100000000000000000)
size_t reader_digits(struct reader *reader, int64_t *number);

struct reader_excerpt reader_excerpt(const struct reader *reader, size_t from, size_t to);

/* Sets ERROR_INVALID with `code`, column `at` + 1 and "<subject>: column <n>: <detail>", unless an
 * error is set already. Returns false. */
bool reader_refuse(const struct reader *reader, size_t at, enum error_code code, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

#endif
