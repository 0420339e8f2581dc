/* Slots of jobs with a lease that wait though no run is in their way: as many runs are open as may
 * be, or the reports that were in the log at a take-over have not been read. Each scene is played
 * once as it is, and once with a restart from the records after each commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/jobs/job.h"
#include "tests/support/rows.h"
#include "tests/support/run_scene.h"

#define FIRE(job, time, kind) "fire g/" job " 01-01T" time " " kind " try=1\n"
#define ADD(id, options)                                                                           \
    "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"" id "\","                                  \
    "\"schedule\":{\"every\":\"1m\",\"anchor\":\"epoch\"}" options "}}"
#define DROP_LEASE                                                                                 \
    SET("\"lease\":null,\"workers\":null,\"overlap\":null")

static void advance(struct scene *scene, const char *time)
{
    rig_step_runs(&scene->rig, scene_at(time));
}

static void report(struct scene *scene, int64_t number, const char *time)
{
    rig_report_of(&scene->rig, number, scene_at(time), "success");
}

/* ---- a full table ---- */

static void may_be_open(struct scene *scene, uint32_t most)
{
    scene->rig.runs_open_max = most;
    rig_restart(&scene->rig);
}

static void a_slot_waits_for_room(struct scene *scene)
{
    may_be_open(scene, 1);
    advance(scene, "00:01:00.001");
    advance(scene, "00:02:00.001");
    int64_t changes = scene->rig.changes;
    advance(scene, "00:03:00.001");
    assert_int_equal(scene->rig.changes, changes); /* the second one writes nothing */
    scene_said(scene, FIRE("j", "00:01:00", "schedule"));
    report(scene, 1, "00:03:30");
    scene_said(scene, FIRE("j", "00:02:00", "catchup"));
    report(scene, 2, "00:03:40");
    scene_said(scene, FIRE("j", "00:03:00", "catchup"));
    report(scene, 3, "00:03:50");
    advance(scene, "00:04:00.001");
    scene_said(scene, FIRE("j", "00:04:00", "schedule"));
}

/* One slot of each job, in the order in which they began to wait. */
static void jobs_take_turns(struct scene *scene)
{
    may_be_open(scene, 1);
    scene_tell(scene, "00:00:10", ADD("k", "," LEASE));
    scene_tell(scene, "00:00:10", ADD("l", ""));
    (void)rig_said(&scene->rig);
    advance(scene, "00:01:00.001");
    advance(scene, "00:02:00.001");
    scene_said(scene, FIRE("j", "00:01:00", "schedule")
                          "fire g/l 01-01T00:01:00 schedule\nfire g/l 01-01T00:02:00 schedule\n");
    static const char *const fires[] = {
        FIRE("k", "00:01:00", "catchup"), FIRE("j", "00:02:00", "catchup"),
        FIRE("k", "00:02:00", "catchup"), ""};
    if (scene->rig.restart_always) return; /* whose turn it is goes with the memory */
    for (int64_t number = 1; number <= 4; number++) {
        report(scene, number, "00:02:30");
        advance(scene, "00:02:30");
        scene_said(scene, fires[number - 1]);
    }
}

/* What waits behind the run that ends has waited no longer than others. */
static void its_own_next_slot_is_behind_them(struct scene *scene)
{
    may_be_open(scene, 1);
    scene_tell(scene, "00:00:10", ADD("k", "," LEASE));
    advance(scene, "00:01:00.001");
    advance(scene, "00:02:00.001");
    (void)rig_said(&scene->rig);
    if (scene->rig.restart_always) return; /* whose turn it is goes with the memory */
    report(scene, 1, "00:02:30");
    scene_said(scene, FIRE("k", "00:01:00", "catchup"));
    report(scene, 2, "00:02:40");
    scene_said(scene, FIRE("j", "00:02:00", "catchup"));
}

