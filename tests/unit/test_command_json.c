#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/limits.h"
#include "schemas/command_json.h"
#include "schemas/text_writer.h"
#include "tests/support/cron_case.h"

struct decoded {
    struct arena *arena;
    struct command command;
    struct error error;
    bool read;
};

static bool allow_x(void *opaque, struct text topic)
{
    return text_equal(topic, text_of(opaque));
}

static struct decoded decode_with(struct text value, const struct record_header *headers,
                                  size_t count)
{
    struct decoded decoded = {.arena = arena_create()};
    struct command_limits limits;
    command_limits_defaults(&limits);
    limits.zones = test_zones();
    limits.topic_allowed = allow_x;
    limits.reply_to_allowed = allow_x;
    limits.opaque = "x";
    limits.catchup.limit = 77;
    struct source source = {.partition = 5, .offset = 1, .origin_partition = 3,
                            .origin_offset = 10422};
    decoded.read = command_decode(value, headers, count, &source, &limits, decoded.arena,
                                  &decoded.command, &decoded.error);
    return decoded;
}

static struct decoded decode(const char *json)
{
    return decode_with(text_of(json), NULL, 0);
}

static void assert_text(struct text text, const char *expected)
{
    if (!text_equal(text, text_of(expected)))
        fail_msg("is '%.*s', not '%s'", (int)text.length, text.bytes, expected);
}

/* 2,000 wrong zones are refused one by one; only the first ones are worth a look at all names. */
static void test_few_zones_are_suggested(void **state)
{
    (void)state;
    enum { JOBS = 2000 };
    struct text_writer writer;
    text_writer_init(&writer);
    text_writer_words(&writer, "{\"op\":\"add\",\"mode\":\"each\",\"jobs\":[");
    for (int i = 0; i < JOBS; i++) {
        if (i > 0) text_writer_char(&writer, ',');
        text_writer_words(&writer, "{\"group\":\"g\",\"id\":\"");
        text_writer_integer(&writer, i);
        text_writer_words(&writer, "\",\"schedule\":{\"cron\":\"0 1 * * *\",\"zone\":\"");
        text_writer_words(&writer, i == 0 ? "Europe/Berlin\"}}" : "Europe/Berln\"}}");
    }
    text_writer_words(&writer, "]}");
    struct decoded decoded = decode_with(text_writer_text(&writer), NULL, 0);
    assert_true(decoded.read);
    int suggested = 0;
    for (size_t i = 0; i < decoded.command.refused_count; i++)
        suggested += strstr(decoded.command.refused[i].error.message, "did you mean") != NULL;
    assert_int_equal(decoded.command.refused_count, JOBS - 1);
    assert_int_equal(suggested, ZONE_SUGGESTIONS_MAX);
    arena_destroy(decoded.arena);
    text_writer_free(&writer);
}

#define JOB "\"group\":\"g\",\"id\":\"i\",\"schedule\":{\"every\":\"1m\"}"

