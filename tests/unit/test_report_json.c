/* Reports one by one; test_corpus.c holds whole records against example files. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schemas/report_json.h"
#include "schemas/run_tick_json.h"
#include "schemas/text_writer.h"

#define ID "1795290000123-3.10422.0@1795294674000"
#define HEAD "{\"run\":\"" ID "\",\"runnumber\":\"4294967297\",\"report\":"
#define CLAIM "\"token\":\"t1\",\"worker\":\"host-1/7\",\"workers\":\"billing\""
#define STARTED                                                                                    \
    HEAD "\"started\"," CLAIM ",\"topic\":\"belfry.fires\",\"partition\":3,\"offset\":10422}"
#define RUNNING HEAD "\"running\"," CLAIM "}"
#define SUCCESS HEAD "\"success\"}"

/* Reads a record of one report, which must be good. */
static struct report read_good(const char *text, struct arena *arena)
{
    struct report_reader reader;
    struct report report;
    struct error error = {0};
    if (!reports_open(text_of(text), &reader, &error)) fail_msg("%s: %s", text, error.message);
    assert_true(reports_next(&reader, arena, &report, &error));
    if (error.kind != ERROR_NONE) fail_msg("%s: '%s': %s", text, error.field, error.message);
    struct report none;
    assert_false(reports_next(&reader, arena, &none, &error));
    return report;
}

static void test_started(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct report report = read_good(STARTED, arena);
    assert_int_equal(report.kind, REPORT_STARTED);
    assert_true(text_equal(report.run, text_of(ID)));
    assert_true(report.runnumber == INT64_C(4294967297));
    assert_true(text_equal(report.token, text_of("t1")));
    assert_true(text_equal(report.worker, text_of("host-1/7")));
    assert_true(text_equal(report.workers, text_of("billing")));
    assert_true(text_equal(report.topic, text_of("belfry.fires")));
    assert_int_equal(report.partition, 3);
    assert_int_equal(report.offset, 10422);
    assert_int_equal(report.exit_code, -1);
    assert_int_equal(report.signal, 0);
    assert_true(report.retry_after_ms == -1);
    assert_false(report.cursor_given);
    arena_destroy(arena);
}

static void test_runnumber_as_number_or_text(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    static const char *const rows[] = {"9223372036854775807", "\"9223372036854775807\""};
    for (size_t i = 0; i < 2; i++) {
        char text[256];
        (void)snprintf(text, sizeof text,
                       "{\"run\":\"a\",\"runnumber\":%s,\"report\":\"lost_lease\"}", rows[i]);
        struct report report = read_good(text, arena);
        assert_true(report.runnumber == INT64_MAX);
        assert_int_equal(report.kind, REPORT_ENDED);
        assert_int_equal(report.outcome, RUN_LOST_LEASE);
    }
    arena_destroy(arena);
}

static void test_what_an_end_carries(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct report report = read_good(
        HEAD "\"failure\",\"signal\":9,\"error\":{\"code\":\"E42\",\"message\":\"a\\nb\"},"
             "\"output\":\"\\u001b[1mx\\n\",\"result\": {\"rate\" : 0.10},\"retry_after\":\"24h\","
             "\"cursor\":\"\"}",
        arena);
    assert_int_equal(report.outcome, RUN_FAILURE);
    assert_int_equal(report.signal, 9);
    assert_true(text_equal(report.error_code, text_of("E42")));
    assert_true(text_equal(report.error_message, text_of("a\nb")));
    assert_true(text_equal(report.output, text_of("\x1b[1mx\n")));
    assert_true(text_equal(report.result, text_of("{\"rate\":0.10}"))); /* its own digits */
    assert_true(report.retry_after_ms == 24 * HOURS_MS);
    assert_true(report.cursor_given && report.cursor.length == 0);
    report = read_good(HEAD "\"success\",\"exit_code\":0,\"res\\u0075lt\":[0.5]}", arena);
    assert_int_equal(report.exit_code, 0);
    assert_true(text_equal(report.result, text_of("[0.5]"))); /* a key with an escape */
    report = read_good(HEAD "\"running\"," CLAIM ",\"cursor\":\"17\"}", arena);
    assert_true(report.cursor_given && text_equal(report.cursor, text_of("17")));
    report = read_good(HEAD "\"failure\",\"cursor\":null,\"retry_after\":null}", arena);
    assert_true(!report.cursor_given && report.retry_after_ms == -1);
    arena_destroy(arena);
}