/* Three jobs, two places: none of the thirty slots is left behind. */
static void all_of_them_go_in_the_end(struct scene *scene)
{
    int fired = 0;
    may_be_open(scene, 2);
    scene_tell(scene, "00:00:10", ADD("k", "," LEASE));
    scene_tell(scene, "00:00:10", ADD("m", "," LEASE "," POLICY("buffer_all")));
    for (int i = 1; i <= 40; i++) {
        char time[64];
        (void)snprintf(time, sizeof time, "00:%02d:%02d", i <= 10 ? i : 10, i <= 10 ? 0 : i);
        advance(scene, time);
        assert_true(rig_open_runs(&scene->rig) <= 2);
        int64_t oldest = rig_oldest_run(&scene->rig);
        if (oldest != 0) rig_report_of(&scene->rig, oldest, scene_at(time), "success");
        for (const char *line = strstr(rig_said(&scene->rig), "fire"); line != NULL;
             line = strstr(line + 1, "fire"))
            fired++;
    }
    assert_int_equal(fired, 30);
    assert_int_equal(rig_open_runs(&scene->rig), 0);
}

static void a_trigger_cannot_wait(struct scene *scene)
{
    may_be_open(scene, 1);
    scene_tell(scene, "00:00:10", TRIGGER);
    scene_tell(scene, "00:00:20", "{\"op\":\"trigger\",\"overlap\":\"allow\"," SELECT "}");
    scene_said(scene, FIRE("j", "00:00:10", "trigger") APPLIED("trigger")
                          "result trigger conflict too_many matched=1 changed=0\n");
}

/* Of several jobs those are refused for which there is no room any more. */
static void so_many_triggers_as_there_is_room_for(struct scene *scene)
{
    may_be_open(scene, 2);
    scene_tell(scene, "00:00:05", TRIGGER);
    report(scene, 1, "00:00:06");
    scene_tell(scene, "00:00:10", ADD("k", "," LEASE));
    scene_tell(scene, "00:00:10", ADD("l", "," LEASE));
    scene_tell(scene, "00:00:10", ADD("m", ""));
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:00:20", "{\"op\":\"trigger\",\"mode\":\"each\",\"select\":{\"groups\":"
                                  "[\"g\"]}}");
    scene_said(scene, FIRE("j", "00:00:20", "trigger") FIRE("k", "00:00:20", "trigger")
                          "fire g/m 01-01T00:00:20 trigger\n"
                          "result trigger partial too_many matched=4 changed=3\n");
}

static void a_backfill_waits_for_room(struct scene *scene)
{
    may_be_open(scene, 1);
    advance(scene, "00:01:00.001");
    scene_tell(scene, "00:01:20", BACKFILL);
    advance(scene, "00:01:30");
    struct sink sink = rig_test_sink(&scene->rig);
    shard_run_lane(scene->rig.shard, rig_instant(scene_at("00:01:31")), &sink);
    assert_true(shard_lane_due_ms(scene->rig.shard) == INT64_MAX); /* nobody turns in vain */
    (void)rig_said(&scene->rig);
    report(scene, 1, "00:01:40");
    advance(scene, "00:01:41");
    scene_said(scene, FIRE("j", "00:01:00", "backfill"));
}

static void without_its_lease_it_waits_no_more(struct scene *scene)
{
    may_be_open(scene, 1);
    advance(scene, "00:01:00.001");
    advance(scene, "00:02:00.001");
    (void)rig_said(&scene->rig);
    scene_tell(scene, "00:02:10", DROP_LEASE);
    advance(scene, "00:02:11");
    scene_said(scene, APPLIED("update") "fire g/j 01-01T00:02:00 catchup\n");
    assert_int_equal(rig_open_runs(&scene->rig), 1); /* and ends by its own terms */
    report(scene, 1, "00:02:20");
    assert_int_equal(rig_open_runs(&scene->rig), 0);
}

