/* The adapter on librdkafka's mock cluster, as the embedded mode uses it, and without any broker:
 * every wait must have an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/kafka/mock_cluster.h"
#include "tests/support/kafka_fixture.h"

enum { VALUES_BYTES = 256 };

static struct mock_cluster *start_mock(struct kafka_fixture *fixture)
{
    struct error error = {0};
    const struct kafka_log log = {NULL, NULL};
    struct mock_cluster *mock = mock_cluster_create("trial", FIXTURE_SHARDS, &log, &error);
    OK(mock != NULL);
    *fixture = (struct kafka_fixture){.options = {.brokers = mock_cluster_brokers(mock),
                                                  .cluster = "trial", .shards = FIXTURE_SHARDS,
                                                  .mock = true, .clock = &fixture_clock}};
    fixture->cluster = kafka_cluster_create(&fixture->options, &error);
    OK(fixture->cluster != NULL);
    return mock;
}

static void transactions_and_reading(void **state)
{
    (void)state;
    struct error error = {0};
    struct kafka_fixture fixture;
    struct mock_cluster *mock = start_mock(&fixture);
    char values[VALUES_BYTES];
    OK(kafka_cluster_wait_ready(fixture.cluster, FIXTURE_DEADLINE_MS, &error));
    OK(kafka_cluster_prepare_topics(fixture.cluster, NULL, &error));
    struct broker *broker = fixture_broker(&fixture, 1, true);
    fixture_transaction(broker, 1, "a", 3, true);
    fixture_transaction(broker, 1, "b", 1, true);
    fixture_read_state(broker, 0, 4, values, sizeof values);
    assert_string_equal(values, "a0 a1 a2 b0");
    struct topic_info info = {0};
    OK(mock_cluster_add_topic(mock, "orders", 2, &error));
    OK(broker->operations->foreign_topic(broker, "orders", &info, &error));
    assert_true(info.exists);
    assert_int_equal(info.partitions, 2);
    broker->operations->destroy(broker);
    fixture_close(&fixture);
    mock_cluster_destroy(mock);
}

struct fault_case {
    const char *name;
    int16_t api_key;
    rd_kafka_resp_err_t code;
    size_t count;
    enum error_kind kind; /* of the commit */
};
enum { PRODUCE = 0, OFFSET_FETCH = 9, FIND_COORDINATOR = 10, ADD_PARTITIONS = 24, END_TXN = 26 };
static const struct fault_case faults[] = {
    {"end of transaction: retried until it is done", END_TXN,
     RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, 3, ERROR_NONE},
    {"end of transaction: the coordinator moves, and its connection is closed", END_TXN,
     RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, 3, ERROR_UNKNOWN},
    {"end of transaction: the connection breaks, so it may have been asked for twice", END_TXN,
     RD_KAFKA_RESP_ERR__TRANSPORT, 1, ERROR_UNKNOWN},
    {"end of transaction: fenced", END_TXN, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, 1, ERROR_FENCED},
    {"end of transaction: fenced by epoch", END_TXN, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 1,
     ERROR_FENCED},
    {"end of transaction: transactional id expired", END_TXN,
     RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, 1, ERROR_UNKNOWN},
    {"end of transaction: wrong state", END_TXN, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, 1,
     ERROR_UNKNOWN},
    {"end of transaction: no right", END_TXN,
     RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 1, ERROR_FATAL},
    {"produce: refused by the topic", PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 5,
     ERROR_UNKNOWN},
    {"produce: no right to the topic", PRODUCE, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 5,
     ERROR_UNKNOWN},
    {"produce: retried by librdkafka", PRODUCE, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, 2,
     ERROR_NONE},
    {"partition: no right", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1,
     ERROR_UNKNOWN},
    {"partition: not yet known everywhere, asked again", ADD_PARTITIONS,
     RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 1, ERROR_NONE},
    {"partition: fenced", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 1,
     ERROR_FENCED},
};
enum { FAULTS = sizeof faults / sizeof faults[0] };

