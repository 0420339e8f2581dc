/* The corpus of schemas/examples against the codecs: each invalid file gives the code its folder is
 * named after, each valid one is read, and what Belfry writes itself is there byte for byte.
 * Run from the root of the source tree. test_schemas.py holds these files against the schemas. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/memory.h"
#include "schemas/cancel_json.h"
#include "schemas/command_json.h"
#include "schemas/event_json.h"
#include "schemas/failed_run_json.h"
#include "schemas/fire_json.h"
#include "schemas/job_json.h"
#include "schemas/mark_json.h"
#include "schemas/report_json.h"
#include "schemas/result_json.h"
#include "schemas/run_json.h"
#include "schemas/run_tick_json.h"
#include "schemas/seen_json.h"
#include "tests/support/cron_case.h"

#define EXAMPLES "schemas/examples"

static struct text read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail_msg("cannot open %s; run from the root of the source tree", path);
    size_t capacity = 0;
    char *bytes = NULL;
    size_t length = 0;
    size_t got = 0;
    do {
        bytes = memory_grow(bytes, &capacity, length + 4096, 1);
        got = fread(bytes + length, 1, 4096, file);
        length += got;
    } while (got > 0);
    (void)fclose(file);
    /* Exactly as large as the content, so that a read past the end is seen. */
    bytes = memory_resize(bytes, length, 1);
    return (struct text){bytes, length};
}

static bool allow_fires(void *opaque, struct text topic)
{
    (void)opaque;
    return text_equal(topic, text_of("billing.fires"));
}

static bool allow_results(void *opaque, struct text topic)
{
    (void)opaque;
    return text_equal(topic, text_of("billing.results"));
}

#define HEADER(name, value) {{name, sizeof(name) - 1}, {value, sizeof(value) - 1}}
static const struct record_header structured_headers[] = {
    HEADER("content-type", "application/cloudevents+json; charset=UTF-8")};
static const struct record_header binary_headers[] = {
    HEADER("ce_specversion", "1.0"), HEADER("ce_id", "evt-7"), HEADER("ce_source", "/shop"),
    HEADER("ce_type", "com.example.command"), HEADER("content-type", "application/json")};
#undef HEADER

/* runs: whether the limits let jobs ask to have their runs followed. */
static bool decode_command(const char *name, struct text value, bool runs, struct arena *arena,
                           struct command *command, struct error *error)
{
    struct command_limits limits;
    command_limits_defaults(&limits);
    limits.zones = test_zones();
    limits.topic_allowed = allow_fires;
    limits.reply_to_allowed = allow_results;
    limits.runs = runs;
    struct source source = {.origin_partition = 3, .origin_offset = 10422};
    const struct record_header *headers = NULL;
    size_t count = 0;
    if (strncmp(name, "structured-", 11) == 0) {
        headers = structured_headers;
        count = 1;
    } else if (strncmp(name, "binary-", 7) == 0) {
        headers = binary_headers;
        count = sizeof binary_headers / sizeof binary_headers[0];
    }
    return command_decode(value, headers, count, &source, &limits, arena, command, error);
}

/* All of the record's reports, up to the first bad one. */
static bool decode_reports(struct text value, struct arena *arena, struct error *error)
{
    struct report_reader reader;
    struct report report;
    if (!reports_open(value, &reader, error)) return false;
    while (error->kind == ERROR_NONE && reports_next(&reader, arena, &report, error)) continue;
    assert_true(reader.index > 0);
    return error->kind == ERROR_NONE;
}

static bool decode_run(struct text value, struct arena *arena, struct error *error,
                       struct text_writer *again)
{
    struct run_record record;
    bool open = false;
    if (!run_record_decode(value, arena, &record, &open, error)) return false;
    if (open) run_record_encode(again, &record);
    else run_record_encode_free(again);
    return true;
}

