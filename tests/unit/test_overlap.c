/* What slots do that come due while a run of their job is open: each policy, and what commands make
 * of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rows.h"
#include "tests/support/run_scene.h"

static int64_t jobs_owing(const struct scene *scene)
{
    struct census census;
    census_init(&census);
    census_take(&census, scene->rig.shard);
    int64_t owing = census.owing;
    census_clear(&census);
    return owing;
}

/* ---- the policies ---- */

static void skip_leaves_out_and_writes_nothing(struct scene *scene)
{
    scene_live(scene, 2);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\n");
    char first[2048];
    (void)snprintf(first, sizeof first, "%s", scene_record(scene));
    assert_non_null(strstr(first, "\"tail_keeps\":\"none\""));
    int64_t changes = scene->rig.changes;
    scene_live(scene, 5);
    assert_int_equal(scene->rig.changes, changes);
    assert_string_equal(scene_record(scene), first);
    assert_int_equal(jobs_owing(scene), 0);
    scene_end_run(scene, 1, "00:05:30");
    scene_said(scene, SKIPPED("00:02:00", "00:05:00", "4 overlap run=1"));
    assert_null(strstr(scene_record(scene), "tail"));
    scene_live(scene, 6);
    scene_said(scene, "fire g/j 01-01T00:06:00 schedule\n");
    scene_end_run(scene, 2, "00:06:30");
    scene_said(scene, "");
}

static void buffer_one_keeps_the_first(struct scene *scene)
{
    scene_live(scene, 5);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\n");
    scene_end_run(scene, 1, "00:05:30");
    scene_said(scene, SKIPPED("00:03:00", "00:05:00", "3 overlap run=1")
                "fire g/j 01-01T00:02:00 catchup\n");
    scene_live(scene, 6);
    scene_end_run(scene, 2, "00:06:30");
    scene_said(scene, "fire g/j 01-01T00:06:00 catchup\n");
    scene_end_run(scene, 3, "00:06:40");
    scene_live(scene, 7);
    scene_said(scene, "fire g/j 01-01T00:07:00 schedule\n");
}

static void buffer_all_keeps_so_many(struct scene *scene)
{
    scene_live(scene, 2);
    int64_t changes = scene->rig.changes;
    scene_live(scene, 5);
    assert_int_equal(scene->rig.changes, changes + 1); /* the first that is left out */
    assert_int_equal(jobs_owing(scene), 1);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\n");
    scene_end_run(scene, 1, "00:05:30");
    scene_said(scene,
         SKIPPED("00:04:00", "00:05:00", "2 buffer_full run=1")
         "fire g/j 01-01T00:02:00 catchup\n");
    scene_live(scene, 7);
    scene_end_run(scene, 2, "00:07:30");
    scene_said(scene,
         SKIPPED("00:07:00", "00:07:00", "1 buffer_full run=2")
         "fire g/j 01-01T00:03:00 catchup\n");
    scene_end_run(scene, 3, "00:07:40");
    scene_said(scene, "fire g/j 01-01T00:06:00 catchup\n");
    scene_end_run(scene, 4, "00:07:50");
    scene_said(scene, "");
    scene_live(scene, 8);
    scene_said(scene, "fire g/j 01-01T00:08:00 schedule\n");
}

/* Slots come twice as often as their runs end. */
static void an_overloaded_buffer_keeps_to_its_limit(struct scene *scene)
{
    int64_t answered = 0;
    for (int64_t number = 1; number <= 200; number++) {
        char time[64];
        scene_live(scene, scene->minute + 2);
        (void)snprintf(time, sizeof time, "%02d:%02d:30", (int)(scene->minute / 60),
                       (int)(scene->minute % 60));
        scene_end_run(scene, number, time);
        for (const char *line = rig_said(&scene->rig); *line != '\0';
             line = strchr(line, '\n') + 1) {
            const char *count = strstr(line, " count=");
            answered += line[0] == 'f' ? 1 : strtol(count + 7, NULL, 10);
        }
        assert_in_range(scene->minute - answered, 0, 40);
    }
}

static void cancel_other_asks_and_fires_the_newest(struct scene *scene)
{
    scene_live(scene, 4);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\ncancel g/j run=1\n");
    scene_end_run(scene, 1, "00:04:30");
    scene_said(scene, SKIPPED("00:02:00", "00:03:00", "2 overlap run=1")
                "fire g/j 01-01T00:04:00 catchup\n");
    scene_live(scene, 5);
    scene_end_run(scene, 2, "00:05:01");
    scene_said(scene, "cancel g/j run=2\nfire g/j 01-01T00:05:00 catchup\n");
    scene_end_run(scene, 3, "00:05:02");
    scene_live(scene, 6);
    scene_said(scene, "fire g/j 01-01T00:06:00 schedule\n");
}

static void allow_lets_runs_overlap(struct scene *scene)
{
    scene_live(scene, 2);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\nfire g/j 01-01T00:02:00 schedule\n");
    scene_end_run(scene, 1, "00:02:30");
    scene_said(scene, "");
}

