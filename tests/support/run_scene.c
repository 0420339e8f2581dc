#include "tests/support/run_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* A shard at 00:00 with a job each minute, from 00:01 on. */
static void open_scene(struct scene *scene, bool restart_always, bool tells, const char *options)
{
    char json[512];
    rig_open(&scene->rig, DAY "00:00:00Z");
    scene->rig.allows_runs = true;
    scene->rig.restart_always = restart_always;
    scene->rig.tells_tries = tells;
    scene->minute = 0;
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"j\",\"schedule\":{\"every\":"
                   "\"1m\",\"anchor\":\"epoch\"}," LEASE ",%s}}", options);
    rig_command(&scene->rig, DAY "00:00:00Z", NULL, json);
    assert_string_equal(rig_said(&scene->rig), APPLIED("add"));
}

static void check(const struct scene_row *row, bool tells_tries)
{
    for (int restart = 0; restart < 2; restart++) {
        struct scene scene;
        open_scene(&scene, restart == 1, tells_tries, row->options);
        row->play(&scene);
        rig_close(&scene.rig);
    }
}

void scene_check_row(void **state)
{
    check(*state, false);
}

void scene_check_tries(void **state)
{
    check(*state, true);
}

const char *scene_at(const char *time)
{
    static char text[64];
    (void)snprintf(text, sizeof text, DAY "%sZ", time);
    return text;
}

void scene_live(struct scene *scene, int64_t until_minute)
{
    char time[64];
    while (scene->minute < until_minute) {
        scene->minute++;
        (void)snprintf(time, sizeof time, DAY "%02d:%02d:00.001Z", (int)(scene->minute / 60),
                       (int)(scene->minute % 60));
        rig_advance(&scene->rig, time);
    }
}

void scene_said(struct scene *scene, const char *expected)
{
    assert_string_equal(rig_said(&scene->rig), expected);
}

void scene_tell(struct scene *scene, const char *time, const char *json)
{
    rig_command(&scene->rig, scene_at(time), NULL, json);
}

void scene_end_run(struct scene *scene, int64_t number, const char *time)
{
    rig_report_of(&scene->rig, number, scene_at(time), "success");
}

const char *scene_record(const struct scene *scene)
{
    return rig_record(&scene->rig, "g/j");
}