static void test_job_fields(void **state)
{
    (void)state;
    struct decoded decoded = decode(
        "{\"op\":\"put\",\"command_id\":\"c\",\"mode\":\"each\",\"expected_revision\":4,\"job\":{"
        "\"group\":\"g\",\"id\":\"a/b\",\"super_group\":\"s\",\"schedule\":{\"every\":\"90s\","
        "\"anchor\":\"epoch\"},\"payload\": {\"a\" : 1.10,\"b\":[ 1e3, \"x y\\u00e4\" ] },"
        "\"labels\":{\"b\":\"2\",\"a\":\"1\"},\"headers\":{\"y\":\"2\",\"x\":\"1\"},"
        "\"topic\":\"x\",\"key\":\"k\",\"format\":\"binary\",\"content_type\":\"a/b\","
        "\"catchup\":{\"policy\":\"all\",\"window\":\"2d\"},\"keep_finished\":\"forever\","
        "\"start\":\"2026-01-01T00:00:00Z\",\"max_fires\":3,\"paused\":true}}");
    assert_true(decoded.read);
    const struct command *command = &decoded.command;
    assert_int_equal(command->op, OP_PUT);
    assert_int_equal(command->mode, MODE_EACH);
    assert_int_equal(command->expected_revision, 4);
    assert_true(command->command_id_given);
    assert_int_equal(command->job_count, 1);
    const struct definition *job = command->jobs;
    assert_text(job->id, "a/b");
    assert_text(job->super_group, "s");
    assert_int_equal(job->schedule.kind, SCHEDULE_EVERY);
    assert_int_equal(job->schedule.every_ms, 90000);
    assert_true((job->given & GIVEN_ANCHOR) != 0);
    assert_text(job->payload, "{\"a\":1.10,\"b\":[1e3,\"x y\\u00e4\"]}");
    assert_memory_equal(job->labels.bytes, "a\0001\0b\0002", 8);
    assert_memory_equal(job->headers.bytes, "y\0002\0x\0001", 8);
    assert_text(job->topic, "x");
    assert_int_equal(job->format, FIRE_BINARY);
    assert_int_equal(job->catchup.policy, CATCHUP_ALL);
    assert_int_equal(job->catchup.window_ms, 2 * DAYS_MS);
    assert_int_equal(job->catchup.limit, 77); /* of the configuration */
    assert_int_equal(job->given & GIVEN_CATCHUP_LIMIT, 0);
    assert_true(job->keep_finished_ms == KEEP_FINISHED_FOREVER_MS);
    assert_int_equal(job->max_fires, 3);
    assert_true(job->paused);
    assert_true(job->end_ms == END_NONE);
    arena_destroy(decoded.arena);
}

static void test_selector_and_set(void **state)
{
    (void)state;
    struct decoded decoded = decode(
        "{\"op\":\"update\",\"select\":{\"ids\":[\"i\",\"j/k\"],\"groups\":[\"g\"],"
        "\"paused\":false,\"labels\":{\"t\":\"1\"}},\"set\":{\"end\":null,"
        "\"catchup\":{\"limit\":5},\"payload\":null},\"expect\":2,\"dry_run\":true,"
        "\"not_after\":\"2026-12-01T00:00:00Z\"}");
    assert_true(decoded.read);
    const struct command *command = &decoded.command;
    assert_int_equal(command->select.id_count, 2);
    assert_text(command->select.ids[1], "j/k");
    assert_int_equal(command->select.group_count, 1);
    assert_int_equal(command->select.paused, PAUSED_NO);
    assert_int_equal(command->select.labels.length, 4);
    assert_int_equal(command->set.given, GIVEN_END | GIVEN_CATCHUP_LIMIT | GIVEN_PAYLOAD);
    assert_int_equal(command->set.catchup.limit, 5);
    assert_int_equal(command->expect, 2);
    assert_true(command->dry_run);
    assert_true(command->not_after_ms == INT64_C(1796083200000));
    assert_false(command->command_id_given);
    assert_text(command->command_id, "3/10422");
    arena_destroy(decoded.arena);
}

static void test_resume_and_pause(void **state)
{
    (void)state;
    struct decoded decoded = decode("{\"op\":\"resume\",\"select\":{\"all\":true},\"from\":"
                                    "\"1970-01-01T00:00:01Z\"}");
    assert_true(decoded.read);
    assert_int_equal(decoded.command.from, RESUME_INSTANT);
    assert_int_equal(decoded.command.from_ms, 1000);
    assert_true(decoded.command.select.all);
    arena_destroy(decoded.arena);
    decoded = decode("{\"op\":\"pause\",\"select\":{\"paused\":true},\"until\":"
                     "\"1970-01-01T00:00:02Z\",\"reason\":\"r\"}");
    assert_true(decoded.read);
    assert_int_equal(decoded.command.until_ms, 2000);
    assert_text(decoded.command.reason, "r");
    assert_true(decoded.command.expect == -1 && decoded.command.expected_revision == -1);
    arena_destroy(decoded.arena);
}

