/* Which dead letters are listed, and what a row says; what is dealt with; what is sent for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/read/dead_letters.h"
#include "cli/write/dead_ack.h"
#include "cli/write/dead_command.h"
#include "cli/write/run_report.h"
#include "schemas/report_json.h"

static const struct dead_filter everything = {
    .before_ms = INT64_MAX, .after_ms = INT64_MIN, .most = -1};

static struct dead_record command_letter(int32_t partition, int64_t offset)
{
    return (struct dead_record){.partition = partition,
                                .offset = offset,
                                .at_ms = 1000 * offset,
                                .key = text_of("billing"),
                                .value = text_of("{\"op\":\"add\"}"),
                                .topic = text_of("belfry.control"),
                                .code = text_of("bad_cron"),
                                .message = text_of("minute 61"),
                                .field = text_of("/job/schedule/cron")};
}

static struct dead_record run_letter(int32_t partition, int64_t offset, const char *value)
{
    return (struct dead_record){.partition = partition,
                                .offset = offset,
                                .at_ms = 1000 * offset,
                                .key = text_of("billing"),
                                .value = text_of(value),
                                .code = text_of("run_failed")};
}

static struct dead_record acknowledgement(int32_t partition, int64_t offset, const char *ranges)
{
    return (struct dead_record){
        .partition = partition, .offset = offset, .value = text_of(ranges)};
}

static void assert_text(struct text text, const char *expected)
{
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.bytes, expected, text.length);
}

static void assert_why(const char *value, const char *expected)
{
    struct dead_list list = {0};
    struct dead_record record = run_letter(0, 1, value);
    dead_list_note(&list, &everything, &record);
    dead_list_settle(&list, &everything);
    assert_int_equal(list.count, 1);
    assert_text(list.rows[0].message, expected);
    dead_list_free(&list);
}

static void test_what_a_row_says(void **state)
{
    (void)state;
    struct dead_list list = {0};
    struct dead_record records[] = {
        command_letter(0, 1),
        run_letter(1, 2, "{\"run\":\"r\",\"group\":\"g\\u00e4\",\"id\":\"i\","
                         "\"outcome\":\"lost\"}"),
        {.partition = 2, .offset = 3, .at_ms = 3000, .topic = text_of("belfry.runs"),
         .code = text_of("unknown_run")}};
    for (int i = 0; i < 3; i++) dead_list_note(&list, &everything, &records[i]);
    dead_list_settle(&list, &everything);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.rows[0].kind, DEAD_COMMAND);
    assert_text(list.rows[0].group, "billing");
    assert_text(list.rows[0].code, "bad_cron");
    assert_text(list.rows[0].message, "minute 61 (at /job/schedule/cron)");
    assert_int_equal(list.rows[1].kind, DEAD_RUN);
    assert_text(list.rows[1].group, "g\xc3\xa4");
    assert_text(list.rows[1].id, "i");
    assert_text(list.rows[1].run, "r");
    assert_text(list.rows[1].code, "lost");
    assert_int_equal(list.rows[2].kind, DEAD_REPORT);
    assert_text(list.rows[2].code, "unknown_run");
    dead_list_free(&list);
}

static void test_why_a_run_has_failed(void **state)
{
    (void)state;
    assert_why("{\"exit_code\":2,\"error\":{\"code\":\"E42\",\"message\":\"no \\\"table\\\"\"}}",
               "exit code 2: E42: no \"table\"");
    assert_why("{\"signal\":9,\"error\":{\"message\":\"killed\"}}", "signal 9: killed");
    assert_why("{\"exit_code\":0,\"error\":{\"code\":\"E\"}}", "exit code 0: E");
    assert_why("{\"record\":{\"claim\":{\"worker\":\"host/1\"}}}", "worker host/1");
    assert_why("{\"record\":{}}", "");
    assert_why("{\"error\":7,\"exit_code\":\"x\"}", "exit code \"x\"");
    assert_why("no JSON", "");
    assert_why("", "");
}

static size_t count_of(struct dead_filter filter)
{
    struct dead_list list = {0};
    struct dead_record records[] = {
        command_letter(0, 1), command_letter(0, 5),
        run_letter(1, 2, "{\"group\":\"billing\",\"id\":\"a\",\"run\":\"r\",\"outcome\":\"lost\"}"),
        run_letter(1, 7, "{\"group\":\"other\",\"id\":\"b\",\"run\":\"q\","
                         "\"outcome\":\"failure\"}")};
    for (int i = 0; i < 4; i++) dead_list_note(&list, &filter, &records[i]);
    dead_list_settle(&list, &filter);
    size_t count = list.count;
    dead_list_free(&list);
    return count;
}

static void test_which_ones_are_meant(void **state)
{
    (void)state;
    static const struct dead_place places[] = {{0, 5, 5}, {1, 0, 6}, {9, 0, 99}};
    struct dead_filter filter = everything;
    assert_int_equal(count_of(filter), 4);
    filter.group = "billing";
    assert_int_equal(count_of(filter), 3);
    filter.kind = "run";
    assert_int_equal(count_of(filter), 1);
    filter = everything;
    filter.id = "b";
    assert_int_equal(count_of(filter), 1);
    filter = everything;
    filter.code = "lost";
    assert_int_equal(count_of(filter), 1);
    filter = everything;
    filter.before_ms = 2000;
    assert_int_equal(count_of(filter), 2);
    filter = everything;
    filter.after_ms = 5000;
    assert_int_equal(count_of(filter), 2);
    filter = everything;
    filter.most = 3;
    assert_int_equal(count_of(filter), 3);
    filter = everything;
    filter.places = places;
    filter.place_count = 3;
    assert_int_equal(count_of(filter), 2);
}

static void test_what_is_dealt_with(void **state)
{
    (void)state;
    struct dead_filter filter = everything;
    struct dead_list list = {0};
    struct dead_record records[] = {
        command_letter(0, 1),  command_letter(0, 2),  command_letter(0, 3), command_letter(0, 9),
        command_letter(1, 2),  command_letter(1, 30),
        acknowledgement(0, 20, "{\"acknowledged\":[[2,3],[9,9]],\"at\":\"x\"}"),
        acknowledgement(0, 21, "{\"acknowledged\":[[0,0],[2,2]]}"),
        acknowledgement(1, 40, "{\"acknowledged\":[[29,31]]}"),
        acknowledgement(1, 41, "{\"acknowledged\":[[\"a\"],7,{}]}"), /* no places */
        acknowledgement(2, 1, "{\"acknowledged\":[[0,99]]}")};
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        dead_list_note(&list, &filter, &records[i]);
    dead_list_settle(&list, &filter);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.rows[0].offset, 1);
    assert_int_equal(list.rows[1].partition, 1);
    assert_int_equal(list.rows[1].offset, 2);
    assert_ptr_equal(dead_list_find(&list, 1, 2), &list.rows[1]);
    assert_null(dead_list_find(&list, 0, 2));
    dead_list_free(&list);
    filter.acknowledged = true;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        dead_list_note(&list, &filter, &records[i]);
    dead_list_settle(&list, &filter);
    assert_int_equal(list.count, 6);
    assert_true(dead_list_find(&list, 0, 2)->acknowledged);
    assert_false(dead_list_find(&list, 0, 1)->acknowledged);
    dead_list_free(&list);
}

