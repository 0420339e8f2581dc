#include "lib/time/civil.h"

#include <assert.h>

/* The year is counted from 1 March, so that the leap day is its last day and the lengths of the
 * months follow one straight line, (153 * month + 2) / 5. Day 0 of the count is 0000-03-01. */
enum { DAYS_BEFORE_1970 = 719468, DAYS_PER_400_YEARS = 146097, DAYS_PER_4_YEARS = 1461 };

int32_t civil_days(int32_t year, int32_t month, int32_t day)
{
    assert(year >= CIVIL_YEAR_MIN && year <= CIVIL_YEAR_MAX);
    assert(month >= 1 && month <= 12);
    assert(day >= 1 && day <= 31);
    uint32_t late = month > 2;
    uint32_t march_year = (uint32_t)year - !late;
    uint32_t march_month = late ? (uint32_t)month - 3 : (uint32_t)month + 9;
    uint32_t leap_days = march_year / 4 - march_year / 100 + march_year / 400;
    uint32_t day_of_year = (153 * march_month + 2) / 5 + (uint32_t)day - 1;
    return (int32_t)(365 * march_year + leap_days + day_of_year) - DAYS_BEFORE_1970;
}

struct civil_date civil_date(int32_t days)
{
    assert(days >= CIVIL_DAY_MIN);
    assert(days <= CIVIL_DAY_MAX);
    /* Four times the day plus three: dividing by the days of four periods then gives each period
     * its leap day at the end, where integer division wants it. */
    uint32_t quarters = 4 * (uint32_t)(days + DAYS_BEFORE_1970) + 3;
    uint32_t century = quarters / DAYS_PER_400_YEARS;
    quarters = quarters % DAYS_PER_400_YEARS | 3;
    uint32_t year_of_century = quarters / DAYS_PER_4_YEARS;
    uint32_t day_of_year = quarters % DAYS_PER_4_YEARS / 4;
    uint32_t march_month = (5 * day_of_year + 2) / 153;
    uint32_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
    bool next_year = march_month >= 10;
    return (struct civil_date){
        .year = (int32_t)(100 * century + year_of_century + next_year),
        .month = (int32_t)(next_year ? march_month - 9 : march_month + 3),
        .day = (int32_t)day,
    };
}

int32_t civil_weekday(int32_t days)
{
    assert(days >= CIVIL_DAY_MIN);
    assert(days <= CIVIL_DAY_MAX);
    /* 0001-01-01 was a Monday. */
    return (int32_t)((uint32_t)(days - CIVIL_DAY_MIN + 1) % 7);
}

bool civil_is_leap(int32_t year)
{
    assert(year >= CIVIL_YEAR_MIN && year <= CIVIL_YEAR_MAX);
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t civil_days_in_month(int32_t year, int32_t month)
{
    assert(month >= 1 && month <= 12);
    static const uint8_t lengths[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return lengths[month] + (month == 2 && civil_is_leap(year));
}
