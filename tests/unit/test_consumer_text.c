/* The small text forms inside a fire, row by row. */
#include "consumer/text.h"
#include "lib/base/base64.h"
#include "lib/base/utf8.h"
#include "lib/time/instant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct instant_case {
    const char *text;
    bool valid;
    int64_t instant_ms;
};
static const struct instant_case instant_cases[] = {
    {"1970-01-01T00:00:00Z", true, 0},
    {"1970-01-01T00:00:00.000Z", true, 0},
    {"1970-01-01T01:00:00.001+01:00", true, 1},
    {"1969-12-31T23:59:59.999Z", true, -1},
    {"2026-11-21T20:57:54.123Z", true, 1795294674123},
    {"2026-11-21t20:57:54.1239999z", true, 1795294674123},
    {"2026-11-22T02:27:54.1+05:30", true, 1795294674100},
    {"2026-11-21T12:57:54-08:00", true, 1795294674000},
    {"2024-02-29T00:00:00Z", true, 1709164800000},
    {"2000-02-29T12:00:00Z", true, 951825600000},
    {"0001-01-01T00:00:00Z", true, -62135596800000},
    {"9999-12-31T23:59:59.999Z", true, 253402300799999},
    {"2026-02-29T00:00:00Z", false, 0},
    {"1900-02-29T00:00:00Z", false, 0},
    {"2026-13-01T00:00:00Z", false, 0},
    {"2026-00-01T00:00:00Z", false, 0},
    {"2026-01-32T00:00:00Z", false, 0},
    {"2026-01-01T24:00:00Z", false, 0},
    {"2026-01-01T00:60:00Z", false, 0},
    {"2026-01-01T00:00:60Z", false, 0},
    {"2026-01-01T00:00:00", false, 0},
    {"2026-01-01T00:00:00.Z", false, 0},
    {"2026-01-01T00:00:00+24:00", false, 0},
    {"2026-01-01T00:00:00Z ", false, 0},
    {"2026-01-01 00:00:00Z", false, 0},
    {"0000-01-01T00:00:00Z", false, 0},
    {"+026-01-01T00:00:00Z", false, 0},
    {"2026-1-01T00:00:00Z", false, 0},
    {"2026-01-0", false, 0},
    {"", false, 0},
};

static void check_instants(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof instant_cases / sizeof instant_cases[0]; i++) {
        const struct instant_case *row = &instant_cases[i];
        int64_t instant_ms = 0;
        bool valid = instant_parse_any_year(row->text, strlen(row->text), &instant_ms);
        if (valid != row->valid || instant_ms != row->instant_ms) {
            fail_msg("\"%s\": %d %lld", row->text, valid, (long long)instant_ms);
        }
    }
}

struct integer_case {
    const char *text;
    bool valid;
    int64_t number;
};
static const struct integer_case integer_cases[] = {
    {"0", true, 0}, {"7", true, 7}, {"-7", true, -7},
    {"9223372036854775807", true, INT64_MAX}, {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0}, {"-9223372036854775809", false, 0},
    {"99999999999999999999", false, 0}, {"", false, 0}, {"-", false, 0}, {"-0", false, 0},
    {"007", false, 0}, {"+1", false, 0}, {" 1", false, 0}, {"1 ", false, 0}, {"1.0", false, 0},
    {"0x1", false, 0}, {"1e3", false, 0},
};

static void check_integers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof integer_cases / sizeof integer_cases[0]; i++) {
        const struct integer_case *row = &integer_cases[i];
        int64_t number = 0;
        bool valid = belfry_integer_parse(row->text, strlen(row->text), &number);
        if (valid != row->valid || number != row->number) {
            fail_msg("\"%s\": %d %lld", row->text, valid, (long long)number);
        }
    }
}

static const char *const base64_good[][2] = {
    {"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"},
    {"Zm9vYmE=", "fooba"}, {"Zm9vYmFy", "foobar"}, {"+/+/", "\xfb\xff\xbf"},
};
static const char *const base64_bad[] = {
    "Z", "Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=", "Zm9v=", "Zm 9v", "Zm9\n", "Zg==Zg==",
    "-_-_",
};

