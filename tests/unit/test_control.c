/* What commands do beyond adding and selecting: mode each, backfills, past one-shots, compare and
 * set, dry runs. Each scenario runs in one memory, and again with memory rebuilt from the records
 * after every transaction, transactions of one output: both must say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/shard/operation.h"
#include "tests/support/shard_rig.h"

enum { STEPS_MAX = 10 };

/* A command read at its log time, or the passing of time to `at`; what is said since the last. */
struct step {
    const char *at;
    const char *json; /* NULL: time passes */
    const char *said;
};
struct scenario {
    const char *name;
    struct step steps[STEPS_MAX];
};

#define ADD(rest) "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\"," rest "}}"
#define ADDED "result add applied matched=1 changed=1\n"
#define UPDATE(schedule) \
    "{\"op\":\"update\",\"select\":{\"groups\":[\"g\"]},\"set\":{\"schedule\":" schedule "}}"
#define UPDATED "result update applied matched=1 changed=1\n"
#define BACKFILL(id, from, to) \
    "{\"op\":\"backfill\",\"select\":{\"groups\":[\"g\"]},\"backfill_id\":\"" id "\",\"from\":\"" \
    from "\",\"to\":\"" to "\"}"

static const struct scenario scenarios[] = {
    {"mode each does what can be read and lists the rest",
     {{"2026-01-01T00:00:00Z",
       "{\"op\":\"add\",\"mode\":\"each\",\"jobs\":["
       "{\"group\":\"g\",\"id\":\"bad id\",\"schedule\":{\"every\":\"1h\"}},"
       "{\"group\":\"g\",\"id\":\"b\",\"schedule\":{\"cron\":\"61 * * * *\"}},"
       "{\"group\":\"g\",\"id\":\"c\",\"schedule\":{\"every\":\"1h\"}},"
       "{\"group\":\"g\",\"id\":\"c\",\"schedule\":{\"every\":\"2h\"}},7]}",
       "result add partial bad_name matched=5 changed=1\n"
       "  /jobs/0/id bad_name\n  /jobs/1/schedule/cron bad_cron\n  /jobs/4 wrong_type\n"
       "  /jobs/3 bad_value\n"},
      {"2026-01-01T01:00:00Z", NULL, "fire g/c 01-01T01:00:00 schedule\n"}}},
    {"mode each with nothing readable is rejected, all of it listed",
     {{"2026-01-01T00:00:00Z", "{\"op\":\"put\",\"mode\":\"each\",\"jobs\":[{\"group\":\"g\"},1]}",
       "result put rejected missing_field matched=2 changed=0\n"
       "  /jobs/0/id missing_field\n  /jobs/1 wrong_type\n"}}},
    {"mode atomic: one bad job rejects the command",
     {{"2026-01-01T00:00:00Z",
       "{\"op\":\"add\",\"jobs\":[{\"group\":\"g\",\"id\":\"c\",\"schedule\":{\"every\":\"1h\"}},"
       "{\"group\":\"g\",\"id\":\"d\",\"schedule\":{\"every\":\"1\"}}]}",
       "result add rejected bad_duration matched=0 changed=0\n"}}},
    {"the place of a job that exists, or never fires",
     {{"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"every\":\"1h\"}"), ADDED},
      {"2026-01-01T00:00:01Z",
       "{\"op\":\"add\",\"mode\":\"each\",\"expect\":9,\"jobs\":[7,"
       "{\"group\":\"g\",\"id\":\"n\",\"schedule\":{\"every\":\"1h\"},"
       "\"end\":\"2020-01-01T00:00:00Z\"},"
       "{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"}},"
       "{\"group\":\"g\",\"id\":\"z\",\"schedule\":{\"every\":\"1h\"}}]}",
       "result add partial count_mismatch matched=4 changed=1\n"
       "  /expect count_mismatch\n  /jobs/0 wrong_type\n  /jobs/1/schedule never_fires\n"
       "  /jobs/2 exists\n"}}},
    {"a put compares the revision",
     {{"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"every\":\"1h\"}"), ADDED},
      {"2026-01-01T00:00:01Z",
       "{\"op\":\"put\",\"expected_revision\":2,\"job\":{\"group\":\"g\",\"id\":\"a\","
       "\"schedule\":{\"every\":\"2h\"}}}",
       "result put conflict revision_mismatch matched=1 changed=0\n"
       "  /expected_revision revision_mismatch\n"},
      {"2026-01-01T00:00:02Z",
       "{\"op\":\"put\",\"expected_revision\":1,\"job\":{\"group\":\"g\",\"id\":\"b\","
       "\"schedule\":{\"every\":\"2h\"}}}",
       "result put conflict not_found matched=1 changed=0\n  /expected_revision not_found\n"},
      {"2026-01-01T00:00:03Z",
       "{\"op\":\"put\",\"expected_revision\":1,\"job\":{\"group\":\"g\",\"id\":\"a\","
       "\"schedule\":{\"every\":\"2h\"}}}",
       "result put applied matched=1 changed=1\n"}}},
    {"a past range is fired again, under its own ids, beside the job's own slots",
     {{"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"cron\":\"0 * * * *\"}"), ADDED},
      {"2026-01-01T00:30:00Z", BACKFILL("b1", "2025-12-31T20:00:00Z", "2025-12-31T23:00:00Z"),
       "event backfill_started g/a first=12-31T21:00:00 last=12-31T23:00:00 count=3 b1\n"
       "result backfill applied matched=1 changed=1\n"},
      {"2026-01-01T01:00:00Z", NULL,
       "fire g/a 01-01T01:00:00 schedule\nfire g/a 12-31T21:00:00 backfill\n"
       "fire g/a 12-31T22:00:00 backfill\nfire g/a 12-31T23:00:00 backfill\n"
       "event backfill_finished g/a count=3 b1\n"}}},
    {"a backfill ends when it is told to, and with its job",
     {{"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"cron\":\"0 0 * * *\"}"), ADDED},
      {"2026-01-01T00:30:00Z", BACKFILL("b1", "2025-12-01T00:00:00Z", "2025-12-04T00:00:00Z"),
       "event backfill_started g/a first=12-02T00:00:00 last=12-04T00:00:00 count=3 b1\n"
       "result backfill applied matched=1 changed=1\n"},
      {"2026-01-01T00:30:01Z", BACKFILL("b1", "2025-12-01T00:00:00Z", "2025-12-04T00:00:00Z"),
       "result backfill conflict exists matched=1 changed=0\n  /backfill_id exists\n"},
      {"2026-01-01T00:30:02Z", BACKFILL("b2", "2025-12-01T12:00:00Z", "2025-12-01T13:00:00Z"),
       "result backfill unchanged matched=1 changed=0\n"},
      {"2026-01-01T00:30:03Z", BACKFILL("b3", "2025-12-10T12:00:00Z", "2025-12-11T13:00:00Z"),
       "event backfill_started g/a first=12-11T00:00:00 last=12-11T00:00:00 count=1 b3\n"
       "result backfill applied matched=1 changed=1\n"},
      {"2026-01-01T00:30:04Z",
       "{\"op\":\"cancel_backfill\",\"select\":{\"groups\":[\"g\"]},\"backfill_id\":\"b1\"}",
       "event skipped g/a first=12-02T00:00:00 last=12-04T00:00:00 count=3 b1 cancelled\n"
       "result cancel_backfill applied matched=1 changed=1\n"},
      {"2026-01-01T00:30:05Z", "{\"op\":\"delete\",\"select\":{\"groups\":[\"g\"]}}",
       "event skipped g/a first=12-11T00:00:00 last=12-11T00:00:00 count=1 b3 deleted\n"
       "gone g/a\nresult delete applied matched=1 changed=1\n"}}},
    {"a pause holds a backfill; an edit leaves it as it was opened",
     {{"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"cron\":\"0 0 * * *\"}"), ADDED},
      {"2026-01-01T00:30:00Z", BACKFILL("b", "2025-12-01T00:00:00Z", "2025-12-03T00:00:00Z"),
       "event backfill_started g/a first=12-02T00:00:00 last=12-03T00:00:00 count=2 b\n"
       "result backfill applied matched=1 changed=1\n"},
      {"2026-01-01T00:30:01Z", "{\"op\":\"pause\",\"select\":{\"groups\":[\"g\"]}}",
       "result pause applied matched=1 changed=1\n"},
      {"2026-01-01T00:30:02Z", UPDATE("{\"every\":\"7h\"}"), UPDATED},
      {"2026-01-01T01:00:00Z", NULL, ""},
      {"2026-01-01T02:00:00Z", "{\"op\":\"resume\",\"select\":{\"groups\":[\"g\"]}}",
       "event resumed g/a from=01-01T00:30:01 to=01-01T02:00:00\n"
       "result resume applied matched=1 changed=1\n"},
      {"2026-01-01T02:00:01Z", NULL,
       "fire g/a 12-02T00:00:00 backfill\nfire g/a 12-03T00:00:00 backfill\n"
       "event backfill_finished g/a count=2 b\n"}}},
    {"a backfill is of the past, and of a range",
     {{"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"cron\":\"0 0 * * *\"}"), ADDED},
      {"2026-01-01T00:30:00Z", BACKFILL("b", "2025-12-01T00:00:00Z", "2026-12-03T00:00:00Z"),
       "result backfill rejected bad_value matched=1 changed=0\n  /to bad_value\n"},
      {"2026-01-01T00:30:00Z", BACKFILL("b", "2025-12-01T00:00:00Z", "2025-12-01T00:00:00Z"),
       "result backfill rejected bad_value matched=0 changed=0\n"}}},
    {"an update to a past instant that was fired fires no id twice",
     {{"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"every\":\"10m\"}"), ADDED},
      {"2026-01-01T00:10:00Z", NULL, "fire g/a 01-01T00:10:00 schedule\n"},
      {"2026-01-01T00:15:00Z", UPDATE("{\"at\":\"2026-01-01T00:10:00Z\"}"),
       "event skipped g/a first=01-01T00:10:00 last=01-01T00:10:00 count=1 already_due\n"
       "event exhausted g/a\n" UPDATED},
      {"2026-01-01T00:16:00Z", UPDATE("{\"every\":\"1h\"}"), UPDATED},
      {"2026-01-01T00:17:00Z", UPDATE("{\"at\":\"2026-01-01T00:10:00Z\"}"),
       "event skipped g/a first=01-01T00:10:00 last=01-01T00:10:00 count=1 already_due\n"
       "event exhausted g/a\n" UPDATED}}},
    {"an update to a past instant that was never due fires it once",
     {{"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"every\":\"10m\"}"), ADDED},
      {"2026-01-01T00:10:00Z", NULL, "fire g/a 01-01T00:10:00 schedule\n"},
      {"2026-01-01T00:15:00Z", UPDATE("{\"at\":\"2026-01-01T00:05:00Z\"}"), UPDATED},
      {"2026-01-01T00:15:01Z", NULL,
       "fire g/a 01-01T00:05:00 catchup\nevent exhausted g/a\n"},
      {"2026-01-01T00:16:00Z", UPDATE("{\"every\":\"1h\"}"), UPDATED},
      {"2026-01-01T00:17:00Z", UPDATE("{\"at\":\"2026-01-01T00:05:00Z\"}"),
       "event skipped g/a first=01-01T00:05:00 last=01-01T00:05:00 count=1 already_due\n"
       "event exhausted g/a\n" UPDATED}}},
    {"a past instant given in a pause is named when the pause ends",
     {{"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"cron\":\"0 0 * * *\"},\"paused\":true"), ADDED},
      {"2026-01-01T00:15:00Z", UPDATE("{\"at\":\"2025-12-31T23:00:00Z\"}"), UPDATED},
      {"2026-01-01T00:16:00Z", "{\"op\":\"resume\",\"select\":{\"groups\":[\"g\"]}}",
       "event resumed g/a from=01-01T00:00:00 to=01-01T00:16:00\n"
       "event skipped g/a first=12-31T23:00:00 last=12-31T23:00:00 count=1 paused\n"
       "event exhausted g/a\nresult resume applied matched=1 changed=1\n"}}},
    {"a dry run names the days on which the clocks are changed",
     {{"2026-03-24T00:00:00Z",
       "{\"op\":\"add\",\"dry_run\":true,\"job\":{\"group\":\"g\",\"id\":\"a\","
       "\"schedule\":{\"cron\":\"30 2 * * *\",\"zone\":\"Europe/Berlin\"}}}",
       ADDED "  add g/a +7 -0 before: after: 03-24 03-25 03-26 03-27 03-28 dst 2026-3-29\n"},
      {"2026-04-01T00:00:00Z",
       "{\"op\":\"add\",\"dry_run\":true,\"job\":{\"group\":\"g\",\"id\":\"a\","
       "\"schedule\":{\"cron\":\"30 2 * * *\",\"zone\":\"Europe/Berlin\"}}}",
       ADDED "  add g/a +7 -0 before: after: 04-01 04-02 04-03 04-04 04-05\n"},
      {"2026-10-20T00:00:00Z",
       "{\"op\":\"add\",\"dry_run\":true,\"job\":{\"group\":\"g\",\"id\":\"a\","
       "\"schedule\":{\"cron\":\"30 2 * * *\",\"zone\":\"America/New_York\"}}}",
       ADDED "  add g/a +7 -0 before: after: 10-20 10-21 10-22 10-23 10-24\n"}}},
    {"a dry run says what would change, and changes nothing",
     {{"2026-01-01T00:00:00Z",
       "{\"op\":\"add\",\"dry_run\":true,\"job\":{\"group\":\"g\",\"id\":\"a\","
       "\"schedule\":{\"cron\":\"0 0 * * *\"}}}",
       ADDED "  add g/a +7 -0 before: after: 01-02 01-03 01-04 01-05 01-06\n"},
      {"2026-01-01T00:00:00Z", ADD("\"schedule\":{\"cron\":\"0 0 * * *\"}"), ADDED},
      {"2026-01-01T00:00:01Z",
       "{\"op\":\"update\",\"select\":{\"groups\":[\"g\"]},\"dry_run\":true,"
       "\"set\":{\"schedule\":{\"cron\":\"0 0 */2 * *\"}}}",
       UPDATED "  update g/a +0 -4 before: 01-02 01-03 01-04 01-05 01-06 after: 01-03 01-05 01-07 "
               "01-09 01-11\n"},
      {"2026-01-01T00:00:02Z",
       "{\"op\":\"pause\",\"select\":{\"groups\":[\"g\"]},\"dry_run\":true,"
       "\"until\":\"2026-01-03T00:00:00Z\"}",
       "result pause applied matched=1 changed=1\n"
       "  pause g/a +0 -1 before: 01-02 01-03 01-04 01-05 01-06 after: 01-03 01-04 01-05 01-06 "
       "01-07\n"},
      {"2026-01-01T00:00:03Z",
       "{\"op\":\"delete\",\"select\":{\"groups\":[\"g\"]},\"dry_run\":true}",
       "result delete applied matched=1 changed=1\n"
       "  delete g/a +0 -7 before: 01-02 01-03 01-04 01-05 01-06 after:\n"},
      {"2026-01-01T00:00:04Z",
       "{\"op\":\"resume\",\"select\":{\"groups\":[\"g\"]},\"dry_run\":true}",
       "result resume unchanged matched=1 changed=0\n"
       "  unchanged g/a +0 -0 before: 01-02 01-03 01-04 01-05 01-06 after: 01-02 01-03 01-04 01-05 "
       "01-06\n"},
      {"2026-01-02T00:00:00Z", NULL, "fire g/a 01-02T00:00:00 schedule\n"}}},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

