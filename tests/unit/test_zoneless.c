/* A machine that lacks a job's time zone: the job is set aside, the others go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

/* Berlin is two hours ahead of UTC then: due at 00:00, 01:00 ... of UTC. */
static void open_with_job(struct shard_rig *rig, const char *more)
{
    char command[400];
    rig_open(rig, "2026-07-01T00:30:00Z");
    (void)snprintf(command, sizeof command,
                   "{\"op\":\"add\",\"jobs\":[{\"group\":\"g\",\"id\":\"berlin\",\"schedule\":"
                   "{\"cron\":\"0 * * * *\",\"zone\":\"Europe/Berlin\"}%s},"
                   "{\"group\":\"g\",\"id\":\"utc\",\"schedule\":{\"cron\":\"0 * * * *\"}}]}",
                   more);
    rig_command(rig, "2026-07-01T00:30:00Z", NULL, command);
    (void)rig_said(rig);
}

static void lose_zone(struct shard_rig *rig)
{
    rig->lacks_zones = true;
    rig_restart(rig);
}

static void find_zone(struct shard_rig *rig)
{
    rig->lacks_zones = false;
    rig_restart(rig);
}

static void the_others_go_on_and_it_is_owed(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, ",\"catchup\":{\"policy\":\"all\"}");
    lose_zone(&rig);
    rig_advance(&rig, "2026-07-01T01:00:00Z");
    rig_advance(&rig, "2026-07-01T02:00:00Z");
    assert_string_equal(rig_said(&rig), "fire g/utc 07-01T01:00:00 schedule\n"
                                        "fire g/utc 07-01T02:00:00 schedule\n");
    assert_non_null(strstr(rig_record(&rig, "g/berlin"),
                           "\"zone_missing_at\":\"2026-07-01T00:30:00.000Z\""));
    rig_restart(&rig); /* another owner that lacks it */
    rig_advance(&rig, "2026-07-01T03:00:00Z");
    (void)rig_said(&rig);
    find_zone(&rig);
    rig_advance(&rig, "2026-07-01T03:10:00Z");
    rig_advance(&rig, "2026-07-01T03:10:10Z");
    assert_string_equal(rig_said(&rig),
                        "event catchup_started g/berlin count=3\n"
                        "fire g/berlin 07-01T01:00:00 catchup\n"
                        "fire g/berlin 07-01T02:00:00 catchup\n"
                        "fire g/berlin 07-01T03:00:00 catchup\n"
                        "event catchup_finished g/berlin count=3\n");
    assert_null(strstr(rig_record(&rig, "g/berlin"), "zone_missing_at"));
    rig_advance(&rig, "2026-07-01T04:00:00Z");
    assert_non_null(strstr(rig_said(&rig), "fire g/berlin 07-01T04:00:00 schedule"));
    rig_close(&rig);
}

static void the_policy_decides(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, "");
    lose_zone(&rig);
    rig_advance(&rig, "2026-07-01T05:30:00Z");
    (void)rig_said(&rig);
    find_zone(&rig);
    rig_advance(&rig, "2026-07-01T05:30:01Z");
    rig_advance(&rig, "2026-07-01T05:30:02Z");
    assert_string_equal(rig_said(&rig),
                        "event missed g/berlin first=07-01T01:00:00 last=07-01T04:00:00 count=4 "
                        "superseded\nfire g/berlin 07-01T05:00:00 catchup missed=4\n");
    rig_close(&rig);
}

static void it_can_be_deleted(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, "");
    lose_zone(&rig);
    rig_command(&rig, "2026-07-01T02:30:00Z", NULL,
                "{\"op\":\"delete\",\"select\":{\"ids\":[\"berlin\"]}}");
    const char *said = rig_said(&rig);
    if (strstr(said, "event skipped g/berlin from=07-01T00:30:00 to=07-01T02:30:00 zone_missing\n"
                     "gone g/berlin\nresult delete applied matched=1 changed=1\n") == NULL)
        fail_msg("%s", said);
    assert_null(rig_record(&rig, "g/berlin"));
    rig_close(&rig);
}

