#include "dispatcher/daemon/log.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define STAMP "2026-11-21T20:57:54.123Z"

static int64_t fixed_now(void *opaque)
{
    (void)opaque;
    return INT64_C(1795294674123);
}

static const struct clock fixed_clock = {.now_ms = fixed_now};

static struct log log_of(enum log_format format)
{
    return (struct log){.lowest = LEVEL_INFO, .format = format, .clock = &fixed_clock};
}

struct line_case {
    const char *name;
    enum log_format format;
    int shard;
    const char *fields, *line;
};

static const struct line_case line_cases[] = {
    {"logfmt", LOG_LOGFMT, 3, "fires=17 took_ms=8",
     "ts=" STAMP " level=warn event=a.b shard=3 fires=17 took_ms=8\n"},
    {"the whole process", LOG_LOGFMT, -1, "", "ts=" STAMP " level=warn event=a.b\n"},
    {"quoted text stays", LOG_LOGFMT, -1, "message=\"a \\\"b\\\" c=d\" x=1",
     "ts=" STAMP " level=warn event=a.b message=\"a \\\"b\\\" c=d\" x=1\n"},
    {"a line break in a bare value", LOG_LOGFMT, -1, "x=a\nb",
     "ts=" STAMP " level=warn event=a.b x=a?b\n"},
    {"json", LOG_JSON, 0, "fires=17 name=abc ok=true message=\"a \\\"b\\\" c=d\"",
     "{\"ts\":\"" STAMP "\",\"level\":\"warn\",\"event\":\"a.b\",\"shard\":0,\"fires\":17,"
     "\"name\":\"abc\",\"ok\":true,\"message\":\"a \\\"b\\\" c=d\"}\n"},
    {"json, numbers that are none", LOG_JSON, -1, "a=007 b=1.5 c=- d=12345678901234567890",
     "{\"ts\":\"" STAMP "\",\"level\":\"warn\",\"event\":\"a.b\",\"a\":\"007\",\"b\":\"1.5\","
     "\"c\":\"-\",\"d\":\"12345678901234567890\"}\n"},
    {"json, no value", LOG_JSON, -1, "a= b", "{\"ts\":\"" STAMP "\",\"level\":\"warn\","
     "\"event\":\"a.b\",\"a\":\"\",\"b\":\"\"}\n"},
};
enum { LINE_CASES = sizeof line_cases / sizeof line_cases[0] };

static void check_line(void **state)
{
    const struct line_case *row = *state;
    struct log log = log_of(row->format);
    char line[LOG_LINE_BYTES + 1];
    size_t length = log_format_line(&log, LEVEL_WARN, "a.b", row->shard, row->fields, line);
    line[length] = '\0';
    assert_string_equal(line, row->line);
}

static void a_long_line_is_cut_at_a_field(void **state)
{
    (void)state;
    static const char field[] = "k=\"v v\" ";
    char fields[2 * LOG_LINE_BYTES + sizeof field] = "";
    for (size_t at = 0; at < 2 * LOG_LINE_BYTES; at += sizeof field - 1)
        memcpy(fields + at, field, sizeof field);
    for (enum log_format format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        struct log log = log_of(format);
        char line[LOG_LINE_BYTES + 1];
        size_t length = log_format_line(&log, LEVEL_WARN, "a.b", 1, fields, line);
        assert_true(length <= LOG_LINE_BYTES && length > LOG_LINE_BYTES - 100);
        line[length] = '\0';
        const char *end = format == LOG_JSON ? "\"k\":\"v v\",\"cut\":true}\n"
                                             : "k=\"v v\" cut=true\n";
        assert_string_equal(line + length - strlen(end), end);
    }
}

