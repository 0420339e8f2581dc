/* The fires in memory: rows, what is ready, what is out. */
#include "consumer/backlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FIRES = 64 };

struct scene {
    struct belfry_backlog backlog;
    struct belfry_fire fires[FIRES];
    struct belfry_delivery deliveries[FIRES];
};

static struct scene *scene_open(void)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    assert_true(belfry_backlog_open(&scene->backlog, 8)); /* fewer than there will be */
    return scene;
}

static void scene_close(struct scene *scene)
{
    belfry_backlog_close(&scene->backlog);
    free(scene);
}

static void put(struct scene *scene, int number, uint64_t row, bool alone)
{
    scene->deliveries[number] =
        (struct belfry_delivery){.fire = &scene->fires[number], .row = row, .alone = alone,
                                 .id = {(uint64_t)number % 5, (uint64_t)number}, .bytes = 10};
    belfry_backlog_put(&scene->backlog, &scene->deliveries[number]);
}

/* Takes one, which has to be this; -1: none is ready. */
static void take(struct scene *scene, int number)
{
    struct belfry_delivery *taken = belfry_backlog_take(&scene->backlog);
    if (number < 0) {
        assert_null(taken);
        return;
    }
    assert_ptr_equal(taken, &scene->deliveries[number]);
    assert_ptr_equal(belfry_backlog_out(&scene->backlog, taken->fire), taken);
}

static void end(struct scene *scene, int number)
{
    belfry_backlog_end(&scene->backlog, &scene->deliveries[number]);
    assert_null(belfry_backlog_out(&scene->backlog, &scene->fires[number]));
}

static void a_row_goes_one_by_one(void **state)
{
    (void)state;
    struct scene *scene = scene_open();
    put(scene, 1, 7, false);
    put(scene, 2, 7, false);
    put(scene, 3, 8, false);
    put(scene, 4, 7, false);
    take(scene, 1);
    take(scene, 3);
    take(scene, -1);
    assert_int_equal(scene->backlog.waiting, 2);
    end(scene, 1);
    take(scene, 2);
    take(scene, -1);
    end(scene, 3);
    take(scene, -1);
    end(scene, 2);
    put(scene, 5, 7, false);
    take(scene, 4);
    take(scene, -1);
    end(scene, 4);
    take(scene, 5);
    end(scene, 5);
    assert_int_equal(scene->backlog.bytes, 0);
    scene_close(scene);
}

static void one_alone_waits_for_none(void **state)
{
    (void)state;
    struct scene *scene = scene_open();
    put(scene, 1, 7, true);
    put(scene, 2, 7, true);
    put(scene, 3, 7, false);
    take(scene, 1);
    take(scene, 2);
    take(scene, 3);
    end(scene, 2);
    end(scene, 1);
    end(scene, 3);
    scene_close(scene);
}

static void an_id_is_found_as_long_as_it_is_there(void **state)
{
    (void)state;
    struct scene *scene = scene_open();
    put(scene, 1, 7, false);
    put(scene, 6, 7, false); /* in the same bucket */
    assert_ptr_equal(belfry_backlog_find(&scene->backlog, (struct hash_128){1, 6}),
                     &scene->deliveries[6]);
    assert_null(belfry_backlog_find(&scene->backlog, (struct hash_128){1, 11}));
    take(scene, 1);
    end(scene, 1);
    assert_null(belfry_backlog_find(&scene->backlog, (struct hash_128){1, 1}));
    take(scene, 6);
    end(scene, 6);
    assert_null(belfry_backlog_out(&scene->backlog, &scene->fires[6]));
    scene_close(scene);
}

static void what_is_out_stays_when_the_rest_is_dropped(void **state)
{
    (void)state;
    struct scene *scene = scene_open();
    for (int i = 0; i < 6; i++) put(scene, i, (uint64_t)i % 2, false);
    put(scene, 6, 9, true);
    take(scene, 0);
    int count = 0;
    for (struct belfry_delivery *one = belfry_backlog_drop(&scene->backlog); one != NULL;
         one = one->next) {
        assert_false(one->out);
        count++;
    }
    assert_int_equal(count, 6);
    assert_int_equal(scene->backlog.waiting, 0);
    assert_int_equal(scene->backlog.bytes, 10);
    take(scene, -1);
    put(scene, 7, 0, false); /* behind what is out */
    put(scene, 8, 1, false);
    take(scene, 8);
    take(scene, -1);
    end(scene, 0);
    take(scene, 7);
    end(scene, 7);
    end(scene, 8);
    scene_close(scene);
}

/* A second method: whether a fire may be taken is looked up in the list of all that came. */
struct slow {
    int row[FIRES]; /* -1: alone */
    int state[FIRES]; /* 0: not there, 1: waits, 2: out */
    int64_t came[FIRES];
};

static bool may_go(const struct slow *slow, int number)
{
    for (int i = 0; i < FIRES; i++)
        if (i != number && slow->state[i] > 0 && slow->row[i] == slow->row[number] &&
            slow->row[i] >= 0 && slow->came[i] < slow->came[number])
            return false;
    return true;
}

static int ready_of(const struct slow *slow)
{
    int count = 0;
    for (int i = 0; i < FIRES; i++) count += slow->state[i] == 1 && may_go(slow, i);
    return count;
}

static void random_step(struct scene *scene, struct slow *slow, uint64_t random, int64_t now)
{
    int number = (int)(random >> 8 & (FIRES - 1));
    if (slow->state[number] == 0) {
        slow->row[number] = (int)(random >> 20 & 7) - 1;
        slow->came[number] = now;
        slow->state[number] = 1;
        put(scene, number, (uint64_t)slow->row[number], slow->row[number] < 0);
    } else if (slow->state[number] == 2) {
        slow->state[number] = 0;
        end(scene, number);
    } else if ((random >> 40 & 63) == 0) {
        (void)belfry_backlog_drop(&scene->backlog);
        for (int i = 0; i < FIRES; i++)
            if (slow->state[i] == 1) slow->state[i] = 0;
    } else {
        struct belfry_delivery *taken = belfry_backlog_take(&scene->backlog);
        if (taken == NULL) return;
        int at = (int)(taken - scene->deliveries);
        assert_int_equal(slow->state[at], 1);
        assert_true(may_go(slow, at));
        slow->state[at] = 2;
    }
}

static void agrees_with_a_list(void **state)
{
    (void)state;
    struct scene *scene = scene_open();
    static struct slow slow;
    uint64_t random = 88172645463325252u;
    for (int64_t now = 0; now < 200000; now++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random_step(scene, &slow, random, now);
        assert_int_equal(scene->backlog.ready, ready_of(&slow));
    }
    (void)belfry_backlog_drop(&scene->backlog);
    for (int i = 0; i < FIRES; i++)
        if (slow.state[i] == 2) end(scene, i);
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_goes_one_by_one),
        cmocka_unit_test(one_alone_waits_for_none),
        cmocka_unit_test(an_id_is_found_as_long_as_it_is_there),
        cmocka_unit_test(what_is_out_stays_when_the_rest_is_dropped),
        cmocka_unit_test(agrees_with_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