/* A command that was refused cannot pass for an acknowledgement. */
static void test_nobody_else_acknowledges(void **state)
{
    (void)state;
    struct dead_list list = {0};
    struct dead_record forged = command_letter(0, 2);
    struct dead_record letter = command_letter(0, 1);
    forged.value = text_of("{\"acknowledged\":[[0,9]]}");
    dead_list_note(&list, &everything, &letter);
    dead_list_note(&list, &everything, &forged);
    dead_list_settle(&list, &everything);
    assert_int_equal(list.count, 2);
    dead_list_free(&list);
}

static void test_ranges_of_an_acknowledgement(void **state)
{
    (void)state;
    static const struct dead_row rows[] = {
        {.partition = 3, .offset = 4}, {.partition = 3, .offset = 5}, {.partition = 3, .offset = 7},
        {.partition = 4, .offset = 8}};
    const struct dead_row *const places[] = {&rows[0], &rows[1], &rows[2], &rows[3]};
    const struct said_by said_by = {.actor = "me"};
    struct text_writer out;
    text_writer_init(&out);
    assert_int_equal(dead_ack_value(&out, places, 4, 1000, &said_by), 3);
    assert_text(text_writer_text(&out), "{\"acknowledged\":[[4,5],[7,7]],"
                                        "\"at\":\"1970-01-01T00:00:01.000Z\",\"actor\":\"me\"}");
    text_writer_free(&out);
}

static void test_a_run_as_a_command(void **state)
{
    (void)state;
    char command_id[DEAD_COMMAND_ID_BYTES];
    const struct dead_run run = {.group = text_of("b\"g"),
                                 .id = text_of("i"),
                                 .run = text_of("1-2.3@4"),
                                 .overlap = "allow",
                                 .said_by = {.reason = "why"}};
    struct text_writer out;
    text_writer_init(&out);
    dead_command_id(3, 17, command_id);
    dead_run_write(&run, command_id, &out);
    assert_text(text_writer_text(&out),
                "{\"op\":\"requeue\",\"command_id\":\"requeue-3-17\",\"select\":{\"groups\":"
                "[\"b\\\"g\"],\"ids\":[\"i\"]},\"run\":\"1-2.3@4\",\"overlap\":\"allow\","
                "\"reason\":\"why\"}");
    text_writer_free(&out);
}

static void test_a_report_by_hand(void **state)
{
    (void)state;
    const struct run_report report = {.run = text_of("1-2.3@4"),
                                      .runnumber = 4294967301,
                                      .workers = text_of("w"),
                                      .outcome = RUN_FAILURE,
                                      .message = "it\"s broken",
                                      .actor = "ada"};
    struct text_writer out;
    text_writer_init(&out);
    run_report_write(&report, &out);
    assert_text(text_writer_text(&out),
                "{\"run\":\"1-2.3@4\",\"runnumber\":\"4294967301\",\"report\":\"failure\","
                "\"worker\":\"by hand: ada\",\"workers\":\"w\",\"error\":{\"message\":"
                "\"it\\\"s broken\"}}");
    struct report_reader reader;
    struct report read;
    struct error error = {0};
    struct arena *arena = arena_create();
    assert_true(reports_open(text_writer_text(&out), &reader, &error));
    assert_true(reports_next(&reader, arena, &read, &error));
    assert_int_equal(error.kind, ERROR_NONE);
    assert_int_equal(read.outcome, RUN_FAILURE);
    arena_destroy(arena);
    text_writer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_row_says),
        cmocka_unit_test(test_why_a_run_has_failed),
        cmocka_unit_test(test_which_ones_are_meant),
        cmocka_unit_test(test_what_is_dealt_with),
        cmocka_unit_test(test_nobody_else_acknowledges),
        cmocka_unit_test(test_ranges_of_an_acknowledgement),
        cmocka_unit_test(test_a_run_as_a_command),
        cmocka_unit_test(test_a_report_by_hand),
    };
    return cmocka_run_group_tests_name("dead letters", tests, NULL, NULL);
}
