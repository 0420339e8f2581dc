#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schemas/mark_json.h"
#include "schemas/seen_json.h"

static struct mark a_mark(void)
{
    return (struct mark){.generation = 1, .epoch = 4, .sequence = 1042,
                         .watermark = {1795294674123, WATERMARK_WHOLE}, .next_ordinal = 18,
                         .inputs = {[INPUT_CONTROL] = {.offset = 10423},
                                    [INPUT_FORWARD] = {.offset = 3},
                                    [INPUT_RUNS] = {.offset = 5}},
                         .runs_again = 5,
                         .shards = 16,
                         .jobs = MARK_JOBS_UNKNOWN,
                         .layout = STATE_LAYOUT, .owner = "host-1-4242"};
}

static void check_last(const struct last_read *read, const struct last_read *wrote)
{
    assert_int_equal(read->known, wrote->known);
    assert_true(read->offset == wrote->offset && read->log_time_ms == wrote->log_time_ms);
    assert_true(read->hash == wrote->hash);
}

static void check_round(const struct mark *mark)
{
    struct text_writer first;
    struct text_writer second;
    struct error error = {0};
    struct mark read;
    text_writer_init(&first);
    text_writer_init(&second);
    mark_encode(&first, mark);
    assert_in_range(first.length, 1, MARK_BYTES_MAX);
    if (!mark_decode(text_writer_text(&first), &read, &error))
        fail_msg("%s at %s: %s", error_code_word(error.code), error.field, error.message);
    mark_encode(&second, &read);
    assert_true(text_equal(text_writer_text(&first), text_writer_text(&second)));
    assert_memory_equal(&read.watermark, &mark->watermark, sizeof read.watermark);
    for (int i = 0; i < INPUT_COUNT; i++) {
        assert_true(read.inputs[i].offset == mark->inputs[i].offset);
        check_last(&read.inputs[i].last, &mark->inputs[i].last);
    }
    assert_true(read.runs_again == mark->runs_again && read.next_run == mark->next_run);
    assert_true(read.generation == mark->generation && read.epoch == mark->epoch);
    assert_true(read.sequence == mark->sequence && read.next_ordinal == mark->next_ordinal);
    assert_int_equal(read.in_command.active, mark->in_command.active);
    assert_int_equal(read.in_command.errors, mark->in_command.errors);
    assert_int_equal(read.in_command.rejected, mark->in_command.rejected);
    assert_int_equal(read.in_command.code, mark->in_command.code);
    assert_true(read.jobs == mark->jobs);
    assert_string_equal(read.owner, mark->owner);
    assert_string_equal(read.tz_version, mark->tz_version);
    assert_true(read.tz_changed_ms == mark->tz_changed_ms);
    assert_int_equal(read.shards, mark->shards);
    text_writer_free(&first);
    text_writer_free(&second);
}

static void test_rounds(void **state)
{
    (void)state;
    struct mark mark = a_mark();
    check_round(&mark);
    mark.watermark.ordinal = 0;
    memset(mark.owner, '"', OWNER_BYTES_MAX);
    memcpy(mark.tz_version, "2026b-123456789", 16);
    mark.tz_changed_ms = 1795294674123;
    mark.in_command = (struct in_command){.active = true,
                                          .input = INPUT_FORWARD,
                                          .offset = INT64_MAX,
                                          .ordinal = -1,
                                          .matched = 1000000,
                                          .changed = 20000,
                                          .effective_ms = 1795294674123};
    check_round(&mark);
    mark.in_command.errors = 3;
    mark.in_command.code = CODE_REVISION_MISMATCH;
    check_round(&mark);
    mark.in_command.rejected = true;
    check_round(&mark);
    mark.jobs = 0;
    mark.inputs[INPUT_CONTROL].last =
        (struct last_read){true, INT64_MAX, 1795294674123, UINT64_MAX};
    check_round(&mark);
    mark.jobs = 10000000;
    mark.inputs[INPUT_FORWARD].last = (struct last_read){true, 0, 1795294674123, 0};
    check_round(&mark);
    mark.runs_again = 0; /* the oldest claim not recorded is the first record of all */
    check_round(&mark);
    mark.runs_again = 4;
    mark.next_run = INT64_MAX;
    check_round(&mark);
    mark.sequence = INT64_MAX;
    mark.epoch = INT64_MAX;
    mark.shards = SHARDS_MAX;
    check_round(&mark);
    for (int i = 0; i < INPUT_COUNT; i++) mark.inputs[i].offset = INT64_MAX;
    mark.runs_again = INT64_MAX - 1;
    mark.generation = INT64_MAX;
    mark.next_ordinal = INT64_MAX;
    check_round(&mark);
}