/* What is to be tried again is a run, too. */
static void a_failed_fire_waits_for_room(struct scene *scene)
{
    struct sink sink = rig_test_sink(&scene->rig);
    bool restart_always = scene->rig.restart_always;
    may_be_open(scene, 1);
    scene->rig.restart_always = false;
    advance(scene, "00:01:00.001");
    const struct job *job = shard_find(scene->rig.shard, text_of("g"), text_of("j"));
    struct failed_fire failed = {.slot = job->slot,
                                 .incarnation = job->life.incarnation,
                                 .nominal_ms = rig_instant(scene_at("00:01:00")),
                                 .due_ms = rig_instant(scene_at("00:01:00")),
                                 .attempt = 1,
                                 .run_number = (INT64_C(1) << 32) + 1,
                                 .reason = REASON_TOO_LARGE};
    shard_fire_failed(scene->rig.shard, &failed, rig_instant(scene_at("00:01:00.001")), &sink);
    rig_test_commit(&scene->rig);
    scene->rig.restart_always = restart_always;
    scene_tell(scene, "00:01:00.500", TRIGGER);
    while (shard_retry(scene->rig.shard, rig_instant(scene_at("00:01:02")), &sink))
        rig_test_commit(&scene->rig);
    assert_int_equal(rig_open_runs(&scene->rig), 1);
    (void)rig_said(&scene->rig);
    report(scene, 2, "00:01:10");
    advance(scene, "00:01:10");
    while (shard_retry(scene->rig.shard, rig_instant(scene_at("00:01:11")), &sink))
        rig_test_commit(&scene->rig);
    scene_said(scene, "fire g/j 01-01T00:01:00 retry attempt=2 try=1\n");
}

/* ---- reports that have not been read ---- */

static void take_over(struct scene *scene)
{
    scene->rig.reports_unread = true;
    rig_restart(&scene->rig);
}

static void caught_up(struct scene *scene, const char *time)
{
    rig_reports_caught_up(&scene->rig, scene_at(time));
}

static void nothing_is_left_out_for_a_run_that_has_ended(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    take_over(scene);
    advance(scene, "00:02:00.001");
    scene_said(scene, FIRE("j", "00:01:00", "schedule"));
    report(scene, 1, "00:02:01");
    scene_said(scene, FIRE("j", "00:02:00", "catchup"));
    caught_up(scene, "00:02:02");
    scene_said(scene, "");
    report(scene, 2, "00:02:03");
    advance(scene, "00:03:00.001");
    scene_said(scene, FIRE("j", "00:03:00", "schedule"));
}

/* Owed, it is not left out any more. */
static void it_waits_for_a_run_that_goes_on(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    take_over(scene);
    advance(scene, "00:02:00.001");
    caught_up(scene, "00:02:02");
    advance(scene, "00:03:00.001");
    scene_said(scene, FIRE("j", "00:01:00", "schedule"));
    report(scene, 1, "00:03:30");
    scene_said(scene, SKIPPED("00:03:00", "00:03:00", "1 overlap run=1")
                          FIRE("j", "00:02:00", "catchup"));
}

static void what_was_left_out_before_is_named(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    advance(scene, "00:02:00.001");
    take_over(scene);
    advance(scene, "00:03:00.001");
    scene_said(scene, FIRE("j", "00:01:00", "schedule")
                          SKIPPED("00:02:00", "00:02:00", "1 overlap run=1"));
    report(scene, 1, "00:03:01");
    scene_said(scene, FIRE("j", "00:03:00", "catchup"));
}

static void jobs_without_open_runs_do_not_wait(struct scene *scene)
{
    scene_tell(scene, "00:00:10", ADD("k", "," LEASE "," POLICY("skip")));
    scene_tell(scene, "00:00:10", ADD("l", ""));
    (void)rig_said(&scene->rig);
    advance(scene, "00:01:00.001");
    report(scene, 2, "00:01:30");
    take_over(scene);
    (void)rig_said(&scene->rig);
    advance(scene, "00:02:00.001");
    scene_said(scene, FIRE("k", "00:02:00", "schedule") "fire g/l 01-01T00:02:00 schedule\n");
    caught_up(scene, "00:02:02");
    scene_said(scene, "");
}

