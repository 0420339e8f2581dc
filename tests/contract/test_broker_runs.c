/* What the broker port promises for runs, on a real Kafka: ticks, and the question to the
 * coordinator of a group. With --ask-for-s=N it only asks for so long and says what came, for
 * tests/integration/test_question.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/kafka_fixture.h"

enum { TICKS = 5, NAME_BYTES = 80, MANY_PARTITIONS = 200, QUIET_POLLS = 10, QUIET_POLL_MS = 50 };

static int64_t steady_ms(void)
{
    return fixture_clock.monotonic_us(NULL) / 1000;
}

static int64_t end_of_runs(struct broker *broker)
{
    struct error error = {0};
    int64_t first = -1, end = -1;
    OK(broker->operations->offsets(broker, TOPIC_RUNS, &first, &end, &error));
    return end;
}

/* The next record of runs, past ends of the partition; release it. */
static void next_record(struct broker *broker, struct broker_input *input)
{
    do fixture_next(broker, input);
    while (input->kind != BROKER_RECORD);
}

static void expect_record(struct broker *broker, const char *value)
{
    struct broker_input input;
    next_record(broker, &input);
    assert_int_equal(input.topic, TOPIC_RUNS);
    assert_true(text_equal(input.value, text_of(value)));
    broker->operations->release(broker, &input);
}

/* ---- ticks ---- */

static void ticks_are_read_back_in_their_order(void **state)
{
    struct error error = {0};
    struct broker *broker = fixture_broker(*state, 1, false); /* no producer of the shard is open */
    int64_t start = end_of_runs(broker), before_ms = fixture_clock.now_ms(NULL);
    for (int i = 0; i < TICKS; i++) {
        char value[NAME_BYTES];
        (void)snprintf(value, sizeof value, "tick %d", i);
        OK(broker->operations->tick(broker, text_of(value), &error));
    }
    OK(broker->operations->start_reading(broker, TOPIC_RUNS, start, &error));
    for (int i = 0; i < TICKS; i++) {
        struct broker_input input;
        char value[NAME_BYTES];
        (void)snprintf(value, sizeof value, "tick %d", i);
        next_record(broker, &input);
        assert_true(text_equal(input.value, text_of(value)));
        assert_int_equal(input.offset, start + i); /* and no markers between them */
        assert_int_equal(input.key.length, 0);
        assert_int_equal(input.header_count, 0);
        assert_in_range(input.log_time_ms, before_ms - 1000, fixture_clock.now_ms(NULL) + 1000);
        broker->operations->release(broker, &input);
    }
    broker->operations->destroy(broker);
}

/* Each shard has its own partition, and the process one producer for all of them. */
static void ticks_of_two_shards_do_not_meet(void **state)
{
    struct error error = {0};
    struct broker *one = fixture_broker(*state, 0, false), *two = fixture_broker(*state, 2, false);
    int64_t start_one = end_of_runs(one), start_two = end_of_runs(two);
    OK(one->operations->tick(one, text_of("one"), &error));
    OK(two->operations->tick(two, text_of("two"), &error));
    OK(one->operations->start_reading(one, TOPIC_RUNS, start_one, &error));
    OK(two->operations->start_reading(two, TOPIC_RUNS, start_two, &error));
    expect_record(one, "one");
    expect_record(two, "two");
    one->operations->destroy(one);
    two->operations->destroy(two);
}

/* What the shard's transaction is about does not concern it. */
static void ticks_are_outside_of_the_transaction(void **state)
{
    struct error error = {0};
    char values[NAME_BYTES];
    struct broker *broker = fixture_broker(*state, 3, true);
    int64_t start = end_of_runs(broker), first = 0, state_start = 0;
    OK(broker->operations->offsets(broker, TOPIC_STATE, &first, &state_start, &error));
    OK(broker->operations->begin(broker, &error));
    struct broker_record record = fixture_record(TOPIC_STATE, 3, "k", "lost");
    OK(broker->operations->produce(broker, &record, &error));
    OK(broker->operations->tick(broker, text_of("beside"), &error));
    OK(broker->operations->start_reading(broker, TOPIC_RUNS, start, &error));
    expect_record(broker, "beside"); /* while the transaction is open */
    OK(broker->operations->abort(broker, &error));
    broker->operations->stop_reading(broker, TOPIC_RUNS);
    OK(broker->operations->start_reading(broker, TOPIC_RUNS, start, &error));
    expect_record(broker, "beside"); /* and after it has been aborted */
    broker->operations->stop_reading(broker, TOPIC_RUNS);
    fixture_read_state(broker, state_start, 0, values, sizeof values);
    broker->operations->destroy(broker);
}

static rd_kafka_t *open_client(const struct kafka_fixture *fixture, rd_kafka_type_t type,
                               const char *name, const char *value)
{
    char refusal[NAME_BYTES] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", fixture->options.brokers, NULL, 0);
    (void)rd_kafka_conf_set(conf, name, value, NULL, 0);
    rd_kafka_t *client = rd_kafka_new(type, conf, refusal, sizeof refusal);
    if (client == NULL) fail_msg("%s", refusal);
    return client;
}