/* Reads the file by the codec that its name asks for; records are written again. */
static bool decode(const char *name, struct text value, bool runs, struct error *error,
                   struct text_writer *again)
{
    struct arena *arena = arena_create();
    struct command command;
    struct job_record record;
    struct run_tick tick;
    struct mark mark;
    const struct seen *seen = NULL;
    size_t count = 0;
    bool read = false;
    if (strncmp(name, "job-", 4) == 0) {
        read = job_record_decode(value, arena, test_zones(), &record, error);
        if (read) job_record_encode(again, &record);
    } else if (strncmp(name, "mark-", 5) == 0) {
        read = mark_decode(value, &mark, error);
        if (read) mark_encode(again, &mark);
    } else if (strncmp(name, "seen-", 5) == 0) {
        read = seen_decode(value, arena, &seen, &count, error);
        if (read) seen_encode(again, seen, count);
    } else if (strncmp(name, "report-", 7) == 0) {
        read = decode_reports(value, arena, error);
    } else if (strncmp(name, "tick-", 5) == 0) {
        assert_true(run_tick_is(value));
        read = run_tick_decode(value, arena, &tick, error);
        if (read) run_tick_encode(again, &tick);
    } else if (strncmp(name, "run-", 4) == 0) {
        read = decode_run(value, arena, error, again);
    } else {
        read = decode_command(name, value, runs, arena, &command, error);
        assert_true(command.command_id.length > 0);
    }
    arena_destroy(arena);
    return read;
}

static bool is_written_by_belfry(const char *name)
{
    return strncmp(name, "acknowledgement-", 16) == 0 || strncmp(name, "fire-", 5) == 0 ||
           strncmp(name, "result-", 7) == 0 || strncmp(name, "event-", 6) == 0 ||
           strncmp(name, "cancel-", 7) == 0 || strncmp(name, "failedrun-", 10) == 0;
}

static void check_valid(const char *folder, const char *name)
{
    if (is_written_by_belfry(name)) return;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    struct text value = read_file(path);
    struct error error = {0};
    struct text_writer again;
    text_writer_init(&again);
    if (!decode(name, value, true, &error, &again))
        fail_msg("%s: %s at '%s': %s", path, error_code_word(error.code), error.field,
                 error.message);
    char *older = memmem(value.bytes, value.length, "\"layout\":1,", strlen("\"layout\":1,"));
    if (older != NULL) older[strlen("\"layout\":")] = '2'; /* as it is written again */
    assert_int_equal(older != NULL, strstr(name, "-layout-1.") != NULL);
    if (again.length > 0 && !text_equal(text_writer_text(&again), value))
        fail_msg("%s: written again: %.*s", path, (int)again.length, again.bytes);
    text_writer_free(&again);
    free((char *)value.bytes);
}

static void check_invalid(const char *folder, const char *code, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    struct text value = read_file(path);
    struct error error = {0};
    struct text_writer again;
    text_writer_init(&again);
    bool runs = strcmp(code, "not_supported") != 0;
    if (decode(name, value, runs, &error, &again)) fail_msg("%s: was accepted", path);
    if (strcmp(error_code_word(error.code), code) != 0)
        fail_msg("%s: %s at '%s': %s", path, error_code_word(error.code), error.field,
                 error.message);
    enum error_kind kind = strcmp(code, "newer_layout") == 0 ? ERROR_FATAL : ERROR_INVALID;
    assert_int_equal(error.kind, kind);
    assert_true(error.message[0] != '\0');
    text_writer_free(&again);
    free((char *)value.bytes);
}

/* Without leave, what asks to have runs followed is refused by that name, and the rest is read. */
static void check_gate(const char *folder, const char *name)
{
    bool record = strncmp(name, "job-", 4) == 0 || strncmp(name, "mark-", 5) == 0;
    if (strstr(name, "-runs-") == NULL || record) return;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    struct text value = read_file(path);
    struct error error = {0};
    struct text_writer again;
    text_writer_init(&again);
    bool read = decode(name, value, false, &error, &again);
    bool asks = strstr(name, "-runs-nulls.") == NULL && strstr(name, "-all-away.") == NULL &&
                strstr(name, "-retry-away.") == NULL;
    if (read == asks || (asks && error.code != CODE_NOT_SUPPORTED))
        fail_msg("%s: %s at '%s'", path, error_code_word(error.code), error.field);
    text_writer_free(&again);
    free((char *)value.bytes);
}

static size_t each_file(const char *folder, const char *code)
{
    DIR *directory = opendir(folder);
    if (directory == NULL) fail_msg("cannot open %s", folder);
    size_t count = 0;
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.') continue;
        if (code == NULL) {
            check_valid(folder, entry->d_name);
            check_gate(folder, entry->d_name);
        } else {
            check_invalid(folder, code, entry->d_name);
        }
        count++;
    }
    (void)closedir(directory);
    return count;
}

