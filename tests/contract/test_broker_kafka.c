/* The broker port on a real Kafka: what each call promises in dispatcher/engine/broker.h. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/kafka_fixture.h"

enum { VALUES_BYTES = 1024, BIG_BYTES = 3 * 1024 * 1024, MANY = 20000 };

static int64_t steady_ms(void)
{
    return fixture_clock.monotonic_us(NULL) / 1000;
}

static int64_t end_of_state(struct broker *broker)
{
    struct error error = {0};
    int64_t first = -1, end = -1;
    OK(broker->operations->offsets(broker, TOPIC_STATE, &first, &end, &error));
    return end;
}

static void committed_is_seen_aborted_is_not(void **state)
{
    char values[VALUES_BYTES];
    struct broker *broker = fixture_broker(*state, 0, true);
    int64_t start = end_of_state(broker);
    fixture_transaction(broker, 0, "a", 3, true);
    fixture_transaction(broker, 0, "lost", 2, false);
    fixture_transaction(broker, 0, "b", 2, true);
    fixture_read_state(broker, start, 5, values, sizeof values);
    assert_string_equal(values, "a0 a1 a2 b0 b1");
    broker->operations->destroy(broker);
}

/* Kafka's word on one record, though reports of what went well are off. */
static void receipt_says_where_and_when(void **state)
{
    struct error error = {0};
    struct broker *broker = fixture_broker(*state, 1, true);
    struct broker_receipt receipt = {0};
    int64_t start = end_of_state(broker);
    int64_t before_ms = fixture_clock.now_ms(NULL);
    int64_t before_us = fixture_clock.monotonic_us(NULL);
    OK(broker->operations->begin(broker, &error));
    struct broker_record other = fixture_record(TOPIC_STATE, 1, "k", "v");
    struct broker_record mark = fixture_record(TOPIC_STATE, 1, "mark", "m");
    mark.wants_receipt = true;
    OK(broker->operations->produce(broker, &other, &error));
    OK(broker->operations->produce(broker, &mark, &error));
    OK(broker->operations->commit(broker, &receipt, &error));
    assert_int_equal(receipt.offset, start + 1);
    assert_in_range(receipt.appended_ms, before_ms - 1000, fixture_clock.now_ms(NULL) + 1000);
    assert_in_range(receipt.acknowledged_us, before_us, fixture_clock.monotonic_us(NULL));
    OK(broker->operations->begin(broker, &error));
    OK(broker->operations->produce(broker, &other, &error));
    OK(broker->operations->commit(broker, &receipt, &error)); /* nobody asked */
    assert_int_equal(receipt.offset, -1);
    assert_int_equal(receipt.appended_ms, 0);
    broker->operations->destroy(broker);
}

static void open_transaction_holds_the_end_back(void **state)
{
    struct error error = {0};
    char values[VALUES_BYTES];
    struct broker *broker = fixture_broker(*state, 0, true);
    struct broker *reader = fixture_broker(*state, 0, false);
    int64_t start = end_of_state(reader);
    OK(broker->operations->begin(broker, &error));
    struct broker_record record = fixture_record(TOPIC_STATE, 0, "k", "open");
    OK(broker->operations->produce(broker, &record, &error));
    fixture_read_state(reader, start, 0, values, sizeof values);
    OK(broker->operations->commit(broker, NULL, &error));
    fixture_read_state(reader, start, 1, values, sizeof values);
    reader->operations->destroy(reader);
    broker->operations->destroy(broker);
}

/* The last offsets are markers: an end of partition, and no record, says that all was read. */
static void end_comes_after_the_markers(void **state)
{
    struct error error = {0};
    struct broker *broker = fixture_broker(*state, 1, true);
    int64_t start = end_of_state(broker);
    fixture_transaction(broker, 1, "x", 2, true);
    int64_t end = end_of_state(broker), deadline_ms = steady_ms() + FIXTURE_DEADLINE_MS;
    while (end < start + 3 && steady_ms() < deadline_ms) end = end_of_state(broker);
    assert_int_equal(end, start + 3); /* two records, one marker */
    OK(broker->operations->start_reading(broker, TOPIC_STATE, start, &error));
    struct broker_input input;
    for (int64_t offset = start; offset < start + 2; offset++) {
        fixture_next(broker, &input);
        assert_int_equal(input.kind, BROKER_RECORD);
        assert_int_equal(input.offset, offset);
        broker->operations->release(broker, &input);
    }
    fixture_next(broker, &input);
    assert_int_equal(input.kind, BROKER_END);
    assert_int_equal(input.topic, TOPIC_STATE);
    assert_true(input.offset >= end);
    broker->operations->destroy(broker); /* while it reads */
}

