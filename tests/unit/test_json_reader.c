#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/json_scan.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "schemas/json_reader.h"

struct target {
    struct text text;
    struct text group;
    int64_t number;
    int32_t small;
    int64_t at_ms;
    int64_t for_ms;
    bool flag;
    int word;
};

static const char *const words[] = {"red", "green", NULL};
#define FIELD(member) .offset = offsetof(struct target, member)
static const struct json_field rows[] = {
    {.name = "text", .kind = JSON_TEXT, .required = true, .given = 1, FIELD(text), .max = 5},
    {.name = "group", .kind = JSON_NAME, .given = 2, FIELD(group)},
    {.name = "number", .kind = JSON_INT, .given = 4, FIELD(number), .min = -5, .max = 5},
    {.name = "small", .kind = JSON_INT32, FIELD(small), .max = INT32_MAX},
    {.name = "at", .kind = JSON_INSTANT, FIELD(at_ms)},
    {.name = "for", .kind = JSON_DURATION, FIELD(for_ms), .min = 1000, .max = 60000},
    {.name = "flag", .kind = JSON_BOOL, FIELD(flag)},
    {.name = "word", .kind = JSON_WORD, FIELD(word), .words = words},
    {.name = "elsewhere", .kind = JSON_BOOL, .where = 2, FIELD(flag)},
};
#undef FIELD
static const struct json_table table = {"a test", rows, sizeof rows / sizeof rows[0]};

static bool read_text(const char *json, struct target *target, uint32_t *given,
                      struct error *error)
{
    json_t *root = NULL;
    if (!json_parse(text_of(json), 1024, &root, error)) return false;
    struct json_node node = {root, NULL, NULL, 0};
    bool read = json_read_object(&node, &table, 1, target, NULL, given, error);
    json_decref(root);
    return read;
}

