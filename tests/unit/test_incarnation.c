/* The identity of a job in text: written, read back, and read strictly. */
#include "lib/time/incarnation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void written_and_read_back(void **state)
{
    (void)state;
    static const struct {
        struct incarnation incarnation;
        const char *text;
    } rows[] = {
        {{0, 0, 0, 0}, "0-0.0.0"},
        {{.effective_ms = 1767225600123, .shard = 3, .offset = 10422, .index = 7},
         "1767225600123-3.10422.7"},
        {{INT64_MAX, INT64_MAX, UINT32_MAX, INT32_MAX},
         "9223372036854775807-2147483647.9223372036854775807.4294967295"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[INCARNATION_TEXT_BYTES];
        struct incarnation read;
        assert_int_equal(incarnation_format(&rows[i].incarnation, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
        assert_true(incarnation_parse(text_of(text), &read));
        assert_memory_equal(&read, &rows[i].incarnation, sizeof read);
    }
}

/* Each number counts, the first one first. */
static void they_have_an_order(void **state)
{
    (void)state;
    static const char *const ascending[] = {"1-9.9.9", "2-1.9.9", "2-2.1.9", "2-2.2.1", "2-2.2.2"};
    enum { COUNT = sizeof ascending / sizeof ascending[0] };
    struct incarnation read[COUNT];
    for (int i = 0; i < COUNT; i++)
        assert_true(incarnation_parse(text_of(ascending[i]), &read[i]));
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++)
            assert_int_equal(incarnation_compare(&read[i], &read[j]), (i > j) - (i < j));
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "1", "1-", "1-2", "1-2.", "1-2.3", "1-2.3.", "-2.3.4", "1-.3.4", "1-2..4", "1.2.3.4",
        "1-2-3.4", "1-2.3-4", "1-2.3.4 ", "1-2.3.4.5", " 1-2.3.4", "+1-2.3.4", "1-2.3.x",
        "01-2.3.4", "1-02.3.4", "1-2.03.4", "1-2.3.04", "00-2.3.4", "9223372036854775808-2.3.4",
        "1-2147483648.3.4", "1-2.9223372036854775808.4", "1-2.3.4294967296",
        "1-2.3.99999999999999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct incarnation read;
        if (incarnation_parse(text_of(texts[i]), &read)) fail_msg("'%s' was read", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read_back),
        cmocka_unit_test(they_have_an_order),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests_name("incarnation", tests, NULL, NULL);
}
