/* The checkpointer says nothing before it is armed; its last words at a shutdown keep to the time
 * they were given, and a rewrite ends however often the store's answers get lost. */
#include "dispatcher/engine/checkpointer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "dispatcher/jobs/job.h"
#include "store/store_memory.h"

/* A store that never answers, and a clock that goes on with each look: encoding takes time. */
struct slow_store {
    struct checkpoint_port port; /* first: the port's pointer is ours */
    int64_t now_us;
    int submitted;
    int64_t limit_least_ms;
};

static void submit(struct checkpoint_port *port, struct store_group *group)
{
    ((struct slow_store *)port)->submitted++;
    store_group_destroy(group);
}

static enum checkpoint_state poll_outcome(struct checkpoint_port *port, int32_t *next_part,
                                          struct error *error)
{
    (void)next_part;
    (void)error;
    return ((struct slow_store *)port)->submitted == 0 ? CHECKPOINT_IDLE : CHECKPOINT_BUSY;
}

static enum checkpoint_state wait_outcome(struct checkpoint_port *port, int64_t limit_ms,
                                          int32_t *next_part, struct error *error)
{
    struct slow_store *store = (struct slow_store *)port;
    (void)next_part;
    (void)error;
    if (limit_ms < store->limit_least_ms) store->limit_least_ms = limit_ms;
    store->now_us += limit_ms > 0 ? limit_ms * 1000 : 0;
    return CHECKPOINT_BUSY;
}

static int64_t look(void *opaque)
{
    struct slow_store *store = opaque;
    store->now_us += 70000;
    return store->now_us;
}

static bool end_of_log(void *opaque, int64_t *offset)
{
    (void)opaque;
    *offset = 0;
    return true;
}

/* Asked again and again, whenever in a tick the time is over: no wait is asked for that has an end
 * in the past, which the writer would take for a fault. */
static void a_drain_never_waits_for_less_than_nothing(void **state)
{
    (void)state;
    static const struct checkpoint_operations operations = {
        .submit = submit, .poll = poll_outcome, .wait = wait_outcome};
    struct mark mark = {.generation = 1, .epoch = 1, .sequence = 7, .shards = 1};
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    for (int64_t given_us = 0; given_us < 1000000; given_us += 10000) {
        struct slow_store store = {.port = {&operations}, .limit_least_ms = INT64_MAX};
        struct clock clock = {.opaque = &store, .now_ms = look, .monotonic_us = look};
        struct observer observer = {.lowest = LEVEL_ERROR};
        struct shard *shard = shard_create(&config);
        struct checkpointer *checkpointer = checkpointer_create(&(struct checkpointer_options){
            .port = &store.port, .clock = &clock, .observer = &observer});
        checkpointer_arm(checkpointer);
        assert_false(checkpointer_drain(checkpointer, shard, &mark, end_of_log, NULL, given_us));
        assert_true(store.limit_least_ms >= 0);
        checkpointer_destroy(checkpointer);
        shard_destroy(shard);
    }
}

/* A store in memory that is written at once; each `every`-th answer gets lost, in turn with and
 * without the call having been done. Its clock goes on by what is waited for. */
enum { JOBS = 3000, GROUP_JOBS = 500, PART_JOBS = 50, CALLS_MOST = 40000, SEQUENCES = 700 };

struct flaky_store {
    struct checkpoint_port port; /* first: the port's pointer is ours */
    struct store *store;
    int64_t now_us;
    int every;
    int calls;
    int beginnings;     /* first parts of a rewrite */
    size_t items_most;  /* in one group */
    enum checkpoint_state outcome;
    int32_t next_part;
    struct store_position position;
};

static bool answer_lost(struct flaky_store *own, bool *before)
{
    own->calls++;
    *before = own->calls / own->every % 2 == 0;
    return own->calls % own->every == 0;
}

static void flaky_submit(struct checkpoint_port *port, struct store_group *group)
{
    struct flaky_store *own = (struct flaky_store *)port;
    if (store_group_item_count(group) > own->items_most)
        own->items_most = store_group_item_count(group);
    own->outcome = CHECKPOINT_WRITTEN;
    for (size_t i = 0; i < store_group_part_count(group) && own->outcome == CHECKPOINT_WRITTEN;
         i++) {
        struct store_write write;
        struct error error = {0};
        enum store_outcome outcome = STORE_GAP;
        bool before = false;
        bool lost = answer_lost(own, &before);
        store_group_part(group, i, &write);
        own->outcome = CHECKPOINT_AWAY;
        if (lost && before) break;
        assert_true(own->store->operations->write(own->store, &write, &outcome, &error));
        assert_int_equal(outcome, STORE_WRITTEN);
        own->beginnings += write.part == 0 && write.mode == STORE_REWRITE;
        own->next_part = write.part + 1;
        if (!lost) own->outcome = CHECKPOINT_WRITTEN;
    }
    store_group_destroy(group);
}