/* Also if it is the buffer that is full. */
static void what_is_left_out_is_named_each_hour(struct scene *scene)
{
    scene_live(scene, 61);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\n");
    scene_live(scene, 62);
    scene_said(scene,
         SKIPPED("00:02:00", "01:01:00", "60 overlap run=1"));
    scene_live(scene, 63);
    scene_end_run(scene, 1, "01:03:30");
    scene_said(scene, SKIPPED("01:02:00", "01:03:00", "2 overlap run=1"));
}

static void the_newest_goes_on_waiting_each_hour(struct scene *scene)
{
    scene_live(scene, 64);
    scene_said(scene, "fire g/j 01-01T00:01:00 schedule\ncancel g/j run=1\n"
                SKIPPED("00:02:00", "01:01:00", "60 overlap run=1"));
    scene_end_run(scene, 1, "01:04:30");
    scene_said(scene, SKIPPED("01:02:00", "01:03:00", "2 overlap run=1")
                "fire g/j 01-01T01:04:00 catchup\n");
}

/* ---- commands ---- */

#define RESUMED "event resumed g/j from=01-01T00:03:30 to=01-01T00:05:30\n" APPLIED("resume")
#define HOURLY SET("\"schedule\":{\"every\":\"1h\",\"anchor\":\"epoch\"}")

static void a_pause_names_what_was_left_out(struct scene *scene)
{
    scene_live(scene, 3);
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:03:30", PAUSE);
    scene_said(scene, SKIPPED("00:02:00", "00:03:00", "2 overlap run=1")
                APPLIED("pause"));
    scene_end_run(scene, 1, "00:04:30");
    scene_said(scene, "");
    scene_tell(scene, "00:05:30", RESUME);
    scene_said(scene, RESUMED);
    scene->minute = 5;
    scene_live(scene, 6);
    scene_said(scene, "fire g/j 01-01T00:06:00 schedule\n");
}

static void a_pause_keeps_what_waits(struct scene *scene)
{
    scene_live(scene, 3);
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:03:30", PAUSE);
    scene_said(scene, SKIPPED("00:03:00", "00:03:00", "1 overlap run=1")
                APPLIED("pause"));
    scene_end_run(scene, 1, "00:04:30");
    scene_said(scene, "");
    scene_tell(scene, "00:05:30", RESUME);
    rig_advance(&scene->rig, scene_at("00:05:31"));
    scene_said(scene, RESUMED
                "fire g/j 01-01T00:02:00 catchup\n");
}

static void a_pause_keeps_the_newest(struct scene *scene)
{
    scene_live(scene, 3);
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:03:30", PAUSE);
    scene_said(scene, SKIPPED("00:02:00", "00:02:00", "1 overlap run=1")
                APPLIED("pause"));
    scene_tell(scene, "00:05:30", RESUME);
    (void)rig_said(&scene->rig);
    scene->minute = 5;
    scene_live(scene, 6); /* it met the run again; what was kept is owed */
    scene_end_run(scene, 1, "00:06:30");
    scene_said(scene, "fire g/j 01-01T00:03:00 catchup\n"); /* asked before the pause */
    scene_end_run(scene, 2, "00:06:40");
    scene_said(scene, "fire g/j 01-01T00:06:00 catchup\n");
}

static void an_update_names_it_too(struct scene *scene)
{
    scene_live(scene, 3);
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:03:30", SET("\"payload\":1"));
    scene_said(scene, SKIPPED("00:02:00", "00:03:00", "2 overlap run=1")
                APPLIED("update"));
    scene_live(scene, 4);
    scene_tell(scene, "00:04:30", HOURLY);
    scene_said(scene, SKIPPED("00:04:00", "00:04:00", "1 overlap run=1")
                APPLIED("update"));
    scene_live(scene, 60);
    scene_end_run(scene, 1, "01:00:30");
    scene_said(scene, SKIPPED("01:00:00", "01:00:00", "1 overlap run=1"));
}

/* What waits keeps the schedule that it came from. */
static void what_waits_outlives_an_edit(struct scene *scene)
{
    scene_live(scene, 3);
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:03:30", HOURLY);
    scene_said(scene, APPLIED("update"));
    scene_end_run(scene, 1, "00:04:30");
    scene_said(scene, "fire g/j 01-01T00:02:00 catchup\n");
    scene_end_run(scene, 2, "00:04:40");
    scene_said(scene, "fire g/j 01-01T00:03:00 catchup\n");
    scene_end_run(scene, 3, "00:04:50");
    scene_said(scene, "");
    scene_live(scene, 60);
    scene_said(scene, "fire g/j 01-01T01:00:00 schedule\n");
}

static void allowed_by_an_update_they_fire(struct scene *scene)
{
    scene_live(scene, 3);
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:03:30", SET("\"overlap\":\"allow\""));
    rig_advance(&scene->rig, scene_at("00:03:31"));
    scene_said(scene, APPLIED("update") "fire g/j 01-01T00:02:00 catchup\n"
                "fire g/j 01-01T00:03:00 catchup\n");
    scene_live(scene, 4);
    scene_said(scene, "fire g/j 01-01T00:04:00 schedule\n");
}

