/* From flags and files to control records: the text of each, and the shard it goes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/show/json_text.h"
#include "cli/words/cli.h"
#include "cli/write/write_plan.h"
#include "cli/write/write_read.h"
#include "lib/base/hash.h"

enum { WORDS_MAX = 20, SHARDS = 4 };

struct flag_case {
    const char *name;
    const char *words[WORDS_MAX]; /* the command first */
    const char *value;            /* of the only record, with command id "c"; NULL: refused */
    const char *message;          /* part of the refusal */
};

static const struct flag_case flag_cases[] = {
    {"add by name", {"add", "billing/invoice", "--cron", "30 2 * * *"},
     "{\"op\":\"add\",\"command_id\":\"c\",\"jobs\":[{\"group\":\"billing\",\"id\":\"invoice\","
     "\"schedule\":{\"cron\":\"30 2 * * *\"}}]}", NULL},
    {"an id may hold slashes", {"add", "a/b/c", "--every", "1m"},
     "{\"op\":\"add\",\"command_id\":\"c\",\"jobs\":[{\"group\":\"a\",\"id\":\"b/c\","
     "\"schedule\":{\"every\":\"1m\"}}]}", NULL},
    {"the payload keeps its digits",
     {"put", "--group", "g", "--id", "i", "--at", "2027-01-01T00:00:00Z", "--payload",
      "{\"a\":1.10}", "--catchup", "all", "--limit", "5", "--grace", "1m", "--label", "k=v=w",
      "--paused"},
     "{\"op\":\"put\",\"command_id\":\"c\",\"jobs\":[{\"group\":\"g\",\"id\":\"i\","
     "\"labels\":{\"k\":\"v=w\"},\"paused\":true,\"schedule\":{\"at\":\"2027-01-01T00:00:00Z\"},"
     "\"payload\":{\"a\":1.10},\"catchup\":{\"policy\":\"all\",\"limit\":5,"
     "\"misfire_grace\":\"1m\"}}]}", NULL},
    {"pause a group",
     {"pause", "-g", "g", "--reason", "a \"b\"", "--until", "2027-01-01T00:00:00Z"},
     "{\"op\":\"pause\",\"command_id\":\"c\",\"select\":{\"groups\":[\"g\"]},"
     "\"until\":\"2027-01-01T00:00:00Z\",\"reason\":\"a \\\"b\\\"\"}", NULL},
    {"names with one group share a selector", {"delete", "g/a", "g/b/c"},
     "{\"op\":\"delete\",\"command_id\":\"c\",\"select\":{\"groups\":[\"g\"],"
     "\"ids\":[\"a\",\"b/c\"]}}", NULL},
    {"selectors without groups", {"resume", "--id", "a", "--label", "x=1", "--paused=false"},
     "{\"op\":\"resume\",\"command_id\":\"c\",\"select\":{\"ids\":[\"a\"],"
     "\"labels\":{\"x\":\"1\"},\"paused\":false}}", NULL},
    {"everything", {"pause", "--all", "--dry-run"},
     "{\"op\":\"pause\",\"command_id\":\"c\",\"dry_run\":true,\"select\":{\"all\":true}}", NULL},
    {"update sets and expects",
     {"update", "g/a", "--every", "5m", "--set-label", "x=y", "--expect", "1", "--mode", "each"},
     "{\"op\":\"update\",\"command_id\":\"c\",\"expect\":1,\"select\":{\"groups\":[\"g\"],"
     "\"ids\":[\"a\"]},\"mode\":\"each\",\"set\":{\"schedule\":{\"every\":\"5m\"},"
     "\"labels\":{\"x\":\"y\"}}}", NULL},
    {"no selector", {"pause"}, NULL, "every job is --all"},
    {"all and more", {"pause", "--all", "-g", "g"}, NULL, "leave out the other selectors"},
    {"names and selectors", {"pause", "g/a", "--id", "b"}, NULL, "not both"},
    {"no slash", {"pause", "g"}, NULL, "write GROUP/ID"},
    {"a bad group", {"pause", "-g", "a b"}, NULL, "--group \"a b\""},
    {"no schedule", {"add", "g/a"}, NULL, "--cron EXPR, --every D or --at TIME"},
    {"two schedules", {"add", "g/a", "--every", "1m", "--at", "x"}, NULL, "one of --cron"},
    {"no name", {"add", "--every", "1m"}, NULL, "which job?"},
    {"nothing to set", {"update", "g/a"}, NULL, "nothing to update"},
    {"a payload that is no JSON", {"add", "g/a", "--every", "1m", "-p", "text"}, NULL,
     "needs its own quotes"},
    {"a payload file that is not there", {"add", "g/a", "--every", "1m", "-p", "@/no/such"}, NULL,
     "No such file"},
    {"until belongs to pause", {"resume", "g/a", "--until", "x"}, NULL, "unknown option --until"},
    {"a label without =", {"add", "g/a", "--every", "1m", "-l", "x"}, NULL, "not KEY=VALUE"},
    {"flags beside a file", {"add", "-f", "x", "--every", "1m"}, NULL, "cannot stand beside -f"},
    {"an unknown mode", {"pause", "-g", "g", "--mode", "some"}, NULL, "not atomic or each"},
};
enum { FLAG_CASES = sizeof flag_cases / sizeof flag_cases[0] };

