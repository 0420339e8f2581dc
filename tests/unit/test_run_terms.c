/* What a job says about its runs: as it is refused, read, changed in part, kept and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/limits.h"
#include "schemas/command_json.h"
#include "tests/support/cron_case.h"
#include "tests/support/shard_rig.h"

#define AT "2026-01-01T00:00:01Z"
#define JOB "\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"}"
#define LEASE "\"lease\":\"5m\",\"workers\":\"w\""

static bool decode(const char *json, bool runs, struct arena *arena, struct command *command,
                   struct error *error)
{
    struct command_limits limits;
    command_limits_defaults(&limits);
    assert_false(limits.runs); /* nobody follows them unless he says so */
    limits.zones = test_zones();
    limits.runs = runs;
    struct source source = {.origin_offset = 1};
    return command_decode(text_of(json), NULL, 0, &source, &limits, arena, command, error);
}

/* A job with these members beside its name and schedule. */
static bool decode_job(const char *members, bool runs, struct arena *arena,
                       struct command *command, struct error *error)
{
    char json[2048];
    (void)snprintf(json, sizeof json, "{\"op\":\"add\",\"job\":{" JOB ",%s}}", members);
    return decode(json, runs, arena, command, error);
}

static void refusals_name_field_value_and_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *members, *code, *field, *says;
    } rows[] = {
        {"\"lease\":\"9s\"", "bad_value", "/job/lease", "'9s' is not between 10s and 24h"},
        {"\"lease\":300", "bad_duration", "/job/lease", "must be a duration such as \"90s\""},
        {"\"lease\":\"5m\"", "missing_field", "/job/workers", "the consumer group"},
        {"\"overlap\":\"skip\"", "lease_required", "/job/overlap", "needs a 'lease'"},
        {"\"retry\":{\"attempts\":2}", "lease_required", "/job/retry", "needs a 'lease'"},
        {"\"overlap\":\"never\"", "bad_value", "/job/overlap",
         "'never' is not known here, allowed: allow, skip, buffer_one, buffer_all or cancel_other"},
        {LEASE ",\"lease_mode\":\"auto\"", "bad_value", "/job/lease_mode",
         "allowed: heartbeat, fixed or none"},
        {LEASE ",\"overlap_limit\":2", "bad_value", "/job/overlap_limit", "'buffer_all' only"},
        {LEASE ",\"retry\":{\"initial\":\"1m\"}", "missing_field", "/job/retry/attempts",
         "how many tries"},
        {LEASE ",\"retry\":{\"attempts\":101}", "bad_value", "/job/retry/attempts",
         "101 is not between 1 and 100"},
        {LEASE ",\"retry\":{\"attempts\":2,\"factor\":1.234}", "bad_value", "/job/retry/factor",
         "1.234 has more than two decimals"},
        {LEASE ",\"retry\":{\"attempts\":2,\"factor\":0.5}", "bad_value", "/job/retry/factor",
         "0.5 is not between 1 and 100"},
        {LEASE ",\"retry\":{\"attempts\":2,\"factor\":\"2\"}", "wrong_type", "/job/retry/factor",
         "must be a number, not a string"},
        {LEASE ",\"retry\":{\"attempts\":2,\"on\":[\"failure\",\"cancelled\"]}", "bad_value",
         "/job/retry/on/1",
         "'cancelled' is no outcome that is tried again, allowed: failure, timeout, refused, lost, "
         "not_started"},
        {LEASE ",\"retry\":{\"attempts\":2,\"on\":[\"lost_lease\"]}", "bad_value",
         "/job/retry/on/0", "goes with 'lost'"},
        {LEASE ",\"retry\":{\"attempts\":2,\"not_on_exit\":[2,1,2]}", "bad_value",
         "/job/retry/not_on_exit/2", "2 is named twice"},
        {LEASE ",\"retry\":{\"attempts\":2,\"max\":\"1s\"}", "bad_value", "/job/retry/max",
         "may not be shorter than 'initial'"},
        {LEASE ",\"retry\":{\"attempt\":2}", "unknown_field", "/job/retry/attempt",
         "did you mean 'attempts'?"},
        {"\"leese\":\"5m\"", "unknown_field", "/job/leese", "did you mean 'lease'?"},
    };
    struct arena *arena = arena_create();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct command command;
        struct error error = {0};
        arena_reset(arena);
        assert_false(decode_job(rows[i].members, true, arena, &command, &error));
        assert_string_equal(error_code_word(error.code), rows[i].code);
        assert_string_equal(error.field, rows[i].field);
        if (strstr(error.message, rows[i].says) == NULL)
            fail_msg("%s: says '%s'", rows[i].members, error.message);
    }
    arena_destroy(arena);
}

