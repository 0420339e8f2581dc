/* Failing jobs are tried when the sink says so: not while their topic takes nothing, one alone
 * while it is doubtful, and what is too old meanwhile is given up. */
#include "dispatcher/shard/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

#define AT(clock) "2026-01-01T" clock "Z"

static enum retry_turn answer_now(void *opaque, const struct job *job)
{
    (void)opaque;
    (void)job;
    return RETRY_NOW;
}

static enum retry_turn answer_alone(void *opaque, const struct job *job)
{
    (void)opaque;
    (void)job;
    return RETRY_ALONE;
}

static enum retry_turn answer_later(void *opaque, const struct job *job)
{
    (void)opaque;
    (void)job;
    return RETRY_LATER;
}

typedef enum retry_turn answer(void *opaque, const struct job *job);

static bool retry(struct shard_rig *rig, const char *now, answer *turn)
{
    struct sink sink = rig_test_sink(rig);
    sink.retry = turn;
    bool more = shard_retry(rig->shard, rig_instant(now), &sink);
    rig_test_commit(rig);
    return more;
}

static void fail_fire(struct shard_rig *rig, enum fire_kind kind, const char *nominal)
{
    struct sink sink = rig_test_sink(rig);
    const struct job *job = shard_find(rig->shard, text_of("g"), text_of("a"));
    struct failed_fire failed = {.slot = job->slot,
                                 .incarnation = job->incarnation,
                                 .kind = kind,
                                 .nominal_ms = rig_instant(nominal),
                                 .due_ms = rig_instant(nominal),
                                 .attempt = 1,
                                 .backfill_id = "b",
                                 .reason = "test"};
    shard_fire_failed(rig->shard, &failed, rig_instant(nominal), &sink);
    rig_test_commit(rig);
    (void)rig_said(rig);
}

/* A job g/a, every 10 s, whose slot at 10 s could not be fired. */
static void open_failing(struct shard_rig *rig, const char *more)
{
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":"
                   "{\"every\":\"10s\",\"anchor\":\"epoch\"}%s}}", more);
    rig_open(rig, AT("00:00:01"));
    rig_command(rig, AT("00:00:01"), NULL, json);
    rig_advance(rig, AT("00:00:10"));
    fail_fire(rig, FIRE_SCHEDULE, AT("00:00:10"));
}

static void nothing_is_tried_while_it_is_not_wanted(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_failing(&rig, "");
    assert_false(retry(&rig, AT("00:00:11"), answer_later));
    assert_false(retry(&rig, AT("00:00:11.999"), answer_now)); /* looked at again after 1 s */
    assert_false(retry(&rig, AT("00:00:12"), answer_later));
    assert_false(retry(&rig, AT("00:00:13.999"), answer_now)); /* then 2 s */
    assert_string_equal(rig_said(&rig), "");
    assert_true(retry(&rig, AT("00:00:14"), answer_now));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 retry attempt=2\n");
    rig_close(&rig);
}

static void alone_is_asked_again(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_failing(&rig, "");
    assert_true(retry(&rig, AT("00:00:11"), answer_alone));
    assert_string_equal(rig_said(&rig), "");
    assert_true(retry(&rig, AT("00:00:11"), answer_now));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T00:00:10 retry attempt=2\n");
    rig_close(&rig);
}

static void what_is_too_old_is_given_up(void **state)
{
    (void)state;
    struct shard_rig rig;
    open_failing(&rig, ",\"catchup\":{\"window\":\"1m\",\"misfire_grace\":\"0s\"}");
    assert_false(retry(&rig, AT("00:01:10"), answer_later));
    assert_string_equal(rig_said(&rig), "");
    (void)retry(&rig, AT("00:03:00"), answer_later);
    assert_non_null(strstr(rig_said(&rig), "event missed g/a first=01-01T00:00:10"));
    rig_close(&rig);
}

static void a_backfill_waits_as_well(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, AT("00:00:01"));
    rig_command(&rig, AT("00:00:01"), NULL,
                "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":"
                "{\"cron\":\"0 0 * * *\"}}}");
    rig_command(&rig, AT("00:00:02"), NULL,
                "{\"op\":\"backfill\",\"select\":{\"groups\":[\"g\"]},\"backfill_id\":\"b\","
                "\"from\":\"2025-12-30T12:00:00Z\",\"to\":\"2026-01-01T00:00:01Z\"}");
    (void)rig_said(&rig);
    fail_fire(&rig, FIRE_BACKFILL, "2025-12-31T00:00:00Z");
    assert_false(retry(&rig, AT("00:00:04"), answer_later));
    assert_false(retry(&rig, AT("00:00:04.999"), answer_now));
    assert_string_equal(rig_said(&rig), "");
    assert_true(retry(&rig, AT("00:00:05"), answer_now));
    assert_non_null(strstr(rig_said(&rig), "backfill"));
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_tried_while_it_is_not_wanted),
        cmocka_unit_test(alone_is_asked_again),
        cmocka_unit_test(what_is_too_old_is_given_up),
        cmocka_unit_test(a_backfill_waits_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
