/* cron.h - a cron expression as bit masks, and the instants it names. UTC; no allocation.
 * docs/time.md says what each form means. cron_parse.c reads the text, cron_next.c walks the
 * calendar, cron.c holds what both need. */
#ifndef BELFRY_CORE_CRON_H
#define BELFRY_CORE_CRON_H

#include "dispatcher/core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cron_flag {
    /* Both day fields are restricted: a day is right when either names it, not both. */
    CRON_DAY_EITHER = 1,
    /* No day is left out, so the calendar need not be asked. */
    CRON_EVERY_DAY = 2
};

/* A plain value in canonical form: two expressions that name the same instants for the same
 * reasons have equal members. Bit n stands for the value n. No mask is empty. */
struct cron {
    uint64_t seconds;  /* 0..59 */
    uint64_t minutes;  /* 0..59 */
    uint32_t hours;    /* 0..23 */
    uint32_t days;     /* of the month, 1..31 */
    uint16_t months;   /* 1..12 */
    uint8_t weekdays;  /* 0 = Sunday .. 6 */
    uint8_t flags;     /* of enum cron_flag */
};

/* What is allowed but seldom meant; the caller decides whether to say so. */
enum cron_warning {
    CRON_WARNING_BOTH_DAYS = 1, /* both day fields are set: either one suffices */
    CRON_WARNING_WIDE_STEP = 2  /* a step is above the width of its range: only its start counts */
};

/* Reads the standard dialect: five fields, six (seconds first), or a nickname such as @daily.
 * Texts above CRON_TEXT_BYTES_MAX (limits.h) are refused unread.
 *   cron      set only on true
 *   warnings  bits of enum cron_warning, set only on true; may be NULL
 *   errors    ERROR_INVALID with field name, column and what is allowed; codes bad_cron,
 *             never_fires (30 February), not_supported (L W # H, + , quartz, zone prefix) */
bool cron_parse(const char *text, size_t length, struct cron *cron, uint32_t *warnings,
                struct error *error) __attribute__((warn_unused_result));

/* A sentence for one warning bit. */
const char *cron_warning_text(enum cron_warning warning);

/* Sets the flags that follow from the masks and drops day masks that say nothing. */
void cron_canonicalise(struct cron *cron);

/* Whether some day of the calendar matches. Constant time: see cron.c for why that is proof. */
bool cron_fires(const struct cron *cron);

bool cron_equal(const struct cron *left, const struct cron *right);

/* The matching days of a month, bit d for day d; 0 when there are none. Ignores the time of day. */
uint32_t cron_month_days(const struct cron *cron, int32_t year, int32_t month);

/* First instant strictly after `after_ms` (any number). Constant time but for the months it looks
 * at: at most one for each month named, over eight years.
 *   next_ms  set only on true; a whole second in INSTANT_MIN_MS..INSTANT_MAX_MS
 *   false    nothing more before the year 10000 */
bool cron_next(const struct cron *cron, int64_t after_ms, int64_t *next_ms)
    __attribute__((warn_unused_result));

/* How many instants lie in (from_ms, to_ms]. Walks months, not instants. */
uint64_t cron_count(const struct cron *cron, int64_t from_ms, int64_t to_ms);

/* The newest instant in (from_ms, to_ms] after leaving out the `skip` newest ones. Walks months.
 *   instant_ms  set only on true
 *   false       there are at most `skip` instants in the range */
bool cron_newest(const struct cron *cron, int64_t from_ms, int64_t to_ms, uint64_t skip,
                 int64_t *instant_ms) __attribute__((warn_unused_result));

#endif
