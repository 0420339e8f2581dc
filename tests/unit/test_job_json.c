#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/cron_case.h"

#include "lib/base/limits.h"
#include "schemas/job_json.h"

#define A16 "aaaaaaaaaaaaaaaa"

static void a_record(struct job_record *record)
{
    struct cron cron;
    job_record_defaults(record);
    assert_true(cron_read("30 2 * * *", 10, &cron, NULL, NULL));
    record->definition.group = text_of("billing");
    record->definition.id = text_of("invoice-nightly");
    record->definition.schedule = schedule_from_cron(&cron);
    record->definition.cron_text = text_of("30 2 * * *");
    record->life.incarnation = (struct incarnation){1795290000123, 10422, 0, 3};
    record->life.updated_ms = 1795290000123;
    record->life.ordinal = 17;
}

/* Writes, reads, writes again: the same bytes. *read holds what was read. */
static void check_round(const struct job_record *record, struct arena *arena,
                        struct job_record *read)
{
    struct text_writer first;
    struct text_writer second;
    struct error error = {0};
    text_writer_init(&first);
    text_writer_init(&second);
    job_record_encode(&first, record);
    arena_reset(arena);
    /* The record must not live on in the text: it is copied and thrown away. */
    struct text copy = text_writer_text(&first);
    if (!job_record_decode(copy, arena, test_zones(), read, &error))
        fail_msg("%s at %s: %s in %.*s", error_code_word(error.code), error.field, error.message,
                 (int)copy.length, copy.bytes);
    memset(first.bytes, '#', first.capacity);
    job_record_encode(&second, read);
    text_writer_reset(&first);
    job_record_encode(&first, record);
    if (!text_equal(text_writer_text(&first), text_writer_text(&second)))
        fail_msg("%.*s\n%.*s", (int)first.length, first.bytes, (int)second.length, second.bytes);
    text_writer_free(&first);
    text_writer_free(&second);
}

/* Whether the record says anything that the plain one does not. */
static bool is_plain(const struct job_record *record)
{
    struct job_record plain;
    struct text_writer first;
    struct text_writer second;
    a_record(&plain);
    text_writer_init(&first);
    text_writer_init(&second);
    job_record_encode(&first, &plain);
    job_record_encode(&second, record);
    bool same = text_equal(text_writer_text(&first), text_writer_text(&second));
    text_writer_free(&first);
    text_writer_free(&second);
    return same;
}

static void test_minimal(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct job_record record;
    struct job_record read;
    a_record(&record);
    check_round(&record, arena, &read);
    assert_true(cron_equal(&record.definition.schedule.cron, &read.definition.schedule.cron));
    assert_true(read.state.paused_ms == INSTANT_NONE && read.state.finished_ms == INSTANT_NONE);
    assert_true(read.definition.end_ms == END_NONE);
    assert_int_equal(read.definition.catchup.limit, CATCHUP_LIMIT_DEFAULT);
    assert_int_equal(read.life.incarnation.offset, 10422);
    arena_destroy(arena);
}

