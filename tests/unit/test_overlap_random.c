/* Random walks of one job whose runs may not overlap: time, outages, ends of runs, pauses, edits,
 * triggers and restarts. Whatever comes, two runs are never open at once, the fires are in order,
 * each slot is fired, named as left out or missed, or waits; and a walk that is restarted from its
 * records after each commit says the same. In other walks a second job takes the only place for
 * open runs, and new owners have not read all reports: then no slot may be left behind, either. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/jobs/job.h"
#include "lib/time/instant.h"
#include "tests/support/shard_rig.h"
#include "tests/support/walks.h"

enum { WALKS = 300, STEPS = 120, LOG_BYTES = 1 << 18 };
#define START "2026-01-01T00:00:00Z"
#define SELECT "\"select\":{\"groups\":[\"g\"],\"ids\":[\"j\"]}"
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)

struct walk {
    struct shard_rig rig;
    uint64_t random;
    int64_t now_ms;
    bool paused;
    bool is_narrow; /* there is one place for open runs, and another job wants it, too */
    int64_t slots;    /* that came due while the job was active */
    int64_t answered; /* fired, left out or missed */
    int64_t newest_ms;
    char log[LOG_BYTES];
    size_t length;
};

static uint64_t draw(struct walk *walk, uint64_t below)
{
    return walk_draw(&walk->random, below);
}

static const char *now(const struct walk *walk)
{
    static char text[INSTANT_TEXT_BYTES];
    instant_format(walk->now_ms, text);
    return text;
}

/* One line that was said. */
static void read_line(struct walk *walk, const char *line)
{
    char time[64];
    char kind[32];
    char what[32];
    if (sscanf(line, "fire g/j %63s %31s", time, kind) == 2 && strcmp(kind, "trigger") != 0) {
        char whole[80];
        (void)snprintf(whole, sizeof whole, "2026-%sZ", time);
        int64_t nominal_ms = rig_instant(whole);
        assert_true(nominal_ms > walk->newest_ms);
        walk->newest_ms = nominal_ms;
        walk->answered++;
    }
    const char *count = strstr(line, " count=");
    if (sscanf(line, "event %31s g/j ", what) == 1 && count != NULL && strstr(line, " g/j ") &&
        (strcmp(what, "missed") == 0 || strcmp(what, "skipped") == 0))
        walk->answered += strtol(count + 7, NULL, 10);
}

static void listen(struct walk *walk)
{
    const char *said = rig_said(&walk->rig);
    size_t length = strlen(said);
    assert_true(walk->length + length < sizeof walk->log);
    memcpy(walk->log + walk->length, said, length + 1);
    for (char *line = walk->log + walk->length; *line != '\0';) {
        char *end = strchr(line, '\n');
        *end = '\0';
        read_line(walk, line);
        *end = '\n';
        line = end + 1;
    }
    walk->length += length;
    assert_true(rig_open_runs(&walk->rig) <= 1);
}

/* ---- steps ---- */

static void pass(struct walk *walk, int64_t ms)
{
    int64_t before_ms = walk->now_ms;
    walk->now_ms += ms;
    if (!walk->paused) walk->slots += walk->now_ms / MINUTE - before_ms / MINUTE;
}

static void step_time(struct walk *walk)
{
    for (uint64_t hops = 1 + draw(walk, 8); hops > 0; hops--) {
        pass(walk, SECOND + (int64_t)draw(walk, 25) * SECOND);
        rig_advance(&walk->rig, now(walk));
    }
}

static void step_outage(struct walk *walk)
{
    pass(walk, MINUTE + (int64_t)draw(walk, 20) * MINUTE);
    rig_advance(&walk->rig, now(walk));
}

static void step_end(struct walk *walk)
{
    pass(walk, SECOND);
    if (rig_open_runs(&walk->rig) == 0) return;
    rig_report_of(&walk->rig, rig_oldest_run(&walk->rig), now(walk), "success");
}

static void command(struct walk *walk, const char *json)
{
    pass(walk, SECOND);
    rig_command(&walk->rig, now(walk), NULL, json);
}

static void step_pause(struct walk *walk)
{
    command(walk, walk->paused ? "{\"op\":\"resume\"," SELECT "}"
                               : "{\"op\":\"pause\"," SELECT "}");
    walk->paused = !walk->paused;
}

