/* The window of fire ids: what it remembers, what it forgets, and its hash. */
#include "consumer/dedupe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/walks.h"

static struct belfry_dedupe *window_of(uint32_t capacity)
{
    struct belfry_error error = {0};
    struct belfry_dedupe *window = belfry_dedupe_create(capacity, &error);
    if (window == NULL) fail_msg("%s", error.message);
    return window;
}

static struct hash_128 hash_of(const struct belfry_dedupe *window, const char *id)
{
    return belfry_dedupe_hash(window, id, strlen(id));
}

static struct hash_128 number_hash(const struct belfry_dedupe *window, uint64_t number)
{
    char id[40];
    (void)snprintf(id, sizeof id, "1795290000123-3.10422.0@%llu", (unsigned long long)number);
    return hash_of(window, id);
}

static void second_time_is_known(void **state)
{
    (void)state;
    struct belfry_dedupe *window = window_of(10);
    assert_false(belfry_dedupe_knows(window, hash_of(window, "a@1")));
    assert_true(belfry_dedupe_add(window, hash_of(window, "a@1")));
    assert_true(belfry_dedupe_knows(window, hash_of(window, "a@1")));
    assert_false(belfry_dedupe_add(window, hash_of(window, "a@1")));
    assert_true(belfry_dedupe_add(window, hash_of(window, "a@2")));
    belfry_dedupe_destroy(window);
}

static void oldest_is_forgotten_first(void **state)
{
    (void)state;
    struct belfry_dedupe *window = window_of(3);
    for (uint64_t i = 0; i < 4; i++) {
        assert_true(belfry_dedupe_add(window, number_hash(window, i)));
    }
    assert_false(belfry_dedupe_knows(window, number_hash(window, 0)));
    for (uint64_t i = 1; i < 4; i++) {
        assert_true(belfry_dedupe_knows(window, number_hash(window, i)));
    }
    belfry_dedupe_destroy(window);
}

static void window_of_one(void **state)
{
    (void)state;
    struct belfry_dedupe *window = window_of(1);
    for (uint64_t i = 0; i < 100; i++) {
        assert_true(belfry_dedupe_add(window, number_hash(window, i)));
        assert_false(belfry_dedupe_add(window, number_hash(window, i)));
        if (i > 0) assert_false(belfry_dedupe_knows(window, number_hash(window, i - 1)));
    }
    belfry_dedupe_destroy(window);
}

/* A second method: a plain list of the newest `capacity` ids. Ids repeat, and hashes collide in
 * their low bits, so that the probing chains are long and removals cut through them. */
static void agrees_with_a_list(void **state)
{
    (void)state;
    enum { CAPACITY = 37, STEPS = 20000, NAMES = 90 };
    struct belfry_dedupe *window = window_of(CAPACITY);
    uint64_t list[CAPACITY];
    size_t count = 0;
    uint64_t random = 88172645463325252u;
    for (int step = 0; step < STEPS; step++) {
        uint64_t name = walk_draw(&random, NAMES);
        struct hash_128 hash = {.low = name % 5, .high = name};
        size_t at = 0;
        while (at < count && list[at] != name) at++;
        assert_int_equal(belfry_dedupe_knows(window, hash), at < count);
        assert_int_equal(belfry_dedupe_add(window, hash), at == count);
        if (at < count) continue;
        if (count == CAPACITY) memmove(list, list + 1, --count * sizeof list[0]);
        list[count++] = name;
    }
    belfry_dedupe_destroy(window);
}

static void keys_differ_between_windows(void **state)
{
    (void)state;
    struct belfry_dedupe *one = window_of(1);
    struct belfry_dedupe *two = window_of(1);
    assert_int_not_equal(hash_of(one, "x").low, hash_of(two, "x").low);
    belfry_dedupe_destroy(one);
    belfry_dedupe_destroy(two);
    belfry_dedupe_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_time_is_known),
        cmocka_unit_test(oldest_is_forgotten_first),
        cmocka_unit_test(window_of_one),
        cmocka_unit_test(agrees_with_a_list),
        cmocka_unit_test(keys_differ_between_windows),
    };
    return cmocka_run_group_tests_name("duplicate window", tests, NULL, NULL);
}
