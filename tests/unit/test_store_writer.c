#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"
#include "store/store_group.h"
#include "store/store_memory.h"
#include "store/store_writer.h"
#include "tests/support/store_script.h"

enum { SHARD = 3, SHARDS = 8, LIMIT_MS = 10000 };

/* A memory store whose writes wait until the test lets them through. */
struct gate_store {
    struct store store;
    struct store *inner;
    sem_t entered;
    sem_t passes;
};

static bool gate_write(struct store *store, const struct store_write *write,
                       enum store_outcome *outcome, struct error *error)
{
    struct gate_store *gate = (struct gate_store *)store;
    sem_post(&gate->entered);
    while (sem_wait(&gate->passes) != 0) continue;
    return gate->inner->operations->write(gate->inner, write, outcome, error);
}

static void gate_destroy(struct store *store)
{
    struct gate_store *gate = (struct gate_store *)store;
    gate->inner->operations->destroy(gate->inner);
    sem_destroy(&gate->entered);
    sem_destroy(&gate->passes);
    free(gate);
}

static const struct store_operations gate_operations = {.write = gate_write,
                                                        .destroy = gate_destroy};

static struct gate_store *gate_create(struct store_image *image)
{
    struct gate_store *gate = memory_allocate(1, sizeof *gate);
    gate->store.operations = &gate_operations;
    gate->inner = store_memory_create(image);
    sem_init(&gate->entered, 0, 0);
    sem_init(&gate->passes, 0, 0);
    return gate;
}

static struct store_writer *make_writer(struct store *store)
{
    struct error error = {0};
    struct store_writer *writer = store_writer_create(store, SHARDS, NULL, NULL, &error);
    assert_non_null(writer);
    return writer;
}

static struct store_group *make_group(int32_t shard, enum store_mode mode, int64_t follows,
                                      int32_t first_part, int64_t sequence, const char *words)
{
    struct items items;
    const struct snapshot snapshot = snapshot_at(1, 1, sequence);
    struct store_group *group = store_group_create(&(struct store_group_options){
        .shard = shard, .mode = mode, .generation = 1, .epoch = 1, .follows_sequence = follows,
        .first_part = first_part, .token = 1});
    items_parse(&items, words);
    for (size_t i = 0; i < items.count; i++) store_group_add(group, &items.items[i]);
    memset(&items, 'x', sizeof items); /* the group has its own copy */
    store_group_finish(group, sequence != NOT_LAST ? &snapshot : NULL);
    return group;
}

static void expect_result(struct store_writer *writer, int32_t shard, enum store_outcome outcome)
{
    struct store_result result = {0};
    assert_int_equal(store_writer_wait(writer, shard, LIMIT_MS, &result), STORE_WRITER_DONE);
    if (result.failed) fail_msg("%s", result.error.message);
    assert_int_equal(result.outcome, outcome);
    assert_int_equal(store_writer_poll(writer, shard, &result), STORE_WRITER_IDLE);
}

static void test_writes_and_answers(void **state)
{
    (void)state;
    struct store_image *image = store_image_create();
    struct store *reader = store_memory_create(image);
    struct store_writer *writer = make_writer(store_memory_create(image));
    struct store_result result;
    assert_int_equal(store_writer_poll(writer, SHARD, &result), STORE_WRITER_IDLE);
    store_writer_submit(writer, make_group(SHARD, STORE_CHANGE, 0, 0, 1, "+a/1=x"));
    expect_result(writer, SHARD, STORE_GAP);
    store_writer_submit(writer, make_group(SHARD, STORE_REWRITE, 0, 0, 1, "+a/1=x@s s1=y"));
    expect_result(writer, SHARD, STORE_WRITTEN);
    store_writer_submit(writer, make_group(SHARD, STORE_CHANGE, 1, 0, 2, "-a/1 +a/2=z"));
    store_writer_submit(writer, make_group(SHARD + 1, STORE_REWRITE, 0, 0, 9, ""));
    expect_result(writer, SHARD + 1, STORE_WRITTEN);
    expect_result(writer, SHARD, STORE_WRITTEN);
    assert_string_equal(dump_store(reader), "seq=2 a/2=z s1=y");
    store_writer_destroy(writer);
    reader->operations->destroy(reader);
    store_image_destroy(image);
}

