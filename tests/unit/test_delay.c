/* Other zone data: slots that are owed or failed, or were left out, fire once or not at all. The
 * job's record is made what an earlier owner may have written. More of delays is told in
 * tests/stories/delays.story and tests/stories/waiting-slots.story. */
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

static const char *const start = "2026-01-01T00:00:30Z";
static const int64_t one_ms = 1767229200000; /* 2026-01-01T01:00:00Z */

static const char *at(int64_t instant_ms)
{
    static char text[INSTANT_TEXT_BYTES];
    instant_format(instant_ms, text);
    return text;
}

static const struct job *open_job(struct shard_rig *rig, const char *schedule, const char *more)
{
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":%s%s}}",
                   schedule, more);
    rig_open(rig, start);
    rig_command(rig, start, NULL, json);
    assert_string_equal(rig_said(rig), "result add applied matched=1 changed=1\n");
    return shard_find(rig->shard, text_of("g"), text_of("a"));
}

static int times(const char *said, const char *words)
{
    int count = 0;
    for (const char *at = strstr(said, words); at != NULL; at = strstr(at + 1, words)) count++;
    return count;
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
                                     ",\"jitter\":\"24h\",\"catchup\":{\"policy\":\"all\"}");
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
                                     ",\"jitter\":\"3h\",\"catchup\":{\"policy\":\"all\"}");
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
                                     ",\"jitter\":\"24h\",\"catchup\":{\"policy\":\"all\"}");
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
    (void)open_job(&rig, HOURLY, ",\"jitter\":\"24h\"");
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
        BOTH(what_is_owed_alone_fires_once_by_other_zone_data),
        BOTH(what_is_owed_alone_in_a_pause_fires_once_by_other_zone_data),
        BOTH(what_was_left_out_stays_so_by_yet_other_zone_data),
        cmocka_unit_test(what_is_owed_since_before_an_edit_fires_once_by_other_zone_data),
        cmocka_unit_test(other_zone_data_in_the_middle_of_a_command),
        cmocka_unit_test(what_failed_fires_once_by_other_zone_data),
    };
    return cmocka_run_group_tests_name("delays", tests, NULL, NULL);
}
