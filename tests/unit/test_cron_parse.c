#include "lib/base/limits.h"
#include "lib/time/cron.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/cron_case.h"
#include "tests/support/rows.h"

static struct cron parsed(const char *text, uint32_t *warnings)
{
    struct cron cron = {0};
    struct error error = {0};
    if (!cron_read(text, strlen(text), &cron, warnings, &error))
        fail_msg("'%s': %s", text, error.message);
    return cron;
}

/* Two ways to write one schedule, or with `other` true, two that must differ. */
struct same_case {
    const char *name, *text, *meaning;
    bool other;
};

static const struct same_case same_cases[] = {
    {"all stars", "* * * * *", "0-59 0-23 1-31 1-12 0-6", false},
    {"seconds first", "0 5 * * * *", "5 * * * *", false},
    {"every second", "* * * * * *", "0-59 * * * * *", false},
    {"list", "1,2,3 * * * *", "1-3 * * * *", false},
    {"list of ranges", "1-3,7-9 * * * *", "1,2,3,7,8,9 * * * *", false},
    {"list in any order, twice", "9,1,9 * * * *", "1,9 * * * *", false},
    {"range with step", "10-20/5 * * * *", "10,15,20 * * * *", false},
    {"star with step", "*/20 * * * *", "0,20,40 * * * *", false},
    {"start with step", "50/4 * * * *", "50,54,58 * * * *", false},
    {"step counts from 1 in days", "0 0 */10 * *", "0 0 1,11,21,31 * *", false},
    {"step counts from 1 in months", "0 0 1 */5 *", "0 0 1 1,6,11 *", false},
    {"a wide step leaves the start", "*/70 * * * *", "0 * * * *", false},
    {"a huge step leaves the start", "5/99999999999999999999 * * * *", "5 * * * *", false},
    {"a range of one", "5-5 * * * *", "5 * * * *", false},
    {"leading zeros", "007 08 * * *", "7 8 * * *", false},
    {"month names", "0 0 1 JAN,DEC *", "0 0 1 1,12 *", false},
    {"names in any case", "0 0 1 jan-Mar sUn", "0 0 1 1-3 0", false},
    {"weekday names", "0 0 * * MON-FRI", "0 0 * * 1-5", false},
    {"name range with step", "0 0 * * MON-FRI/2", "0 0 * * 1,3,5", false},
    {"7 is Sunday", "0 0 * * 7", "0 0 * * 0", false},
    {"7 ends a range", "0 0 * * 5-7", "0 0 * * 0,5,6", false},
    {"SUN ends a range", "0 0 * * FRI-SUN", "0 0 * * 0,5,6", false},
    {"SUN-SUN is one day", "0 0 * * SUN-SUN", "0 0 * * 0", false},
    {"SUN starts a range", "0 0 * * SUN-TUE", "0 0 * * 0-2", false},
    {"the whole week", "0 0 * * 0-7", "0 0 * * *", false},
    {"weekday steps count from Sunday", "0 0 * * */2", "0 0 * * 0,2,4,6", false},
    {"weekday start with step", "0 0 * * 1/2", "0 0 * * 1,3,5", false},
    {"weekday start with step, from 7", "0 0 * * 7/3", "0 0 * * 0,3,6", false},
    {"stepped range to 7", "0 0 * * 1-7/3", "0 0 * * 1,4,7", false},
    {"? in the day of month", "0 0 ? * 1", "0 0 * * 1", false},
    {"? in the day of week", "0 0 1 * ?", "0 0 1 * *", false},
    {"a star in a list", "0 0 *,5 * 1", "0 0 * * 1", false},
    {"one full day field names every day", "0 0 1-31 * 1", "0 0 * * *", false},
    {"a stepped star restricts", "0 0 */1 * 1", "0 0 * * *", false},
    {"both day fields are OR", "0 0 13 * 5", "0 0 13 * *", true},
    {"both day fields are OR (2)", "0 0 13 * 5", "0 0 * * 5", true},
    {"spaces and tabs", " \t 5   4\t* * *  ", "5 4 * * *", false},
    {"@yearly", "@yearly", "0 0 1 1 *", false},
    {"@annually", "@annually", "0 0 1 1 *", false},
    {"@monthly", "@monthly", "0 0 1 * *", false},
    {"@weekly", "@weekly", "0 0 * * 0", false},
    {"@daily", "@daily", "0 0 * * *", false},
    {"@midnight", "@midnight", "0 0 * * *", false},
    {"@hourly", "@hourly", "0 * * * *", false},
    {"nickname in capitals, spaces around", "  @DAILY ", "0 0 * * *", false},
    {"29 February exists", "0 0 29 2 *", "0 0 29 FEB *", false},
    {"30 February beside a weekday", "0 0 30 2 1", "0 0 30 FEB MON", false},
    {"31st of some months", "0 0 31 * *", "0 0 31 1-12 *", false},
};

