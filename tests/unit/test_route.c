/* Which shards a command concerns, and which commands may not concern several. */
#include "lib/model/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rows.h"

enum { SHARDS = 7, SENT_TO = 3 };

/* The shards are those of the groups named, of SENT_TO where own is set, or all. */
struct route_case {
    const char *name;
    struct command command;
    const char *groups[3];
    bool own;
    bool all;
};

static const struct definition jobs[] = {{.group = {"billing", 7}}, {.group = {"mail", 4}},
                                         {.group = {"mail", 4}}};
static const struct refused_job refused[] = {{.group = {"reports", 7}}, {.group = {NULL, 0}}};
static const struct text groups[] = {{"mail", 4}, {"a", 1}};
static const struct text ids[] = {{"x", 1}};

static const struct route_case cases[] = {
    {"a ping stays where it was sent", {.op = OP_PING}, {NULL}, true, false},
    {"a ping that selects goes to all", {.op = OP_PING, .select = {.given = true, .all = true}},
     {NULL}, false, true},
    {"jobs go to their groups' shards", {.op = OP_ADD, .jobs = jobs, .job_count = 3},
     {"billing", "mail"}, false, false},
    {"unreadable jobs go by their group or stay",
     {.op = OP_PUT, .jobs = jobs, .job_count = 1, .refused = refused, .refused_count = 2},
     {"billing", "reports"}, true, false},
    {"groups name their shards",
     {.op = OP_PAUSE, .select = {.given = true, .groups = groups, .group_count = 2}},
     {"mail", "a"}, false, false},
    {"ids alone can be anywhere",
     {.op = OP_PAUSE, .select = {.given = true, .ids = ids, .id_count = 1}}, {NULL}, false, true},
};

static void check_route(void **state)
{
    const struct route_case *row = *state;
    uint8_t expected[SHARDS];
    memset(expected, row->all ? 1 : 0, sizeof expected);
    if (row->own) expected[SENT_TO] = 1;
    for (size_t i = 0; i < 3 && row->groups[i] != NULL; i++)
        expected[shard_of_group(text_of(row->groups[i]), SHARDS)] = 1;
    struct route route;
    command_route(&row->command, SENT_TO, SHARDS, &route);
    assert_memory_equal(route.shard, expected, sizeof expected);
    int32_t count = 0;
    for (size_t i = 0; i < SHARDS; i++) count += expected[i];
    assert_int_equal(route.count, count);
}

static void expect_is_for_one_shard(void **state)
{
    (void)state;
    static const struct {
        int64_t expect;
        int32_t count;
        bool allowed;
    } rows[] = {{-1, 1, true}, {-1, 5, true}, {0, 1, true}, {4, 0, true}, {4, 2, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct command command = {.op = OP_PAUSE, .expect = rows[i].expect};
        struct route route = {.count = rows[i].count};
        struct error error = {0};
        assert_int_equal(command_check_route(&command, &route, &error), rows[i].allowed);
        assert_string_equal(error_code_word(error.code),
                            rows[i].allowed ? "" : "expect_needs_groups");
        assert_string_equal(error.field, rows[i].allowed ? "" : "/expect");
    }
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(cases, check_route)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(expect_is_for_one_shard),
    };
    return run_rows("route", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