static void deleted_and_added_again_it_is_in_the_way_still(struct scene *scene)
{
    scene_live(scene, 3);
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:03:30", DELETE);
    scene_said(scene, SKIPPED("00:03:00", "00:03:00", "1 overlap run=1")
                "event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 deleted\n"
                "gone g/j\n" APPLIED("delete"));
    scene_tell(scene, "00:03:40",
               "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"j\",\"schedule\":{\"every\":"
               "\"1m\",\"anchor\":\"epoch\"}," LEASE ",\"overlap\":\"skip\"}}");
    scene_live(scene, 5);
    scene_end_run(scene, 1, "00:05:30");
    scene_said(scene, APPLIED("add") SKIPPED("00:04:00", "00:05:00", "2 overlap run=1"));
    scene_tell(scene, "00:05:40", DELETE);
    (void)rig_said(&scene->rig);
}

static void a_newer_run_ends_first(struct scene *scene)
{
    scene_live(scene, 1);
    scene_tell(scene, "00:01:20", "{\"op\":\"trigger\",\"overlap\":\"allow\"," SELECT "}");
    scene_live(scene, 3);
    (void)rig_said(&scene->rig);
    scene_end_run(scene, 2, "00:03:30");
    scene_said(scene, "");
    scene_end_run(scene, 1, "00:03:40");
    scene_said(scene, SKIPPED("00:03:00", "00:03:00", "1 overlap run=1")
                      "fire g/j 01-01T00:02:00 catchup\n");
}

static void allowed_by_an_update_a_backfill_goes_on(struct scene *scene)
{
    scene_live(scene, 1);
    scene_tell(scene, "00:01:20", BACKFILL);
    rig_advance(&scene->rig, scene_at("00:01:30"));
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:01:40", SET("\"overlap\":\"allow\""));
    rig_advance(&scene->rig, scene_at("00:01:41"));
    scene_said(scene, APPLIED("update") "fire g/j 01-01T00:01:00 backfill\n"
                "event backfill_finished g/j count=1 b\n");
}

static void a_trigger_meets_a_run(struct scene *scene)
{
    scene_live(scene, 1);
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:01:10", TRIGGER);
    scene_said(scene, "result trigger conflict overlap matched=1 changed=0\n");
    scene_tell(scene, "00:01:20", "{\"op\":\"trigger\",\"overlap\":\"allow\"," SELECT "}");
    scene_said(scene, "fire g/j 01-01T00:01:20 trigger\n" APPLIED("trigger"));
    scene_live(scene, 2);
    scene_end_run(scene, 1, "00:02:30");
    scene_said(scene, SKIPPED("00:02:00", "00:02:00", "1 overlap run=1"));
    scene_live(scene, 3); /* the trigger's run is in the way, too */
    scene_end_run(scene, 2, "00:03:30");
    scene_said(scene, SKIPPED("00:03:00", "00:03:00", "1 overlap run=2"));
    scene_tell(scene, "00:03:40", TRIGGER);
    scene_said(scene, "fire g/j 01-01T00:03:40 trigger\n" APPLIED("trigger"));
}

static const struct scene_row rows[] = {
    SCENE(POLICY("skip"), skip_leaves_out_and_writes_nothing),
    SCENE(POLICY("buffer_one"), buffer_one_keeps_the_first),
    SCENE(POLICY("buffer_all") ",\"overlap_limit\":2", buffer_all_keeps_so_many),
    SCENE(POLICY("buffer_all") ",\"overlap_limit\":40", an_overloaded_buffer_keeps_to_its_limit),
    SCENE(POLICY("cancel_other"), cancel_other_asks_and_fires_the_newest),
    SCENE(POLICY("allow"), allow_lets_runs_overlap),
    SCENE(POLICY("skip"), what_is_left_out_is_named_each_hour),
    SCENE(POLICY("cancel_other"), the_newest_goes_on_waiting_each_hour),
    SCENE(POLICY("skip"), a_pause_names_what_was_left_out),
    SCENE(POLICY("buffer_one"), a_pause_keeps_what_waits),
    SCENE(POLICY("cancel_other"), a_pause_keeps_the_newest),
    SCENE(POLICY("skip"), an_update_names_it_too),
    SCENE(POLICY("buffer_all"), what_waits_outlives_an_edit),
    SCENE(POLICY("buffer_all"), allowed_by_an_update_they_fire),
    SCENE(POLICY("buffer_one"), deleted_and_added_again_it_is_in_the_way_still),
    SCENE(POLICY("buffer_one"), a_newer_run_ends_first),
    SCENE(POLICY("skip"), allowed_by_an_update_a_backfill_goes_on),
    SCENE(POLICY("skip"), a_trigger_meets_a_run),
};

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(rows, scene_check_row)};
    return run_rows("overlap", tables, COUNT_OF(tables), NULL, 0);
}