static void flaky_look(struct checkpoint_port *port, int64_t generation, int64_t epoch)
{
    struct flaky_store *own = (struct flaky_store *)port;
    struct error error = {0};
    bool before = false;
    own->outcome = CHECKPOINT_AWAY;
    if (answer_lost(own, &before)) return;
    assert_true(own->store->operations->look(own->store, 0, generation, epoch, &own->position,
                                             &error));
    own->outcome = CHECKPOINT_LOOKED;
}

static void flaky_position(struct checkpoint_port *port, struct store_position *position)
{
    *position = ((struct flaky_store *)port)->position;
}

static enum checkpoint_state flaky_poll(struct checkpoint_port *port, int32_t *next_part,
                                        struct error *error)
{
    struct flaky_store *own = (struct flaky_store *)port;
    enum checkpoint_state outcome = own->outcome;
    *next_part = own->next_part;
    if (outcome == CHECKPOINT_AWAY) (void)error_set(error, ERROR_RETRY, "no answer");
    own->outcome = CHECKPOINT_IDLE;
    return outcome;
}

static int64_t flaky_clock(void *opaque)
{
    return ((struct flaky_store *)opaque)->now_us;
}

static struct shard *shard_of(int jobs, int sequences)
{
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    struct shard *shard = shard_create(&config);
    for (int i = 0; i < jobs; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "j%d", i);
        struct job_record record = {.definition = {.group = text_of("g"), .id = text_of(id)},
                                    .life.ordinal = i + 1};
        record.definition.schedule.kind = SCHEDULE_EVERY;
        record.definition.schedule.every_ms = HOURS_MS;
        record.state.finished_ms = record.life.last_due_ms = record.tail_from_ms = INSTANT_NONE;
        shard_restore_job(shard, &record);
    }
    for (int i = 0; i < sequences; i++)
        shard_restore_seen(shard, i + 1,
                           &(struct seen){.hash = (uint64_t)i + 1, .code = CODE_EXISTS});
    shard_restore_look(shard);
    return shard;
}

static struct shard *full_shard(void)
{
    return shard_of(JOBS, SEQUENCES);
}

static void a_rewrite_ends_however_many_answers_are_lost(void **state)
{
    (void)state;
    static const struct checkpoint_operations operations = {
        .submit = flaky_submit, .look = flaky_look, .position = flaky_position, .poll = flaky_poll};
    static const int losses[] = {2, 3, 7, 11, 50};
    struct shard *shard = full_shard();
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        struct store_image *image = store_image_create();
        struct flaky_store own = {.port = {&operations}, .store = store_memory_create(image),
                                  .every = losses[i]};
        struct clock clock = {.opaque = &own, .now_ms = flaky_clock, .monotonic_us = flaky_clock};
        struct observer observer = {.lowest = LEVEL_ERROR};
        struct mark mark = {.generation = 1, .epoch = 1, .sequence = 7, .shards = 1};
        struct checkpointer *checkpointer = checkpointer_create(&(struct checkpointer_options){
            .port = &own.port, .clock = &clock, .observer = &observer,
            .group_jobs_max = GROUP_JOBS, .part_items_max = PART_JOBS});
        checkpointer_arm(checkpointer);
        while (checkpointer_sequence(checkpointer) != 7 && own.calls < CALLS_MOST) {
            own.now_us += 2000000;
            checkpointer_tick(checkpointer, shard, &mark, end_of_log, NULL);
        }
        assert_int_equal(checkpointer_sequence(checkpointer), 7);
        assert_int_equal(own.beginnings, 1); /* it went on where it was */
        assert_true(own.items_most <= GROUP_JOBS);
        struct store_position position;
        struct error error = {0};
        assert_true(own.store->operations->look(own.store, 0, 1, 1, &position, &error));
        assert_true(position.whole && position.sequence == 7);
        checkpointer_destroy(checkpointer);
        own.store->operations->destroy(own.store);
        store_image_destroy(image);
    }
    shard_destroy(shard);
}

