/* Open runs over what befalls the state log and Redis: the next owner has those of before, or the
 * shard is not taken. */
#include "tests/support/memory_cluster.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dispatcher/recovery/recover.h"
#include "schemas/run_json.h"

#define NOW_MS INT64_C(1795290000000)
#define JOB                                                                                        \
    "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"j%d\",\"schedule\":{\"cron\":\"0 0 1 1 *\"" \
    "},\"lease\":\"10s\",\"workers\":\"w\",\"retry\":{\"attempts\":3,\"initial\":\"1s\"}}}"
#define TRIGGER "{\"op\":\"trigger\",\"command_id\":\"t%d\",\"select\":{\"groups\":[\"g\"]}}"

enum { JOBS = 3, LIFE_MS = 2000, TEXT_BYTES = 4000 };

static void live(struct cluster *cluster, const char *owner)
{
    struct error error = {0};
    if (!cluster_live(cluster, owner, LIFE_MS, &error)) fail_msg("%s", error.message);
}

static void trigger(struct cluster *cluster, int number)
{
    char text[300];
    (void)snprintf(text, sizeof text, TRIGGER, number);
    cluster_write(cluster, TOPIC_CONTROL, "g", text);
}

/* Each job has a run that nobody has claimed. */
static struct cluster *open_cluster(void)
{
    struct cluster *cluster = cluster_create(NOW_MS);
    cluster->runs = cluster->append_times = true;
    for (int i = 0; i < JOBS; i++) {
        char text[400];
        (void)snprintf(text, sizeof text, JOB, i);
        cluster_write(cluster, TOPIC_CONTROL, "g", text);
    }
    trigger(cluster, 1);
    live(cluster, "first");
    assert_int_equal(cluster->logs[TOPIC_FIRES].committed, JOBS);
    return cluster;
}

/* The newest record of run/<k>. */
static struct text logged(const struct cluster *cluster, uint32_t k)
{
    const struct cluster_log *state = &cluster->logs[TOPIC_STATE];
    struct text value = {NULL, 0};
    char key[32];
    (void)snprintf(key, sizeof key, "run/%" PRIu32, k);
    for (size_t i = 0; i < state->committed; i++)
        if (strcmp(state->records[i].key, key) == 0)
            value = cluster_text(state->records[i].value, state->records[i].value_bytes);
    return value;
}

static bool is_open(const struct cluster *cluster, uint32_t k)
{
    return logged(cluster, k).length > 0 && strstr(logged(cluster, k).bytes, "\"free\"") == NULL;
}

struct comparison {
    const struct cluster *cluster;
    size_t runs;
};

static bool compare(void *opaque, const struct store_item *item, struct error *error)
{
    struct comparison *comparison = opaque;
    (void)error;
    if (item->kind != STORE_RUN_PUT) return true;
    uint32_t k = (uint32_t)strtoul(item->name, NULL, 10);
    assert_true(text_equal(logged(comparison->cluster, k),
                           (struct text){item->text, item->text_bytes}));
    comparison->runs++;
    return true;
}

/* Redis has the runs that the log has, to the byte. */
static void check_store(struct cluster *cluster, size_t runs)
{
    struct comparison comparison = {.cluster = cluster};
    struct error error = {0};
    struct snapshot snapshot;
    bool found = false;
    const struct store_operations *store = cluster->store->operations;
    assert_true(store->read_items(cluster->store, 0, compare, &comparison, &error));
    assert_int_equal(comparison.runs, runs);
    assert_true(store->read_snapshot(cluster->store, 0, &snapshot, &found, &error) && found);
    assert_int_equal(snapshot.mark.runs, runs);
    assert_true(snapshot.mark.sequence == cluster_last_mark(cluster).sequence);
}

/* A next owner opens no run anew, ends none, and writes none. */
static void check_same(struct cluster *cluster)
{
    char before[JOBS][TEXT_BYTES];
    struct mark mark = cluster_last_mark(cluster);
    for (uint32_t k = 0; k < JOBS; k++)
        (void)snprintf(before[k], TEXT_BYTES, "%s", logged(cluster, k).bytes);
    live(cluster, "second");
    for (uint32_t k = 0; k < JOBS; k++) assert_string_equal(logged(cluster, k).bytes, before[k]);
    assert_int_equal(cluster_last_mark(cluster).runs, mark.runs);
    assert_int_equal(mark.runs, JOBS);
    assert_true(cluster_last_mark(cluster).next_run == mark.next_run);
    assert_int_equal(cluster->logs[TOPIC_FIRES].committed, JOBS);
    check_store(cluster, JOBS);
}

static void redis_has_what_the_log_has(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    check_store(cluster, JOBS);
    check_same(cluster);
    cluster_destroy(cluster);
}

