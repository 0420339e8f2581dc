/* What takes the place of a result or an event that Kafka does not take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schemas/cut.h"

struct cut_case {
    void (*cut)(struct text text, struct text_writer *writer);
    const char *whole;
    const char *small;
};

#define SAID                                                                                 \
    "\"warnings\":[{\"code\":\"too_large\",\"message\":\"the lists of this result "             \
    "are left out: Kafka did not take it with them\"}]"

static const struct cut_case cases[] = {
    {cut_result,
     "{\"command_id\":\"a\\\"b\",\"op\":\"add\",\"outcome\":\"applied\","
     "\"matched\":2,\"changed\":2,\"jobs\":[{\"group\":\"g\",\"id\":\"source\"}],"
     "\"warnings\":[{\"code\":\"cron\",\"message\":\"m\"}],"
     "\"source\":{\"topic\":\"c\",\"partition\":1,\"offset\":2},\"shard\":0,\"shards\":1}",
     "{\"command_id\":\"a\\\"b\",\"op\":\"add\",\"outcome\":\"applied\","
     "\"matched\":2,\"changed\":2," SAID
     ",\"source\":{\"topic\":\"c\",\"partition\":1,\"offset\":2},\"shard\":0,\"shards\":1}"},
    {cut_event,
     "{\"event\":\"fire_failed\",\"at\":\"2026-01-01T00:00:00.000Z\",\"shard\":0,\"group\":\"g\","
     "\"id\":\"i\",\"count\":1,\"reason\":\"too_large\",\"detail\":\"long\"}",
     "{\"event\":\"fire_failed\",\"at\":\"2026-01-01T00:00:00.000Z\",\"shard\":0,\"group\":\"g\","
     "\"id\":\"i\",\"count\":1,\"reason\":\"too_large\"}"},
};

static void test_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[CUT_JSON_BYTES];
        struct text_writer writer;
        text_writer_init_fixed(&writer, bytes, sizeof bytes);
        cases[i].cut(text_of(cases[i].whole), &writer);
        assert_false(writer.overflowed);
        bytes[writer.length] = '\0';
        assert_string_equal(bytes, cases[i].small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