static void test_valid(void **state)
{
    (void)state;
    assert_true(each_file(EXAMPLES "/valid", NULL) >= 250);
}

static void test_invalid(void **state)
{
    (void)state;
    DIR *directory = opendir(EXAMPLES "/invalid");
    assert_non_null(directory);
    size_t count = 0;
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.') continue;
        char folder[512];
        (void)snprintf(folder, sizeof folder, EXAMPLES "/invalid/%s", entry->d_name);
        count += each_file(folder, entry->d_name);
    }
    (void)closedir(directory);
    assert_true(count >= 540);
}

/* ---- what Belfry writes ---- */

static void check_written(const char *name, const struct text_writer *writer)
{
    char path[512];
    (void)snprintf(path, sizeof path, EXAMPLES "/valid/%s.json", name);
    struct text expected = read_file(path);
    if (!text_equal(text_writer_text(writer), expected))
        fail_msg("%s: the encoder writes\n%.*s", path, (int)writer->length, writer->bytes);
    free((char *)expected.bytes);
}

static const struct incarnation an_incarnation = {1795290000123, 10422, 0, 3};

static struct fire_view a_fire(void)
{
    return (struct fire_view){.group = text_of("billing"),
                              .id = text_of("invoice-nightly"),
                              .payload = text_of("{\"report\":\"nightly\"}"),
                              .incarnation = &an_incarnation,
                              .revision = 7,
                              .nominal_ms = 1795294674000,
                              .due_ms = 1795294674000,
                              .now_ms = 1795294674012,
                              .attempt = 1,
                              .kind = FIRE_SCHEDULE};
}

static void write_fire(const char *name, const struct fire_view *fire)
{
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, text_of("belfry"), 3);
    struct text_writer writer;
    text_writer_init(&writer);
    size_t length = fire_encode(&encoder, fire, &writer);
    assert_int_equal(length, writer.length);
    assert_true(length <= fire_bytes_bound(fire));
    check_written(name, &writer);
    text_writer_free(&writer);
}

static void test_fires(void **state)
{
    (void)state;
    struct fire_view fire = a_fire();
    write_fire("fire-schedule", &fire);
    fire.payload = (struct text){NULL, 0};
    fire.kind = FIRE_CATCHUP;
    fire.missed_count = 41;
    fire.now_ms += 86400000;
    write_fire("fire-catchup-without-payload", &fire);
    fire = a_fire();
    fire.payload = (struct text){"\0\1\2\377", 4};
    fire.payload_binary = true;
    fire.kind = FIRE_RETRY;
    fire.attempt = 3;
    write_fire("fire-retry-bytes", &fire);
    fire = a_fire();
    fire.kind = FIRE_TRIGGER;
    fire.trigger_id = text_of("run \"now\" 1");
    fire.content_type = text_of("application/vnd.report+json");
    write_fire("fire-trigger", &fire);
    fire.traceparent = text_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    write_fire("fire-trigger-traced", &fire);
    fire.traceparent = (struct text){NULL, 0};
    fire.kind = FIRE_BACKFILL;
    fire.trigger_id = text_of("b-7");
    write_fire("fire-backfill", &fire);
    const struct incarnation import = {1795290600000, 20000, 1, 3};
    fire.import = &import;
    write_fire("fire-backfill-imported", &fire);
    struct fire_run run = {.lease_ms = 300000, .expires_ms = 1795381074012,
                           .run_number = INT64_C(4294967297), .try_number = 1,
                           .workers = text_of("billing-workers")};
    fire = a_fire();
    fire.run = &run;
    write_fire("fire-lease", &fire);
    run.run_number++;
    run.try_number = 2;
    fire.traceparent = text_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    write_fire("fire-lease-second-try", &fire);
    run.cursor = text_of("page 17 of \"invoices\"");
    write_fire("fire-lease-cursor", &fire);
    run.cursor = (struct text){NULL, 0};
    run.expires_ms = FIRE_EXPIRES_NEVER;
    fire.traceparent = (struct text){NULL, 0};
    write_fire("fire-lease-embedded", &fire);
}

static void write_result(const char *name, const struct result *result)
{
    struct text_writer writer;
    text_writer_init(&writer);
    result_encode(&writer, result, text_of("belfry.control"));
    check_written(name, &writer);
    text_writer_free(&writer);
}