struct bad_row {
    const char *field;
    const char *message; /* a part of it */
    const char *text;
};
static const struct bad_row bad_rows[] = {
    {"", "a report is an object, not an integer", "17"},
    {"", "a report is an object, not an array", "[]"},
    {"/report", "is required", "{}"},
    {"/report", "must be a string, not an array", HEAD "[]}"},
    {"/report",
     "'lost' is nothing that a worker reports, allowed: started, running, released, success, "
     "failure, timeout, cancelled, refused, lost_lease", HEAD "\"lost\"}"},
    {"/run", "'run' is required in a report of an end",
     "{\"runnumber\":1,\"report\":\"success\"}"},
    {"/runnumber", "is not the runnumber of a fire",
     "{\"run\":\"a\",\"runnumber\":\"017\",\"report\":\"success\"}"},
    {"/runnumber", "must be an integer, not a boolean",
     "{\"run\":\"a\",\"runnumber\":true,\"report\":\"success\"}"},
    {"/token", "'token' is required in a report 'running'",
     HEAD "\"running\",\"workers\":\"billing\"}"},
    {"/workers", "'workers' is required in a report 'released'",
     HEAD "\"released\",\"token\":\"t1\"}"},
    {"/offset", "'offset' is required in a report 'started'",
     HEAD "\"started\"," CLAIM ",\"topic\":\"a\",\"partition\":3}"},
    {"/topic", "'a/b' cannot be a topic",
     HEAD "\"started\"," CLAIM ",\"topic\":\"a/b\",\"partition\":3,\"offset\":1}"},
    {"/topic", "must be a string",
     HEAD "\"started\"," CLAIM ",\"topic\":3,\"partition\":3,\"offset\":1}"},
    {"/exit_code", "'exit_code' does not belong to a report 'running'",
     HEAD "\"running\"," CLAIM ",\"exit_code\":0}"},
    {"/exit_code", "256 is not between 0 and 255", HEAD "\"failure\",\"exit_code\":256}"},
    {"/signal", "not both", HEAD "\"failure\",\"exit_code\":0,\"signal\":9}"},
    {"/error", "must be an object", HEAD "\"failure\",\"error\":\"x\"}"},
    {"/error/stack", "'stack' is not a field of 'error'",
     HEAD "\"failure\",\"error\":{\"stack\":\"x\"}}"},
    {"/error/message", "must be a string", HEAD "\"failure\",\"error\":{\"message\":1}}"},
    {"/output", "must be a string", HEAD "\"failure\",\"output\":1}"},
    {"/retry_after", "'25h' is not between 0s and", HEAD "\"failure\",\"retry_after\":\"25h\"}"},
    {"/cursor", "has a control character", HEAD "\"failure\",\"cursor\":\"\\n\"}"},
    {"/ouput", "did you mean 'output'", HEAD "\"failure\",\"ouput\":\"x\"}"},
    {"/1/run", "is required", "[" SUCCESS ",{\"runnumber\":1,\"report\":\"success\"}]"},
    {"/1", "duplicate", "[" SUCCESS ",{\"run\":\"a\",\"run\":\"a\"}]"},
};

static void test_bad(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        const struct bad_row *row = &bad_rows[i];
        struct report_reader reader;
        struct report report;
        struct error error = {0};
        assert_true(reports_open(text_of(row->text), &reader, &error));
        do {
            if (!reports_next(&reader, arena, &report, &error)) fail_msg("good: %s", row->text);
        } while (error.kind == ERROR_NONE);
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_int_equal(error.code, CODE_BAD_REPORT);
        if (strcmp(error.field, row->field) != 0 || strstr(error.message, row->message) == NULL)
            fail_msg("%s: '%s': %s", row->text, error.field, error.message);
    }
    arena_destroy(arena);
}

