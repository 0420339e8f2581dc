/* What samples prove of how far a clock is ahead of the broker's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dispatcher/engine/clock_bounds.h"
#include "tests/support/rows.h"

enum { TOLERANCE_MS = 1000, SAMPLES = 200 };
#define NOW_MS INT64_C(1780000000000)

/* One sample: our clock is `ahead_ms` ahead, a mark took `there_ms` to be appended and `back_ms`
 * more until Kafka's word came. */
static void sample(struct clock_bounds *bounds, int64_t at_ms, int64_t ahead_ms, int64_t there_ms,
                   int64_t back_ms)
{
    int64_t sent_ms = NOW_MS + at_ms + ahead_ms;
    clock_bounds_add(bounds, sent_ms, sent_ms + there_ms + back_ms, NOW_MS + at_ms + there_ms,
                     at_ms * 1000);
}

struct sample_case {
    const char *name;
    int64_t ahead_ms, there_ms, back_ms;
    int64_t proven_low_ms, proven_high_ms; /* what clock_bounds_proven_ms may say */
    int64_t correction_low_ms, correction_high_ms;
};
static const struct sample_case cases[] = {
    {"right, fast", 0, 1, 1, 0, 0, 0, 0},
    {"ahead by 300 ms, fast: taken off whole", 300, 1, 1, 297, 300, 297, 300},
    {"ahead by 5 s, fast: taken off whole, not down to the tolerance", 5000, 2, 3, 4996, 5000,
     4996, 5000},
    {"behind by 5 s, fast", -5000, 2, 3, -5000, -4995, -5000, -4995},
    {"right, a commit of 600 ms: known all the same", 0, 300, 300, 0, 0, 0, 0},
    {"right, appended at once, the word after 20 s: never early, so late by the doubt", 0, 0, 20000,
     0, 0, 19000, 19001},
    {"right, appended after 20 s: nothing is in doubt", 0, 20000, 0, 0, 0, 0, 1},
    {"ahead by 8 s, appended after 10 s: not proven, yet no slot may be early", 8000, 10000, 10, 0,
     0, 7000, 7011},
    {"behind by 8 s, word after 10 s: not proven", -8000, 0, 10000, 0, 0, 1000, 1001},
};

static void one_sample(void **state)
{
    const struct sample_case *row = *state;
    struct clock_bounds bounds = {0};
    sample(&bounds, 0, row->ahead_ms, row->there_ms, row->back_ms);
    assert_true(bounds.known);
    int64_t proven_ms = clock_bounds_proven_ms(&bounds);
    int64_t correction_ms = clock_bounds_correction_ms(&bounds, TOLERANCE_MS);
    if (proven_ms < row->proven_low_ms || proven_ms > row->proven_high_ms ||
        correction_ms < row->correction_low_ms || correction_ms > row->correction_high_ms)
        fail_msg("proven %lld, correction %lld", (long long)proven_ms, (long long)correction_ms);
}

/* The true difference is always inside; the best samples count, not the last one; and what is
 * corrected changes by no more than the clock drifts. */
static void jittery_samples(void **state)
{
    (void)state;
    struct clock_bounds bounds = {0};
    uint64_t dice = 12345;
    int64_t before_ms = 0;
    for (int i = 0; i < SAMPLES; i++) {
        int64_t at_ms = i * INT64_C(10000);
        int64_t ahead_ms = 2000 + at_ms / 10000; /* it drifts by 100 ppm */
        dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
        int64_t there_ms = i % 3 == 0 ? 1 : (int64_t)(dice >> 33) % 900;
        dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
        int64_t back_ms = i % 4 == 0 ? 1 : (int64_t)(dice >> 33) % 900;
        sample(&bounds, at_ms, ahead_ms, there_ms, back_ms);
        assert_true(bounds.low_us <= ahead_ms * 1000 && bounds.high_us >= ahead_ms * 1000);
        int64_t correction_ms = clock_bounds_correction_ms(&bounds, TOLERANCE_MS);
        assert_in_range(correction_ms, ahead_ms - 25, ahead_ms);
        if (i > 3) assert_in_range(correction_ms - before_ms + 20, 0, 40);
        before_ms = correction_ms;
    }
}

static void a_set_clock_changes_nothing(void **state)
{
    (void)state;
    struct clock_bounds bounds = {0};
    sample(&bounds, 0, 0, 1, 1);
    clock_bounds_shift(&bounds, 90000);
    assert_in_range(clock_bounds_correction_ms(&bounds, TOLERANCE_MS), 89997, 90000);
    clock_bounds_shift(&bounds, -180000);
    assert_in_range(-clock_bounds_correction_ms(&bounds, TOLERANCE_MS), 89997, 90000);
    sample(&bounds, 1000, -90000, 400, 500); /* a poor sample that agrees takes nothing away */
    assert_in_range(-clock_bounds_correction_ms(&bounds, TOLERANCE_MS), 89997, 90000);
}

/* The partition's leader is another broker, with another clock. */
static void a_contradiction_begins_anew(void **state)
{
    (void)state;
    struct clock_bounds bounds = {0};
    sample(&bounds, 0, 2000, 1, 1);
    sample(&bounds, 1000, -3000, 1, 1);
    assert_in_range(-clock_bounds_proven_ms(&bounds), 2997, 3000);
    sample(&bounds, 2000, 10, 700, 0);
    assert_int_equal(clock_bounds_proven_ms(&bounds), 0);
}

static void unknown_says_nothing(void **state)
{
    (void)state;
    const struct clock_bounds bounds = {0};
    assert_int_equal(clock_bounds_proven_ms(&bounds), 0);
    assert_int_equal(clock_bounds_correction_ms(&bounds, TOLERANCE_MS), 0);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(cases, one_sample)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(jittery_samples),
        cmocka_unit_test(a_set_clock_changes_nothing),
        cmocka_unit_test(a_contradiction_begins_anew),
        cmocka_unit_test(unknown_says_nothing),
    };
    return run_rows("clock bounds", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
