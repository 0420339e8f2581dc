/* Jobs with a lease, in a shard that follows their runs: each scene is played once as it is, and
 * once with a restart from the records after each commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/jobs/job.h"
#include "tests/support/rows.h"
#include "tests/support/run_scene.h"

#define RETRY "\"retry\":{\"attempts\":2,\"initial\":\"10s\"}"
#define ADD_AGAIN(options)                                                                         \
    "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"j\","                                       \
    "\"schedule\":{\"every\":\"1m\",\"anchor\":\"epoch\"}," LEASE "," options "}}"
#define RUN(number) ((INT64_C(1) << 32) + (number))
#define FIRE(time, kind, try) "fire g/j 01-01T" time " " kind " try=" try "\n"

static void advance(struct scene *scene, const char *time)
{
    rig_step_runs(&scene->rig, scene_at(time));
}

static void report(struct scene *scene, const char *time, const char *word)
{
    rig_report(&scene->rig, scene_at(time), word);
}

static void a_fire_opens_a_run(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    scene_said(scene, FIRE("00:01:00", "schedule", "1"));
    report(scene, "00:01:05", "success");
    advance(scene, "00:02:00.001");
    scene_said(scene, FIRE("00:02:00", "schedule", "1"));
}

static void it_is_tried_again(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    report(scene, "00:01:05", "failure");
    scene_said(scene, FIRE("00:01:00", "schedule", "1"));
    advance(scene, "00:01:14");
    scene_said(scene, "");
    advance(scene, "00:01:18");
    scene_said(scene, FIRE("00:01:00", "schedule", "2"));
    report(scene, "00:01:20", "failure");
    scene_said(scene, "event run_failed g/j run=2\ndead g/j failure after 2\n");
}

static void a_paused_jobs_waits(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    report(scene, "00:01:05", "failure");
    scene_tell(scene, "00:01:06", PAUSE);
    advance(scene, "00:01:50");
    scene_said(scene, FIRE("00:01:00", "schedule", "1") APPLIED("pause"));
    scene_tell(scene, "00:01:55", RESUME);
    advance(scene, "00:01:56");
    scene_said(scene, "event resumed g/j from=01-01T00:01:06 to=01-01T00:01:55\n" APPLIED(
                          "resume") FIRE("00:01:00", "schedule", "2"));
}

/* It comes once more, by the terms of its last try. */
static void a_paused_jobs_waits_without_the_lease(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    report(scene, "00:01:05", "failure");
    scene_tell(scene, "00:01:06", PAUSE);
    advance(scene, "00:01:50");
    scene_tell(scene, "00:01:51",
               "{\"op\":\"update\",\"select\":{\"all\":true},\"set\":{\"lease\":null,"
               "\"workers\":null,\"retry\":null}}");
    scene_said(scene, FIRE("00:01:00", "schedule", "1") APPLIED("pause") APPLIED("update"));
    scene_tell(scene, "00:01:55", RESUME);
    advance(scene, "00:01:56");
    scene_said(scene, "event resumed g/j from=01-01T00:01:06 to=01-01T00:01:55\n" APPLIED(
                          "resume") FIRE("00:01:00", "schedule", "2"));
}

static void released_is_fired_at_once(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    report(scene, "00:01:05", "released");
    scene_said(scene, FIRE("00:01:00", "schedule", "1") FIRE("00:01:00", "schedule", "2"));
}

static void skip_leaves_out_while_it_is_tried(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    report(scene, "00:01:55", "failure");
    advance(scene, "00:02:00.001");
    scene_said(scene, FIRE("00:01:00", "schedule", "1"));
    advance(scene, "00:02:09");
    scene_said(scene, FIRE("00:01:00", "schedule", "2"));
    report(scene, "00:02:20", "success");
    scene_said(scene, "event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 "
                      "overlap run=2\n");
    advance(scene, "00:03:00.001");
    scene_said(scene, FIRE("00:03:00", "schedule", "1"));
}

static void what_waits_fires_in_the_same_step(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    advance(scene, "00:02:00.001");
    scene_said(scene, FIRE("00:01:00", "schedule", "1"));
    report(scene, "00:02:30", "success");
    scene_said(scene, FIRE("00:02:00", "catchup", "1"));
}

static void cancel_other_asks(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    advance(scene, "00:02:00.001");
    scene_said(scene, FIRE("00:01:00", "schedule", "1")
                          "cancel g/j run=1\n");
    report(scene, "00:02:30", "cancelled");
    scene_said(scene, FIRE("00:02:00", "catchup", "1"));
}

static void a_trigger_opens_one_too(struct scene *scene)
{
    scene_tell(scene, "00:00:30", TRIGGER);
    scene_said(scene, "fire g/j 01-01T00:00:30 trigger try=1\n" APPLIED("trigger"));
    report(scene, "00:00:31", "success");
    advance(scene, "00:01:00.001");
    scene_said(scene, FIRE("00:01:00", "schedule", "1"));
}

