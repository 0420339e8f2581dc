/* A schedule's list of jobs stays in the order of their adding, whoever leaves and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"
#include "tests/support/shard_rig.h"

#define START "2026-01-01T00:00:00Z"
enum { JOBS = 500 };

static void pause_one(struct shard_rig *rig, uint32_t slot, bool pause)
{
    struct sink sink = rig_test_sink(rig);
    int64_t now_ms = rig_instant(START) + 1000;
    struct job *job = shard_job_at(rig->shard, slot);
    if (pause) job_pause(rig->shard, job, now_ms, INT64_MAX, text_of(NULL), now_ms, &sink);
    else assert_non_null(job_resume(rig->shard, job, now_ms, now_ms, now_ms, &sink));
}

/* Every job fires once, the first one first. */
static void assert_order(struct shard_rig *rig)
{
    (void)rig_said(rig);
    rig_advance(rig, "2026-01-01T01:00:00Z");
    const char *at = rig_said(rig);
    for (int i = 0; i < JOBS; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "fire g/%d 01-01T01:00:00 schedule\n", i);
        assert_memory_equal(at, line, strlen(line));
        at += strlen(line);
    }
    assert_string_equal(at, "");
}

static void open_jobs(struct shard_rig *rig)
{
    rig_open(rig, START);
    for (int i = 0; i < JOBS; i++) {
        char json[160];
        (void)snprintf(json, sizeof json,
                       "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"%d\",\"schedule\":"
                       "{\"cron\":\"0 * * * *\"}}}", i);
        rig_command(rig, START, NULL, json);
    }
}

static void one_comes_back(void **state)
{
    (void)state;
    struct shard_rig rig;
    for (uint32_t slot = 0; slot < JOBS; slot += JOBS / 2 - 1) { /* the first, the last ... */
        open_jobs(&rig);
        pause_one(&rig, slot, true);
        pause_one(&rig, slot, false);
        assert_order(&rig);
        rig_close(&rig);
    }
}

static void many_come_back(void **state)
{
    (void)state;
    struct shard_rig rig;
    for (uint32_t step = 1; step < JOBS; step = step * 3 + 1) {
        open_jobs(&rig);
        for (uint32_t i = 0; i < JOBS; i += step) pause_one(&rig, i, true);
        for (uint32_t i = 0; i < JOBS; i += step) pause_one(&rig, i, false);
        assert_order(&rig);
        rig_close(&rig);
    }
}

static void they_come_back_from_behind(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_jobs(&rig);
    for (uint32_t i = 0; i < JOBS; i++)
        if (i % 3 != 0) pause_one(&rig, i, true);
    for (uint32_t i = JOBS; i-- > 0;)
        if (i % 3 != 0) pause_one(&rig, i, false);
    assert_order(&rig);
    rig_close(&rig);
}

/* Each job comes due at a second of its own, in an order that is no order. */
static void jobs_due_by_an_instant_are_counted(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, START);
    int64_t start_ms = rig_instant(START);
    for (int i = 0; i < JOBS; i++) {
        char json[160];
        (void)snprintf(json, sizeof json,
                       "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"%d\",\"schedule\":"
                       "{\"at\":\"2026-01-01T00:%02d:%02dZ\"}}}", i, 1 + i * 7 % JOBS / 60,
                       i * 7 % JOBS % 60);
        rig_command(&rig, START, NULL, json);
    }
    for (int seconds = 0; seconds <= JOBS + 1; seconds += 13) {
        int expected = seconds > JOBS ? JOBS : seconds;
        assert_int_equal(shard_jobs_due_by(rig.shard, start_ms + 59000 + seconds * 1000),
                         expected);
    }
    assert_true(timers_due_by(rig.shard->timers, INT64_MAX, 10) <= 10); /* no longer look */
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_comes_back),
        cmocka_unit_test(many_come_back),
        cmocka_unit_test(they_come_back_from_behind),
        cmocka_unit_test(jobs_due_by_an_instant_are_counted),
    };
    return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
