/* A slot keeps its id and its delay, whatever happens to the job's schedule and jitter while it is
 * fired, waits, fails or is owed. */
#include "dispatcher/shard/job.h"
#include "lib/time/instant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

#define SELECTED "\"select\":{\"groups\":[\"g\"]}"
#define EDIT(set) "{\"op\":\"update\"," SELECTED ",\"set\":{" set "}}"
#define HOURLY "{\"cron\":\"0 * * * *\",\"zone\":\"Europe/Berlin\"}"
#define DAILY "{\"cron\":\"0 2 * * *\",\"zone\":\"Europe/Berlin\"}"
#define EDITED "result update applied matched=1 changed=1\n"

static const char *const start = "2026-01-01T00:00:30Z";
static const int64_t one_ms = 1767229200000; /* 2026-01-01T01:00:00Z */

static const char *at(int64_t instant_ms)
{
    static char text[INSTANT_TEXT_BYTES];
    instant_format(instant_ms, text);
    return text;
}

static const struct job *open_job(struct shard_rig *rig, const char *schedule, const char *more,
                                  bool restarted)
{
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":%s%s}}",
                   schedule, more);
    rig_open(rig, start);
    rig->restart_always = restarted;
    rig_command(rig, start, NULL, json);
    assert_string_equal(rig_said(rig), "result add applied matched=1 changed=1\n");
    return shard_find(rig->shard, text_of("g"), text_of("a"));
}

static void a_one_shot_is_not_fired_again_by_another_delay(void **state)
{
    struct shard_rig rig;
    (void)open_job(&rig, "{\"at\":\"2026-01-01T01:00:00Z\"}", "", *state != NULL);
    rig_advance(&rig, at(one_ms));
    assert_string_equal(rig_said(&rig),
                        "fire g/a 01-01T01:00:00 schedule\nevent exhausted g/a\n");
    rig_command(&rig, at(one_ms + 1), NULL, EDIT("\"jitter\":\"24h\""));
    assert_string_equal(rig_said(&rig), "event skipped g/a first=01-01T01:00:00 "
                                        "last=01-01T01:00:00 count=1 already_due\n"
                                        "event exhausted g/a\n" EDITED);
    rig_advance(&rig, at(one_ms + INT64_C(90000000)));
    assert_null(strstr(rig_said(&rig), "fire"));
    rig_close(&rig);
}

/* Its own time has come, its delay is not over: it waits, also over restarts. */
static void a_one_shot_waits_for_its_delay(void **state)
{
    struct shard_rig rig;
    (void)open_job(&rig, "{\"at\":\"2026-01-01T00:00:00Z\"}", ",\"jitter\":\"24h\"",
                   *state != NULL);
    const struct job *job = shard_find(rig.shard, text_of("g"), text_of("a"));
    assert_true(job_has_pending(job));
    int64_t due_ms = ledger_waiting_slot(&job->extra->ledger, 0).due_ms;
    rig_advance(&rig, at(due_ms - 1));
    assert_string_equal(rig_said(&rig), "");
    rig_advance(&rig, at(due_ms));
    assert_string_equal(rig_said(&rig),
                        "fire g/a 01-01T00:00:00 schedule\nevent exhausted g/a\n");
    rig_close(&rig);
}

static void a_one_shot_that_waits_in_a_pause_is_left_out(void **state)
{
    struct shard_rig rig;
    (void)open_job(&rig, "{\"at\":\"2026-01-01T00:00:00Z\"}", ",\"jitter\":\"24h\"",
                   *state != NULL);
    rig_command(&rig, start, NULL, "{\"op\":\"pause\"," SELECTED "}");
    (void)rig_said(&rig);
    rig_command(&rig, at(one_ms + INT64_C(90000000)), NULL, "{\"op\":\"resume\"," SELECTED "}");
    assert_string_equal(rig_said(&rig), "event resumed g/a from=01-01T00:00:30 to=01-02T02:00:00\n"
                                        "event skipped g/a first=01-01T00:00:00 "
                                        "last=01-01T00:00:00 count=1 paused\n"
                                        "event exhausted g/a\n"
                                        "result resume applied matched=1 changed=1\n");
    rig_close(&rig);
}

