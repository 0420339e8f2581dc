/* Schedules: rows for each kind, and count, last and keep-newest against plain enumeration. */
#include "lib/time/duration.h"
#include "lib/time/instant.h"
#include "lib/time/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/cron_case.h"
#include "tests/support/rows.h"

static uint64_t spec_hash(const struct schedule_spec *spec)
{
    static const uint8_t key[HASH_KEY_BYTES] = {1};
    return schedule_spec_hash(spec, key);
}

static struct schedule_spec of_cron(const char *text)
{
    struct cron cron = {0};
    struct error error = {0};
    if (!cron_read(text, strlen(text), &cron, NULL, &error))
        fail_msg("'%s': %s", text, error.message);
    return schedule_from_cron(&cron);
}

static const int64_t noon_ms = 1795262400000; /* 2026-11-21T12:00:00Z */

struct next_case {
    const char *name;
    struct schedule_spec spec;
    int64_t after_ms;
    int64_t next_ms; /* -1 = never again */
};

#define EVERY(every, anchor) \
    {.kind = SCHEDULE_EVERY, .every_ms = (every), .anchor_ms = (anchor)}
#define AT(at) {.kind = SCHEDULE_AT, .at_ms = (at)}

static const struct next_case next_cases[] = {
    {"the anchor itself is no slot", EVERY(1000, 5000), 4999, 6000},
    {"from the anchor", EVERY(1000, 5000), 5000, 6000},
    {"between", EVERY(1000, 5000), 6500, 7000},
    {"strictly later", EVERY(1000, 5000), 7000, 8000},
    {"long before the anchor", EVERY(1000, 5000), INT64_MIN, 6000},
    {"an anchor in the far past", EVERY(7000, 0), 1795262400000, 1795262406000},
    {"the longest interval", EVERY(DURATION_MAX_MS, 0), 0, DURATION_MAX_MS},
    {"the last slot", EVERY(1000, 0), INSTANT_MAX_MS - 1000, INSTANT_MAX_MS / 1000 * 1000},
    {"no slot after the last", EVERY(1000, 0), INSTANT_MAX_MS - 1, -1},
    {"none from the end of time", EVERY(1000, 0), INT64_MAX, -1},
    {"an anchor too late for a slot", EVERY(1000, INSTANT_MAX_MS), 0, -1},
    {"once", AT(5000), 4999, 5000},
    {"once is once", AT(5000), 5000, -1},
    {"once, from the beginning of time", AT(0), INT64_MIN, 0},
    {"once, from the end of time", AT(0), INT64_MAX, -1},
};

static void check_next(void **state)
{
    const struct next_case *row = *state;
    int64_t next_ms = -1;
    bool found = schedule_next(&row->spec, row->after_ms, &next_ms);
    assert_int_equal(found, row->next_ms >= 0);
    assert_int_equal(next_ms, row->next_ms);
}

static void only_a_one_shot_is_once(void **state)
{
    (void)state;
    struct schedule_spec at = schedule_from_at(1795294674123);
    struct schedule_spec every = schedule_from_every(1000, 0);
    int64_t nominal_ms = -1;
    assert_true(schedule_once(&at, &nominal_ms));
    assert_true(nominal_ms == 1795294674123);
    assert_false(schedule_once(&every, &nominal_ms));
    assert_true(nominal_ms == 1795294674123);
}

static void an_interval_has_bounds(void **state)
{
    (void)state;
    struct error error = {0};
    assert_true(schedule_check_every(1000, SCHEDULE_EVERY_MIN_MS, &error));
    assert_true(schedule_check_every(DURATION_MAX_MS, SCHEDULE_EVERY_MIN_MS, &error));
    assert_true(schedule_check_every(100, SCHEDULE_EVERY_FLOOR_MS, &error));
    assert_int_equal(error.kind, ERROR_NONE);
    assert_false(schedule_check_every(999, SCHEDULE_EVERY_MIN_MS, &error));
    assert_int_equal(error.code, CODE_BAD_VALUE);
    assert_non_null(strstr(error.message, "999ms is not in 1s-100000d"));
    assert_false(schedule_check_every(0, SCHEDULE_EVERY_MIN_MS, NULL));
    assert_false(schedule_check_every(-1, SCHEDULE_EVERY_MIN_MS, NULL));
    assert_false(schedule_check_every(INT64_MAX, SCHEDULE_EVERY_MIN_MS, NULL));
}