/* Whatever the text: one value in quotes, which JSON reads back, of at most the bytes given. */
static void quoting_is_safe_for_every_byte_and_length(void **state)
{
    (void)state;
    char text[64];
    for (int seed = 0; seed < 4096; seed++) {
        size_t length = (size_t)seed % sizeof text;
        for (size_t i = 0; i < length; i++)
            text[i] = (char)(1 + (seed * 31 + (int)i * 17) % 126); /* ASCII with controls */
        text[length] = '\0';
        for (size_t bytes = 3; bytes < 70; bytes += 13) {
            char quoted[128];
            memset(quoted, 'x', sizeof quoted);
            assert_ptr_equal(observer_quote(quoted, bytes, text), quoted);
            assert_true(strlen(quoted) < bytes);
            json_t *value = json_loads(quoted, JSON_DECODE_ANY, NULL);
            if (value == NULL) fail_msg("not a JSON string: %s", quoted);
            json_decref(value);
        }
    }
}

static void quoting_cuts_between_characters(void **state)
{
    (void)state;
    char quoted[64];
    for (size_t bytes = 3; bytes < 20; bytes++) {
        (void)observer_quote(quoted, bytes, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94z");
        json_t *value = json_loads(quoted, JSON_DECODE_ANY, NULL);
        if (value == NULL) fail_msg("%zu bytes: %s", bytes, quoted);
        json_decref(value);
    }
    assert_string_equal(quoted, "\"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94z\"");
}

static void levels_below_the_lowest_are_dropped(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log log = log_of(LOG_LOGFMT);
    struct error error = {0};
    assert_true(log_start(&log, ends[1], &error));
    struct observer observer = observer_of_log(&log);
    observe(&observer, LEVEL_DEBUG, "not.seen", -1, "x=%d", 1);
    observe(&observer, LEVEL_ERROR, "is.seen", 7, "x=%d", 2);
    char line[256];
    ssize_t length = read(ends[0], line, sizeof line - 1);
    assert_true(length > 0);
    line[length] = '\0';
    assert_string_equal(line, "ts=" STAMP " level=error event=is.seen shard=7 x=2\n");
    belfry_lines_destroy(log.lines, 1000);
    close(ends[0]);
    close(ends[1]);
}

static void dropped_lines_are_named(void **state)
{
    (void)state;
    enum { COUNT = 1200, TAKEN = 65536 };
    static char taken[TAKEN];
    char text[1001];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log log = log_of(LOG_JSON);
    struct error error = {0};
    assert_true(log_start(&log, ends[1], &error));
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    struct observer observer = observer_of_log(&log);
    for (int i = 0; i < COUNT; i++) observe(&observer, LEVEL_INFO, "a.b", -1, "text=%s", text);
    unsigned written = 0, dropped = 0;
    FILE *file = fdopen(ends[0], "r");
    while (written + dropped < COUNT && fgets(taken, sizeof taken, file) != NULL) {
        json_t *line = json_loads(taken, 0, NULL);
        assert_non_null(line);
        if (strcmp(json_string_value(json_object_get(line, "event")), "log.dropped") == 0)
            dropped += (unsigned)json_integer_value(json_object_get(line, "count"));
        else
            written++;
        json_decref(line);
    }
    assert_true(dropped > 0);
    assert_int_equal(written + dropped, COUNT);
    belfry_lines_destroy(log.lines, 1000);
    fclose(file);
    close(ends[1]);
}

int main(void)
{
    struct CMUnitTest tests[LINE_CASES + 5];
    int count = 0;
    for (; count < LINE_CASES; count++)
        tests[count] = (struct CMUnitTest){.name = line_cases[count].name,
                                           .test_func = check_line,
                                           .initial_state = (void *)&line_cases[count]};
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_long_line_is_cut_at_a_field),
        cmocka_unit_test(quoting_is_safe_for_every_byte_and_length),
        cmocka_unit_test(quoting_cuts_between_characters),
        cmocka_unit_test(levels_below_the_lowest_are_dropped),
        cmocka_unit_test(dropped_lines_are_named),
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) tests[count++] = others[i];
    return _cmocka_run_group_tests("log", tests, (size_t)count, NULL, NULL);
}