/* What a pause left out is asked for again: the slot that waited over an edit, too. */
static void a_waiting_slot_comes_with_resume_from(void **state)
{
    struct shard_rig rig;
    (void)open_job(&rig, "{\"cron\":\"0 * * * *\",\"zone\":\"UTC\"}", ",\"jitter\":\"10m\"",
                   *state != NULL);
    rig_command(&rig, at(one_ms + 1), NULL,
                EDIT("\"schedule\":{\"cron\":\"0,59 * * * *\",\"zone\":\"UTC\"}"));
    rig_command(&rig, at(one_ms + 2), NULL, "{\"op\":\"pause\"," SELECTED "}");
    (void)rig_said(&rig);
    rig_command(&rig, at(one_ms + 1200000), NULL,
                "{\"op\":\"resume\"," SELECTED ",\"from\":\"paused_at\"}");
    rig_advance(&rig, at(one_ms + 1200000));
    if (strstr(rig_said(&rig), "fire g/a 01-01T01:00:00 catchup\n") == NULL)
        fail_msg("the slot of 01:00 is lost");
    rig_close(&rig);
}

/* A fire that fails again after the schedule has got another delay keeps its id. */
static void a_failing_slot_keeps_its_id(void **state)
{
    struct shard_rig rig;
    const struct job *job = open_job(&rig, "{\"cron\":\"0 * * * *\",\"zone\":\"UTC\"}", "",
                                     false);
    struct sink sink = rig_test_sink(&rig);
    struct failed_fire failed = {.slot = job->slot, .incarnation = job->incarnation,
                                 .kind = FIRE_SCHEDULE, .nominal_ms = one_ms, .due_ms = one_ms,
                                 .attempt = 1, .reason = "test"};
    rig_advance(&rig, at(one_ms));
    shard_fire_failed(rig.shard, &failed, one_ms, &sink);
    rig_test_commit(&rig);
    rig.restart_always = *state != NULL;
    rig_command(&rig, at(one_ms + 10), NULL,
                EDIT("\"schedule\":{\"cron\":\"32 * * * *\",\"zone\":\"UTC\"},\"jitter\":\"59m\""));
    for (int again = 0; again < 2; again++) {
        (void)rig_said(&rig);
        sink = rig_test_sink(&rig);
        int64_t now_ms = one_ms + 5000 * (again + 1);
        assert_true(shard_retry(rig.shard, now_ms, &sink));
        const char *said = rig_said(&rig);
        if (strstr(said, "fire g/a 01-01T01:00:00 retry") == NULL) fail_msg("%s", said);
        failed.kind = FIRE_RETRY;
        failed.attempt++;
        shard_fire_failed(rig.shard, &failed, now_ms, &sink);
        rig_test_commit(&rig);
    }
    rig_close(&rig);
}

/* The newest slot is kept as a range of its own, with its delay: the record says so. */
static void an_owed_slot_keeps_its_delay(void **state)
{
    (void)state;
    struct shard_rig rig;
    const struct job *job = open_job(&rig, "{\"cron\":\"0 * * * *\",\"zone\":\"UTC\"}",
                                     ",\"jitter\":\"10m\"", false);
    int64_t due_ms = schedule_due(&job->schedule->spec, one_ms);
    char delay[64];
    char now[INSTANT_TEXT_BYTES];
    instant_format(due_ms + 1200000, now);
    (void)snprintf(delay, sizeof delay, "\"delay_ms\":%lld}", (long long)(due_ms - one_ms));
    rig_command(&rig, at(due_ms + 1000), now, "{\"op\":\"pause\"," SELECTED "}");
    if (strstr(rig_record(&rig, "g/a"), delay) == NULL) fail_msg("%s", rig_record(&rig, "g/a"));
    rig_close(&rig);
}

