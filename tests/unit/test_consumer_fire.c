/* Decoding of fires: each row is a whole good fire with one thing changed. */
#include "consumer/consumer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rows.h"
#include <jansson.h>

#define STRUCTURED_TYPE "application/cloudevents+json"

static const char good[] =
    "{\"specversion\":\"1.0\",\"type\":\"belfry.fire.v1\",\"source\":\"/belfry/belfry/3\","
    "\"id\":\"1795290000123-3.10422.0@1795294674000\",\"subject\":\"billing/a/b\","
    "\"time\":\"2026-11-21T20:57:54.135Z\",\"dueat\":\"2026-11-21T20:57:54.000Z\","
    "\"jobgroup\":\"billing\",\"jobid\":\"a/b\",\"jobincarnation\":\"1795290000123-3.10422.0\","
    "\"jobrevision\":7,\"firekind\":\"schedule\",\"latenessms\":135,\"missedcount\":2,"
    "\"attempt\":1,\"datacontenttype\":\"application/json\",\"data\":{\"rate\":0.10}}";

static const char *const binary[][2] = {
    {"ce_specversion", "1.0"}, {"ce_type", "belfry.fire.v1"}, {"ce_source", "/belfry/belfry/3"},
    {"ce_id", "1795290000123-3.10422.0@1795294674000"}, {"ce_subject", "billing/a/b"},
    {"ce_time", "2026-11-21T20:57:54.135Z"}, {"ce_dueat", "2026-11-21T20:57:54.000Z"},
    {"ce_jobgroup", "billing"}, {"ce_jobid", "a/b"},
    {"ce_jobincarnation", "1795290000123-3.10422.0"}, {"ce_jobrevision", "7"},
    {"ce_firekind", "schedule"}, {"ce_latenessms", "135"}, {"ce_missedcount", "2"},
    {"ce_attempt", "1"}, {"content-type", "application/json"},
};
enum { BINARY = sizeof binary / sizeof binary[0] };

static struct belfry_fire *structured_decode(const char *value, size_t bytes,
                                             struct belfry_error *error)
{
    struct belfry_header header = {"content-type", STRUCTURED_TYPE, strlen(STRUCTURED_TYPE)};
    struct belfry_record record = {.topic = "belfry.fires", .partition = 3, .offset = 10422,
                                   .value = value, .value_bytes = bytes, .headers = &header,
                                   .header_count = 1};
    return belfry_fire_decode(&record, error);
}

/* Binary mode with one header replaced, left out (value NULL), or added. */
static struct belfry_fire *binary_decode(const char *name, const char *value, const char *data,
                                         size_t data_bytes, struct belfry_error *error)
{
    struct belfry_header headers[BINARY + 1];
    size_t count = 0;
    bool added = name == NULL;
    for (int i = 0; i < BINARY; i++) {
        bool same = name != NULL && strcmp(binary[i][0], name) == 0;
        added = added || same;
        const char *text = same ? value : binary[i][1];
        if (text == NULL) continue;
        headers[count++] = (struct belfry_header){binary[i][0], text, strlen(text)};
    }
    if (!added) headers[count++] = (struct belfry_header){name, value, strlen(value)};
    struct belfry_record record = {.topic = "belfry.fires", .partition = 3, .offset = 10422,
                                   .value = data, .value_bytes = data_bytes, .headers = headers,
                                   .header_count = count};
    return belfry_fire_decode(&record, error);
}

