#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/base64.h"
#include "lib/base/utf8.h"
#include "schemas/text_writer.h"

static void assert_written(const struct text_writer *writer, const char *expected)
{
    if (!text_equal(text_writer_text(writer), text_of(expected)))
        fail_msg("wrote %.*s, not %s", (int)writer->length, writer->bytes, expected);
}

static void test_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *written;
    } rows[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\n\r\t\x01\x1f\x7f", "\"\\n\\r\\t\\u0001\\u001f\\u007f\""},
        {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x94", "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x94\""},
        {"cut \xE2\x82", "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xFF", "\"\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text_writer writer;
        text_writer_init(&writer);
        text_writer_string(&writer, text_of(rows[i].text));
        assert_written(&writer, rows[i].written);
        text_writer_free(&writer);
    }
}

static void test_integers(void **state)
{
    (void)state;
    static const int64_t rows[] = {0,   1,     9,  10,   99,        100,
                                   101, 12345, -1, -100, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text_writer writer;
        char expected[32];
        text_writer_init(&writer);
        text_writer_integer(&writer, rows[i]);
        (void)snprintf(expected, sizeof expected, "%lld", (long long)rows[i]);
        assert_written(&writer, expected);
        text_writer_free(&writer);
    }
}

static void test_members_and_growth(void **state)
{
    (void)state;
    struct text_writer writer;
    text_writer_init(&writer);
    text_writer_char(&writer, '{');
    text_writer_member(&writer, "at");
    text_writer_instant(&writer, 1795294674123);
    text_writer_member(&writer, "every");
    text_writer_duration(&writer, 90000);
    text_writer_member(&writer, "bytes");
    text_writer_base64(&writer, (struct text){"\0\1", 2});
    text_writer_char(&writer, '}');
    assert_written(&writer, "{\"at\":\"2026-11-21T20:57:54.123Z\",\"every\":\"90s\","
                            "\"bytes\":\"AAE=\"}");
    text_writer_reset(&writer);
    for (int i = 0; i < 100000; i++) text_writer_char(&writer, 'x');
    assert_int_equal(writer.length, 100000);
    assert_false(writer.overflowed);
    text_writer_free(&writer);
}

static void test_fixed(void **state)
{
    (void)state;
    char buffer[8];
    struct text_writer writer;
    text_writer_init_fixed(&writer, buffer, sizeof buffer);
    text_writer_words(&writer, "12345678");
    assert_false(writer.overflowed);
    assert_ptr_equal(writer.bytes, buffer);
    text_writer_char(&writer, '9');
    assert_true(writer.overflowed);
    assert_written(&writer, "12345678");
    text_writer_reset(&writer);
    assert_null(text_writer_reserve(&writer, 9));
    text_writer_reset(&writer);
    assert_non_null(text_writer_reserve(&writer, 8));
}

static void test_base64(void **state)
{
    (void)state;
    char encoded[64];
    char decoded[64];
    size_t length = 0;
    static const char bytes[] = "any carnal pleas\xFF\x00\xFE";
    for (size_t i = 0; i < sizeof bytes; i++) {
        base64_encode((struct text){bytes, i}, encoded);
        struct text text = {encoded, base64_encoded_length(i)};
        assert_true(base64_decode(text, decoded, &length));
        assert_int_equal(length, i);
        assert_memory_equal(decoded, bytes, i);
    }
    static const char *const wrong[] = {"A", "AA", "AAA", "=AAA", "AA=A", "AB==", "AAB=", "A A=",
                                        "AAAA\n", "AA-_", "===="};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (base64_decode(text_of(wrong[i]), decoded, &length)) fail_msg("took %s", wrong[i]);
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const right[] = {"", "a", "\xC2\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                                        "\xF4\x8F\xBF\xBF"};
    static const char *const wrong[] = {"\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80",
                                        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5", "\xE2\x82"};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        assert_int_equal(utf8_valid_length(text_of(right[i])), strlen(right[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(utf8_valid_length(text_of(wrong[i])), 0);
}

static void test_excerpt(void **state)
{
    (void)state;
    char copy[12];
    assert_string_equal(utf8_excerpt(text_of("short"), copy, sizeof copy), "short");
    assert_string_equal(utf8_excerpt(text_of("12345678901"), copy, sizeof copy), "12345678901");
    assert_string_equal(utf8_excerpt(text_of("123456789012"), copy, sizeof copy), "12345678...");
    assert_string_equal(utf8_excerpt(text_of("a\x1b[31m\n\xFF"), copy, sizeof copy), "a?[31m??");
    /* A change of direction and a control character of Latin-1. */
    struct text hostile = text_of("\xE2\x80\xAE" "x\xC2\x9B");
    assert_string_equal(utf8_excerpt(hostile, copy, sizeof copy), "?x?");
    assert_string_equal(utf8_excerpt(text_of("1234567\xE2\x82\xAC\xE2\x82\xAC"), copy, sizeof copy),
                        "1234567...");
}

static void test_format(void **state)
{
    (void)state;
    struct text_writer writer = {0};
    assert_string_equal(text_writer_terminated(&writer), "");
    text_writer_bytes(&writer, "", 0);
    text_writer_format(&writer, "%s-%d", "a", 7);
    assert_int_equal(writer.length, 3);
    for (int i = 0; i < 200; i++) text_writer_format(&writer, "%03d", i);
    assert_int_equal(writer.length, 3 + 200 * 3);
    assert_int_equal(strlen(text_writer_terminated(&writer)), writer.length);
    assert_string_equal(text_writer_terminated(&writer) + writer.length - 6, "198199");
    text_writer_free(&writer);
    char room[4];
    text_writer_init_fixed(&writer, room, sizeof room);
    text_writer_format(&writer, "%d", 123);
    assert_false(writer.overflowed);
    text_writer_format(&writer, "%d", 4);
    assert_true(writer.overflowed);
    assert_memory_equal(room, "123", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),  cmocka_unit_test(test_integers),
        cmocka_unit_test(test_members_and_growth), cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_base64),   cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_excerpt),  cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests_name("text writer", tests, NULL, NULL);
}