static void no_error(rd_kafka_error_t *refused)
{
    if (refused != NULL) fail_msg("%s", rd_kafka_error_string(refused));
}

/* Why a tick, and not the end of the partition, says that all has been read: a transaction that a
 * client leaves open hides the records behind it, and ends are told before it. */
static void an_open_transaction_hides_the_tick_as_well(void **state)
{
    struct error error = {0};
    const struct kafka_fixture *fixture = *state;
    struct broker *broker = fixture_broker(*state, 0, false);
    int64_t start = end_of_runs(broker);
    char topic[TOPIC_NAME_BYTES];
    kafka_topic_name(fixture->name, TOPIC_RUNS, topic);
    rd_kafka_t *client = open_client(fixture, RD_KAFKA_PRODUCER, "transactional.id", topic);
    no_error(rd_kafka_init_transactions(client, FIXTURE_DEADLINE_MS));
    no_error(rd_kafka_begin_transaction(client));
    assert_int_equal(rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_VALUE("open", 4), RD_KAFKA_V_END), 0);
    assert_int_equal(rd_kafka_flush(client, FIXTURE_DEADLINE_MS), 0);
    OK(broker->operations->tick(broker, text_of("hidden"), &error));
    OK(broker->operations->start_reading(broker, TOPIC_RUNS, start, &error));
    for (int i = 0; i < QUIET_POLLS; i++) {
        struct broker_input input;
        OK(broker->operations->poll(broker, QUIET_POLL_MS, &input, &error));
        assert_int_not_equal(input.kind, BROKER_RECORD);
        if (input.kind == BROKER_END) assert_int_equal(input.offset, start);
    }
    no_error(rd_kafka_commit_transaction(client, FIXTURE_DEADLINE_MS));
    expect_record(broker, "open");
    expect_record(broker, "hidden");
    rd_kafka_destroy(client);
    broker->operations->destroy(broker);
}

/* ---- the question ---- */

