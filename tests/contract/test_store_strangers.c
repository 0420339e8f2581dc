/* A Redis that is not the one it should be: another cluster's, a replica, one without its primary,
 * a node of a Redis Cluster, one that forbids questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/limits.h"
#include "store/store_redis.h"
#include "tests/support/store_backend.h"
#include "tests/support/store_script.h"

enum { CLUSTER_ATTEMPTS = 20, WARNINGS_BYTES = 1024 };

#define EXPECT(expected, actual) assert_string_equal(actual, expected)
#define CHANGE(store, follows, sequence, words) \
    write_words(store, STORE_CHANGE, 1, 1, follows, 0, sequence, words)
#define REWRITE(store, sequence, words) \
    write_words(store, STORE_REWRITE, 1, 1, 0, 0, sequence, words)

static int set_up(void **state)
{
    *state = redis_process_start(NULL);
    return *state != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    redis_process_stop(*state);
    return 0;
}

/* One command of the test's own, its words separated by blanks; the answer as text. */
static const char *tell(const struct redis_process *process, const char *words)
{
    static char text[16384];
    redisContext *context = redisConnectUnix(redis_process_url(process) + strlen("unix://"));
    assert_non_null(context);
    redisReply *reply = redisCommand(context, words);
    assert_non_null(reply);
    (void)snprintf(text, sizeof text, "%s", reply->str != NULL ? reply->str : "");
    freeReplyObject(reply);
    redisFree(context);
    return text;
}

static long connections(const struct redis_process *process)
{
    const char *line = strstr(tell(process, "INFO stats"), "total_connections_received:");
    assert_non_null(line);
    return strtol(strchr(line, ':') + 1, NULL, 10);
}

static struct store *connect_as(const char *url, const char *kafka_cluster_id)
{
    struct store_redis_options options;
    struct error error = {0};
    store_redis_options_default(&options);
    assert_true(store_redis_options_parse(url, &options, &error));
    (void)snprintf(options.kafka_cluster_id, sizeof options.kafka_cluster_id, "%s",
                   kafka_cluster_id);
    struct store *store = store_redis_create(&options, &error);
    assert_non_null(store);
    return store;
}

static void another_kafkas_redis_is_neither_written_nor_read(void **state)
{
    const struct redis_process *process = *state;
    struct store *store = connect_as(redis_process_url(process), "ours");
    const struct store_meta wanted = {STATE_LAYOUT, 8, "ours"};
    struct store_meta found;
    struct error error = {0};
    assert_true(store->operations->claim_meta(store, &wanted, &found, &error));
    EXPECT("WRITTEN", REWRITE(store, 5, "+g/1=one"));
    (void)tell(process, "HSET belfry:meta kafka_cluster_id theirs");
    EXPECT("retry", CHANGE(store, 5, 6, "+g/2=two"));
    EXPECT("retry", REWRITE(store, 6, "+g/2=two"));
    assert_non_null(strstr(dump_store(store), "belongs to Kafka cluster theirs"));
    struct store *other = connect_as(redis_process_url(process), "");
    EXPECT("seq=5 g/1=one", dump_store(other));
    (void)tell(process, "HSET belfry:meta kafka_cluster_id ours");
    EXPECT("WRITTEN", CHANGE(store, 5, 6, "+g/2=two"));
    (void)tell(process, "DEL belfry:meta"); /* emptied: it is nobody's */
    EXPECT("WRITTEN", CHANGE(store, 6, 7, ""));
    store->operations->destroy(store);
    other->operations->destroy(other);
}

static void an_empty_id_is_not_kept(void **state)
{
    const struct redis_process *process = *state;
    struct store *store = connect_as(redis_process_url(process), "");
    const struct store_meta wanted = {STATE_LAYOUT, 8, "ours"};
    struct store_meta found;
    struct error error = {0};
    (void)tell(process, "HSET belfry:meta layout 1 shards 8 kafka_cluster_id \"\"");
    (void)tell(process, "EVAL return(redis.call('HSET','belfry:meta','kafka_cluster_id','')) 0");
    assert_true(store->operations->claim_meta(store, &wanted, &found, &error));
    EXPECT("ours", found.kafka_cluster_id);
    store->operations->destroy(store);
}

