/* Remembered command ids: found, forgotten in order, put in order after restoring. */
#include "dispatcher/shard/seen_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void add(struct seen_table *table, int64_t sequence, uint64_t hash, int64_t at_ms)
{
    struct seen seen = {.hash = hash, .at_ms = at_ms, .outcome = OUTCOME_REJECTED,
                        .code = CODE_EXISTS};
    seen_table_add(table, sequence, &seen);
}

static bool has(const struct seen_table *table, uint64_t hash)
{
    struct seen seen = {0};
    return seen_table_find(table, hash, &seen) && seen.hash == hash;
}

/* The hashes and sequences from the oldest on. */
static void expect_order(const struct seen_table *table, const uint64_t *hashes,
                         const int64_t *sequences, size_t count)
{
    uint32_t cursor = 0;
    int64_t sequence = 0;
    struct seen seen;
    for (size_t i = 0; i < count; i++) {
        assert_true(seen_table_next(table, &cursor, &sequence, &seen));
        assert_int_equal(seen.hash, hashes[i]);
        assert_int_equal(sequence, sequences[i]);
    }
    assert_false(seen_table_next(table, &cursor, &sequence, &seen));
}

static void what_was_said_is_remembered(void **state)
{
    (void)state;
    struct seen_table *table = seen_table_create((const uint8_t[HASH_KEY_BYTES]){1});
    struct seen seen;
    add(table, 5, 77, 1000);
    add(table, 6, 77, 2000); /* used again after its day: the newer one counts */
    add(table, 5, 77, 1000); /* and is not replaced by what a checkpoint still had */
    assert_true(seen_table_find(table, 77, &seen));
    assert_int_equal(seen.at_ms, 2000);
    assert_int_equal(seen.outcome, OUTCOME_REJECTED);
    assert_string_equal(error_code_word(seen.code), "exists");
    assert_int_equal(seen_table_count(table), 1);
    assert_false(has(table, 78));
    seen_table_destroy(table);
    seen_table_destroy(NULL);
}

/* Hashes that want the same place of the index, or the one behind it. */
static void ids_that_collide_are_kept_apart(void **state)
{
    (void)state;
    enum { HASHES = 48, AWAY = 1 << 20 };
    struct seen_table *table = seen_table_create((const uint8_t[HASH_KEY_BYTES]){1});
    for (uint64_t i = 0; i < HASHES; i++)
        add(table, (int64_t)i, i * AWAY + i % 3 * (i % 2), (int64_t)i);
    for (uint64_t gone = 0; gone < HASHES; gone++) {
        int64_t sequence = -1;
        assert_true(seen_table_expire(table, (int64_t)gone + 1, HASHES, &sequence));
        assert_int_equal(sequence, gone);
        for (uint64_t i = 0; i < HASHES; i++)
            assert_int_equal(has(table, i * AWAY + i % 3 * (i % 2)), i > gone);
    }
    seen_table_destroy(table);
}

static void a_thousand_at_a_time(void **state)
{
    (void)state;
    enum { IDS = 5000, KEPT = 1000 };
    struct seen_table *table = seen_table_create((const uint8_t[HASH_KEY_BYTES]){1});
    int64_t sequence = 0;
    for (uint64_t i = 0; i < IDS; i++) { /* the ring goes round and grows */
        add(table, (int64_t)i, i * UINT64_C(0x9e3779b97f4a7c15), 0);
        while (seen_table_expire(table, 0, KEPT, &sequence)) continue;
    }
    assert_int_equal(seen_table_count(table), KEPT);
    for (uint64_t i = 0; i < IDS; i++)
        assert_int_equal(has(table, i * UINT64_C(0x9e3779b97f4a7c15)), i >= IDS - KEPT);
    seen_table_destroy(table);
}

static void forgotten_by_age_or_by_number(void **state)
{
    (void)state;
    struct seen_table *table = seen_table_create((const uint8_t[HASH_KEY_BYTES]){1});
    int64_t sequence = -1;
    assert_false(seen_table_expire(table, INT64_MAX, 0, &sequence));
    add(table, 1, 10, 100);
    add(table, 1, 11, 100); /* one transaction */
    add(table, 2, 12, 200);
    assert_false(seen_table_expire(table, 100, 3, &sequence)); /* not old, not too many */
    assert_true(seen_table_expire(table, 101, 3, &sequence));
    assert_int_equal(sequence, 1);
    assert_int_equal(seen_table_count(table), 1);
    assert_int_equal(seen_table_sequences(table), 1);
    assert_true(seen_table_expire(table, 0, 0, &sequence));
    assert_int_equal(sequence, 2);
    assert_int_equal(seen_table_count(table), 0);
    assert_int_equal(seen_table_sequences(table), 0);
    seen_table_destroy(table);
}

static void restoring_puts_them_in_order(void **state)
{
    (void)state;
    struct seen_table *table = seen_table_create((const uint8_t[HASH_KEY_BYTES]){1});
    add(table, 9, 30, 0);
    add(table, 4, 22, 0);
    add(table, 7, 40, 0);
    add(table, 4, 21, 0);
    add(table, 2, 10, 0);
    add(table, 4, 21, 0); /* of a checkpoint and of the tail */
    seen_table_drop(table, 7);
    seen_table_drop(table, 2);
    seen_table_drop(table, 3); /* never seen */
    seen_table_order(table);
    expect_order(table, (const uint64_t[]){21, 22, 30}, (const int64_t[]){4, 4, 9}, 3);
    assert_false(has(table, 40));
    assert_true(has(table, 30));
    assert_int_equal(seen_table_sequences(table), 2);
    add(table, 9, 31, 0);
    add(table, 10, 32, 0);
    assert_int_equal(seen_table_sequences(table), 3);
    seen_table_drop(table, 10);
    seen_table_order(table);
    seen_table_order(table); /* nothing dropped: all stay */
    assert_int_equal(seen_table_sequences(table), 2);
    expect_order(table, (const uint64_t[]){21, 22, 30, 31}, (const int64_t[]){4, 4, 9, 9}, 4);
    seen_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_is_remembered),
        cmocka_unit_test(ids_that_collide_are_kept_apart),
        cmocka_unit_test(a_thousand_at_a_time),
        cmocka_unit_test(forgotten_by_age_or_by_number),
        cmocka_unit_test(restoring_puts_them_in_order),
    };
    return cmocka_run_group_tests_name("seen table", tests, NULL, NULL);
}
