/* Herds, large commands and long catch-ups, in many transactions, with a crash between any two of
 * them. What a shard says to a few commands is told by the stories of tests/stories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

static void add_many(struct shard_rig *rig, int count, const char *schedule)
{
    struct text_writer json;
    text_writer_init(&json);
    text_writer_words(&json, "{\"op\":\"add\",\"jobs\":[");
    for (int i = 0; i < count; i++) {
        char job[160];
        (void)snprintf(job, sizeof job, "%s{\"group\":\"g\",\"id\":\"%04d\",\"schedule\":%s}",
                       i > 0 ? "," : "", i, schedule);
        text_writer_words(&json, job);
    }
    text_writer_words(&json, "]}");
    text_writer_char(&json, '\0');
    rig_command(rig, "2026-01-01T00:00:00Z", NULL, json.bytes);
    text_writer_free(&json);
    (void)rig_said(rig);
}

static int count_lines(const char *text, const char *word)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) count++;
    return count;
}

static void herd_in_many_transactions(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    add_many(&rig, 500, "{\"cron\":\"* * * * *\"}");
    rig.batch_max = 7;
    rig.restart_always = true; /* a crash between any two of them */
    int64_t before = rig.commits;
    rig_advance(&rig, "2026-01-01T00:01:00Z");
    const char *said = rig_said(&rig);
    assert_int_equal(count_lines(said, "fire g/"), 500);
    for (int i = 0; i < 500; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "fire g/%04d 01-01T00:01:00 schedule\n", i);
        assert_non_null(strstr(said, line));
        assert_null(strstr(strstr(said, line) + 1, line));
    }
    assert_true(rig.commits - before >= 500 / 7);
    rig_close(&rig);
}

static void large_command_is_atomic_in_outcome(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    add_many(&rig, 300, "{\"cron\":\"* * * * *\"}");
    rig.batch_max = 11;
    rig.restart_always = true;
    rig_command(&rig, "2026-01-01T00:00:30Z", NULL,
                "{\"op\":\"pause\",\"select\":{\"all\":true,\"paused\":false}}");
    assert_string_equal(rig_said(&rig), "result pause applied matched=300 changed=300\n");
    rig_advance(&rig, "2026-01-01T00:02:00Z");
    assert_string_equal(rig_said(&rig), "");
    rig_close(&rig);
}

static void catch_up_survives_a_crash_at_every_fire(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL,
                "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":"
                "\"1m\"},\"catchup\":{\"policy\":\"all\"}}}");
    (void)rig_said(&rig);
    rig.batch_max = 1;
    rig.restart_always = true;
    rig_advance(&rig, "2026-01-01T03:20:30Z");
    const char *said = rig_said(&rig);
    assert_int_equal(count_lines(said, "fire g/a"), 200);
    assert_int_equal(count_lines(said, "catchup_started"), 1);
    const char *at = said;
    for (int i = 1; i <= 200; i++) { /* each once, in order */
        char line[64];
        (void)snprintf(line, sizeof line, "fire g/a 01-01T%02d:%02d:00 catchup\n", i / 60, i % 60);
        at = strstr(at, line);
        assert_non_null(at);
        assert_null(strstr(at + 1, line));
    }
    rig_close(&rig);
}

static void remembered_ids_are_forgotten_after_a_day(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL, "{\"op\":\"ping\",\"command_id\":\"x\"}");
    assert_string_equal(rig_said(&rig), "result ping applied matched=0 changed=0\n");
    rig_restart(&rig);
    rig_command(&rig, "2026-01-01T23:00:00Z", NULL, "{\"op\":\"ping\",\"command_id\":\"x\"}");
    assert_string_equal(rig_said(&rig), "result ping duplicate matched=0 changed=0\n");
    rig_advance(&rig, "2026-01-02T00:00:01Z");
    struct sink sink = rig_test_sink(&rig);
    shard_expire_seen(rig.shard, &sink);
    rig_test_commit(&rig);
    rig_restart(&rig);
    (void)rig_said(&rig);
    rig_command(&rig, "2026-01-02T00:00:02Z", NULL, "{\"op\":\"ping\",\"command_id\":\"x\"}");
    assert_string_equal(rig_said(&rig), "result ping applied matched=0 changed=0\n");
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(herd_in_many_transactions),
        cmocka_unit_test(large_command_is_atomic_in_outcome),
        cmocka_unit_test(catch_up_survives_a_crash_at_every_fire),
        cmocka_unit_test(remembered_ids_are_forgotten_after_a_day),
    };
    return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
