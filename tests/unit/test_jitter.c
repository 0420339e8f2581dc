/* Jitter: what a delayed slot is. How it fares in a shard is told in tests/stories/delays.story and
 * tests/stories/waiting-slots.story. */
#include "lib/base/hash.h"
#include "lib/time/instant.h"
#include "lib/time/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/cron_case.h"
#include "tests/support/walks.h"

static const int64_t one_ms = 1767229200000; /* 2026-01-01T01:00:00Z */

static uint64_t random_state = 88172645463325252ULL;

static uint64_t draw(uint64_t below)
{
    return walk_draw(&random_state, below);
}

static struct schedule_spec jittered(const char *cron_text, const char *zone, uint32_t most_ms,
                                     int64_t offset)
{
    struct cron_options options = {.zone = text_of(zone), .zones = test_zones()};
    struct cron_reading reading;
    assert_true(cron_parse(cron_text, strlen(cron_text), &options, &reading, NULL));
    struct schedule_spec spec = schedule_from_cron(&reading.cron);
    spec.jitter = (struct schedule_jitter){
        .most_ms = most_ms,
        .incarnation = {.effective_ms = 1767225600123, .shard = 3, .offset = offset, .index = 7}};
    return spec;
}

/* The rule of docs/time.md, spelled out once more. */
static void the_delay_is_the_hash_of_the_id(void **state)
{
    (void)state;
    struct schedule_spec spec = jittered("0 * * * *", "UTC", 600000, 10422);
    const int64_t nominal_ms = 1767229200000;
    static const char id[] = "1767225600123-3.10422.7@1767229200000";
    static const uint8_t key[HASH_KEY_BYTES] = "belfry jitter v1";
    int64_t delay_ms = (int64_t)(hash_siphash(key, id, strlen(id)) % 600000);
    assert_int_equal(schedule_due(&spec, nominal_ms), nominal_ms + delay_ms);
    assert_int_equal(schedule_nominal(&spec, nominal_ms + delay_ms), nominal_ms);
    spec.jitter.most_ms = 24 * 3600 * 1000; /* the gap is an hour: never past the next slot */
    delay_ms = (int64_t)(hash_siphash(key, id, strlen(id)) % 3600000);
    assert_int_equal(schedule_due(&spec, nominal_ms), nominal_ms + delay_ms);
}

static void check_steps(const struct schedule_spec *spec, int64_t from_ms)
{
    enum { STEPS = 20 };
    struct schedule_spec plain = *spec;
    plain.jitter = (struct schedule_jitter){0};
    int64_t due_ms = from_ms;
    int64_t nominal_ms = schedule_bound(spec, from_ms) > from_ms ? from_ms - 1 : from_ms;
    int64_t dues[STEPS];
    int count = 0;
    while (count < STEPS && schedule_next(spec, due_ms, &due_ms)) dues[count++] = due_ms;
    for (int i = 0; i < count; i++) {
        int64_t nominal = schedule_nominal(spec, dues[i]);
        int64_t next_ms = INT64_MAX;
        assert_true(schedule_names(spec, nominal));
        assert_in_range(dues[i] - nominal, 0, spec->jitter.most_ms - 1);
        if (schedule_next(&plain, nominal, &next_ms)) assert_true(dues[i] < next_ms);
        if (i > 0) { /* no nominal instant is left out */
            assert_true(schedule_next(&plain, schedule_nominal(spec, dues[i - 1]), &next_ms));
            assert_int_equal(next_ms, nominal);
        }
        int64_t bound_ms = schedule_bound(spec, nominal);
        assert_true(bound_ms <= dues[i]);
        assert_true(i == 0 || bound_ms > dues[i - 1]);
    }
    if (count == 0) return;
    int64_t last_ms = 0;
    assert_true(schedule_last(spec, from_ms, dues[count - 1], &last_ms));
    assert_int_equal(last_ms, dues[count - 1]);
    assert_int_equal(schedule_count(spec, from_ms, dues[count - 1], UINT64_MAX), count);
    assert_int_equal(schedule_count(spec, dues[0], dues[count - 1] - 1, UINT64_MAX),
                     count < 2 ? 0 : count - 2);
    int64_t cut_ms = schedule_keep_newest(spec, from_ms, dues[count - 1], 3);
    assert_int_equal(schedule_count(spec, cut_ms, dues[count - 1], UINT64_MAX),
                     count < 3 ? count : 3);
    (void)nominal_ms;
}

static void delayed_slots_keep_their_order(void **state)
{
    (void)state;
    static const char *const crons[] = {"* * * * *", "*/7 * * * *", "30 2 * * *", "0 0 L * *",
                                        "59 59 23 31 12 *", "0 12 * * 1-5"};
    static const char *const zones[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe"};
    for (int i = 0; i < 2000; i++) {
        struct schedule_spec spec = jittered(crons[draw(6)], zones[draw(3)],
                                             1 + (uint32_t)draw(24 * 3600 * 1000),
                                             (int64_t)draw(1000));
        check_steps(&spec, (int64_t)draw(INT64_C(4102444800000)));
    }
    struct schedule_spec once = schedule_from_at(1767229200000);
    once.jitter = (struct schedule_jitter){.most_ms = 60000};
    check_steps(&once, 1767229100000);
    struct schedule_spec last = jittered("59 59 23 31 12 *", "UTC", 60000, 1);
    assert_true(schedule_due(&last, INSTANT_MAX_MS / 1000 * 1000) <= INSTANT_MAX_MS);
}

static void jobs_are_spread(void **state)
{
    (void)state;
    enum { JOBS = 200, BUCKETS = 4 };
    int seen[BUCKETS] = {0};
    for (int64_t i = 0; i < JOBS; i++) {
        struct schedule_spec spec = jittered("0 * * * *", "UTC", 600000, i);
        seen[(schedule_due(&spec, one_ms) - one_ms) / 150000]++;
    }
    for (int i = 0; i < BUCKETS; i++) assert_in_range(seen[i], 25, 85);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delay_is_the_hash_of_the_id),
        cmocka_unit_test(delayed_slots_keep_their_order),
        cmocka_unit_test(jobs_are_spread),
    };
    return cmocka_run_group_tests_name("jitter", tests, NULL, NULL);
}