static void record_comes_back_whole(void **state)
{
    struct error error = {0};
    struct broker *broker = fixture_broker(*state, 2, true);
    int64_t start = end_of_state(broker), before_ms = fixture_clock.now_ms(NULL);
    const struct broker_header headers[] = {{"content-type", text_of("application/json")},
                                            {"empty", {NULL, 0}},
                                            {"bytes", {"a\0b", 3}}};
    struct broker_record records[] = {fixture_record(TOPIC_STATE, 2, "job/g/i", "{}"),
                                      fixture_record(TOPIC_STATE, 2, "job/g/i", NULL),
                                      fixture_record(TOPIC_STATE, 2, "", "")};
    records[0].headers = headers;
    records[0].header_count = 3;
    OK(broker->operations->begin(broker, &error));
    for (int i = 0; i < 3; i++) OK(broker->operations->produce(broker, &records[i], &error));
    OK(broker->operations->commit(broker, NULL, &error));
    OK(broker->operations->start_reading(broker, TOPIC_STATE, start, &error));
    struct broker_input input;
    fixture_next(broker, &input);
    assert_true(text_equal(input.key, text_of("job/g/i")));
    assert_true(text_equal(input.value, text_of("{}")));
    assert_int_equal(input.header_count, 3);
    assert_string_equal(input.headers[0].name, "content-type");
    assert_true(text_equal(input.headers[0].value, headers[0].value));
    assert_int_equal(input.headers[1].value.length, 0);
    assert_true(text_equal(input.headers[2].value, headers[2].value));
    assert_false(input.tombstone || input.truncated_headers);
    assert_in_range(input.log_time_ms, before_ms - 1000, before_ms + 10000);
    broker->operations->release(broker, &input);
    fixture_next(broker, &input);
    assert_true(input.tombstone);
    assert_int_equal(input.header_count, 0);
    broker->operations->release(broker, &input);
    fixture_next(broker, &input);
    assert_int_equal(input.value.length, 0);
    assert_false(input.tombstone);
    broker->operations->release(broker, &input);
    broker->operations->destroy(broker);
}

/* The newer producer fences; the old one learns it at its next commit and its records are gone. */
static void second_producer_fences_the_first(void **state)
{
    struct error error = {0};
    char values[VALUES_BYTES];
    struct broker *old = fixture_broker(*state, 3, true);
    int64_t start = end_of_state(old);
    OK(old->operations->begin(old, &error));
    struct broker_record record = fixture_record(TOPIC_STATE, 3, "k", "zombie");
    OK(old->operations->produce(old, &record, &error));
    struct broker *young = fixture_broker(*state, 3, true);
    assert_false(old->operations->commit(old, NULL, &error));
    if (error.kind != ERROR_FENCED) fail_msg("%s", error.message);
    fixture_transaction(young, 3, "y", 1, true);
    fixture_read_state(young, start, 1, values, sizeof values);
    assert_string_equal(values, "y0");
    old->operations->destroy(old);
    young->operations->destroy(young);
}

/* What was open when the producer was replaced never shows, and the new one goes on. */
static void reopening_settles_what_was_open(void **state)
{
    struct error error = {0};
    char values[VALUES_BYTES];
    struct broker *broker = fixture_broker(*state, 0, true);
    int64_t start = end_of_state(broker);
    OK(broker->operations->begin(broker, &error));
    struct broker_record record = fixture_record(TOPIC_STATE, 0, "k", "half");
    for (int i = 0; i < MANY; i++) OK(broker->operations->produce(broker, &record, &error));
    OK(broker->operations->open_producer(broker, &error)); /* with records in flight */
    fixture_transaction(broker, 0, "whole", 1, true);
    fixture_read_state(broker, start, 1, values, sizeof values);
    assert_string_equal(values, "whole0");
    broker->operations->destroy(broker);
}

