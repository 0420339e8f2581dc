/* Records of runs, written and read; test_corpus.c holds them against example files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/time/instant.h"
#include "schemas/failed_run_json.h"
#include "schemas/run_json.h"

static void a_run(struct run_record *record)
{
    run_record_defaults(record);
    record->group = text_of("billing");
    record->id = text_of("invoice-nightly");
    record->incarnation = (struct incarnation){1795290000123, 10422, 0, 3};
    record->ordinal = 17;
    record->nominal_ms = record->due_ms = 1795294674000;
    record->opened_ms = record->fired_ms = 1795294674012;
    record->first_runnumber = INT64_C(4294967297);
    record->runnumber = record->first_runnumber + RUN_TRIES_KEPT;
    record->number = 1;
    record->lease_ms = 300000;
    record->workers = text_of("billing-workers");
}

static void claim_it(struct run_record *record)
{
    record->state = RUN_STATE_CLAIMED;
    record->claim = (struct run_claim){.token = text_of("t"), .topic = text_of("belfry.fires"),
                                       .partition = 3, .offset = 10422,
                                       .started_ms = 1795294674100, .sign_ms = 1795294774100};
}

/* An earlier try. */
static void end_one(struct run_record *record)
{
    record->try_count = 1;
    record->tries[0] = (struct run_try){
        .runnumber = record->first_runnumber, .number = 1, .exit_code = -1};
}

/* Writes, reads, writes again: the same bytes. *read holds what was read. */
static void check_round(const struct run_record *record, struct arena *arena,
                        struct run_record *read)
{
    struct text_writer first;
    struct text_writer second;
    struct error error = {0};
    bool open = false;
    text_writer_init(&first);
    text_writer_init(&second);
    run_record_encode(&first, record);
    assert_true(first.length <= RUN_RECORD_BYTES_MAX);
    arena_reset(arena);
    if (!run_record_decode(text_writer_text(&first), arena, read, &open, &error))
        fail_msg("%s at %s: %s in %.*s", error_code_word(error.code), error.field, error.message,
                 (int)first.length, first.bytes);
    assert_true(open);
    memset(first.bytes, '#', first.capacity); /* the record does not live on in the text */
    run_record_encode(&second, read);
    text_writer_reset(&first);
    run_record_encode(&first, record);
    if (!text_equal(text_writer_text(&first), text_writer_text(&second)))
        fail_msg("%.*s\n%.*s", (int)first.length, first.bytes, (int)second.length, second.bytes);
    text_writer_free(&first);
    text_writer_free(&second);
}

/* Whether the two are written differently. */
static bool differ(const struct run_record *one, const struct run_record *other)
{
    struct text_writer first;
    struct text_writer second;
    text_writer_init(&first);
    text_writer_init(&second);
    run_record_encode(&first, one);
    run_record_encode(&second, other);
    bool same = text_equal(text_writer_text(&first), text_writer_text(&second));
    text_writer_free(&first);
    text_writer_free(&second);
    return !same;
}

static void test_minimal(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct run_record record;
    struct run_record read;
    a_run(&record);
    check_round(&record, arena, &read);
    assert_int_equal(read.state, RUN_STATE_OPEN);
    assert_true(read.retry_at_ms == INSTANT_NONE && read.expiry_ms == INSTANT_NONE);
    assert_true(read.first_runnumber == INT64_C(4294967297));
    assert_true(read.import.effective_ms == INCARNATION_NONE_MS);
    assert_int_equal(read.mode, LEASE_HEARTBEAT);
    assert_int_equal(read.try_count, 0);
    arena_destroy(arena);
}

/* Each of them changes what is written, and comes back. */
static void test_each_field_alone(void **state)
{
    (void)state;
    enum { FIELDS = 27 };
    struct arena *arena = arena_create();
    for (int field = 0; field < FIELDS; field++) {
        struct run_record plain;
        a_run(&plain);
        if (field >= 20) claim_it(&plain);
        struct run_record record = plain;
        struct run_record read;
        switch (field) {
        case 0: record.group = text_of("g"); break;
        case 1: record.id = text_of("a/b"); break;
        case 2: record.incarnation.index = 7; break;
        case 3: record.import = (struct incarnation){1795290600000, 20000, 1, 3}; break;
        case 4: record.ordinal = 0; break;
        case 5: record.kind = FIRE_RETRY; break;
        case 6: record.nominal_ms = 0; break;
        case 7: record.due_ms++; break;
        case 8: record.trigger_id = text_of("run \"now\" 1"); break;
        case 9: record.opened_ms--; break;
        case 10: record.first_runnumber = 1; break;
        case 11: record.runnumber = INT64_MAX / 2; break;
        case 12: record.number = record.counted = RETRY_ATTEMPTS_MAX; end_one(&record); break;
        case 13: record.counted = 2; break;
        case 14: record.lost_in_a_row = 2; break;
        case 15: record.released = RUN_RELEASED_MAX; break;
        case 16: record.fired_ms = INSTANT_MAX_MS; break;
        case 17: end_one(&record); record.state = RUN_STATE_WAITING; record.retry_at_ms = 0; break;
        case 18: record.expiry_ms = 0; break;
        case 19: record.lease_ms = LEASE_MAX_MS; record.mode = LEASE_FIXED; break;
        case 20: record.claim.worker = text_of("w"); break;
        case 21: record.claim.partition = 0; record.claim.offset = INT64_MAX; break;
        case 22: record.claim.token = text_of("u"); record.claim.topic = text_of("a"); break;
        case 23: record.claim.started_ms = 0; record.claim.sign_ms = 1; break;
        case 24: record.cancel_asked = true; break;
        case 25: record.claim.token = (struct text){NULL, 0}; break;
        default: record.cursor = text_of("17"); break;
        }
        check_round(&record, arena, &read);
        if (!differ(&record, &plain)) fail_msg("field %d is not written", field);
        if (differ(&record, &read)) fail_msg("field %d is not read", field);
    }
    arena_destroy(arena);
}