static void allowed_it_waits_too(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    take_over(scene);
    advance(scene, "00:02:00.001");
    scene_said(scene, FIRE("j", "00:01:00", "schedule"));
    caught_up(scene, "00:02:02");
    scene_said(scene, FIRE("j", "00:02:00", "catchup"));
    advance(scene, "00:03:00.001");
    scene_said(scene, FIRE("j", "00:03:00", "schedule"));
}

static void the_run_is_asked_to_stop_then(struct scene *scene)
{
    if (scene->rig.restart_always) return; /* that it is to be asked goes with the memory */
    advance(scene, "00:01:00.001");
    take_over(scene);
    advance(scene, "00:02:00.001");
    scene_said(scene, FIRE("j", "00:01:00", "schedule"));
    caught_up(scene, "00:02:02");
    scene_said(scene, "cancel g/j run=1\n");
    report(scene, 1, "00:02:10");
    scene_said(scene, FIRE("j", "00:02:00", "catchup"));
}

/* Not before: what it would be asked for may be over. */
static void the_next_run_is_asked_to_stop_then(struct scene *scene)
{
    if (scene->rig.restart_always) return;
    advance(scene, "00:01:00.001");
    advance(scene, "00:02:00.001");
    take_over(scene);
    advance(scene, "00:03:00.001");
    scene_said(scene, FIRE("j", "00:01:00", "schedule") "cancel g/j run=1\n");
    report(scene, 1, "00:03:01");
    scene_said(scene, FIRE("j", "00:02:00", "catchup"));
    caught_up(scene, "00:03:02");
    scene_said(scene, "cancel g/j run=2\n");
}

static void a_backfill_waits_for_reports(struct scene *scene)
{
    advance(scene, "00:01:00.001");
    take_over(scene);
    scene_tell(scene, "00:01:20", BACKFILL);
    advance(scene, "00:01:30");
    assert_null(strstr(rig_said(&scene->rig), " backfill try=1"));
    caught_up(scene, "00:01:40");
    assert_non_null(strstr(rig_said(&scene->rig), " backfill try=1"));
}

static const struct scene_row rows[] = {
    SCENE(POLICY("allow"), a_slot_waits_for_room),
    SCENE(POLICY("allow"), jobs_take_turns),
    SCENE(POLICY("buffer_all"), its_own_next_slot_is_behind_them),
    SCENE(POLICY("allow"), all_of_them_go_in_the_end),
    SCENE(POLICY("allow"), a_trigger_cannot_wait),
    SCENE(POLICY("allow"), so_many_triggers_as_there_is_room_for),
    SCENE(POLICY("allow"), a_backfill_waits_for_room),
    SCENE(POLICY("allow"), without_its_lease_it_waits_no_more),
    SCENE(POLICY("allow"), a_failed_fire_waits_for_room),
    SCENE(POLICY("skip"), nothing_is_left_out_for_a_run_that_has_ended),
    SCENE(POLICY("skip"), it_waits_for_a_run_that_goes_on),
    SCENE(POLICY("skip"), what_was_left_out_before_is_named),
    SCENE(POLICY("skip"), jobs_without_open_runs_do_not_wait),
    SCENE(POLICY("allow"), allowed_it_waits_too),
    SCENE(POLICY("cancel_other"), the_run_is_asked_to_stop_then),
    SCENE(POLICY("cancel_other"), the_next_run_is_asked_to_stop_then),
    SCENE(POLICY("allow"), a_backfill_waits_for_reports),
};