/* Its nominal time is before the start, its due time is not: it is no slot of the job. */
static void a_start_leaves_out_a_slot_that_waits(void **state)
{
    struct shard_rig rig;
    (void)open_job(&rig, "{\"cron\":\"0 * * * *\",\"zone\":\"UTC\"}",
                   ",\"jitter\":\"59m\",\"start\":\"2026-01-01T01:00:00.001Z\"", *state != NULL);
    rig_command(&rig, at(one_ms + 2), NULL,
                EDIT("\"schedule\":{\"cron\":\"30 * * * *\",\"zone\":\"UTC\"}"));
    assert_string_equal(rig_said(&rig), EDITED);
    rig_close(&rig);
}

/* What is owed and older comes first. */
static void a_waiting_slot_queues_behind_what_is_owed(void **state)
{
    struct shard_rig rig;
    char now[INSTANT_TEXT_BYTES];
    (void)open_job(&rig, "{\"cron\":\"0 * * * *\",\"zone\":\"UTC\"}",
                   ",\"jitter\":\"10m\",\"catchup\":{\"policy\":\"all\"}", *state != NULL);
    instant_format(one_ms + 5400000, now);
    rig_command(&rig, at(one_ms + 3600001), now,
                EDIT("\"schedule\":{\"cron\":\"0 1-20 * * *\",\"zone\":\"UTC\"}"));
    rig_advance(&rig, now);
    const char *said = rig_said(&rig);
    const char *first = strstr(said, "fire g/a 01-01T01:00:00 catchup\n");
    const char *second = strstr(said, "fire g/a 01-01T02:00:00 catchup\n");
    if (first == NULL || second == NULL || second < first) fail_msg("%s", said);
    rig_close(&rig);
}

/* A schedule's slots come after the edit that brings it, by nominal time, also behind a failure. */
static void a_failure_brings_no_slot_before_the_edit(void **state)
{
    struct shard_rig rig;
    const struct job *job = open_job(&rig, "{\"cron\":\"0 * * * *\",\"zone\":\"UTC\"}", "",
                                     false);
    struct sink sink = rig_test_sink(&rig);
    struct failed_fire failed = {.slot = job->slot, .incarnation = job->incarnation,
                                 .kind = FIRE_SCHEDULE, .nominal_ms = one_ms, .due_ms = one_ms,
                                 .attempt = 1, .reason = "test"};
    rig_advance(&rig, at(one_ms));
    shard_fire_failed(rig.shard, &failed, one_ms, &sink);
    rig_test_commit(&rig);
    rig.restart_always = *state != NULL;
    int64_t edited_ms = one_ms + 2640001; /* just after 01:44 */
    rig_command(&rig, at(edited_ms), NULL,
                EDIT("\"schedule\":{\"cron\":\"44 * * * *\",\"zone\":\"UTC\"},\"jitter\":\"30m\""));
    sink = rig_test_sink(&rig);
    assert_true(shard_retry(rig.shard, edited_ms, &sink));
    failed.kind = FIRE_RETRY;
    shard_fire_failed(rig.shard, &failed, edited_ms, &sink);
    rig_test_commit(&rig);
    rig_advance(&rig, at(edited_ms + 1800000));
    sink = rig_test_sink(&rig);
    assert_true(shard_retry(rig.shard, edited_ms + 1800000, &sink));
    rig_test_commit(&rig);
    rig_advance(&rig, at(edited_ms + 1800000));
    const char *said = rig_said(&rig);
    if (strstr(said, "fire g/a 01-01T01:44:00") != NULL) fail_msg("%s", said);
    assert_non_null(strstr(said, "fire g/a 01-01T01:00:00 retry"));
    rig_close(&rig);
}

/* The job's slot at 01:00 waits for its delay when the shard is restored with other zone data; what
 * is said then and when the delay is over. */
static const char *said_with_other_zone_data(struct shard_rig *rig, const char *schedule,
                                             const char *jitter)
{
    const struct job *job = open_job(rig, schedule, jitter, false);
    int64_t due_ms = schedule_due(&job->schedule->spec, one_ms);
    assert_true(due_ms > one_ms + 1);
    rig_advance(rig, at(one_ms + 1));
    assert_string_equal(rig_said(rig), "");
    rig->mark.watermark.instant_ms = one_ms + 1;
    rig->mark.tz_changed_ms = one_ms + 1;
    rig_restart(rig);
    rig_advance(rig, at(one_ms + 1));
    rig_restart(rig); /* a later owner comes to the same */
    rig_advance(rig, at(due_ms));
    return rig_said(rig);
}

