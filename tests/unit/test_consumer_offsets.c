/* Which offset may be committed while records finish in any order. */
#include "consumer/offsets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void begin(struct belfry_offsets *offsets, int64_t offset)
{
    assert_true(belfry_offsets_begin(offsets, offset));
}

static void in_order(void **state)
{
    (void)state;
    struct belfry_offsets offsets = {0};
    for (int64_t i = 0; i < 100; i++) {
        begin(&offsets, i);
        assert_int_equal(belfry_offsets_finish(&offsets, i), i + 1);
    }
    assert_int_equal(offsets.count, 0);
    assert_int_equal(offsets.capacity, 16); /* it does not grow with time */
    belfry_offsets_clear(&offsets);
}

static void oldest_holds_back(void **state)
{
    (void)state;
    struct belfry_offsets offsets = {0};
    const int64_t read[] = {5, 6, 9, 20}; /* gaps: transaction markers, compaction */
    for (size_t i = 0; i < 4; i++) begin(&offsets, read[i]);
    assert_int_equal(belfry_offsets_finish(&offsets, 9), BELFRY_OFFSET_NONE);
    assert_int_equal(belfry_offsets_finish(&offsets, 6), BELFRY_OFFSET_NONE);
    assert_int_equal(belfry_offsets_finish(&offsets, 5), 10);
    assert_int_equal(belfry_offsets_finish(&offsets, 20), 21);
    belfry_offsets_clear(&offsets);
}

static void unknown_is_passed_over(void **state)
{
    (void)state;
    struct belfry_offsets offsets = {0};
    assert_int_equal(belfry_offsets_finish(&offsets, 1), BELFRY_OFFSET_NONE);
    begin(&offsets, 5);
    assert_int_equal(belfry_offsets_finish(&offsets, 4), BELFRY_OFFSET_NONE);
    assert_int_equal(belfry_offsets_finish(&offsets, 6), BELFRY_OFFSET_NONE);
    assert_int_equal(belfry_offsets_finish(&offsets, 5), 6);
    assert_int_equal(belfry_offsets_finish(&offsets, 5), BELFRY_OFFSET_NONE);
    belfry_offsets_clear(&offsets);
}

static void rewind_keeps_what_is_before(void **state)
{
    (void)state;
    struct belfry_offsets offsets = {0};
    for (int64_t i = 5; i < 9; i++) begin(&offsets, i);
    assert_int_equal(belfry_offsets_finish(&offsets, 7), BELFRY_OFFSET_NONE);
    begin(&offsets, 6); /* 6 comes again, and with it 7 and 8 */
    assert_int_equal(offsets.count, 2);
    assert_int_equal(belfry_offsets_finish(&offsets, 6), BELFRY_OFFSET_NONE);
    assert_int_equal(belfry_offsets_finish(&offsets, 5), 7);
    belfry_offsets_clear(&offsets);
}

/* A second method: flags over all offsets. */
static void agrees_with_flags(void **state)
{
    (void)state;
    enum { RECORDS = 5000 };
    struct belfry_offsets offsets = {0};
    static bool finished[RECORDS + 1];
    int64_t read = 0;
    int64_t committed = 0;
    uint64_t random = 88172645463325252u;
    while (committed < RECORDS) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (read < RECORDS && random % 3 == 0) {
            begin(&offsets, read++);
            continue;
        }
        if (read == committed) continue;
        int64_t span = read - committed;
        int64_t one = committed + (int64_t)(random / 3 % (uint64_t)(span > 300 ? 1 : span));
        if (finished[one]) continue;
        finished[one] = true;
        int64_t before = committed;
        while (finished[committed]) committed++;
        assert_int_equal(belfry_offsets_finish(&offsets, one),
                         committed == before ? BELFRY_OFFSET_NONE : committed);
        assert_int_equal(offsets.count, read - committed);
    }
    belfry_offsets_clear(&offsets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(oldest_holds_back),
        cmocka_unit_test(unknown_is_passed_over),
        cmocka_unit_test(rewind_keeps_what_is_before),
        cmocka_unit_test(agrees_with_flags),
    };
    return cmocka_run_group_tests_name("consumer offsets", tests, NULL, NULL);
}