/* The good text with the first `from` replaced by `to`; the caller's. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(good, from);
    assert_non_null(at);
    char *text = NULL;
    assert_true(asprintf(&text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from)) > 0);
    return text;
}

static void check_fields(const struct belfry_fire *fire)
{
    assert_string_equal(fire->id, "1795290000123-3.10422.0@1795294674000");
    assert_string_equal(fire->source, "/belfry/belfry/3");
    assert_string_equal(fire->subject, "billing/a/b");
    assert_string_equal(fire->group, "billing");
    assert_string_equal(fire->job_id, "a/b");
    assert_string_equal(fire->incarnation, "1795290000123-3.10422.0");
    assert_string_equal(fire->kind, "schedule");
    assert_string_equal(fire->due, "2026-11-21T20:57:54.000Z");
    assert_string_equal(fire->time, "2026-11-21T20:57:54.135Z");
    assert_int_equal(fire->due_ms, 1795294674000);
    assert_int_equal(fire->time_ms, 1795294674135);
    assert_int_equal(fire->revision, 7);
    assert_int_equal(fire->lateness_ms, 135);
    assert_int_equal(fire->missed_count, 2);
    assert_int_equal(fire->attempt, 1);
    assert_string_equal(fire->content_type, "application/json");
    assert_string_equal(fire->topic, "belfry.fires");
    assert_int_equal(fire->partition, 3);
    assert_int_equal(fire->offset, 10422);
}

static void structured_whole(void **state)
{
    (void)state;
    struct belfry_error error = {0};
    struct belfry_fire *fire = structured_decode(good, strlen(good), &error);
    if (fire == NULL) fail_msg("%s", error.message);
    check_fields(fire);
    assert_null(fire->traceparent);
    assert_string_equal(fire->data, "{\"rate\":0.10}"); /* as it stands, not as parsed */
    assert_int_equal(fire->data_bytes, 13);
    size_t bytes = 0;
    char *text = belfry_fire_json(fire, &bytes, &error);
    assert_string_equal(text, good);
    assert_int_equal(bytes, strlen(good));
    free(text);
    belfry_fire_free(fire);
}

static void binary_whole(void **state)
{
    (void)state;
    struct belfry_error error = {0};
    struct belfry_fire *fire = binary_decode(NULL, NULL, "{\"rate\":0.10}", 13, &error);
    if (fire == NULL) fail_msg("%s", error.message);
    check_fields(fire);
    assert_string_equal(fire->data, "{\"rate\":0.10}");
    size_t bytes = 0;
    char *text = belfry_fire_json(fire, &bytes, &error);
    assert_non_null(strstr(text, ",\"data\":{\"rate\":0.10}}"));
    assert_non_null(strstr(text, "\"jobrevision\":7"));
    /* What it says as structured JSON is the same fire. */
    struct belfry_fire *again = structured_decode(text, bytes, &error);
    if (again == NULL) fail_msg("%s", error.message);
    check_fields(again);
    assert_string_equal(again->data, "{\"rate\":0.10}");
    free(text);
    belfry_fire_free(again);
    belfry_fire_free(fire);
}

struct data_case {
    const char *name;
    const char *type; /* member datacontenttype and what follows, "" none */
    const char *data; /* NULL: no data */
};
static const struct data_case data_cases[] = {
    {"no data", "\"datacontenttype\":\"text/plain\"", NULL},
    {"no content type", "\"data\":[1]", "[1]"},
    {"null", "\"data\":null", "null"},
    {"json string", "\"data\":\"x\"", "\"x\""},
    {"text", "\"datacontenttype\":\"text/plain\",\"data\":\"x\\n\\u00e9\"", "x\n\xc3\xa9"},
    {"spaces", "\"data\" : { \"a\" : 1 } ", "{ \"a\" : 1 }"},
    {"base64", "\"datacontenttype\":\"image/png\",\"data_base64\":\"Zm9vYg==\"", "foob"},
    {"empty base64", "\"data_base64\":\"\"", ""},
    {"object as text", "\"datacontenttype\":\"text/plain\",\"data\":{\"a\":1}", "{\"a\":1}"},
};

static void check_structured_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof data_cases / sizeof data_cases[0]; i++) {
        const struct data_case *row = &data_cases[i];
        struct belfry_error error = {0};
        char *text = changed("\"datacontenttype\":\"application/json\",\"data\":{\"rate\":0.10}",
                             row->type);
        struct belfry_fire *fire = structured_decode(text, strlen(text), &error);
        if (fire == NULL) fail_msg("%s: %s", row->name, error.message);
        assert_int_equal(fire->data != NULL, row->data != NULL);
        if (row->data != NULL) {
            assert_string_equal(fire->data, row->data);
            assert_int_equal(fire->data_bytes, strlen(row->data));
        }
        belfry_fire_free(fire);
        free(text);
    }
}

