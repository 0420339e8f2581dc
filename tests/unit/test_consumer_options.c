/* What belfry_consumer_create() accepts, and what a consumer does without a broker. */
#include "consumer/consumer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/support/rows.h"

static const char nobody[] = "127.0.0.1:1"; /* nothing listens there */

static void quiet(enum belfry_level level, const char *event, const char *fields, void *opaque)
{
    (void)level;
    (void)event;
    (void)fields;
    (void)opaque;
}

struct refusal_case {
    const char *message; /* a part of it */
    const char *property;
    struct belfry_options options;
};
#define NAMED .brokers = nobody, .group_id = "g"
static const struct refusal_case refusal_cases[] = {
    {"option brokers is missing", NULL, {.group_id = "g"}},
    {"option group_id is missing", NULL, {.brokers = nobody}},
    {"option group_id is missing", NULL, {.brokers = nobody, .group_id = ""}},
    {"option cluster \"\"", NULL, {NAMED, .cluster = ""}},
    {"count is not 0", NULL, {NAMED, .topic_count = 1}},
    {"count is not 0", NULL, {NAMED, .property_count = 1}},
    {"option concurrency is 10001", NULL, {NAMED, .concurrency = 10001}},
    {"option ordering is", NULL, {NAMED, .ordering = (enum belfry_ordering)3}},
    {"option buffered_max is 1000001", NULL, {NAMED, .buffered_max = 1000001}},
    {"option buffered_bytes_max is -1", NULL, {NAMED, .buffered_bytes_max = -1}},
    {"option window_ids is 100000001", NULL, {NAMED, .window_ids = 100000001}},
    {"option rebalance_wait_ms is -1", NULL, {NAMED, .rebalance_wait_ms = -1}},
    {"option drain_ms is -1", NULL, {NAMED, .drain_ms = -1}},
    {"must be name=value", "novalue", {NAMED}},
    {"must be name=value", "=x", {NAMED}},
    {"Kafka property no.such", "no.such=1", {NAMED}},
    {"isolation.level is always read_committed", "isolation.level=read_uncommitted", {NAMED}},
    {"enable.auto.offset.store is always", "enable.auto.offset.store=true", {NAMED}},
    {"enable.auto.commit is always", "enable.auto.commit=false", {NAMED}},
    {"option brokers or group_id", "group.id=x", {NAMED}},
    {"only the eager", "partition.assignment.strategy=cooperative-sticky", {NAMED}},
    {"session.timeout.ms", "session.timeout.ms=never", {NAMED}},
};

static void check_refusal(void **state)
{
    const struct refusal_case *row = *state;
    struct belfry_options options = row->options;
    struct belfry_error error = {0};
    if (row->property != NULL) {
        options.properties = &row->property;
        options.property_count = 1;
    }
    assert_null(belfry_consumer_create(&options, &error));
    assert_int_equal(error.kind, BELFRY_ERROR_INVALID);
    if (strstr(error.message, row->message) == NULL) fail_msg("%s", error.message);
}

static int64_t now_ms(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct belfry_consumer *lonely(void)
{
    struct belfry_options options = {NAMED, .on_log = quiet};
    struct belfry_error error = {0};
    struct belfry_consumer *consumer = belfry_consumer_create(&options, &error);
    if (consumer == NULL) fail_msg("%s", error.message);
    return consumer;
}

static void calls_are_bounded_without_a_broker(void **state)
{
    (void)state;
    struct belfry_consumer *consumer = lonely();
    const struct belfry_fire *fire = NULL;
    struct belfry_error error = {0};
    int64_t start_ms = now_ms();
    assert_true(belfry_consumer_next(consumer, 300, &fire, &error));
    assert_null(fire);
    assert_true(now_ms() - start_ms >= 290 && now_ms() - start_ms < 5000);
    start_ms = now_ms();
    bool drained = belfry_consumer_drain(consumer, 1000, &error);
    assert_true(now_ms() - start_ms < 5000);
    assert_true(drained || error.kind == BELFRY_ERROR_TIMEOUT);
    error = (struct belfry_error){0};
    assert_false(belfry_consumer_next(consumer, 0, &fire, &error));
    assert_int_equal(error.kind, BELFRY_ERROR_CLOSED);
    belfry_consumer_destroy(consumer);
}

static enum belfry_outcome never(const struct belfry_fire *fire, void *opaque)
{
    (void)opaque;
    fail_msg("a fire from nowhere: %s", fire->id);
    return BELFRY_FAILED;
}

static void a_stopped_run_ends(void **state)
{
    (void)state;
    struct belfry_consumer *consumer = lonely();
    struct belfry_error error = {0};
    belfry_consumer_stop(consumer);
    int64_t start_ms = now_ms();
    assert_true(belfry_consumer_run(consumer, never, NULL, &error));
    assert_true(now_ms() - start_ms < 10000);
    assert_false(belfry_consumer_run(consumer, never, NULL, &error));
    assert_int_equal(error.kind, BELFRY_ERROR_CLOSED);
    belfry_consumer_destroy(consumer);
}

static void wrong_arguments(void **state)
{
    (void)state;
    struct belfry_consumer *consumer = lonely();
    const struct belfry_fire *fire = NULL;
    struct belfry_statistics statistics;
    struct belfry_fire foreign = {.id = "x"};
    assert_null(belfry_consumer_create(NULL, NULL));
    assert_false(belfry_consumer_next(NULL, 0, &fire, NULL));
    assert_false(belfry_consumer_next(consumer, -1, &fire, NULL));
    assert_false(belfry_consumer_next(consumer, 60001, &fire, NULL));
    assert_false(belfry_consumer_next(consumer, 0, NULL, NULL));
    assert_false(belfry_consumer_run(consumer, NULL, NULL, NULL));
    assert_false(belfry_consumer_drain(consumer, -1, NULL));
    belfry_consumer_done(consumer, NULL, BELFRY_DONE);
    belfry_consumer_done(consumer, &foreign, BELFRY_DONE); /* not handed out by us */
    belfry_consumer_done(NULL, &foreign, BELFRY_DONE);
    belfry_consumer_stop(NULL);
    belfry_consumer_statistics(consumer, NULL);
    belfry_consumer_statistics(consumer, &statistics);
    assert_int_equal(statistics.received, 0);
    assert_int_equal(statistics.done, 0);
    belfry_consumer_destroy(consumer);
    belfry_consumer_destroy(NULL);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(refusal_cases, check_refusal)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(calls_are_bounded_without_a_broker),
        cmocka_unit_test(a_stopped_run_ends),
        cmocka_unit_test(wrong_arguments),
    };
    return run_rows("consumer options", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
