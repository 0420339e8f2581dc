/* test_corpus.c holds whole events against example files; here is each kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "schemas/event_json.h"

static void test_each_kind(void **state)
{
    (void)state;
    for (int kind = EVENT_MISSED; kind <= EVENT_CATCHUP_BEHIND; kind++) {
        struct event event;
        struct text_writer writer;
        event_init(&event, (enum event_kind)kind, 1795294674000);
        event.detail = text_of("a \"detail\"\n");
        text_writer_init(&writer);
        event_encode(&writer, &event, 3);
        json_t *root = json_loadb(writer.bytes, writer.length, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(root);
        assert_string_equal(json_string_value(json_object_get(root, "event")),
                            event_kind_name((enum event_kind)kind));
        assert_string_equal(json_string_value(json_object_get(root, "detail")), "a \"detail\"\n");
        assert_int_equal(json_object_size(root), 4); /* what does not apply is not there */
        json_decref(root);
        text_writer_free(&writer);
    }
}

/* What is said of a run names it, and the try. */
static void test_run(void **state)
{
    (void)state;
    for (int kind = EVENT_RUN_FAILED; kind < EVENT_KIND_COUNT; kind++) {
        struct event event;
        struct text_writer writer;
        char expected[256];
        event_init(&event, (enum event_kind)kind, 1795294674000);
        event.run = text_of("1795290000123-3.10422.0@t:\"now\"");
        event.run_number = INT64_C(4294967297);
        text_writer_init(&writer);
        event_encode(&writer, &event, 3);
        (void)snprintf(expected, sizeof expected,
                       "{\"event\":\"%s\",\"at\":\"2026-11-21T20:57:54.000Z\",\"shard\":3,"
                       "\"run\":\"1795290000123-3.10422.0@t:\\\"now\\\"\","
                       "\"runnumber\":\"4294967297\"}",
                       event_kind_name((enum event_kind)kind));
        assert_true(text_equal(text_writer_text(&writer), text_of(expected)));
        text_writer_free(&writer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_kind),
                                      cmocka_unit_test(test_run)};
    return cmocka_run_group_tests_name("event json", tests, NULL, NULL);
}