/* What it may have fired before is not fired again. */
static void it_can_be_given_another_schedule(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, "");
    rig_advance(&rig, "2026-07-01T01:00:00Z");
    lose_zone(&rig);
    rig_command(&rig, "2026-07-01T02:30:00Z", NULL,
                "{\"op\":\"update\",\"select\":{\"ids\":[\"berlin\"]},\"set\":{\"payload\":1,"
                "\"end\":\"2027-01-01T00:00:00Z\"}}");
    assert_non_null(strstr(rig_said(&rig), "result update applied matched=1 changed=1\n"));
    rig_command(&rig, "2026-07-01T02:40:00Z", NULL,
                "{\"op\":\"update\",\"select\":{\"ids\":[\"berlin\"]},\"set\":{\"schedule\":"
                "{\"cron\":\"45 * * * *\"}}}");
    assert_non_null(strstr(rig_said(&rig), "event skipped g/berlin from=07-01T01:00:00 "
                                           "to=07-01T02:40:00 zone_missing\n"));
    rig_restart(&rig);
    rig_advance(&rig, "2026-07-01T02:45:00Z");
    assert_non_null(strstr(rig_said(&rig), "fire g/berlin 07-01T02:45:00 schedule\n"));
    assert_null(strstr(rig_record(&rig, "g/berlin"), "zone_missing_at"));
    rig_command(&rig, "2026-07-01T02:50:00Z", NULL,
                "{\"op\":\"update\",\"select\":{\"ids\":[\"berlin\"]},\"set\":{\"schedule\":"
                "{\"at\":\"2026-07-01T01:00:00Z\"}}}");
    assert_non_null(strstr(rig_said(&rig), "already_due"));
    rig_close(&rig);
}

/* A slot that waits for its delay at the edit is not known either, in a pause as without one. */
static void a_delay_over_an_edit(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, ",\"jitter\":\"20m\"");
    rig_command(&rig, "2026-07-01T00:40:00Z", NULL,
                "{\"op\":\"pause\",\"select\":{\"ids\":[\"berlin\"]}}");
    lose_zone(&rig);
    rig_command(&rig, "2026-07-01T03:10:00Z", NULL,
                "{\"op\":\"update\",\"select\":{\"ids\":[\"berlin\"]},\"set\":{\"schedule\":"
                "{\"cron\":\"45 * * * *\"}}}");
    const char *said = rig_said(&rig);
    if (strstr(said, "event skipped g/berlin from=07-01T02:50:00 to=07-01T03:10:00 "
                     "zone_missing\n") == NULL)
        fail_msg("%s", said);
    rig_close(&rig);
}

/* Slots of the time that is not known belong to the old bounds. */
static void an_edit_of_its_end(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, ",\"catchup\":{\"policy\":\"all\"}");
    lose_zone(&rig);
    rig_command(&rig, "2026-07-01T02:30:00Z", NULL,
                "{\"op\":\"update\",\"select\":{\"ids\":[\"berlin\"]},\"set\":"
                "{\"end\":\"2026-07-01T01:30:00Z\"}}");
    assert_non_null(strstr(rig_said(&rig), "event skipped g/berlin from=07-01T00:30:00 "
                                           "to=07-01T02:30:00 zone_missing\n"));
    rig_command(&rig, "2026-07-01T02:40:00Z", NULL,
                "{\"op\":\"update\",\"select\":{\"ids\":[\"berlin\"]},\"set\":"
                "{\"end\":\"2026-07-01T08:00:00Z\"}}");
    (void)rig_said(&rig);
    find_zone(&rig);
    rig_advance(&rig, "2026-07-01T03:30:00Z");
    rig_advance(&rig, "2026-07-01T03:30:01Z");
    const char *said = rig_said(&rig);
    assert_null(strstr(said, "g/berlin 07-01T02:00:00"));
    assert_non_null(strstr(said, "g/berlin 07-01T03:00:00"));
    rig_close(&rig);
}

static void an_ended_job_gets_more_fires(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, ",\"catchup\":{\"policy\":\"all\"},\"max_fires\":1");
    rig_advance(&rig, "2026-07-01T01:00:00Z");
    lose_zone(&rig);
    rig_command(&rig, "2026-07-01T02:30:00Z", NULL,
                "{\"op\":\"update\",\"select\":{\"ids\":[\"berlin\"]},\"set\":{\"payload\":1}}");
    assert_non_null(strstr(rig_record(&rig, "g/berlin"), "\"finished\""));
    rig_command(&rig, "2026-07-01T02:40:00Z", NULL,
                "{\"op\":\"update\",\"select\":{\"ids\":[\"berlin\"]},\"set\":{\"max_fires\":3}}");
    assert_non_null(strstr(rig_record(&rig, "g/berlin"),
                           "\"zone_missing_at\":\"2026-07-01T02:40:00.000Z\""));
    find_zone(&rig);
    rig_advance(&rig, "2026-07-01T03:30:00Z");
    rig_advance(&rig, "2026-07-01T03:30:01Z");
    const char *said = rig_said(&rig);
    assert_null(strstr(said, "g/berlin 07-01T02:00:00"));
    assert_non_null(strstr(said, "fire g/berlin 07-01T03:00:00 catchup"));
    rig_close(&rig);
}