/* One group is written only when a later one comes: its owner had given it up. */
struct late_store {
    struct flaky_store flaky; /* first: loses nothing */
    struct store_group *late;
    bool next_is_late;
    int behind; /* how many groups come before it */
    struct store_image *image;
    struct clock clock;
    struct observer observer;
    struct shard *shard;
    struct mark mark;
    struct checkpointer *owner;
};

static enum checkpoint_state write_all(struct flaky_store *own, struct store_group *group)
{
    enum store_outcome outcome = STORE_WRITTEN;
    for (size_t i = 0; i < store_group_part_count(group) && outcome == STORE_WRITTEN; i++) {
        struct store_write write;
        struct error error = {0};
        store_group_part(group, i, &write);
        assert_true(own->store->operations->write(own->store, &write, &outcome, &error));
        own->beginnings += write.part == 0 && write.mode == STORE_REWRITE;
        own->next_part = write.part + 1;
    }
    store_group_destroy(group);
    return outcome == STORE_WRITTEN ? CHECKPOINT_WRITTEN : CHECKPOINT_GAP;
}

static void late_submit(struct checkpoint_port *port, struct store_group *group)
{
    struct late_store *own = (struct late_store *)port;
    if (own->late != NULL && own->behind-- == 0) {
        assert_int_equal(write_all(&own->flaky, own->late), CHECKPOINT_WRITTEN);
        own->late = NULL;
    }
    if (own->next_is_late) {
        own->next_is_late = false;
        own->late = group;
        own->flaky.outcome = CHECKPOINT_AWAY;
        return;
    }
    own->flaky.outcome = write_all(&own->flaky, group);
}

/* One that has just taken the shard over. */
static void late_owner(struct late_store *own)
{
    checkpointer_destroy(own->owner);
    own->flaky.now_us += 2000000;
    own->owner = checkpointer_create(&(struct checkpointer_options){
        .port = &own->flaky.port, .clock = &own->clock, .observer = &own->observer,
        .group_jobs_max = GROUP_JOBS});
    checkpointer_arm(own->owner);
}

static void late_tick(struct late_store *own)
{
    own->flaky.now_us += 2000000;
    checkpointer_tick(own->owner, own->shard, &own->mark, end_of_log, NULL);
}

static void write_up_to(struct late_store *own, int64_t sequence)
{
    own->mark.sequence = sequence;
    for (int i = 0; i < 100 && checkpointer_sequence(own->owner) != sequence; i++) late_tick(own);
    assert_int_equal(checkpointer_sequence(own->owner), sequence);
}

/* With a full shard, of which it holds this position. */
static void late_store_open(struct late_store *own, int64_t sequence)
{
    static const struct checkpoint_operations operations = {
        .submit = late_submit, .look = flaky_look, .position = flaky_position, .poll = flaky_poll};
    struct store_image *image = store_image_create();
    *own = (struct late_store){.flaky = {.port = {&operations},
                                         .store = store_memory_create(image),
                                         .every = CALLS_MOST},
                               .image = image,
                               .observer = {.lowest = LEVEL_ERROR},
                               .shard = full_shard(),
                               .mark = {.generation = 1, .epoch = 1, .shards = 1}};
    own->clock = (struct clock){.opaque = own, .now_ms = flaky_clock, .monotonic_us = flaky_clock};
    late_owner(own);
    write_up_to(own, sequence);
}

static void late_store_close(struct late_store *own)
{
    checkpointer_destroy(own->owner);
    store_group_destroy(own->late);
    own->flaky.store->operations->destroy(own->flaky.store);
    store_image_destroy(own->image);
    shard_destroy(own->shard);
}

static struct store_position position_in(struct late_store *own)
{
    struct store_position position;
    struct error error = {0};
    assert_true(own->flaky.store->operations->look(own->flaky.store, 0, 1, 1, &position, &error));
    return position;
}

/* Until a group has been handed over that gets no answer. */
static void lose_one(struct late_store *own, int64_t sequence)
{
    own->mark.sequence = sequence;
    own->next_is_late = true;
    while (own->late == NULL) late_tick(own);
}

static void what_comes_late_is_not_written_anew(void **state)
{
    (void)state;
    struct late_store own;
    late_store_open(&own, 7);
    checkpointer_job_changed(own.owner, shard_job_at(own.shard, 0));
    lose_one(&own, 8);
    write_up_to(&own, 9); /* what is sent instead says more than what comes late */
    assert_int_equal(own.flaky.beginnings, 1);
    late_store_close(&own);
}

