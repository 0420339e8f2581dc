/* cron_day.c - which days of a month an expression names. */
#include <assert.h>
#include <string.h>

#include "lib/time/civil.h"
#include "lib/time/cron.h"
#include "lib/time/cron_bits.h"

#define ALL_DAYS UINT32_C(0xfffffffe)
enum { ALL_WEEKDAYS = 0x7f, ALL_MONTHS = 0x1ffe, SATURDAY = 6, WEEKDAYS = 7 };
enum { MONTHS_WITH_31_DAYS = 0x15aa, FEBRUARY = 1 << 2 };
static const uint8_t derived_flags = CRON_EVERY_DAY | CRON_WEEKDAYS_ONLY | CRON_SPECIAL_DAYS;

static bool day_of_month_is_special(const struct cron *cron)
{
    return cron->nearest != 0 || cron->before_last != 0 || (cron->flags & CRON_LAST_WEEKDAY) != 0;
}

void cron_canonicalise(struct cron *cron)
{
    assert(cron->days != 0 || day_of_month_is_special(cron));
    assert(cron->weekdays != 0 || cron->nth != 0);
    uint8_t flags = cron->flags & (uint8_t)~derived_flags;
    if (cron->days == ALL_DAYS) {
        cron->nearest = 0;
        cron->before_last = 0;
        flags &= (uint8_t)~CRON_LAST_WEEKDAY;
    }
    if (cron->weekdays == ALL_WEEKDAYS) cron->nth = 0;
    if ((flags & CRON_DAY_EITHER) != 0 &&
        (cron->days == ALL_DAYS || cron->weekdays == ALL_WEEKDAYS)) {
        cron->days = ALL_DAYS; /* one of the two names every day, so the other adds nothing */
        cron->weekdays = ALL_WEEKDAYS;
        cron->nearest = 0;
        cron->before_last = 0;
        cron->nth = 0;
        flags &= (uint8_t) ~(CRON_DAY_EITHER | CRON_LAST_WEEKDAY);
    }
    cron->flags = flags;
    bool plain = !day_of_month_is_special(cron) && cron->nth == 0;
    if (!plain) cron->flags |= CRON_SPECIAL_DAYS;
    if (plain && cron->months == ALL_MONTHS && cron->days == ALL_DAYS && (flags & CRON_YEARS) == 0)
        cron->flags |= cron->weekdays == ALL_WEEKDAYS ? CRON_EVERY_DAY : CRON_WEEKDAYS_ONLY;
}

bool cron_equal(const struct cron *left, const struct cron *right)
{
    assert(left != NULL);
    assert(right != NULL);
    return left->seconds == right->seconds && left->minutes == right->minutes &&
           left->hours == right->hours && left->days == right->days &&
           left->months == right->months && left->weekdays == right->weekdays &&
           left->nth == right->nth && left->nearest == right->nearest &&
           left->before_last == right->before_last && left->flags == right->flags &&
           memcmp(left->years, right->years, sizeof left->years) == 0 &&
           zone_equal(left->zone, right->zone);
}

/* Six weeks side by side, moved so that bit 1 is the weekday of the first. */
static uint32_t repeat_weekdays(uint32_t weekdays, uint32_t first)
{
    const uint64_t each_week = UINT64_C(0x810204081);
    assert(first < WEEKDAYS);
    return (uint32_t)(weekdays * each_week >> first << 1);
}

/* The weekday from Monday to Friday nearest to a day, never in another month. */
static uint32_t nearest_weekday(uint32_t day, uint32_t first, uint32_t length)
{
    assert(day >= 1 && day <= length);
    uint32_t weekday = (first + day - 1) % WEEKDAYS;
    if (weekday == SATURDAY) return day == 1 ? day + 2 : day - 1;
    if (weekday == 0) return day == length ? day - 2 : day + 1;
    return day;
}

