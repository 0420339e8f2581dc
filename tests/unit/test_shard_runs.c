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

static const struct scene_row rows[] = {
    SCENE(POLICY("allow"), a_fire_opens_a_run),
    SCENE(RETRY, it_is_tried_again),
    SCENE(RETRY, a_paused_jobs_waits),
    SCENE(POLICY("allow"), released_is_fired_at_once),
    SCENE(POLICY("skip") "," RETRY, skip_leaves_out_while_it_is_tried),
    SCENE(POLICY("buffer_one"), what_waits_fires_in_the_same_step),
    SCENE(POLICY("cancel_other"), cancel_other_asks),
    SCENE(POLICY("skip"), a_trigger_opens_one_too),
    SCENE(POLICY("skip"), a_deleted_jobs_run_is_in_the_way),
    SCENE(RETRY, what_could_not_be_produced_is_undone),
    SCENE(POLICY("allow"), so_is_that_of_a_job_added_again),
};

int main(void)
{
    const struct row_table tables[] = {ROW_TABLE(rows, scene_check_tries)};
    return run_rows("a shard's runs", tables, COUNT_OF(tables), NULL, 0);
}
