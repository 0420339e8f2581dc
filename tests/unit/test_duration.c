#include "lib/time/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rows.h"

struct read_case {
    const char *name, *text;
    int64_t duration_ms;
    const char *printed;
};

static const struct read_case read_cases[] = {
    {"milliseconds", "500ms", 500, "500ms"},
    {"seconds", "90s", 90000, "90s"},
    {"hours and minutes", "1h30m", 5400000, "90m"},
    {"two days", "2d", 172800000, "2d"},
    {"one day", "1d", 86400000, "24h"},
    {"24 hours", "24h", 86400000, "24h"},
    {"36 hours", "36h", 129600000, "36h"},
    {"all units", "1d2h3m4s5ms", 93784005, "93784005ms"},
    {"nothing", "0s", 0, "0s"},
    {"no milliseconds", "0ms", 0, "0s"},
    {"leading zeros", "007s", 7000, "7s"},
    {"whole seconds in ms", "1000ms", 1000, "1s"},
    {"sixty seconds", "60s", 60000, "1m"},
    {"the longest", "100000d", DURATION_MAX_MS, "100000d"},
    {"ISO seconds", "PT90S", 90000, "90s"},
    {"ISO days", "P2D", 172800000, "2d"},
    {"ISO hours and minutes", "PT1H30M", 5400000, "90m"},
    {"ISO date and time", "P1DT12H", 129600000, "36h"},
    {"ISO all", "P1DT2H3M4.005S", 93784005, "93784005ms"},
    {"ISO decimals", "PT1.5S", 1500, "1500ms"},
    {"ISO nothing", "PT0S", 0, "0s"},
};

static void check_read(void **state)
{
    const struct read_case *row = *state;
    int64_t duration_ms = -1;
    struct error error = {0};
    if (!duration_parse(row->text, strlen(row->text), &duration_ms, &error))
        fail_msg("%s", error.message);
    assert_int_equal(duration_ms, row->duration_ms);
    char printed[DURATION_TEXT_BYTES];
    duration_format(duration_ms, printed);
    assert_string_equal(printed, row->printed);
}

struct refused_case {
    const char *name, *text;
    int column;
    const char *says;
};

static const struct refused_case refused_cases[] = {
    {"empty", "", 1, "empty"},
    {"bare number", "90", 1, "write 90s"},
    {"second number bare", "1h30", 3, "30 has no unit"},
    {"negative", "-5s", 1, "negative"},
    {"plus sign", "+5s", 1, "whole number"},
    {"unit only", "s", 1, "whole number"},
    {"fraction", "1.5h", 2, "whole numbers only"},
    {"months", "2M", 2, "no fixed length"},
    {"mo", "2mo", 2, "no fixed length"},
    {"years", "1y", 2, "no fixed length"},
    {"weeks", "1w", 2, "7d"},
    {"words", "5minutes", 2, "unknown unit 'minutes'"},
    {"capital unit", "5S", 2, "unknown unit 'S'"},
    {"out of order", "30m1h", 5, "after any longer unit"},
    {"twice", "1h1h", 4, "once"},
    {"space inside", "1h 30m", 3, "whole number"},
    {"space before", " 1h", 1, "whole number"},
    {"space behind", "1h ", 3, "whole number"},
    {"too long", "100001d", 1, "at most 100000d"},
    {"too long by the rest", "100000d1ms", 8, "at most 100000d"},
    {"beyond 64 bits", "99999999999999999999999999d", 1, "at most 100000d"},
    {"ISO nothing", "P", 2, "whole number"},
    {"ISO no time", "PT", 3, "whole number"},
    {"ISO T and no time", "P1DT", 5, "whole number"},
    {"ISO months", "P1M", 3, "no fixed length"},
    {"ISO years", "P1Y", 3, "no fixed length"},
    {"ISO weeks", "P1W", 3, "P7D"},
    {"ISO no unit", "PT5", 4, "unit missing"},
    {"ISO no T", "P5S", 3, "unit missing"},
    {"ISO out of order", "PT5S1M", 6, "out of order"},
    {"ISO days after T", "PT5D", 4, "after the T"},
    {"ISO decimals on hours", "PT1.5H", 5, "only seconds"},
    {"ISO too fine", "PT1.0005S", 5, "one to three"},
    {"ISO negative", "PT-5S", 3, "negative"},
    {"ISO two T", "PT1HT5S", 5, "whole number"},
    {"lower case ISO", "pt5s", 1, "whole number"},
};

static void check_refused(void **state)
{
    const struct refused_case *row = *state;
    int64_t duration_ms = -1;
    struct error error = {0};
    assert_false(duration_parse(row->text, strlen(row->text), &duration_ms, &error));
    assert_int_equal(duration_ms, -1);
    assert_int_equal(error.code, CODE_BAD_DURATION);
    if (strstr(error.message, row->says) == NULL) fail_msg("%s", error.message);
    assert_int_equal(error.column, row->column);
}

static void number_to_text_to_number(void **state)
{
    (void)state;
    static const int64_t steps[] = {1, 1000, 60000, 3600000, 86400000};
    uint64_t draw = 7;
    for (int i = 0; i < 100000; i++) {
        draw = draw * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int64_t step = steps[i % 5];
        int64_t duration_ms = (int64_t)((draw >> 11) % (uint64_t)(DURATION_MAX_MS / step)) * step;
        char text[DURATION_TEXT_BYTES];
        duration_format(duration_ms, text);
        int64_t back_ms = -1;
        struct error error = {0};
        if (!duration_parse(text, strlen(text), &back_ms, &error)) fail_msg("%s", error.message);
        if (back_ms != duration_ms) fail_msg("%s is not %lld", text, (long long)duration_ms);
    }
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    int64_t duration_ms = -1;
    struct error error = {0};
    assert_false(duration_parse("5s\0", 3, &duration_ms, &error));
    assert_int_equal(error.column, 3);
    error_clear(&error);
    assert_false(duration_parse("5\xc3\xa4", 3, &duration_ms, &error));
    for (const char *byte = error.message; *byte != '\0'; byte++)
        assert_in_range(*byte, ' ', '~');
}

static void any_number_can_be_printed(void **state)
{
    (void)state;
    char text[DURATION_TEXT_BYTES];
    duration_format(INT64_MAX, text);
    assert_string_equal(text, "9223372036854775807ms");
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(read_cases, check_read),
                                              ROW_TABLE(refused_cases, check_refused)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(number_to_text_to_number),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(any_number_can_be_printed),
    };
    return run_rows("duration", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
