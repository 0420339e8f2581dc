/* Fires that could not be produced, where no story can tell it: of jobs that are gone, and how long
 * the next try waits. The others are told in tests/stories/failed-fires.story. */
#include "dispatcher/jobs/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

#define AT(clock) "2026-01-01T" clock "Z"

/* A job g/a with this schedule, added at midnight. */
static const struct job *open_job(struct shard_rig *rig, const char *schedule)
{
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":%s}}",
                   schedule);
    rig_open(rig, AT("00:00:00"));
    rig_command(rig, AT("00:00:00"), NULL, json);
    assert_string_equal(rig_said(rig), "result add applied matched=1 changed=1\n");
    return shard_find(rig->shard, text_of("g"), text_of("a"));
}

static size_t failing(const struct shard_rig *rig)
{
    struct shard_counts counts;
    shard_count(rig->shard, &counts);
    return counts.failing;
}

static void of_a_job_that_is_gone(void **state)
{
    (void)state;
    struct shard_rig rig;
    const struct job *job = open_job(&rig, "{\"every\":\"10s\"}");
    struct sink sink = rig_test_sink(&rig);
    const struct failed_fire good = {.slot = job->slot, .incarnation = job->life.incarnation,
                                     .kind = FIRE_SCHEDULE, .reason = REASON_TOPIC_MISSING};
    struct failed_fire failed[] = {good, good, good, good};
    failed[0].slot = shard_slots(rig.shard) + 7;
    failed[1].incarnation.offset++;
    failed[2].incarnation.index++;
    for (int i = 0; i < 3; i++)
        shard_fire_failed(rig.shard, &failed[i], rig_instant(AT("00:00:10")), &sink);
    rig_command(&rig, AT("00:00:20"), NULL, "{\"op\":\"delete\",\"select\":{\"all\":true}}");
    (void)rig_said(&rig);
    shard_fire_failed(rig.shard, &failed[3], rig_instant(AT("00:00:20")), &sink);
    assert_string_equal(rig_said(&rig), "");
    assert_int_equal(failing(&rig), 0);
    rig_close(&rig);
}

static void waits_grow_to_a_minute(void **state)
{
    (void)state;
    static const struct {
        int32_t attempt;
        int64_t wait_ms;
    } rows[] = {{1, 1000}, {2, 2000}, {3, 4000}, {6, 32000}, {7, 60000}, {8, 60000},
                {INT32_MAX, 60000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct shard_rig rig;
        int64_t now_ms = rig_instant(AT("01:00:00"));
        const struct job *job = open_job(&rig, "{\"every\":\"1h\"}");
        rig_advance(&rig, AT("01:00:00"));
        struct failed_fire failed = {.slot = job->slot,
                                     .incarnation = job->life.incarnation,
                                     .kind = FIRE_SCHEDULE,
                                     .nominal_ms = now_ms,
                                     .due_ms = now_ms,
                                     .attempt = rows[i].attempt,
                                     .reason = REASON_TOPIC_MISSING};
        struct sink sink = rig_test_sink(&rig);
        shard_fire_failed(rig.shard, &failed, now_ms, &sink);
        assert_int_equal(shard_next_due_ms(rig.shard, now_ms) - now_ms, rows[i].wait_ms);
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_job_that_is_gone),
        cmocka_unit_test(waits_grow_to_a_minute),
    };
    return cmocka_run_group_tests_name("failed fires", tests, NULL, NULL);
}
