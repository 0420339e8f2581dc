/* Equal and unequal: expressions, schedules, their hashes; and rare days and texts. */
#include "lib/base/error.h"
#include "lib/base/reader.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"
#include "lib/time/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fuzz/fuzz_zones.h"
#include "tests/support/cron_case.h"

static uint64_t spec_hash(const struct schedule_spec *spec)
{
    static const uint8_t key[HASH_KEY_BYTES] = {1};
    return schedule_spec_hash(spec, key);
}

static struct cron read_cron(const char *text, enum cron_dialect dialect, const char *zone)
{
    struct cron_options options = {.dialect = dialect, .zone = text_of(zone),
                                   .zones = test_zones()};
    struct cron_reading reading;
    struct error error = {0};
    if (!cron_parse(text, strlen(text), &options, &reading, &error)) fail_msg("%s", error.message);
    return reading.cron;
}

/* Each differs from the first in one way. */
static void expressions_that_differ(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0 0 12 1 6 ? 2030",   "1 0 12 1 6 ? 2030",   "0 1 12 1 6 ? 2030", "0 0 13 1 6 ? 2030",
        "0 0 12 2 6 ? 2030",   "0 0 12 1 7 ? 2030",   "0 0 12 ? 6 2 2030", "0 0 12 ? 6 2#1 2030",
        "0 0 12 15W 6 ? 2030", "0 0 12 L-3 6 ? 2030", "0 0 12 1 6 ? 2031", "0 0 12 LW 6 ? 2030",
        "0 0 12 14W 6 ? 2030", "0 0 12 L-2 6 ? 2030", "0 0 12 ? 6 2#2 2030"};
    enum { TEXTS = sizeof texts / sizeof texts[0] };
    for (size_t i = 0; i < TEXTS; i++) {
        struct cron left = read_cron(texts[i], CRON_QUARTZ, "Europe/Berlin");
        for (size_t j = 0; j < TEXTS; j++) {
            struct cron right = read_cron(texts[j], CRON_QUARTZ, "Europe/Berlin");
            assert_int_equal(cron_equal(&left, &right), i == j);
            struct schedule_spec specs[] = {schedule_from_cron(&left),
                                            schedule_from_cron(&right)};
            assert_int_equal(schedule_spec_equal(&specs[0], &specs[1]), i == j);
            assert_int_equal(spec_hash(&specs[0]) == spec_hash(&specs[1]),
                             i == j);
        }
        struct cron elsewhere = read_cron(texts[i], CRON_QUARTZ, "Europe/Athens");
        struct cron in_utc = read_cron(texts[i], CRON_QUARTZ, "UTC");
        assert_false(cron_equal(&left, &elsewhere));
        assert_false(cron_equal(&left, &in_utc));
    }
}

static void each_mask_counts(void **state)
{
    (void)state;
    const struct cron plain = read_cron("0 0 12 1 6 ?", CRON_QUARTZ, "UTC");
    struct cron others[] = {plain, plain, plain, plain, plain, plain, plain, plain, plain, plain};
    others[0].nth = 1;
    others[1].nearest = 2;
    others[2].before_last = 1;
    others[3].flags ^= CRON_ONCE;
    others[4].years[1] = 1;
    others[5].weekdays = 1;
    others[6].months = 2;
    others[7].hours = 1;
    others[8].minutes = 2;
    others[9].days = 4;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(cron_equal(&plain, &others[i]));
}

static void jitter_is_of_one_incarnation(void **state)
{
    (void)state;
    struct schedule_spec plain = schedule_from_at(5000);
    plain.jitter = (struct schedule_jitter){
        .most_ms = 1000,
        .incarnation = {.effective_ms = 1, .offset = 2, .index = 3, .shard = 4}};
    struct schedule_spec others[] = {plain, plain, plain, plain, plain, plain, plain};
    others[0].jitter.most_ms = 999;
    others[1].jitter.incarnation.effective_ms = 9;
    others[2].jitter.incarnation.offset = 9;
    others[3].jitter.incarnation.index = 9;
    others[4].jitter.incarnation.shard = 9;
    others[5].at_ms = 5001;
    others[6].kind = SCHEDULE_EVERY;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(schedule_spec_equal(&plain, &others[i]));
    struct schedule_spec same = plain;
    assert_true(schedule_spec_equal(&plain, &same));
}

