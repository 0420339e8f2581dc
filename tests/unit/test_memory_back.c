/* What was unusual about jobs takes no memory when it is over, by malloc's own books. */
#include <malloc.h>
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
enum { JOBS = 2000, SLACK_BYTES = 16 * 1024 };

static void ignore_fire(void *opaque, const struct fire *fire) { (void)opaque, (void)fire; }
static void ignore_event(void *opaque, const struct event *event) { (void)opaque, (void)event; }
static void ignore_result(void *opaque, const struct result *result)
{
    (void)opaque;
    assert_int_equal(result->outcome, OUTCOME_APPLIED);
}
static void ignore_job(void *opaque, const struct job *job) { (void)opaque, (void)job; }
static void ignore_seen(void *opaque, const struct seen *seen) { (void)opaque, (void)seen; }
static void ignore_number(void *opaque, int64_t number) { (void)opaque, (void)number; }
static bool no(void *opaque) { return opaque != NULL; }

/* Nothing that is said takes memory. */
static struct sink quiet_sink(void)
{
    return (struct sink){.fire = ignore_fire, .event = ignore_event, .result = ignore_result,
                         .job_changed = ignore_job, .job_deleted = ignore_job,
                         .seen = ignore_seen, .seen_expired = ignore_number, .full = no,
                         .uncertain = no};
}

static size_t bytes_used(void)
{
    return mallinfo2().uordblks;
}

static void open_jobs(struct shard_rig *rig)
{
    rig_open(rig, START);
    for (int i = 0; i < JOBS; i++) {
        char json[256];
        (void)snprintf(json, sizeof json,
                       "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"%d\",\"schedule\":"
                       "{\"cron\":\"0 * * * *\"},\"catchup\":{\"policy\":\"all\"}}}", i);
        rig_command(rig, START, NULL, json);
    }
    (void)rig_said(rig);
}

static void each(struct shard_rig *rig, int64_t until_ms, bool pause, int64_t now_ms)
{
    struct sink sink = quiet_sink();
    for (uint32_t slot = 0; slot < shard_slots(rig->shard); slot++) {
        struct job *job = shard_job_at(rig->shard, slot);
        if (pause) job_pause(rig->shard, job, now_ms, until_ms, text_of("why"), now_ms, &sink);
        else job = job_resume(rig->shard, job, now_ms, now_ms, now_ms, &sink);
        if (job != NULL) job_lighten(job);
    }
}

static void of_a_pause(void **state)
{
    (void)state;
    struct shard_rig rig;
    int64_t now_ms = rig_instant(START) + 1000;
    open_jobs(&rig);
    size_t before = bytes_used();
    each(&rig, INT64_MAX, true, now_ms);
    each(&rig, 0, false, now_ms + 1000);
    assert_in_range(bytes_used(), 0, before + SLACK_BYTES);
    rig_close(&rig);
}

static void of_pauses_whose_end_is_moved(void **state)
{
    (void)state;
    struct shard_rig rig;
    int64_t now_ms = rig_instant(START) + 1000;
    open_jobs(&rig);
    each(&rig, now_ms + DAYS_MS, true, now_ms);
    size_t alarms = rig.shard->alarms.count;
    assert_int_equal(alarms, JOBS);
    for (int64_t day = 2; day < 100; day++) each(&rig, now_ms + day * DAYS_MS, true, now_ms);
    assert_in_range(rig.shard->alarms.count, JOBS, 3 * JOBS);
    rig_advance(&rig, "2026-04-11T00:00:00Z"); /* the last end is on the tenth */
    struct shard_counts counts;
    shard_count(rig.shard, &counts);
    assert_int_equal(counts.paused, 0);
    rig_close(&rig);
}

static void of_an_outage(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct sink sink = quiet_sink();
    open_jobs(&rig);
    size_t before = bytes_used();
    int64_t now_ms = rig_instant(START) + 5 * HOURS_MS + MINUTES_MS;
    assert_true(shard_advance(rig.shard, now_ms, now_ms, &sink));
    assert_true(shard_decide(rig.shard, now_ms, &sink));
    struct shard_counts counts;
    shard_count(rig.shard, &counts);
    assert_int_equal(counts.owing, JOBS);
    for (int turn = 0; turn < 400; turn++) shard_run_lane(rig.shard, now_ms += 50, &sink);
    shard_count(rig.shard, &counts);
    assert_int_equal(counts.owing, 0);
    assert_int_equal(counts.heavy, 0);
    for (uint32_t slot = 0; slot < shard_slots(rig.shard); slot++)
        assert_null(shard_job_at(rig.shard, slot)->extra);
    assert_in_range(bytes_used(), 0, before + SLACK_BYTES);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_pause),
        cmocka_unit_test(of_pauses_whose_end_is_moved),
        cmocka_unit_test(of_an_outage),
    };
    return cmocka_run_group_tests_name("memory given back", tests, NULL, NULL);
}
