/* What results, job records and schedules mean to people: exit codes, states, due times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/cron_case.h"

#include "cli/read/result_view.h"
#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/next_times.h"
#include "cli/write/result_wait.h"
#include "lib/time/instant.h"

struct exit_case {
    const char *name;
    const char *results;
    bool selects;
    bool all;
    enum exit_code code;
};

static const struct exit_case exit_cases[] = {
    {"applied", "[{\"outcome\":\"applied\"}]", false, false, CLI_OK},
    {"unchanged put", "[{\"outcome\":\"unchanged\"}]", false, false, CLI_OK},
    {"rejected", "[{\"outcome\":\"rejected\",\"code\":\"bad_cron\"}]", false, false, CLI_FAILED},
    {"expired", "[{\"outcome\":\"expired\",\"code\":\"expired\"}]", false, false, CLI_FAILED},
    {"exists", "[{\"outcome\":\"conflict\",\"code\":\"exists\"}]", false, false, CLI_CONFLICT},
    {"not found", "[{\"outcome\":\"conflict\",\"code\":\"not_found\"}]", true, false,
     CLI_NOT_FOUND},
    {"partial", "[{\"outcome\":\"partial\",\"code\":\"exists\"}]", false, false, CLI_PARTLY},
    {"one shard did, one refused",
     "[{\"outcome\":\"applied\"},{\"outcome\":\"conflict\",\"code\":\"exists\"}]", false, false,
     CLI_PARTLY},
    {"shards where nothing matched do not count",
     "[{\"outcome\":\"applied\",\"matched\":2},{\"outcome\":\"unchanged\",\"matched\":0},"
     "{\"outcome\":\"conflict\",\"code\":\"not_found\",\"matched\":0}]", true, false, CLI_OK},
    {"nothing matched anywhere",
     "[{\"outcome\":\"unchanged\",\"matched\":0},{\"outcome\":\"applied\",\"matched\":0}]", true,
     false, CLI_NOT_FOUND},
    {"every job of none", "[{\"outcome\":\"unchanged\",\"matched\":0}]", true, true, CLI_OK},
    {"a refusal where the others matched nothing",
     "[{\"outcome\":\"unchanged\",\"matched\":0},{\"outcome\":\"conflict\","
     "\"code\":\"count_mismatch\",\"matched\":3}]", true, false, CLI_CONFLICT},
    {"a duplicate of a success", "[{\"outcome\":\"duplicate\",\"first_outcome\":\"applied\"}]",
     true, false, CLI_OK},
    {"a duplicate of a conflict",
     "[{\"outcome\":\"duplicate\",\"first_outcome\":\"conflict\",\"code\":\"exists\"}]", false,
     false, CLI_CONFLICT},
    {"the worst counts",
     "[{\"outcome\":\"conflict\",\"code\":\"exists\"},{\"outcome\":\"rejected\"}]", false, false,
     CLI_FAILED},
};
enum { EXIT_CASES = sizeof exit_cases / sizeof exit_cases[0] };

static void check_exit(void **state)
{
    const struct exit_case *row = *state;
    json_t *results = json_loads(row->results, 0, NULL);
    assert_non_null(results);
    assert_int_equal(results_exit(results, row->selects, row->all), row->code);
    json_decref(results);
}

struct view_case {
    const char *name;
    const char *record;
    const char *state;
    const char *schedule;
    const char *next;
};

#define NOW "2026-01-01T00:00:00.000Z"
static const struct view_case view_cases[] = {
    {"a cron job", "{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"cron\":\"30 2 * * *\"}}",
     "active", "30 2 * * *", "2026-01-01T02:30:00Z"},
    {"an interval keeps its phase",
     "{\"schedule\":{\"every\":\"1h\",\"anchor\":\"2025-12-31T23:59:00.500Z\"}}", "active",
     "every 1h", "2026-01-01T00:59:00.500Z"},
    {"a one-shot that is over", "{\"schedule\":{\"at\":\"2025-01-01T00:00:00.000Z\"}}", "active",
     "at 2025-01-01T00:00:00Z", "-"},
    {"paused by its flag", "{\"schedule\":{\"every\":\"1h\"},\"paused\":true}", "paused",
     "every 1h", "-"},
    {"paused by its time", "{\"schedule\":{\"every\":\"1h\"},\"paused_at\":\"" NOW "\"}", "paused",
     "every 1h", "-"},
    {"the state as written", "{\"schedule\":{\"cron\":\"@daily\"},\"state\":\"failing\"}",
     "failing", "@daily", "2026-01-02T00:00:00Z"},
    {"finished", "{\"schedule\":{\"every\":\"1h\"},\"state\":\"finished\"}", "finished", "every 1h",
     "-"},
    {"start is inclusive",
     "{\"schedule\":{\"cron\":\"0 * * * *\"},\"start\":\"2026-02-01T05:00:00Z\"}", "active",
     "0 * * * *", "2026-02-01T05:00:00Z"},
    {"end is exclusive",
     "{\"schedule\":{\"cron\":\"0 * * * *\"},\"end\":\"2026-01-01T01:00:00Z\"}", "active",
     "0 * * * *", "-"},
    {"wrong types are not trusted",
     "{\"group\":1,\"schedule\":{\"cron\":7,\"every\":[]},\"revision\":\"x\",\"state\":{}}",
     "active", "-", "-"},
    {"an empty record", "{}", "active", "-", "-"},
};
enum { VIEW_CASES = sizeof view_cases / sizeof view_cases[0] };

static void check_view(void **state)
{
    const struct view_case *row = *state;
    struct job_view view;
    int64_t now_ms = 0;
    json_t *job = json_loads(row->record, 0, NULL);
    assert_non_null(job);
    assert_true(instant_parse(NOW, strlen(NOW), &now_ms, NULL));
    job_view_read(&view, job, now_ms, test_zones());
    assert_string_equal(view.state, row->state);
    assert_string_equal(view.schedule, row->schedule);
    assert_string_equal(view.next, row->next);
    json_decref(job);
}

struct batch_case {
    const char *name;
    const char *line;
    const char *answer;
};

static const struct batch_case batch_cases[] = {
    {"cron", "{\"id\":1,\"cron\":\"*/20 * * * *\",\"from\":\"2026-01-01T00:00:00Z\",\"count\":2}",
     "{\"id\":1,\"next\":[\"2026-01-01T00:20:00.000Z\",\"2026-01-01T00:40:00.000Z\"]}"},
    {"an interval counts from \"from\"",
     "{\"id\":\"e\",\"every\":\"90s\",\"from\":\"2026-01-01T00:00:01Z\",\"count\":1}",
     "{\"id\":\"e\",\"next\":[\"2026-01-01T00:01:31.000Z\"]}"},
    {"strictly after", "{\"at\":\"2026-01-01T00:00:00Z\",\"from\":\"2026-01-01T00:00:00Z\"}",
     "{\"next\":[]}"},
    {"a zone",
     "{\"cron\":\"30 2 * * *\",\"zone\":\"Europe/Berlin\",\"from\":\"2026-03-28T12:00:00Z\","
     "\"count\":2}",
     "{\"next\":[\"2026-03-29T01:00:00.000Z\",\"2026-03-30T00:30:00.000Z\"]}"},
    {"six fields are seconds first",
     "{\"cron\":\"*/30 * * * * *\",\"from\":\"2026-01-01T00:00:00Z\",\"count\":1}",
     "{\"next\":[\"2026-01-01T00:00:30.000Z\"]}"},
};
enum { BATCH_CASES = sizeof batch_cases / sizeof batch_cases[0] };