/* The kind of each failed commit, and that a new producer goes on after it. */
static void commits_fail_as_the_port_says(void **state)
{
    (void)state;
    struct kafka_fixture fixture;
    struct mock_cluster *mock = start_mock(&fixture);
    struct error error = {0};
    struct broker *broker = fixture_broker(&fixture, 1, true);
    for (int i = 0; i < FAULTS; i++) {
        struct broker_record record = fixture_record(TOPIC_STATE, 1, "k", "v");
        OK(broker->operations->begin(broker, &error));
        mock_cluster_fail_requests(mock, faults[i].api_key, faults[i].code, faults[i].count);
        OK(broker->operations->produce(broker, &record, &error));
        (void)broker->operations->commit(broker, NULL, &error);
        if (error.kind != faults[i].kind)
            fail_msg("%s: %s: %s", faults[i].name, error_kind_name(error.kind), error.message);
        error_clear(&error);
        mock_cluster_heal(mock, faults[i].api_key);
        OK(broker->operations->open_producer(broker, &error));
        fixture_transaction(broker, 1, "next", 1, true);
    }
    broker->operations->destroy(broker);
    fixture_close(&fixture);
    mock_cluster_destroy(mock);
}

/* Nor does its word on a record say when it came: always the same instant. */
static void receipt_has_no_time(void **state)
{
    (void)state;
    struct error error = {0};
    struct kafka_fixture fixture;
    struct mock_cluster *mock = start_mock(&fixture);
    struct broker *broker = fixture_broker(&fixture, 0, true);
    struct broker_receipt receipt = {0};
    struct broker_record mark = fixture_record(TOPIC_STATE, 0, "mark", "m");
    mark.wants_receipt = true;
    fixture_transaction(broker, 0, "a", 1, true);
    OK(broker->operations->begin(broker, &error));
    OK(broker->operations->produce(broker, &mark, &error));
    OK(broker->operations->commit(broker, &receipt, &error));
    assert_true(receipt.offset >= 1);
    assert_int_equal(receipt.appended_ms, 0);
    broker->operations->destroy(broker);
    fixture_close(&fixture);
    mock_cluster_destroy(mock);
}

/* The mock knows no broker time: it is the time of reading. */
static void log_time_is_the_time_of_reading(void **state)
{
    (void)state;
    struct error error = {0};
    struct kafka_fixture fixture;
    struct mock_cluster *mock = start_mock(&fixture);
    struct broker *broker = fixture_broker(&fixture, 0, true);
    fixture_transaction(broker, 0, "a", 1, true);
    fixture_clock.sleep_ms(NULL, 20);
    int64_t before_ms = fixture_clock.now_ms(NULL);
    OK(broker->operations->start_reading(broker, TOPIC_STATE, 0, &error));
    struct broker_input input;
    fixture_next(broker, &input);
    assert_int_equal(input.kind, BROKER_RECORD);
    assert_true(input.log_time_ms >= before_ms);
    broker->operations->release(broker, &input);
    broker->operations->destroy(broker);
    fixture_close(&fixture);
    mock_cluster_destroy(mock);
}

static void group_assigns_all_shards(void **state)
{
    (void)state;
    struct error error = {0};
    struct kafka_fixture fixture;
    struct mock_cluster *mock = start_mock(&fixture);
    OK(kafka_cluster_join(fixture.cluster, &error));
    struct kafka_assignment assignment = fixture_await_shards(&fixture, FIXTURE_SHARDS);
    for (int32_t shard = 0; shard < FIXTURE_SHARDS; shard++)
        assert_int_equal(assignment.shards[shard], shard);
    struct broker *broker = fixture_broker(&fixture, 3, false);
    OK(broker->operations->prove_ownership(broker, 0, &error));
    broker->operations->destroy(broker);
    OK(kafka_cluster_leave(fixture.cluster, 5000, &error));
    fixture_close(&fixture);
    mock_cluster_destroy(mock);
}

