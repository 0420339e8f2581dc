/* Random walks of open runs between a shard, its state log and a store that loses answers, runs and
 * itself, and gets groups late: whoever takes the shard over has the runs that were open, and in
 * the end so has the store, which is called damaged only where it has lost runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/engine/checkpointer.h"
#include "schemas/run_json.h"
#include "store/store_memory.h"
#include "store/store_whole.h"
#include "tests/support/walks.h"

enum {
    PLACES = 150,
    LOG_MOST = 4000,
    STEPS = 400,
    GROUP_MOST = 30,
    PART_MOST = 7,
    CALM_MOST = 400
};

/* What stands under k from then on: the number of its try; 0: nothing. */
struct entry {
    uint32_t k;
    int64_t runnumber;
};

struct walk {
    struct checkpoint_port port; /* first: the port's pointer is ours */
    struct store_image *image;
    struct store_image *saved; /* NULL: nothing is */
    struct store *store;
    struct clock clock;
    struct observer observer;
    struct shard *shard;
    struct checkpointer *owner;
    struct mark mark;
    struct entry log[LOG_MOST];
    size_t logged;
    int64_t open[PLACES]; /* what the log says */
    int64_t number;
    int64_t now_us;
    uint64_t random;
    bool calm; /* nothing fails any more */
    bool loses_runs;          /* the store may */
    struct store_group *late; /* lies on a dead connection; NULL: none does */
    enum checkpoint_state outcome;
    int32_t next_part;
    struct store_position position;
};

static bool draw(struct walk *walk, uint64_t below)
{
    return walk_draw(&walk->random, below) == 0;
}

/* ---- the store ---- */

static void part(struct walk *walk, const struct store_write *write)
{
    struct error error = {0};
    enum store_outcome outcome = STORE_GAP;
    bool lost = !walk->calm && draw(walk, 12);
    walk->outcome = CHECKPOINT_AWAY;
    if (lost && draw(walk, 2)) return;
    assert_true(walk->store->operations->write(walk->store, write, &outcome, &error));
    assert_int_not_equal(outcome, STORE_STALE);
    assert_true(outcome != STORE_DAMAGED || walk->loses_runs);
    walk->next_part = write->part + 1;
    if (lost) return;
    walk->outcome = outcome == STORE_WRITTEN   ? CHECKPOINT_WRITTEN
                    : outcome == STORE_DAMAGED ? CHECKPOINT_DAMAGED
                                               : CHECKPOINT_GAP;
}

/* What lay on the dead connection comes, and nobody hears what became of it. */
static void come_late(struct walk *walk)
{
    enum store_outcome outcome = STORE_WRITTEN;
    size_t parts = walk->late == NULL ? 0 : store_group_part_count(walk->late);
    for (size_t i = 0; i < parts && outcome == STORE_WRITTEN; i++) {
        struct store_write write;
        struct error error = {0};
        store_group_part(walk->late, i, &write);
        assert_true(walk->store->operations->write(walk->store, &write, &outcome, &error));
    }
    store_group_destroy(walk->late);
    walk->late = NULL;
}

static void submit(struct checkpoint_port *port, struct store_group *group)
{
    struct walk *walk = (struct walk *)port;
    if (!walk->calm && draw(walk, walk->late == NULL ? 12 : 2)) {
        if (walk->late == NULL) walk->late = group;
        else store_group_destroy(group); /* bad times: this one gets lost */
        walk->outcome = CHECKPOINT_AWAY;
        return;
    }
    walk->outcome = CHECKPOINT_WRITTEN;
    for (size_t i = 0; i < store_group_part_count(group) && walk->outcome == CHECKPOINT_WRITTEN;
         i++) {
        struct store_write write;
        store_group_part(group, i, &write);
        part(walk, &write);
    }
    store_group_destroy(group);
}

static void look(struct checkpoint_port *port, int64_t generation, int64_t epoch)
{
    struct walk *walk = (struct walk *)port;
    struct error error = {0};
    walk->outcome = CHECKPOINT_AWAY;
    if (!walk->calm && draw(walk, 8)) return;
    assert_true(walk->store->operations->look(walk->store, 0, generation, epoch, &walk->position,
                                              &error));
    walk->outcome = CHECKPOINT_LOOKED;
}

