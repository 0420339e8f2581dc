/* Of commands, what no story tells: a rate over many turns, errors of a command that takes several
 * transactions, lists that are cut, the table of operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/shard/operation.h"
#include "lib/base/limits.h"
#include "tests/support/shard_rig.h"

static size_t count_lines(const char *text, const char *prefix)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, prefix)) != NULL; at++) count++;
    return count;
}

/* The rate is fires a second of one job, whatever other jobs do. */
static void backfill_keeps_its_rate(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL,
                "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":"
                "{\"cron\":\"* * * * *\"}}}");
    rig_command(&rig, "2026-01-01T00:00:01Z", NULL,
                "{\"op\":\"backfill\",\"select\":{\"groups\":[\"g\"]},\"rate\":20,"
                "\"from\":\"2025-12-31T20:00:00Z\"}");
    (void)rig_said(&rig);
    int64_t start_ms = rig_instant("2026-01-01T00:00:01Z");
    struct sink sink = rig_test_sink(&rig);
    for (int64_t now_ms = start_ms; now_ms < start_ms + 5000; now_ms += 50) {
        shard_run_lane(rig.shard, now_ms, &sink);
        rig_test_commit(&rig);
    }
    assert_int_equal(count_lines(rig_said(&rig), "fire g/a"), 100);
    rig_close(&rig);
}

/* A command of mode each that takes several transactions tells of its errors all the same. */
static void errors_outlive_a_split(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    for (int i = 0; i < 20; i++) {
        char json[200];
        (void)snprintf(json, sizeof json, "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"%d\","
                       "\"schedule\":{\"every\":\"1h\"},\"payload\":%d}}", i, i);
        rig_command(&rig, "2026-01-01T00:00:00Z", NULL, json);
    }
    rig_command(&rig, "2026-01-01T00:00:01Z", NULL,
                "{\"op\":\"update\",\"select\":{\"groups\":[\"g\"],\"ids\":[\"3\",\"7\"]},"
                "\"set\":{\"payload\":0}}");
    (void)rig_said(&rig);
    rig.batch_max = 4;
    rig.restart_always = true;
    rig_command(&rig, "2026-01-01T00:00:02Z", NULL,
                "{\"op\":\"pause\",\"mode\":\"each\",\"expected_revision\":1,"
                "\"select\":{\"groups\":[\"g\"]}}");
    assert_string_equal(rig_said(&rig),
                        "result pause partial revision_mismatch matched=20 changed=18\n");
    rig_close(&rig);
}

/* More jobs than a result lists: refused, shown by a dry run, warned about. */
static void lists_are_cut(void **state)
{
    (void)state;
    enum { JOBS = RESULT_JOBS_MAX + 20, BYTES = 100 * (JOBS + 1) };
    struct shard_rig rig;
    char *json = malloc(BYTES);
    assert_non_null(json);
    static const char *const heads[] = {"{\"op\":\"add\",\"dry_run\":true,\"jobs\":[",
                                        "{\"op\":\"add\",\"jobs\":[", "{\"op\":\"add\",\"jobs\":["};
    static const char *const results[] = {"result add applied matched=120 changed=120\n",
                                          "result add applied matched=120 changed=120\n",
                                          "result add conflict exists matched=120 changed=0\n"};
    rig_open(&rig, "2026-01-01T00:00:30Z");
    rig.tells_more = true;
    for (size_t round = 0; round < 3; round++) {
        size_t length = (size_t)snprintf(json, BYTES, "%s", heads[round]);
        for (int i = 0; i < JOBS; i++)
            length += (size_t)snprintf(json + length, BYTES - length,
                                       "%s{\"group\":\"g\",\"id\":\"%03d\",\"schedule\":{\"cron\":"
                                       "\"0 0 1 * 1\"}}", i > 0 ? "," : "", i);
        (void)snprintf(json + length, BYTES - length, "]}");
        rig_command(&rig, "2026-01-01T00:00:30Z", NULL, json);
        const char *said = rig_said(&rig);
        assert_memory_equal(said, results[round], strlen(results[round]));
        assert_int_equal(count_lines(said, "  add g/"), round == 0 ? RESULT_JOBS_MAX : 0);
        assert_int_equal(count_lines(said, " exists\n"), round == 2 ? RESULT_ERRORS_MAX : 0);
    }
    free(json);
    rig_close(&rig);
}

static void each_selecting_operation_has_its_row(void **state)
{
    (void)state;
    for (int op = OP_NONE + 1; op <= COMMAND_OP_COUNT; op++)
        if (command_op_target((enum command_op)op) == TARGET_SELECTED)
            assert_non_null(operation_of((enum command_op)op)->change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backfill_keeps_its_rate),
        cmocka_unit_test(errors_outlive_a_split),
        cmocka_unit_test(lists_are_cut),
        cmocka_unit_test(each_selecting_operation_has_its_row),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
