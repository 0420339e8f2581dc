/* When a daemon leaves the group for a moment: a table of what its shards do over time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dispatcher/engine/step_aside.h"
#include "tests/support/rows.h"

enum { SECONDS = 1000000, SHARDS_MOST = 4, LOOK_S = 5 };

/* `stops_s`: when the shard stops moving; from_s: when it moves again (0: never); a shard with
 * stops_s 0 never moves here, one with from_s IDLE has nothing to commit, one with FAILED
 * waits for its operator from stops_s on. */
struct shard_story {
    int stops_s;
    int from_s;
};
struct aside_case {
    const char *name;
    int shards;
    struct shard_story stories[SHARDS_MOST];
    int until_s;
    int leaves;
    int first_s; /* not before, and at most 10 s later */
};
enum { ALWAYS = 100000, IDLE = -1, FAILED = -2 };
static const struct aside_case cases[] = {
    {"all is well", 2, {{ALWAYS, 0}, {ALWAYS, 0}}, 3000, 0, 0},
    {"one of two stops: not most of them", 2, {{100, 0}, {ALWAYS, 0}}, 3000, 0, 0},
    {"one of four stops, the others have no work: it is all that is known of this daemon", 4,
     {{100, 0}, {ALWAYS, IDLE}, {ALWAYS, IDLE}, {ALWAYS, IDLE}}, 3000, 1, 160},
    {"one stops, one works, the others have no work", 4,
     {{100, 0}, {ALWAYS, 0}, {ALWAYS, IDLE}, {ALWAYS, IDLE}}, 3000, 0, 0},
    {"nothing to do at all", 2, {{ALWAYS, IDLE}, {ALWAYS, IDLE}}, 3000, 0, 0},
    {"both stop", 2, {{100, 0}, {100, 0}}, 3000, 1, 160},
    {"two of three stop", 3, {{100, 0}, {120, 0}, {ALWAYS, 0}}, 3000, 1, 180},
    {"the only one stops, and does not come back: once", 1, {{100, 0}}, 3000, 1, 160},
    {"both stop for 50 s", 2, {{100, 150}, {100, 150}}, 3000, 0, 0},
    {"one that never moved here, from another daemon: not ours to judge", 1, {{0, 0}}, 3000, 0, 0},
    {"one never moved here, the other does", 2, {{0, 0}, {ALWAYS, 0}}, 3000, 0, 0},
    {"nothing ever moved here: two of two, after five minutes", 2, {{0, 0}, {0, 0}}, 3000, 1, 300},
    {"one of two stops, the other has failed: nothing else is known of this daemon", 2,
     {{100, 0}, {50, FAILED}}, 3000, 1, 160},
    {"one stops, one works, one has failed", 3, {{100, 0}, {ALWAYS, 0}, {50, FAILED}}, 3000, 0, 0},
    {"the only one has failed: it would fail elsewhere", 1, {{50, FAILED}}, 3000, 0, 0},
    {"both have failed, as they would elsewhere: once", 2,
     {{0, FAILED}, {0, FAILED}}, 3000, 1, 300},
    {"one has failed, the other works", 2, {{50, FAILED}, {ALWAYS, 0}}, 3000, 0, 0},
    {"two never moved here, the third did", 3, {{0, 0}, {0, 0}, {100, 0}}, 3000, 0, 0},
};

static struct shard_health health_at(const struct shard_story *story, int at_s)
{
    int last_s = at_s;
    bool failed = story->from_s == FAILED && at_s >= story->stops_s;
    if (at_s >= story->stops_s && (story->from_s == 0 || failed || at_s < story->from_s))
        last_s = story->stops_s;
    return (struct shard_health){.still_us = (int64_t)(at_s - last_s) * SECONDS,
                                 .moved_here = story->stops_s > 0 && !failed,
                                 .failed = failed,
                                 .commits = story->from_s != IDLE};
}

static bool look(struct step_aside *aside, const struct aside_case *row, int at_s)
{
    step_aside_begin(aside);
    for (int i = 0; i < row->shards; i++) {
        struct shard_health health = health_at(&row->stories[i], at_s);
        step_aside_count(aside, &health);
    }
    bool leaves = step_aside_now(aside, (int64_t)(at_s + 1) * SECONDS);
    if (leaves) step_aside_left(aside, (int64_t)(at_s + 1) * SECONDS);
    return leaves;
}

static void one_story(void **state)
{
    const struct aside_case *row = *state;
    struct step_aside aside = {0};
    int leaves = 0;
    for (int at_s = 0; at_s < row->until_s; at_s += LOOK_S) {
        if (!look(&aside, row, at_s)) continue;
        if (leaves++ == 0) assert_in_range(at_s, row->first_s, row->first_s + 10);
    }
    assert_int_equal(leaves, row->leaves);
}

/* What never moved here is judged where it is our clock that holds most of it; else its broker's is
 * off. */
static void for_a_clock_that_is_far_off(void **state)
{
    (void)state;
    const struct shard_health moving = {.moved_here = true, .commits = true};
    struct step_aside aside = {0};
    step_aside_begin(&aside);
    step_aside_count(&aside, &(struct shard_health){.still_us = 700 * SECONDS, .clock_far = true});
    step_aside_count(&aside, &moving);
    assert_false(step_aside_now(&aside, 700 * SECONDS));
    for (int at_s = 0; at_s <= 310; at_s += 10) { /* of the same process, where others have moved */
        struct shard_health far = {.still_us = (int64_t)at_s * SECONDS, .clock_far = true};
        step_aside_begin(&aside);
        step_aside_count(&aside, &far);
        assert_int_equal(step_aside_now(&aside, (int64_t)(800 + at_s) * SECONDS), at_s >= 300);
    }
}

/* Well for a minute, then unwell again: not before ten minutes are over. */
static void again_where_it_helped(void **state)
{
    (void)state;
    const struct aside_case stopped = {.shards = 1, .stories = {{1, 0}}};
    const struct aside_case moving = {.shards = 1, .stories = {{ALWAYS, 0}}};
    struct step_aside aside = {0};
    assert_true(look(&aside, &stopped, 100)); /* at second 101 */
    assert_false(look(&aside, &stopped, 750));
    assert_false(look(&aside, &moving, 755));
    assert_false(look(&aside, &moving, 810));
    assert_false(look(&aside, &stopped, 900)); /* 55 s well: not known to have helped */
    assert_false(look(&aside, &moving, 1000));
    assert_false(look(&aside, &moving, 1065));
    assert_true(look(&aside, &stopped, 1100));
    assert_false(look(&aside, &moving, 1105));
    assert_false(look(&aside, &moving, 1170));
    assert_false(look(&aside, &stopped, 1690)); /* helped, but 590 s ago */
    assert_true(look(&aside, &stopped, 1705));
}

static void without_shards_there_is_nothing_to_give(void **state)
{
    (void)state;
    struct step_aside aside = {0};
    step_aside_begin(&aside);
    assert_false(step_aside_now(&aside, INT64_C(1000000000)));
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(cases, one_story)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(again_where_it_helped),
        cmocka_unit_test(without_shards_there_is_nothing_to_give),
        cmocka_unit_test(for_a_clock_that_is_far_off),
    };
    return run_rows("step aside", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
