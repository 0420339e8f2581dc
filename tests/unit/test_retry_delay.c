/* The delay of a retry: the vectors of retry_delays.tsv, which any language can read, and how the
 * retries of many runs spread. */
#include "lib/model/retry_delay.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_BYTES = 512, COLUMNS = 9, VECTORS_LEAST = 25, RUNS = 10000, SECONDS_MOST = 64 };

static void check_vector(char *line)
{
    char *columns[COLUMNS];
    int count = 0;
    for (char *at = line; at != NULL && count < COLUMNS; count++) {
        columns[count] = at;
        at = strchr(at, '\t');
        if (at != NULL) *at++ = '\0';
    }
    assert_int_equal(count, COLUMNS);
    struct retry_terms retry = {.attempts = RETRY_ATTEMPTS_MAX,
                                .initial_ms = strtoll(columns[3], NULL, 10),
                                .factor_hundredths = (int32_t)strtol(columns[4], NULL, 10),
                                .max_ms = strtoll(columns[5], NULL, 10)};
    int32_t n = (int32_t)strtol(columns[2], NULL, 10);
    int64_t base_ms = retry_delay_base(&retry, n);
    int64_t delay_ms = retry_delay(&retry, text_of(columns[1]), n);
    if (base_ms != strtoll(columns[7], NULL, 10) || delay_ms != strtoll(columns[8], NULL, 10))
        fail_msg("%s: base %" PRId64 ", delay %" PRId64, columns[0], base_ms, delay_ms);
}

static void check_vectors(void **state)
{
    (void)state;
    FILE *file = fopen("tests/unit/retry_delays.tsv", "re");
    assert_non_null(file);
    char line[LINE_BYTES];
    int count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#') continue;
        check_vector(line);
        count++;
    }
    fclose(file);
    assert_true(count >= VECTORS_LEAST);
}

/* Ten thousand jobs fail at one instant: none is tried again before its base, none later than a
 * quarter behind it, and no second has more than 1.3 times the mean. */
static void check_spread(void **state)
{
    (void)state;
    static const int64_t initials[] = {10000, 20000, 40000, 100000};
    for (size_t i = 0; i < sizeof initials / sizeof initials[0]; i++) {
        struct retry_terms retry = {
            .initial_ms = initials[i], .factor_hundredths = 200, .max_ms = 3600000};
        int64_t quarter_ms = initials[i] / 4;
        int counts[SECONDS_MOST] = {0};
        for (int run = 0; run < RUNS; run++) {
            char id[64];
            snprintf(id, sizeof id, "1767225600000-0.%d.0@1767225660000", run);
            int64_t spread_ms = retry_delay(&retry, text_of(id), 1) - initials[i];
            assert_true(spread_ms >= 0 && spread_ms <= quarter_ms);
            counts[spread_ms / 1000]++;
        }
        double mean = RUNS / (double)quarter_ms * 1000;
        for (int second = 0; second < SECONDS_MOST; second++)
            assert_true(counts[second] <= 1.3 * mean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_vectors),
        cmocka_unit_test(check_spread),
    };
    return cmocka_run_group_tests_name("retry delay", tests, NULL, NULL);
}
