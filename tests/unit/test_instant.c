#include "lib/time/instant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rows.h"

struct read_case {
    const char *name, *text;
    int64_t instant_ms;
};

static const struct read_case read_cases[] = {
    {"the epoch", "1970-01-01T00:00:00Z", 0},
    {"three decimals", "2026-11-21T20:57:54.123Z", 1795294674123},
    {"no decimals", "2026-11-21T20:57:54Z", 1795294674000},
    {"one decimal", "2026-11-21T20:57:54.5Z", 1795294674500},
    {"finer is floored", "2026-11-21T20:57:54.123999999Z", 1795294674123},
    {"thirty decimals", "2026-11-21T20:57:54.000999999999999999999999999999Z", 1795294674000},
    {"east of Greenwich", "2026-11-21T21:57:54+01:00", 1795294674000},
    {"west of Greenwich", "2026-11-21T15:27:54-05:30", 1795294674000},
    {"minus zero", "2026-11-21T20:57:54-00:00", 1795294674000},
    {"lower case", "2026-11-21t20:57:54z", 1795294674000},
    {"1969 here, 1970 in UTC", "1969-12-31T19:00:00-05:00", 0},
    {"29 February", "2000-02-29T00:00:00Z", 951782400000},
    {"before the epoch's offset", "1970-01-01T05:45:00+05:45", 0},
    {"the last instant", "9999-12-31T23:59:59.999Z", INSTANT_MAX_MS},
    {"largest offset", "2026-01-01T23:59:00+23:59", 1767225600000},
};

static void check_read(void **state)
{
    const struct read_case *row = *state;
    int64_t instant_ms = -1;
    struct error error = {0};
    if (!instant_parse(row->text, strlen(row->text), &instant_ms, &error))
        fail_msg("%s", error.message);
    assert_int_equal(instant_ms, row->instant_ms);
}

struct refused_case {
    const char *name, *text;
    int column;
    const char *says;
};

static const struct refused_case refused_cases[] = {
    {"nothing", "", 1, "empty"},
    {"no offset", "2026-01-01T00:00:00", 20, "offset is missing"},
    {"no offset after decimals", "2026-01-01T00:00:00.5", 22, "offset is missing"},
    {"epoch seconds", "1795294674", 1, "bare number"},
    {"epoch milliseconds", "1795294674123", 1, "bare number"},
    {"negative epoch", "-5", 1, "bare number"},
    {"second 60", "2016-12-31T23:59:60Z", 18, "leap second"},
    {"second 61", "2016-12-31T23:59:61Z", 18, "second 61"},
    {"date only", "2026-01-01", 11, "time of day"},
    {"a space for T", "2026-01-01 00:00:00Z", 11, "'T'"},
    {"month 0", "2026-00-01T00:00:00Z", 6, "month 0"},
    {"month 13", "2026-13-01T00:00:00Z", 6, "month 13"},
    {"day 0", "2026-01-00T00:00:00Z", 9, "day 0"},
    {"30 February", "2026-02-30T00:00:00Z", 9, "2026-02 has 28 days"},
    {"29 February 2100", "2100-02-29T00:00:00Z", 9, "2100-02 has 28 days"},
    {"hour 24", "2026-01-01T24:00:00Z", 12, "hour 24"},
    {"minute 60", "2026-01-01T00:60:00Z", 15, "minute 60"},
    {"one-digit month", "2026-1-01T00:00:00Z", 6, "2 digits"},
    {"five-digit year", "10000-01-01T00:00:00Z", 1, "4 digits"},
    {"offset without colon", "2026-01-01T00:00:00+0100", 21, "2 digits"},
    {"offset hour 24", "2026-01-01T00:00:00+24:00", 21, "offset hour 24"},
    {"offset minute 60", "2026-01-01T00:00:00+01:60", 24, "offset minute 60"},
    {"no digit after the point", "2026-01-01T00:00:00.Z", 21, "digits expected"},
    {"comma", "2026-01-01T00:00:00,5Z", 20, "expected here"},
    {"something behind", "2026-01-01T00:00:00ZZ", 21, "nothing may follow"},
    {"a space behind", "2026-01-01T00:00:00Z ", 21, "nothing may follow"},
    {"a space before", " 2026-01-01T00:00:00Z", 1, "year"},
    {"1969", "1969-12-31T23:59:59Z", 1, "1970-9999"},
    {"year 0", "0000-01-01T00:00:00Z", 1, "before 1970"},
    {"beyond 9999 in UTC", "9999-12-31T23:59:59-01:00", 1, "1970-9999"},
    {"a word", "tomorrow", 1, "year"},
};

static void check_refused(void **state)
{
    const struct refused_case *row = *state;
    int64_t instant_ms = -1;
    struct error error = {0};
    assert_false(instant_parse(row->text, strlen(row->text), &instant_ms, &error));
    assert_int_equal(instant_ms, -1);
    assert_int_equal(error.code, CODE_BAD_TIME);
    assert_int_equal(error.kind, ERROR_INVALID);
    if (strstr(error.message, row->says) == NULL) fail_msg("%s", error.message);
    assert_int_equal(error.column, row->column);
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    static const char nul[] = "2026-01-01T00:00:00Z\0";
    int64_t instant_ms = -1;
    struct error error = {0};
    assert_false(instant_parse(nul, sizeof nul - 1, &instant_ms, &error));
    assert_int_equal(error.column, 21);
    error_clear(&error);
    assert_false(instant_parse("\xff\xfe\x01", 3, &instant_ms, &error));
    for (const char *byte = error.message; *byte != '\0'; byte++)
        assert_in_range(*byte, ' ', '~');
    assert_false(instant_parse("2026", 4, &instant_ms, NULL));
}

/* A copy without a terminator, so that a read beyond it is seen by the sanitizer. */
static void every_prefix_is_refused(void **state)
{
    (void)state;
    static const char whole[] = "2026-11-21T20:57:54.123+01:00";
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        char *copy = malloc(length + 1);
        assert_non_null(copy);
        char *text = memcpy(copy + 1, whole, length);
        int64_t instant_ms = -1;
        struct error error = {0};
        assert_false(instant_parse(text, length, &instant_ms, &error));
        assert_in_range(error.column, 1, (int)length + 1);
        free(copy);
    }
}

static void text_to_number_to_text(void **state)
{
    (void)state;
    uint64_t draw = 42;
    for (int i = 0; i < 200000; i++) {
        draw = draw * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int64_t instant_ms = (int64_t)((draw >> 8) % (uint64_t)(INSTANT_MAX_MS + 1));
        char text[INSTANT_TEXT_BYTES];
        instant_format(instant_ms, text);
        int64_t back_ms = -1;
        struct error error = {0};
        assert_int_equal(strlen(text), INSTANT_TEXT_LENGTH);
        if (!instant_parse(text, strlen(text), &back_ms, &error)) fail_msg("%s", error.message);
        if (back_ms != instant_ms) fail_msg("%s: %lld", text, (long long)instant_ms);
    }
}

static void known_texts(void **state)
{
    (void)state;
    char text[INSTANT_TEXT_BYTES];
    instant_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    instant_format(1795294674123, text);
    assert_string_equal(text, "2026-11-21T20:57:54.123Z");
    instant_format(INSTANT_MAX_MS, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(read_cases, check_read),
                                              ROW_TABLE(refused_cases, check_refused)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(text_to_number_to_text),
        cmocka_unit_test(known_texts),
    };
    return run_rows("instant", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