/* What a result needs is there although the command is refused. */
static void test_identity_of_a_refused_command(void **state)
{
    (void)state;
    struct decoded decoded = decode("{\"bad\":1,\"op\":\"delete\",\"command_id\":\"c\","
                                    "\"correlation_id\":\"k\",\"reply_to\":\"x\"}");
    assert_false(decoded.read);
    assert_int_equal(decoded.error.code, CODE_UNKNOWN_FIELD);
    assert_int_equal(decoded.command.op, OP_DELETE);
    assert_text(decoded.command.command_id, "c");
    assert_text(decoded.command.correlation_id, "k");
    assert_text(decoded.command.reply_to, "x");
    arena_destroy(decoded.arena);
    decoded = decode("{\"op\":\"delete\",\"command_id\":\"\\n\",\"reply_to\":\"not-x\"}");
    assert_false(decoded.read);
    assert_text(decoded.command.command_id, "3/10422");
    assert_int_equal(decoded.command.reply_to.length, 0);
    arena_destroy(decoded.arena);
    decoded = decode("nonsense");
    assert_false(decoded.read);
    assert_int_equal(decoded.command.op, OP_NONE);
    assert_text(decoded.command.command_id, "3/10422");
    arena_destroy(decoded.arena);
}

static struct record_header header(const char *name, const char *value)
{
    return (struct record_header){text_of(name), text_of(value)};
}

static void test_cloudevents(void **state)
{
    (void)state;
    struct record_header structured = header("Content-Type", "application/CloudEvents+json");
    struct decoded decoded = decode_with(
        text_of("{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/s\",\"type\":\"t\",\"data\":"
                "{\"op\":\"add\",\"job\":{" JOB ",\"payload\":[ 1 ]}}}"),
        &structured, 1);
    assert_true(decoded.read);
    assert_text(decoded.command.command_id, "e1");
    assert_true(decoded.command.command_id_given);
    assert_text(decoded.command.jobs[0].payload, "[1]");
    arena_destroy(decoded.arena);
    decoded = decode_with(text_of("{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/s\","
                                  "\"type\":\"t\",\"data\":{\"op\":\"add\",\"job\":{\"x\":1}}}"),
                          &structured, 1);
    assert_false(decoded.read);
    assert_string_equal(decoded.error.field, "/data/job/x");
    assert_text(decoded.command.command_id, "e1");
    arena_destroy(decoded.arena);
    struct record_header binary[] = {header("ce_specversion", "1.0"), header("ce_id", "e2"),
                                     header("ce_source", "/s"), header("ce_type", "t"),
                                     header("other", "ignored")};
    decoded = decode_with(text_of("{\"op\":\"ping\"}"), binary, 5);
    assert_true(decoded.read);
    assert_text(decoded.command.command_id, "e2");
    arena_destroy(decoded.arena);
    decoded = decode_with(text_of("{\"op\":\"ping\"}"), binary, 3); /* no type */
    assert_false(decoded.read);
    assert_int_equal(decoded.error.code, CODE_MISSING_FIELD);
    assert_int_equal(decoded.command.op, OP_PING);
    assert_text(decoded.command.command_id, "e2");
    arena_destroy(decoded.arena);
    struct record_header batch = header("content-type", "application/cloudevents-batch+json");
    decoded = decode_with(text_of("[]"), &batch, 1);
    assert_int_equal(decoded.error.code, CODE_NOT_SUPPORTED);
    arena_destroy(decoded.arena);
    struct record_header long_id = header("ce_id", "e\x1b");
    binary[1] = long_id;
    decoded = decode_with(text_of("{\"op\":\"ping\"}"), binary, 5);
    assert_int_equal(decoded.error.code, CODE_BAD_VALUE);
    assert_text(decoded.command.command_id, "3/10422");
    arena_destroy(decoded.arena);
}