/* Two commands of one step: what the first has ended is not open for the second. */
static void what_a_cancel_has_ended_is_not_in_a_triggers_way(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    report(scene, "00:01:05", "failure");
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:01:06", "{\"op\":\"cancel\"," SELECT "}");
    scene_tell(scene, "00:01:06", TRIGGER);
    scene_said(scene, APPLIED("cancel") FIRE("00:01:06", "trigger", "1") APPLIED("trigger"));
}

static void a_deleted_jobs_run_is_in_the_way(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    scene_tell(scene, "00:01:10", DELETE);
    scene_tell(scene, "00:01:20",
               ADD_AGAIN(POLICY("buffer_one")));
    scene_said(scene, FIRE("00:01:00", "schedule", "1") "gone g/j\n" APPLIED("delete")
                          APPLIED("add"));
    advance(scene, "00:02:00.001");
    scene_said(scene, "");
    report(scene, "00:02:30", "success");
    scene_said(scene, FIRE("00:02:00", "catchup", "1"));
}

static void fail_fire(struct scene *scene, int64_t run_number, const char *slot,
                      const char *time)
{
    struct sink sink = rig_test_sink(&scene->rig);
    const struct job *job = shard_find(scene->rig.shard, text_of("g"), text_of("j"));
    struct failed_fire failed = {.slot = job->slot,
                                 .incarnation = job->life.incarnation,
                                 .nominal_ms = rig_instant(scene_at(slot)),
                                 .due_ms = rig_instant(scene_at(slot)),
                                 .attempt = 1,
                                 .run_number = RUN(run_number),
                                 .reason = REASON_TOO_LARGE};
    shard_fire_failed(scene->rig.shard, &failed, rig_instant(scene_at(time)), &sink);
    rig_test_commit(&scene->rig);
}

static void what_could_not_be_produced_is_undone(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    fail_fire(scene, 1, "00:01:00", "00:01:00.001");
    struct sink sink = rig_test_sink(&scene->rig);
    assert_true(shard_retry(scene->rig.shard, rig_instant(scene_at("00:01:02")), &sink));
    rig_test_commit(&scene->rig);
    scene_said(scene, FIRE("00:01:00", "schedule", "1")
                          "event fire_failed g/j first=01-01T00:01:00 last=01-01T00:01:00 count=1 "
                          "too_large\n" FIRE("00:01:00", "retry attempt=2", "1"));
    report(scene, "00:01:05", "failure");
    advance(scene, "00:01:18");
    scene_said(scene, FIRE("00:01:00", "retry", "2"));
    fail_fire(scene, 3, "00:01:00", "00:01:18");
    advance(scene, "00:01:18.999");
    scene_said(scene, "event fire_failed g/j first=01-01T00:01:00 last=01-01T00:01:00 count=1 "
                      "too_large\n");
    advance(scene, "00:01:19");
    scene_said(scene, FIRE("00:01:00", "retry", "2"));
}

/* Beside the run of a deleted job of its name. */
static void so_is_that_of_a_job_added_again(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    scene_tell(scene, "00:01:10", DELETE);
    scene_tell(scene, "00:01:20", ADD_AGAIN(POLICY("allow")));
    advance(scene, "00:02:00.001");
    assert_int_equal(rig_open_runs(&scene->rig), 2);
    fail_fire(scene, 2, "00:02:00", "00:02:00.001");
    assert_int_equal(rig_open_runs(&scene->rig), 1);
    assert_int_equal(rig_oldest_run(&scene->rig), 1);
    (void)rig_said(&scene->rig);
}

/* ---- so many failures in a row ---- */

#define BOUND(count) "\"pause_after_failures\":" count
#define FAILED(run) "event run_failed g/j run=" run "\ndead g/j failure after 1\n"
#define AUTO_PAUSED(count, run) "event auto_paused g/j count=" count " run=" run "\n"

/* The run of that minute ends by this word at its half. */
static void run_ends(struct scene *scene, int minute, const char *word)
{
    char time[64];
    (void)snprintf(time, sizeof time, "00:%02d:00.001", minute);
    advance(scene, time);
    (void)rig_said(&scene->rig);
    (void)snprintf(time, sizeof time, "00:%02d:30", minute);
    report(scene, time, word);
}

static bool is_paused(const struct scene *scene)
{
    return strstr(scene_record(scene), "\"state\":\"paused\"") != NULL;
}

static void failures_in_a_row_pause(struct scene *scene)
{
    run_ends(scene, 1, "failure");
    scene_said(scene, FAILED("1"));
    assert_non_null(strstr(scene_record(scene), "\"failed_runs\":1"));
    run_ends(scene, 2, "failure");
    scene_said(scene, FAILED("2") AUTO_PAUSED("2", "2"));
    assert_true(is_paused(scene));
    assert_null(strstr(scene_record(scene), "failed_runs"));
    assert_non_null(strstr(scene_record(scene), "2 runs in a row have failed, the last is "));
    advance(scene, "00:05:00.001");
    scene_said(scene, "");
    scene_tell(scene, "00:05:10", RESUME);
    (void)rig_said(&scene->rig);
    run_ends(scene, 6, "failure");
    assert_false(is_paused(scene)); /* they are counted anew */
}