static void position(struct checkpoint_port *port, struct store_position *found)
{
    *found = ((struct walk *)port)->position;
}

static enum checkpoint_state poll_outcome(struct checkpoint_port *port, int32_t *next_part,
                                          struct error *error)
{
    struct walk *walk = (struct walk *)port;
    enum checkpoint_state outcome = walk->outcome;
    *next_part = walk->next_part;
    if (outcome == CHECKPOINT_AWAY) (void)error_set(error, ERROR_RETRY, "no answer");
    walk->outcome = CHECKPOINT_IDLE;
    return outcome;
}

static const struct checkpoint_operations operations = {
    .submit = submit, .look = look, .position = position, .poll = poll_outcome};

static int64_t clock_of(void *opaque)
{
    return ((struct walk *)opaque)->now_us;
}

static bool end_of_log(void *opaque, int64_t *offset)
{
    *offset = (int64_t)((struct walk *)opaque)->logged;
    return true;
}

/* What happens to a Redis. */
static void harm(struct walk *walk)
{
    if (draw(walk, 60)) store_image_empty(walk->image);
    if (draw(walk, 3)) come_late(walk);
    if (walk->loses_runs && draw(walk, 40))
        (void)store_image_lose(walk->image, 0, STORE_RUN_PUT, 0, 5);
    if (draw(walk, 30)) {
        store_image_destroy(walk->saved);
        walk->saved = store_image_copy(walk->image);
    }
    if (walk->saved != NULL && draw(walk, 40)) store_image_restore(walk->image, walk->saved);
}

/* ---- a shard ---- */

static void open_in(struct shard *shard, uint32_t k, int64_t runnumber)
{
    struct run_record record;
    if (runnumber == 0) {
        shard_restore_run_ended(shard, k);
        return;
    }
    run_record_defaults(&record);
    record.group = text_of("g");
    record.id = text_of("job");
    record.incarnation = (struct incarnation){1795290000123, 10422, 0, 3};
    record.ordinal = 17;
    record.nominal_ms = record.due_ms = 1795294674000 + runnumber;
    record.opened_ms = record.fired_ms = record.due_ms;
    record.first_runnumber = record.runnumber = runnumber;
    record.expiry_ms = record.fired_ms + HOURS_MS;
    record.lease_ms = 300000;
    record.workers = text_of("billing-workers");
    shard_restore_run(shard, k, &record);
}

static struct shard *empty_shard(void)
{
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    config.runs.append_times = true;
    return shard_create(&config);
}

static void step(struct walk *walk)
{
    uint64_t left = walk_draw(&walk->random, 12);
    for (; left > 0 && walk->logged < LOG_MOST; left--) {
        uint32_t k = (uint32_t)walk_draw(&walk->random, PLACES);
        int64_t runnumber = draw(walk, 3) ? 0 : ++walk->number;
        if (runnumber == 0 && walk->open[k] == 0) continue;
        walk->open[k] = runnumber;
        walk->log[walk->logged++] = (struct entry){k, runnumber};
        open_in(walk->shard, k, runnumber);
        checkpointer_run_changed(walk->owner, k);
    }
    walk->mark.sequence++;
}

static void check_shard(const struct walk *walk)
{
    size_t open = 0;
    for (uint32_t k = 0; k < PLACES; k++) {
        struct run_view view;
        bool found = shard_look_run(walk->shard, k, &view);
        open += walk->open[k] != 0;
        assert_int_equal(found ? view.record.runnumber : 0, walk->open[k]);
    }
    assert_int_equal(shard_open_runs(walk->shard), open);
}

/* ---- taking it over ---- */

struct reading {
    struct shard *shard;
    struct arena *arena;
    int64_t count;
};

static bool read_item(void *opaque, const struct store_item *item, struct error *error)
{
    struct reading *reading = opaque;
    struct run_record record;
    bool open = false;
    arena_reset(reading->arena);
    assert_int_equal(item->kind, STORE_RUN_PUT);
    assert_true(run_record_decode((struct text){item->text, item->text_bytes}, reading->arena,
                                  &record, &open, error) && open);
    reading->count++;
    shard_restore_run(reading->shard, (uint32_t)strtoul(item->name, NULL, 10), &record);
    return true;
}