static void redis_was_emptied(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    store_image_empty(cluster->image);
    check_same(cluster);
    cluster_destroy(cluster);
}

static void redis_has_lost_a_run(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    assert_int_equal(store_image_lose(cluster->image, 0, STORE_RUN_PUT, 0, 5), 1);
    check_same(cluster);
    cluster_destroy(cluster);
}

/* By its own count it is whole: only the log's mark knows. */
static void redis_counts_fewer_runs_than_the_mark(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    struct snapshot snapshot;
    struct error error = {0};
    bool found = false;
    enum store_outcome outcome;
    const struct store_operations *store = cluster->store->operations;
    assert_true(store->read_snapshot(cluster->store, 0, &snapshot, &found, &error));
    snapshot.job_count = snapshot.seen_count = snapshot.run_count = -1;
    const struct store_item ended = {.kind = STORE_RUN_DELETE, .name = "1", .name_bytes = 1};
    const struct store_write write = {.mode = STORE_CHANGE,
                                      .generation = snapshot.mark.generation,
                                      .epoch = snapshot.mark.epoch,
                                      .follows_sequence = snapshot.mark.sequence,
                                      .token = 99,
                                      .items = &ended,
                                      .item_count = 1,
                                      .snapshot = &snapshot};
    assert_true(store->write(cluster->store, &write, &outcome, &error));
    assert_int_equal(outcome, STORE_WRITTEN);
    check_same(cluster);
    cluster_destroy(cluster);
}

/* As of yesterday: the log's tail brings what has changed, and Redis gets it, too. */
static void redis_is_rolled_back(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    struct store_image *early = store_image_copy(cluster->image);
    trigger(cluster, 2); /* three more */
    live(cluster, "meanwhile");
    assert_int_equal(cluster_last_mark(cluster).runs, 2 * JOBS);
    store_image_restore(cluster->image, early);
    live(cluster, "second");
    assert_int_equal(cluster_last_mark(cluster).runs, 2 * JOBS);
    assert_int_equal(cluster->logs[TOPIC_FIRES].committed, 2 * JOBS);
    check_store(cluster, 2 * JOBS);
    store_image_destroy(early);
    cluster_destroy(cluster);
}

/* ---- what is refused ---- */

static void refused(const char *key, const char *value, const char *why)
{
    struct cluster *cluster = open_cluster();
    struct error error = {0};
    struct mark mark = cluster_last_mark(cluster);
    cluster_write(cluster, TOPIC_STATE, key, value);
    mark.sequence++;
    cluster_append_mark(cluster, &mark);
    assert_false(cluster_live(cluster, "second", LIFE_MS, &error));
    assert_int_equal(error.kind, ERROR_FATAL);
    if (strstr(error.message, why) == NULL) fail_msg("%s: %s", key, error.message);
    cluster_destroy(cluster);
}

static void records_that_no_owner_wrote_end_the_shard(void **state)
{
    (void)state;
    static const char *const places[] = {"run/400000", "run/-1", "run/01", "run/1x", "run/",
                                         "run/99999999999999999999"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        refused(places[i], "{\"layout\":2,\"free\":true}", places[i]);
    refused("run/1", "{\"layout\":3,\"free\":true}", "newer");
    refused("run/1", "{\"layout\":2}", "run/1");
}

static void a_mark_knows_how_many_there_are(void **state)
{
    (void)state;
    refused("run/1", "{\"layout\":2,\"free\":true}",
            "2 open runs were restored, the last mark says 3");
}

/* ---- generations ---- */

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
    (void)error;
    store_image_empty(((struct cluster *)opaque)->image);
    return true;
}

static struct engine *operator_of(struct cluster *cluster, const struct engine_ports *ports)
{
    struct engine_options options;
    engine_options_defaults(&options);
    options.owner = "operator";
    options.shards = 1;
    options.runs = options.runs_append_times = true;
    cluster->engine = engine_create(&options, ports);
    return cluster->engine;
}

static void recover(struct cluster *cluster, enum recover_from from, int64_t runs)
{
    struct observer observer = {.lowest = LEVEL_ERROR};
    struct engine_ports ports = {.broker = &cluster->broker, .checkpoint = &cluster->checkpoint,
                                 .clock = &cluster->clock, .observer = &observer};
    struct recover_options wanted = {.from = from, .same_kafka = true, .offset_at = offset_at,
                                     .drop_store = drop_store, .opaque = cluster};
    struct recover_plan plan;
    struct recover_report report = {0};
    struct error error = {0};
    struct engine *engine = operator_of(cluster, &ports);
    if (!recover_run(engine, &wanted, &plan, &report, &error)) fail_msg("%s", error.message);
    assert_int_equal(plan.action, RECOVER_WRITE);
    assert_int_equal(report.runs, runs);
    engine_destroy(engine);
}