static void at_the_ends_of_time(void **state)
{
    (void)state;
    struct schedule_spec spec = schedule_from_at(INSTANT_MAX_MS);
    spec.jitter = (struct schedule_jitter){.most_ms = 1000};
    int64_t due_ms = schedule_due(&spec, INSTANT_MAX_MS);
    assert_int_equal(due_ms, INSTANT_MAX_MS);
    assert_int_equal(schedule_nominal(&spec, due_ms), INSTANT_MAX_MS);
    assert_int_equal(schedule_nominal(&spec, INSTANT_MIN_MS - 1), INSTANT_MIN_MS - 1);
    assert_int_equal(schedule_count(&spec, INSTANT_MAX_MS - 1, INT64_MAX, UINT64_MAX), 1);
    assert_int_equal(schedule_count(&spec, 5, 5, UINT64_MAX), 0);
    assert_int_equal(schedule_count(&spec, 6, 5, UINT64_MAX), 0);
    assert_false(schedule_names(&spec, INSTANT_MAX_MS + 1));
    assert_false(schedule_names(&spec, INSTANT_MIN_MS - 1));
    assert_true(schedule_names(&spec, INSTANT_MAX_MS));
    /* Between a nominal time and its due time lies an instant that is no due time. */
    spec = schedule_from_at(5000);
    spec.jitter = (struct schedule_jitter){.most_ms = 1000000};
    due_ms = schedule_due(&spec, 5000);
    assert_int_equal(schedule_nominal(&spec, due_ms + 1), due_ms + 1);
}

/* The days of June 2030 (begins on a Saturday, ends on a Sunday) and of other months. */
static void days_near_the_ends_of_a_month(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t year;
        int32_t month;
        int32_t day;
    } rows[] = {{"0 0 0 1W * ?", 2030, 6, 3},  {"0 0 0 30W * ?", 2030, 6, 28},
                {"0 0 0 2W * ?", 2030, 6, 3},  {"0 0 0 15W * ?", 2030, 6, 14},
                {"0 0 0 1W * ?", 2026, 2, 2},  {"0 0 0 28W * ?", 2026, 2, 27},
                {"0 0 0 31W * ?", 2026, 2, 0}, {"0 0 0 L-30 * ?", 2026, 2, 0},
                {"0 0 0 ? * 1#5", 2026, 2, 0}, {"0 0 0 ? * 1#5", 2030, 6, 30}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cron cron = read_cron(rows[i].text, CRON_QUARTZ, "UTC");
        uint32_t days = cron_month_days(&cron, rows[i].year, rows[i].month);
        assert_int_equal(days, rows[i].day == 0 ? 0 : UINT32_C(1) << rows[i].day);
    }
    struct cron years = read_cron("0 0 0 1 * ? 1970,2099", CRON_QUARTZ, "UTC");
    assert_int_equal(cron_month_days(&years, 1969, 12), 0);
    assert_int_equal(cron_month_days(&years, 1970, 1), 2);
    assert_int_equal(cron_month_days(&years, 2099, 1), 2);
    assert_int_equal(cron_month_days(&years, 2100, 1), 0);
}

static void no_time_of_a_year_is_ever_shown(void **state)
{
    (void)state;
    static const char text[] = "0 30 2 31 3 ? 2030"; /* the night of the change in Berlin */
    struct cron_options options = {.dialect = CRON_QUARTZ, .dst = CRON_DST_SKIP_REPEAT,
                                   .zone = text_of("Europe/Berlin"),
                                   .zones = test_zones()};
    struct cron_reading reading;
    struct error error = {0};
    assert_false(cron_parse(text, sizeof text - 1, &options, &reading, &error));
    assert_int_equal(error.code, CODE_NEVER_FIRES);
    assert_non_null(strstr(error.message, "the clocks skip"));
}

/* The last Sunday of March, where it has five: the night in which a zone's clocks always change. */
static void no_time_of_any_year_is_ever_shown(void **state)
{
    (void)state;
    static const char text[] = "0 30 2 ? 3 1#5";
    struct zone_lookup zones = fuzz_zones();
    struct cron_options options = {.dialect = CRON_QUARTZ, .dst = CRON_DST_SKIP_REPEAT,
                                   .zone = text_of("Fuzz/Rule"),
                                   .zones = &zones};
    struct cron_reading reading;
    struct error error = {0};
    assert_false(cron_parse(text, sizeof text - 1, &options, &reading, &error));
    assert_int_equal(error.code, CODE_NEVER_FIRES);
    options.dst = CRON_DST_VIXIE;
    assert_true(cron_parse(text, sizeof text - 1, &options, &reading, NULL));
}

static void prefixes_and_fields_of_zones(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *zone;
        const char *code; /* NULL: taken */
    } rows[] = {{"TZ=Europe/Berlin 0 0 * * *", NULL, NULL},
                {"TZ=Europe/Berlin 0 0 * * *", "Europe/Berlin", NULL},
                {"TZ=Europe/Berlin 0 0 * * *", "Europe/Paris", "bad_cron"},
                {"CRON_TZ=No/Where 0 0 * * *", NULL, "unknown_zone"},
                {"TZ= 0 0 * * *", NULL, "unknown_zone"},
                {"0 0 * * *", "No/Where", "unknown_zone"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cron_options options = {.zone = text_of(rows[i].zone), .zones = test_zones()};
        struct cron_reading reading;
        struct error error = {0};
        bool taken = cron_parse(rows[i].text, strlen(rows[i].text), &options, &reading, &error);
        assert_int_equal(taken, rows[i].code == NULL);
        assert_string_equal(error_code_word(error.code), rows[i].code == NULL ? "" : rows[i].code);
    }
}