#define TRACE_A "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-aaaaaaaaaaaaaaaa-01"
#define TRACE_B "00-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-bbbbbbbbbbbbbbbb-00"
#define TRACE_C "00-cccccccccccccccccccccccccccccccc-cccccccccccccccc-01"

static void check_trace(const char *json, const struct record_header *headers, size_t count,
                        const char *expected)
{
    struct decoded decoded = decode_with(text_of(json), headers, count);
    if (!decoded.read) fail_msg("%s: %s", decoded.error.field, decoded.error.message);
    assert_text(decoded.command.traceparent, expected);
    arena_destroy(decoded.arena);
}

/* The field says more than the CloudEvents attribute, and that more than a header that a tracing
 * client may have added by itself. */
static void test_where_a_trace_comes_from(void **state)
{
    (void)state;
    struct record_header plain[] = {header("traceparent", TRACE_C)};
    check_trace("{\"op\":\"ping\"}", NULL, 0, "");
    check_trace("{\"op\":\"ping\"}", plain, 1, TRACE_C);
    check_trace("{\"op\":\"ping\",\"traceparent\":null}", plain, 1, TRACE_C);
    check_trace("{\"op\":\"ping\",\"traceparent\":\"" TRACE_A "\"}", plain, 1, TRACE_A);
    struct record_header binary[] = {header("ce_specversion", "1.0"), header("ce_id", "e2"),
                                     header("ce_source", "/s"), header("ce_type", "t"),
                                     header("traceparent", TRACE_C),
                                     header("ce_traceparent", TRACE_B)};
    check_trace("{\"op\":\"ping\"}", binary, 6, TRACE_B);
    check_trace("{\"op\":\"ping\"}", binary, 5, TRACE_C);
    check_trace("{\"op\":\"ping\"}", &binary[5], 1, ""); /* no CloudEvent, no attribute */
    struct record_header structured[] = {header("content-type", "application/cloudevents+json"),
                                         header("traceparent", TRACE_C)};
#define PING "{\"op\":\"ping\"}"
#define EVENT(trace, data)                                                                         \
    "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"/s\",\"type\":\"t\"," trace                \
    "\"data\":" data "}"
    check_trace(EVENT("\"traceparent\":\"" TRACE_B "\",", PING), structured, 2, TRACE_B);
    check_trace(EVENT("", PING), structured, 2, TRACE_C);
    check_trace(EVENT("\"traceparent\":\"" TRACE_B "\",",
                      "{\"op\":\"ping\",\"traceparent\":\"" TRACE_A "\"}"), structured, 2, TRACE_A);
    /* What a client added and is not valid is none. */
    check_trace(EVENT("\"traceparent\":\"00-1-2-01\",", PING), structured, 2, TRACE_C);
    check_trace(EVENT("\"traceparent\":7,", PING), structured, 1, "");
    plain[0] = header("traceparent", "00-1-2-01");
    check_trace("{\"op\":\"ping\"}", plain, 1, "");
#undef EVENT
#undef PING
}

static void test_a_trace_that_is_none(void **state)
{
    (void)state;
    struct record_header plain = header("traceparent", TRACE_C);
    struct decoded decoded =
        decode_with(text_of("{\"op\":\"ping\",\"traceparent\":\"00-1-2-01\"}"), &plain, 1);
    assert_false(decoded.read);
    assert_int_equal(decoded.error.code, CODE_BAD_VALUE);
    assert_string_equal(decoded.error.field, "/traceparent");
    assert_non_null(strstr(decoded.error.message, "00-<32 digits>-<16>-<2>"));
    assert_text(decoded.command.traceparent, TRACE_C); /* for the result */
    arena_destroy(decoded.arena);
    decoded = decode("{\"op\":\"ping\",\"traceparent\":7}");
    assert_int_equal(decoded.error.code, CODE_WRONG_TYPE);
    arena_destroy(decoded.arena);
    decoded = decode("{\"op\":\"add\",\"job\":{" JOB ",\"traceparent\":\"" TRACE_A "x\"}}");
    assert_int_equal(decoded.error.code, CODE_BAD_VALUE);
    assert_string_equal(decoded.error.field, "/job/traceparent");
    arena_destroy(decoded.arena);
    decoded = decode("{\"bad\":1,\"op\":\"delete\",\"traceparent\":\"" TRACE_A "\"}");
    assert_int_equal(decoded.error.code, CODE_UNKNOWN_FIELD);
    assert_text(decoded.command.traceparent, TRACE_A);
    arena_destroy(decoded.arena);
}