/* Each try of before ends as lost in the next owner's first step, and is followed by another. */
static void check_lost_and_again(struct cluster *cluster, int64_t generation)
{
    size_t fires = cluster->logs[TOPIC_FIRES].committed;
    live(cluster, "second");
    const struct cluster_log *log = &cluster->logs[TOPIC_FIRES];
    assert_int_equal(log->committed, fires + JOBS);
    assert_int_equal(cluster_last_mark(cluster).generation, generation);
    for (size_t i = fires; i < log->committed; i++) {
        const char *number = strstr(log->records[i].value, "\"runnumber\":\"");
        assert_non_null(strstr(log->records[i].value, "\"try\":2,"));
        assert_non_null(number);
        assert_int_equal(strtoll(number + 13, NULL, 10) >> 32, generation);
    }
    for (uint32_t k = 0; k < JOBS; k++) {
        assert_true(is_open(cluster, k));
        assert_non_null(strstr(logged(cluster, k).bytes, "\"outcome\":\"lost\""));
    }
    check_store(cluster, JOBS);
}

static void recovered_from_redis(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    for (size_t i = 0; i < cluster->logs[TOPIC_STATE].count; i++) {
        free(cluster->logs[TOPIC_STATE].records[i].key);
        free(cluster->logs[TOPIC_STATE].records[i].value);
    }
    cluster->logs[TOPIC_STATE].count = cluster->logs[TOPIC_STATE].committed = 0;
    recover(cluster, RECOVER_FROM_STORE, JOBS);
    for (uint32_t k = 0; k < JOBS; k++) assert_true(is_open(cluster, k));
    assert_int_equal(cluster_last_mark(cluster).runs, JOBS);
    check_store(cluster, JOBS);
    check_lost_and_again(cluster, 2);
    cluster_destroy(cluster);
}

/* What only the log has is not deleted: its place is free. */
static void recovered_from_an_older_redis(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    struct mark mark = cluster_last_mark(cluster);
    cluster_write(cluster, TOPIC_STATE, "run/7", logged(cluster, 1).bytes);
    mark.sequence -= 2; /* Kafka has lost its end, and the log is behind Redis */
    cluster_append_mark(cluster, &mark);
    recover(cluster, RECOVER_FROM_STORE, JOBS);
    assert_string_equal(logged(cluster, 7).bytes, "{\"layout\":2,\"free\":true}");
    check_lost_and_again(cluster, 2);
    cluster_destroy(cluster);
}

static void recovered_from_the_log(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    recover(cluster, RECOVER_FROM_LOG, 0);
    check_lost_and_again(cluster, 2);
    cluster_destroy(cluster);
}

static void rebuilt_from_the_log(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    struct observer observer = {.lowest = LEVEL_ERROR};
    struct engine_ports ports = {.broker = &cluster->broker, .checkpoint = &cluster->checkpoint,
                                 .clock = &cluster->clock, .observer = &observer};
    struct recover_options wanted = {.opaque = cluster};
    struct recover_report report = {0};
    struct error error = {0};
    store_image_empty(cluster->image);
    struct engine *engine = operator_of(cluster, &ports);
    if (!recover_rebuild(engine, 1000, &wanted, &report, &error)) fail_msg("%s", error.message);
    engine_destroy(engine);
    assert_int_equal(report.runs, JOBS);
    check_store(cluster, JOBS);
    check_same(cluster);
    cluster_destroy(cluster);
}

/* Its broker has forgotten all; Redis is what there is. */
static void begun_anew_without_a_log(void **state)
{
    (void)state;
    struct cluster *cluster = open_cluster();
    cluster->embedded = true;
    for (int topic = 0; topic <= TOPIC_FOREIGN; topic++)
        cluster->logs[topic].committed = 0;
    cluster_close(&cluster->broker);
    check_lost_and_again(cluster, 2);
    cluster_destroy(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redis_has_what_the_log_has),
        cmocka_unit_test(redis_was_emptied),
        cmocka_unit_test(redis_has_lost_a_run),
        cmocka_unit_test(redis_counts_fewer_runs_than_the_mark),
        cmocka_unit_test(redis_is_rolled_back),
        cmocka_unit_test(records_that_no_owner_wrote_end_the_shard),
        cmocka_unit_test(a_mark_knows_how_many_there_are),
        cmocka_unit_test(recovered_from_redis),
        cmocka_unit_test(recovered_from_an_older_redis),
        cmocka_unit_test(recovered_from_the_log),
        cmocka_unit_test(rebuilt_from_the_log),
        cmocka_unit_test(begun_anew_without_a_log),
    };
    return cmocka_run_group_tests_name("restored runs", tests, NULL, NULL);
}