static void test_bad_as_a_whole(void **state)
{
    (void)state;
    static const char *const rows[] = {"", " ", "{", "[" SUCCESS ",]", SUCCESS "}", "\"\xff\"",
                                       "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "NaN"};
    struct report_reader reader;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error = {0};
        assert_false(reports_open(text_of(rows[i]), &reader, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_int_equal(error.code, CODE_BAD_REPORT);
        assert_true(error.message[0] != '\0');
    }
}

/* A bad report does not spoil those beside it. */
static void test_each_by_itself(void **state)
{
    (void)state;
    static const char text[] =
        " [ " STARTED " , 17, {\"run\":1}," RUNNING "\n,{\"a\":1,\"a\":2},\"\\u0000\"," SUCCESS "]";
    static const int good[] = {REPORT_STARTED, -1, -1, REPORT_RUNNING, -1, -1, REPORT_ENDED};
    struct arena *arena = arena_create();
    struct report_reader reader;
    struct report report;
    struct error error = {0};
    assert_true(reports_open(text_of(text), &reader, &error));
    size_t count = 0;
    for (; reports_next(&reader, arena, &report, &error); count++) {
        assert_int_equal(error.kind == ERROR_NONE, good[count] >= 0);
        if (good[count] < 0) continue;
        assert_int_equal(report.kind, good[count]);
        assert_true(text_equal(report.run, text_of(ID)));
    }
    assert_int_equal(count, sizeof good / sizeof good[0]);
    arena_destroy(arena);
}

struct glance_row {
    const char *text;
    enum report_kind kind;
    const char *workers; /* NULL: not clear at a glance */
};

static const struct glance_row glance_rows[] = {
    {STARTED, REPORT_STARTED, "billing"},
    {"[" RUNNING "]", REPORT_RUNNING, "billing"},
    {" [ " SUCCESS " , 17 ]", REPORT_ENDED, ""},
    {HEAD "\"failure\",\"output\":\"\\n}\",\"result\":{\"run\":[1,\"]\"]}}", REPORT_ENDED, ""},
    {HEAD "\"failure\",\"exit_code\":\"bad\"}", REPORT_ENDED, ""}, /* bad, which is not looked at */
    {HEAD "\"done\"}", REPORT_ENDED, NULL},
    {HEAD "\"success\",\"workers\":null}", REPORT_ENDED, NULL},
    {HEAD "\"success\",\"work\\u0065rs\":\"a\"}", REPORT_ENDED, NULL},
    {HEAD "\"success\",\"workers\":\"\\u0061\"}", REPORT_ENDED, NULL},
    {"{\"run\":\"a\",\"report\":\"success\"}", REPORT_ENDED, NULL},
    {"{\"run\":\"a\",\"runnumber\":0,\"report\":\"success\"}", REPORT_ENDED, NULL},
    {"{\"run\":\"a\",\"runnumber\":1.5,\"report\":\"success\"}", REPORT_ENDED, NULL},
    {"{\"run\":\"a\",\"runnumber\":18446744073709551617,\"report\":\"success\"}", REPORT_ENDED,
     NULL},
    {"{\"run\":\"a\",\"runnumber\":\"01\",\"report\":\"success\"}", REPORT_ENDED, NULL},
    {"{\"run\":\"a\\/b\",\"runnumber\":1,\"report\":\"success\"}", REPORT_ENDED, NULL},
    {"{\"run\":[\"a\"],\"runnumber\":1,\"report\":\"success\"}", REPORT_ENDED, NULL},
    {"{\"runnumber\":1,\"report\":\"success\"}", REPORT_ENDED, NULL},
    {"{\"run\":\"a\",\"runnumber\":1}", REPORT_ENDED, NULL},
    {"{}", REPORT_ENDED, NULL}, {"[]", REPORT_ENDED, NULL}, {"[17]", REPORT_ENDED, NULL},
    {"17", REPORT_ENDED, NULL}, {"[[]]", REPORT_ENDED, NULL}, {"null", REPORT_ENDED, NULL},
};

static void test_at_a_glance(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof glance_rows / sizeof glance_rows[0]; i++) {
        const struct glance_row *row = &glance_rows[i];
        struct report_reader reader;
        struct report seen;
        struct error error = {0};
        assert_true(reports_open(text_of(row->text), &reader, &error));
        bool clear = reports_glance(&reader, &seen);
        if (clear != (row->workers != NULL)) fail_msg("clear: %d: %s", clear, row->text);
        if (!clear) continue;
        assert_int_equal(seen.kind, row->kind);
        assert_true(text_equal(seen.run, text_of(ID)));
        assert_true(seen.runnumber == INT64_C(4294967297));
        assert_true(text_equal(seen.workers, text_of(row->workers)));
    }
}

/* What is passed over is not read, and what stands behind it is. */
static void test_passed_over(void **state)
{
    (void)state;
    static const char *const rows[] = {"[" SUCCESS " ," RUNNING "]", SUCCESS};
    struct arena *arena = arena_create();
    for (size_t i = 0; i < 2; i++) {
        struct report_reader reader;
        struct report report;
        struct error error = {0};
        assert_true(reports_open(text_of(rows[i]), &reader, &error));
        assert_true(reports_glance(&reader, &report) && report.kind == REPORT_ENDED);
        reports_pass(&reader);
        assert_int_equal(reports_glance(&reader, &report), i == 0);
        assert_int_equal(reports_next(&reader, arena, &report, &error), i == 0);
        if (i == 0) assert_int_equal(report.kind, REPORT_RUNNING);
        assert_false(reports_glance(&reader, &report));
        assert_false(reports_next(&reader, arena, &report, &error));
    }
    arena_destroy(arena);
}

static void put_many(struct text_writer *writer, size_t count, const char *report)
{
    text_writer_char(writer, '[');
    for (size_t i = 0; i < count; i++) {
        text_writer_comma(writer);
        text_writer_words(writer, report);
    }
    text_writer_char(writer, ']');
}

static void test_as_many_as_are_allowed(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct text_writer writer;
    struct report_reader reader;
    struct report report;
    struct error error = {0};
    text_writer_init(&writer);
    put_many(&writer, REPORTS_MAX, SUCCESS);
    assert_true(reports_open(text_writer_text(&writer), &reader, &error));
    size_t count = 0;
    while (reports_next(&reader, arena, &report, &error)) {
        assert_int_equal(error.kind, ERROR_NONE);
        count++;
    }
    assert_int_equal(count, REPORTS_MAX);
    text_writer_reset(&writer);
    put_many(&writer, REPORTS_MAX + 1, SUCCESS);
    assert_false(reports_open(text_writer_text(&writer), &reader, &error));
    assert_int_equal(error.code, CODE_BAD_REPORT);
    text_writer_free(&writer);
    arena_destroy(arena);
}

/* The longest of each field is taken, one byte more is not. */
static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
        size_t longest; /* bytes between them */
    } rows[] = {
        {"{\"run\":\"", "\",\"runnumber\":1,\"report\":\"success\"}", RUN_ID_BYTES_MAX},
        {HEAD "\"success\",\"token\":\"", "\"}", RUN_TOKEN_BYTES_MAX},
        {HEAD "\"success\",\"worker\":\"", "\"}", WORKER_BYTES_MAX},
        {HEAD "\"success\",\"workers\":\"", "\"}", WORKERS_BYTES_MAX},
        {HEAD "\"failure\",\"error\":{\"code\":\"", "\"}}", RUN_ERROR_CODE_BYTES_MAX},
        {HEAD "\"failure\",\"error\":{\"message\":\"", "\"}}", RUN_ERROR_BYTES_MAX},
        {HEAD "\"failure\",\"output\":\"", "\"}", RUN_OUTPUT_BYTES_MAX},
        {HEAD "\"success\",\"result\":\"", "\"}", RUN_RESULT_BYTES_MAX - 2}, /* the quotes */
        {HEAD "\"success\",\"cursor\":\"", "\"}", RUN_CURSOR_BYTES_MAX},
    };
    struct arena *arena = arena_create();
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        struct text_writer writer;
        struct report_reader reader;
        struct report report;
        struct error error = {0};
        text_writer_init(&writer);
        text_writer_words(&writer, rows[i / 2].before);
        for (size_t at = 0; at < rows[i / 2].longest + i % 2; at++) text_writer_char(&writer, 'x');
        text_writer_words(&writer, rows[i / 2].after);
        assert_true(reports_open(text_writer_text(&writer), &reader, &error));
        assert_true(reports_next(&reader, arena, &report, &error));
        if ((error.kind == ERROR_NONE) != (i % 2 == 0))
            fail_msg("row %zu: %s", i, error.message);
        text_writer_free(&writer);
    }
    struct text large = {calloc(1, RECORD_BYTES_MAX + 1), RECORD_BYTES_MAX + 1};
    struct report_reader reader;
    struct error error = {0};
    memset((char *)large.bytes, ' ', large.length);
    assert_false(reports_open(large, &reader, &error));
    assert_non_null(strstr(error.message, "at most"));
    free((char *)large.bytes);
    arena_destroy(arena);
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    static const char text[] = "[" STARTED "," SUCCESS "]";
    struct report_reader reader;
    for (size_t length = 0; length < sizeof text - 1; length++) {
        struct error error = {0};
        char *cut = malloc(length + 1); /* a read past the end is seen */
        memcpy(cut, text, length);
        struct text value = {length == 0 ? NULL : cut, length};
        assert_false(reports_open(value, &reader, &error));
        assert_int_equal(error.code, CODE_BAD_REPORT);
        free(cut);
    }
}

