/* What a process has committed and does not find: a table of last marks of a state log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "dispatcher/engine/own_commit.h"

struct look {
    const char *name;
    bool found;
    int64_t generation;
    int64_t epoch;
    int64_t sequence;
    const char *owner;
    bool there;
};

/* Ours: generation 2, epoch 5, sequence 100. */
static const struct look looks[] = {
    {"the very mark", true, 2, 5, 100, "us", true},
    {"one more of ours, whose outcome we do not know", true, 2, 5, 101, "us", true},
    {"the one before", true, 2, 5, 99, "us", false},
    {"no mark at all", false, 0, 0, 0, "", false},
    {"another owner has followed us", true, 2, 6, 101, "them", true},
    {"and we have again, in a life before this", true, 2, 7, 140, "us", true},
    {"another owner in our epoch, behind", true, 2, 5, 98, "them", false},
    {"another owner in our epoch, ahead", true, 2, 5, 120, "them", false},
    {"another owner in our epoch, with our sequence", true, 2, 5, 100, "them", false},
    {"an owner of before us, behind", true, 2, 4, 90, "them", false},
    {"an owner of before us, ahead: ours was on another branch", true, 2, 4, 120, "them", false},
    {"an owner after us, but from before what is lost", true, 2, 6, 95, "them", false},
    {"recovered, with the log that was left", true, 3, 5, 98, "belfry-recover", true},
    {"recovered, in our epoch", true, 3, 5, 120, "belfry-recover", true},
    {"of before a recover that we have followed", true, 1, 9, 500, "them", false},
};

static struct own_commit ours(void)
{
    const struct mark mark = {.generation = 2, .epoch = 5, .sequence = 100, .owner = "us"};
    struct own_commit own = {.lost = true};
    own_commit_taken(&own, &mark);
    assert_false(own.lost);
    return own;
}

static struct mark mark_of(const struct look *look)
{
    struct mark mark = {.generation = look->generation,
                        .epoch = look->epoch,
                        .sequence = look->sequence};
    (void)snprintf(mark.owner, sizeof mark.owner, "%s", look->owner);
    return mark;
}

static void test_looks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        struct own_commit own = ours();
        struct mark mark = mark_of(&looks[i]);
        bool there = own_commit_look(&own, "us", &mark, looks[i].found);
        if (there != looks[i].there || own.lost == there) fail_msg("%s", looks[i].name);
    }
}

static void test_nothing_committed_yet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        struct own_commit own = {0};
        struct mark mark = mark_of(&looks[i]);
        assert_true(own_commit_look(&own, "us", &mark, looks[i].found));
        assert_false(own.lost);
    }
}

/* Kafka was restored: what had been missed is there. */
static void test_found_again(void **state)
{
    (void)state;
    struct own_commit own = ours();
    struct mark mark = {.generation = 2, .epoch = 5, .sequence = 99, .owner = "us"};
    assert_false(own_commit_look(&own, "us", &mark, true));
    assert_false(own_commit_look(&own, "us", &mark, true));
    mark.sequence = 100;
    assert_true(own_commit_look(&own, "us", &mark, true));
    assert_false(own.lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_nothing_committed_yet),
        cmocka_unit_test(test_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
