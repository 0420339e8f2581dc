#include "dispatcher/core/cron.h"

#include "dispatcher/core/civil.h"

#include <assert.h>

#define ALL_DAYS UINT32_C(0xfffffffe)
enum { ALL_WEEKDAYS = 0x7f, ALL_MONTHS = 0x1ffe, MONTHS_WITH_31_DAYS = 0x15aa, FEBRUARY = 1 << 2 };

void cron_canonicalise(struct cron *cron)
{
    assert(cron->days != 0 && (cron->days & ~ALL_DAYS) == 0);
    assert(cron->weekdays != 0 && (cron->weekdays & ~ALL_WEEKDAYS) == 0);
    bool either = (cron->flags & CRON_DAY_EITHER) != 0;
    if (either && (cron->days == ALL_DAYS || cron->weekdays == ALL_WEEKDAYS)) {
        cron->days = ALL_DAYS; /* one of the two names every day, so the other adds nothing */
        cron->weekdays = ALL_WEEKDAYS;
        either = false;
    }
    bool every_day = cron->months == ALL_MONTHS && cron->days == ALL_DAYS &&
                     cron->weekdays == ALL_WEEKDAYS;
    cron->flags = (uint8_t)((either ? CRON_DAY_EITHER : 0) | (every_day ? CRON_EVERY_DAY : 0));
}

/* Every month has every weekday, so a weekday that suffices always comes. Otherwise the day of
 * the month must exist in one of the months, 29 February among them. Such a date meets every
 * weekday within the 400 years after which the calendar repeats, also the 29th of February (13
 * to 15 times each); so there is nothing more to prove, and no search that could run on. */
bool cron_fires(const struct cron *cron)
{
    assert(cron->days != 0 && cron->weekdays != 0);
    assert(cron->months != 0);
    if ((cron->flags & CRON_DAY_EITHER) != 0) return true;
    const uint32_t until_29 = (UINT32_C(1) << 30) - 2;
    const uint32_t until_30 = (UINT32_C(1) << 31) - 2;
    if ((cron->days & until_29) != 0) return true;
    if ((cron->days & until_30) != 0 && (cron->months & ~FEBRUARY) != 0) return true;
    return (cron->months & MONTHS_WITH_31_DAYS) != 0;
}

bool cron_equal(const struct cron *left, const struct cron *right)
{
    assert(left != NULL);
    assert(right != NULL);
    return left->seconds == right->seconds && left->minutes == right->minutes &&
           left->hours == right->hours && left->days == right->days &&
           left->months == right->months && left->weekdays == right->weekdays &&
           left->flags == right->flags;
}

uint32_t cron_month_days(const struct cron *cron, int32_t year, int32_t month)
{
    assert(cron->days != 0 && cron->weekdays != 0);
    assert(month >= 1 && month <= 12);
    if ((cron->months >> month & 1) == 0) return 0;
    uint32_t exist = (uint32_t)((UINT64_C(2) << civil_days_in_month(year, month)) - 2);
    if (cron->weekdays == ALL_WEEKDAYS) return cron->days & exist;
    /* Six weeks side by side, moved so that bit 1 is the weekday of the first. */
    const uint64_t each_week = UINT64_C(0x810204081);
    uint64_t weeks = cron->weekdays * each_week;
    int32_t first = civil_weekday(civil_days(year, month, 1));
    uint32_t by_weekday = (uint32_t)(weeks >> first << 1);
    uint32_t days = (cron->flags & CRON_DAY_EITHER) != 0 ? cron->days | by_weekday
                                                         : cron->days & by_weekday;
    return days & exist;
}
