/* local_time.h - instants as the clock of a zone shows them. */
#ifndef BELFRY_CLI_LOCAL_TIME_H
#define BELFRY_CLI_LOCAL_TIME_H

#include "lib/time/civil.h"
#include "lib/time/zone.h"

enum { LOCAL_TIME_BYTES = 64 };

extern const char *const weekday_short[7]; /* Sun .. Sat */
extern const char *const month_long[13];   /* from 1 */

/* Local seconds since 1970; NULL is UTC. */
int64_t local_seconds(const struct zone *zone, int64_t instant_ms);
struct civil_date local_date(int64_t local_s);

/* "Sun 2026-03-29 03:00:00 +02:00", with milliseconds where there are some. Returns text. */
const char *local_time_text(const struct zone *zone, int64_t instant_ms,
                            char text[LOCAL_TIME_BYTES]);

/* "02:30", or "02:30:15" when the seconds are not 0. Returns text. */
const char *clock_text(int64_t local_s, char text[LOCAL_TIME_BYTES]);

#endif
