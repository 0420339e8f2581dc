/* What store_memory has beyond the contract: failures to order, images to copy and restore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/store_memory.h"
#include "store/store_table.h"
#include "tests/support/store_script.h"

#define REWRITE(store, sequence, words) \
    write_words(store, STORE_REWRITE, 1, 1, 0, 0, sequence, words)
#define CHANGE(store, follows, sequence, words) \
    write_words(store, STORE_CHANGE, 1, 1, follows, 0, sequence, words)
#define EXPECT(expected, actual) assert_string_equal(actual, expected)

static void test_failures(void **state)
{
    (void)state;
    struct store_image *image = store_image_create();
    struct store *store = store_memory_create(image);
    struct store *other = store_memory_create(image);
    EXPECT("WRITTEN", REWRITE(store, 1, "+a/1=x"));
    store_memory_fail(store, STORE_FAILURE_BEFORE, 2);
    EXPECT("retry", CHANGE(store, 1, 2, "+a/2=y"));
    EXPECT("seq=1 a/1=x", dump_store(other));
    EXPECT("retry", CHANGE(store, 1, 2, "+a/2=y"));
    EXPECT("WRITTEN", CHANGE(store, 1, 2, "+a/2=y"));
    store_memory_fail(store, STORE_FAILURE_AFTER, 1);
    EXPECT("retry", CHANGE(store, 2, 3, "+a/3=z"));
    EXPECT("seq=3 a/1=x a/2=y a/3=z", dump_store(store));
    store_memory_fail(store, STORE_FAILURE_AFTER, 1);
    assert_non_null(strstr(dump_store(store), "error retry"));
    store_memory_fail(store, STORE_FAILURE_BEFORE, 5);
    store_memory_fail(store, STORE_FAILURE_NONE, 0);
    EXPECT("seq=3 a/1=x a/2=y a/3=z", dump_store(store));
    store->operations->destroy(store);
    other->operations->destroy(other);
    store_image_destroy(image);
}

static void test_copies_are_apart(void **state)
{
    (void)state;
    struct store_image *image = store_image_create();
    struct store *store = store_memory_create(image);
    EXPECT("WRITTEN", REWRITE(store, 1, "+a/1=x s1=y"));
    struct store_image *copy = store_image_copy(image);
    struct store *copied = store_memory_create(copy);
    EXPECT("WRITTEN", CHANGE(store, 1, 2, "-a/1"));
    EXPECT("seq=1 a/1=x s1=y", dump_store(copied));
    EXPECT("WRITTEN", CHANGE(copied, 1, 5, "+b/1=z"));
    EXPECT("seq=2 s1=y", dump_store(store));
    store_image_restore(image, copy);
    EXPECT("seq=5 a/1=x b/1=z s1=y", dump_store(store));
    store_image_empty(copy);
    EXPECT("none", dump_store(copied));
    EXPECT("seq=5 a/1=x b/1=z s1=y", dump_store(store));
    store->operations->destroy(store);
    copied->operations->destroy(copied);
    store_image_destroy(copy);
    store_image_destroy(image);
}

/* The table against a plain array, through growth, replacement and deletion. */
static void test_table(void **state)
{
    (void)state;
    enum { NAMES = 700, STEPS = 20000 };
    struct store_table table = {0}, copy = {0};
    int expected[NAMES] = {0};
    uint32_t random = 7;
    size_t count = 0;
    for (int step = 1; step <= STEPS; step++) {
        char name[16], text[16];
        random = random * 1664525u + 1013904223u;
        int number = (int)(random >> 16) % NAMES;
        int name_bytes = snprintf(name, sizeof name, "n%d", number);
        int text_bytes = snprintf(text, sizeof text, "%d", step);
        bool delete = (random >> 8) % 3 == 0;
        if (delete) store_table_delete(&table, name, (size_t)name_bytes);
        else store_table_put(&table, &(struct store_item){STORE_JOB_PUT, name, (size_t)name_bytes,
                                                          text, (size_t)text_bytes, NULL, 0});
        expected[number] = delete ? 0 : step;
    }
    store_table_copy(&table, &copy);
    for (int i = 0; i < NAMES; i++) {
        char name[16];
        int name_bytes = snprintf(name, sizeof name, "n%d", i);
        const struct store_entry *entry = store_table_find(&copy, name, (size_t)name_bytes);
        long value = entry != NULL ? strtol(store_entry_text(entry), NULL, 10) : 0;
        assert_int_equal(value, expected[i]);
        if (entry != NULL) count++;
    }
    const struct store_entry *entry = NULL, *original = NULL;
    while ((entry = store_table_next(&copy, entry)) != NULL) {
        original = store_table_next(&table, original);
        assert_string_equal(store_entry_name(entry), store_entry_name(original));
        count--;
    }
    assert_int_equal(count, 0);
    store_table_clear(&table);
    store_table_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_copies_are_apart),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests_name("store memory", tests, NULL, NULL);
}