/* Where nobody follows runs a job that wants it is refused, whatever else is right with it. */
static void without_leave_nothing_is_ignored(void **state)
{
    (void)state;
    static const struct {
        const char *members, *field, *says; /* field NULL: it asks for nothing */
    } rows[] = {
        {LEASE, "/job/lease", "'lease' is not supported here: the topic runs has not"},
        {"\"workers\":\"w\"", "/job/workers", "leave it out"},
        {"\"lease_mode\":\"heartbeat\"", "/job/lease_mode", "leave it out"},
        {"\"start_within\":\"24h\"", "/job/start_within", "leave it out"},
        {"\"overlap_limit\":100", "/job/overlap_limit", "leave it out"},
        {"\"retry\":{}", "/job/retry", "leave it out"},
        {"\"pause_after_failures\":1", "/job/pause_after_failures", "leave it out"},
        {"\"overlap\":\"skip\"", "/job/overlap", "overlap 'skip' is not supported here; leave it "
                                                 "out or say 'allow'"},
        {"\"overlap\":\"allow\"", NULL, NULL},
        {"\"lease\":null,\"retry\":null,\"overlap\":null", NULL, NULL},
    };
    struct arena *arena = arena_create();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct command command;
        struct error error = {0};
        arena_reset(arena);
        bool read = decode_job(rows[i].members, false, arena, &command, &error);
        assert_int_equal(read, rows[i].field == NULL);
        if (read) assert_true(run_terms_are_usual(&command.jobs[0].runs));
        if (read) continue;
        assert_int_equal(error.code, CODE_NOT_SUPPORTED);
        assert_string_equal(error.field, rows[i].field);
        assert_non_null(strstr(error.message, rows[i].says));
    }
    arena_destroy(arena);
}

static void all_of_it_is_read(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct command command;
    struct error error = {0};
    bool read = decode_job("\"lease\":\"5m\",\"workers\":\"w\",\"start_within\":\"1h\",\"overlap\":"
                           "\"buffer_all\",\"overlap_limit\":7,\"retry\":{\"attempts\":3,"
                           "\"initial\":\"1m\",\"factor\":1.1,\"max\":\"2h\",\"on\":[\"lost\","
                           "\"failure\"],\"not_on_exit\":[78,2],\"within\":\"6h\","
                           "\"poison_after\":4},\"pause_after_failures\":9",
                           true, arena, &command, &error);
    if (!read) fail_msg("%s: %s", error.field, error.message);
    const struct run_terms *terms = &command.jobs[0].runs;
    const struct retry_terms *retry = &terms->retry;
    assert_int_equal(terms->lease_ms, 5 * MINUTES_MS);
    assert_true(text_equal(terms->workers, text_of("w")));
    assert_int_equal(terms->mode, LEASE_HEARTBEAT);
    assert_int_equal(terms->start_within_ms, HOURS_MS);
    assert_int_equal(terms->overlap, OVERLAP_BUFFER_ALL);
    assert_int_equal(terms->overlap_limit, 7);
    assert_int_equal(terms->pause_after_failures, 9);
    assert_int_equal(retry->attempts, 3);
    assert_int_equal(retry->initial_ms, MINUTES_MS);
    assert_int_equal(retry->factor_hundredths, 110);
    assert_int_equal(retry->max_ms, 2 * HOURS_MS);
    assert_int_equal(retry->on, 1 << RUN_LOST | 1 << RUN_LOST_LEASE | 1 << RUN_FAILURE);
    assert_int_equal(retry->not_on_exit_count, 2);
    assert_int_equal(retry->not_on_exit[0], 2); /* in order, however they came */
    assert_int_equal(retry->not_on_exit[1], 78);
    assert_int_equal(retry->within_ms, 6 * HOURS_MS);
    assert_int_equal(retry->poison_after, 4);
    arena_destroy(arena);
}

/* A shard with the job g/a, which has these members beside. */
static void open_with(struct shard_rig *rig, const char *members)
{
    char json[1024];
    rig_open(rig, "2026-01-01T00:00:00Z");
    rig->allows_runs = true;
    rig->tells_more = true;
    (void)snprintf(json, sizeof json, "{\"op\":\"add\",\"job\":{" JOB "%s%s}}",
                   members[0] == '\0' ? "" : ",", members);
    rig_command(rig, AT, NULL, json);
    assert_non_null(strstr(rig_said(rig), "result add applied"));
}

static void update(struct shard_rig *rig, const char *set)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"update\",\"select\":{\"groups\":[\"g\"]},\"set\":{%s}}", set);
    rig_command(rig, AT, NULL, json);
}