static void other_zone_data_leaves_a_delay_that_no_slot_bounds(void **state)
{
    (void)state;
    struct shard_rig rig;
    const char *said = said_with_other_zone_data(&rig, DAILY, ",\"jitter\":\"3h\"");
    assert_string_equal(said, "fire g/a 01-01T01:00:00 schedule\n");
    rig_close(&rig);
}

static void other_zone_data_may_have_moved_a_delay_that_a_slot_bounds(void **state)
{
    (void)state;
    struct shard_rig rig;
    const char *said = said_with_other_zone_data(&rig, HOURLY, ",\"jitter\":\"24h\"");
    assert_string_equal(said, "event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 "
                              "zone_data\n");
    const struct job *job = shard_find(rig.shard, text_of("g"), text_of("a"));
    rig_advance(&rig, at(schedule_due(&job->schedule->spec, one_ms + INT64_C(3600000))));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T02:00:00 schedule\n");
    rig_close(&rig);
}

static int times(const char *said, const char *words)
{
    int count = 0;
    for (const char *at = strstr(said, words); at != NULL; at = strstr(at + 1, words)) count++;
    return count;
}

/* Other zone data came in a pause, in which no slot waited. What waits when the pause is over
 * fires, by the next owner, too. */
static void other_zone_data_in_a_pause_leaves_out_nothing_later(void **state)
{
    (void)state;
    struct shard_rig rig;
    const struct job *job = open_job(&rig, HOURLY, ",\"jitter\":\"24h\"", false);
    int64_t due_ms = schedule_due(&job->schedule->spec, one_ms);
    rig_command(&rig, start, NULL, "{\"op\":\"pause\"," SELECTED "}");
    rig_advance(&rig, at(one_ms + 1));
    rig.mark.tz_changed_ms = one_ms + 1;
    rig_restart(&rig);
    rig_command(&rig, at(one_ms + 2), NULL, "{\"op\":\"resume\"," SELECTED "}");
    (void)rig_said(&rig);
    rig_restart(&rig);
    rig_advance(&rig, at(due_ms));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T01:00:00 schedule\n");
    rig_close(&rig);
}

/* The job's record gets another state and more members; then other zone data comes. */
static void zone_data_comes(struct shard_rig *rig, const char *state, const char *more,
                            int64_t changed_ms)
{
    char json[1024];
    const char *record = rig_record(rig, "g/a");
    const char *active = strstr(record, "\"active\"");
    assert_non_null(active);
    (void)snprintf(json, sizeof json, "%.*s\"%s\"%.*s,%s}", (int)(active - record), record, state,
                   (int)strlen(active + 8) - 1, active + 8, more);
    for (size_t i = 0; i < rig->record_count; i++) {
        if (strcmp(rig->records[i].key, "job/g/a") != 0) continue;
        free(rig->records[i].value);
        rig->records[i].value = strdup(json);
    }
    rig->mark.watermark.instant_ms = changed_ms;
    rig->mark.tz_changed_ms = changed_ms;
    rig_restart(rig);
}

/* The slot of 03:00 was due at 03:00:00.001 by earlier zone data, and is owed alone, with that
 * delay. By the present data it is due later. */
static void open_owed_alone(struct shard_rig *rig, const char *owed_before, const char *state,
                            const char *more)
{
    char json[512];
    const struct job *job = open_job(rig, HOURLY,
                                     ",\"jitter\":\"24h\",\"catchup\":{\"policy\":\"all\"}", false);
    assert_true(schedule_due(&job->schedule->spec, one_ms + 7200000) > one_ms + 7200002);
    (void)snprintf(json, sizeof json, "\"owed\":[%s{\"from\":\"2026-01-01T03:00:00Z\",\"to\":"
                   "\"2026-01-01T03:00:00.001Z\",\"delay_ms\":1}]%s", owed_before, more);
    zone_data_comes(rig, state, json, one_ms + 7200002);
}