static void test_each_field_alone(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (int field = 0; field < 33; field++) {
        struct job_record record;
        struct job_record read;
        a_record(&record);
        struct definition *definition = &record.definition;
        switch (field) {
        case 0: definition->super_group = text_of("s"); break;
        case 1: definition->paused = true; record.state.paused_ms = 5; break;
        case 2: definition->schedule = schedule_from_every(60000, 7); break;
        case 3: definition->schedule = schedule_from_at(8); break;
        case 4: definition->start_ms = 0; break;
        case 5: definition->end_ms = 9; break;
        case 6: definition->max_fires = 1; break;
        case 7: definition->payload = text_of("{\"a\":1.10}"); break;
        case 8:
            definition->payload = (struct text){"\0\377", 2};
            definition->payload_binary = true;
            break;
        case 9: definition->content_type = text_of("a/b"); break;
        case 10: definition->headers = (struct text){"b\0001\0a\0", 7}; break;
        case 11: definition->labels = (struct text){"a\0001\0b\0", 7}; break;
        case 12: definition->topic = text_of("t"); break;
        case 13: definition->key = text_of("k\xC3\xA4"); break;
        case 14: definition->format = FIRE_BINARY; break;
        case 15: definition->catchup.policy = CATCHUP_NONE; break;
        case 16: definition->catchup.grace_ms = 0; break;
        case 17: definition->keep_finished_ms = KEEP_FINISHED_FOREVER_MS; break;
        case 18: definition->keep_finished_ms = 0; break;
        case 19: record.state.until_ms = 1; break;
        case 20: record.state.finished_ms = 2; break;
        case 21: record.state.counted_fires = 3; break;
        case 22: record.tail_from_ms = 0; break;
        case 23: record.tail_undecided = true; break;
        case 24: record.state.failing_since_ms = 4; break;
        case 25: record.state.schedule_edited_ms = 6; break;
        case 26: record.life.fired = 1; record.life.missed = 2; record.life.last_due_ms = 3; break;
        case 27: record.revision = UINT32_MAX; record.life.ordinal = INT64_MAX - 1; break;
        case 28: definition->zone = text_of("UTC"); break;
        case 29: definition->traceparent = text_of("00-" A16 A16 "-" A16 "-01"); break;
        case 30: record.tail_keeps = TAIL_KEEPS_NEWEST; break;
        case 31: record.state.failed_runs = 5; break;
        default: definition->given |= GIVEN_ANCHOR; break;
        }
        check_round(&record, arena, &read);
        if (is_plain(&record)) fail_msg("field %d is not written", field);
    }
    arena_destroy(arena);
}

static void test_owed_ranges(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct job_record record;
    struct job_record read;
    a_record(&record);
    for (size_t i = 0; i < OWED_RANGES_MAX; i++) {
        struct owed_range *range = &record.owed[i];
        *range = (struct owed_range){0};
        range->from_ms = (int64_t)i;
        range->to_ms = (int64_t)i + 1;
        range->missed_count = i == 0 ? 4 : 0;
        range->planned = (int64_t)i;
        range->delay_ms = i == 2 ? 86400000 : 0;
        range->has_schedule = i % 2 == 1;
        range->schedule = record.definition.schedule;
        range->words.cron = record.definition.cron_text;
    }
    record.owed_count = OWED_RANGES_MAX;
    record.state.failing_since_ms = 3;
    record.state.retry_ms = 4;
    record.state.attempts = 5;
    check_round(&record, arena, &read);
    assert_int_equal(read.owed_count, OWED_RANGES_MAX);
    assert_int_equal(read.owed[0].missed_count, 4);
    assert_true(read.owed[1].has_schedule);
    assert_int_equal(read.owed[2].delay_ms, 86400000);
    assert_int_equal(read.state.attempts, 5);
    arena_destroy(arena);
}

static void test_anchor_is_the_users_only_when_given(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct job_record record;
    struct job_record read;
    a_record(&record);
    record.definition.schedule = schedule_from_every(60000, 7);
    check_round(&record, arena, &read);
    assert_int_equal(read.definition.given & GIVEN_ANCHOR, 0);
    assert_int_equal(read.definition.schedule.anchor_ms, 7);
    record.definition.given |= GIVEN_ANCHOR;
    check_round(&record, arena, &read);
    assert_true((read.definition.given & GIVEN_ANCHOR) != 0);
    arena_destroy(arena);
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct job_record record;
    struct job_record read;
    struct text_writer writer;
    text_writer_init(&writer);
    a_record(&record);
    record.definition.payload = text_of("{\"a\":[\"x\\\"\",1]}");
    job_record_encode(&writer, &record);
    for (size_t length = 0; length < writer.length; length++) {
        struct error error = {0};
        arena_reset(arena);
        assert_false(job_record_decode((struct text){writer.bytes, length}, arena,
                                       test_zones(), &read, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
    }
    text_writer_free(&writer);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_minimal),
        cmocka_unit_test(test_each_field_alone),
        cmocka_unit_test(test_owed_ranges),
        cmocka_unit_test(test_anchor_is_the_users_only_when_given),
        cmocka_unit_test(test_cut_off_anywhere),
    };
    return cmocka_run_group_tests_name("job json", tests, NULL, NULL);
}