/* Each row goes on from the one before. */
static void an_update_changes_what_it_names(void **state)
{
    (void)state;
    static const struct {
        const char *set, *result, *record; /* "" in the record: nothing about runs */
    } rows[] = {
        {LEASE, "applied", "\"lease\":\"5m\",\"workers\":\"w\",\"revision\":"},
        {LEASE, "unchanged", "\"lease\":\"5m\",\"workers\":\"w\",\"revision\":"},
        {"\"retry\":{\"attempts\":3,\"factor\":1.5}", "applied",
         "\"workers\":\"w\",\"retry\":{\"attempts\":3,\"factor\":1.5},\"revision\":"},
        {"\"retry\":{\"initial\":\"1m\",\"not_on_exit\":[3,2]}", "applied",
         "\"retry\":{\"attempts\":3,\"initial\":\"1m\",\"factor\":1.5,\"not_on_exit\":[2,3]},"},
        {"\"retry\":{\"not_on_exit\":[2,3]}", "unchanged", "\"not_on_exit\":[2,3]},"},
        {"\"retry\":{\"factor\":null,\"on\":[\"failure\"]}", "applied",
         "\"retry\":{\"attempts\":3,\"initial\":\"1m\",\"on\":[\"failure\"],\"not_on_exit\":"},
        {"\"overlap\":\"skip\",\"start_within\":\"1h\",\"pause_after_failures\":2", "applied",
         "\"workers\":\"w\",\"start_within\":\"1h\",\"overlap\":\"skip\",\"retry\":{"},
        {"\"lease\":null", "rejected lease_required", "\"lease\":\"5m\",\"workers\":\"w\","},
        {"\"retry\":null", "applied",
         "\"overlap\":\"skip\",\"pause_after_failures\":2,\"revision\":"},
        {"\"lease\":null,\"workers\":null,\"overlap\":null,\"start_within\":null,"
         "\"pause_after_failures\":null", "applied", ""},
        {"\"overlap\":\"allow\"", "unchanged", ""},
        {"\"lease_mode\":\"none\"", "applied", "\"lease_mode\":\"none\",\"revision\":"},
    };
    struct shard_rig rig;
    open_with(&rig, "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char expected[128];
        update(&rig, rows[i].set);
        (void)snprintf(expected, sizeof expected, "result update %s matched=", rows[i].result);
        const char *said = rig_said(&rig);
        if (strstr(said, expected) == NULL) fail_msg("%s: %s", rows[i].set, said);
        const char *record = rig_record(&rig, "g/a");
        bool about_runs = strstr(record, "\"lease") != NULL || strstr(record, "workers") != NULL;
        assert_int_equal(about_runs, rows[i].record[0] != '\0');
        if (strstr(record, rows[i].record) == NULL) fail_msg("%s: %s", rows[i].set, record);
        rig_restart(&rig);
    }
    rig_close(&rig);
}

/* With the fields that it leaves alone. */
static void an_update_is_checked_as_it_would_leave_the_job(void **state)
{
    (void)state;
    static const struct {
        const char *members, *set, *says;
    } rows[] = {
        {"", "\"lease\":\"5m\"", "  /set/workers missing_field\n"},
        {"", "\"overlap\":\"skip\"", "  /set/overlap lease_required\n"},
        {LEASE, "\"workers\":null", "  /set/workers missing_field\n"},
        {LEASE, "\"overlap_limit\":5", "  /set/overlap_limit bad_value\n"},
        {LEASE, "\"lease_mode\":\"none\"", "  /set/lease_mode bad_value\n"},
        {LEASE ",\"overlap\":\"buffer_all\",\"overlap_limit\":5", "\"overlap\":\"skip\"",
         "  /set/overlap_limit bad_value\n"},
        {LEASE ",\"retry\":{\"attempts\":2}", "\"retry\":{\"max\":\"5s\"}",
         "  /set/retry/max bad_value\n"},
        {"\"lease_mode\":\"none\"", "\"retry\":{\"attempts\":2}", "  /set/retry lease_required\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct shard_rig rig;
        open_with(&rig, rows[i].members);
        update(&rig, rows[i].set);
        const char *said = rig_said(&rig);
        if (strstr(said, "result update rejected") == NULL || strstr(said, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].set, said);
        assert_non_null(strstr(rig_record(&rig, "g/a"), "\"revision\":1,"));
        rig_close(&rig);
    }
}

/* A fixed lease is not claimed: that is said, and done. */
static void a_fixed_lease_is_warned_of(void **state)
{
    (void)state;
    for (int fixed = 0; fixed < 2; fixed++) {
        struct shard_rig rig;
        rig_open(&rig, "2026-01-01T00:00:00Z");
        rig.allows_runs = true;
        rig.speaks_json = true;
        rig_command(&rig, AT, NULL,
                    fixed ? "{\"op\":\"put\",\"job\":{" JOB "," LEASE ",\"lease_mode\":\"fixed\"}}"
                          : "{\"op\":\"put\",\"job\":{" JOB "," LEASE "}}");
        const char *said = rig_said(&rig);
        assert_non_null(strstr(said, "\"outcome\":\"applied\""));
        assert_int_equal(strstr(said, "\"code\":\"at_least_once\"") != NULL, fixed);
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_name_field_value_and_what_is_allowed),
        cmocka_unit_test(without_leave_nothing_is_ignored),
        cmocka_unit_test(all_of_it_is_read),
        cmocka_unit_test(an_update_changes_what_it_names),
        cmocka_unit_test(an_update_is_checked_as_it_would_leave_the_job),
        cmocka_unit_test(a_fixed_lease_is_warned_of),
    };
    return cmocka_run_group_tests_name("run terms", tests, NULL, NULL);
}
