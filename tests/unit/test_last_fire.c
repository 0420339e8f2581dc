/* max_fires and fires that cannot be delivered: what fails does not count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

#define ADD(group_id_rest) "{\"op\":\"add\",\"job\":{" group_id_rest "}}"
#define SELECT(op, rest) "{\"op\":\"" op "\",\"select\":{\"groups\":[\"g\"]}" rest "}"

static void fail_fire(struct shard_rig *rig, const char *nominal, const char *now, int32_t attempt)
{
    struct sink sink = rig_test_sink(rig);
    struct failed_fire failed = {.slot = 0,
                                 .kind = FIRE_SCHEDULE,
                                 .attempt = attempt,
                                 .nominal_ms = rig_instant(nominal),
                                 .due_ms = rig_instant(nominal),
                                 .reason = "test"};
    shard_fire_failed(rig->shard, &failed, rig_instant(now), &sink);
    rig_test_commit(rig);
}

/* The last fire that max_fires allows fails twice, and is given up outside the window: the slots
 * that came due meanwhile were waiting behind it, and one of them is the last now. */
static void a_given_up_last_fire_makes_room(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig.allows_topics = true;
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL,
                "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":"
                "\"10s\"},\"catchup\":{\"window\":\"15s\",\"misfire_grace\":\"5s\"},"
                "\"max_fires\":1,\"topic\":\"mail\"}}");
    (void)rig_said(&rig);
    struct sink sink = rig_test_sink(&rig);
    rig_advance(&rig, "2026-01-01T00:00:10Z");
    assert_string_equal(rig_said(&rig),
                        "fire g/a 01-01T00:00:10 schedule\nevent exhausted g/a\n");
    fail_fire(&rig, "2026-01-01T00:00:10Z", "2026-01-01T00:00:10Z", 1);
    assert_string_equal(rig_said(&rig), "event fire_failed g/a first=01-01T00:00:10 "
                                        "last=01-01T00:00:10 count=1 test\n");
    rig_advance(&rig, "2026-01-01T00:00:22Z");
    assert_true(shard_retry(rig.shard, rig_instant("2026-01-01T00:00:22Z"), &sink));
    assert_string_equal(rig_said(&rig),
                        "fire g/a 01-01T00:00:10 retry attempt=2\nevent exhausted g/a\n");
    fail_fire(&rig, "2026-01-01T00:00:10Z", "2026-01-01T00:00:22Z", 2);
    (void)rig_said(&rig);
    rig_advance(&rig, "2026-01-01T00:00:31Z");
    assert_string_equal(rig_said(&rig), "");
    assert_true(shard_retry(rig.shard, rig_instant("2026-01-01T00:00:31Z"), &sink));
    rig_test_commit(&rig);
    assert_string_equal(rig_said(&rig), "event missed g/a first=01-01T00:00:10 "
                                        "last=01-01T00:00:10 count=1 undeliverable\n"
                                        "fire g/a 01-01T00:00:20 retry\nevent exhausted g/a\n");
    rig_advance(&rig, "2026-01-01T00:01:00Z");
    assert_string_equal(rig_said(&rig), "");
    rig_close(&rig);
}

/* The same where nothing came due meanwhile: the next slot is live again. */
static void after_a_given_up_last_fire_slots_are_live(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig.allows_topics = true;
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL,
                ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"10s\"},"
                    "\"catchup\":{\"window\":\"5s\",\"misfire_grace\":\"2s\"},"
                    "\"max_fires\":1,\"topic\":\"mail\""));
    struct sink sink = rig_test_sink(&rig);
    rig_advance(&rig, "2026-01-01T00:00:10Z");
    fail_fire(&rig, "2026-01-01T00:00:10Z", "2026-01-01T00:00:10Z", 1);
    (void)rig_said(&rig);
    rig_advance(&rig, "2026-01-01T00:00:16Z");
    assert_true(shard_retry(rig.shard, rig_instant("2026-01-01T00:00:16Z"), &sink));
    rig_test_commit(&rig);
    assert_string_equal(rig_said(&rig), "event missed g/a first=01-01T00:00:10 "
                                        "last=01-01T00:00:10 count=1 undeliverable\n");
    rig_advance(&rig, "2026-01-01T00:00:20Z");
    assert_string_equal(rig_said(&rig),
                        "fire g/a 01-01T00:00:20 schedule\nevent exhausted g/a\n");
    rig_close(&rig);
}

/* A fire that did not count towards max_fires takes nothing from the count when it fails. */
static void an_uncounted_fire_fails(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig.allows_topics = true;
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL,
                ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"10s\"},"
                    "\"max_fires\":2,\"topic\":\"mail\""));
    rig_advance(&rig, "2026-01-01T00:00:10Z");
    rig_command(&rig, "2026-01-01T00:00:11Z", NULL,
                "{\"op\":\"put\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"topic\":\"mail\","
                "\"schedule\":{\"every\":\"10s\"}}}");
    rig_advance(&rig, "2026-01-01T00:00:20Z");
    fail_fire(&rig, "2026-01-01T00:00:20Z", "2026-01-01T00:00:20Z", 1);
    (void)rig_said(&rig);
    rig_command(&rig, "2026-01-01T00:00:21Z", NULL,
                SELECT("update", ",\"set\":{\"max_fires\":1}"));
    assert_string_equal(rig_said(&rig), "event skipped g/a first=01-01T00:00:20 "
                                        "last=01-01T00:00:20 count=1 updated\n"
                                        "event exhausted g/a\n"
                                        "result update applied matched=1 changed=1\n");
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_given_up_last_fire_makes_room),
        cmocka_unit_test(after_a_given_up_last_fire_slots_are_live),
        cmocka_unit_test(an_uncounted_fire_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