/* The command's is not the job's: that one is a field of its own. */
static void test_a_trace_of_a_job(void **state)
{
    (void)state;
    struct decoded decoded = decode("{\"op\":\"add\",\"traceparent\":\"" TRACE_A "\",\"job\":{" JOB
                                    ",\"traceparent\":\"" TRACE_B "\"}}");
    assert_true(decoded.read);
    assert_text(decoded.command.traceparent, TRACE_A);
    assert_text(decoded.command.jobs[0].traceparent, TRACE_B);
    arena_destroy(decoded.arena);
    decoded = decode("{\"op\":\"add\",\"traceparent\":\"" TRACE_A "\",\"job\":{" JOB "}}");
    assert_true(decoded.read);
    assert_int_equal(decoded.command.jobs[0].traceparent.length, 0);
    arena_destroy(decoded.arena);
    decoded = decode("{\"op\":\"update\",\"select\":{\"all\":true},"
                     "\"set\":{\"traceparent\":null}}");
    assert_true(decoded.read);
    assert_true((decoded.command.set.given & GIVEN_TRACEPARENT) != 0);
    assert_int_equal(decoded.command.set.traceparent.length, 0);
    arena_destroy(decoded.arena);
}

/* A key may be written with escapes: its value is then written again from what was parsed. */
static void test_payload_under_an_escaped_key(void **state)
{
    (void)state;
    struct decoded decoded = decode("{\"op\":\"add\",\"j\\u006fb\":{" JOB ",\"pay\\u006coad\": "
                                    "{\"a\" : [1, 0.5, \"\\u00e4\"]}}}");
    assert_true(decoded.read);
    assert_text(decoded.command.jobs[0].payload, "{\"a\":[1,0.5,\"\xC3\xA4\"]}");
    arena_destroy(decoded.arena);
}

static struct text many_jobs(struct text_writer *writer, int count, const char *payload)
{
    text_writer_words(writer, "{\"op\":\"add\",\"jobs\":[");
    for (int i = 0; i < count; i++) {
        text_writer_words(writer, i == 0 ? "{" : ",{");
        text_writer_words(writer, "\"group\":\"g\",\"id\":\"i");
        text_writer_integer(writer, i);
        text_writer_words(writer, "\",\"schedule\":{\"every\":\"1m\"}");
        if (payload != NULL) {
            text_writer_words(writer, ",\"payload\":");
            text_writer_words(writer, payload);
        }
        text_writer_char(writer, '}');
    }
    text_writer_words(writer, "]}");
    return text_writer_text(writer);
}

