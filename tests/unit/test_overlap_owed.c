/* What is owed while a run of the job is open: catch-up, backfills, failed fires, slots that wait
 * for their delay; and ends, restarts and missing zones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/jobs/job.h"
#include "dispatcher/shard/shard_state.h"
#include "tests/support/rows.h"
#include "tests/support/run_scene.h"

/* ---- what is owed ---- */

static void a_backfill_goes_one_by_one(struct scene *scene)
{
    scene_live(scene, 3);
    scene_end_run(scene, 1, "00:03:10");
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:03:20", BACKFILL);
    rig_advance(&scene->rig, scene_at("00:03:30"));
    scene_said(scene, "event backfill_started g/j first=01-01T00:01:00 last=01-01T00:03:00 "
                      "count=3 b\n" APPLIED("backfill") "fire g/j 01-01T00:01:00 backfill\n");
    struct sink sink = rig_test_sink(&scene->rig); /* after a restart there is one turn in vain */
    shard_run_lane(scene->rig.shard, rig_instant(scene_at("00:03:31")), &sink);
    assert_true(shard_lane_due_ms(scene->rig.shard) == INT64_MAX);
    scene_live(scene, 4);
    scene_end_run(scene, 2, "00:04:30");
    rig_advance(&scene->rig, scene_at("00:04:31"));
    scene_said(scene, SKIPPED("00:04:00", "00:04:00", "1 overlap run=2")
                "fire g/j 01-01T00:02:00 backfill\n");
    scene_end_run(scene, 3, "00:04:40");
    rig_advance(&scene->rig, scene_at("00:04:41"));
    scene_said(scene, "fire g/j 01-01T00:03:00 backfill\n");
    scene_end_run(scene, 4, "00:04:50");
    rig_advance(&scene->rig, scene_at("00:04:51"));
    scene_said(scene, "event backfill_finished g/j count=3 b\n");
}

static void a_backfill_goes_on_before_its_turn(struct scene *scene)
{
    scene_live(scene, 3);
    scene_end_run(scene, 1, "00:03:10");
    scene_tell(scene, "00:03:20", "{\"op\":\"backfill\"," SELECT ",\"rate\":1000,"
                                  "\"from\":\"2026-01-01T00:00:30Z\"}");
    rig_advance(&scene->rig, scene_at("00:03:30"));
    (void)rig_said(&scene->rig);
    scene_end_run(scene, 2, "00:03:30.010");
    scene_said(scene, "fire g/j 01-01T00:02:00 backfill\n");
    int64_t turn_ms = scene->rig.shard->lane_state.turn_ms;
    assert_true(turn_ms <= rig_instant(scene_at("00:03:30.010"))); /* 0 behind a restart */
}

static void one_of_two_backfills_goes(struct scene *scene)
{
    scene_live(scene, 1);
    scene_end_run(scene, 1, "00:01:10");
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:01:20", BACKFILL_OF("b"));
    scene_tell(scene, "00:01:20", BACKFILL_OF("c"));
    rig_advance(&scene->rig, scene_at("00:01:30"));
    scene_said(scene,
               "event backfill_started g/j first=01-01T00:01:00 last=01-01T00:01:00 count=1 b\n"
               APPLIED("backfill")
               "event backfill_started g/j first=01-01T00:01:00 last=01-01T00:01:00 count=1 c\n"
               APPLIED("backfill") "fire g/j 01-01T00:01:00 backfill\n");
}

/* An outage: what catch-up keeps is owed, and goes one by one; later slots are left out. */
static void catch_up_goes_one_by_one(struct scene *scene)
{
    rig_advance(&scene->rig, scene_at("00:03:40"));
    scene_said(scene, "event catchup_started g/j count=3\nfire g/j 01-01T00:01:00 catchup\n");
    scene->minute = 3;
    scene_live(scene, 5);
    scene_end_run(scene, 1, "00:05:30");
    scene_said(scene, SKIPPED("00:04:00", "00:05:00", "2 overlap run=1")
                "fire g/j 01-01T00:02:00 catchup\n");
    scene_end_run(scene, 2, "00:05:40");
    scene_said(scene, "fire g/j 01-01T00:03:00 catchup\nevent catchup_finished g/j count=3\n");
    scene_live(scene, 6);
    scene_end_run(scene, 3, "00:06:30");
    scene_said(scene, SKIPPED("00:06:00", "00:06:00", "1 overlap run=3"));
    scene_live(scene, 7);
    scene_said(scene, "fire g/j 01-01T00:07:00 schedule\n");
}