/* A group that has committed these, as its members would. */
static void commit_as(const struct kafka_fixture *fixture, const char *group, const char *topic,
                      int32_t partition, int64_t offset)
{
    rd_kafka_t *client = open_client(fixture, RD_KAFKA_CONSUMER, "group.id", group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    rd_kafka_resp_err_t code = rd_kafka_commit(client, list, 0);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) fail_msg("%s", rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
}

static void make_topic(const struct kafka_fixture *fixture, const char *name, int32_t partitions)
{
    struct error error = {0};
    struct kafka_topic_facts facts = {0};
    rd_kafka_t *handle = kafka_reader_handle(kafka_cluster_reader(fixture->cluster));
    OK(kafka_admin_create(handle, name, partitions, NULL, 0, &error));
    int64_t deadline_ms = steady_ms() + FIXTURE_DEADLINE_MS;
    while (facts.partitions != partitions && steady_ms() < deadline_ms)
        OK(kafka_admin_look_up(handle, name, &facts, &error));
}

static enum broker_answer await_answer(struct broker *broker, struct broker_place *places,
                                       size_t count, struct error *error)
{
    int64_t deadline_ms = steady_ms() + FIXTURE_DEADLINE_MS;
    enum broker_answer answer = BROKER_ASKED;
    while (answer == BROKER_ASKED && steady_ms() < deadline_ms) {
        answer = broker->operations->committed(broker, places, count, error);
        fixture_clock.sleep_ms(NULL, 1);
    }
    return answer;
}

static void name_of(char name[NAME_BYTES], const struct kafka_fixture *fixture, const char *word)
{
    (void)snprintf(name, NAME_BYTES, "%s-%s", fixture->name, word);
}

static void the_coordinator_says_what_is_committed(void **state)
{
    struct error error = {0};
    char group[NAME_BYTES], topic[NAME_BYTES], missing[NAME_BYTES];
    struct broker *broker = fixture_broker(*state, 0, false);
    name_of(group, *state, "workers");
    name_of(topic, *state, "orders");
    name_of(missing, *state, "missing");
    make_topic(*state, topic, 3);
    commit_as(*state, group, topic, 1, 0);
    commit_as(*state, group, topic, 2, 4711);
    struct broker_place places[] = {{topic, 2, 7}, {topic, 1, 7}, {topic, 0, 7}, {missing, 0, 7}};
    assert_int_equal(broker->operations->committed(broker, places, 4, &error), BROKER_UNASKED);
    OK(broker->operations->ask_committed(broker, group, places, 4, &error));
    assert_int_equal(await_answer(broker, places, 4, &error), BROKER_ANSWERED);
    assert_int_equal(places[0].committed, 4711);
    assert_int_equal(places[1].committed, 0); /* the group would read its first record next */
    assert_int_equal(places[2].committed, BROKER_COMMITTED_NONE);
    assert_int_equal(places[3].committed, BROKER_COMMITTED_NONE);
    assert_int_equal(broker->operations->committed(broker, places, 4, &error), BROKER_UNASKED);
    name_of(group, *state, "strangers");
    OK(broker->operations->ask_committed(broker, group, places, 2, &error));
    assert_int_equal(await_answer(broker, places, 2, &error), BROKER_ANSWERED);
    assert_int_equal(places[0].committed, BROKER_COMMITTED_NONE);
    broker->operations->destroy(broker);
}

/* One request for all of them. */
static void many_partitions_at_once(void **state)
{
    struct error error = {0};
    char group[NAME_BYTES], topic[NAME_BYTES];
    struct broker *broker = fixture_broker(*state, 1, false);
    name_of(group, *state, "many");
    name_of(topic, *state, "wide");
    make_topic(*state, topic, MANY_PARTITIONS);
    commit_as(*state, group, topic, MANY_PARTITIONS - 1, 17);
    struct broker_place places[MANY_PARTITIONS + 1];
    places[MANY_PARTITIONS] = (struct broker_place){"not asked", 0, 0};
    for (int32_t i = 0; i < MANY_PARTITIONS; i++)
        places[i] = (struct broker_place){topic, MANY_PARTITIONS - 1 - i, 0};
    OK(broker->operations->ask_committed(broker, group, places, MANY_PARTITIONS, &error));
    assert_int_equal(await_answer(broker, places, MANY_PARTITIONS + 1, &error), BROKER_ANSWERED);
    assert_int_equal(places[0].committed, 17);
    for (int32_t i = 1; i < MANY_PARTITIONS; i++)
        assert_int_equal(places[i].committed, BROKER_COMMITTED_NONE);
    assert_int_equal(places[MANY_PARTITIONS].committed, BROKER_COMMITTED_UNKNOWN);
    broker->operations->destroy(broker);
}

/* Whoever asks anew does not get the answer to what was asked before. */
static void a_new_question_takes_the_place_of_the_old_one(void **state)
{
    struct error error = {0};
    char first[NAME_BYTES], second[NAME_BYTES], topic[NAME_BYTES];
    struct broker *broker = fixture_broker(*state, 2, false);
    name_of(first, *state, "first");
    name_of(second, *state, "second");
    name_of(topic, *state, "turns");
    make_topic(*state, topic, 1);
    commit_as(*state, first, topic, 0, 11);
    commit_as(*state, second, topic, 0, 22);
    struct broker_place place = {topic, 0, 0};
    for (int i = 0; i < 20; i++) {
        OK(broker->operations->ask_committed(broker, first, &place, 1, &error));
        OK(broker->operations->ask_committed(broker, second, &place, 1, &error));
        assert_int_equal(await_answer(broker, &place, 1, &error), BROKER_ANSWERED);
        assert_int_equal(place.committed, 22);
    }
    OK(broker->operations->ask_committed(broker, first, &place, 1, &error));
    broker->operations->destroy(broker); /* while the answer is under way */
}

static void a_group_without_a_name_is_not_asked(void **state)
{
    struct error error = {0};
    struct broker *broker = fixture_broker(*state, 2, false);
    struct broker_place place = {"orders", 0, 0};
    assert_false(broker->operations->ask_committed(broker, "", &place, 1, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_int_equal(broker->operations->committed(broker, &place, 1, &error), BROKER_UNASKED);
    broker->operations->destroy(broker);
}

/* On a broker that has just been started, or goes away meanwhile: no test, which would end with the
 * first that fails. */
static int ask_for(const char *brokers, int64_t seconds)
{
    struct error error = {0};
    struct kafka_options options = {.brokers = brokers, .cluster = "nobody", .shards = 1,
                                    .clock = &fixture_clock};
    struct kafka_cluster *cluster = kafka_cluster_create(&options, &error);
    struct broker *broker = broker_kafka_create(cluster, 0, &error);
    int64_t end_ms = steady_ms() + seconds * 1000;
    while (steady_ms() < end_ms) {
        struct broker_place place = {"orders", 0, 0};
        error_clear(&error);
        enum broker_answer answer = BROKER_UNANSWERED;
        if (broker->operations->ask_committed(broker, "workers", &place, 1, &error))
            answer = await_answer(broker, &place, 1, &error);
        (void)printf("%s\n", answer == BROKER_ANSWERED ? "answered" : error.message);
        (void)fflush(stdout);
    }
    broker->operations->destroy(broker);
    kafka_cluster_destroy(cluster);
    return 0;
}

int main(int argc, char **argv)
{
    static const char ask_option[] = "--ask-for-s=";
    if (argc == 2 && strncmp(argv[1], ask_option, sizeof ask_option - 1) == 0)
        return ask_for(fixture_brokers(), strtoll(argv[1] + sizeof ask_option - 1, NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_read_back_in_their_order),
        cmocka_unit_test(ticks_of_two_shards_do_not_meet),
        cmocka_unit_test(ticks_are_outside_of_the_transaction),
        cmocka_unit_test(an_open_transaction_hides_the_tick_as_well),
        cmocka_unit_test(the_coordinator_says_what_is_committed),
        cmocka_unit_test(many_partitions_at_once),
        cmocka_unit_test(a_new_question_takes_the_place_of_the_old_one),
        cmocka_unit_test(a_group_without_a_name_is_not_asked),
    };
    return cmocka_run_group_tests_name("runs on a real kafka", tests, fixture_open_all,
                                       fixture_close_all);
}