/* A thousand runs of one job are all that may be; other jobs are not concerned. */
static void a_job_waits_for_its_own_runs(void **state)
{
    struct shard_rig rig;
    char time[64];
    (void)state;
    rig_open(&rig, DAY "00:00:00Z");
    rig.allows_runs = true;
    rig_command(&rig, DAY "00:00:00Z", NULL,
                "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"j\",\"schedule\":{\"every\":"
                "\"1s\",\"anchor\":\"epoch\"}," LEASE "}}");
    for (int i = 1; i <= RUNS_OF_JOB_MAX + 2; i++) {
        (void)snprintf(time, sizeof time, DAY "00:%02d:%02dZ", i / 60, i % 60);
        rig_step_runs(&rig, time);
    }
    assert_int_equal(rig_open_runs(&rig), RUNS_OF_JOB_MAX);
    (void)rig_said(&rig);
    rig_command(&rig, DAY "00:16:42.100Z", NULL, ADD("k", "," LEASE));
    rig_command(&rig, DAY "00:16:42.200Z", NULL, TRIGGER);
    rig_command(&rig, DAY "00:16:42.300Z", NULL,
                "{\"op\":\"trigger\",\"select\":{\"groups\":[\"g\"],\"ids\":[\"k\"]}}");
    assert_string_equal(rig_said(&rig), APPLIED("add")
                            "result trigger conflict too_many matched=1 changed=0\n"
                            "fire g/k 01-01T00:16:42 trigger\n" APPLIED("trigger"));
    assert_true(shard_next_due_ms(rig.shard, 0) > 0); /* nobody turns in vain */
    rig_report_of(&rig, 7, DAY "00:16:42.400Z", "success");
    assert_string_equal(rig_said(&rig), "fire g/j 01-01T00:16:41 catchup\n");
    rig_close(&rig);
}

/* Its backfill is to try a slot again, when as many runs of the job are open as may be. */
static void a_failed_backfill_waits_for_its_own_runs(void **state)
{
    struct shard_rig rig;
    (void)state;
    rig_open(&rig, DAY "00:00:00Z");
    rig.allows_runs = true;
    struct sink sink = rig_test_sink(&rig);
    rig_command(&rig, DAY "00:00:00Z", NULL, ADD("j", "," LEASE));
    rig_step_runs(&rig, DAY "00:01:00Z");
    rig_step_runs(&rig, DAY "00:02:00Z");
    rig_command(&rig, DAY "00:02:01Z", NULL,
                "{\"op\":\"backfill\"," SELECT ",\"backfill_id\":\"b\",\"rate\":1,"
                "\"from\":\"" DAY "00:00:30Z\"}");
    shard_run_lane(rig.shard, rig_instant(DAY "00:02:01Z"), &sink);
    rig_test_commit(&rig);
    assert_int_equal(rig_open_runs(&rig), 3);
    const struct job *job = shard_find(rig.shard, text_of("g"), text_of("j"));
    struct failed_fire failed = {.slot = job->slot,
                                 .incarnation = job->life.incarnation,
                                 .kind = FIRE_BACKFILL,
                                 .nominal_ms = rig_instant(DAY "00:01:00Z"),
                                 .due_ms = rig_instant(DAY "00:01:00Z"),
                                 .attempt = 1,
                                 .backfill_id = "b",
                                 .run_number = (INT64_C(1) << 32) + 3,
                                 .reason = REASON_TOO_LARGE};
    shard_fire_failed(rig.shard, &failed, rig_instant(DAY "00:02:01Z"), &sink);
    rig_test_commit(&rig);
    for (int i = 2; i < RUNS_OF_JOB_MAX; i++)
        rig_command(&rig, DAY "00:02:01.500Z", NULL, TRIGGER);
    assert_int_equal(rig_open_runs(&rig), RUNS_OF_JOB_MAX);
    while (shard_retry(rig.shard, rig_instant(DAY "00:02:02Z"), &sink)) rig_test_commit(&rig);
    (void)rig_said(&rig);
    assert_int_equal(rig_open_runs(&rig), RUNS_OF_JOB_MAX);
    rig_report_of(&rig, 1, DAY "00:02:04Z", "success");
    assert_string_equal(rig_said(&rig), "fire g/j 01-01T00:01:00 backfill attempt=2\n");
    rig_close(&rig);
}

int main(void)
{
    const struct row_table tables[] = {ROW_TABLE(rows, scene_check_tries)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_waits_for_its_own_runs),
        cmocka_unit_test(a_failed_backfill_waits_for_its_own_runs),
    };
    return run_rows("held fires", tables, COUNT_OF(tables), tests, COUNT_OF(tests));
}