static void check_same(void **state)
{
    const struct same_case *row = *state;
    struct cron left = parsed(row->text, NULL);
    struct cron right = parsed(row->meaning, NULL);
    assert_int_equal(cron_equal(&left, &right), !row->other);
}

struct refused_case {
    const char *name, *text, *code;
    int column;
    const char *says;
};

static const struct refused_case refused_cases[] = {
    {"empty", "", "bad_cron", 1, "0 fields"},
    {"spaces only", "   ", "bad_cron", 4, "0 fields"},
    {"one field", "*", "bad_cron", 1, "1 fields; give 5"},
    {"four fields", "1 2 3 4", "bad_cron", 7, "4 fields; give 5"},
    {"seven fields", "0 0 0 1 1 ? 2030", "bad_cron", 13, "7 only in the dialect quartz"},
    {"eight fields", "1 2 3 4 5 6 7 8", "bad_cron", 15, "8 fields"},
    {"minute above", "1,2,61 * * * *", "bad_cron", 5,
     "minute: column 5: 61 is above 59; allowed 0-59"},
    {"minute 60", "60 * * * *", "bad_cron", 1, "60 is above 59"},
    {"second above", "60 * * * * *", "bad_cron", 1, "second: column 1: 60 is above 59"},
    {"hour 24", "0 24 * * *", "bad_cron", 3, "hour: column 3: 24 is above 23; allowed 0-23"},
    {"day 0", "0 0 0 * *", "bad_cron", 5, "day-of-month: column 5: 0 is below 1; allowed 1-31"},
    {"day 32", "0 0 32 * *", "bad_cron", 5, "32 is above 31"},
    {"month 0", "0 0 1 0 *", "bad_cron", 7, "month: column 7: 0 is below 1"},
    {"month 13", "0 0 1 13 *", "bad_cron", 7, "allowed 1-12 or JAN-DEC"},
    {"weekday 8", "0 0 * * 8", "bad_cron", 9, "day-of-week: column 9: 8 is above 7"},
    {"very large", "99999999999999999999999 * * * *", "bad_cron", 1, "is above 59"},
    {"end of range above", "5-61 * * * *", "bad_cron", 3, "61 is above 59"},
    {"step 0", "*/0 * * * *", "bad_cron", 3, "step 0"},
    {"step 00", "1-5/00 * * * *", "bad_cron", 5, "step 0"},
    {"no step", "*/ * * * *", "bad_cron", 3, "a step after '/' is missing"},
    {"two steps", "*/2/3 * * * *", "bad_cron", 4, "unexpected '/'"},
    {"negative", "-5 * * * *", "bad_cron", 1, "unexpected '-'"},
    {"negative step", "*/-5 * * * *", "bad_cron", 3, "unexpected '-'"},
    {"open range", "5- * * * *", "bad_cron", 3, "value is missing"},
    {"range of three", "1-2-3 * * * *", "bad_cron", 4, "unexpected '-'"},
    {"star in a range", "*-5 * * * *", "bad_cron", 2, "unexpected '-'"},
    {"range to a star", "5-* * * * *", "bad_cron", 3, "unexpected '*'"},
    {"empty item", "1,,2 * * * *", "bad_cron", 3, "value is missing"},
    {"comma in front", ",1 * * * *", "bad_cron", 1, "value is missing"},
    {"comma at the end", "1, * * * *", "bad_cron", 3, "value is missing"},
    {"star and digit", "*5 * * * *", "bad_cron", 2, "unexpected '5'"},
    {"two stars", "** * * * *", "bad_cron", 2, "unexpected '*'"},
    {"decimal", "1.5 * * * *", "bad_cron", 2, "unexpected '.'"},
    {"hours run backwards", "0 22-3 * * *", "bad_cron", 3, "write it as two, 22-23,0-3"},
    {"days run backwards", "0 0 28-3 * *", "bad_cron", 5, "28-31,1-3"},
    {"months run backwards", "0 0 1 NOV-FEB *", "bad_cron", 7, "11-12,1-2"},
    {"weekdays run backwards", "0 0 * * FRI-MON", "bad_cron", 9,
     "range FRI-MON runs backwards; write it as two, 5-6,0-1"},
    {"7 starts a range", "0 0 * * 7-2", "bad_cron", 9, "runs backwards"},
    {"5-0", "0 0 * * 5-0", "bad_cron", 9, "runs backwards"},
    {"? in the minute", "? * * * *", "bad_cron", 1, "unexpected '?'"},
    {"? in the month", "0 0 1 ? *", "bad_cron", 7, "unexpected '?'"},
    {"? with a step", "0 0 ?/2 * *", "bad_cron", 6, "unexpected '/'"},
    {"month name in the weekday", "0 0 * * JAN", "bad_cron", 9,
     "unknown name 'JAN'; allowed 0-7 or SUN-SAT"},
    {"weekday name in the month", "0 0 1 MON *", "bad_cron", 7, "unknown name 'MON'"},
    {"name in the minute", "FOO * * * *", "bad_cron", 1, "unknown name 'FOO'"},
    {"long name", "0 0 * * MONDAY", "bad_cron", 9, "unknown name 'MONDAY'"},
    {"short name", "0 0 * * MO", "bad_cron", 9, "unknown name 'MO'"},
    {"very long name",
     "0 0 * * ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ", "bad_cron", 9, "..."},
    {"number and letter", "5x * * * *", "bad_cron", 2, "unexpected 'x'"},
    {"last in the minute", "L * * * *", "bad_cron", 1, "unknown name 'L'"},
    {"# in the day of month", "0 0 1#2 * *", "bad_cron", 6, "unexpected '#'"},
    {"zone prefix without zones", "CRON_TZ=Europe/Berlin 0 0 * * *", "unknown_zone", 9,
     "no time zones but UTC are known"},
    {"zone prefix of dots", "TZ=../etc/passwd 0 0 * * *", "unknown_zone", 4, "not the name"},
    {"@every without a duration", "@every", "bad_cron", 7, "needs a duration"},
    {"@every 0", "@every 0s", "bad_cron", 8, "needs a duration above 0"},
    {"@reboot", "@reboot", "bad_cron", 1, "unknown nickname '@reboot'"},
    {"nickname and more", "@daily 5", "bad_cron", 8, "nothing may follow @daily"},
    {"a lone @", "@", "bad_cron", 1, "unknown nickname"},
    {"30 February", "0 0 30 2 *", "never_fires", 1, "never fire"},
    {"31st of short months", "0 0 31 2,4,6,9,11 *", "never_fires", 1, "never fire"},
    {"31 February of six fields", "0 0 0 31 FEB ?", "never_fires", 1, "never fire"},
    {"a line feed", "* * * *\n*", "bad_cron", 7, "4 fields"},
    {"a line feed behind", "* * * * *\n", "bad_cron", 10, "byte 0x0a"},
    {"not ASCII", "\xc3\xa4 * * * *", "bad_cron", 1, "byte 0xc3"},
};