static void test_results(void **state)
{
    (void)state;
    struct result_job job = {.group = text_of("billing"), .id = text_of("invoice-nightly"),
                             .revision = 1, .next_due_count = 2,
                             .next_due_ms = {1795294674000, 1795381074000}};
    struct result_warning warning = {CODE_TOPIC_MISSING,
                                     "topic 'billing.fires' does not exist yet"};
    struct result result = {.command_id = text_of("deploy-42"), .op = OP_ADD, .matched = 1,
                            .changed = 1, .jobs = &job, .job_count = 1, .warnings = &warning,
                            .warning_count = 1, .correlation_id = text_of("c-1"),
                            .traceparent = text_of("00-0af7651916cd43dd8448eb211c80319c-"
                                                   "b7ad6b7169203331-01"),
                            .source = {.origin_partition = 3, .origin_offset = 10422},
                            .shard = 3, .shards = 1, .sequence = 1042,
                            .effective_ms = 1795290000123, .applied_ms = 1795290000130};
    write_result("result-applied", &result);
    struct result_error error = {text_of("billing"), text_of("invoice-nightly"), CODE_EXISTS,
                                 "job billing/invoice-nightly exists", "/jobs/0"};
    result = (struct result){.command_id = text_of("3/10423"), .op = OP_ADD,
                             .outcome = OUTCOME_CONFLICT, .code = CODE_EXISTS,
                             .message = "job billing/invoice-nightly exists", .field = "/jobs/0",
                             .matched = 1, .errors = &error, .error_count = 1, .shard = 3,
                             .source = {.origin_partition = 3, .origin_offset = 10423},
                             .shards = 1, .sequence = 1043, .effective_ms = 1795290000123,
                             .applied_ms = 1795290000130, .dry_run = true};
    write_result("result-conflict-dry-run", &result);
    result = (struct result){.command_id = text_of("3/10424"),
                             .outcome = OUTCOME_REJECTED,
                             .code = CODE_INVALID_JSON,
                             .message = "line 1, column 3: '\x1b' \"\xff",
                             .source = {.origin_partition = 3, .origin_offset = 10424},
                             .shard = 3, .shards = 1, .sequence = 1044,
                             .effective_ms = 1795290000123, .applied_ms = 1795290000130};
    write_result("result-rejected-unreadable", &result);
    result.op = OP_ADD;
    result.command_id = text_of("deploy-42");
    result.outcome = OUTCOME_DUPLICATE;
    result.code = CODE_NONE;
    result.message[0] = '\0';
    write_result("result-duplicate", &result);
    result = (struct result){.command_id = text_of("deploy-43"), .op = OP_UPDATE,
                             .outcome = OUTCOME_PARTIAL, .code = CODE_INTERRUPTED,
                             .message = "20000 of 34000 jobs were done, the rest cannot be: "
                                        "Kafka does not take it: record too large",
                             .matched = 34000, .changed = 20000,
                             .source = {.origin_partition = 3, .origin_offset = 10425},
                             .shard = 3, .shards = 1, .sequence = 1045,
                             .effective_ms = 1795290000123, .applied_ms = 1795290600130};
    write_result("result-interrupted", &result);
}

static void write_event(const char *name, const struct event *event)
{
    struct text_writer writer;
    text_writer_init(&writer);
    event_encode(&writer, event, 3);
    check_written(name, &writer);
    text_writer_free(&writer);
}

static void test_events(void **state)
{
    (void)state;
    struct event event;
    event_init(&event, EVENT_MISSED, 1795294674000);
    event.group = text_of("billing");
    event.id = text_of("invoice-nightly");
    event.incarnation = text_of("1795290000123-3.10422.0");
    event.first_ms = 1795290060000;
    event.last_ms = 1795294620000;
    event.count = 77;
    event.reason = REASON_WINDOW;
    write_event("event-missed", &event);
    event_init(&event, EVENT_RESUMED, 1795294674000);
    event.group = text_of("billing");
    event.id = text_of("invoice-nightly");
    event.from_ms = 1795290000123;
    event.to_ms = 1795294674000;
    write_event("event-resumed", &event);
    event_init(&event, EVENT_SHARD_TAKEN, 1795294674000);
    event.epoch = 4;
    event.owner = text_of("host-1-4242");
    event.detail = text_of("took over from host-2-77");
    write_event("event-shard-taken", &event);
}