static void test_all_kinds(void **state)
{
    (void)state;
    struct target target = {.word = -1};
    struct error error = {0};
    uint32_t given = 0;
    assert_true(read_text("{\"text\":\"a\",\"group\":null,\"number\":-5,\"small\":7,\"flag\":true,"
                          "\"at\":\"1970-01-01T00:00:01Z\",\"for\":\"1m\",\"word\":\"green\"}",
                          &target, &given, &error));
    assert_int_equal(given, 7);
    assert_int_equal(target.group.length, 0);
    assert_int_equal(target.number, -5);
    assert_int_equal(target.small, 7);
    assert_int_equal(target.at_ms, 1000);
    assert_int_equal(target.for_ms, 60000);
    assert_true(target.flag);
    assert_int_equal(target.word, 1);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *json, *code, *field, *says;
    } cases[] = {
        {"[]", "wrong_type", "", "must be an object, not an array"},
        {"{}", "missing_field", "/text", "'text' is required in a test"},
        {"{\"text\":null}", "missing_field", "/text", "may not be null"},
        {"{\"text\":\"123456\"}", "bad_value", "/text", "has 6 bytes, 0 to 5 are allowed"},
        {"{\"text\":\"\\u007f\"}", "bad_value", "/text", "control character at byte 1"},
        {"{\"text\":1.5}", "wrong_type", "/text", "must be a string, not a number with a fraction"},
        {"{\"tekst\":\"\"}", "unknown_field", "/tekst", "did you mean 'text'?"},
        {"{\"zzzzzz\":1}", "unknown_field", "/zzzzzz", "'zzzzzz' is not a field of a test"},
        {"{\"elsewhere\":true}", "unknown_field", "/elsewhere", "does not belong to a test"},
        {"{\"number\":6}", "bad_value", "/number", "6 is not between -5 and 5"},
        {"{\"group\":\"a b\"}", "bad_name", "/group", "'a b' is not a name"},
        {"{\"at\":12}", "bad_time", "/at", "must be a time"},
        {"{\"for\":\"61s\"}", "bad_value", "/for", "'61s' is not between 1s and 1m"},
        {"{\"for\":61}", "bad_duration", "/for", "must be a duration"},
        {"{\"flag\":0}", "wrong_type", "/flag", "must be true or false, not an integer"},
        {"{\"word\":\"blue\"}", "bad_value", "/word", "allowed: red or green"},
        {"{\"a/b~c\":0}", "unknown_field", "/a~1b~0c", "'a/b~c'"},
        {"{\"x\\u001b\":0}", "unknown_field", "/x?", "'x?'"},
        {"{\"text\":\"\",\"text\":\"\"}", "duplicate_key", "", "\"text\""},
        {"{\"text\":", "invalid_json", "", "line 1, column 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct target target = {0};
        struct error error = {0};
        assert_false(read_text(cases[i].json, &target, NULL, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_string_equal(error_code_word(error.code), cases[i].code);
        assert_string_equal(error.field, cases[i].field);
        if (strstr(error.message, cases[i].says) == NULL)
            fail_msg("%s: says '%s'", cases[i].json, error.message);
    }
}

/* The text at the end of its own memory, so that a tool sees a read past it. */
static bool check(const char *json, size_t length, size_t bytes_max, struct error *error)
{
    char *copy = memory_copy_text(json, length);
    copy = memory_resize(copy, length, 1);
    bool right = json_scan_check((struct text){copy, length}, bytes_max, error);
    free(copy);
    return right;
}

static void test_bounds(void **state)
{
    (void)state;
    struct error error = {0};
    assert_true(check("[\"]]]]{{{{:::\\\"\"]", 17, 17, &error));
    assert_false(check("[]", 2, 1, &error));
    assert_int_equal(error.code, CODE_TOO_LARGE);
    char deep[JSON_DEPTH_MAX + 1];
    memset(deep, '[', sizeof deep);
    error_clear(&error);
    assert_true(check(deep, JSON_DEPTH_MAX, 100, &error));
    assert_false(check(deep, JSON_DEPTH_MAX + 1, 100, &error));
    assert_int_equal(error.code, CODE_TOO_DEEP);
    error_clear(&error);
    assert_false(check("\"\\\xFF\"", 4, 100, &error));
    assert_string_equal(error_code_word(error.code), "not_utf8");
    error_clear(&error);
    assert_true(check("\"\\", 2, 100, &error)); /* cut off: the parser's business */
    assert_true(check("]]]}}}", 6, 100, &error));
    size_t many = JSON_TOKENS_MAX + 10;
    char *commas = memory_allocate(many, 1);
    memset(commas, ',', many);
    assert_false(check(commas, many, many, &error));
    assert_int_equal(error.code, CODE_TOO_MANY);
    free(commas);
}

static void test_members_of_one_object(void **state)
{
    (void)state;
    enum { UNIT = 6 };
    size_t length = (JSON_MEMBERS_MAX + 1) * UNIT;
    char *text = memory_allocate(length, 1);
    for (size_t i = 0; i <= JSON_MEMBERS_MAX; i++) memcpy(text + i * UNIT, "\"a\":0,", UNIT);
    char *object = memory_allocate(length + 1, 1);
    object[0] = '{';
    memcpy(object + 1, text, length);
    struct error error = {0};
    assert_true(check(object, 1 + JSON_MEMBERS_MAX * UNIT, SIZE_MAX, &error));
    assert_false(check(object, 1 + length, SIZE_MAX, &error));
    assert_int_equal(error.code, CODE_TOO_MANY);
    free(text);
    free(object);
}

static void test_member_text(void **state)
{
    (void)state;
    struct text object = text_of(" { \"a\\\"\" : 1 , \"b\" : [ {\"c\":\"]\"} , -2.50 ] ,\"c\":{}, "
                                 "\"d\": 1e5} ");
    assert_true(text_equal(json_scan_member(object, "c"), text_of("{}")));
    assert_true(text_equal(json_scan_member(object, "d"), text_of("1e5")));
    assert_int_equal(json_scan_member(object, "a").length, 0);
    struct text rest = json_scan_member(object, "b");
    struct text element;
    assert_true(json_scan_element(&rest, &element));
    assert_true(text_equal(element, text_of("{\"c\":\"]\"}")));
    assert_true(json_scan_element(&rest, &element));
    assert_true(text_equal(element, text_of("-2.50")));
    assert_false(json_scan_element(&rest, &element));
    char compact[64];
    size_t length = json_scan_compact(json_scan_member(object, "b"), compact);
    assert_true(text_equal((struct text){compact, length}, text_of("[{\"c\":\"]\"},-2.50]")));
    static const char *const broken[] = {"",         "{",          "{\"", "{\"a",        "{\"a\"",
                                         "{\"a\":", "{\"a\" 1", "[",   "{\"a\":\"\\"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_int_equal(json_scan_member(text_of(broken[i]), "x").length, 0);
}

static void test_members_in_turn(void **state)
{
    (void)state;
    struct text rest = text_of(" { \"a\\\"\" : 1 , \"b\":[{\"c\":\"]\"}, 2] ,\"c\":{}, "
                               "\"d\": 1e5} ");
    static const char *const pairs[][2] = {
        {"a\\\"", "1"}, {"b", "[{\"c\":\"]\"}, 2]"}, {"c", "{}"}, {"d", "1e5"}};
    struct text name;
    struct text value;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_true(json_scan_pair(&rest, &name, &value));
        assert_true(text_equal(name, text_of(pairs[i][0])));
        assert_true(text_equal(value, text_of(pairs[i][1])));
    }
    assert_false(json_scan_pair(&rest, &name, &value));
    static const char *const none[] = {"", "{}", " [1]", "{\"", "{\"a", "{\"a\"", "{\"a\" 1", "1"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        rest = text_of(none[i]);
        assert_false(json_scan_pair(&rest, &name, &value));
    }
    assert_int_equal(json_scan_string(text_of("\"a\\\"b\" 1")), 6);
}

static void test_grammar(void **state)
{
    (void)state;
    static const char *const right[] = {"0", "-0", "12.5e-3", "\"\"", "\"\\u00aF\\n\"",
                                        "null", "true", "[]", "{}",
                                        " [ 1 , [ ] , { \"a\" : { } } ] ",
                                        "{\"a\":[{\"b\":false}],\"c\":1E+2}"};
    static const char *const wrong[] = {"", "01", "-", "1.", "1e", "\"", "\"\\x\"",
                                        "\"\\u12g4\"", "nul", "truex", "[1,]", "[,1]",
                                        "{\"a\"}", "{\"a\":}", "{a:1}", "[1}",
                                        "{\"a\":1]", "1 2", "[", "{\"a\":1,}", "+1", "\"\t\""};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        if (!json_scan_is_value(text_of(right[i]))) fail_msg("refused %s", right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (json_scan_is_value(text_of(wrong[i]))) fail_msg("took %s", wrong[i]);
}

/* What is right whatever parser comes, and how much of the text it is. */
static void test_plain(void **state)
{
    (void)state;
    static const char *const right[] = {"0", "-12.50", "null", "\"\"", "\"\\\"\\n\xc3\xa9\x7f\"",
                                        "[1,{\"a\":[]}]", "123456789012345678"};
    static const char *const wrong[] = {"", "1e5", "1234567890123456789", "\"\\u0041\"", "\"\xff\"",
                                        "\"\xed\xa0\x80\"", "\"12345678\t\"", "\"1234567", "[1"};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        char text[64];
        int length = snprintf(text, sizeof text, "%s,\"", right[i]);
        if (json_scan_plain((struct text){text, (size_t)length}) != strlen(right[i]))
            fail_msg("refused %s", right[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (json_scan_plain(text_of(wrong[i])) != 0) fail_msg("took %s", wrong[i]);
}

int main(void)
{
    json_reader_prepare();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds),   cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_bounds),      cmocka_unit_test(test_members_of_one_object),
        cmocka_unit_test(test_member_text), cmocka_unit_test(test_plain),
        cmocka_unit_test(test_members_in_turn), cmocka_unit_test(test_grammar),
    };
    return cmocka_run_group_tests_name("json reader", tests, NULL, NULL);
}