/* The slots of an outage in which a run went on. */
static void late_slots_wait_for_the_run(struct scene *scene)
{
    scene_live(scene, 2);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\n");
    rig_advance(&scene->rig, scene_at("00:05:40"));
    scene_said(scene, SKIPPED("00:02:00", "00:02:00", "1 overlap run=1")
                "event missed g/j first=01-01T00:03:00 last=01-01T00:04:00 count=2 superseded\n");
    scene_end_run(scene, 1, "00:05:50");
    scene_said(scene, "fire g/j 01-01T00:05:00 catchup missed=2\n");
}

static void what_has_left_the_window_is_missed(struct scene *scene)
{
    scene_live(scene, 9);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\n");
    scene_end_run(scene, 1, "00:09:30");
    scene_said(scene, "event missed g/j first=01-01T00:02:00 last=01-01T00:04:00 count=3 window\n"
                "fire g/j 01-01T00:05:00 catchup\n");
}

/* They are owed, and a trigger's run comes between. */
static void owed_slots_let_a_trigger_end(struct scene *scene)
{
    struct sink sink = rig_test_sink(&scene->rig);
    int64_t now_ms = rig_instant(scene_at("00:03:40"));
    assert_true(shard_advance(scene->rig.shard, now_ms, now_ms, &sink));
    assert_true(shard_decide(scene->rig.shard, now_ms, &sink));
    rig_test_commit(&scene->rig);
    scene_tell(scene, "00:03:41", TRIGGER);
    rig_advance(&scene->rig, scene_at("00:03:42"));
    scene_said(scene, "event catchup_started g/j count=3\nfire g/j 01-01T00:03:41 trigger\n"
                      APPLIED("trigger"));
    shard_run_lane(scene->rig.shard, now_ms + 10000, &sink);
    assert_true(shard_lane_due_ms(scene->rig.shard) == INT64_MAX);
    scene_end_run(scene, 1, "00:03:50");
    scene_said(scene, "fire g/j 01-01T00:01:00 catchup\n");
}

static int64_t count_of(const char *said, const char *event)
{
    int64_t count = 0;
    for (const char *line = strstr(said, event); line != NULL; line = strstr(line + 1, event))
        count += strtol(strstr(line, " count=") + 7, NULL, 10);
    return count;
}

/* More outages than a ledger has room for, each with a slot that is left out: what is owed stays
 * so. */
static void there_is_no_room_for_more_debts(struct scene *scene)
{
    char time[64];
    scene_live(scene, 1);
    (void)rig_said(&scene->rig);
    for (int i = 0; i < 20; i++) {
        scene->minute += 3;
        (void)snprintf(time, sizeof time, DAY "%02d:%02d:40Z", (int)(scene->minute / 60),
                       (int)(scene->minute % 60));
        rig_advance(&scene->rig, time);
        scene_live(scene, scene->minute + 1);
    }
    int64_t left_out = 0;
    int64_t fired = 0;
    for (int64_t number = 1; rig_open_runs(&scene->rig) > 0; number++) {
        scene_end_run(scene, number, "01:21:30");
        const char *said = rig_said(&scene->rig);
        assert_null(strstr(said, "event missed"));
        left_out += count_of(said, "event skipped");
        fired += strstr(said, "fire g/j") != NULL;
    }
    assert_int_equal(left_out, 16); /* then they stay with what is owed */
    assert_int_equal(fired, 80 - 16);
}

/* ---- ends ---- */

static void max_fires_counts_runs(struct scene *scene)
{
    scene_live(scene, 3);
    scene_end_run(scene, 1, "00:03:30");
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\n"
                SKIPPED("00:02:00", "00:03:00", "2 overlap run=1"));
    scene_live(scene, 4);
    scene_said(scene, "fire g/j 01-01T00:04:00 schedule\nevent exhausted g/j\n");
    rig_advance(&scene->rig, scene_at("00:15:00"));
    scene_said(scene, ""); /* kept as long as its run is open, */
    scene_end_run(scene, 2, "00:20:30");
    rig_advance(&scene->rig, scene_at("00:30:20"));
    scene_said(scene, ""); /* and then as long as it says */
    rig_advance(&scene->rig, scene_at("00:30:40"));
    scene_said(scene, "gone g/j\n");
}

