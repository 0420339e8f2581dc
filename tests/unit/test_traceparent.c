#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/model/traceparent.h"

static const char good[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

static void what_is_valid(void **state)
{
    (void)state;
    assert_int_equal(sizeof good - 1, TRACEPARENT_BYTES);
    assert_true(traceparent_is_valid(text_of(good)));
    assert_true(traceparent_is_valid(
        text_of("00-00000000000000000000000000000001-8000000000000000-00")));
    assert_true(traceparent_is_valid(
        text_of("00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff")));
}

static void what_is_not(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "00",
        "00-1-2-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",  /* another version */
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",  /* no trace */
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",  /* no parent */
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",  /* capitals */
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", /* as later versions may */
        "00-0af7651916cd43dd8448eb211c80319cb-7ad6b7169203331-01",  /* a dash too late */
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (traceparent_is_valid(text_of(rows[i]))) fail_msg("taken for valid: %s", rows[i]);
    assert_false(traceparent_is_valid((struct text){NULL, 0}));
}

/* Each character of a good one but the digits' own kind is needed. */
static void each_character_counts(void **state)
{
    (void)state;
    char text[sizeof good];
    for (size_t i = 0; i < TRACEPARENT_BYTES; i++) {
        memcpy(text, good, sizeof good);
        text[i] = '\0';
        assert_false(traceparent_is_valid((struct text){text, TRACEPARENT_BYTES}));
        text[i] = good[i] == '-' ? '0' : '-';
        assert_false(traceparent_is_valid((struct text){text, TRACEPARENT_BYTES}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_valid),
        cmocka_unit_test(what_is_not),
        cmocka_unit_test(each_character_counts),
    };
    return cmocka_run_group_tests_name("traceparent", tests, NULL, NULL);
}
