/* duration.h - a length of elapsed time in milliseconds, and its text ("90s", "PT90S"). */
#ifndef BELFRY_TIME_DURATION_H
#define BELFRY_TIME_DURATION_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 100000 days, about 273 years: an instant plus a duration cannot overflow. */
#define DURATION_MAX_MS (INT64_C(100000) * 86400000)

enum { DURATION_TEXT_BYTES = 24 };

/* Reads "500ms", "90s", "1h30m", "2d" (a day is 24 h) or ISO 8601 "PT90S", "P2D", "PT1H30M",
 * "PT1.5S". Zero ("0s") is a duration.
 *   duration_ms  set only on true; 0..DURATION_MAX_MS
 *   errors       ERROR_INVALID, code bad_duration, with the column: a bare number, a sign, a
 *                fraction, weeks, months, years, units out of order, longer than DURATION_MAX_MS */
bool duration_parse(const char *text, size_t length, int64_t *duration_ms, struct error *error)
    __attribute__((warn_unused_result));

/* Writes the whole duration in the largest unit that divides it, terminated: "90s", "36h", "2d",
 * except that one day is "24h". duration_parse() reads it back to the same number.
 * Any duration >= 0 is allowed. */
void duration_format(int64_t duration_ms, char text[DURATION_TEXT_BYTES]);

#endif