static void check_batch(void **state)
{
    const struct batch_case *row = *state;
    json_t *answer = next_batch_answer(row->line, strlen(row->line), test_zones(), 0);
    char *text = json_dumps(answer, JSON_COMPACT);
    assert_string_equal(text, row->answer);
    free(text);
    json_decref(answer);
}

static void batch_errors_name_the_column(void **state)
{
    (void)state;
    static const char line[] = "{\"id\":\"x\",\"cron\":\"0 25 * * *\"}";
    json_t *answer = next_batch_answer(line, strlen(line), test_zones(), 0);
    assert_string_equal(json_member_text(answer, "id"), "x");
    assert_non_null(json_member_text(answer, "error"));
    assert_int_equal(json_member_number(answer, "column", 0), 3);
    assert_null(json_object_get(answer, "next"));
    json_decref(answer);
    static const char *const wrong[] = {
        "nonsense", "[]", "{}", "{\"cron\":\"* * * * *\",\"count\":0}",
        "{\"cron\":\"* * * * *\",\"from\":7}", "{\"cron\":\"* * * * *\",\"every\":\"1m\"}",
        "{\"cron\":\"* * * * *\",\"zone\":\"Europe/Atlantis\"}",
        "{\"cron\":\"* * * * *\",\"dialect\":\"quartz\"}", "{\"cron\":\"* * * * *\",\"x\":1}"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        answer = next_batch_answer(wrong[i], strlen(wrong[i]), test_zones(), 0);
        if (json_member_text(answer, "error") == NULL) fail_msg("%s was taken", wrong[i]);
        json_decref(answer);
    }
}

static void accounts_for_every_shard_once(void **state)
{
    (void)state;
    struct result_account *account = calloc(1, sizeof *account);
    json_t *first = json_loads("{\"shard\":2,\"shards\":2}", 0, NULL);
    json_t *second = json_loads("{\"shard\":0,\"shards\":2}", 0, NULL);
    json_t *wrong = json_loads("{\"shard\":-1,\"shards\":2}", 0, NULL);
    assert_false(result_account_complete(account));
    assert_true(result_account_note(account, first));
    assert_false(result_account_complete(account));
    assert_false(result_account_note(account, first));
    assert_false(result_account_note(account, wrong));
    assert_false(result_account_complete(account));
    assert_true(result_account_note(account, second));
    assert_true(result_account_complete(account));
    json_decref(first);
    json_decref(second);
    json_decref(wrong);
    free(account);
}

int main(void)
{
    struct CMUnitTest tests[EXIT_CASES + VIEW_CASES + BATCH_CASES + 2];
    int count = 0;
    for (int i = 0; i < EXIT_CASES; i++)
        tests[count++] = (struct CMUnitTest){.name = exit_cases[i].name, .test_func = check_exit,
                                             .initial_state = (void *)(uintptr_t)&exit_cases[i]};
    for (int i = 0; i < VIEW_CASES; i++)
        tests[count++] = (struct CMUnitTest){.name = view_cases[i].name, .test_func = check_view,
                                             .initial_state = (void *)(uintptr_t)&view_cases[i]};
    for (int i = 0; i < BATCH_CASES; i++)
        tests[count++] = (struct CMUnitTest){.name = batch_cases[i].name, .test_func = check_batch,
                                             .initial_state = (void *)(uintptr_t)&batch_cases[i]};
    const struct CMUnitTest more[] = {cmocka_unit_test(batch_errors_name_the_column),
                                      cmocka_unit_test(accounts_for_every_shard_once)};
    memcpy(&tests[count], more, sizeof more);
    return cmocka_run_group_tests_name("cli view", tests, NULL, NULL);
}