static void play(const struct scenario *scenario, bool restarts)
{
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig.tells_more = true;
    rig.restart_always = restarts;
    rig.batch_max = restarts ? 1 : 0;
    for (const struct step *step = scenario->steps;
         step < scenario->steps + STEPS_MAX && step->at != NULL; step++) {
        if (step->json != NULL) rig_command(&rig, step->at, NULL, step->json);
        else rig_advance(&rig, step->at);
        const char *said = rig_said(&rig);
        if (strcmp(said, step->said) != 0)
            fail_msg("%s, at %s%s:\n%s\nexpected:\n%s", scenario->name, step->at,
                     restarts ? ", restarted" : "", said, step->said);
    }
    rig_close(&rig);
}

static void check_scenario(void **state)
{
    play(*state, false);
    play(*state, true);
}

static size_t count_lines(const char *text, const char *prefix)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, prefix)) != NULL; at++) count++;
    return count;
}

/* The rate is fires a second of one job, whatever other jobs do. */
static void backfill_keeps_its_rate(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL,
                ADD("\"schedule\":{\"cron\":\"* * * * *\"}"));
    rig_command(&rig, "2026-01-01T00:00:01Z", NULL,
                "{\"op\":\"backfill\",\"select\":{\"groups\":[\"g\"]},\"rate\":20,"
                "\"from\":\"2025-12-31T20:00:00Z\"}");
    (void)rig_said(&rig);
    int64_t start_ms = rig_instant("2026-01-01T00:00:01Z");
    struct sink sink = rig_test_sink(&rig);
    for (int64_t now_ms = start_ms; now_ms < start_ms + 5000; now_ms += 50) {
        shard_run_lane(rig.shard, now_ms, &sink);
        rig_test_commit(&rig);
    }
    assert_int_equal(count_lines(rig_said(&rig), "fire g/a"), 100);
    rig_close(&rig);
}

