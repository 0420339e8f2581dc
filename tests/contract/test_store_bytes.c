/* The contract of struct store, second sheet: any name, any bytes, many and large items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/limits.h"
#include "tests/support/store_backend.h"
#include "tests/support/store_contract.h"
#include "tests/support/store_script.h"

#define EXPECT(expected, actual) assert_string_equal(actual, expected)

static void case_any_name_and_bytes(struct store_fixture *f)
{
    static const char text[] = "{\"a\":\"'\\\"%s %b \xc3\xa9\xf0\x9f\x94\x94\r\n\t$1\"}\0tail";
    char name[JOB_NAME_BYTES_MAX], super[NAME_BYTES_MAX];
    struct snapshot snapshot = snapshot_at(1, 1, 1);
    struct error error = {0};
    enum store_outcome outcome = STORE_GAP;
    memset(name, 'n', sizeof name);
    memcpy(name, "Az09._:@-", 9);
    name[NAME_BYTES_MAX] = '/';
    memset(super, ':', sizeof super);
    const struct store_item item = {STORE_JOB_PUT, name, sizeof name, text, sizeof text - 1, super,
                                    sizeof super};
    const struct store_write write = {.shard = 3, .mode = STORE_REWRITE, .token = 1,
        .generation = 1, .epoch = 1, .items = &item, .item_count = 1, .snapshot = &snapshot};
    assert_true(f->a->operations->write(f->a, &write, &outcome, &error));
    assert_int_equal(outcome, STORE_WRITTEN);
    char group[NAME_BYTES_MAX + 1], super_text[NAME_BYTES_MAX + 1], expected[512];
    (void)snprintf(group, sizeof group, "%.*s", NAME_BYTES_MAX, name);
    (void)snprintf(super_text, sizeof super_text, "%.*s", NAME_BYTES_MAX, super);
    (void)snprintf(expected, sizeof expected, "%.*s", JOB_NAME_BYTES_MAX, name);
    EXPECT(expected, list_store(f->backend->list, f->a, group, ""));
    EXPECT(expected, list_store(f->backend->list, f->a, group, super_text));
    (void)snprintf(expected, sizeof expected, "seq=1 %.*s=%s", JOB_NAME_BYTES_MAX, name, text);
    EXPECT(expected, dump_store(f->a));
}

static bool count_bytes(void *opaque, const struct store_item *item, struct error *error)
{
    (void)error;
    *(size_t *)opaque += item->text_bytes + 1000000;
    return true;
}

static bool refuse(void *opaque, const struct store_item *item, struct error *error)
{
    (void)item;
    ++*(int *)opaque;
    return error_set(error, ERROR_INVALID, "enough");
}

static void case_many_and_large_items(struct store_fixture *f)
{
    enum { COUNT = 5000, LARGE = 300 * 1024 };
    struct error error = {0};
    enum store_outcome outcome = STORE_GAP;
    char *large = malloc(LARGE), names[STORE_CALL_JOBS_MAX][24];
    struct store_item items[STORE_CALL_JOBS_MAX];
    struct snapshot snapshot = snapshot_at(1, 1, 1);
    size_t bytes = 0;
    int visits = 0;
    memset(large, 'x', LARGE);
    for (int part = 0; part < COUNT / STORE_CALL_JOBS_MAX; part++) {
        for (int i = 0; i < STORE_CALL_JOBS_MAX; i++) {
            int length = snprintf(names[i], sizeof names[i], "g/%d",
                                  part * STORE_CALL_JOBS_MAX + i);
            items[i] = (struct store_item){STORE_JOB_PUT, names[i], (size_t)length, large,
                                           i == 0 ? LARGE : 10, "s", 1};
        }
        const struct store_write write = {.shard = 3, .mode = STORE_REWRITE, .token = 1,
            .generation = 1, .epoch = 1, .part = part, .items = items,
            .item_count = STORE_CALL_JOBS_MAX,
            .snapshot = part + 1 == COUNT / STORE_CALL_JOBS_MAX ? &snapshot : NULL};
        assert_true(f->a->operations->write(f->a, &write, &outcome, &error));
        assert_int_equal(outcome, STORE_WRITTEN);
    }
    free(large);
    const size_t expected = (size_t)COUNT * 1000010 + 10 * (LARGE - 10);
    const char *const names_wanted[] = {"g"};
    const struct store_filter filters[] = {{0}, {names_wanted, 1, NULL, 0}};
    assert_true(f->b->operations->read_items(f->b, 3, count_bytes, &bytes, &error));
    assert_true(bytes == expected);
    for (int i = 0; i < 2; i++) {
        bytes = 0;
        assert_true(f->backend->list(f->b, 4, &filters[i], count_bytes, &bytes, &error));
        assert_true(bytes == expected);
        assert_false(f->backend->list(f->b, 4, &filters[i], refuse, &visits, &error));
        assert_string_equal(error.message, "enough");
        error_clear(&error);
    }
    assert_int_equal(visits, 2);
    assert_false(f->b->operations->read_items(f->b, 3, refuse, &visits, &error));
    assert_int_equal(visits, 3);
    error_clear(&error);
    EXPECT("WRITTEN", write_words(f->b, STORE_CHANGE, 1, 1, 1, 0, 2, ""));
}

static const struct store_case cases[] = {
    {"any name and any bytes", case_any_name_and_bytes},
    {"many and large items", case_many_and_large_items},
};

int main(void)
{
    return run_store_cases("store contract: bytes", cases, sizeof cases / sizeof cases[0]);
}
