/* A slot kept over an edit, whose nominal time has passed and whose due time has not: what the
 * policy, bounds, pauses, further edits and a deletion make of it. And the lists of a result, which
 * are cut, while its totals are exact. */
#include "dispatcher/shard/job.h"
#include "lib/base/limits.h"
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
#define EDITED "result update applied matched=1 changed=1\n"

static const char *const start = "2026-01-01T00:00:30Z";
static const int64_t one_ms = 1767229200000; /* 2026-01-01T01:00:00Z */

static const char *at(int64_t instant_ms)
{
    static char text[INSTANT_TEXT_BYTES];
    instant_format(instant_ms, text);
    return text;
}

/* The slot of 01:00 waits, from an edit just after it on. Returns its due time. */
static int64_t open_pending(struct shard_rig *rig, const char *more)
{
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"jitter\":\"10m\","
                   "\"schedule\":{\"cron\":\"0 * * * *\",\"zone\":\"UTC\"}%s}}", more);
    rig_open(rig, start);
    rig_command(rig, start, NULL, json);
    rig_command(rig, at(one_ms + 1000), NULL,
                EDIT("\"schedule\":{\"cron\":\"0,59 * * * *\",\"zone\":\"UTC\"},"
                     "\"jitter\":null"));
    assert_string_equal(rig_said(rig), "result add applied matched=1 changed=1\n" EDITED);
    const struct job *job = shard_find(rig->shard, text_of("g"), text_of("a"));
    assert_true(job_has_pending(job));
    assert_true(ledger_waiting_slot(&job->extra->ledger, 0).due_ms > one_ms + 2000);
    return ledger_waiting_slot(&job->extra->ledger, 0).due_ms;
}

struct late_case {
    const char *name;
    const char *more;
    int64_t late_ms;
    const char *said;
};

static const struct late_case late_cases[] = {
    {"in time", "", 0, "fire g/a 01-01T01:00:00 schedule\n"},
    {"within the grace", ",\"catchup\":{\"policy\":\"none\"}", 30000,
     "fire g/a 01-01T01:00:00 schedule\n"},
    {"late and dropped", ",\"catchup\":{\"policy\":\"none\"}", 30001,
     "event missed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 policy_none\n"},
    {"late and caught up", ",\"catchup\":{\"policy\":\"all\"}", 30001,
     "fire g/a 01-01T01:00:00 catchup\n"},
    {"older than the window", ",\"catchup\":{\"policy\":\"all\",\"window\":\"1s\"}", 30001,
     "event missed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 window\n"},
    {"the last fire there is", ",\"max_fires\":1", 0,
     "fire g/a 01-01T01:00:00 schedule\nevent exhausted g/a\n"},
};
enum { LATE_CASES = sizeof late_cases / sizeof late_cases[0] };

static void check_late(void **state)
{
    const struct late_case *row = *state;
    for (int restarted = 0; restarted < 2; restarted++) {
        struct shard_rig rig;
        int64_t due_ms = open_pending(&rig, row->more);
        rig.restart_always = restarted == 1;
        rig_advance(&rig, at(due_ms - 1));
        assert_string_equal(rig_said(&rig), "");
        rig_advance(&rig, at(due_ms + row->late_ms));
        assert_string_equal(rig_said(&rig), row->said);
        rig_close(&rig);
    }
}

static void a_deletion_names_it(void **state)
{
    (void)state;
    struct shard_rig rig;
    (void)open_pending(&rig, "");
    rig_command(&rig, at(one_ms + 1500), NULL, "{\"op\":\"delete\"," SELECTED "}");
    assert_string_equal(rig_said(&rig),
                        "event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 "
                        "deleted\ngone g/a\nresult delete applied matched=1 changed=1\n");
    rig_close(&rig);
}