/* A fire of a backfill that cannot be produced is tried again, and nothing is lost. */
static void failed_backfill_is_retried(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL, ADD("\"schedule\":{\"cron\":\"0 * * * *\"}"));
    rig_command(&rig, "2026-01-01T00:00:01Z", NULL,
                BACKFILL("b", "2025-12-31T21:00:00Z", "2025-12-31T23:00:00Z"));
    (void)rig_said(&rig);
    int64_t now_ms = rig_instant("2026-01-01T00:00:02Z");
    struct sink sink = rig_test_sink(&rig);
    shard_run_lane(rig.shard, now_ms, &sink);
    assert_string_equal(rig_said(&rig), "fire g/a 12-31T22:00:00 backfill\n");
    struct failed_fire failed = rig.fires[0];
    (void)snprintf(failed.backfill_id, sizeof failed.backfill_id, "b");
    shard_fire_failed(rig.shard, &failed, now_ms, &sink);
    rig_test_commit(&rig);
    assert_string_equal(rig_said(&rig), "event fire_failed g/a first=12-31T22:00:00 "
                                        "last=12-31T22:00:00 count=1 b test\n");
    assert_false(shard_retry(rig.shard, now_ms + 999, &sink));
    assert_true(shard_retry(rig.shard, now_ms + 1000, &sink));
    rig_test_commit(&rig);
    assert_string_equal(rig_said(&rig), "fire g/a 12-31T22:00:00 backfill attempt=2\n");
    rig_restart(&rig);
    rig_advance(&rig, "2026-01-01T00:00:05Z");
    assert_string_equal(rig_said(&rig), "fire g/a 12-31T23:00:00 backfill\n"
                                        "event backfill_finished g/a count=2 b\n");
    rig_close(&rig);
}