/* A take-over reads them, too: signs of life without a `started`, and after reports were lost. */
static void test_claims_of_which_little_is_known(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct run_record record;
    struct run_record read;
    a_run(&record);
    claim_it(&record);
    record.claim = (struct run_claim){.token = text_of("t"), .worker = text_of("w"),
                                      .started_ms = 5, .sign_ms = 6};
    check_round(&record, arena, &read);
    assert_int_equal(read.state, RUN_STATE_CLAIMED);
    assert_int_equal(read.claim.topic.length, 0);
    assert_true(text_equal(read.claim.token, text_of("t")));
    record.claim = (struct run_claim){.started_ms = 5, .sign_ms = 6};
    check_round(&record, arena, &read);
    assert_int_equal(read.state, RUN_STATE_CLAIMED);
    assert_int_equal(read.claim.token.length, 0);
    assert_true(read.claim.started_ms == 5 && read.claim.sign_ms == 6);
    arena_destroy(arena);
}

static void test_tries(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct run_record record;
    struct run_record read;
    a_run(&record);
    for (int i = 0; i < RUN_TRIES_KEPT; i++)
        record.tries[i] = (struct run_try){.runnumber = record.first_runnumber + i, .number = i + 1,
                                           .outcome = (enum run_outcome)i, .ended_ms = i,
                                           .exit_code = -1};
    record.tries[1].exit_code = 0;
    record.tries[2].signal = 9;
    record.tries[3].worker = text_of("host-1/7");
    record.tries[4].error_code = text_of("E42");
    record.tries[5].message = text_of("a\nb");
    record.tries[6].released = true;
    record.tries[6].number = 0;
    record.tries[7].outcome = RUN_POISON;
    record.try_count = RUN_TRIES_KEPT;
    check_round(&record, arena, &read);
    assert_int_equal(read.try_count, RUN_TRIES_KEPT);
    assert_int_equal(read.tries[0].exit_code, -1);
    assert_int_equal(read.tries[0].outcome, RUN_SUCCESS);
    assert_int_equal(read.tries[1].exit_code, 0);
    assert_int_equal(read.tries[2].signal, 9);
    assert_true(text_equal(read.tries[3].worker, text_of("host-1/7")));
    assert_true(text_equal(read.tries[4].error_code, text_of("E42")));
    assert_true(text_equal(read.tries[5].message, text_of("a\nb")));
    assert_true(read.tries[6].released && read.tries[6].number == 0);
    assert_true(!read.tries[7].released && read.tries[7].outcome == RUN_POISON);
    assert_true(read.tries[7].ended_ms == 7);
    assert_true(read.tries[7].runnumber == record.first_runnumber + 7);
    arena_destroy(arena);
}

static void long_tries(struct run_record *record, const char *quotes, struct text message)
{
    for (size_t i = 0; i < RUN_TRIES_KEPT; i++)
        record->tries[i] = (struct run_try){.runnumber = record->first_runnumber + (int64_t)i,
                                            .number = INT32_MAX,
                                            .outcome = RUN_NOT_STARTED,
                                            .ended_ms = INSTANT_MAX_MS,
                                            .exit_code = 255,
                                            .signal = 127,
                                            .worker = {quotes, WORKER_BYTES_MAX},
                                            .error_code = {quotes, RUN_ERROR_CODE_BYTES_MAX},
                                            .message = message};
    record->try_count = RUN_TRIES_KEPT;
}