static void a_finished_job_is_kept_for_its_run(struct scene *scene)
{
    scene_live(scene, 2);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\nevent exhausted g/j\n");
    scene_end_run(scene, 1, "00:02:30");
    rig_advance(&scene->rig, scene_at("00:02:40"));
    scene_said(scene, "gone g/j\n");
}

static void a_finished_job_has_a_backfill(struct scene *scene)
{
    scene_live(scene, 1);
    scene_tell(scene, "00:01:20", BACKFILL);
    rig_advance(&scene->rig, scene_at("00:01:30"));
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\nevent exhausted g/j\n"
                "event backfill_started g/j first=01-01T00:01:00 last=01-01T00:01:00 count=1 b\n"
                APPLIED("backfill"));
    scene_end_run(scene, 1, "00:05:30");
    rig_advance(&scene->rig, scene_at("00:05:40"));
    scene_said(scene, "fire g/j 01-01T00:01:00 backfill\n");
}

static void the_last_slot_is_left_out(struct scene *scene)
{
    scene_live(scene, 5);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\n");
    scene_end_run(scene, 1, "00:05:30");
    scene_said(scene, SKIPPED("00:02:00", "00:03:00", "2 overlap run=1")
                "event exhausted g/j\ngone g/j\n");
}

/* ---- restarts ---- */

/* The run is not known any more: nothing is in the way of what was left out for it. */
static void a_run_that_is_gone(struct scene *scene)
{
    scene_live(scene, 3);
    (void)rig_said(&scene->rig);
    rig_keep(&scene->rig, "run/0", NULL);
    rig_restart(&scene->rig);
    rig_advance(&scene->rig, scene_at("00:03:30"));
    scene_said(scene, "event skipped g/j first=01-01T00:03:00 last=01-01T00:03:00 count=1 overlap\n"
                "fire g/j 01-01T00:02:00 catchup\n");
}

/* The first fire of the job, which has opened the first run, cannot be produced. */
static void first_fire_fails(struct scene *scene, enum fire_kind kind, const char *time)
{
    struct sink sink = rig_test_sink(&scene->rig);
    const struct job *job = shard_find(scene->rig.shard, text_of("g"), text_of("j"));
    struct failed_fire failed = {.slot = job->slot,
                                 .incarnation = job->life.incarnation,
                                 .kind = kind,
                                 .nominal_ms = rig_instant(scene_at(time)),
                                 .due_ms = rig_instant(scene_at(time)),
                                 .attempt = 1,
                                 .reason = REASON_TOPIC_MISSING,
                                 .run_number = (INT64_C(1) << 32) + 1};
    shard_fire_failed(scene->rig.shard, &failed, rig_instant(scene_at("00:01:01")), &sink);
    rig_test_commit(&scene->rig);
}

/* That of 00:01. A fire fails before it is committed. */
static void first_slot_fails(struct scene *scene)
{
    bool restart_always = scene->rig.restart_always;
    scene->rig.restart_always = false;
    scene_live(scene, 1);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\n");
    first_fire_fails(scene, FIRE_SCHEDULE, "00:01:00");
    scene_said(scene, "event fire_failed g/j first=01-01T00:01:00 last=01-01T00:01:00 count=1 "
                      "topic_missing\n");
    scene->rig.restart_always = restart_always;
}

static void a_trigger_that_fails_opens_no_run(struct scene *scene)
{
    bool restart_always = scene->rig.restart_always;
    scene->rig.restart_always = false;
    scene_tell(scene, "00:00:30", TRIGGER);
    scene_live(scene, 1);
    (void)rig_said(&scene->rig);
    first_fire_fails(scene, FIRE_TRIGGER, "00:00:30");
    scene->rig.restart_always = restart_always;
    rig_advance(&scene->rig, scene_at("00:01:02"));
    scene_said(scene, "event fire_failed g/j first=01-01T00:00:30 last=01-01T00:00:30 count=1 "
                      "topic_missing\n" SKIPPED("00:01:00", "00:01:00", "1 overlap"));
    scene_live(scene, 2);
    scene_said(scene, "fire g/j 01-01T00:02:00 schedule\n");
}

