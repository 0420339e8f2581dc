/* instant.h - a point in time: int64_t milliseconds UTC since 1970, and its RFC 3339 text. */
#ifndef BELFRY_TIME_INSTANT_H
#define BELFRY_TIME_INSTANT_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The years 1970 to 9999: all that the text can say. No schedule gives an instant outside. */
#define INSTANT_MIN_MS INT64_C(0)
#define INSTANT_MAX_MS INT64_C(253402300799999)

/* "2026-11-21T20:57:54.123Z" and its terminator: the length never varies. */
enum { INSTANT_TEXT_LENGTH = 24, INSTANT_TEXT_BYTES = INSTANT_TEXT_LENGTH + 1 };

/* Reads RFC 3339 with a mandatory offset ("Z", "+01:00"); finer than a millisecond is floored.
 *   instant_ms  set only on true; INSTANT_MIN_MS..INSTANT_MAX_MS
 *   errors      ERROR_INVALID, code bad_time, with the column: no offset, a bare number, second 60,
 *               a date that does not exist, years outside 1970..9999 */
bool instant_parse(const char *text, size_t length, int64_t *instant_ms, struct error *error)
    __attribute__((warn_unused_result));

/* The same of others' times, in the years 1 to 9999 of their offset: before 1970 it is negative.
 *   instant_ms  set only on true */
bool instant_parse_any_year(const char *text, size_t length, int64_t *instant_ms)
    __attribute__((warn_unused_result));

/* Writes RFC 3339 UTC with three decimals and "Z", terminated. The instant must be in range. */
void instant_format(int64_t instant_ms, char text[INSTANT_TEXT_BYTES]);

static inline bool instant_in_range(int64_t instant_ms)
{
    return instant_ms >= INSTANT_MIN_MS && instant_ms <= INSTANT_MAX_MS;
}

#endif