static void reading_restarts_at_exact_offsets(void **state)
{
    struct error error = {0};
    struct broker *broker = fixture_broker(*state, 1, true);
    int64_t start = end_of_state(broker);
    OK(broker->operations->begin(broker, &error));
    struct broker_record record = fixture_record(TOPIC_STATE, 1, "k", "v");
    for (int i = 0; i < MANY; i++) OK(broker->operations->produce(broker, &record, &error));
    OK(broker->operations->commit(broker, NULL, &error));
    /* Each round stops with thousands of records fetched and queued, then starts elsewhere. */
    const int64_t starts[] = {0, 15000, 7, 19000, 3, 3, MANY - 1};
    for (size_t round = 0; round < sizeof starts / sizeof starts[0]; round++) {
        OK(broker->operations->start_reading(broker, TOPIC_STATE, start + starts[round], &error));
        for (int64_t i = starts[round]; i < MANY && i < starts[round] + 500; i++) {
            struct broker_input input;
            fixture_next(broker, &input);
            assert_int_equal(input.kind, BROKER_RECORD);
            assert_int_equal(input.offset, start + i);
            broker->operations->release(broker, &input);
        }
        broker->operations->stop_reading(broker, TOPIC_STATE);
        struct broker_input none;
        OK(broker->operations->poll(broker, 0, &none, &error));
        assert_int_equal(none.kind, BROKER_NOTHING);
    }
    broker->operations->destroy(broker);
}

static void offset_beyond_the_log_calls_for_a_take_over(void **state)
{
    struct error error = {0};
    struct broker *broker = fixture_broker(*state, 2, false);
    OK(broker->operations->start_reading(broker, TOPIC_CONTROL, 1000000, &error));
    struct broker_input input;
    int64_t deadline_ms = steady_ms() + FIXTURE_DEADLINE_MS;
    while (broker->operations->poll(broker, 100, &input, &error))
        if (steady_ms() > deadline_ms) fail_msg("no error in time");
    assert_int_equal(error.kind, ERROR_UNKNOWN);
    assert_non_null(strstr(error.message, "1000000"));
    broker->operations->destroy(broker);
}