/* A rewrite handed over in slices, as a shard too large for one copy does it. */
static void test_goes_on_with_an_unfinished_group(void **state)
{
    (void)state;
    struct store_image *image = store_image_create();
    struct store *reader = store_memory_create(image);
    struct store_writer *writer = make_writer(store_memory_create(image));
    struct store_result result;
    store_writer_submit(writer, make_group(SHARD, STORE_REWRITE, 0, 0, NOT_LAST, "+a/1=x"));
    store_writer_wait(writer, SHARD, LIMIT_MS, &result);
    assert_int_equal(result.next_part, 1);
    store_writer_submit(writer, make_group(SHARD, STORE_REWRITE, 0, 1, NOT_LAST, "+a/2=y"));
    store_writer_wait(writer, SHARD, LIMIT_MS, &result);
    assert_int_equal(result.next_part, 2);
    assert_string_equal(dump_store(reader), "none");
    store_writer_submit(writer, make_group(SHARD, STORE_REWRITE, 0, 2, 7, "-a/1"));
    store_writer_wait(writer, SHARD, LIMIT_MS, &result);
    assert_int_equal(result.next_part, 0);
    assert_string_equal(dump_store(reader), "seq=7 a/2=y");
    store_writer_destroy(writer);
    reader->operations->destroy(reader);
    store_image_destroy(image);
}

static void test_reports_a_failure(void **state)
{
    (void)state;
    struct store_image *image = store_image_create();
    struct store *store = store_memory_create(image);
    struct store_result result = {0};
    store_memory_fail(store, STORE_FAILURE_BEFORE, 1);
    struct store_writer *writer = make_writer(store);
    store_writer_submit(writer, make_group(SHARD, STORE_REWRITE, 0, 0, 1, "+a/1=x"));
    assert_int_equal(store_writer_wait(writer, SHARD, LIMIT_MS, &result), STORE_WRITER_DONE);
    assert_true(result.failed);
    assert_int_equal(result.error.kind, ERROR_RETRY);
    store_writer_submit(writer, make_group(SHARD, STORE_REWRITE, 0, 0, 1, "+a/1=x"));
    expect_result(writer, SHARD, STORE_WRITTEN);
    store_writer_destroy(writer);
    store_image_destroy(image);
}

static void test_cancel(void **state)
{
    (void)state;
    struct store_image *image = store_image_create();
    struct store *reader = store_memory_create(image);
    struct gate_store *gate = gate_create(image);
    struct store_writer *writer = make_writer(&gate->store);
    struct store_result result;
    store_writer_submit(writer, make_group(1, STORE_REWRITE, 0, 0, 1, "+a/1=x"));
    while (sem_wait(&gate->entered) != 0) continue;
    store_writer_submit(writer, make_group(SHARD, STORE_REWRITE, 0, 0, 1, "+a/1=x"));
    store_writer_cancel(writer, SHARD);
    assert_int_equal(store_writer_poll(writer, SHARD, &result), STORE_WRITER_IDLE);
    store_writer_submit(writer, make_group(SHARD, STORE_REWRITE, 0, 0, 2, "+a/2=y"));
    store_writer_cancel(writer, 1);
    assert_int_equal(store_writer_poll(writer, 1, &result), STORE_WRITER_BUSY);
    sem_post(&gate->passes);
    sem_post(&gate->passes);
    expect_result(writer, SHARD, STORE_WRITTEN);
    assert_int_equal(store_writer_wait(writer, 1, LIMIT_MS, &result), STORE_WRITER_IDLE);
    assert_string_equal(dump_store(reader), "seq=2 a/2=y");
    store_writer_destroy(writer);
    reader->operations->destroy(reader);
    store_image_destroy(image);
}

static void test_stop_writes_what_is_there(void **state)
{
    (void)state;
    struct store_image *image = store_image_create();
    struct store_writer *writer = make_writer(store_memory_create(image));
    struct store_result result = {0};
    for (int32_t shard = 0; shard < SHARDS; shard++)
        store_writer_submit(writer, make_group(shard, STORE_REWRITE, 0, 0, 1, "+a/1=x"));
    store_writer_stop(writer, LIMIT_MS);
    for (int32_t shard = 0; shard < SHARDS; shard++) expect_result(writer, shard, STORE_WRITTEN);
    store_writer_submit(writer, make_group(SHARD, STORE_CHANGE, 1, 0, 2, "+a/1=y"));
    assert_int_equal(store_writer_poll(writer, SHARD, &result), STORE_WRITER_DONE);
    assert_true(result.failed);
    store_writer_destroy(writer);
    store_image_destroy(image);
}

static void *stop_at_once(void *argument)
{
    store_writer_stop(argument, 0);
    return NULL;
}

/* Returns when the writer refuses new groups: its deadline is set. */
static void wait_until_stopping(struct store_writer *writer, int32_t idle_shard)
{
    struct store_result result;
    for (;;) {
        store_writer_submit(writer, make_group(idle_shard, STORE_REWRITE, 0, 0, 1, ""));
        if (store_writer_poll(writer, idle_shard, &result) == STORE_WRITER_DONE) return;
        store_writer_cancel(writer, idle_shard);
        (void)sched_yield();
    }
}

