/* Who has a series by name, and that no series ever goes back. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/metrics/groups.h"
#include "lib/base/memory.h"

static const uint8_t key[HASH_KEY_BYTES] = "groups";

static struct text name_of(int number, char name[24])
{
    int length = snprintf(name, 24, "group-%06d", number);
    return (struct text){name, (size_t)length};
}

/* In one transaction: each of the groups fires so often. */
static void note(struct groups *groups, int first, int count, int64_t fires)
{
    char name[24];
    groups_enter(groups, 0);
    for (int i = first; i < first + count; i++)
        groups_note(groups, 0, name_of(i, name), 1000, fires);
    groups_leave(groups, 0);
}

static int64_t sum(const struct histogram_numbers *numbers)
{
    int64_t sum = 0;
    for (int i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++) sum += numbers->buckets[i];
    return sum;
}

/* How often the group has fired by its series; -1: it has none. */
static int64_t fires_of(const struct groups *groups, const char *wanted)
{
    struct histogram_numbers numbers;
    for (size_t i = 0; i < GROUPS_NAMED; i++) {
        const char *name = groups_series(groups, i, &numbers);
        if (name != NULL && strcmp(name, wanted) == 0) return sum(&numbers);
    }
    return -1;
}

static int64_t fires_of_others(const struct groups *groups)
{
    struct histogram_numbers numbers;
    groups_other(groups, &numbers);
    return sum(&numbers);
}

static void the_first_ones_have_names_the_others_count_together(void **state)
{
    (void)state;
    struct groups *groups = groups_create(1, key);
    note(groups, 0, GROUPS_NAMED + 50, 3);
    assert_int_equal(fires_of(groups, "group-000000"), 3);
    assert_int_equal(fires_of(groups, "group-000199"), 3);
    assert_int_equal(fires_of(groups, "group-000200"), -1);
    assert_int_equal(fires_of_others(groups), 150);
    groups_destroy(groups);
}

static void nameless_fires_and_a_group_called_other_are_others(void **state)
{
    (void)state;
    struct groups *groups = groups_create(1, key);
    groups_enter(groups, 0);
    groups_note(groups, 0, text_of(""), 1000, 2);
    groups_note(groups, 0, text_of("other"), 1000, 5);
    groups_leave(groups, 0);
    assert_int_equal(fires_of(groups, "other"), -1);
    assert_int_equal(fires_of_others(groups), 7);
    groups_destroy(groups);
}

static void who_is_clearly_busier_gets_the_name_of_the_least_busy(void **state)
{
    (void)state;
    struct groups *groups = groups_create(1, key);
    note(groups, 0, GROUPS_NAMED, 10);
    note(groups, 1000, 2, 10); /* known, nameless */
    groups_turn(groups, 1);
    note(groups, 1, GROUPS_NAMED - 1, 10);
    note(groups, 0, 1, 4);
    note(groups, 1000, 1, 9);  /* more than twice as busy as group 0 */
    note(groups, 1001, 1, 8);  /* no more than twice */
    groups_turn(groups, GROUPS_TURN_US); /* too soon after the last one */
    assert_int_equal(fires_of(groups, "group-000000"), 14);
    groups_turn(groups, 1 + GROUPS_TURN_US);
    assert_int_equal(fires_of(groups, "group-000000"), -1);
    int64_t others = fires_of_others(groups);
    note(groups, 1000, 2, 1);
    note(groups, 0, 1, 1);
    assert_int_equal(fires_of(groups, "group-001000"), 1); /* from zero */
    assert_int_equal(fires_of(groups, "group-001001"), -1);
    assert_int_equal(fires_of(groups, "group-000001"), 20);
    assert_int_equal(fires_of_others(groups), others + 2);
    groups_destroy(groups);
}

static void many_groups_take_no_more_room_and_the_busy_one_is_found(void **state)
{
    (void)state;
    struct groups *groups = groups_create(1, key);
    note(groups, 0, GROUPS_NAMED, 1);
    for (int turn = 0; turn < 4; turn++) {
        note(groups, 500000, 1, 1000);
        for (int i = 0; i < 100000; i += 1000) note(groups, 1000 + i, 1000, 1);
        groups_turn(groups, 1 + turn * GROUPS_TURN_US);
    }
    note(groups, 500000, 1, 5);
    assert_int_equal(fires_of(groups, "group-500000"), 2005); /* since the second turn */
    groups_destroy(groups);
}

/* ---- a shard's thread and the reader's ---- */

struct race {
    struct groups *groups;
    _Atomic bool done;
    int32_t shard;
};

enum { ROUNDS = 3000, RACING = 600 };

static void *race_shard(void *argument)
{
    struct race *race = argument;
    char name[24];
    for (int round = 0; round < ROUNDS; round++) {
        groups_enter(race->groups, race->shard);
        for (int i = 0; i < 40; i++) /* who is busy changes all the time */
            groups_note(race->groups, race->shard,
                        name_of(race->shard * 1000 + (round / 20 * 40 + i) % RACING, name), 1000,
                        1);
        groups_leave(race->groups, race->shard);
    }
    atomic_store(&race->done, true);
    return NULL;
}

struct before {
    char name[24];
    int64_t fires;
};

/* A series that is there has not gone back since the last look, unless it was let go meanwhile. */
static void look(const struct groups *groups, struct before *before)
{
    struct histogram_numbers numbers;
    for (size_t i = 0; i < GROUPS_NAMED; i++) {
        const char *name = groups_series(groups, i, &numbers);
        if (name == NULL) {
            before[i].name[0] = '\0';
            continue;
        }
        if (strcmp(before[i].name, name) == 0) assert_true(sum(&numbers) >= before[i].fires);
        (void)snprintf(before[i].name, sizeof before[i].name, "%s", name);
        before[i].fires = sum(&numbers);
    }
}

static void no_series_goes_back_while_names_change(void **state)
{
    (void)state;
    struct groups *groups = groups_create(2, key);
    struct race races[2] = {{.groups = groups, .shard = 0}, {.groups = groups, .shard = 1}};
    struct before *before = memory_allocate(GROUPS_NAMED, sizeof *before);
    pthread_t threads[2];
    int64_t now_us = 1;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race_shard, &races[i]), 0);
    while (!atomic_load(&races[0].done) || !atomic_load(&races[1].done)) {
        groups_turn(groups, now_us += GROUPS_TURN_US);
        look(groups, before);
    }
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    free(before);
    groups_destroy(groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_ones_have_names_the_others_count_together),
        cmocka_unit_test(nameless_fires_and_a_group_called_other_are_others),
        cmocka_unit_test(who_is_clearly_busier_gets_the_name_of_the_least_busy),
        cmocka_unit_test(many_groups_take_no_more_room_and_the_busy_one_is_found),
        cmocka_unit_test(no_series_goes_back_while_names_change)};
    return cmocka_run_group_tests_name("groups of metrics", tests, NULL, NULL);
}