static void a_success_begins_anew(struct scene *scene)
{
    run_ends(scene, 1, "failure");
    run_ends(scene, 2, "success");
    assert_null(strstr(scene_record(scene), "failed_runs"));
    run_ends(scene, 3, "failure");
    assert_false(is_paused(scene));
    run_ends(scene, 4, "cancelled"); /* says nothing of the job */
    run_ends(scene, 5, "timeout");
    assert_true(is_paused(scene));
}

static void another_bound_begins_anew(struct scene *scene)
{
    run_ends(scene, 1, "failure");
    scene_tell(scene, "00:01:40", SET(BOUND("1")));
    assert_null(strstr(scene_record(scene), "failed_runs"));
    scene_tell(scene, "00:01:41", SET(BOUND("null")));
    run_ends(scene, 2, "failure");
    run_ends(scene, 3, "failure");
    assert_false(is_paused(scene));
    scene_tell(scene, "00:03:40", SET(BOUND("1")));
    run_ends(scene, 4, "failure");
    assert_true(is_paused(scene));
}

static void a_resume_begins_anew(struct scene *scene)
{
    run_ends(scene, 1, "failure");
    scene_tell(scene, "00:01:40", PAUSE);
    scene_tell(scene, "00:01:50", RESUME);
    run_ends(scene, 2, "failure");
    assert_false(is_paused(scene));
}

/* What waits is kept, what was left out is named, as by a pause. */
static void it_is_paused_as_by_a_command(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    advance(scene, "00:02:00.001");
    advance(scene, "00:03:00.001");
    (void)rig_said(&scene->rig);
    report(scene, "00:03:30", "failure");
    scene_said(scene, FAILED("1") SKIPPED("00:03:00", "00:03:00", "1 overlap run=1")
                          AUTO_PAUSED("1", "1"));
    advance(scene, "00:04:00.001");
    scene_tell(scene, "00:04:10", RESUME);
    advance(scene, "00:04:11");
    scene_said(scene, "event resumed g/j from=01-01T00:03:30 to=01-01T00:04:10\n" APPLIED(
                          "resume") FIRE("00:02:00", "catchup", "1"));
}

/* One of the job that had the name before it. */
static void a_strangers_failure_does_not_count(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    scene_tell(scene, "00:01:10", DELETE);
    scene_tell(scene, "00:01:20", ADD_AGAIN(BOUND("1")));
    report(scene, "00:01:30", "failure");
    assert_false(is_paused(scene));
}

static void a_job_that_is_over_is_not_paused(struct scene *scene)
{
    run_ends(scene, 1, "failure");
    scene_said(scene, FAILED("1"));
}

static const struct scene_row rows[] = {
    SCENE(BOUND("2"), failures_in_a_row_pause),
    SCENE(BOUND("2"), a_success_begins_anew),
    SCENE(BOUND("2"), another_bound_begins_anew),
    SCENE(BOUND("2"), a_resume_begins_anew),
    SCENE(BOUND("1") "," POLICY("buffer_one"), it_is_paused_as_by_a_command),
    SCENE(BOUND("1"), a_strangers_failure_does_not_count),
    SCENE(BOUND("1") ",\"max_fires\":1,\"keep_finished\":\"1h\"", a_job_that_is_over_is_not_paused),
    SCENE(POLICY("allow"), a_fire_opens_a_run),
    SCENE(RETRY, it_is_tried_again),
    SCENE(RETRY, a_paused_jobs_waits),
    SCENE(RETRY, a_paused_jobs_waits_without_the_lease),
    SCENE(POLICY("allow"), released_is_fired_at_once),
    SCENE(POLICY("skip") "," RETRY, skip_leaves_out_while_it_is_tried),
    SCENE(POLICY("buffer_one"), what_waits_fires_in_the_same_step),
    SCENE(POLICY("cancel_other"), cancel_other_asks),
    SCENE(POLICY("skip"), a_trigger_opens_one_too),
    SCENE(POLICY("skip") "," RETRY, what_a_cancel_has_ended_is_not_in_a_triggers_way),
    SCENE(POLICY("skip"), a_deleted_jobs_run_is_in_the_way),
    SCENE(RETRY, what_could_not_be_produced_is_undone),
    SCENE(POLICY("allow"), so_is_that_of_a_job_added_again),
};

int main(void)
{
    const struct row_table tables[] = {ROW_TABLE(rows, scene_check_tries)};
    return run_rows("a shard's runs", tables, COUNT_OF(tables), NULL, 0);
}
