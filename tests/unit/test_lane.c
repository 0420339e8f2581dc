/* The catch-up lane: what its rate bounds, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"
#include "tests/support/shard_rig.h"

#define START "2026-01-01T00:00:00Z"

/* So many jobs of each second, in a shard whose lane has this rate. */
static void open_jobs(struct shard_rig *rig, int jobs, int64_t rate, const char *catchup)
{
    rig_open(rig, START);
    rig->shard->config.catchup_per_second = rate;
    for (int i = 0; i < jobs; i++) {
        char json[256];
        (void)snprintf(json, sizeof json,
                       "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"%d\",\"schedule\":"
                       "{\"every\":\"1s\"},\"catchup\":%s}}", i, catchup);
        rig_command(rig, START, NULL, json);
    }
    (void)rig_said(rig);
}

static void step(struct shard_rig *rig, int64_t after_ms)
{
    struct sink sink = rig_test_sink(rig);
    int64_t now_ms = rig_instant(START) + after_ms;
    while (!shard_advance(rig->shard, now_ms, now_ms, &sink)) rig_test_commit(rig);
    while (!shard_decide(rig->shard, now_ms, &sink)) rig_test_commit(rig);
    shard_run_lane(rig->shard, now_ms, &sink);
    rig_test_commit(rig);
}

static size_t owing(const struct shard_rig *rig)
{
    struct shard_counts counts;
    shard_count(rig->shard, &counts);
    return counts.owing;
}

static int count_words(const char *said, const char *word)
{
    int count = 0;
    for (const char *at = said; (at = strstr(at, word)) != NULL; at++) count++;
    return count;
}

/* 30 slots a second, and a rate of 10: after 60 seconds away 1,800 are owed, for 180 seconds. */
static void what_is_owed_shrinks_by_the_rate(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_jobs(&rig, 30, 10, "{\"policy\":\"all\",\"misfire_grace\":\"0s\"}");
    step(&rig, 60000);
    int64_t after_ms = 60000;
    while (owing(&rig) > 0 && after_ms < 400000) step(&rig, after_ms += 100);
    assert_in_range(after_ms, 60000 + 170000, 60000 + 185000);
    assert_int_equal(rig.shard->lane_state.slots, 0);
    (void)rig_said(&rig);
    step(&rig, after_ms = (after_ms / 1000 + 1) * 1000);
    assert_int_equal(count_words(rig_said(&rig), " schedule\n"), 30);
    rig_close(&rig);
}

/* What the lane fires in about 20 seconds, each turn when it is due and 1 ms late. */
static int64_t fired_in_20_seconds(struct shard_rig *rig)
{
    struct sink sink = rig_test_sink(rig);
    int64_t now_ms = rig_instant(START) + 60000;
    int64_t slots = rig->shard->lane_state.slots;
    while (now_ms < rig_instant(START) + 80000) {
        now_ms = shard_lane_due_ms(rig->shard) + 1;
        shard_run_lane(rig->shard, now_ms, &sink);
        rig_test_commit(rig);
    }
    return slots - rig->shard->lane_state.slots;
}

/* At 39 a second a turn of 51 ms may fire 1.989 slots. */
static void a_rate_that_no_turn_divides_is_kept(void **state)
{
    (void)state;
    const int64_t rates[] = {3, 39, 77};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct shard_rig rig;
        open_jobs(&rig, 100, rates[i], "{\"policy\":\"all\",\"misfire_grace\":\"0s\"}");
        step(&rig, 60000);
        assert_in_range(fired_in_20_seconds(&rig), 20 * rates[i] - 1, 21 * rates[i]);
        rig_close(&rig);
    }
}

static void what_is_not_late_is_not_held_back(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_jobs(&rig, 100, 1, "{\"policy\":\"latest\"}");
    step(&rig, 60000);
    assert_int_equal(owing(&rig), 0);
    assert_int_equal(count_words(rig_said(&rig), " catchup"), 100);
    rig_close(&rig);
}

/* Each step comes five seconds after the last one: nothing is in time. */
static void a_backlog_that_does_not_shrink_is_said(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_jobs(&rig, 10, 1, "{\"policy\":\"all\",\"misfire_grace\":\"0s\"}");
    for (int64_t after_ms = 5500; after_ms < 60000; after_ms += 5000) step(&rig, after_ms);
    assert_int_equal(count_words(rig_said(&rig), "catchup_behind"), 0);
    for (int64_t after_ms = 60500; after_ms < 180000; after_ms += 5000) step(&rig, after_ms);
    assert_int_equal(count_words(rig_said(&rig), "catchup_behind"), 2);
    rig_close(&rig);
}

static void a_deleted_job_is_counted_no_more(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_jobs(&rig, 10, 1, "{\"policy\":\"all\",\"misfire_grace\":\"0s\"}");
    step(&rig, 60000);
    step(&rig, 60100);
    assert_in_range(rig.shard->lane_state.slots, 590, 600);
    rig_command(&rig, "2026-01-01T00:01:00.200Z", NULL, "{\"op\":\"delete\",\"select\":"
                "{\"groups\":[\"g\"]}}");
    assert_int_equal(rig.shard->lane_state.slots, 0);
    rig_close(&rig);
}

/* 10 slots a second at a rate of 4: after 20 seconds away 200 are owed, for 50 seconds. */
static void what_is_owed_and_since_when_can_be_asked(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct census census;
    open_jobs(&rig, 10, 4, "{\"policy\":\"all\",\"misfire_grace\":\"0s\"}");
    int64_t start_ms = rig_instant(START);
    struct sink sink = rig_test_sink(&rig);
    assert_int_equal(shard_backlog(rig.shard).slots, 0);
    assert_true(shard_advance(rig.shard, start_ms + 20500, start_ms + 20500, &sink));
    assert_true(shard_decide(rig.shard, start_ms + 20500, &sink));
    assert_int_equal(shard_backlog(rig.shard).slots, 10); /* not counted yet: one each */
    step(&rig, 20500);
    struct shard_backlog backlog = shard_backlog(rig.shard);
    assert_in_range(backlog.slots, 198, 200);
    assert_int_equal(backlog.drain_ms, backlog.slots * 250);
    census_init(&census);
    assert_int_equal(census_oldest_owed_ms(&census, rig.shard), INSTANT_NONE); /* not taken */
    census_take(&census, rig.shard);
    assert_int_equal(census.owing, 10);
    assert_int_equal(census_oldest_owed_ms(&census, rig.shard), start_ms + 1000);
    census_clear(&census);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_owed_shrinks_by_the_rate),
        cmocka_unit_test(a_rate_that_no_turn_divides_is_kept),
        cmocka_unit_test(what_is_not_late_is_not_held_back),
        cmocka_unit_test(a_backlog_that_does_not_shrink_is_said),
        cmocka_unit_test(a_deleted_job_is_counted_no_more),
        cmocka_unit_test(what_is_owed_and_since_when_can_be_asked),
    };
    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
