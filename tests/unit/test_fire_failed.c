/* Fires that could not be produced: what is owed again, in which order, and until when. */
#include "dispatcher/shard/job.h"
#include "lib/base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

#define AT(clock) "2026-01-01T" clock "Z"
#define FAILED(clock) \
    "event fire_failed g/a first=01-01T" clock " last=01-01T" clock " count=1 test\n"

/* A job g/a with this schedule and these further members, added at midnight. */
static void open_job(struct shard_rig *rig, const char *schedule, const char *more)
{
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":%s%s}}",
                   schedule, more);
    rig_open(rig, AT("00:00:00"));
    rig_command(rig, AT("00:00:00"), NULL, json);
    assert_string_equal(rig_said(rig), "result add applied matched=1 changed=1\n");
}

static void fail_fire(struct shard_rig *rig, enum fire_kind kind, const char *nominal,
                      int32_t attempt, const char *now)
{
    struct sink sink = rig_test_sink(rig);
    struct job *job = shard_find(rig->shard, text_of("g"), text_of("a"));
    assert_non_null(job);
    struct failed_fire failed = {.slot = job->slot,
                                 .incarnation = job->incarnation,
                                 .kind = kind,
                                 .nominal_ms = rig_instant(nominal),
                                 .due_ms = rig_instant(nominal),
                                 .attempt = attempt,
                                 .backfill_id = "b",
                                 .reason = "test"};
    shard_fire_failed(rig->shard, &failed, rig_instant(now), &sink);
}

static bool retry(struct shard_rig *rig, const char *now)
{
    struct sink sink = rig_test_sink(rig);
    bool retried = shard_retry(rig->shard, rig_instant(now), &sink);
    rig_test_commit(rig);
    return retried;
}

static size_t failing(const struct shard_rig *rig)
{
    struct shard_counts counts;
    shard_count(rig->shard, &counts);
    return counts.failing;
}

static void of_a_job_that_is_gone(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", "");
    struct sink sink = rig_test_sink(&rig);
    const struct job *job = shard_find(rig.shard, text_of("g"), text_of("a"));
    const struct failed_fire good = {.slot = job->slot, .incarnation = job->incarnation,
                                     .kind = FIRE_SCHEDULE, .reason = "test"};
    struct failed_fire failed[] = {good, good, good, good};
    failed[0].slot = shard_slots(rig.shard) + 7;
    failed[1].incarnation.offset++;
    failed[2].incarnation.index++;
    for (int i = 0; i < 3; i++)
        shard_fire_failed(rig.shard, &failed[i], rig_instant(AT("00:00:10")), &sink);
    rig_command(&rig, AT("00:00:20"), NULL, "{\"op\":\"delete\",\"select\":{\"all\":true}}");
    (void)rig_said(&rig);
    shard_fire_failed(rig.shard, &failed[3], rig_instant(AT("00:00:20")), &sink);
    assert_string_equal(rig_said(&rig), "");
    assert_int_equal(failing(&rig), 0);
    rig_close(&rig);
}

static void a_trigger_is_not_owed(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", "");
    fail_fire(&rig, FIRE_TRIGGER, AT("00:00:05"), 1, AT("00:00:05"));
    assert_string_equal(rig_said(&rig), FAILED("00:00:05"));
    assert_int_equal(failing(&rig), 0);
    rig_advance(&rig, AT("00:00:10"));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 schedule\n");
    rig_close(&rig);
}

/* Failures are reported newest first; the oldest slot is tried first. */
static void several_of_one_transaction(void **state)
{
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", "");
    rig_advance(&rig, AT("00:00:30"));
    (void)rig_said(&rig);
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:30"), 1, AT("00:00:30"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:20"), 1, AT("00:00:30"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:10"), 1, AT("00:00:30"));
    assert_int_equal(failing(&rig), 1);
    const struct job *job = shard_find(rig.shard, text_of("g"), text_of("a"));
    assert_int_equal(ledger_count(&job->extra->ledger), 1); /* side by side: one range */
    rig.restart_always = *state != NULL;
    rig_test_commit(&rig);
    (void)rig_said(&rig);
    assert_false(retry(&rig, AT("00:00:30.999")));
    assert_true(retry(&rig, AT("00:00:31")));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 retry attempt=2\n");
    assert_int_equal(failing(&rig), 0);
    rig_advance(&rig, AT("00:00:32"));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:20 catchup\n"
                                        "fire g/a 01-01T00:00:30 catchup\n");
    rig_advance(&rig, AT("00:00:40"));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:40 schedule\n");
    rig_close(&rig);
}