static void test_limits(void **state)
{
    (void)state;
    struct text_writer writer;
    text_writer_init(&writer);
    struct decoded decoded = decode_with(many_jobs(&writer, COMMAND_JOBS_MAX, NULL), NULL, 0);
    assert_true(decoded.read);
    assert_int_equal(decoded.command.job_count, COMMAND_JOBS_MAX);
    arena_destroy(decoded.arena);
    text_writer_reset(&writer);
    decoded = decode_with(many_jobs(&writer, COMMAND_JOBS_MAX + 1, NULL), NULL, 0);
    assert_int_equal(decoded.error.code, CODE_TOO_MANY);
    assert_string_equal(decoded.error.field, "/jobs");
    arena_destroy(decoded.arena);
    char *payload = malloc(PAYLOAD_BYTES_MAX + 2);
    memset(payload, 'x', PAYLOAD_BYTES_MAX + 1);
    payload[0] = '"';
    payload[PAYLOAD_BYTES_MAX - 1] = '"';
    payload[PAYLOAD_BYTES_MAX] = '\0';
    text_writer_reset(&writer);
    decoded = decode_with(many_jobs(&writer, 1, payload), NULL, 0);
    assert_true(decoded.read);
    arena_destroy(decoded.arena);
    payload[PAYLOAD_BYTES_MAX - 1] = 'x';
    payload[PAYLOAD_BYTES_MAX] = '"';
    payload[PAYLOAD_BYTES_MAX + 1] = '\0';
    text_writer_reset(&writer);
    decoded = decode_with(many_jobs(&writer, 1, payload), NULL, 0);
    assert_int_equal(decoded.error.code, CODE_TOO_LARGE);
    assert_string_equal(decoded.error.field, "/jobs/0/payload");
    arena_destroy(decoded.arena);
    text_writer_reset(&writer);
    for (int i = 0; i <= RECORD_BYTES_MAX; i++) text_writer_char(&writer, ' ');
    decoded = decode_with(text_writer_text(&writer), NULL, 0);
    assert_int_equal(decoded.error.code, CODE_TOO_LARGE);
    arena_destroy(decoded.arena);
    free(payload);
    text_writer_free(&writer);
}

/* One arena for record after record: memory stays flat. */
static void test_arena_is_used_again(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct command_limits limits;
    command_limits_defaults(&limits);
    limits.zones = test_zones();
    struct source source = {0};
    struct text_writer writer;
    text_writer_init(&writer);
    struct text value = many_jobs(&writer, 500, "{\"a\":[1,2]}");
    for (int i = 0; i < 20; i++) {
        struct command command;
        struct error error = {0};
        arena_reset(arena);
        struct text cut = {value.bytes, value.length - (size_t)(i % 2)};
        bool read = command_decode(cut, NULL, 0, &source, &limits, arena, &command, &error);
        assert_int_equal(read, i % 2 == 0);
    }
    text_writer_free(&writer);
    arena_destroy(arena);
}

/* What messages say of the operations: all of them, the nearest, and one with its article. */
static void test_operations_are_named(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"op\":\"swim\"}",
         "op 'swim' is not known; there are add, put, update, pause, resume, delete, trigger, "
         "backfill, cancel_backfill, cancel, requeue and ping"},
        {"{\"op\":\"cancel_backfil\"}",
         "op 'cancel_backfil' is not known; did you mean 'cancel_backfill'?"},
        {"{\"op\":\"add\",\"until\":\"x\"}", "'until' does not belong to an 'add' command"},
        {"{\"op\":\"ping\",\"until\":\"x\"}", "'until' does not belong to a 'ping' command"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct decoded decoded = decode_with(text_of(rows[i][0]), NULL, 0);
        assert_false(decoded.read);
        assert_string_equal(decoded.error.message, rows[i][1]);
        arena_destroy(decoded.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_fields),
        cmocka_unit_test(test_few_zones_are_suggested),
        cmocka_unit_test(test_selector_and_set),
        cmocka_unit_test(test_resume_and_pause),
        cmocka_unit_test(test_identity_of_a_refused_command),
        cmocka_unit_test(test_where_a_trace_comes_from),
        cmocka_unit_test(test_a_trace_that_is_none),
        cmocka_unit_test(test_a_trace_of_a_job),
        cmocka_unit_test(test_cloudevents),
        cmocka_unit_test(test_payload_under_an_escaped_key),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_arena_is_used_again),
        cmocka_unit_test(test_operations_are_named),
    };
    return cmocka_run_group_tests_name("command json", tests, NULL, NULL);
}