/* Refused records are not part of the transaction, which goes through. */
static void bad_records_are_refused_alone(void **state)
{
    struct error error = {0};
    char values[VALUES_BYTES];
    struct broker *broker = fixture_broker(*state, 0, true);
    int64_t start = end_of_state(broker);
    char *big = calloc(1, BIG_BYTES);
    struct broker_header header = {"h", text_of("v")};
    struct broker_record large = fixture_record(TOPIC_STATE, 0, "k", NULL);
    large.value = (struct text){big, BIG_BYTES};
    large.headers = &header;
    large.header_count = 1;
    struct broker_record missing = fixture_record(TOPIC_FOREIGN, BROKER_PARTITION_BY_KEY, "k", "v");
    missing.foreign_topic = "no-such-topic";
    missing.headers = &header;
    missing.header_count = 1;
    struct broker_record good = fixture_record(TOPIC_STATE, 0, "k", "good");
    OK(broker->operations->begin(broker, &error));
    OK(broker->operations->produce(broker, &good, &error));
    assert_false(broker->operations->produce(broker, &large, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    error_clear(&error);
    assert_false(broker->operations->produce(broker, &missing, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_non_null(strstr(error.message, "no-such-topic"));
    error_clear(&error);
    OK(broker->operations->produce(broker, &good, &error));
    OK(broker->operations->commit(broker, NULL, &error));
    fixture_read_state(broker, start, 2, values, sizeof values);
    free(big);
    broker->operations->destroy(broker);
}

static void foreign_topics_are_looked_up(void **state)
{
    struct kafka_fixture *fixture = *state;
    struct error error = {0};
    struct topic_info info = {0};
    char wide[64], narrow[64];
    (void)snprintf(wide, sizeof wide, "%s-wide", fixture->name);
    (void)snprintf(narrow, sizeof narrow, "%s-narrow", fixture->name);
    const struct kafka_property limit = {"max.message.bytes", "1000"};
    rd_kafka_t *handle = kafka_reader_handle(kafka_cluster_reader(fixture->cluster));
    struct broker *broker = fixture_broker(fixture, 0, true);
    OK(broker->operations->foreign_topic(broker, wide, &info, &error));
    assert_false(info.exists);
    OK(kafka_admin_create(handle, wide, 3, NULL, 0, &error));
    OK(kafka_admin_create(handle, narrow, 1, &limit, 1, &error));
    int64_t deadline_ms = steady_ms() + FIXTURE_DEADLINE_MS;
    while (!info.exists && steady_ms() < deadline_ms)
        OK(broker->operations->foreign_topic(broker, wide, &info, &error));
    assert_int_equal(info.partitions, 3);
    assert_true(info.max_message_bytes > 1000000);
    OK(broker->operations->foreign_topic(broker, "no good name!", &info, &error));
    assert_false(info.exists);

    struct broker_record record = fixture_record(TOPIC_FOREIGN, BROKER_PARTITION_BY_KEY, "k", "v");
    record.foreign_topic = wide;
    OK(broker->operations->begin(broker, &error));
    int64_t before_ms = steady_ms();
    OK(broker->operations->produce(broker, &record, &error));
    OK(broker->operations->commit(broker, NULL, &error));
    assert_in_range(steady_ms() - before_ms, 0, 900); /* it was warm */
    OK(broker->operations->begin(broker, &error));
    record.partition = 3;
    assert_false(broker->operations->produce(broker, &record, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    error_clear(&error);
    record.partition = BROKER_PARTITION_BY_KEY;
    record.foreign_topic = narrow;
    assert_false(broker->operations->produce(broker, &record, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_non_null(strstr(error.message, "max.message.bytes"));
    error_clear(&error);
    OK(broker->operations->commit(broker, NULL, &error));
    broker->operations->destroy(broker);
}

static void delete_topic(rd_kafka_t *handle, const char *name)
{
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_DeleteTopics(handle, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, FIXTURE_DEADLINE_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy(topic);
}

/* What was known of a topic is not believed any more after the producer had to be replaced. */
static void deleted_topic_is_found_out(void **state)
{
    struct kafka_fixture *fixture = *state;
    struct error error = {0};
    struct topic_info info = {0};
    char name[64];
    (void)snprintf(name, sizeof name, "%s-gone", fixture->name);
    rd_kafka_t *handle = kafka_reader_handle(kafka_cluster_reader(fixture->cluster));
    struct broker *broker = fixture_broker(fixture, 0, true);
    OK(kafka_admin_create(handle, name, 1, NULL, 0, &error));
    int64_t deadline_ms = steady_ms() + FIXTURE_DEADLINE_MS;
    while (!info.exists && steady_ms() < deadline_ms)
        OK(broker->operations->foreign_topic(broker, name, &info, &error));
    delete_topic(handle, name);
    struct kafka_topic_facts facts = {.exists = true};
    while (facts.exists && steady_ms() < deadline_ms)
        OK(kafka_admin_look_up(handle, name, &facts, &error));
    OK(broker->operations->open_producer(broker, &error));
    struct broker_record record = fixture_record(TOPIC_FOREIGN, BROKER_PARTITION_BY_KEY, "k", "v");
    record.foreign_topic = name;
    OK(broker->operations->begin(broker, &error));
    assert_false(broker->operations->produce(broker, &record, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    error_clear(&error);
    OK(broker->operations->commit(broker, NULL, &error));
    OK(broker->operations->foreign_topic(broker, name, &info, &error));
    assert_false(info.exists);
    broker->operations->destroy(broker);
}

static void *wake_soon(void *broker)
{
    fixture_clock.sleep_ms(NULL, 200);
    broker_kafka_wake(broker);
    return NULL;
}

static void waking_ends_the_wait(void **state)
{
    struct error error = {0};
    struct broker *broker = fixture_broker(*state, 0, false);
    struct broker_input input;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_soon, broker), 0);
    int64_t before_ms = steady_ms();
    OK(broker->operations->poll(broker, 20000, &input, &error));
    assert_int_equal(input.kind, BROKER_NOTHING);
    assert_in_range(steady_ms() - before_ms, 100, 10000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    broker_kafka_wake(broker); /* before the wait */
    before_ms = steady_ms();
    OK(broker->operations->poll(broker, 20000, &input, &error));
    assert_in_range(steady_ms() - before_ms, 0, 10000);
    broker->operations->destroy(broker);
}

static void ownership_is_proven(void **state)
{
    struct error error = {0};
    struct broker *broker = fixture_broker(*state, 2, false);
    OK(broker->operations->prove_ownership(broker, -1, &error));
    OK(broker->operations->prove_ownership(broker, 17, &error));
    OK(broker->operations->prove_ownership(broker, -1, &error));
    broker->operations->destroy(broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_is_seen_aborted_is_not),
        cmocka_unit_test(receipt_says_where_and_when),
        cmocka_unit_test(open_transaction_holds_the_end_back),
        cmocka_unit_test(end_comes_after_the_markers),
        cmocka_unit_test(record_comes_back_whole),
        cmocka_unit_test(second_producer_fences_the_first),
        cmocka_unit_test(reopening_settles_what_was_open),
        cmocka_unit_test(reading_restarts_at_exact_offsets),
        cmocka_unit_test(offset_beyond_the_log_calls_for_a_take_over),
        cmocka_unit_test(bad_records_are_refused_alone),
        cmocka_unit_test(foreign_topics_are_looked_up),
        cmocka_unit_test(deleted_topic_is_found_out),
        cmocka_unit_test(waking_ends_the_wait),
        cmocka_unit_test(ownership_is_proven),
    };
    return cmocka_run_group_tests_name("broker on a real kafka", tests, fixture_open_all,
                                       fixture_close_all);
}