#define TWO_BEFORE "{\"from\":\"2026-01-01T00:59:59.999Z\",\"to\":\"2026-01-01T03:00:00Z\"},"
#define TAIL ",\"tail_from\":\"2026-01-01T03:00:00.001Z\""

/* All slots before 04:00 fire, each once. */
static void assert_all_fired(struct shard_rig *rig, bool restarted)
{
    if (restarted) {
        rig_restart(rig);
        assert_int_equal(rig->mark.tz_changed_ms, 0);
    }
    rig_advance(rig, at(one_ms + INT64_C(10799999)));
    const char *said = rig_said(rig);
    if (times(said, "fire") != 3 || times(said, "fire g/a 01-01T01:00:00") != 1 ||
        times(said, "fire g/a 01-01T03:00:00") != 1 || times(said, "skipped") != 0)
        fail_msg("%s", said);
    rig_close(rig);
}

static void what_is_owed_alone_fires_once_by_other_zone_data(void **state)
{
    struct shard_rig rig;
    open_owed_alone(&rig, TWO_BEFORE, "active", TAIL);
    rig_advance(&rig, at(one_ms + 7200003));
    assert_all_fired(&rig, *state != NULL);
}

static void what_is_owed_alone_in_a_pause_fires_once_by_other_zone_data(void **state)
{
    struct shard_rig rig;
    open_owed_alone(&rig, TWO_BEFORE, "paused",
                    ",\"paused\":true,\"paused_at\":\"2026-01-01T03:00:00.002Z\"");
    rig_command(&rig, at(one_ms + 7200003), NULL, "{\"op\":\"resume\"," SELECTED "}");
    assert_all_fired(&rig, *state != NULL);
}

static void what_failed_fires_once_by_other_zone_data(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_owed_alone(&rig, "", "failing",
                    TAIL ",\"failing\":{\"since\":\"2026-01-01T03:00:00.001Z\","
                    "\"retry_at\":\"2026-01-01T03:00:01Z\",\"attempts\":1}");
    struct sink sink = rig_test_sink(&rig);
    rig_advance(&rig, at(one_ms + 7201000));
    assert_true(shard_retry(rig.shard, one_ms + 7201000, &sink));
    rig_test_commit(&rig);
    rig_advance(&rig, at(one_ms + INT64_C(10800000)));
    const char *said = rig_said(&rig);
    if (times(said, "fire g/a 01-01T03:00:00") != 1) fail_msg("%s", said);
    rig_close(&rig);
}

/* It was named when it was left out. By yet other data its delay would not be in question. */
static void what_was_left_out_stays_so_by_yet_other_zone_data(void **state)
{
    struct shard_rig rig;
    const struct job *job = open_job(&rig, DAILY,
                                     ",\"jitter\":\"3h\",\"catchup\":{\"policy\":\"all\"}", false);
    int64_t due_ms = schedule_due(&job->schedule->spec, one_ms);
    assert_true(due_ms > one_ms + 1);
    zone_data_comes(&rig, "active", *state == NULL
                    ? "\"zone_data_left_out\":\"2026-01-01T01:00:00Z\""
                    : "\"zone_data_left_out\":\"2026-01-01T01:00:00Z\",\"owed\":[{\"from\":"
                      "\"2026-01-01T01:00:00.001Z\",\"to\":\"2026-01-01T06:00:00Z\"}],"
                      "\"tail_from\":\"2026-01-01T06:00:00Z\"", one_ms + 1);
    rig_advance(&rig, at(due_ms));
    assert_string_equal(rig_said(&rig), "");
    rig_advance(&rig, at(one_ms + INT64_C(97200000)));
    if (times(rig_said(&rig), "fire g/a 01-02T01:00:00") != 1) fail_msg("it fires no more");
    rig_close(&rig);
}

/* What was owed when the schedule was edited has a schedule of its own. Its slot of 01:00 has
 * fired, a millisecond after its nominal time. */