static void binary_payloads(void **state)
{
    (void)state;
    struct belfry_error error = {0};
    size_t bytes = 0;
    struct belfry_fire *fire = binary_decode(NULL, NULL, NULL, 0, &error);
    assert_non_null(fire);
    assert_null(fire->data);
    char *text = belfry_fire_json(fire, &bytes, &error);
    assert_null(strstr(text, "\"data\""));
    assert_int_equal(bytes, strlen(text));
    free(text);
    belfry_fire_free(fire);
    /* Bytes that are no JSON go through base64 and come back. */
    fire = binary_decode("content-type", "image/png", "\0\x01\xff", 3, &error);
    assert_non_null(fire);
    assert_int_equal(fire->data_bytes, 3);
    text = belfry_fire_json(fire, &bytes, &error);
    struct belfry_fire *again = structured_decode(text, bytes, &error);
    assert_non_null(again);
    assert_int_equal(again->data_bytes, 3);
    assert_memory_equal(again->data, "\0\x01\xff", 3);
    free(text);
    belfry_fire_free(again);
    belfry_fire_free(fire);
    fire = binary_decode(NULL, NULL, "{broken", 7, &error); /* says JSON, but is not */
    assert_non_null(fire);
    text = belfry_fire_json(fire, &bytes, &error);
    assert_non_null(strstr(text, "\"data_base64\":\"e2Jyb2tlbg==\""));
    free(text);
    belfry_fire_free(fire);
}

static void trace_context(void **state)
{
    (void)state;
    struct belfry_error error = {0};
    static const char trace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    struct belfry_fire *fire = binary_decode("traceparent", trace, NULL, 0, &error);
    assert_non_null(fire);
    assert_string_equal(fire->traceparent, trace);
    belfry_fire_free(fire);
    fire = binary_decode("traceparent", "\xff", NULL, 0, &error);
    assert_non_null(fire); /* a broken one loses no fire */
    assert_null(fire->traceparent);
    belfry_fire_free(fire);
    fire = binary_decode("ce_traceparent", trace, NULL, 0, &error);
    assert_non_null(fire);
    assert_string_equal(fire->traceparent, trace);
    size_t bytes = 0;
    char *text = belfry_fire_json(fire, &bytes, &error);
    assert_non_null(strstr(text, "\"traceparent\":\"00-4bf92f35"));
    belfry_fire_free(fire);
    fire = structured_decode(text, bytes, &error);
    assert_non_null(fire);
    assert_string_equal(fire->traceparent, trace);
    free(text);
    belfry_fire_free(fire);
}

struct invalid_case {
    const char *message; /* a part of it */
    const char *from;
    const char *to;
};
static const struct invalid_case invalid_cases[] = {
    {"specversion is missing", "\"specversion\":\"1.0\",", ""},
    {"specversion is \"0.3\"", "\"1.0\"", "\"0.3\""},
    {"only \"belfry.fire.v1\"", "belfry.fire.v1", "belfry.fire.v2"},
    {"id is missing", "\"id\":\"1795290000123-3.10422.0@1795294674000\",", ""},
    {"id must have", "\"1795290000123-3.10422.0@1795294674000\"", "\"\""},
    {"id must be text", "\"1795290000123-3.10422.0@1795294674000\"", "17"},
    {"source is missing", "\"source\":\"/belfry/belfry/3\",", ""},
    {"subject must be", "billing/a/b", "billing/c"},
    {"subject must be", "billing/a/b", "billin"},
    {"time must be an RFC 3339", "2026-11-21T20:57:54.135Z", "2026-11-21T20:57:54.135"},
    {"dueat must be", "2026-11-21T20:57:54.000Z", "yesterday"},
    {"dueat must be text", "\"2026-11-21T20:57:54.000Z\"", "1795294674000"},
    {"jobgroup is missing", "\"jobgroup\":\"billing\",", ""},
    {"jobid is missing", "\"jobid\":\"a/b\",", ""},
    {"jobrevision must be an integer", "\"jobrevision\":7", "\"jobrevision\":\"7\""},
    {"jobrevision must be an integer", "\"jobrevision\":7", "\"jobrevision\":7.0"},
    {"jobrevision is below", "\"jobrevision\":7", "\"jobrevision\":0"},
    {"firekind is missing", "\"firekind\":\"schedule\",", ""},
    {"latenessms is missing", "\"latenessms\":135,", ""},
    {"missedcount is below", "\"missedcount\":2", "\"missedcount\":-1"},
    {"attempt is below", "\"attempt\":1", "\"attempt\":0"},
    {"too big", "\"attempt\":1", "\"attempt\":99999999999999999999"},
    {"datacontenttype must", "\"datacontenttype\":\"application/json\"", "\"datacontenttype\":7"},
    {"data_base64 must be text", "\"data\":", "\"data_base64\":"},
    {"data_base64 must be base64", "\"data\":{\"rate\":0.10}", "\"data_base64\":\"a\""},
    {"exclude", "\"data\":", "\"data_base64\":\"\",\"data\":"},
    {"escape", "\"data\":", "\"d\\u0061ta\":"},
    {"not a fire: byte", "{\"rate\":0.10}", "\"\xff\""},
    {"not a fire: byte", "{\"rate\":0.10}", "\"a\\u0000b\""},
    {"not a fire: byte", "{\"rate\":0.10}", "{"},
    {"not a fire: byte", "{\"rate\":0.10}}", "{}} {}"},
};