static bool read_flags(const char *const *words, struct arguments *arguments,
                       struct write_request *request, struct error *error)
{
    const struct cli_command *command = cli_command_find(cli_commands, words[0]);
    assert_non_null(command);
    char *argv[WORDS_MAX];
    int argc = 0;
    for (; argc < WORDS_MAX && words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    int at = 1;
    *request = (struct write_request){0};
    return arguments_parse(arguments, command->options, argc, argv, &at, STOP_AT_END, error) &&
           write_request_read(request, cli_command_op(words[0]), arguments, error);
}

static void check_flags(void **state)
{
    const struct flag_case *row = *state;
    struct arguments arguments = {0};
    struct write_request request = {0};
    struct write_plan plan = {0};
    struct error error = {0};
    bool read = read_flags(row->words, &arguments, &request, &error);
    if (row->value == NULL) {
        assert_false(read);
        if (strstr(error.message, row->message) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", row->message, error.message);
        assert_int_equal(exit_code_of(&error), CLI_USAGE);
    } else {
        if (!read) fail_msg("%s", error.message);
        assert_true(write_plan_build(&plan, &request, "c", SHARDS, request.dry_run, true, &error));
        assert_int_equal(plan.count, 1);
        assert_string_equal(text_writer_terminated(&plan.records[0].value), row->value);
        json_t *parsed = json_loads(text_writer_terminated(&plan.records[0].value),
                                    JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(parsed);
        json_decref(parsed);
    }
    write_plan_free(&plan);
    write_request_free(&request);
    arguments_free(&arguments);
}

/* A request of `op` from a file's text. */
static bool read_text(struct write_request *request, const char *op, const char *text,
                      struct error *error)
{
    *request = (struct write_request){.op = command_op_find(text_of(op)), .expect = -1};
    text_writer_words(&request->file, text);
    return write_file_parse(request, "jobs.json", error);
}

struct file_refusal {
    const char *name;
    const char *op;
    const char *text;
    const char *message;
};

static const struct file_refusal file_refusals[] = {
    {"empty", "add", " \n", "no job in it"},
    {"no JSON", "add", "{\"group\":\"g\"}\n{", "line 2"},
    {"duplicate key", "add", "{\"group\":\"g\",\"group\":\"h\"}", "duplicate"},
    {"a job without a group", "add", "[{\"id\":\"a\"}]", "job 1: \"group\" is missing"},
    {"another operation", "add", "{\"op\":\"pause\"}", "use belfry pause -f"},
    {"two commands", "pause", "{\"op\":\"pause\"}{\"op\":\"pause\"}", "one command a file"},
    {"text after the command", "add", "{\"op\":\"add\"} {\"group\":\"g\"}", "after the command"},
    {"jobs for a selector command", "pause", "{\"group\":\"g\"}", "\"op\":\"pause\""},
    {"groups that are no names", "pause", "{\"op\":\"pause\",\"select\":{\"groups\":[1]}}",
     "more than names"},
    {"a number", "add", "7", "neither a job nor a list"},
};
enum { FILE_REFUSALS = sizeof file_refusals / sizeof file_refusals[0] };

static void check_file_refusal(void **state)
{
    const struct file_refusal *row = *state;
    struct write_request request;
    struct error error = {0};
    assert_false(read_text(&request, row->op, row->text, &error));
    if (strstr(error.message, row->message) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", row->message, error.message);
    assert_int_equal(exit_code_of(&error), CLI_FAILED);
    write_request_free(&request);
}

static void parts_jobs_by_shard(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"group\":\"g1\",\"id\":\"a\",\"n\":1.50},{\"group\":\"g2\",\"id\":\"b\"}]\n"
        "{ \"group\" : \"g1\" , \"id\" : \"c\" }\n{\"group\":\"g3\",\"id\":\"\\u0064\"}";
    struct write_request request;
    struct write_plan plan = {0};
    struct error error = {0};
    assert_true(read_text(&request, "add", text, &error));
    assert_int_equal(request.job_count, 4);
    assert_true(write_plan_build(&plan, &request, "id", SHARDS, false, true, &error));
    size_t jobs = 0;
    for (size_t i = 0; i < plan.count; i++) {
        const struct write_record *record = &plan.records[i];
        json_t *value = json_loadb(record->value.bytes, record->value.length, 0, NULL);
        const json_t *list = json_object_get(value, "jobs");
        char expected_id[32];
        (void)snprintf(expected_id, sizeof expected_id, "id.%zu", i + 1);
        assert_string_equal(json_member_text(value, "command_id"), expected_id);
        assert_int_equal(shard_of_key(record->key, strlen(record->key), SHARDS),
                         record->partition);
        for (size_t j = 0; j < json_array_size(list); j++) {
            const char *group = json_member_text(json_array_get(list, j), "group");
            assert_int_equal(shard_of_key(group, strlen(group), SHARDS), record->partition);
        }
        jobs += json_array_size(list);
        json_decref(value);
    }
    assert_int_equal(jobs, 4);
    assert_true(plan.count > 1);
    bool kept = false;
    for (size_t i = 0; i < plan.count; i++)
        kept = kept || strstr(text_writer_terminated(&plan.records[i].value), "\"n\":1.50") != NULL;
    assert_true(kept);
    write_plan_free(&plan);
    write_request_free(&request);
}

static void splits_many_jobs(void **state)
{
    (void)state;
    struct write_request request = {.op = OP_PUT, .expect = -1};
    struct write_plan plan = {0};
    struct error error = {0};
    for (int i = 0; i < 4500; i++)
        text_writer_format(&request.file, "{\"group\":\"g\",\"id\":\"%d\"}\n", i);
    assert_true(write_file_parse(&request, "jobs", &error));
    assert_true(write_plan_build(&plan, &request, "id", SHARDS, false, true, &error));
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.records[0].jobs, 2000);
    assert_int_equal(plan.records[2].jobs, 500);
    assert_false(write_plan_can_expect(&plan));
    write_plan_free(&plan);
    write_request_free(&request);
}

static void splits_large_jobs(void **state)
{
    (void)state;
    struct write_request request = {.op = OP_PUT, .expect = -1};
    struct write_plan plan = {0};
    struct error error = {0};
    char *filling = malloc(200001);
    memset(filling, 'x', 200000);
    filling[200000] = '\0';
    for (int i = 0; i < 8; i++)
        text_writer_format(&request.file, "{\"group\":\"g\",\"id\":\"%d\",\"payload\":\"%s\"}\n", i,
                           filling);
    assert_true(write_file_parse(&request, "jobs", &error));
    assert_true(write_plan_build(&plan, &request, "id", SHARDS, false, true, &error));
    assert_int_equal(plan.count, 2);
    for (size_t i = 0; i < plan.count; i++)
        assert_true(plan.records[i].value.length <= RECORD_BYTES_MAX);
    free(filling);
    write_plan_free(&plan);
    write_request_free(&request);
}

static void keeps_a_file_command(void **state)
{
    (void)state;
    static const char text[] =
        "{\"op\":\"update\",\"v\":1,\"command_id\":\"mine\",\"expect\":2,\"select\":{\"ids\":"
        "[\"a\"],\"groups\":[\"g\"]},\"set\":{\"payload\":[1.0, {\"x\\\"}\": null}]}}";
    struct write_request request;
    struct write_plan plan = {0};
    struct error error = {0};
    assert_true(read_text(&request, "update", text, &error));
    assert_string_equal(request.command_id, "mine");
    assert_int_equal(request.expect, 2);
    assert_true(write_plan_build(&plan, &request, "mine", SHARDS, false, true, &error));
    assert_string_equal(text_writer_terminated(&plan.records[0].value),
                        "{\"op\":\"update\",\"command_id\":\"mine\",\"expect\":2,\"select\":"
                        "{\"groups\":[\"g\"],\"ids\":[\"a\"]},\"v\":1,"
                        "\"set\":{\"payload\":[1.0, {\"x\\\"}\": null}]}}");
    write_plan_free(&plan);
    write_request_free(&request);
}

static void parts_groups_by_shard(void **state)
{
    (void)state;
    const char *const words[WORDS_MAX] = {"pause", "-g", "g1", "-g", "g2", "-g",
                                          "g3",    "-g", "g4", "--id", "a"};
    struct arguments arguments = {0};
    struct write_request request = {0};
    struct write_plan plan = {0};
    struct error error = {0};
    assert_true(read_flags(words, &arguments, &request, &error));
    assert_true(write_plan_build(&plan, &request, "c", SHARDS, false, true, &error));
    size_t groups = 0;
    assert_true(plan.count > 1);
    for (size_t i = 0; i < plan.count; i++) {
        json_t *value = json_loads(text_writer_terminated(&plan.records[i].value), 0, NULL);
        const json_t *select = json_object_get(value, "select");
        const json_t *list = json_object_get(select, "groups");
        assert_int_equal(json_array_size(json_object_get(select, "ids")), 1);
        for (size_t j = 0; j < json_array_size(list); j++) {
            const char *group = json_string_value(json_array_get(list, j));
            assert_int_equal(shard_of_key(group, strlen(group), SHARDS),
                             plan.records[i].partition);
            groups++;
        }
        json_decref(value);
    }
    assert_int_equal(groups, 4);
    write_plan_free(&plan);
    write_request_free(&request);
    arguments_free(&arguments);
}

static void makes_different_ids(void **state)
{
    (void)state;
    char first[COMMAND_ID_MADE_BYTES];
    char second[COMMAND_ID_MADE_BYTES];
    command_id_make(first);
    command_id_make(second);
    assert_int_equal(strlen(first), COMMAND_ID_MADE_BYTES - 1);
    assert_string_not_equal(first, second);
}

static void indents_without_rounding(void **state)
{
    (void)state;
    struct text_writer out = {0};
    json_text_indent(&out, text_of("{\"a\":1.10,\"b\":[ ],\"c\":[1,{\"d\\\"\":\"x,y\"}]}"));
    assert_string_equal(text_writer_terminated(&out),
                        "{\n  \"a\": 1.10,\n  \"b\": [],\n  \"c\": [\n    1,\n    {\n"
                        "      \"d\\\"\": \"x,y\"\n    }\n  ]\n}");
    text_writer_free(&out);
}

/* Only a ping is sent by no write command: `belfry ping` asks each shard by itself. */
static void each_operation_has_a_command(void **state)
{
    (void)state;
    bool found[COMMAND_OP_COUNT + 1] = {false};
    for (const struct cli_command *row = cli_commands; row->name != NULL; row++) {
        if (row->run != command_write) continue;
        enum command_op op = cli_command_op(row->name);
        assert_int_not_equal(op, OP_NONE);
        assert_false(found[op]);
        found[op] = true;
    }
    for (int op = OP_NONE + 1; op <= COMMAND_OP_COUNT; op++)
        if (found[op] == (command_op_target((enum command_op)op) == TARGET_NONE))
            fail_msg("%s", command_op_word((enum command_op)op));
}

int main(void)
{
    struct CMUnitTest tests[FLAG_CASES + FILE_REFUSALS + 8];
    for (int i = 0; i < FLAG_CASES; i++)
        tests[i] = (struct CMUnitTest){.name = flag_cases[i].name, .test_func = check_flags,
                                       .initial_state = (void *)(uintptr_t)&flag_cases[i]};
    for (int i = 0; i < FILE_REFUSALS; i++)
        tests[FLAG_CASES + i] =
            (struct CMUnitTest){.name = file_refusals[i].name, .test_func = check_file_refusal,
                                .initial_state = (void *)(uintptr_t)&file_refusals[i]};
    const struct CMUnitTest more[] = {
        cmocka_unit_test(parts_jobs_by_shard),   cmocka_unit_test(splits_many_jobs),
        cmocka_unit_test(splits_large_jobs),     cmocka_unit_test(keeps_a_file_command),
        cmocka_unit_test(parts_groups_by_shard), cmocka_unit_test(makes_different_ids),
        cmocka_unit_test(indents_without_rounding),
        cmocka_unit_test(each_operation_has_a_command),
    };
    memcpy(&tests[FLAG_CASES + FILE_REFUSALS], more, sizeof more);
    return cmocka_run_group_tests_name("cli write", tests, NULL, NULL);
}