static void equal_schedules_are_equal(void **state)
{
    (void)state;
    const struct schedule_spec specs[] = {
        of_cron("0 0 * * *"), of_cron("@daily"),
        of_cron("0 0 * * 0-7"), of_cron("0 0 13 * FRI"),
        of_cron("1 0 0 * * *"), schedule_from_every(1000, 0),
        schedule_from_every(1000, 1), schedule_from_every(2000, 0),
        schedule_from_at(0), schedule_from_at(1000),
    };
    static const int meanings[] = {0, 0, 0, 1, 2, 3, 4, 5, 6, 7};
    enum { SPECS = sizeof specs / sizeof specs[0] };
    for (int i = 0; i < SPECS; i++) {
        for (int j = 0; j < SPECS; j++) {
            bool equal = meanings[i] == meanings[j];
            assert_int_equal(schedule_spec_equal(&specs[i], &specs[j]), equal);
            assert_int_equal(spec_hash(&specs[i]) == spec_hash(&specs[j]), equal);
        }
    }
}

/* Bytes between members and members of other kinds mean nothing. */
static void padding_means_nothing(void **state)
{
    (void)state;
    struct schedule_spec clean = of_cron("5 4 * * SUN");
    struct schedule_spec dirty;
    memset(&dirty, 0xa5, sizeof dirty);
    dirty.kind = clean.kind;
    dirty.jitter.most_ms = 0;
    dirty.cron.seconds = clean.cron.seconds;
    dirty.cron.minutes = clean.cron.minutes;
    dirty.cron.nth = clean.cron.nth;
    memcpy(dirty.cron.years, clean.cron.years, sizeof clean.cron.years);
    dirty.cron.hours = clean.cron.hours;
    dirty.cron.days = clean.cron.days;
    dirty.cron.nearest = clean.cron.nearest;
    dirty.cron.before_last = clean.cron.before_last;
    dirty.cron.months = clean.cron.months;
    dirty.cron.weekdays = clean.cron.weekdays;
    dirty.cron.flags = clean.cron.flags;
    dirty.cron.zone = clean.cron.zone;
    assert_true(schedule_spec_equal(&clean, &dirty));
    assert_int_equal(spec_hash(&clean), spec_hash(&dirty));
}

/* ---- properties against enumeration ---- */

enum { LISTED_MAX = 20000 };

static size_t enumerate(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms,
                        int64_t *listed)
{
    size_t count = 0;
    int64_t next_ms = 0;
    while (schedule_next(spec, from_ms, &next_ms) && next_ms <= to_ms) {
        assert_in_range(count, 0, LISTED_MAX - 1);
        assert_true(next_ms > from_ms);
        listed[count++] = next_ms;
        from_ms = next_ms;
    }
    return count;
}

static void check_range(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms)
{
    static const uint64_t keeps[] = {0, 1, 2, 7, 1000, UINT64_MAX};
    static int64_t listed[LISTED_MAX];
    size_t count = enumerate(spec, from_ms, to_ms, listed);
    assert_int_equal(schedule_count(spec, from_ms, to_ms, UINT64_MAX), count);
    assert_int_equal(schedule_count(spec, from_ms, to_ms, 3), count < 3 ? count : 3);
    int64_t last_ms = -7;
    assert_int_equal(schedule_last(spec, from_ms, to_ms, &last_ms), count > 0);
    assert_int_equal(last_ms, count > 0 ? listed[count - 1] : -7);
    for (size_t i = 0; i < sizeof keeps / sizeof keeps[0]; i++) {
        int64_t cut_ms = schedule_keep_newest(spec, from_ms, to_ms, keeps[i]);
        int64_t expected_ms = keeps[i] < count ? listed[count - 1 - keeps[i]] : from_ms;
        assert_int_equal(cut_ms, expected_ms);
        assert_int_equal(schedule_count(spec, cut_ms, to_ms, UINT64_MAX),
                         keeps[i] < count ? keeps[i] : count);
    }
    if (count == 0) return;
    assert_true(schedule_contains(spec, listed[count / 2]));
    assert_int_equal(schedule_contains(spec, listed[count / 2] + 1), false);
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 11) % below;
}