/* What an older daemon has written goes on, each topic at its place. */
static void test_layout_1(void **state)
{
    (void)state;
    static const char text[] =
        "{\"layout\":1,\"generation\":1,\"epoch\":4,\"owner\":\"host-1-4242\",\"sequence\":1042,"
        "\"watermark\":{\"instant\":\"2026-11-21T20:57:54.123Z\"},\"next_ordinal\":18,"
        "\"control_offset\":10423,\"forward_offset\":3,\"completions_offset\":7,\"shards\":16}";
    struct error error = {0};
    struct mark read;
    assert_true(mark_decode(text_of(text), &read, &error));
    assert_int_equal(read.layout, 1);
    assert_int_equal(read.inputs[INPUT_CONTROL].offset, 10423);
    assert_int_equal(read.inputs[INPUT_FORWARD].offset, 3);
    assert_int_equal(read.inputs[INPUT_RUNS].offset, 7);
    assert_true(read.runs_again == 7 && read.next_run == 0);
    for (int i = 0; i < INPUT_COUNT; i++) assert_false(read.inputs[i].last.known);
}

static struct text encode(struct text_writer *writer, const struct mark *mark)
{
    text_writer_init(writer);
    mark_encode(writer, mark);
    return text_writer_text(writer);
}

static bool has(struct text text, const char *word)
{
    return memmem(text.bytes, text.length, word, strlen(word)) != NULL;
}

/* A shard without runs says nothing of them, so that its marks are as they were. */
static void test_runs_are_said_where_there_are_any(void **state)
{
    (void)state;
    struct text_writer writer;
    struct mark mark = a_mark();
    struct text text = encode(&writer, &mark);
    assert_false(has(text, "run\"") || has(text, "again"));
    text_writer_free(&writer);
    mark.next_run = 1;
    mark.runs_again = 3;
    assert_true(has(encode(&writer, &mark), ",\"runs_again_offset\":3,\"next_run\":1,"));
    text_writer_free(&writer);
}

/* Nothing is read again that was not read. */
static void test_read_again_from_behind(void **state)
{
    (void)state;
    struct text_writer writer;
    struct error error = {0};
    struct mark mark = a_mark(), read;
    mark.runs_again = mark.inputs[INPUT_RUNS].offset + 1;
    assert_false(mark_decode(encode(&writer, &mark), &read, &error));
    assert_int_equal(error.code, CODE_BAD_VALUE);
    assert_non_null(strstr(error.message, "'runs_again_offset' 6 is behind"));
    text_writer_free(&writer);
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    struct mark mark = a_mark();
    struct text_writer writer;
    text_writer_init(&writer);
    mark_encode(&writer, &mark);
    for (size_t length = 0; length < writer.length; length++) {
        struct error error = {0};
        struct mark read;
        assert_false(mark_decode((struct text){writer.bytes, length}, &read, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
    }
    text_writer_free(&writer);
}

/* A newer version may have added anything: that it is newer is said first. */
static void test_newer_layout(void **state)
{
    (void)state;
    struct error error = {0};
    struct mark mark;
    assert_false(mark_decode(text_of("{\"layout\":3,\"what\":{}}"), &mark, &error));
    assert_int_equal(error.kind, ERROR_FATAL);
    assert_int_equal(error.code, CODE_NEWER_LAYOUT);
}

static void test_seen(void **state)
{
    (void)state;
    struct seen seen[3] = {{0, 0, OUTCOME_APPLIED, CODE_NONE},
                           {UINT64_MAX, 1795294674123, OUTCOME_CONFLICT, CODE_COUNT_MISMATCH},
                           {UINT64_C(0x0123456789abcdef), 1, OUTCOME_EXPIRED, CODE_EXPIRED}};
    struct text_writer writer;
    struct error error = {0};
    struct arena *arena = arena_create();
    const struct seen *read = NULL;
    size_t count = 0;
    text_writer_init(&writer);
    seen_encode(&writer, seen, 3);
    assert_true(seen_decode(text_writer_text(&writer), arena, &read, &count, &error));
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(read[i].hash == seen[i].hash && read[i].at_ms == seen[i].at_ms);
        assert_int_equal(read[i].outcome, seen[i].outcome);
        assert_int_equal(read[i].code, seen[i].code);
    }
    text_writer_free(&writer);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_layout_1),
        cmocka_unit_test(test_runs_are_said_where_there_are_any),
        cmocka_unit_test(test_read_again_from_behind),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_newer_layout),
        cmocka_unit_test(test_seen),
    };
    return cmocka_run_group_tests_name("mark json", tests, NULL, NULL);
}
