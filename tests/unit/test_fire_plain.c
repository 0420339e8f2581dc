/* The quick way to a fire beside the tree: it takes what belfryd writes, never what the tree
 * refuses, and gives the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glob.h>

#include "consumer/fire.h"
#include "consumer/record.h"
#include "tests/support/rows.h"
#include "tests/support/same_fire.h"

#define HEAD                                                                                       \
    "{\"specversion\":\"1.0\",\"type\":\"belfry.fire.v1\",\"source\":\"/belfry/belfry/3\","
#define ID "\"id\":\"1795290000123-3.10422.0@1795294674000\","
#define JOB                                                                                        \
    "\"subject\":\"billing/a/b\",\"time\":\"2026-11-21T20:57:54.135Z\","                           \
    "\"dueat\":\"2026-11-21T20:57:54.000Z\",\"jobgroup\":\"billing\",\"jobid\":\"a/b\","           \
    "\"jobincarnation\":\"1795290000123-3.10422.0\","
#define NUMBERS                                                                                    \
    "\"jobrevision\":7,\"firekind\":\"schedule\",\"latenessms\":135,\"missedcount\":2,"            \
    "\"attempt\":1"
#define FIRE HEAD ID JOB NUMBERS

enum { VALUE_BYTES_MAX = 8192 };

static struct belfry_record record_of(const char *value, size_t bytes,
                                      const struct belfry_header headers[], size_t count)
{
    return (struct belfry_record){.topic = "belfry.fires", .partition = 3, .offset = 10422,
                                  .value = value, .value_bytes = bytes, .headers = headers,
                                  .header_count = count};
}

static const struct belfry_header structured = {"content-type", "application/cloudevents+json",
                                                28};

/* Whether the quick way takes the value; then the tree must, and say the same. */
static bool is_plain(const char *what, const char *value, size_t bytes)
{
    char *exact = malloc(bytes == 0 ? 1 : bytes); /* so that a byte too far is seen */
    assert_non_null(exact);
    memcpy(exact, value, bytes);
    struct belfry_record record = record_of(exact, bytes, &structured, 1);
    struct belfry_fire *plain = belfry_fire_decode_plain(&record);
    if (plain != NULL) {
        struct belfry_error error = {0};
        struct belfry_fire *tree = belfry_fire_decode_tree(&record, &error);
        if (tree == NULL) fail_msg("%s: %s: %.*s", what, error.message, (int)bytes, value);
        const char *difference = same_fire_difference(plain, tree);
        if (difference != NULL) fail_msg("%s: %s: %.*s", what, difference, (int)bytes, value);
        belfry_fire_free(tree);
        belfry_fire_free(plain);
    }
    free(exact);
    return plain != NULL;
}

/* Each byte left out, doubled, replaced, and with another before it. */
static void change_each_byte(const char *what, const char *value, size_t bytes)
{
    static const char others[] = "\"\\{}[]:,/ \n\t-+.eE0189azuZ\x01\x7f\x80\xc3\xa9\xed\xff";
    char changed[VALUE_BYTES_MAX + 1];
    assert_true(bytes < VALUE_BYTES_MAX);
    for (size_t at = 0; at < bytes; at++) {
        memcpy(changed, value, at);
        memcpy(changed + at, value + at + 1, bytes - at - 1);
        (void)is_plain(what, changed, bytes - 1);
        memcpy(changed + at + 1, value + at, bytes - at);
        changed[at] = value[at];
        (void)is_plain(what, changed, bytes + 1);
        for (size_t other = 0; other < sizeof others; other++) { /* the NUL, too */
            changed[at] = others[other];
            (void)is_plain(what, changed, bytes + 1);
        }
        memcpy(changed, value, bytes);
        for (size_t other = 0; other < sizeof others; other++) {
            changed[at] = others[other];
            (void)is_plain(what, changed, bytes);
        }
    }
}

/* All examples of the schema, of which those with an escape in an attribute or with bytes for data
 * are the tree's. */