/* Whatever comes, there is memory for one report at a time. */
static void test_memory_stays(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    struct arena *arena = arena_create();
    struct text_writer many;
    text_writer_init(&many);
    put_many(&many, REPORTS_MAX, "{\"run\":[[[[[[1,2,3]]]]]],\"x\":{\"a\":{},\"b\":[]}}");
    size_t before = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct report_reader reader;
        struct report report;
        struct error error = {0};
        const struct bad_row *row = &bad_rows[(size_t)i % (sizeof bad_rows / sizeof bad_rows[0])];
        struct text value = i % 1000 == 0 ? text_writer_text(&many) : text_of(row->text);
        assert_true(reports_open(value, &reader, &error));
        while (reports_next(&reader, arena, &report, &error)) continue;
        if (i == ROUNDS / 10) before = mallinfo2().uordblks;
    }
    assert_true(mallinfo2().uordblks <= before + (size_t)16 * 1024);
    text_writer_free(&many);
    arena_destroy(arena);
}

static void test_tick(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct text_writer writer;
    struct run_tick tick = {text_of("host-1-4242"), 7, 12};
    struct run_tick read = {0};
    struct error error = {0};
    text_writer_init(&writer);
    run_tick_encode(&writer, &tick);
    static const char expected[] =
        "{\"tick\":{\"owner\":\"host-1-4242\",\"epoch\":7,\"number\":12}}";
    assert_true(text_equal(text_writer_text(&writer), text_of(expected)));
    assert_true(run_tick_is(text_writer_text(&writer)));
    assert_true(run_tick_decode(text_writer_text(&writer), arena, &read, &error));
    assert_true(text_equal(read.owner, tick.owner));
    assert_true(read.epoch == 7 && read.number == 12);
    for (size_t length = 0; length < writer.length; length++) {
        error_clear(&error);
        arena_reset(arena);
        assert_false(run_tick_decode((struct text){writer.bytes, length}, arena, &read, &error));
        assert_int_equal(error.code, CODE_BAD_REPORT);
    }
    text_writer_free(&writer);
    static const char *const reports[] = {"", "[", "[" SUCCESS "]", SUCCESS, "{\"run\":\"tick\"}",
                                          "[{\"tick\":1}]", "{\"run\":{\"tick\":1}}"};
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++)
        assert_false(run_tick_is(text_of(reports[i])));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_started),
        cmocka_unit_test(test_runnumber_as_number_or_text),
        cmocka_unit_test(test_what_an_end_carries),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_bad_as_a_whole),
        cmocka_unit_test(test_each_by_itself),
        cmocka_unit_test(test_at_a_glance),
        cmocka_unit_test(test_passed_over),
        cmocka_unit_test(test_as_many_as_are_allowed),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_memory_stays),
        cmocka_unit_test(test_tick),
    };
    return cmocka_run_group_tests_name("report json", tests, NULL, NULL);
}