static void spread_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool taken;
        uint32_t warnings;
    } rows[] = {{"H H(0-x) * * *", false, 0},
                {"H(0-59)/90 * * * *", true, CRON_WARNING_WIDE_STEP},
                {"H(0-5)/6 * * * *", true, CRON_WARNING_WIDE_STEP},
                {"H/15 * * * *", true, 0},
                {"0 0 * * H(1-7)", true, 0},
                {"0 0 30 H *", false, 0},
                {"0 0 28 H *", true, 0},
                {"0 0 * * FRIL", true, 0},
                {"0 0 * * FRIX", false, 0},
                {"0 0 * * L", false, 0},
                {"0 0 * * 7/2", true, 0},
                {"0 22-2 * * *", false, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cron_options options = {.zone = text_of("UTC"), .name = text_of("g/a")};
        struct cron_reading reading;
        struct error error = {0};
        bool taken = cron_parse(rows[i].text, strlen(rows[i].text), &options, &reading, &error);
        if (taken != rows[i].taken) fail_msg("%s: %s", rows[i].text, error.message);
        if (taken) assert_int_equal(reading.warnings, rows[i].warnings);
    }
}

static void warnings_have_words(void **state)
{
    (void)state;
    static const enum cron_warning warnings[] = {CRON_WARNING_BOTH_DAYS, CRON_WARNING_WIDE_STEP,
                                                 CRON_WARNING_NO_ZONE, CRON_WARNING_NO_NAME};
    static const char *const words[] = {"both set", "step", "UTC", "name"};
    for (size_t i = 0; i < 4; i++)
        assert_non_null(strstr(cron_warning_text(warnings[i]), words[i]));
    assert_string_equal(cron_warning_text((enum cron_warning)0), "");
    assert_string_equal(error_kind_name(ERROR_FENCED), "fenced");
    assert_string_equal(error_kind_name(ERROR_NONE), "none");
    assert_string_equal(error_kind_name((enum error_kind)99), "?");
    assert_string_equal(error_code_word(error_code_find(text_of("exists"))), "exists");
    assert_string_equal(error_code_word(CODE_NONE), "");
    assert_int_equal(error_code_find(text_of("of_a_later_version")), CODE_NONE);
}

static void errors_are_optional(void **state)
{
    (void)state;
    struct error error = {0};
    int64_t number = 0;
    assert_false(error_at(NULL, "/a"));
    assert_false(error_at(&error, "/a"));
    assert_false(error_at(&error, "/b"));
    assert_string_equal(error.field, "/a");
    assert_false(duration_parse("1w", 2, &number, NULL));
    error = (struct error){.kind = ERROR_RETRY};
    assert_false(duration_parse("1w", 2, &number, &error));
    assert_int_equal(error.kind, ERROR_RETRY); /* the first one wins */
    assert_string_equal(error.message, "");
}

static void durations_that_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"1,5h", "1.5h", "PT1.S", "PT1.2345S", "PT1.5M",
                                        "P99999999999D", "PT99999999999999999999S",
                                        "PT315360000000.5S", "1\x7f", "1\x01"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t duration_ms = -1;
        struct error error = {0};
        if (duration_parse(texts[i], strlen(texts[i]), &duration_ms, &error))
            fail_msg("'%s' taken as %lld", texts[i], (long long)duration_ms);
        assert_int_equal(error.code, CODE_BAD_DURATION);
        for (const char *at = error.message; *at != '\0'; at++) assert_in_range(*at, ' ', '~');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_that_differ),
        cmocka_unit_test(each_mask_counts),
        cmocka_unit_test(jitter_is_of_one_incarnation),
        cmocka_unit_test(at_the_ends_of_time),
        cmocka_unit_test(days_near_the_ends_of_a_month),
        cmocka_unit_test(no_time_of_any_year_is_ever_shown),
        cmocka_unit_test(no_time_of_a_year_is_ever_shown),
        cmocka_unit_test(prefixes_and_fields_of_zones),
        cmocka_unit_test(spread_values),
        cmocka_unit_test(warnings_have_words),
        cmocka_unit_test(errors_are_optional),
        cmocka_unit_test(durations_that_are_refused),
    };
    return cmocka_run_group_tests_name("equal and rare", tests, NULL, NULL);
}
