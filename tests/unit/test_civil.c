/* The calendar against one that counts day by day, over more than 400 years. */
#include "lib/time/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A calendar that knows only how to step to the next day. */
struct walked_day {
    int32_t year;
    int32_t month;
    int32_t day;
    int32_t weekday;
};

static int32_t walked_month_length(int32_t year, int32_t month)
{
    switch (month) {
    case 4:
    case 6:
    case 9:
    case 11: return 30;
    case 2:
        if (year % 400 == 0) return 29;
        if (year % 100 == 0) return 28;
        return year % 4 == 0 ? 29 : 28;
    default: return 31;
    }
}

static void walk_one_day(struct walked_day *date)
{
    date->weekday = date->weekday == 6 ? 0 : date->weekday + 1;
    if (++date->day <= walked_month_length(date->year, date->month)) return;
    date->day = 1;
    if (++date->month <= 12) return;
    date->month = 1;
    date->year++;
}

static void every_day_of_all_years(void **state)
{
    (void)state;
    struct walked_day walked = {1, 1, 1, 1}; /* 0001-01-01 was a Monday */
    int32_t day = CIVIL_DAY_MIN;
    for (; walked.year <= CIVIL_YEAR_MAX; day++, walk_one_day(&walked)) {
        struct civil_date date = civil_date(day);
        if (date.year != walked.year || date.month != walked.month || date.day != walked.day)
            fail_msg("day %d: %d-%d-%d, not %d-%d-%d", (int)day, (int)date.year, (int)date.month,
                     (int)date.day, (int)walked.year, (int)walked.month, (int)walked.day);
        if (civil_days(walked.year, walked.month, walked.day) != day)
            fail_msg("%d-%d-%d is not day %d", (int)walked.year, (int)walked.month,
                     (int)walked.day, (int)day);
        if (civil_weekday(day) != walked.weekday) fail_msg("weekday of day %d", (int)day);
    }
    assert_int_equal(day - 1, CIVIL_DAY_MAX);
}

static void months_have_their_length(void **state)
{
    (void)state;
    for (int32_t year = CIVIL_YEAR_MIN; year <= CIVIL_YEAR_MAX; year++) {
        for (int32_t month = 1; month <= 12; month++)
            assert_int_equal(civil_days_in_month(year, month), walked_month_length(year, month));
        assert_int_equal(civil_is_leap(year), walked_month_length(year, 2) == 29);
    }
}

static void known_days(void **state)
{
    (void)state;
    assert_int_equal(civil_days(1970, 1, 1), 0);
    assert_int_equal(civil_days(2000, 3, 1), 11017);
    assert_int_equal(civil_days(9999, 12, 31), 2932896);
    assert_int_equal(civil_weekday(civil_days(2026, 11, 21)), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_all_years),
        cmocka_unit_test(months_have_their_length),
        cmocka_unit_test(known_days),
    };
    return cmocka_run_group_tests_name("civil", tests, NULL, NULL);
}