static void check_invalid(void **state)
{
    const struct invalid_case *row = *state;
    struct belfry_error error = {0};
    char *text = changed(row->from, row->to);
    assert_null(structured_decode(text, strlen(text), &error));
    assert_int_equal(error.kind, BELFRY_ERROR_INVALID);
    if (strstr(error.message, row->message) == NULL) fail_msg("%s", error.message);
    free(text);
}

static void hostile_values(void **state)
{
    (void)state;
    static const char *const values[] = {"", "null", "[]", "\"x\"", "7", "{}", "{\"data\"", "\xff"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct belfry_error error = {0};
        assert_null(structured_decode(values[i], strlen(values[i]), &error));
        assert_int_equal(error.kind, BELFRY_ERROR_INVALID);
    }
    enum { DEEP = 100000, HUGE = (4 << 20) + 1 };
    char *deep = malloc(HUGE);
    assert_non_null(deep);
    memset(deep, '[', HUGE);
    struct belfry_error error = {0};
    assert_null(structured_decode(deep, DEEP, &error));
    assert_non_null(strstr(error.message, "nested too deeply"));
    error = (struct belfry_error){0};
    assert_null(structured_decode(deep, HUGE, &error));
    assert_non_null(strstr(error.message, "at most"));
    free(deep);
    assert_null(structured_decode(NULL, 0, NULL)); /* a tombstone, and nobody asks why */
}

struct header_case {
    const char *message;
    const char *name;
    const char *value; /* NULL: the header is left out */
};
static const struct header_case header_cases[] = {
    {"neither the header", "ce_specversion", NULL},
    {"id is missing", "ce_id", NULL},
    {"id must be UTF-8", "ce_id", "\xff"},
    {"jobrevision must be an integer", "ce_jobrevision", "7x"},
    {"jobrevision must be an integer", "ce_jobrevision", ""},
    {"attempt is below", "ce_attempt", "0"},
    {"dueat must be", "ce_dueat", "2026"},
    {"ce_data is not allowed", "ce_data", "{}"},
    {"comes twice", "ce_datacontenttype", "text/plain"},
};

static void check_header(void **state)
{
    const struct header_case *row = *state;
    struct belfry_error error = {0};
    assert_null(binary_decode(row->name, row->value, "{}", 2, &error));
    assert_int_equal(error.kind, BELFRY_ERROR_INVALID);
    if (strstr(error.message, row->message) == NULL) fail_msg("%s", error.message);
}