/* It puts back what they have deleted: all of them are sent once more. */
static void what_comes_late_behind_groups_that_were_written_is_not_written_anew(void **state)
{
    (void)state;
    struct late_store own;
    late_store_open(&own, 7);
    for (uint32_t slot = 0; slot < JOBS; slot++)
        checkpointer_job_changed(own.owner, shard_job_at(own.shard, slot));
    lose_one(&own, 8);
    checkpointer_job_deleted(own.owner, shard_job_at(own.shard, 0));
    shard_restore_deleted(own.shard, text_of("g"), text_of("j0"));
    own.behind = 2;
    write_up_to(&own, 9);
    assert_null(own.late);
    assert_int_equal(own.flaky.beginnings, 1);
    assert_true(position_in(&own).whole);
    late_store_close(&own);
}

/* The second one is sent when the first is given up; each comes when the next is sent. */
static void two_that_come_late_are_not_written_anew(void **state)
{
    (void)state;
    struct late_store own;
    late_store_open(&own, 7);
    checkpointer_job_changed(own.owner, shard_job_at(own.shard, 0));
    lose_one(&own, 7); /* the position stays, so that the second fits behind it, too */
    own.behind = 0;
    own.mark.sequence = 8;
    own.next_is_late = true;
    while (own.next_is_late) late_tick(&own);
    own.behind = 0;
    write_up_to(&own, 9);
    assert_null(own.late);
    assert_int_equal(own.flaky.beginnings, 1);
    assert_true(position_in(&own).whole);
    late_store_close(&own);
}

static void a_record_that_came_and_went_is_not_in_the_store(void **state)
{
    (void)state;
    struct late_store own;
    late_store_open(&own, 1000);
    checkpointer_seen(own.owner, 1001, text_of("{}"));
    checkpointer_seen_expired(own.owner, 1001);
    write_up_to(&own, 1002);
    assert_int_equal(own.flaky.beginnings, 1); /* the store was not told to be damaged */
    late_store_close(&own);
}

static void a_store_with_more_of_our_epoch_is_known_by_a_look(void **state)
{
    (void)state;
    struct late_store own;
    late_store_open(&own, 9);
    late_owner(&own);
    lose_one(&own, 8); /* the answer would have been a refusal */
    for (int i = 0; i < 3; i++) late_tick(&own);
    assert_true(checkpointer_status(own.owner).ahead && checkpointer_status(own.owner).stale);
    assert_int_equal(own.flaky.beginnings, 1); /* nothing more was written */
    late_store_close(&own);
}

static void before_the_first_mark_nothing_is_written(void **state)
{
    (void)state;
    static const struct checkpoint_operations operations = {
        .submit = submit, .poll = poll_outcome, .wait = wait_outcome};
    struct mark mark = {.generation = 1, .epoch = 1, .sequence = 7, .shards = 1};
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    struct slow_store store = {.port = {&operations}};
    struct clock clock = {.opaque = &store, .now_ms = look, .monotonic_us = look};
    struct observer observer = {.lowest = LEVEL_ERROR};
    struct shard *shard = shard_create(&config);
    struct checkpointer *checkpointer = checkpointer_create(&(struct checkpointer_options){
        .port = &store.port, .clock = &clock, .observer = &observer});
    assert_true(checkpointer_due_us(checkpointer, &mark) == INT64_MAX);
    checkpointer_tick(checkpointer, shard, &mark, end_of_log, NULL);
    assert_false(checkpointer_drain(checkpointer, shard, &mark, end_of_log, NULL, 10000000));
    assert_int_equal(store.submitted, 0);
    checkpointer_arm(checkpointer);
    assert_true(checkpointer_due_us(checkpointer, &mark) != INT64_MAX);
    checkpointer_tick(checkpointer, shard, &mark, end_of_log, NULL);
    assert_int_equal(store.submitted, 1);
    checkpointer_destroy(checkpointer);
    shard_destroy(shard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_mark_nothing_is_written),
        cmocka_unit_test(a_drain_never_waits_for_less_than_nothing),
        cmocka_unit_test(a_rewrite_ends_however_many_answers_are_lost),
        cmocka_unit_test(what_comes_late_is_not_written_anew),
        cmocka_unit_test(what_comes_late_behind_groups_that_were_written_is_not_written_anew),
        cmocka_unit_test(two_that_come_late_are_not_written_anew),
        cmocka_unit_test(a_record_that_came_and_went_is_not_in_the_store),
        cmocka_unit_test(a_store_with_more_of_our_epoch_is_known_by_a_look),
    };
    return cmocka_run_group_tests_name("checkpointer", tests, NULL, NULL);
}