static void check_refused(void **state)
{
    const struct refused_case *row = *state;
    struct cron cron = {0};
    uint32_t warnings = 77;
    struct error error = {0};
    assert_false(cron_read(row->text, strlen(row->text), &cron, &warnings, &error));
    assert_int_equal(warnings, 77);
    assert_int_equal(cron.minutes, 0);
    assert_int_equal(error.kind, ERROR_INVALID);
    if (strstr(error.message, row->says) == NULL) fail_msg("%s", error.message);
    assert_string_equal(error_code_word(error.code), row->code);
    assert_int_equal(error.column, row->column);
    for (const char *byte = error.message; *byte != '\0'; byte++)
        assert_in_range(*byte, ' ', '~');
}

static void masks(void **state)
{
    (void)state;
    struct cron cron = parsed("*/15 9-17 1,15 JAN,JUL MON", NULL);
    assert_int_equal(cron.seconds, 1);
    assert_int_equal(cron.minutes, UINT64_C(1) | 1 << 15 | 1 << 30 | UINT64_C(1) << 45);
    assert_int_equal(cron.hours, 0x3fe00);
    assert_int_equal(cron.days, 1 << 1 | 1 << 15);
    assert_int_equal(cron.months, 1 << 1 | 1 << 7);
    assert_int_equal(cron.weekdays, 1 << 1);
    assert_int_equal(cron.flags, CRON_DAY_EITHER);
    cron = parsed("* * * * *", NULL);
    assert_int_equal(cron.flags, CRON_EVERY_DAY);
    cron = parsed("* * * * * *", NULL);
    assert_int_equal(cron.seconds, (UINT64_C(1) << 60) - 1);
    cron = parsed("* * * * 1", NULL);
    assert_int_equal(cron.flags, CRON_WEEKDAYS_ONLY);
    cron = parsed("0 0 1W,L-2,LW * 5L,MON#1", NULL);
    assert_int_equal(cron.flags, CRON_DAY_EITHER | CRON_SPECIAL_DAYS | CRON_LAST_WEEKDAY);
    assert_int_equal(cron.nearest, 1 << 1);
    assert_int_equal(cron.before_last, 1 << 2);
    assert_int_equal(cron.nth, UINT64_C(1) << (7 * CRON_NTH_LAST + 5) | 1 << 1);
}