static void step_update(struct walk *walk)
{
    static const char *const sets[] = {
        "\"overlap\":\"skip\",\"overlap_limit\":null",
        "\"overlap\":\"buffer_one\",\"overlap_limit\":null",
        "\"overlap\":\"buffer_all\",\"overlap_limit\":2",
        "\"overlap\":\"buffer_all\",\"overlap_limit\":null",
        "\"overlap\":\"cancel_other\",\"overlap_limit\":null",
        "\"payload\":7",
        "\"catchup\":{\"policy\":\"all\",\"window\":\"10m\"}",
        "\"catchup\":{\"policy\":\"none\"}",
    };
    char json[512];
    (void)snprintf(json, sizeof json, "{\"op\":\"update\"," SELECT ",\"set\":{%s}}",
                   sets[draw(walk, sizeof sets / sizeof sets[0])]);
    command(walk, json);
}

static void step_trigger(struct walk *walk)
{
    command(walk, "{\"op\":\"trigger\"," SELECT "}");
}

static void step_restart(struct walk *walk)
{
    walk->rig.reports_unread = walk->is_narrow;
    rig_restart(&walk->rig);
}

static void step_caught_up(struct walk *walk)
{
    pass(walk, SECOND);
    if (walk->rig.reports_unread) rig_reports_caught_up(&walk->rig, now(walk));
}

static void (*const steps[])(struct walk *) = {
    step_time,  step_time,   step_time,    step_time,    step_end,     step_end,
    step_end,   step_outage, step_pause,   step_update,  step_trigger, step_restart,
    step_caught_up,
};

/* Until nothing is owed and no run is open. */
static void finish(struct walk *walk)
{
    if (walk->paused) step_pause(walk);
    step_caught_up(walk);
    if (walk->is_narrow)
        command(walk, "{\"op\":\"delete\",\"select\":{\"groups\":[\"g\"],\"ids\":[\"k\"]}}");
    listen(walk);
    for (int ends = 0;; ends++) {
        assert_true(ends < 10000);
        step_end(walk);
        listen(walk);
        rig_advance(&walk->rig, now(walk));
        listen(walk);
        const struct job *job = shard_find(walk->rig.shard, text_of("g"), text_of("j"));
        if (rig_open_runs(&walk->rig) == 0 && !job_owes(job)) break;
    }
    assert_int_equal(walk->answered, walk->slots);
}

static void go(struct walk *walk, uint64_t seed, bool restart_always, bool is_narrow)
{
    memset(walk, 0, sizeof *walk);
    walk->random = seed * 0x9e3779b97f4a7c15U + 1;
    rig_open(&walk->rig, START);
    walk->is_narrow = is_narrow;
    if (is_narrow) walk->rig.runs_open_max = 1;
    rig_restart(&walk->rig);
    walk->rig.allows_runs = true;
    walk->rig.restart_always = restart_always;
    walk->now_ms = rig_instant(START);
    rig_command(&walk->rig, START, NULL,
                "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"j\",\"schedule\":{\"every\":"
                "\"1m\",\"anchor\":\"epoch\"},\"lease\":\"5m\",\"workers\":\"w\","
                "\"overlap\":\"skip\"}}");
    if (is_narrow)
        rig_command(&walk->rig, START, NULL,
                    "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"k\",\"schedule\":{"
                    "\"every\":\"5m\",\"anchor\":\"epoch\"},\"lease\":\"5m\",\"workers\":\"w\"}}");
    for (int i = 0; i < STEPS; i++) {
        steps[draw(walk, sizeof steps / sizeof steps[0])](walk);
        listen(walk);
    }
    finish(walk);
    rig_close(&walk->rig);
}

static void no_slot_is_lost_and_no_two_runs_overlap(void **state)
{
    static struct walk walk;
    static struct walk restarted;
    (void)state;
    for (uint64_t seed = 1; seed <= walks_of(WALKS); seed++) {
        go(&walk, seed, false, false);
        go(&restarted, seed, true, false);
        assert_string_equal(restarted.log, walk.log);
    }
}

static void no_slot_is_lost_where_fires_are_held(void **state)
{
    static struct walk walk;
    (void)state;
    for (uint64_t seed = 1; seed <= walks_of(WALKS / 3); seed++) {
        go(&walk, seed, false, true);
        go(&walk, seed, true, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_slot_is_lost_and_no_two_runs_overlap),
        cmocka_unit_test(no_slot_is_lost_where_fires_are_held),
    };
    return cmocka_run_group_tests_name("overlap, random walks", tests, NULL, NULL);
}
