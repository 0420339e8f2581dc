/* civil.h - the proleptic Gregorian calendar: day numbers to dates and back, in constant time.
 * A day number counts days since 1970-01-01, which is day 0. */
#ifndef BELFRY_TIME_CIVIL_H
#define BELFRY_TIME_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

/* One year more than an instant can have, so that a walk may look over the edge. */
enum { CIVIL_YEAR_MIN = 1, CIVIL_YEAR_MAX = 10000, CIVIL_SECONDS_PER_DAY = 86400 };
enum { CIVIL_DAY_MIN = -719162, CIVIL_DAY_MAX = 2933262 };

struct civil_date {
    int32_t year;  /* CIVIL_YEAR_MIN..CIVIL_YEAR_MAX */
    int32_t month; /* 1..12 */
    int32_t day;   /* 1..31 */
};

/* Day number of a date that exists. */
int32_t civil_days(int32_t year, int32_t month, int32_t day);

/* Date of a day number in CIVIL_DAY_MIN..CIVIL_DAY_MAX. */
struct civil_date civil_date(int32_t days);

/* Day of the week, 0 = Sunday .. 6 = Saturday. */
int32_t civil_weekday(int32_t days);

bool civil_is_leap(int32_t year);

/* 28..31 */
int32_t civil_days_in_month(int32_t year, int32_t month);

#endif