static void test_stop_keeps_its_deadline(void **state)
{
    (void)state;
    struct store_image *image = store_image_create();
    struct gate_store *gate = gate_create(image);
    struct store_writer *writer = make_writer(&gate->store);
    struct store_result result = {0};
    pthread_t stopper;
    store_writer_submit(writer, make_group(1, STORE_REWRITE, 0, 0, 1, "+a/1=x"));
    while (sem_wait(&gate->entered) != 0) continue;
    store_writer_submit(writer, make_group(SHARD, STORE_REWRITE, 0, 0, 1, "+a/1=x"));
    assert_int_equal(store_writer_wait(writer, SHARD, 20, &result), STORE_WRITER_BUSY);
    assert_int_equal(pthread_create(&stopper, NULL, stop_at_once, writer), 0);
    wait_until_stopping(writer, 0);
    sem_post(&gate->passes); /* the call under way ends, nothing else is begun */
    pthread_join(stopper, NULL);
    expect_result(writer, 1, STORE_WRITTEN);
    assert_int_equal(store_writer_poll(writer, SHARD, &result), STORE_WRITER_DONE);
    assert_true(result.failed);
    assert_non_null(strstr(result.error.message, "stopped after 0 of 1 parts"));
    store_writer_destroy(writer);
    store_image_destroy(image);
}

static void test_group_splits(void **state)
{
    (void)state;
    enum { ITEMS = 1203, LARGE = 700 * 1024 };
    char *large = memory_allocate(LARGE, 1);
    const struct snapshot snapshot = snapshot_at(1, 1, 1);
    struct store_group *group = store_group_create(&(struct store_group_options){.shard = 1});
    struct store_write write;
    size_t items = 0;
    for (int i = 0; i < ITEMS; i++) {
        bool is_large = i == 10 || i == 20 || i == 21;
        store_group_add(group, &(struct store_item){STORE_JOB_PUT, "a/1", 3, large,
                                                    is_large ? LARGE : 5, NULL, 0});
    }
    store_group_finish(group, &snapshot);
    free(large);
    size_t parts = store_group_part_count(group);
    assert_int_equal(parts, 5); /* 0-19, 20, 21-520, 521-1020, 1021-1202 */
    assert_int_equal(store_group_item_count(group), ITEMS);
    for (size_t i = 0; i < parts; i++) {
        store_group_part(group, i, &write);
        size_t bytes = 0;
        for (size_t k = 0; k < write.item_count; k++) bytes += write.items[k].text_bytes + 3;
        assert_in_range(write.item_count, 1, STORE_CALL_JOBS_MAX);
        assert_in_range(bytes, 1, STORE_PART_BYTES_MAX);
        assert_int_equal(write.part, i);
        assert_int_equal(write.snapshot != NULL, i + 1 == parts);
        items += write.item_count;
    }
    assert_int_equal(items, ITEMS);
    store_group_destroy(group);
}

struct shard_run {
    struct store_writer *writer;
    int32_t shard;
    int64_t written;
};

static void *run_shard(void *argument)
{
    struct shard_run *run = argument;
    struct store_result result;
    for (int64_t sequence = 1; sequence <= 50; sequence++) {
        enum store_mode mode = sequence == 1 ? STORE_REWRITE : STORE_CHANGE;
        store_writer_submit(run->writer, make_group(run->shard, mode, sequence - 1, 0, sequence,
                                                    "+a/1=x"));
        if (store_writer_wait(run->writer, run->shard, LIMIT_MS, &result) == STORE_WRITER_DONE &&
            !result.failed && result.outcome == STORE_WRITTEN)
            run->written++;
    }
    return NULL;
}

static void count_notice(void *opaque, int32_t shard)
{
    int64_t *counts = opaque;
    counts[shard]++;
}

static void test_many_shards_at_once(void **state)
{
    (void)state;
    struct store_image *image = store_image_create();
    struct shard_run runs[SHARDS];
    pthread_t threads[SHARDS];
    int64_t notices[SHARDS] = {0};
    struct error error = {0};
    struct store_writer *writer = store_writer_create(store_memory_create(image), SHARDS,
                                                      count_notice, notices, &error);
    assert_non_null(writer);
    for (int32_t i = 0; i < SHARDS; i++) {
        runs[i] = (struct shard_run){.writer = writer, .shard = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_shard, &runs[i]), 0);
    }
    for (int i = 0; i < SHARDS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(runs[i].written, 50);
    }
    store_writer_stop(writer, LIMIT_MS);
    for (int i = 0; i < SHARDS; i++) assert_int_equal(notices[i], 50);
    store_writer_destroy(writer);
    store_image_destroy(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_and_answers),
        cmocka_unit_test(test_goes_on_with_an_unfinished_group),
        cmocka_unit_test(test_reports_a_failure),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_stop_writes_what_is_there),
        cmocka_unit_test(test_stop_keeps_its_deadline),
        cmocka_unit_test(test_group_splits),
        cmocka_unit_test(test_many_shards_at_once),
    };
    return cmocka_run_group_tests_name("store writer", tests, NULL, NULL);
}