/* Nobody waits for a tick: who sends the next one hears what became of it. */
static void a_tick_that_is_refused_is_told_of(void **state)
{
    (void)state;
    struct error error = {0};
    struct kafka_fixture fixture;
    struct mock_cluster *mock = start_mock(&fixture);
    struct broker *broker = fixture_broker(&fixture, 1, false);
    struct broker *other = fixture_broker(&fixture, 2, false);
    mock_cluster_fail_requests(mock, PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
    OK(broker->operations->tick(broker, text_of("refused"), &error));
    int64_t deadline_us = fixture_clock.monotonic_us(NULL) + FIXTURE_DEADLINE_MS * INT64_C(1000);
    bool told = false;
    while (!told && fixture_clock.monotonic_us(NULL) < deadline_us) {
        fixture_clock.sleep_ms(NULL, 10);
        told = !broker->operations->tick(broker, text_of("another"), &error);
    }
    assert_true(told);
    assert_non_null(strstr(error.message, "a tick: Broker: Message size too large"));
    error_clear(&error);
    OK(other->operations->tick(other, text_of("of another shard"), &error));
    OK(broker->operations->tick(broker, text_of("last"), &error)); /* and once only */
    OK(broker->operations->start_reading(broker, TOPIC_RUNS, 0, &error));
    struct broker_input input;
    bool last = false;
    while (!last) {
        fixture_next(broker, &input);
        if (input.kind != BROKER_RECORD) continue;
        assert_false(text_equal(input.value, text_of("refused")));
        last = text_equal(input.value, text_of("last"));
        broker->operations->release(broker, &input);
    }
    broker->operations->destroy(broker);
    other->operations->destroy(other);
    fixture_close(&fixture);
    mock_cluster_destroy(mock);
}

static enum broker_answer await_answer(struct broker *broker, struct error *error)
{
    struct broker_place place = {"orders", 0, 0};
    int64_t deadline_us = fixture_clock.monotonic_us(NULL) + FIXTURE_DEADLINE_MS * INT64_C(1000);
    enum broker_answer answer = BROKER_ASKED;
    while (answer == BROKER_ASKED && fixture_clock.monotonic_us(NULL) < deadline_us) {
        answer = broker->operations->committed(broker, &place, 1, error);
        fixture_clock.sleep_ms(NULL, 1);
    }
    return answer;
}

static void a_question_without_the_right_is_not_answered(void **state)
{
    (void)state;
    struct error error = {0};
    struct kafka_fixture fixture;
    struct mock_cluster *mock = start_mock(&fixture);
    struct broker *broker = fixture_broker(&fixture, 1, false);
    const struct broker_place place = {"orders", 0, 0};
    OK(mock_cluster_add_topic(mock, "orders", 2, &error));
    OK(broker->operations->ask_committed(broker, "workers", &place, 1, &error));
    assert_int_equal(await_answer(broker, &error), BROKER_ANSWERED);
    mock_cluster_fail_requests(mock, OFFSET_FETCH, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1);
    OK(broker->operations->ask_committed(broker, "workers", &place, 1, &error));
    assert_int_equal(await_answer(broker, &error), BROKER_UNANSWERED);
    assert_int_equal(error.kind, ERROR_FATAL);
    assert_non_null(strstr(error.message, "Group authorization failed"));
    error_clear(&error);
    OK(broker->operations->ask_committed(broker, "workers", &place, 1, &error)); /* it was given */
    assert_int_equal(await_answer(broker, &error), BROKER_ANSWERED);
    broker->operations->destroy(broker);
    fixture_close(&fixture);
    mock_cluster_destroy(mock);
}

/* As a broker says that has just been started, or is about to be stopped. librdkafka's admin
 * interface ends the process there. */
static void a_coordinator_that_is_not_ready_is_asked_again(void **state)
{
    (void)state;
    static const rd_kafka_resp_err_t codes[] = {RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                                RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                                RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE};
    struct error error = {0};
    struct kafka_fixture fixture;
    struct mock_cluster *mock = start_mock(&fixture);
    struct broker *broker = fixture_broker(&fixture, 1, false);
    const struct broker_place place = {"orders", 0, 0};
    OK(mock_cluster_add_topic(mock, "orders", 2, &error));
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        for (int16_t key = OFFSET_FETCH; key <= FIND_COORDINATOR; key++) {
            mock_cluster_fail_requests(mock, key, codes[i], 2);
            OK(broker->operations->ask_committed(broker, "workers", &place, 1, &error));
            enum broker_answer answer = await_answer(broker, &error);
            bool again = answer == BROKER_UNANSWERED && error.kind == ERROR_RETRY;
            assert_true(answer == BROKER_ANSWERED || again);
            error_clear(&error);
            mock_cluster_heal(mock, key);
            OK(broker->operations->ask_committed(broker, "workers", &place, 1, &error));
            assert_int_equal(await_answer(broker, &error), BROKER_ANSWERED);
        }
    broker->operations->destroy(broker);
    fixture_close(&fixture);
    mock_cluster_destroy(mock);
}

static void wrong_number_of_shards_is_refused(void **state)
{
    (void)state;
    struct error error = {0};
    struct kafka_fixture fixture;
    struct mock_cluster *mock = start_mock(&fixture);
    fixture.options.shards = FIXTURE_SHARDS + 1;
    assert_false(kafka_cluster_prepare_topics(fixture.cluster, NULL, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    fixture_close(&fixture);
    mock_cluster_destroy(mock);
}

static void waits_end_without_a_broker(void **state)
{
    (void)state;
    struct error error = {0};
    struct kafka_fixture fixture = {.options = {.brokers = "127.0.0.1:1", .cluster = "nobody",
                                                .shards = 1, .clock = &fixture_clock}};
    struct kafka_assignment assignment;
    bool changed = true;
    fixture.cluster = kafka_cluster_create(&fixture.options, &error);
    OK(fixture.cluster != NULL);
    int64_t start_us = fixture_clock.monotonic_us(NULL);
    assert_false(kafka_cluster_wait_ready(fixture.cluster, 300, &error));
    assert_int_equal(error.kind, ERROR_RETRY);
    assert_non_null(strstr(error.message, "127.0.0.1:1"));
    error_clear(&error);
    OK(kafka_cluster_join(fixture.cluster, &error));
    OK(kafka_cluster_poll(fixture.cluster, 100, &assignment, &changed, &error));
    assert_false(changed);
    struct broker *broker = fixture_broker(&fixture, 0, false);
    assert_false(broker->operations->prove_ownership(broker, 0, &error));
    assert_int_equal(error.kind, ERROR_RETRY);
    error_clear(&error);
    const struct broker_place place = {"orders", 0, 0};
    OK(broker->operations->tick(broker, text_of("nowhere"), &error)); /* it waits for nothing */
    OK(broker->operations->ask_committed(broker, "workers", &place, 1, &error));
    assert_int_equal(await_answer(broker, &error), BROKER_UNANSWERED);
    assert_int_equal(error.kind, ERROR_RETRY);
    error_clear(&error);
    assert_false(broker->operations->tick(broker, text_of("not sent"), &error));
    error_clear(&error);
    assert_false(broker->operations->open_producer(broker, &error));
    assert_int_equal(error.kind, ERROR_RETRY);
    broker->operations->destroy(broker);
    error_clear(&error);
    OK(kafka_cluster_leave(fixture.cluster, 3000, &error));
    fixture_close(&fixture);
    assert_in_range(fixture_clock.monotonic_us(NULL) - start_us, 0, 30000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transactions_and_reading),
        cmocka_unit_test(commits_fail_as_the_port_says),
        cmocka_unit_test(log_time_is_the_time_of_reading),
        cmocka_unit_test(receipt_has_no_time),
        cmocka_unit_test(group_assigns_all_shards),
        cmocka_unit_test(a_tick_that_is_refused_is_told_of),
        cmocka_unit_test(a_question_without_the_right_is_not_answered),
        cmocka_unit_test(a_coordinator_that_is_not_ready_is_asked_again),
        cmocka_unit_test(wrong_number_of_shards_is_refused),
        cmocka_unit_test(waits_end_without_a_broker),
    };
    return cmocka_run_group_tests_name("kafka mock", tests, NULL, NULL);
}