/* Fewer fires than it has had, set in a pause: resumed without its zone it ends, as it would with
 * it. */
static void fires_used_up_in_a_pause(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, ",\"catchup\":{\"policy\":\"all\"},\"max_fires\":9");
    rig_advance(&rig, "2026-07-01T02:00:00Z");
    rig_command(&rig, "2026-07-01T02:10:00Z", NULL,
                "{\"op\":\"pause\",\"select\":{\"ids\":[\"berlin\"]}}");
    rig_command(&rig, "2026-07-01T02:20:00Z", NULL,
                "{\"op\":\"update\",\"select\":{\"ids\":[\"berlin\"]},\"set\":{\"max_fires\":1}}");
    lose_zone(&rig);
    (void)rig_said(&rig);
    rig_command(&rig, "2026-07-01T05:30:00Z", NULL,
                "{\"op\":\"resume\",\"select\":{\"ids\":[\"berlin\"]},\"from\":\"paused_at\"}");
    assert_non_null(strstr(rig_said(&rig), "event exhausted g/berlin"));
    find_zone(&rig);
    rig_advance(&rig, "2026-07-01T06:30:00Z");
    rig_advance(&rig, "2026-07-01T06:30:01Z");
    assert_null(strstr(rig_said(&rig), "fire g/berlin"));
    rig_close(&rig);
}

static void a_pause_and_a_trigger(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, ",\"catchup\":{\"policy\":\"all\"}");
    lose_zone(&rig);
    rig_command(&rig, "2026-07-01T01:30:00Z", NULL,
                "{\"op\":\"trigger\",\"select\":{\"ids\":[\"berlin\"]}}");
    assert_non_null(strstr(rig_said(&rig), "fire g/berlin 07-01T01:30:00 trigger\n"));
    rig_command(&rig, "2026-07-01T02:30:00Z", NULL,
                "{\"op\":\"pause\",\"select\":{\"ids\":[\"berlin\"]}}");
    assert_non_null(strstr(rig_said(&rig), "event skipped g/berlin from=07-01T00:30:00 "
                                           "to=07-01T02:30:00 zone_missing\n"));
    rig_command(&rig, "2026-07-01T04:30:00Z", NULL,
                "{\"op\":\"resume\",\"select\":{\"ids\":[\"berlin\"]}}");
    assert_null(strstr(rig_said(&rig), "exhausted"));
    find_zone(&rig);
    rig_advance(&rig, "2026-07-01T05:30:00Z");
    rig_advance(&rig, "2026-07-01T05:30:01Z");
    const char *said = rig_said(&rig);
    assert_null(strstr(said, "g/berlin 07-01T04:00:00"));
    assert_non_null(strstr(said, "fire g/berlin 07-01T05:00:00 catchup\n"));
    rig_close(&rig);
}

static void a_backfill_waits(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_with_job(&rig, "");
    rig_command(&rig, "2026-07-01T00:40:00Z", NULL,
                "{\"op\":\"backfill\",\"select\":{\"ids\":[\"berlin\"]},\"backfill_id\":\"b\","
                "\"from\":\"2026-06-30T20:30:00Z\"}");
    lose_zone(&rig);
    (void)rig_said(&rig);
    rig_command(&rig, "2026-07-01T00:45:00Z", NULL,
                "{\"op\":\"backfill\",\"select\":{\"ids\":[\"berlin\"]},\"backfill_id\":\"c\","
                "\"from\":\"2026-06-30T20:30:00Z\"}");
    assert_non_null(strstr(rig_said(&rig), "result backfill conflict unknown_zone"));
    rig_advance(&rig, "2026-07-01T00:50:00Z");
    assert_string_equal(rig_said(&rig), "");
    find_zone(&rig);
    rig_advance(&rig, "2026-07-01T00:51:00Z");
    rig_advance(&rig, "2026-07-01T00:52:00Z");
    rig_advance(&rig, "2026-07-01T00:53:00Z");
    assert_non_null(strstr(rig_said(&rig), "event backfill_finished g/berlin count=4 b"));
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_others_go_on_and_it_is_owed),
        cmocka_unit_test(the_policy_decides),
        cmocka_unit_test(it_can_be_deleted),
        cmocka_unit_test(it_can_be_given_another_schedule),
        cmocka_unit_test(a_delay_over_an_edit),
        cmocka_unit_test(an_edit_of_its_end),
        cmocka_unit_test(an_ended_job_gets_more_fires),
        cmocka_unit_test(fires_used_up_in_a_pause),
        cmocka_unit_test(a_pause_and_a_trigger),
        cmocka_unit_test(a_backfill_waits),
    };
    return cmocka_run_group_tests_name("zoneless", tests, NULL, NULL);
}
