/* test_corpus.c holds whole results against example files; here are the bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/memory.h"
#include "schemas/dead_letter.h"
#include "schemas/result_json.h"

static json_t *written(const struct result *result)
{
    struct text_writer writer;
    text_writer_init(&writer);
    result_encode(&writer, result, text_of("belfry.control"));
    json_t *root = json_loadb(writer.bytes, writer.length, JSON_REJECT_DUPLICATES, NULL);
    text_writer_free(&writer);
    assert_non_null(root);
    return root;
}

static void test_lists_are_cut(void **state)
{
    (void)state;
    enum { MANY = 150 };
    struct result_job *jobs = memory_allocate(MANY, sizeof *jobs);
    struct result_error *errors = memory_allocate(MANY, sizeof *errors);
    for (size_t i = 0; i < MANY; i++) {
        jobs[i] = (struct result_job){.group = text_of("g"), .id = text_of("i"), .revision = 1};
        errors[i].code = CODE_NOT_FOUND;
    }
    struct result result = {.command_id = text_of("c"), .op = OP_DELETE, .matched = MANY,
                            .changed = MANY, .outcome = OUTCOME_PARTIAL, .jobs = jobs,
                            .job_count = MANY, .errors = errors, .error_count = MANY,
                            .shards = 1};
    json_t *root = written(&result);
    assert_int_equal(json_array_size(json_object_get(root, "jobs")), RESULT_JOBS_MAX);
    assert_int_equal(json_array_size(json_object_get(root, "errors")), RESULT_ERRORS_MAX);
    assert_int_equal(json_integer_value(json_object_get(root, "matched")), MANY);
    json_decref(root);
    free(jobs);
    free(errors);
}

/* Nothing a sender wrote may break the answer. */
static void test_hostile_texts(void **state)
{
    (void)state;
    struct result result = {.command_id = {"\0\"\\\xFF\xED\xA0\x80", 7}, .shards = 1,
                            .correlation_id = text_of("\x1b]0;title\x07"),
                            .message = "quote \" and half a sign \xE2\x82"};
    struct text_writer writer;
    text_writer_init(&writer);
    result_encode(&writer, &result, text_of("belfry.control"));
    for (size_t i = 0; i < writer.length; i++) assert_true((unsigned char)writer.bytes[i] >= 0x20);
    json_t *root = json_loadb(writer.bytes, writer.length, JSON_ALLOW_NUL, NULL);
    assert_non_null(root);
    json_decref(root);
    text_writer_free(&writer);
}

static bool has_header(const struct record_header *headers, size_t count, const char *name,
                       const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(headers[i].name, text_of(name)))
            return text_equal(headers[i].value, text_of(value));
    return false;
}

static void test_dead_letters(void **state)
{
    (void)state;
    struct error error = {0};
    (void)error_invalid(&error, CODE_UNKNOWN_FIELD, "'x' is not a field");
    (void)error_at(&error, "/x");
    char *bytes = memory_allocate(DEAD_COPY_BYTES_MAX + 1, 1);
    struct dead_letter letter = {text_of("belfry.control"), 3, 10422, {"k", 1},
                                 {bytes, DEAD_COPY_BYTES_MAX}, &error, NULL, 0};
    char buffer[DEAD_SCRATCH_BYTES];
    struct text_writer scratch;
    text_writer_init_fixed(&scratch, buffer, sizeof buffer);
    struct record_header headers[DEAD_HEADERS_MAX];
    struct dead_copy kept;
    size_t count = dead_letter_headers(&letter, &scratch, headers, &kept);
    assert_int_equal(count, 6);
    assert_int_equal(kept.value.length, DEAD_COPY_BYTES_MAX);
    assert_true(has_header(headers, count, "dlq_topic", "belfry.control"));
    assert_true(has_header(headers, count, "dlq_partition", "3"));
    assert_true(has_header(headers, count, "dlq_offset", "10422"));
    assert_true(has_header(headers, count, "dlq_code", "unknown_field"));
    assert_true(has_header(headers, count, "dlq_field", "/x"));
    letter.value.length++;
    letter.offset = INT64_MAX;
    letter.partition = INT32_MAX;
    text_writer_reset(&scratch);
    count = dead_letter_headers(&letter, &scratch, headers, &kept);
    assert_int_equal(kept.value.length, DEAD_CUT_BYTES);
    assert_true(has_header(headers, count, "dlq_truncated", "262145"));
    assert_true(has_header(headers, count, "dlq_offset", "9223372036854775807"));
    letter.key = (struct text){bytes, RECORD_KEY_BYTES_MAX + 1};
    text_writer_reset(&scratch);
    count = dead_letter_headers(&letter, &scratch, headers, &kept);
    assert_int_equal(kept.key.length, RECORD_KEY_BYTES_MAX);
    assert_true(has_header(headers, count, "dlq_key_cut", "4097"));
    free(bytes);
}

/* The original's headers come along, but none in Belfry's name, and not without bound. */
static void test_dead_letters_keep_headers(void **state)
{
    (void)state;
    struct error error = {0};
    (void)error_invalid(&error, CODE_BAD_VALUE, "no");
    char *large = memory_allocate(DEAD_HEADER_BYTES_MAX + 1, 1);
    struct record_header own[HEADERS_MAX + 3] = {
        {text_of("ce_id"), text_of("e-1")},
        {text_of("dlq_code"), text_of("forged")},
        {text_of("DLQ_Field"), text_of("forged")},
    };
    for (size_t i = 3; i < HEADERS_MAX + 3; i++)
        own[i] = (struct record_header){text_of("n"), text_of("v")};
    struct dead_letter letter = {text_of("belfry.control"), 3, 10422, {"k", 1}, {"{}", 2}, &error,
                                 own, HEADERS_MAX + 2};
    char buffer[DEAD_SCRATCH_BYTES];
    struct text_writer scratch;
    text_writer_init_fixed(&scratch, buffer, sizeof buffer);
    struct record_header headers[DEAD_HEADERS_MAX];
    struct dead_copy kept;
    size_t count = dead_letter_headers(&letter, &scratch, headers, &kept);
    assert_int_equal(count, 5 + HEADERS_MAX);
    assert_true(has_header(headers, count, "ce_id", "e-1"));
    assert_true(has_header(headers, count, "dlq_code", "bad_value"));
    assert_false(has_header(headers, count, "DLQ_Field", "forged"));
    letter.header_count++; /* one more than there is room for */
    text_writer_reset(&scratch);
    count = dead_letter_headers(&letter, &scratch, headers, &kept);
    assert_int_equal(count, 6 + HEADERS_MAX);
    assert_true(has_header(headers, count, "dlq_headers_cut", "1"));
    own[0].value = (struct text){large, DEAD_HEADER_BYTES_MAX};
    letter.header_count = 1;
    text_writer_reset(&scratch);
    count = dead_letter_headers(&letter, &scratch, headers, &kept);
    assert_int_equal(count, 6);
    assert_false(has_header(headers, count, "ce_id", "e-1"));
    assert_true(has_header(headers, count, "dlq_headers_cut", "1"));
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_are_cut),
        cmocka_unit_test(test_hostile_texts),
        cmocka_unit_test(test_dead_letters),
        cmocka_unit_test(test_dead_letters_keep_headers),
    };
    return cmocka_run_group_tests_name("result json", tests, NULL, NULL);
}