static void waits_grow_to_a_minute(void **state)
{
    (void)state;
    static const struct {
        int32_t attempt;
        int64_t wait_ms;
    } rows[] = {{1, 1000}, {2, 2000}, {3, 4000}, {6, 32000}, {7, 60000}, {8, 60000},
                {INT32_MAX, 60000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct shard_rig rig;
        int64_t now_ms = rig_instant(AT("01:00:00"));
        open_job(&rig, "{\"every\":\"1h\"}", "");
        rig_advance(&rig, AT("01:00:00"));
        fail_fire(&rig, FIRE_SCHEDULE, AT("01:00:00"), rows[i].attempt, AT("01:00:00"));
        assert_int_equal(shard_next_due_ms(rig.shard, now_ms) - now_ms, rows[i].wait_ms);
        rig_close(&rig);
    }
}

static void a_second_failure_waits_longer(void **state)
{
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"1h\"}", "");
    rig_advance(&rig, AT("01:00:00"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("01:00:00"), 1, AT("01:00:00"));
    rig.restart_always = *state != NULL;
    rig_test_commit(&rig);
    assert_true(retry(&rig, AT("01:00:01")));
    fail_fire(&rig, FIRE_RETRY, AT("01:00:00"), 2, AT("01:00:01"));
    rig_test_commit(&rig);
    (void)rig_said(&rig);
    assert_false(retry(&rig, AT("01:00:02")));
    assert_true(retry(&rig, AT("01:00:03")));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T01:00:00 retry attempt=3\n");
    rig_close(&rig);
}

/* Two alarms for one job: only that of the last failure counts. */
static void an_earlier_alarm_is_no_retry(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", "");
    rig_advance(&rig, AT("00:00:20"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:20"), 1, AT("00:00:20"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:10"), 3, AT("00:00:20"));
    (void)rig_said(&rig);
    assert_false(retry(&rig, AT("00:00:23")));
    assert_true(retry(&rig, AT("00:00:24")));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 retry attempt=4\n");
    rig_close(&rig);
}

static void a_finished_job_runs_again(void **state)
{
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", ",\"max_fires\":2");
    rig_advance(&rig, AT("00:00:20"));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 schedule\n"
                                        "fire g/a 01-01T00:00:20 schedule\n"
                                        "event exhausted g/a\n");
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:20"), 1, AT("00:00:20"));
    rig.restart_always = *state != NULL;
    rig_test_commit(&rig);
    (void)rig_said(&rig);
    assert_true(retry(&rig, AT("00:00:21")));
    assert_string_equal(rig_said(&rig),
                        "fire g/a 01-01T00:00:20 retry attempt=2\nevent exhausted g/a\n");
    rig_advance(&rig, AT("00:01:00"));
    assert_string_equal(rig_said(&rig), "");
    rig_close(&rig);
}