/* Days named by L, L-n, LW and nW. */
static uint32_t special_days(const struct cron *cron, uint32_t first, uint32_t length)
{
    uint32_t days = 0;
    for (uint32_t left = cron->nearest; left != 0; left &= left - 1) {
        uint32_t day = lowest_bit(left);
        if (day <= length) days |= UINT32_C(1) << nearest_weekday(day, first, length);
    }
    for (uint32_t left = cron->before_last; left != 0; left &= left - 1) {
        uint32_t before = lowest_bit(left);
        if (before < length) days |= UINT32_C(1) << (length - before);
    }
    if ((cron->flags & CRON_LAST_WEEKDAY) != 0) {
        uint32_t weekday = (first + length - 1) % WEEKDAYS;
        uint32_t back = weekday == SATURDAY ? 1 : weekday == 0 ? 2 : 0;
        days |= UINT32_C(1) << (length - back);
    }
    return days;
}

/* Days named by FRI#2 and 5L. */
static uint32_t nth_days(const struct cron *cron, uint32_t first, uint32_t length)
{
    uint32_t days = 0;
    for (uint64_t left = cron->nth; left != 0; left &= left - 1) {
        uint32_t bit = lowest_bit(left);
        uint32_t which = bit / WEEKDAYS;
        uint32_t day = 1 + (bit % WEEKDAYS + WEEKDAYS - first) % WEEKDAYS;
        if (which == CRON_NTH_LAST) day += (length - day) / WEEKDAYS * WEEKDAYS;
        else day += which * WEEKDAYS;
        if (day <= length) days |= UINT32_C(1) << day;
    }
    return days;
}

uint32_t cron_days_of(const struct cron *cron, uint32_t weekday, uint32_t length)
{
    assert(weekday < WEEKDAYS);
    assert(length >= 28 && length <= 31);
    uint32_t exist = (uint32_t)((UINT64_C(2) << length) - 2);
    uint32_t by_date = cron->days;
    if ((cron->flags & CRON_SPECIAL_DAYS) != 0) by_date |= special_days(cron, weekday, length);
    if (cron->weekdays == ALL_WEEKDAYS) return by_date & exist;
    uint32_t by_weekday = repeat_weekdays(cron->weekdays, weekday);
    if ((cron->flags & CRON_SPECIAL_DAYS) != 0) by_weekday |= nth_days(cron, weekday, length);
    bool either = (cron->flags & CRON_DAY_EITHER) != 0;
    return (either ? by_date | by_weekday : by_date & by_weekday) & exist;
}

static bool year_matches(const struct cron *cron, int32_t year)
{
    if ((cron->flags & CRON_YEARS) == 0) return true;
    if (year < CRON_YEAR_FIRST || year > CRON_YEAR_LAST) return false;
    uint32_t bit = (uint32_t)(year - CRON_YEAR_FIRST);
    return (cron->years[bit / 32] >> bit % 32 & 1) != 0;
}

uint32_t cron_month_days(const struct cron *cron, int32_t year, int32_t month)
{
    assert(month >= 1 && month <= 12);
    if ((cron->months >> month & 1) == 0 || !year_matches(cron, year)) return 0;
    uint32_t weekday = (uint32_t)civil_weekday(civil_days(year, month, 1));
    return cron_days_of(cron, weekday, (uint32_t)civil_days_in_month(year, month));
}

/* Months of all lengths begin on all weekdays within the 400 years after which the calendar
 * repeats, also the February with 29 days (13 to 15 times each): seven looks prove one length. */
static bool length_fires(const struct cron *cron, uint32_t length)
{
    for (uint32_t weekday = 0; weekday < WEEKDAYS; weekday++)
        if (cron_days_of(cron, weekday, length) != 0) return true;
    return false;
}

bool cron_fires(const struct cron *cron)
{
    assert(cron->months != 0);
    assert(cron->seconds != 0 && cron->minutes != 0 && cron->hours != 0);
    if ((cron->flags & CRON_YEARS) != 0) {
        for (int32_t year = CRON_YEAR_FIRST; year <= CRON_YEAR_LAST; year++)
            for (int32_t month = 1; month <= 12; month++)
                if (cron_month_days(cron, year, month) != 0) return true;
        return false;
    }
    uint32_t months_of_30 = ALL_MONTHS & ~(uint32_t)(MONTHS_WITH_31_DAYS | FEBRUARY);
    if ((cron->months & MONTHS_WITH_31_DAYS) != 0 && length_fires(cron, 31)) return true;
    if ((cron->months & months_of_30) != 0 && length_fires(cron, 30)) return true;
    return (cron->months & FEBRUARY) != 0 && (length_fires(cron, 28) || length_fires(cron, 29));
}