static void a_second_edit_keeps_it_too(void **state)
{
    (void)state;
    struct shard_rig rig;
    int64_t due_ms = open_pending(&rig, "");
    rig_command(&rig, at(one_ms + 1500), NULL,
                EDIT("\"schedule\":{\"cron\":\"0,58 * * * *\",\"zone\":\"UTC\"}"));
    assert_string_equal(rig_said(&rig), EDITED);
    rig_advance(&rig, at(due_ms));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T01:00:00 schedule\n");
    rig_close(&rig);
}

/* The waiting slot takes the last fire there is: what is owed by then is no longer due. */
static void it_may_be_the_last_fire_of_a_job_that_owes(void **state)
{
    (void)state;
    struct shard_rig rig;
    (void)open_pending(&rig, ",\"max_fires\":1,\"catchup\":{\"policy\":\"all\"}");
    rig_command(&rig, at(one_ms + 1500), NULL,
                EDIT("\"schedule\":{\"every\":\"1s\",\"anchor\":\"epoch\"}"));
    assert_string_equal(rig_said(&rig), EDITED);
    rig_advance(&rig, at(one_ms + 3600000));
    rig_advance(&rig, at(one_ms + 3700000));
    assert_string_equal(rig_said(&rig),
                        "fire g/a 01-01T01:00:00 catchup\nevent exhausted g/a\n");
    rig_close(&rig);
}

static void an_edit_whose_start_leaves_it_out(void **state)
{
    (void)state;
    struct shard_rig rig;
    int64_t due_ms = open_pending(&rig, "");
    rig_command(&rig, at(one_ms + 1500), NULL,
                EDIT("\"schedule\":{\"cron\":\"0,58 * * * *\",\"zone\":\"UTC\"},"
                     "\"start\":\"2026-01-01T01:00:01Z\""));
    assert_string_equal(rig_said(&rig), "event skipped g/a first=01-01T01:00:00 "
                                        "last=01-01T01:00:00 count=1 updated\n" EDITED);
    rig_advance(&rig, at(due_ms));
    assert_string_equal(rig_said(&rig), "");
    rig_close(&rig);
}

static void pauses_short_and_long(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct shard_rig rig;
        int64_t due_ms = open_pending(&rig, "");
        rig_command(&rig, at(one_ms + 1500), NULL, "{\"op\":\"pause\"," SELECTED "}");
        int64_t end_ms = over ? due_ms + 1000 : due_ms - 10;
        rig_command(&rig, at(end_ms), NULL, "{\"op\":\"resume\"," SELECTED "}");
        (void)rig_said(&rig);
        rig_advance(&rig, at(due_ms + 2000));
        assert_string_equal(rig_said(&rig), over ? "" : "fire g/a 01-01T01:00:00 schedule\n");
        rig_close(&rig);
    }
}

/* ---- lists of a result ---- */

static size_t count_words(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *found = text; (found = strstr(found, word)) != NULL; found++) count++;
    return count;
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
    rig_open(&rig, start);
    rig.tells_more = true;
    for (size_t round = 0; round < 3; round++) {
        size_t length = (size_t)snprintf(json, BYTES, "%s", heads[round]);
        for (int i = 0; i < JOBS; i++)
            length += (size_t)snprintf(json + length, BYTES - length,
                                       "%s{\"group\":\"g\",\"id\":\"%03d\",\"schedule\":{\"cron\":"
                                       "\"0 0 1 * 1\"}}", i > 0 ? "," : "", i);
        (void)snprintf(json + length, BYTES - length, "]}");
        rig_command(&rig, start, NULL, json);
        const char *said = rig_said(&rig);
        assert_memory_equal(said, results[round], strlen(results[round]));
        assert_int_equal(count_words(said, "  add g/"), round == 0 ? RESULT_JOBS_MAX : 0);
        assert_int_equal(count_words(said, " exists\n"), round == 2 ? RESULT_ERRORS_MAX : 0);
    }
    free(json);
    rig_close(&rig);
}

#define DRY(op, rest) "{\"op\":\"" op "\"," SELECTED ",\"dry_run\":true" rest "}"