/* A command of mode each that takes several transactions tells of its errors all the same. */
static void errors_outlive_a_split(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    for (int i = 0; i < 20; i++) {
        char json[200];
        (void)snprintf(json, sizeof json, "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"%d\","
                       "\"schedule\":{\"every\":\"1h\"},\"payload\":%d}}", i, i);
        rig_command(&rig, "2026-01-01T00:00:00Z", NULL, json);
    }
    rig_command(&rig, "2026-01-01T00:00:01Z", NULL,
                "{\"op\":\"update\",\"select\":{\"groups\":[\"g\"],\"ids\":[\"3\",\"7\"]},"
                "\"set\":{\"payload\":0}}");
    (void)rig_said(&rig);
    rig.batch_max = 4;
    rig.restart_always = true;
    rig_command(&rig, "2026-01-01T00:00:02Z", NULL,
                "{\"op\":\"pause\",\"mode\":\"each\",\"expected_revision\":1,"
                "\"select\":{\"groups\":[\"g\"]}}");
    assert_string_equal(rig_said(&rig),
                        "result pause partial revision_mismatch matched=20 changed=18\n");
    rig_close(&rig);
}

/* The reason is kept as long as the pause. */
static void pause_keeps_its_reason(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL, ADD("\"schedule\":{\"every\":\"1h\"}"));
    rig_command(&rig, "2026-01-01T00:00:01Z", NULL,
                "{\"op\":\"pause\",\"select\":{\"all\":true},\"reason\":\"a \\\"move\\\"\"}");
    rig_restart(&rig);
    rig_command(&rig, "2026-01-01T00:00:02Z", NULL,
                "{\"op\":\"update\",\"select\":{\"all\":true},\"set\":{\"payload\":1}}");
    assert_non_null(strstr(rig_record(&rig, "g/a"), "\"pause_reason\":\"a \\\"move\\\"\""));
    rig_command(&rig, "2026-01-01T00:00:03Z", NULL,
                "{\"op\":\"resume\",\"select\":{\"all\":true}}");
    assert_null(strstr(rig_record(&rig, "g/a"), "pause_reason"));
    rig_close(&rig);
}

static void each_selecting_operation_has_its_row(void **state)
{
    (void)state;
    for (int op = OP_NONE + 1; op <= COMMAND_OP_COUNT; op++)
        if (command_op_target((enum command_op)op) == TARGET_SELECTED)
            assert_non_null(operation_of((enum command_op)op)->change);
}

int main(void)
{
    struct CMUnitTest tests[SCENARIOS + 5];
    for (int i = 0; i < SCENARIOS; i++)
        tests[i] = (struct CMUnitTest){.name = scenarios[i].name,
                                       .test_func = check_scenario,
                                       .initial_state = (void *)&scenarios[i]};
    int more = SCENARIOS;
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(backfill_keeps_its_rate);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(failed_backfill_is_retried);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(errors_outlive_a_split);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(pause_keeps_its_reason);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(each_selecting_operation_has_its_row);
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