static void ranges_agree_with_enumeration(void **state)
{
    (void)state;
    const struct {
        struct schedule_spec spec;
        int64_t span_ms; /* ranges up to this long */
    } rows[] = {
        {of_cron("* * * * * *"), 5000000},
        {of_cron("*/7 */9 * * * *"), 90000000},
        {of_cron("3,59 0,59 0,23 * * *"), 20000000000},
        {of_cron("* * * * *"), 90000000},
        {of_cron("30 2 * * *"), 100000000000},
        {of_cron("15 10 13 * FRI"), 300000000000},
        {of_cron("0 0 31 * *"), 2000000000000},
        {of_cron("0 0 29 2 *"), 9000000000000},
        {of_cron("0 12 ? JAN-MAR,DEC 6-7"), 600000000000},
        {schedule_from_every(1000, 12345), 5000000},
        {schedule_from_every(3600000, noon_ms), 9000000000},
        {schedule_from_every(DURATION_MAX_MS, 0), INSTANT_MAX_MS},
        {schedule_from_at(noon_ms), 1000000},
    };
    uint64_t seed = 11;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int round = 0; round < 300; round++) {
            int64_t from_ms = noon_ms - rows[i].span_ms / 2;
            from_ms += (int64_t)draw(&seed, (uint64_t)rows[i].span_ms);
            if (round % 4 == 0) from_ms = from_ms / 86400000 * 86400000;
            int64_t to_ms = from_ms + (int64_t)draw(&seed, (uint64_t)rows[i].span_ms);
            int64_t slot_ms = 0;
            bool on_slot = schedule_next(&rows[i].spec, from_ms, &slot_ms);
            if (on_slot && round % 5 == 0) from_ms = slot_ms; /* not part of the range */
            on_slot = schedule_next(&rows[i].spec, to_ms, &slot_ms);
            if (on_slot && round % 7 == 0) to_ms = slot_ms; /* part of it */
            if (to_ms < from_ms) to_ms = from_ms;
            check_range(&rows[i].spec, from_ms, to_ms);
        }
        check_range(&rows[i].spec, noon_ms, noon_ms);
        check_range(&rows[i].spec, noon_ms - 1, noon_ms);
        check_range(&rows[i].spec, INT64_MIN, INSTANT_MIN_MS);
        check_range(&rows[i].spec, INSTANT_MAX_MS - 5000, INT64_MAX);
    }
}

static void years_of_downtime_are_counted_at_once(void **state)
{
    (void)state;
    struct schedule_spec spec = of_cron("* * * * * *");
    int64_t from_ms = noon_ms;
    int64_t to_ms = noon_ms + INT64_C(3650) * 86400000;
    for (int i = 0; i < 1000; i++) { /* slow if it stepped through 315 million instants */
        assert_int_equal(schedule_count(&spec, from_ms, to_ms, UINT64_MAX), 3650 * INT64_C(86400));
        assert_int_equal(schedule_keep_newest(&spec, from_ms, to_ms, 1000), to_ms - 1000000);
        assert_int_equal(schedule_keep_newest(&spec, from_ms, to_ms, 300000000),
                         to_ms - INT64_C(300000000000));
    }
}

static void what_is_no_slot(void **state)
{
    (void)state;
    struct schedule_spec spec = of_cron("30 2 * * *");
    assert_false(schedule_contains(&spec, noon_ms));
    assert_false(schedule_contains(&spec, INT64_MIN));
    assert_false(schedule_contains(&spec, INT64_MAX));
    assert_int_equal(schedule_count(&spec, noon_ms, noon_ms - 1, 10), 0);
    struct schedule_spec midnight = of_cron("0 0 * * *");
    assert_true(schedule_contains(&midnight, 0));
    struct schedule_spec every = schedule_from_every(1000, 5000);
    assert_false(schedule_contains(&every, 5000));
    assert_true(schedule_contains(&every, 6000));
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(next_cases, check_next)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(an_interval_has_bounds),
        cmocka_unit_test(only_a_one_shot_is_once),
        cmocka_unit_test(equal_schedules_are_equal),
        cmocka_unit_test(padding_means_nothing),
        cmocka_unit_test(ranges_agree_with_enumeration),
        cmocka_unit_test(years_of_downtime_are_counted_at_once),
        cmocka_unit_test(what_is_no_slot),
    };
    return run_rows("schedule", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
