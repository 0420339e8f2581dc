/* What an engine finds of runs: ticks and groups of the cluster in memory, and that a shard's owner
 * hands on what the mark says of them. */
#include "tests/support/memory_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dispatcher/recovery/recover.h"

#define NOW_MS INT64_C(1795290000000)

static void tick(struct cluster *cluster, const char *value)
{
    struct error error = {0};
    assert_true(cluster->broker.operations->tick(&cluster->broker, text_of(value), &error));
}

static void expect_record(struct cluster *cluster, int64_t offset, const char *value)
{
    struct error error = {0};
    struct broker_input input;
    assert_true(cluster->broker.operations->poll(&cluster->broker, 0, &input, &error));
    assert_int_equal(input.kind, BROKER_RECORD);
    assert_int_equal(input.topic, TOPIC_RUNS);
    assert_int_equal(input.offset, offset);
    assert_int_equal(input.key.length, 0);
    assert_true(text_equal(input.value, text_of(value)));
}

static void ticks_are_there_at_once(void **state)
{
    (void)state;
    struct error error = {0};
    struct cluster *cluster = cluster_create(NOW_MS);
    const struct broker_operations *operations = cluster->broker.operations;
    tick(cluster, "one");
    assert_true(operations->start_reading(&cluster->broker, TOPIC_RUNS, 0, &error));
    expect_record(cluster, 0, "one");
    assert_true(operations->begin(&cluster->broker, &error));
    tick(cluster, "two");
    expect_record(cluster, 1, "two"); /* and no transaction of the shard concerns it */
    assert_true(operations->abort(&cluster->broker, &error));
    tick(cluster, "three");
    expect_record(cluster, 2, "three");
    cluster_destroy(cluster);
}

static void groups_are_asked(void **state)
{
    (void)state;
    struct error error = {0};
    struct cluster *cluster = cluster_create(NOW_MS);
    struct broker *broker = &cluster->broker;
    struct broker_place places[] = {{"orders", 0, 5}, {"orders", 1, 5}};
    assert_int_equal(broker->operations->committed(broker, places, 2, &error), BROKER_UNASKED);
    cluster->groups[cluster->group_count++] = (struct cluster_group){"workers", "orders", 1, 17};
    assert_true(broker->operations->ask_committed(broker, "workers", places, 2, &error));
    assert_int_equal(broker->operations->committed(broker, places, 2, &error), BROKER_ANSWERED);
    assert_true(places[0].committed == -1 && places[1].committed == 17);
    assert_int_equal(broker->operations->committed(broker, places, 2, &error), BROKER_UNASKED);
    cluster->groups_silent = true;
    assert_true(broker->operations->ask_committed(broker, "workers", places, 2, &error));
    assert_int_equal(broker->operations->committed(broker, places, 2, &error), BROKER_UNANSWERED);
    assert_int_equal(error.kind, ERROR_RETRY);
    cluster_destroy(cluster);
}

static void live(struct cluster *cluster, const char *owner)
{
    struct error error = {0};
    if (!cluster_live(cluster, owner, 5000, &error)) fail_msg("%s", error.message);
}

/* Else a number would be given twice, and a claim not be read again. */
static void a_new_owner_hands_on_what_the_mark_says_of_runs(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_create(NOW_MS);
    for (int i = 0; i < 9; i++) tick(cluster, "of before");
    live(cluster, "first");
    struct mark mark = cluster_last_mark(cluster);
    assert_true(mark.next_run == 0 && mark.runs_again == 0);
    assert_int_equal(mark.inputs[INPUT_RUNS].offset, 0); /* none are read without a lease */
    mark.sequence++;
    mark.inputs[INPUT_RUNS].offset = 7;
    mark.runs_again = 4;
    mark.next_run = INT64_C(1) << 40;
    cluster_append_mark(cluster, &mark);
    live(cluster, "second");
    const struct mark next = cluster_last_mark(cluster);
    assert_true(next.epoch > mark.epoch);
    assert_int_equal(next.inputs[INPUT_RUNS].offset, 7);
    assert_int_equal(next.runs_again, 4);
    assert_true(next.next_run == INT64_C(1) << 40);
    cluster_destroy(cluster);
}

static bool offset_at(void *opaque, enum broker_topic topic, int64_t at_ms, int64_t end,
                      int64_t *offset, struct error *error)
{
    (void)opaque;
    (void)topic;
    (void)at_ms;
    (void)error;
    *offset = end;
    return true;
}

static bool drop_store(void *opaque, struct error *error)
{
    (void)opaque;
    (void)error;
    return true;
}

static void recover(struct cluster *cluster)
{
    struct observer observer = {.lowest = LEVEL_ERROR};
    struct engine_ports ports = {.broker = &cluster->broker, .checkpoint = &cluster->checkpoint,
                                 .clock = &cluster->clock, .observer = &observer};
    struct engine_options options;
    engine_options_defaults(&options);
    options.owner = "operator";
    options.shards = 1;
    struct recover_options wanted = {.from = RECOVER_FROM_LOG, .same_kafka = true,
                                     .offset_at = offset_at, .drop_store = drop_store};
    struct recover_plan plan;
    struct recover_report report = {0};
    struct error error = {0};
    struct engine *engine = engine_create(&options, &ports);
    if (!recover_run(engine, &wanted, &plan, &report, &error)) fail_msg("%s", error.message);
    assert_int_equal(plan.action, RECOVER_WRITE);
    engine_destroy(engine);
}

/* Its runs have ended with the generation; and the topic may be another one than the mark's. */
static void a_recovered_shard_reads_no_report_of_before(void **state)
{
    (void)state;
    static const int64_t places[] = {3, 700}; /* of 5 records; 700: it was made anew since */
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct cluster *cluster = cluster_create(NOW_MS);
        for (int record = 0; record < 5; record++) tick(cluster, "of before");
        live(cluster, "first");
        struct mark mark = cluster_last_mark(cluster);
        mark.sequence++;
        mark.inputs[INPUT_RUNS].offset = places[i];
        mark.runs_again = 2;
        mark.next_run = 99;
        cluster_append_mark(cluster, &mark);
        recover(cluster);
        const struct mark next = cluster_last_mark(cluster);
        assert_int_equal(next.generation, mark.generation + 1);
        assert_int_equal(next.inputs[INPUT_RUNS].offset, 5);
        assert_int_equal(next.runs_again, 5);
        assert_int_equal(next.next_run, 99); /* with a higher generation */
        live(cluster, "second");
        cluster_destroy(cluster);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_there_at_once),
        cmocka_unit_test(groups_are_asked),
        cmocka_unit_test(a_new_owner_hands_on_what_the_mark_says_of_runs),
        cmocka_unit_test(a_recovered_shard_reads_no_report_of_before),
    };
    return cmocka_run_group_tests_name("memory cluster", tests, NULL, NULL);
}