static void check_base64(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof base64_good / sizeof base64_good[0]; i++) {
        const char *text = base64_good[i][0];
        const char *bytes = base64_good[i][1];
        char out[16] = "";
        size_t out_bytes = 99;
        assert_true(base64_decode(text_of(text), out, &out_bytes));
        assert_int_equal(out_bytes, strlen(bytes));
        assert_memory_equal(out, bytes, out_bytes);
        char back[16] = "";
        assert_int_equal(base64_encoded_length(strlen(bytes)), strlen(text));
        base64_encode(text_of(bytes), back);
        assert_string_equal(back, text);
    }
    for (size_t i = 0; i < sizeof base64_bad / sizeof base64_bad[0]; i++) {
        char out[16] = "";
        size_t out_bytes = 0;
        const char *text = base64_bad[i];
        if (base64_decode(text_of(text), out, &out_bytes)) fail_msg("%s", text);
    }
}

static const char *const utf8_good[] = {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x94",
                                        "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
static const char *const utf8_bad[] = {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
                                       "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80", "\xe2\x82", "a\xff" "b", "\xc3("};

static void check_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof utf8_good / sizeof utf8_good[0]; i++) {
        assert_true(utf8_valid_length(text_of(utf8_good[i])) == strlen(utf8_good[i]));
    }
    for (size_t i = 0; i < sizeof utf8_bad / sizeof utf8_bad[0]; i++) {
        if (utf8_valid_length(text_of(utf8_bad[i])) == strlen(utf8_bad[i])) fail_msg("row %zu", i);
    }
}

struct outline_case {
    const char *text;
    size_t depth;
    const char *data; /* NULL: none */
    bool escaped_name;
};
static const struct outline_case outline_cases[] = {
    {"{\"data\":1}", 1, "1", false},
    {"{\"a\":1,\"data\": {\"data\":[1,2]} ,\"b\":2}", 3, "{\"data\":[1,2]}", false},
    {"{ \"data\" : 0.10 }", 1, "0.10", false},
    {"{\"data\":\"a,}\\\"\\\\\",\"b\":\"data\"}", 1, "\"a,}\\\"\\\\\"", false},
    {"{\"data\":1,\"data\":2}", 1, "2", false},
    {"{\"b\":{\"data\":1}}", 2, NULL, false},
    {"[{\"data\":1}]", 2, NULL, false},
    {"{\"dat\":1,\"data2\":2}", 1, NULL, false},
    {"{\"d\\u0061ta\":1}", 1, NULL, true},
    {"{\"b\":\"\\n\"}", 1, NULL, false},
    {"{}", 1, NULL, false},
    {"[[[[]]]]", 4, NULL, false},
    {"}}}]]]{{", 2, NULL, false},
    {"{\"data\":\"\\", 1, NULL, false},
    {"{\"data\"", 1, NULL, false},
    {"\"", 0, NULL, false},
    {"", 0, NULL, false},
};

static void check_outlines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof outline_cases / sizeof outline_cases[0]; i++) {
        const struct outline_case *row = &outline_cases[i];
        size_t bytes = strlen(row->text);
        char *copy = malloc(bytes + 1); /* exact, so that a sanitizer sees a step too far */
        assert_non_null(copy);
        memcpy(copy, row->text, bytes);
        struct belfry_outline outline;
        belfry_outline_read(copy, bytes, &outline);
        assert_int_equal(outline.depth, row->depth);
        assert_int_equal(outline.escaped_name, row->escaped_name);
        assert_int_equal(outline.data != NULL, row->data != NULL);
        if (row->data != NULL) {
            assert_int_equal(outline.data_bytes, strlen(row->data));
            assert_memory_equal(outline.data, row->data, outline.data_bytes);
        }
        free(copy);
    }
}

static void check_media_types(void **state)
{
    (void)state;
    assert_true(belfry_media_is_json("application/json"));
    assert_true(belfry_media_is_json("Application/JSON; charset=utf-8"));
    assert_true(belfry_media_is_json("application/vnd.x+json;v=1"));
    assert_true(belfry_media_is_json("text/json"));
    assert_false(belfry_media_is_json("text/plain"));
    assert_false(belfry_media_is_json("application/jsonl"));
    assert_false(belfry_media_is_json(""));
    assert_true(belfry_media_is("a/B;c", 5, "A/b"));
    assert_false(belfry_media_is("a/bc", 4, "a/b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_instants), cmocka_unit_test(check_integers),
        cmocka_unit_test(check_base64),   cmocka_unit_test(check_utf8),
        cmocka_unit_test(check_outlines), cmocka_unit_test(check_media_types),
    };
    return cmocka_run_group_tests_name("consumer text", tests, NULL, NULL);
}