static void examples(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob("schemas/examples/valid/fire-*.json", 0, NULL, &found), 0);
    size_t plain = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char value[VALUE_BYTES_MAX];
        FILE *file = fopen(found.gl_pathv[i], "rb");
        assert_non_null(file);
        size_t bytes = fread(value, 1, sizeof value, file);
        (void)fclose(file);
        while (bytes > 0 && value[bytes - 1] == '\n') bytes--;
        bool of_tree = strstr(found.gl_pathv[i], "bytes") != NULL ||
                       strstr(found.gl_pathv[i], "trigger") != NULL;
        if (is_plain(found.gl_pathv[i], value, bytes) == of_tree)
            fail_msg("%s", found.gl_pathv[i]);
        plain += !of_tree;
        change_each_byte(found.gl_pathv[i], value, bytes);
    }
    assert_true(plain >= 8);
    globfree(&found);
}

struct value_case {
    const char *name;
    const char *value;
    bool plain;
};
#define DATA(text) FIRE ",\"data\":" text "}"
static const struct value_case value_cases[] = {
    {"no data", FIRE "}", true},
    {"data in front", "{\"data\":[1]," ID JOB NUMBERS
                      ",\"source\":\"/belfry/belfry/3\",\"type\":\"belfry.fire.v1\","
                      "\"specversion\":\"1.0\"}", true},
    {"unknown", FIRE ",\"new\":{\"a\":[null,true,-1.5]},\"data\":[1]}", true},
    {"unknown, twice", FIRE ",\"new\":1,\"new\":\"\\\"\"}", true},
    {"unknown, beyond ASCII", FIRE ",\"n\xc3\xa9w\":\"\xf0\x9f\x94\x94\"}", true},
    {"unknown, no value", FIRE ",\"new\":}", false},
    {"a text beyond ASCII", HEAD "\"id\":\"caf\xc3\xa9\"," JOB NUMBERS "}", true},
    {"a text with an escape", HEAD "\"id\":\"a\\n\"," JOB NUMBERS "}", false},
    {"a text that is not UTF-8", HEAD "\"id\":\"a\xc3\"," JOB NUMBERS "}", false},
    {"a text with a control", HEAD "\"id\":\"a\tb\"," JOB NUMBERS "}", false},
    {"an empty text", HEAD "\"id\":\"\"," JOB NUMBERS "}", false},
    {"an escape in a name", FIRE ",\"d\\u0061ta\":[1]}", false},
    {"an attribute twice", FIRE ",\"attempt\":2}", false},
    {"data twice", FIRE ",\"data\":[1],\"data\":[2]}", false},
    {"bytes", FIRE ",\"data_base64\":\"Zm9v\"}", false},
    {"data and bytes", FIRE ",\"data\":[1],\"data_base64\":\"Zm9v\"}", false},
    {"no id", HEAD JOB NUMBERS "}", false},
    {"another type", "{\"specversion\":\"1.0\",\"type\":\"belfry.fire.v2\",\"source\":\"s\"," ID JOB
                     NUMBERS "}", false},
    {"another subject", HEAD ID JOB NUMBERS ",\"subject\":\"x\"}", false},
    {"a null", FIRE ",\"traceparent\":null}", false},
    {"trace", FIRE ",\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}",
     true},
    {"more behind", FIRE "}}", false},
    {"a line end behind", FIRE "}\n", false},
    {"a comma at the end", FIRE ",}", false},
    {"a space in front of data", DATA(" [1]"), false},
    {"a space behind data", DATA("[1] "), false},
    {"spaces in data", DATA("[ 1 , {\"a\" : \"b\"} ]"), true},
    {"null", DATA("null"), true},
    {"a number", DATA("-0.10"), true},
    {"a word that goes on", DATA("nullx"), false},
    {"JSON text", DATA("\"x\""), true},
    {"text", FIRE ",\"datacontenttype\":\"text/plain\",\"data\":\"x\"}", false},
    {"text, its type behind it", FIRE ",\"data\":\"x\",\"datacontenttype\":\"text/plain\"}", false},
    {"object as text", FIRE ",\"datacontenttype\":\"text/plain\",\"data\":{\"a\":1}}", true},
    {"escapes in data", DATA("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), true},
    {"a NUL in data", DATA("[\"\\u0000\"]"), false},
    {"half a pair", DATA("[\"\\ud800\"]"), false},
    {"data that is not UTF-8", DATA("[\"\xed\xa0\x80\"]"), false},
    {"a long number", DATA("[123456789012345678]"), true},
    {"a number too long", DATA("[99999999999999999999]"), false},
    {"a fraction too long", DATA("[1e999]"), false},
    {"a number that is none", DATA("[01]"), false},
    {"members twice in data", DATA("{\"a\":1,\"a\":2}"), true},
    {"half of data", DATA("[1"), false},
    {"a number too long for an attribute",
     HEAD ID JOB "\"jobrevision\":9223372036854775808,\"firekind\":\"schedule\",\"latenessms\":135,"
     "\"missedcount\":2,\"attempt\":1}", false},
    {"a number with a fraction", HEAD ID JOB "\"jobrevision\":7.0,\"firekind\":\"schedule\","
     "\"latenessms\":135,\"missedcount\":2,\"attempt\":1}", false},
    {"a number below what is allowed", HEAD ID JOB "\"jobrevision\":0,\"firekind\":\"schedule\","
     "\"latenessms\":135,\"missedcount\":2,\"attempt\":1}", false},
    {"early", HEAD ID JOB "\"jobrevision\":9223372036854775807,\"firekind\":\"schedule\","
     "\"latenessms\":-9,\"missedcount\":0,\"attempt\":1}", true},
};

static void check_value(void **state)
{
    const struct value_case *row = *state;
    size_t bytes = strlen(row->value);
    if (is_plain(row->name, row->value, bytes) != row->plain) fail_msg("%s", row->value);
    change_each_byte(row->name, row->value, bytes);
    for (size_t cut = 0; cut < bytes; cut++) (void)is_plain(row->name, row->value, cut);
}

/* Nested as deep as the quick way goes, as the tree goes, and deeper. */
static void depth(void **state)
{
    (void)state;
    for (int deep = 1; deep <= BELFRY_FIRE_DEPTH_MAX + 2; deep++) {
        char value[VALUE_BYTES_MAX];
        char open[BELFRY_FIRE_DEPTH_MAX + 3] = "";
        char close[BELFRY_FIRE_DEPTH_MAX + 3] = "";
        memset(open, '[', (size_t)deep);
        memset(close, ']', (size_t)deep);
        int bytes = snprintf(value, sizeof value, FIRE ",\"data\":%s%s}", open, close);
        bool plain = is_plain("depth", value, (size_t)bytes);
        if (deep <= 16) assert_true(plain);
        if (deep >= BELFRY_FIRE_DEPTH_MAX) assert_false(plain);
    }
}

/* The mode and the bounds are those of the tree; a header may say the trace. */
static void headers(void **state)
{
    (void)state;
    static const struct belfry_header many[BELFRY_HEADERS_MAX + 1] = {
        {"content-type", "application/cloudevents+json", 28}, {"x", "y", 1}};
    static const struct belfry_header trace[] = {
        {"content-type", "application/cloudevents+json; charset=utf-8", 43},
        {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 55}};
    static const struct belfry_header other = {"content-type", "application/json", 16};
    struct belfry_record record = record_of(FIRE "}", strlen(FIRE "}"), many, 2);
    struct belfry_fire *fire = belfry_fire_decode_plain(&record);
    assert_non_null(fire);
    belfry_fire_free(fire);
    record.header_count = BELFRY_HEADERS_MAX + 1;
    assert_null(belfry_fire_decode_plain(&record));
    record.header_count = 3; /* the third has no name */
    assert_null(belfry_fire_decode_plain(&record));
    record.headers = &other;
    record.header_count = 1;
    assert_null(belfry_fire_decode_plain(&record));
    record.headers = trace;
    assert_non_null(fire = belfry_fire_decode_plain(&record));
    belfry_fire_free(fire);
    record.header_count = 2;
    assert_null(belfry_fire_decode_plain(&record));
    assert_non_null(fire = belfry_fire_decode(&record, NULL));
    assert_string_equal(fire->traceparent, trace[1].value);
    belfry_fire_free(fire);
    record.value = NULL;
    record.value_bytes = 0;
    assert_null(belfry_fire_decode_plain(&record));
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(value_cases, check_value)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(examples),
        cmocka_unit_test(depth),
        cmocka_unit_test(headers),
    };
    return run_rows("fire_plain", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