static void test_events_of_runs(void **state)
{
    (void)state;
    struct event event;
    event_init(&event, EVENT_SKIPPED, 1795294674000);
    event.group = text_of("billing");
    event.id = text_of("invoice-nightly");
    event.incarnation = text_of("1795290000123-3.10422.0");
    event.first_ms = 1795290060000;
    event.last_ms = 1795294620000;
    event.count = 77;
    event.run = text_of("1795290000123-3.10422.0@1795290000000");
    event.run_number = INT64_C(4294967297);
    event.reason = REASON_OVERLAP;
    write_event("event-skipped-overlap", &event);
    event.reason = REASON_BUFFER_FULL;
    write_event("event-skipped-buffer-full", &event);
    event.first_ms = event.last_ms = event.count = EVENT_FIELD_NONE;
    event.reason = REASON_NONE;
    event.kind = EVENT_LATE_SUCCESS;
    write_event("event-late-success", &event);
    event.kind = EVENT_RUN_DOUBLED;
    event.detail = text_of("worker-1 and worker-2 both say that they run it");
    write_event("event-run-doubled", &event);
    event.kind = EVENT_RUN_FAILED;
    event.count = 5;
    event.detail = text_of("failure, exit code 2: no such table");
    write_event("event-run-failed", &event);
    event.kind = EVENT_AUTO_PAUSED;
    event.count = 3;
    write_event("event-auto-paused", &event);
    event_init(&event, EVENT_REPORTS_LOST, 1795294674000);
    event.count = 3;
    event.detail = text_of("offsets 1 to 3 of runs");
    write_event("event-reports-lost", &event);
}

static void test_cancels(void **state)
{
    (void)state;
    struct run_cancel cancel = {.group = text_of("billing"), .id = text_of("invoice-nightly"),
                                .run = text_of("1795290000123-3.10422.0@t:run \"now\" 1"),
                                .runnumber = INT64_C(4294967297), .at_ms = 1795294674012};
    struct text_writer writer;
    text_writer_init(&writer);
    run_cancel_encode(&writer, &cancel);
    check_written("cancel-a-try", &writer);
    text_writer_reset(&writer);
    cancel.group = cancel.id = (struct text){NULL, 0};
    cancel.run = text_of("1795290000123-3.10422.0@1795294674000");
    run_cancel_encode(&writer, &cancel);
    check_written("cancel-of-a-try-long-over", &writer);
    text_writer_free(&writer);
}

static void write_failed_run(const char *name, const struct failed_run *failed)
{
    struct text_writer writer;
    text_writer_init(&writer);
    failed_run_encode(&writer, failed);
    check_written(name, &writer);
    text_writer_free(&writer);
}

/* The record is that of run-failed-last-try.json, which test_valid() reads. */
static void test_failed_runs(void **state)
{
    (void)state;
    struct text value = read_file(EXAMPLES "/valid/run-failed-last-try.json");
    struct arena *arena = arena_create();
    struct run_record record;
    struct error error = {0};
    bool open = false;
    assert_true(run_record_decode(value, arena, &record, &open, &error) && open);
    struct failed_run failed = {.run = text_of("1795290000123-3.10422.0@1795294674000"),
                                .record = &record, .outcome = RUN_LOST,
                                .ended_ms = 1795295000000};
    write_failed_run("failedrun-lost", &failed);
    struct report report = {.exit_code = 2, .error_code = text_of("E42"),
                            .error_message = text_of("no such table\nat line 3"),
                            .output = text_of("1 of 17\n"), .result = text_of("{\"rows\":0.10}")};
    failed.report = &report;
    failed.outcome = RUN_FAILURE;
    write_failed_run("failedrun-exit-code", &failed);
    report = (struct report){.exit_code = -1, .signal = 9, .error_message = text_of("killed")};
    failed.outcome = RUN_TIMEOUT;
    write_failed_run("failedrun-signal", &failed);
    arena_destroy(arena);
    free((char *)value.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),   cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_fires),   cmocka_unit_test(test_results),
        cmocka_unit_test(test_events),  cmocka_unit_test(test_events_of_runs),
        cmocka_unit_test(test_cancels), cmocka_unit_test(test_failed_runs),
    };
    return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