static void what_is_owed_since_before_an_edit_fires_once_by_other_zone_data(void **state)
{
    (void)state;
    struct shard_rig rig;
    const struct job *job = open_job(&rig, HOURLY,
                                     ",\"jitter\":\"24h\",\"catchup\":{\"policy\":\"all\"}", false);
    assert_true(schedule_due(&job->schedule->spec, one_ms) > one_ms + 1);
    zone_data_comes(&rig, "active",
                    "\"last_due\":\"2026-01-01T01:00:00Z\",\"schedule_edited_at\":"
                    "\"2026-01-01T04:00:00Z\",\"owed\":[{\"from\":\"2026-01-01T01:00:00.001Z\","
                    "\"to\":\"2026-01-01T03:30:00Z\",\"jitter\":\"24h\",\"schedule\":" HOURLY
                    "}],\"tail_from\":\"2026-01-01T04:00:00Z\"",
                    one_ms + 3 * 3600000);
    rig_advance(&rig, at(one_ms + 3 * 3600000 + 1));
    const char *said = rig_said(&rig);
    if (times(said, "fire g/a 01-01T02:00:00") != 1 || times(said, "01-01T01:00:00") != 0)
        fail_msg("%s", said);
    rig_close(&rig);
}

/* A command that takes several transactions goes on after a change of owner: first the slots are
 * named that other zone data leaves out, or its records would say that they were. */
static void other_zone_data_in_the_middle_of_a_command(void **state)
{
    (void)state;
    struct shard_rig rig;
    (void)open_job(&rig, HOURLY, ",\"jitter\":\"24h\"", false);
    rig_command(&rig, start, NULL, "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"b\","
                "\"jitter\":\"24h\",\"schedule\":" HOURLY "}}");
    rig_advance(&rig, at(one_ms + 1));
    (void)rig_said(&rig);
    rig.mark.tz_changed_ms = one_ms + 1;
    rig.mark.in_command = (struct in_command){.active = true, .offset = rig.offset, .ordinal = -1,
                                              .effective_ms = one_ms + 1, .matched = 2};
    rig.batch_max = 1;
    rig.restart_always = true;
    rig_restart(&rig);
    rig_command(&rig, at(one_ms + 1), NULL, EDIT("\"payload\":1"));
    rig_advance(&rig, at(one_ms + 3599999));
    const char *said = rig_said(&rig);
    if (times(said, "skipped g/a") != 1 || times(said, "skipped g/b") != 1 ||
        times(said, "fire") != 0)
        fail_msg("%s", said);
    rig_close(&rig);
}

#define BOTH(test) {#test, test, NULL, NULL, NULL}, {#test ", restarted", test, NULL, NULL, "r"}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        BOTH(a_one_shot_is_not_fired_again_by_another_delay),
        BOTH(a_one_shot_waits_for_its_delay),
        BOTH(a_one_shot_that_waits_in_a_pause_is_left_out),
        BOTH(a_waiting_slot_comes_with_resume_from),
        BOTH(a_failing_slot_keeps_its_id),
        BOTH(a_start_leaves_out_a_slot_that_waits),
        BOTH(a_waiting_slot_queues_behind_what_is_owed),
        BOTH(a_failure_brings_no_slot_before_the_edit),
        cmocka_unit_test(an_owed_slot_keeps_its_delay),
        cmocka_unit_test(other_zone_data_leaves_a_delay_that_no_slot_bounds),
        cmocka_unit_test(other_zone_data_may_have_moved_a_delay_that_a_slot_bounds),
        cmocka_unit_test(other_zone_data_in_a_pause_leaves_out_nothing_later),
        BOTH(what_is_owed_alone_fires_once_by_other_zone_data),
        BOTH(what_is_owed_alone_in_a_pause_fires_once_by_other_zone_data),
        BOTH(what_was_left_out_stays_so_by_yet_other_zone_data),
        cmocka_unit_test(what_is_owed_since_before_an_edit_fires_once_by_other_zone_data),
        cmocka_unit_test(other_zone_data_in_the_middle_of_a_command),
        cmocka_unit_test(what_failed_fires_once_by_other_zone_data),
    };
    return cmocka_run_group_tests_name("delays", tests, NULL, NULL);
}