/* The longest that there can be stays within the bound: the oldest tries lose their texts. */
static void test_longest(void **state)
{
    (void)state;
    char quotes[RUN_CURSOR_BYTES_MAX];
    char wild[RUN_TRY_TEXT_BYTES_MAX];
    char letters[WORKERS_BYTES_MAX];
    memset(quotes, '"', sizeof quotes);
    memset(wild, 0x01, sizeof wild);
    memset(letters, 'n', sizeof letters);
    struct arena *arena = arena_create();
    struct run_record record;
    struct run_record read;
    a_run(&record);
    claim_it(&record);
    record.group = record.id = (struct text){letters, NAME_BYTES_MAX};
    record.incarnation = record.import = (struct incarnation){INSTANT_MAX_MS, INT64_MAX,
                                                              UINT32_MAX, SHARDS_MAX - 1};
    record.kind = FIRE_BACKFILL;
    record.mode = LEASE_HEARTBEAT;
    record.trigger_id = (struct text){quotes, COMMAND_ID_BYTES_MAX};
    record.ordinal = INT64_MAX - 1;
    record.first_runnumber = INT64_MAX / 2 - RUN_TRIES_KEPT;
    record.runnumber = INT64_MAX / 2;
    record.counted = RETRY_ATTEMPTS_MAX;
    record.released = RUN_RELEASED_MAX;
    record.number = record.counted + record.released;
    record.lost_in_a_row = INT32_MAX;
    record.expiry_ms = INSTANT_MAX_MS;
    record.lease_ms = LEASE_MAX_MS - 1;
    record.workers = (struct text){quotes, WORKERS_BYTES_MAX};
    record.cancel_asked = true;
    record.claim.token = (struct text){quotes, RUN_TOKEN_BYTES_MAX};
    record.claim.worker = (struct text){quotes, WORKER_BYTES_MAX};
    record.claim.topic = (struct text){letters, TOPIC_BYTES_MAX};
    record.claim.partition = INT32_MAX;
    record.claim.offset = INT64_MAX;
    record.cursor = (struct text){quotes, RUN_CURSOR_BYTES_MAX};
    long_tries(&record, quotes, (struct text){wild, sizeof wild});
    check_round(&record, arena, &read);
    assert_int_equal(read.try_count, RUN_TRIES_KEPT);
    assert_int_equal(read.tries[0].message.length, 0);
    assert_int_equal(read.tries[0].worker.length, 0);
    assert_int_equal(read.tries[0].signal, 127);
    assert_int_equal(read.tries[RUN_TRIES_KEPT - 1].message.length, sizeof wild);
    assert_int_equal(read.cursor.length, RUN_CURSOR_BYTES_MAX);
    arena_destroy(arena);
}

/* A dead letter is within what every topic takes, however much the worker said. */
static void test_longest_letter(void **state)
{
    (void)state;
    char wild[RUN_OUTPUT_BYTES_MAX];
    char digits[RUN_RESULT_BYTES_MAX];
    memset(wild, 0x01, sizeof wild);
    memset(digits, '1', sizeof digits);
    struct run_record record;
    a_run(&record);
    claim_it(&record);
    record.cursor = (struct text){digits, RUN_CURSOR_BYTES_MAX};
    struct report report = {.exit_code = 255,
                            .error_code = {digits, RUN_ERROR_CODE_BYTES_MAX},
                            .error_message = {wild, RUN_ERROR_BYTES_MAX},
                            .output = {wild, RUN_OUTPUT_BYTES_MAX},
                            .result = {digits, RUN_RESULT_BYTES_MAX}};
    struct failed_run failed = {.run = {digits, RUN_ID_BYTES_MAX}, .record = &record,
                                .outcome = RUN_POISON, .ended_ms = INSTANT_MAX_MS,
                                .report = &report};
    struct text_writer writer;
    text_writer_init(&writer);
    failed_run_encode(&writer, &failed);
    assert_true(writer.length > 64 * 1024);
    assert_true(writer.length + RUN_RECORD_BYTES_MAX <= FAILED_RUN_BYTES_MAX);
    text_writer_free(&writer);
}

static void test_a_free_place(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct run_record read;
    struct text_writer writer;
    struct error error = {0};
    bool open = true;
    text_writer_init(&writer);
    run_record_encode_free(&writer);
    assert_true(writer.length <= 32);
    assert_true(run_record_decode(text_writer_text(&writer), arena, &read, &open, &error));
    assert_false(open);
    text_writer_free(&writer);
    arena_destroy(arena);
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (int empty = 0; empty < 2; empty++) {
        struct run_record record;
        struct run_record read;
        struct text_writer writer;
        bool open = false;
        a_run(&record);
        claim_it(&record);
        record.tries[0] = (struct run_try){.runnumber = record.first_runnumber, .exit_code = 2,
                                           .message = text_of("a \"b\"")};
        record.try_count = 1;
        text_writer_init(&writer);
        if (empty == 1) run_record_encode_free(&writer);
        else run_record_encode(&writer, &record);
        for (size_t length = 0; length < writer.length; length++) {
            struct error error = {0};
            arena_reset(arena);
            assert_false(run_record_decode((struct text){writer.bytes, length}, arena, &read,
                                           &open, &error));
            assert_int_equal(error.kind, ERROR_INVALID);
        }
        text_writer_free(&writer);
    }
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_minimal), cmocka_unit_test(test_each_field_alone),
        cmocka_unit_test(test_claims_of_which_little_is_known),
        cmocka_unit_test(test_tries),   cmocka_unit_test(test_longest),
        cmocka_unit_test(test_longest_letter),
        cmocka_unit_test(test_a_free_place), cmocka_unit_test(test_cut_off_anywhere),
    };
    return cmocka_run_group_tests_name("run json", tests, NULL, NULL);
}