static void a_fire_that_fails_opens_no_run(struct scene *scene)
{
    struct sink sink = rig_test_sink(&scene->rig);
    first_slot_fails(scene);
    while (shard_retry(scene->rig.shard, rig_instant(scene_at("00:01:10")), &sink))
        rig_test_commit(&scene->rig);
    scene_said(scene, "fire g/j 01-01T00:01:00 retry attempt=2\n");
    scene_live(scene, 2);
    scene_end_run(scene, 2, "00:02:30");
    scene_said(scene, SKIPPED("00:02:00", "00:02:00", "1 overlap run=2"));
}

static void a_retry_waits_for_a_run(struct scene *scene)
{
    struct sink sink = rig_test_sink(&scene->rig);
    first_slot_fails(scene);
    scene_tell(scene, "00:01:01", TRIGGER);
    scene_said(scene, "fire g/j 01-01T00:01:01 trigger\n" APPLIED("trigger"));
    while (shard_retry(scene->rig.shard, rig_instant(scene_at("00:01:10")), &sink))
        rig_test_commit(&scene->rig);
    scene_said(scene, "");
    scene_end_run(scene, 2, "00:01:20");
    while (shard_retry(scene->rig.shard, rig_instant(scene_at("00:01:21")), &sink))
        rig_test_commit(&scene->rig);
    scene_said(scene, "fire g/j 01-01T00:01:00 retry attempt=2\n");
}

/* ---- delays, zones ---- */

/* The slot of 00:10 waits for its delay over an edit, and a trigger's run is in its way then. */
static void delay_over(struct scene *scene)
{
    scene_tell(scene, "00:00:10",
               SET("\"jitter\":\"9m\",\"schedule\":{\"every\":\"10m\",\"anchor\":\"epoch\"}"));
    scene_tell(scene, "00:00:30", TRIGGER);
    scene_tell(scene, "00:10:01", SET("\"jitter\":null"));
    scene_said(scene, APPLIED("update") "fire g/j 01-01T00:00:30 trigger\n" APPLIED("trigger")
                APPLIED("update"));
    for (int second = 620; second <= 1160; second += 20) { /* none comes too late */
        char time[64];
        (void)snprintf(time, sizeof time, DAY "00:%02d:%02dZ", second / 60, second % 60);
        rig_advance(&scene->rig, time);
    }
}

static void its_delay_over_it_is_left_out(struct scene *scene)
{
    delay_over(scene);
    scene_said(scene, SKIPPED("00:10:00", "00:10:00", "1 overlap run=1"));
    scene_end_run(scene, 1, "00:19:40");
    rig_advance(&scene->rig, scene_at("00:20:00"));
    scene_said(scene, "fire g/j 01-01T00:20:00 schedule\n");
}

/* Late, it is owed: the daemon was away when its delay was over. */
static void its_delay_over_too_late_it_waits(struct scene *scene)
{
    scene_tell(scene, "00:00:10",
               SET("\"jitter\":\"9m\",\"schedule\":{\"every\":\"10m\",\"anchor\":\"epoch\"}"));
    scene_tell(scene, "00:00:30", TRIGGER);
    scene_tell(scene, "00:10:01", SET("\"jitter\":null"));
    (void)rig_said(&scene->rig);
    rig_advance(&scene->rig, scene_at("00:19:50"));
    scene_said(scene, "");
    scene_end_run(scene, 1, "00:19:55");
    scene_said(scene, "fire g/j 01-01T00:10:00 catchup\n");
}

static void its_delay_over_it_waits(struct scene *scene)
{
    delay_over(scene);
    scene_said(scene, "");
    rig_advance(&scene->rig, scene_at("00:20:00"));
    scene_end_run(scene, 1, "00:20:40");
    scene_said(scene, SKIPPED("00:20:00", "00:20:00", "1 overlap run=1")
                "fire g/j 01-01T00:10:00 catchup\n");
}

