/* From flags and files to control records: how many they are, and the shard each goes to. What
 * they say is in tests/said. */
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

/* A request of `op` from a file's text. */
static bool read_text(struct write_request *request, const char *op, const char *text,
                      struct error *error)
{
    *request = (struct write_request){.op = command_op_find(text_of(op)), .expect = -1};
    text_writer_words(&request->file, text);
    return write_file_parse(request, "jobs.json", error);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_jobs_by_shard),   cmocka_unit_test(splits_many_jobs),
        cmocka_unit_test(splits_large_jobs),     cmocka_unit_test(parts_groups_by_shard),
        cmocka_unit_test(makes_different_ids),   cmocka_unit_test(each_operation_has_a_command),
    };
    return cmocka_run_group_tests_name("cli write", tests, NULL, NULL);
}