/* What dry runs say of paused and finished jobs, step by step. */
static void dry_runs_of_jobs_that_do_not_run(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *shown; /* NULL: not looked at */
    } rows[] = {
        {"{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"cron\":"
         "\"0 0 * * *\",\"zone\":\"Europe/Berlin\"},\"paused\":true}}", NULL},
        {DRY("update", ",\"set\":{\"schedule\":{\"every\":\"24h\"}}"),
         "  update g/a +0 -0 before: after:\n"},
        {"{\"op\":\"pause\"," SELECTED ",\"until\":\"2026-01-03T00:00:00Z\"}", NULL},
        {DRY("update", ",\"set\":{\"schedule\":{\"at\":\"2026-01-04T00:00:00Z\"}}"),
         "  update g/a +1 -5 before: 01-03 01-04 01-05 01-06 01-07 after: 01-04\n"},
        {"{\"op\":\"put\",\"dry_run\":true,\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":"
         "{\"at\":\"2026-01-04T00:00:00Z\"}}}",
         "  update g/a +1 -5 before: 01-03 01-04 01-05 01-06 01-07 after: 01-04\n"},
        {DRY("pause", ""), "  pause g/a +0 -5 before: 01-03 01-04 01-05 01-06 01-07 after:\n"},
        {DRY("update", ",\"set\":{\"schedule\":{\"at\":\"2025-12-31T23:59:00Z\"},"
                       "\"catchup\":{\"policy\":\"none\"}}"), NULL},
    };
    struct shard_rig rig;
    rig_open(&rig, start);
    rig.tells_more = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_command(&rig, start, NULL, rows[i].json);
        const char *said = rig_said(&rig);
        if (rows[i].shown != NULL && strstr(said, rows[i].shown) == NULL)
            fail_msg("%s said\n%s", rows[i].json, said);
    }
    rig_close(&rig);
}

/* The days of both zones, in order, each once. */
static void days_of_two_zones(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        const char *days;
    } rows[] = {{"Asia/Jerusalem", " dst 2026-3-27 dst 2026-3-29\n"},
                {"Europe/Athens", " dst 2026-3-29\n"}};
    struct shard_rig rig;
    rig_open(&rig, "2026-03-24T00:00:00Z");
    rig.tells_more = true;
    rig_command(&rig, "2026-03-24T00:00:00Z", NULL,
                "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"cron\":"
                "\"30 12 * * *\",\"zone\":\"Europe/Berlin\"}}}");
    for (size_t i = 0; i < 2; i++) {
        char json[300];
        (void)snprintf(json, sizeof json, DRY("update", ",\"set\":{\"schedule\":{\"cron\":"
                       "\"30 12 * * *\",\"zone\":\"%s\"}}"), rows[i].zone);
        (void)rig_said(&rig);
        rig_command(&rig, "2026-03-24T00:00:01Z", NULL, json);
        const char *said = rig_said(&rig);
        if (strstr(said, rows[i].days) == NULL) fail_msg("%s: %s", rows[i].zone, said);
        assert_int_equal(count_words(said, " dst "), 2 - i);
    }
    rig_close(&rig);
}

int main(void)
{
    struct CMUnitTest tests[LATE_CASES + 8];
    int more = 0;
    for (; more < LATE_CASES; more++)
        tests[more] = (struct CMUnitTest){.name = late_cases[more].name, .test_func = check_late,
                                          .initial_state = (void *)&late_cases[more]};
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(a_deletion_names_it);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(a_second_edit_keeps_it_too);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(an_edit_whose_start_leaves_it_out);
    tests[more++] =
        (struct CMUnitTest)cmocka_unit_test(it_may_be_the_last_fire_of_a_job_that_owes);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(pauses_short_and_long);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(lists_are_cut);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(dry_runs_of_jobs_that_do_not_run);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(days_of_two_zones);
    return cmocka_run_group_tests_name("pending slots and results", tests, NULL, NULL);
}
