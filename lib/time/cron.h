/* cron.h - a cron expression as bit masks in a time zone, and the instants it names. No allocation.
 * docs/time.md says what each form means. cron_parse.c reads the text, cron_day.c knows the
 * calendar, cron_local.c walks local time, cron_next.c lays it over the zone. */
#ifndef BELFRY_TIME_CRON_H
#define BELFRY_TIME_CRON_H

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/time/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cron_dialect { CRON_STANDARD = 0, CRON_SECONDS, CRON_QUARTZ };

/* What happens to a job at a fixed time where the clocks change. */
enum cron_dst { CRON_DST_VIXIE = 0, CRON_DST_SKIP_REPEAT };

enum cron_flag {
    /* Both day fields are restricted: a day is right when either names it, not both. */
    CRON_DAY_EITHER = 1,
    /* No day is left out, so the calendar need not be asked. */
    CRON_EVERY_DAY = 2,
    /* Only the day of the week decides. */
    CRON_WEEKDAYS_ONLY = 4,
    /* L, W or # is used. */
    CRON_SPECIAL_DAYS = 8,
    /* LW: the last day of the month that is a weekday from Monday to Friday. */
    CRON_LAST_WEEKDAY = 16,
    /* Only some years. */
    CRON_YEARS = 32,
    /* A fixed time in a zone whose clocks change: what a gap leaves out runs once at its end, and
     * what comes twice runs the first time. Without it each instant whose local time matches. */
    CRON_ONCE = 64
};

enum { CRON_YEAR_FIRST = 1970, CRON_YEAR_LAST = 2099, CRON_YEAR_WORDS = 5, CRON_NTH_LAST = 5 };

/* A plain value in canonical form: two expressions that name the same instants for the same
 * reasons have equal members. Bit n stands for the value n. */
struct cron {
    uint64_t seconds; /* 0..59 */
    uint64_t minutes; /* 0..59 */
    uint64_t nth;     /* bit 7 * k + w: the k-th weekday w, k = 0..4, or CRON_NTH_LAST */
    uint32_t years[CRON_YEAR_WORDS]; /* bit n: CRON_YEAR_FIRST + n; all 0 without CRON_YEARS */
    uint32_t hours;       /* 0..23 */
    uint32_t days;        /* of the month, 1..31 */
    uint32_t nearest;     /* the weekday (Monday to Friday) nearest to day n of the month */
    uint32_t before_last; /* n days before the last one, 0..30 */
    uint16_t months;      /* 1..12 */
    uint8_t weekdays;     /* 0 = Sunday .. 6 */
    uint8_t flags;        /* of enum cron_flag */
    const struct zone *zone; /* NULL = UTC */
};

/* What is allowed but seldom meant; the caller decides whether to say so. */
enum cron_warning {
    CRON_WARNING_BOTH_DAYS = 1, /* both day fields are set: either one suffices */
    CRON_WARNING_WIDE_STEP = 2, /* a step is above the width of its range: only its start counts */
    CRON_WARNING_NO_ZONE = 4,   /* a wall-clock time without a zone: it is taken as UTC */
    CRON_WARNING_NO_NAME = 8    /* H without the name of a job: each job gets another value */
};

/* How to read a text. All zero: the standard dialect, in UTC, for a job without a name. */
struct cron_options {
    enum cron_dialect dialect;
    enum cron_dst dst;
    struct text zone; /* of the field "zone"; empty: none given */
    struct text name; /* group/id of the job, for H; empty: none yet */
    const struct zone_lookup *zones;
    bool zone_known; /* instead of asking `zones`: it is this one, whatever its name */
    const struct zone *known_zone;
};

/* What a text says. */
struct cron_reading {
    struct cron cron;
    int64_t every_ms;    /* @every D: the interval, and nothing else counts; otherwise 0 */
    uint32_t warnings;   /* bits of enum cron_warning */
    bool hashed;         /* H is used: the value depends on options->name */
    bool fixed_time;     /* neither minute nor hour begins with '*' */
};

/* Reads an expression, a nickname such as @daily, each with a prefix such as CRON_TZ=Europe/Paris.
 * Texts above CRON_TEXT_BYTES_MAX (limits.h) are refused unread.
 *   reading  set only on true
 *   errors   ERROR_INVALID with field name, column and what is allowed; codes bad_cron,
 *            never_fires (30 February), unknown_zone, bad_duration */
bool cron_parse(const char *text, size_t length, const struct cron_options *options,
                struct cron_reading *reading, struct error *error)
    __attribute__((warn_unused_result));

/* A sentence for one warning bit. */
const char *cron_warning_text(enum cron_warning warning);

/* Sets the flags that follow from the masks and drops day masks that say nothing. */
void cron_canonicalise(struct cron *cron);

/* Whether some day of the calendar matches, within the 400 years after which it repeats. Bounded:
 * at most one look at each kind of month, or at each month of the years named. */
bool cron_fires(const struct cron *cron);

bool cron_equal(const struct cron *left, const struct cron *right);

/* Writes an expression that reads back as the same masks in the same zone, in the dialect and with
 * the rule for clock changes that are set too: six fields, or seven where years are named. It may
 * be longer than what cron_parse() takes. Returns its length. */
enum { CRON_FORMAT_BYTES = 1600 };
size_t cron_format(const struct cron *cron, char text[CRON_FORMAT_BYTES],
                   enum cron_dialect *dialect, enum cron_dst *dst);

/* The matching days of a month, bit d for day d; 0 when there are none. Ignores the time of day. */
uint32_t cron_month_days(const struct cron *cron, int32_t year, int32_t month);

/* The same for a month of `length` days that begins on `weekday`; ignores months and years. */
uint32_t cron_days_of(const struct cron *cron, uint32_t weekday, uint32_t length);

/* First instant strictly after `after_ms` (any number). Walks months and changes of the zone, no
 * instants.
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
