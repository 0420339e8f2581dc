/* An engine that does not follow runs: it refuses jobs that want it, and leaves a shard alone that
 * has one, instead of firing it as any other. */
#include "tests/support/memory_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1795290000000)
#define LIFE_MS 3000
#define RECORD(members)                                                                            \
    "{\"layout\":2,\"group\":\"billing\",\"id\":\"a\",\"state\":\"active\",\"schedule\":"          \
    "{\"every\":\"1h\",\"anchor\":\"2026-11-21T19:40:00.000Z\"}," members "\"revision\":1,"        \
    "\"incarnation\":\"1795289999000-0.0.0\",\"ordinal\":7,"                                       \
    "\"created_at\":\"2026-11-21T19:39:59.000Z\",\"updated_at\":\"2026-11-21T19:39:59.000Z\"}"

/* A shard of no job, and then of the one in the record. */
static bool live_on(const char *record, struct error *error)
{
    struct cluster *cluster = cluster_create(NOW_MS);
    struct error first = {0};
    if (!cluster_live(cluster, "first", LIFE_MS, &first)) fail_msg("%s", first.message);
    struct mark mark = cluster_last_mark(cluster);
    (void)cluster_append(&cluster->logs[TOPIC_STATE], text_of("job/billing/a"), text_of(record),
                         cluster->now_ms);
    mark.jobs = 1;
    mark.sequence++;
    mark.next_ordinal = 8;
    cluster_append_mark(cluster, &mark);
    bool lived = cluster_live(cluster, "second", LIFE_MS, error);
    assert_true(!lived || cluster->jobs == 1);
    cluster_destroy(cluster);
    return lived;
}

static void a_shard_with_such_a_job_is_left_alone(void **state)
{
    (void)state;
    struct error error = {0};
    if (!live_on(RECORD(""), &error)) fail_msg("%s", error.message);
    assert_false(live_on(RECORD("\"lease\":\"5m\",\"workers\":\"w\","), &error));
    if (strstr(error.message, "the runs of billing/a are to be followed") == NULL)
        fail_msg("%s", error.message);
    error_clear(&error);
    assert_false(live_on(RECORD("\"lease_mode\":\"none\","), &error));
}

static void such_a_job_is_refused(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_create(NOW_MS);
    struct error error = {0};
    struct cluster_log *control = &cluster->logs[TOPIC_CONTROL];
    (void)cluster_append(control, text_of("billing"),
                         text_of("{\"op\":\"add\",\"mode\":\"each\",\"jobs\":[{\"group\":"
                                 "\"billing\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"},"
                                 "\"lease\":\"5m\",\"workers\":\"w\"},{\"group\":\"billing\","
                                 "\"id\":\"b\",\"schedule\":{\"every\":\"1h\"}}]}"),
                         cluster->now_ms);
    control->committed = control->count;
    if (!cluster_live(cluster, "first", LIFE_MS, &error)) fail_msg("%s", error.message);
    assert_int_equal(cluster->jobs, 1);
    cluster_destroy(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shard_with_such_a_job_is_left_alone),
        cmocka_unit_test(such_a_job_is_refused),
    };
    return cmocka_run_group_tests_name("runs not followed", tests, NULL, NULL);
}
