#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/model/mark.h"

static struct mark a_mark(void)
{
    return (struct mark){.sequence = 7,
                         .watermark = {1000, 5},
                         .next_ordinal = 9,
                         .inputs = {{.offset = 10}, {.offset = 20}, {.offset = 30}},
                         .runs_again = 25,
                         .next_run = 7};
}

static void a_watermark_goes_by_instant_then_ordinal(void **state)
{
    (void)state;
    struct watermark part = {1000, 5};
    struct watermark whole = {1000, WATERMARK_WHOLE};
    struct watermark later = {1001, 0};
    assert_true(watermark_before(&part, &whole) && watermark_before(&whole, &later));
    assert_false(watermark_before(&whole, &part) || watermark_before(&later, &whole));
    assert_false(watermark_before(&part, &part));
}

static void the_same_and_what_is_further_do_not_go_back(void **state)
{
    (void)state;
    struct mark before = a_mark();
    struct mark mark = before;
    assert_false(mark_goes_back(&mark, &before));
    mark.sequence++;
    mark.watermark = (struct watermark){1001, 0};
    mark.next_ordinal++;
    for (int i = 0; i < INPUT_COUNT; i++) mark.inputs[i].offset++;
    mark.runs_again++;
    mark.next_run++;
    assert_false(mark_goes_back(&mark, &before));
    assert_true(mark_goes_back(&before, &mark));
}

static void one_thing_that_goes_back_is_enough(void **state)
{
    (void)state;
    const struct mark before = a_mark();
    struct mark mark = before;
    mark.sequence--;
    assert_true(mark_goes_back(&mark, &before));
    mark = before;
    mark.watermark.ordinal--;
    assert_true(mark_goes_back(&mark, &before));
    mark = before;
    mark.next_ordinal--;
    assert_true(mark_goes_back(&mark, &before));
    mark = before;
    mark.runs_again--; /* a claim would be read twice */
    mark.inputs[INPUT_RUNS].offset++;
    assert_true(mark_goes_back(&mark, &before));
    mark = before;
    mark.next_run--; /* a number would be given twice */
    mark.sequence++;
    assert_true(mark_goes_back(&mark, &before));
    for (int i = 0; i < INPUT_COUNT; i++) {
        mark = before;
        mark.sequence++;
        mark.inputs[i].offset--;
        assert_true(mark_goes_back(&mark, &before));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watermark_goes_by_instant_then_ordinal),
        cmocka_unit_test(the_same_and_what_is_further_do_not_go_back),
        cmocka_unit_test(one_thing_that_goes_back_is_enough),
    };
    return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