static void warnings_are_given(void **state)
{
    (void)state;
    uint32_t warnings = 0;
    (void)parsed("0 0 13 * 5", &warnings);
    assert_int_equal(warnings, CRON_WARNING_BOTH_DAYS);
    (void)parsed("*/60 0 * * 5", &warnings);
    assert_int_equal(warnings, CRON_WARNING_WIDE_STEP);
    (void)parsed("*/59 0 ? * 5", &warnings);
    assert_int_equal(warnings, 0);
    (void)parsed("1-3/3,5/1 0 */1 * 5", &warnings);
    assert_int_equal(warnings, CRON_WARNING_WIDE_STEP | CRON_WARNING_BOTH_DAYS);
    assert_string_not_equal(cron_warning_text(CRON_WARNING_BOTH_DAYS),
                            cron_warning_text(CRON_WARNING_WIDE_STEP));
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    struct cron cron = {0};
    struct error error = {0};
    assert_false(cron_read("* * * * *\0", 10, &cron, NULL, &error));
    assert_int_equal(error.code, CODE_BAD_CRON);
    assert_int_equal(error.column, 10);
    error_clear(&error);
    assert_false(cron_read("\0", 1, &cron, NULL, &error));
    assert_int_equal(error.column, 1);
    error_clear(&error);
    assert_false(cron_read("1\0 * * * *", 10, &cron, NULL, &error));
    assert_int_equal(error.column, 2);
    assert_false(cron_read(NULL, 0, &cron, NULL, NULL));
}

/* A copy at the end of its block, so that a read beyond it is seen by the sanitizer. */
static void every_prefix_is_safe(void **state)
{
    (void)state;
    static const char whole[] = "1-5,7/2 */3,22-23 ?,1 JAN-MAR,7 SUN-TUE/2,FRI";
    for (size_t length = 0; length <= sizeof whole - 1; length++) {
        char *copy = malloc(length + 1);
        assert_non_null(copy);
        char *text = memcpy(copy + 1, whole, length);
        struct cron cron = {0};
        struct error error = {0};
        bool read = cron_read(text, length, &cron, NULL, &error);
        if (!read) assert_in_range(error.column, 1, (int)length + 1);
        if (length == sizeof whole - 1) assert_true(read);
        free(copy);
    }
}

static void too_long(void **state)
{
    (void)state;
    char text[CRON_TEXT_BYTES_MAX + 1];
    memset(text, ' ', sizeof text);
    memcpy(text, "* * * * *", 9);
    struct cron cron = {0};
    struct error error = {0};
    assert_true(cron_read(text, sizeof text - 1, &cron, NULL, &error));
    assert_false(cron_read(text, sizeof text, &cron, NULL, &error));
    assert_int_equal(error.code, CODE_BAD_CRON);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(same_cases, check_same),
                                              ROW_TABLE(refused_cases, check_refused)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(masks),
        cmocka_unit_test(warnings_are_given),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(every_prefix_is_safe),
        cmocka_unit_test(too_long),
    };
    return run_rows("cron parse", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
