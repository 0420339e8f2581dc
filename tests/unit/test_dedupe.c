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

static struct belfry_dedupe *window_of(uint32_t capacity)
{
    struct belfry_error error = {0};
    struct belfry_dedupe *window = belfry_dedupe_create(capacity, &error);
    if (window == NULL) fail_msg("%s", error.message);
    return window;
}

static struct belfry_id_hash number_hash(const struct belfry_dedupe *window, uint64_t number)
{
    char id[40];
    (void)snprintf(id, sizeof id, "1795290000123-3.10422.0@%llu", (unsigned long long)number);
    return belfry_dedupe_hash(window, id);
}

/* As "openssl mac -macopt size:16 SIPHASH" prints them: key 00..0f, input 00, 01, 02, ... */
struct hash_case {
    size_t bytes;
    const char *hex;
};
static const struct hash_case hash_cases[] = {
    {0, "a3817f04ba25a8e66df67214c7550293"},
    {1, "da87c1d86b99af44347659119b22fc45"},
    {8, "3b62a9ba6258f5610f83e264f31497b4"},
    {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
    {63, "5150d1772f50834a503e069a973fbd7c"},
};

static void hash_is_siphash(void **state)
{
    (void)state;
    uint8_t key[16];
    uint8_t input[64];
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof input; i++) input[i] = (uint8_t)i;
    for (size_t row = 0; row < sizeof hash_cases / sizeof hash_cases[0]; row++) {
        struct belfry_id_hash hash = belfry_siphash128(input, hash_cases[row].bytes, key);
        char hex[33] = "";
        for (int i = 0; i < 16; i++) {
            uint64_t half = i < 8 ? hash.low : hash.high;
            (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned)(half >> (8 * (i % 8)) & 0xff));
        }
        assert_string_equal(hex, hash_cases[row].hex);
    }
}

static void second_time_is_known(void **state)
{
    (void)state;
    struct belfry_dedupe *window = window_of(10);
    assert_false(belfry_dedupe_knows(window, belfry_dedupe_hash(window, "a@1")));
    assert_true(belfry_dedupe_add(window, belfry_dedupe_hash(window, "a@1")));
    assert_true(belfry_dedupe_knows(window, belfry_dedupe_hash(window, "a@1")));
    assert_false(belfry_dedupe_add(window, belfry_dedupe_hash(window, "a@1")));
    assert_true(belfry_dedupe_add(window, belfry_dedupe_hash(window, "a@2")));
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
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint64_t name = random % NAMES;
        struct belfry_id_hash hash = {.low = name % 5, .high = name};
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
    assert_int_not_equal(belfry_dedupe_hash(one, "x").low, belfry_dedupe_hash(two, "x").low);
    belfry_dedupe_destroy(one);
    belfry_dedupe_destroy(two);
    belfry_dedupe_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_siphash),
        cmocka_unit_test(second_time_is_known),
        cmocka_unit_test(oldest_is_forgotten_first),
        cmocka_unit_test(window_of_one),
        cmocka_unit_test(agrees_with_a_list),
        cmocka_unit_test(keys_differ_between_windows),
    };
    return cmocka_run_group_tests_name("duplicate window", tests, NULL, NULL);
}