/* Other slots queue behind it, also where nothing was owed before. */
static void its_delay_over_and_allowed(struct scene *scene)
{
    delay_over(scene);
    scene_tell(scene, "00:19:50", SET("\"overlap\":\"allow\""));
    scene_tell(scene, "00:20:01", TRIGGER);
    rig_advance(&scene->rig, scene_at("00:20:02"));
    scene_said(scene, APPLIED("update") "fire g/j 01-01T00:20:01 trigger\n" APPLIED("trigger")
                "fire g/j 01-01T00:10:00 catchup\nfire g/j 01-01T00:20:00 catchup\n");
}

static void its_delay_over_it_asks(struct scene *scene)
{
    delay_over(scene);
    scene_said(scene, "cancel g/j run=1\n");
    scene_end_run(scene, 1, "00:19:40");
    scene_said(scene, "fire g/j 01-01T00:10:00 catchup\n");
}

/* Which slots there were meanwhile is known when the zone is back; the run has ended by then. */
static void its_zone_is_missing(struct scene *scene)
{
    scene_tell(scene, "00:00:10",
         SET("\"schedule\":{\"cron\":\"* * * * *\",\"zone\":\"Europe/Berlin\"}"));
    scene_live(scene, 3);
    scene_said(scene, APPLIED("update") "fire g/j 01-01T00:01:00 schedule\n");
    scene->rig.lacks_zones = true;
    rig_restart(&scene->rig);
    rig_advance(&scene->rig, scene_at("00:04:10"));
    scene_end_run(scene, 1, "00:04:20");
    scene_said(scene, "");
    scene->rig.lacks_zones = false;
    rig_restart(&scene->rig);
    scene->minute = 4;
    scene_live(scene, 5);
    scene_said(scene, SKIPPED("00:02:00", "00:05:00", "4 overlap"));
    scene_live(scene, 6);
    scene_said(scene, "fire g/j 01-01T00:06:00 schedule\n");
}

static const struct scene_row rows[] = {
    SCENE(POLICY("skip"), a_backfill_goes_one_by_one),
    SCENE(POLICY("skip"), a_backfill_goes_on_before_its_turn),
    SCENE(POLICY("skip"), one_of_two_backfills_goes),
    SCENE(POLICY("skip") ",\"catchup\":{\"policy\":\"all\"}", catch_up_goes_one_by_one),
    SCENE(POLICY("skip") ",\"catchup\":{\"policy\":\"all\"}", owed_slots_let_a_trigger_end),
    SCENE(POLICY("skip") ",\"catchup\":{\"policy\":\"all\"}", there_is_no_room_for_more_debts),
    SCENE(POLICY("skip") ",\"max_fires\":1", a_finished_job_has_a_backfill),
    SCENE(POLICY("skip") ",\"max_fires\":1,\"keep_finished\":\"0s\"",
          a_finished_job_is_kept_for_its_run),
    SCENE(POLICY("skip"), late_slots_wait_for_the_run),
    SCENE(POLICY("buffer_all") ",\"catchup\":{\"window\":\"5m\"}",
          what_has_left_the_window_is_missed),
    SCENE(POLICY("skip") ",\"max_fires\":2,\"keep_finished\":\"10m\"", max_fires_counts_runs),
    SCENE(POLICY("skip") ",\"end\":\"2026-01-01T00:03:30Z\",\"keep_finished\":\"0s\"",
          the_last_slot_is_left_out),
    SCENE(POLICY("buffer_one"), a_run_that_is_gone),
    SCENE(POLICY("skip"), a_fire_that_fails_opens_no_run),
    SCENE(POLICY("skip"), a_retry_waits_for_a_run),
    SCENE(POLICY("skip"), a_trigger_that_fails_opens_no_run),
    SCENE(POLICY("skip"), its_delay_over_it_is_left_out),
    SCENE(POLICY("skip"), its_delay_over_too_late_it_waits),
    SCENE(POLICY("buffer_one"), its_delay_over_it_waits),
    SCENE(POLICY("buffer_one"), its_delay_over_and_allowed),
    SCENE(POLICY("cancel_other"), its_delay_over_it_asks),
    SCENE(POLICY("skip"), its_zone_is_missing),
};

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(rows, scene_check_row)};
    return run_rows("overlap, what is owed", tables, COUNT_OF(tables), NULL, 0);
}