/* What a lease adds to a fire: the library does not know it, reads the fire, and hands it on. */
static void leases_are_passed_over(void **state)
{
    (void)state;
    static const char lease[] = "\"leasems\":300000,\"expirytime\":\"2026-11-22T20:57:54.012Z\","
                                "\"runnumber\":\"4294967297\",\"try\":2,\"workers\":\"w\",";
    char more[sizeof lease + 16];
    (void)snprintf(more, sizeof more, "%s\"data\":", lease);
    struct belfry_error error = {0};
    char *text = changed("\"data\":", more);
    struct belfry_fire *fire = structured_decode(text, strlen(text), &error);
    if (fire == NULL) fail_msg("%s", error.message);
    check_fields(fire);
    assert_string_equal(fire->data, "{\"rate\":0.10}");
    size_t bytes = 0;
    char *again = belfry_fire_json(fire, &bytes, &error);
    assert_string_equal(again, text);
    free(again);
    free(text);
    belfry_fire_free(fire);
    fire = binary_decode("ce_runnumber", "4294967297", "{\"rate\":0.10}", 13, &error);
    if (fire == NULL) fail_msg("%s", error.message);
    check_fields(fire);
    again = belfry_fire_json(fire, &bytes, &error);
    assert_non_null(strstr(again, "\"runnumber\":\"4294967297\""));
    free(again);
    belfry_fire_free(fire);
}

static void unknown_parts_are_passed_over(void **state)
{
    (void)state;
    struct belfry_error error = {0};
    char *text = changed("\"attempt\":1", "\"attempt\":1,\"newthing\":[{}]");
    struct belfry_fire *fire = structured_decode(text, strlen(text), &error);
    assert_non_null(fire);
    belfry_fire_free(fire);
    free(text);
    static const char *const names[] = {"ce_newthing", "ce_\xff", "ce_New", "x", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        fire = binary_decode(names[i], "x", NULL, 0, &error);
        assert_non_null(fire);
        belfry_fire_free(fire);
    }
}

static void wrong_arguments(void **state)
{
    (void)state;
    struct belfry_error error = {0};
    size_t bytes = 0;
    assert_null(belfry_fire_decode(NULL, &error));
    assert_int_equal(error.kind, BELFRY_ERROR_INVALID);
    struct belfry_header nameless = {NULL, "x", 1};
    struct belfry_record record = {.topic = "t", .headers = &nameless, .header_count = 1};
    assert_null(belfry_fire_decode(&record, NULL));
    assert_null(belfry_fire_json(NULL, &bytes, NULL));
    belfry_fire_free(NULL);
}

/* Allocation 0, 1, 2, ... of the JSON library fails, until the call succeeds. */
static size_t allocations_left;

static void *failing_malloc(size_t bytes)
{
    if (allocations_left == 0) return NULL;
    allocations_left--;
    return malloc(bytes);
}

static void short_memory_is_an_error(void **state)
{
    (void)state;
    char *spaced = changed("\"data\":", " \"data\":"); /* so that it needs a tree */
    json_set_alloc_funcs(failing_malloc, free);
    for (int mode = 0; mode < 2; mode++) {
        struct belfry_fire *fire = NULL;
        for (size_t count = 0; fire == NULL; count++) {
            struct belfry_error error = {0};
            allocations_left = count;
            fire = mode == 0 ? structured_decode(spaced, strlen(spaced), &error)
                             : binary_decode(NULL, NULL, "{}", 2, &error);
            if (fire == NULL && error.kind != BELFRY_ERROR_MEMORY) {
                fail_msg("mode %d, allocation %zu: %s", mode, count, error.message);
            }
        }
        belfry_fire_free(fire);
    }
    json_set_alloc_funcs(malloc, free);
    free(spaced);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(invalid_cases, check_invalid),
                                              ROW_TABLE(header_cases, check_header)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(structured_whole),
        cmocka_unit_test(binary_whole),
        cmocka_unit_test(check_structured_data),
        cmocka_unit_test(binary_payloads),
        cmocka_unit_test(trace_context),
        cmocka_unit_test(hostile_values),
        cmocka_unit_test(unknown_parts_are_passed_over),
        cmocka_unit_test(leases_are_passed_over),
        cmocka_unit_test(wrong_arguments),
        cmocka_unit_test(short_memory_is_an_error),
    };
    return run_rows("fire", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