/* What was not delivered does not count towards max_fires. */
static void a_failed_fire_is_not_counted(void **state)
{
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", ",\"max_fires\":2");
    rig_advance(&rig, AT("00:00:10"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:10"), 1, AT("00:00:10"));
    rig.restart_always = *state != NULL;
    rig_test_commit(&rig);
    (void)rig_said(&rig);
    assert_true(retry(&rig, AT("00:00:11")));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 retry attempt=2\n");
    rig_advance(&rig, AT("00:00:40"));
    assert_string_equal(rig_said(&rig),
                        "fire g/a 01-01T00:00:20 schedule\nevent exhausted g/a\n");
    rig_close(&rig);
}

static void what_left_the_window_is_given_up(void **state)
{
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", ",\"end\":\"" AT("00:00:15") "\",\"catchup\":{"
             "\"policy\":\"all\",\"window\":\"1m\"}");
    rig_advance(&rig, AT("00:00:10"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:10"), 1, AT("00:00:10"));
    rig.restart_always = *state != NULL;
    rig_test_commit(&rig);
    (void)rig_said(&rig);
    assert_true(retry(&rig, AT("00:02:00")));
    assert_string_equal(rig_said(&rig),
                        "event missed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 "
                        "undeliverable\nevent exhausted g/a\n");
    assert_int_equal(failing(&rig), 0);
    rig_close(&rig);
}

static void a_range_is_given_up_with_one_event(void **state)
{
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", ",\"catchup\":{\"policy\":\"all\",\"window\":\"1m\"}");
    rig_advance(&rig, AT("00:00:10"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:10"), 1, AT("00:00:10"));
    rig.restart_always = *state != NULL;
    rig_test_commit(&rig);
    for (int second = 20; second <= 300; second += 10) {
        char now[sizeof AT("00:00:00") + 16];
        (void)snprintf(now, sizeof now, AT("00:%02d:%02d"), second / 60, second % 60);
        rig_advance(&rig, now);
    }
    (void)rig_said(&rig);
    assert_true(retry(&rig, AT("00:06:00")));
    assert_string_equal(rig_said(&rig),
                        "event missed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 "
                        "undeliverable\n"
                        "event missed g/a first=01-01T00:00:20 last=01-01T00:04:50 count=28 "
                        "undeliverable\n"
                        "fire g/a 01-01T00:05:00 retry\n");
    rig_close(&rig);
}

static void what_is_not_late_is_not_given_up(void **state)
{
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}",
             ",\"catchup\":{\"policy\":\"all\",\"window\":\"1s\",\"misfire_grace\":\"5m\"}");
    rig_advance(&rig, AT("00:00:10"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:10"), 1, AT("00:00:10"));
    rig.restart_always = *state != NULL;
    rig_test_commit(&rig);
    (void)rig_said(&rig);
    assert_true(retry(&rig, AT("00:00:19")));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 retry attempt=2\n");
    rig_close(&rig);
}

static void a_paused_job_is_not_retried(void **state)
{
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", ",\"catchup\":{\"policy\":\"all\"}");
    rig_advance(&rig, AT("00:00:10"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:10"), 1, AT("00:00:10"));
    rig.restart_always = *state != NULL;
    rig_test_commit(&rig);
    rig_command(&rig, AT("00:00:10.5"), NULL, "{\"op\":\"pause\",\"select\":{\"all\":true}}");
    (void)rig_said(&rig);
    assert_false(retry(&rig, AT("00:00:15")));
    rig_command(&rig, AT("00:00:35"), NULL, "{\"op\":\"resume\",\"select\":{\"all\":true}}");
    (void)rig_said(&rig);
    assert_true(retry(&rig, AT("00:00:36")));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 retry attempt=2\n");
    rig_close(&rig);
}

static void a_fire_of_the_transaction_of_its_pause(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", "");
    rig_command(&rig, AT("00:00:10"), NULL, "{\"op\":\"pause\",\"select\":{\"all\":true}}");
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:10"), 1, AT("00:00:10"));
    rig_test_commit(&rig);
    rig_restart(&rig);
    (void)rig_said(&rig);
    assert_false(retry(&rig, AT("00:00:11")));
    rig_command(&rig, AT("00:00:25"), NULL, "{\"op\":\"resume\",\"select\":{\"all\":true}}");
    (void)rig_said(&rig);
    assert_true(retry(&rig, AT("00:00:25")));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 retry attempt=2\n");
    rig_advance(&rig, AT("00:00:30"));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:30 schedule\n");
    rig_close(&rig);
}

static void a_deleted_job_is_not_retried(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"10s\"}", "");
    rig_advance(&rig, AT("00:00:10"));
    fail_fire(&rig, FIRE_SCHEDULE, AT("00:00:10"), 1, AT("00:00:10"));
    (void)rig_said(&rig);
    rig_command(&rig, AT("00:00:10.5"), NULL, "{\"op\":\"delete\",\"select\":{\"all\":true}}");
    assert_string_equal(rig_said(&rig),
                        "event skipped g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 "
                        "deleted\ngone g/a\nresult delete applied matched=1 changed=1\n");
    assert_false(retry(&rig, AT("00:01:00")));
    rig_close(&rig);
}

/* Seventeen failures that do not join: the last one has no room, and that is said. */
static void too_many_to_be_owed(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"1s\"}", "");
    rig_advance(&rig, AT("00:00:20"));
    (void)rig_said(&rig);
    for (int second = 1; second <= 17; second++) {
        char nominal[32];
        (void)snprintf(nominal, sizeof nominal, AT("00:00:%02d"), second);
        fail_fire(&rig, FIRE_SCHEDULE, nominal, 1, AT("00:00:20"));
        bool missed = strstr(rig_said(&rig), "event missed g/a first=01-01T00:00:17 last=01-01T"
                                             "00:00:17 count=1 undeliverable\n") != NULL;
        assert_int_equal(missed, second == 17);
    }
    rig_close(&rig);
}

/* Owed under the schedule before an edit: the slot goes back to that schedule's range. */
static void of_an_earlier_schedule(void **state)
{
    struct shard_rig rig;
    open_job(&rig, "{\"every\":\"1h\"}", ",\"catchup\":{\"policy\":\"all\"}");
    rig_command(&rig, AT("02:30:00"), AT("02:31:00"),
                "{\"op\":\"update\",\"select\":{\"groups\":[\"g\"]},\"set\":{\"schedule\":"
                "{\"every\":\"25m\"}}}");
    struct sink sink = rig_test_sink(&rig);
    (void)rig_said(&rig);
    rig.batch_max = 1; /* one fire a turn */
    int64_t now_ms = rig_instant(AT("02:31:00"));
    while (!shard_advance(rig.shard, now_ms, now_ms, &sink)) rig_test_commit(&rig);
    rig_test_commit(&rig);
    shard_run_lane(rig.shard, now_ms, &sink);
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T01:00:00 catchup\n");
    fail_fire(&rig, FIRE_CATCHUP, AT("01:00:00"), 1, AT("02:31:00"));
    const struct job *job = shard_find(rig.shard, text_of("g"), text_of("a"));
    assert_int_equal(ledger_count(&job->extra->ledger), 1); /* back in the range it came from */
    rig_test_commit(&rig);
    rig.batch_max = 0;
    if (*state != NULL) rig_restart(&rig);
    (void)rig_said(&rig);
    assert_true(retry(&rig, AT("02:31:01")));
    rig_advance(&rig, AT("02:31:02"));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T01:00:00 retry attempt=2\n"
                                        "fire g/a 01-01T02:00:00 catchup\n"
                                        "event catchup_finished g/a count=2\n");
    rig_close(&rig);
}

#define BACKFILL \
    "{\"op\":\"backfill\",\"select\":{\"all\":true},\"backfill_id\":\"b\",\"rate\":1000," \
    "\"from\":\"2025-12-31T20:30:00Z\",\"to\":\"2025-12-31T23:30:00Z\"}"

/* A backfill of three slots; all have been put out, the last two in the transaction under way. */
static void open_backfill(struct shard_rig *rig)
{
    open_job(rig, "{\"cron\":\"0 * * * *\"}", "");
    rig_command(rig, AT("00:00:01"), NULL, BACKFILL);
    (void)rig_said(rig);
    struct sink sink = rig_test_sink(rig);
    shard_run_lane(rig->shard, rig_instant(AT("00:00:01")), &sink);
    rig_test_commit(rig);
    assert_string_equal(rig_said(rig), "fire g/a 12-31T21:00:00 backfill\n");
    shard_run_lane(rig->shard, rig_instant(AT("00:00:01.1")), &sink);
    assert_string_equal(rig_said(rig), "fire g/a 12-31T22:00:00 backfill\n"
                                       "fire g/a 12-31T23:00:00 backfill\n");
}

/* The slots from the oldest failed one on go out again, once the wait is over. */
static void a_backfill_goes_back(void **state)
{
    struct shard_rig rig;
    bool restarted = *state != NULL;
    open_backfill(&rig);
    struct sink sink = rig_test_sink(&rig);
    fail_fire(&rig, FIRE_BACKFILL, "2025-12-31T22:00:00Z", 1, AT("00:00:01.1"));
    fail_fire(&rig, FIRE_BACKFILL, "2025-12-31T23:00:00Z", 1, AT("00:00:01.2"));
    rig_test_commit(&rig);
    assert_non_null(strstr(rig_said(&rig), " b test\n")); /* the events name the backfill */
    if (restarted) { /* which forgets the wait */
        rig_restart(&rig);
    } else {
        shard_run_lane(rig.shard, rig_instant(AT("00:00:01.5")), &sink);
        assert_string_equal(rig_said(&rig), "");
        assert_true(retry(&rig, AT("00:00:02.1")));
        assert_string_equal(rig_said(&rig), "fire g/a 12-31T22:00:00 backfill attempt=2\n");
        assert_false(retry(&rig, AT("00:00:09")));
    }
    rig_advance(&rig, AT("00:00:10"));
    const char *said = rig_said(&rig);
    assert_int_equal(strstr(said, "12-31T22:00:00") != NULL, restarted);
    assert_non_null(strstr(said, "fire g/a 12-31T23:00:00 backfill\n"
                                 "event backfill_finished g/a count=3 b\n"));
    rig_close(&rig);
}

static void a_cancelled_backfill_stays_cancelled(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_backfill(&rig);
    fail_fire(&rig, FIRE_BACKFILL, "2025-12-31T22:00:00Z", 1, AT("00:00:01.1"));
    rig_command(&rig, AT("00:00:01.5"), NULL, "{\"op\":\"cancel_backfill\",\"backfill_id\":\"b\","
                                              "\"select\":{\"all\":true}}");
    (void)rig_said(&rig);
    assert_false(retry(&rig, AT("00:00:02")));
    fail_fire(&rig, FIRE_BACKFILL, "2025-12-31T22:00:00Z", 1, AT("00:00:02"));
    rig_test_commit(&rig);
    assert_false(retry(&rig, AT("00:00:09")));
    assert_string_equal(rig_said(&rig), "event fire_failed g/a first=12-31T22:00:00 "
                                        "last=12-31T22:00:00 count=1 b test\n");
    rig_close(&rig);
}

static void a_paused_backfill_is_not_retried(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_backfill(&rig);
    fail_fire(&rig, FIRE_BACKFILL, "2025-12-31T22:00:00Z", 1, AT("00:00:01.1"));
    rig_command(&rig, AT("00:00:01.5"), NULL, "{\"op\":\"pause\",\"select\":{\"all\":true}}");
    (void)rig_said(&rig);
    assert_false(retry(&rig, AT("00:00:09")));
    rig_command(&rig, AT("00:00:10"), NULL, "{\"op\":\"resume\",\"select\":{\"all\":true}}");
    (void)rig_said(&rig);
    rig_advance(&rig, AT("00:00:11"));
    assert_non_null(strstr(rig_said(&rig), "fire g/a 12-31T22:00:00 backfill attempt=2\n"));
    rig_close(&rig);
}

int main(void)
{
    static int restarted = 1;
#define BOTH(test) cmocka_unit_test(test), {#test ", restarted", test, NULL, NULL, &restarted}
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_job_that_is_gone),
        cmocka_unit_test(a_trigger_is_not_owed),
        BOTH(several_of_one_transaction),
        cmocka_unit_test(waits_grow_to_a_minute),
        BOTH(a_second_failure_waits_longer),
        cmocka_unit_test(an_earlier_alarm_is_no_retry),
        BOTH(a_finished_job_runs_again),
        BOTH(a_failed_fire_is_not_counted),
        BOTH(what_left_the_window_is_given_up),
        BOTH(a_range_is_given_up_with_one_event),
        BOTH(what_is_not_late_is_not_given_up),
        BOTH(a_paused_job_is_not_retried),
        cmocka_unit_test(a_fire_of_the_transaction_of_its_pause),
        cmocka_unit_test(a_deleted_job_is_not_retried),
        cmocka_unit_test(too_many_to_be_owed),
        BOTH(of_an_earlier_schedule),
        BOTH(a_backfill_goes_back),
        cmocka_unit_test(a_cancelled_backfill_stays_cancelled),
        cmocka_unit_test(a_paused_backfill_is_not_retried),
    };
    return cmocka_run_group_tests_name("failed fires", tests, NULL, NULL);
}