static bool read_store(struct walk *walk, struct snapshot *snapshot)
{
    struct error error = {0};
    bool found = false;
    struct reading reading = {.shard = walk->shard, .arena = arena_create()};
    const struct store_operations *store = walk->store->operations;
    assert_true(store->read_snapshot(walk->store, 0, snapshot, &found, &error));
    assert_true(store->read_items(walk->store, 0, read_item, &reading, &error));
    arena_destroy(reading.arena);
    if (!found) return false;
    assert_int_equal(reading.count, snapshot->there.runs);
    return snapshot_check_whole(snapshot, &error);
}

static void begin_owner(struct walk *walk)
{
    checkpointer_destroy(walk->owner);
    shard_destroy(walk->shard);
    walk->shard = empty_shard();
    walk->outcome = CHECKPOINT_IDLE;
    walk->owner = checkpointer_create(&(struct checkpointer_options){
        .port = &walk->port, .clock = &walk->clock, .observer = &walk->observer,
        .group_jobs_max = GROUP_MOST, .part_items_max = PART_MOST});
}

/* The store, if it is whole, and what the log says behind it. */
static void take_over(struct walk *walk)
{
    struct snapshot snapshot;
    size_t from = 0;
    begin_owner(walk);
    if (read_store(walk, &snapshot)) {
        from = (size_t)snapshot.state_offset;
        checkpointer_follows(walk->owner, snapshot.mark.sequence);
    } else {
        begin_owner(walk);
    }
    for (size_t i = from; i < walk->logged; i++) {
        open_in(walk->shard, walk->log[i].k, walk->log[i].runnumber);
        checkpointer_run_changed(walk->owner, walk->log[i].k);
    }
    check_shard(walk);
    walk->mark.epoch++;
    walk->mark.sequence++;
    checkpointer_arm(walk->owner);
}

/* ---- walks ---- */

static void tick(struct walk *walk)
{
    walk->now_us += 2000000;
    checkpointer_tick(walk->owner, walk->shard, &walk->mark, end_of_log, walk);
}

static void be_calm(struct walk *walk)
{
    walk->calm = true;
    come_late(walk);
    for (int i = 0; i < CALM_MOST && checkpointer_sequence(walk->owner) != walk->mark.sequence; i++)
        tick(walk);
    for (int i = 0; i < 20; i++) tick(walk); /* an idle shard looks, too */
    assert_int_equal(checkpointer_sequence(walk->owner), walk->mark.sequence);
    walk->calm = false;
}

static void play(uint64_t seed)
{
    struct walk *walk = calloc(1, sizeof *walk);
    assert_non_null(walk);
    *walk = (struct walk){.port = {&operations},
                          .image = store_image_create(),
                          .observer = {.lowest = LEVEL_ERROR},
                          .mark = {.generation = 1, .epoch = 1, .shards = 1, .runs = 0},
                          .loses_runs = seed % 2 == 0,
                          .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    walk->store = store_memory_create(walk->image);
    walk->clock = (struct clock){.opaque = walk, .now_ms = clock_of, .monotonic_us = clock_of};
    take_over(walk);
    for (int i = 0; i < STEPS; i++) {
        step(walk);
        harm(walk);
        tick(walk);
        if (draw(walk, 25)) take_over(walk);
        if (!draw(walk, 40)) continue;
        be_calm(walk);
        take_over(walk); /* from the store alone */
    }
    be_calm(walk);
    struct snapshot snapshot;
    shard_destroy(walk->shard);
    walk->shard = empty_shard();
    assert_true(read_store(walk, &snapshot));
    assert_int_equal(snapshot.mark.sequence, walk->mark.sequence);
    check_shard(walk);
    checkpointer_destroy(walk->owner);
    shard_destroy(walk->shard);
    walk->store->operations->destroy(walk->store);
    store_image_destroy(walk->saved);
    store_image_destroy(walk->image);
    free(walk);
}

static void runs_are_the_same_after_each_take_over(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= walks_of(40); seed++) play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_the_same_after_each_take_over),
    };
    return cmocka_run_group_tests_name("open runs in checkpoints", tests, NULL, NULL);
}