/* The name may lead to the new primary by now: another connection each time. */
static void a_replica_is_left(void **state)
{
    const struct redis_process *process = *state;
    struct store *store = connect_as(redis_process_url(process), "");
    EXPECT("WRITTEN", REWRITE(store, 5, "+g/1=one"));
    (void)tell(process, "CONFIG SET replica-serve-stale-data yes");
    (void)tell(process, "REPLICAOF 127.0.0.1 1");
    long before = connections(process);
    EXPECT("retry", CHANGE(store, 5, 6, "+g/2=two"));
    EXPECT("retry", CHANGE(store, 5, 6, "+g/2=two"));
    EXPECT("retry", CHANGE(store, 5, 6, "+g/2=two"));
    assert_true(connections(process) - before >= 3); /* two of the store, one of the question */
    (void)tell(process, "CONFIG SET replica-serve-stale-data no");
    before = connections(process);
    for (int i = 0; i < 3; i++) assert_non_null(strstr(dump_store(store), "MASTERDOWN"));
    assert_true(connections(process) - before >= 2);
    (void)tell(process, "REPLICAOF NO ONE");
    EXPECT("WRITTEN", CHANGE(store, 5, 6, "+g/2=two"));
    store->operations->destroy(store);
}

static void collect(void *opaque, const char *warning)
{
    char *warnings = opaque;
    size_t length = strlen(warnings);
    (void)snprintf(warnings + length, WARNINGS_BYTES - length, "%s\n", warning);
}

static void a_node_of_a_cluster_is_refused(void **state)
{
    struct redis_process *node = NULL;
    char warnings[WARNINGS_BYTES] = "";
    struct error error = {0};
    (void)state;
    for (int i = 0; i < CLUSTER_ATTEMPTS && node == NULL; i++) /* port + 10000 must be free, too */
        node = redis_process_start("--cluster-enabled yes");
    assert_non_null(node);
    struct store *store = connect_as(redis_process_url(node), "");
    assert_false(store_redis_check(store, collect, warnings, &error));
    assert_int_equal(error.kind, ERROR_FATAL);
    assert_non_null(strstr(error.message, "Redis Cluster"));
    EXPECT("retry", REWRITE(store, 5, "+g/1=one")); /* CLUSTERDOWN */
    long before = connections(node);
    EXPECT("retry", REWRITE(store, 5, "+g/1=one"));
    assert_true(connections(node) - before >= 2);
    store->operations->destroy(store);
    redis_process_stop(node);
}

static void who_may_not_ask_is_warned(void **state)
{
    const struct redis_process *process = *state;
    char url[160], warnings[WARNINGS_BYTES] = "";
    struct error error = {0};
    const char *place = redis_process_tcp_url(process) + strlen("redis://");
    (void)tell(process, "ACL SETUSER bob on >secret ~belfry:* +@all -info -config");
    (void)snprintf(url, sizeof url, "redis://bob:secret@%s", place);
    struct store *store = connect_as(url, "");
    assert_true(store_redis_check(store, collect, warnings, &error));
    assert_non_null(strstr(warnings, "+info"));
    EXPECT("WRITTEN", REWRITE(store, 5, "+g/1=one"));
    store->operations->destroy(store);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_kafkas_redis_is_neither_written_nor_read), TEST(an_empty_id_is_not_kept),
        TEST(a_replica_is_left), cmocka_unit_test(a_node_of_a_cluster_is_refused),
        TEST(who_may_not_ask_is_warned),
    };
    return cmocka_run_group_tests_name("strangers", tests, NULL, NULL);
}
