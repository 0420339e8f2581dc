/* Topics and the group of daemons on a real Kafka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/kafka_fixture.h"

enum { REPORT_BYTES = 4096 };

struct report_text {
    char text[REPORT_BYTES];
    int lines;
};

static void collect(void *opaque, const char *text)
{
    struct report_text *report = opaque;
    size_t used = strlen(report->text);
    (void)snprintf(report->text + used, sizeof report->text - used, "%s\n", text);
    report->lines++;
}

static rd_kafka_t *handle_of(struct kafka_fixture *fixture)
{
    return kafka_reader_handle(kafka_cluster_reader(fixture->cluster));
}

static void topics_are_made_as_the_contract_says(void **state)
{
    struct error error = {0};
    struct kafka_fixture fixture;
    struct report_text made = {0}, again = {0};
    fixture_open(&fixture, *state);
    OK(kafka_cluster_prepare_topics(fixture.cluster, &(struct kafka_report){&made, collect},
                                    &error));
    assert_int_equal(made.lines, TOPIC_OWN_COUNT);
    assert_true(kafka_cluster_runs_by_append_time(fixture.cluster));
    OK(kafka_cluster_prepare_topics(fixture.cluster, &(struct kafka_report){&again, collect},
                                    &error));
    if (again.lines != 0) fail_msg("just made, yet different: %s", again.text);
    assert_true(strlen(kafka_cluster_id(fixture.cluster)) > 10);
    fixture_close(&fixture);
}

static void other_number_of_shards_is_refused(void **state)
{
    struct error error = {0};
    struct kafka_fixture first, second;
    fixture_open(&first, *state);
    OK(kafka_cluster_prepare_topics(first.cluster, NULL, &error));
    fixture_second(&second, &first);
    second.options.shards = FIXTURE_SHARDS + 3;
    assert_false(kafka_cluster_prepare_topics(second.cluster, NULL, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_non_null(strstr(error.message, "4 partitions"));
    assert_non_null(strstr(error.message, "shards = 7"));
    fixture_close(&second);
    fixture_close(&first);
}

static void create(struct kafka_fixture *fixture, enum broker_topic topic,
                   const struct kafka_property *settings, size_t count)
{
    struct error error = {0};
    char name[TOPIC_NAME_BYTES];
    kafka_topic_name(fixture->name, topic, name);
    OK(kafka_admin_create(handle_of(fixture), name, FIXTURE_SHARDS, settings, count, &error));
    struct kafka_topic_facts facts = {0};
    int64_t deadline_us = fixture_clock.monotonic_us(NULL) + FIXTURE_DEADLINE_MS * INT64_C(1000);
    while (!facts.exists && fixture_clock.monotonic_us(NULL) < deadline_us)
        OK(kafka_admin_look_up(handle_of(fixture), name, &facts, &error));
}

/* Whether a claim came in time is for the broker's clock to say. */
static void runs_by_the_senders_clock_are_seen(void **state)
{
    struct error error = {0};
    struct kafka_fixture fixture;
    struct report_text report = {0};
    const struct kafka_property odd = {"message.timestamp.type", "CreateTime"};
    fixture_open(&fixture, *state);
    create(&fixture, TOPIC_RUNS, &odd, 1);
    OK(kafka_cluster_prepare_topics(fixture.cluster, &(struct kafka_report){&report, collect},
                                    &error));
    assert_non_null(strstr(report.text, ".runs: message.timestamp.type is CreateTime, Belfry would "
                                        "set LogAppendTime; whether a worker took a fire in time"));
    assert_false(kafka_cluster_runs_by_append_time(fixture.cluster));
    fixture_close(&fixture);
}

static void differences_are_reported(void **state)
{
    struct error error = {0};
    struct kafka_fixture fixture;
    struct report_text report = {0};
    const struct kafka_property odd[] = {{"message.timestamp.type", "CreateTime"},
                                         {"retention.ms", "1000"},
                                         {"max.message.bytes", "1000"}};
    fixture_open(&fixture, *state);
    create(&fixture, TOPIC_CONTROL, odd, 3);
    OK(kafka_cluster_prepare_topics(fixture.cluster, &(struct kafka_report){&report, collect},
                                    &error));
    assert_non_null(strstr(report.text, "message.timestamp.type is CreateTime, Belfry would set "
                                        "LogAppendTime"));
    assert_non_null(strstr(report.text, "retention.ms is 1000"));
    assert_non_null(strstr(report.text, "max.message.bytes is 1000"));
    assert_null(strstr(report.text, "cleanup.policy"));
    fixture_close(&fixture);
}

static void join_and_share(struct kafka_fixture *first, struct kafka_fixture *second,
                           struct kafka_assignment *ours, struct kafka_assignment *theirs)
{
    struct error error = {0};
    bool changed = false;
    OK(kafka_cluster_join(second->cluster, &error));
    int64_t deadline_us = fixture_clock.monotonic_us(NULL) + FIXTURE_DEADLINE_MS * INT64_C(1000);
    while (ours->count != 2 || theirs->count != 2) {
        OK(kafka_cluster_poll(first->cluster, 20, ours, &changed, &error));
        OK(kafka_cluster_poll(second->cluster, 20, theirs, &changed, &error));
        if (fixture_clock.monotonic_us(NULL) > deadline_us) fail_msg("not shared in time");
    }
}

/* A second member takes half; what is no longer the first's cannot be proven; the whole comes
 * back when the second leaves. */
static void shards_move_between_members(void **state)
{
    struct error error = {0};
    struct kafka_fixture first, second;
    struct kafka_assignment ours = {0}, theirs = {0};
    fixture_open(&first, *state);
    fixture_start(&first);
    fixture_second(&second, &first);
    join_and_share(&first, &second, &ours, &theirs);
    assert_int_not_equal(ours.shards[0], theirs.shards[0]);
    struct kafka_member *member = kafka_cluster_member(first.cluster);
    OK(kafka_member_prove(member, ours.shards[1], 5, &error));
    assert_false(kafka_member_prove(member, theirs.shards[0], 5, &error));
    assert_int_equal(error.kind, ERROR_FENCED);
    error_clear(&error);

    OK(kafka_cluster_leave(second.cluster, 5000, &error));
    int64_t left_us = fixture_clock.monotonic_us(NULL);
    (void)fixture_await_shards(&first, FIXTURE_SHARDS);
    int64_t took_ms = (fixture_clock.monotonic_us(NULL) - left_us) / 1000;
    if (took_ms > 3000) fail_msg("taken over %d ms after a leave", (int)took_ms);
    OK(kafka_member_prove(member, theirs.shards[0], 5, &error));
    fixture_close(&second);
    fixture_close(&first);
}

/* Who rests leaves all shards to the other, and gets some again when it joins. */
static void a_member_rests(void **state)
{
    struct error error = {0};
    struct kafka_fixture first, second;
    struct kafka_assignment ours = {0}, theirs = {0};
    bool changed = false;
    int32_t members = 0;
    fixture_open(&first, *state);
    fixture_start(&first);
    OK(kafka_cluster_members(first.cluster, &members, &error));
    assert_int_equal(members, 1);
    fixture_second(&second, &first);
    join_and_share(&first, &second, &ours, &theirs);
    int64_t deadline_us = fixture_clock.monotonic_us(NULL) + FIXTURE_DEADLINE_MS * INT64_C(1000);
    kafka_cluster_rest(first.cluster);
    assert_false(kafka_member_prove(kafka_cluster_member(first.cluster), 0, 1, &error));
    error_clear(&error);
    while (theirs.count != FIXTURE_SHARDS) {
        OK(kafka_cluster_poll(first.cluster, 20, &ours, &changed, &error));
        assert_false(changed);
        OK(kafka_cluster_poll(second.cluster, 20, &theirs, &changed, &error));
        if (fixture_clock.monotonic_us(NULL) > deadline_us) fail_msg("not all left in time");
    }
    OK(kafka_cluster_join(first.cluster, &error));
    ours.count = 0;
    while (ours.count != 2) {
        OK(kafka_cluster_poll(first.cluster, 20, &ours, &changed, &error));
        OK(kafka_cluster_poll(second.cluster, 20, &theirs, &changed, &error));
        if (fixture_clock.monotonic_us(NULL) > deadline_us) fail_msg("not back in time");
    }
    fixture_close(&second);
    fixture_close(&first);
}

/* Between the group's call to rejoin and the new assignment, nobody may prove anything. */
static void nothing_is_proven_while_the_group_is_rebalanced(void **state)
{
    struct error error = {0};
    struct kafka_fixture first, second;
    struct kafka_assignment seen = {0};
    bool changed = false, refused = false;
    fixture_open(&first, *state);
    fixture_start(&first);
    struct kafka_member *member = kafka_cluster_member(first.cluster);
    fixture_second(&second, &first);
    OK(kafka_cluster_join(second.cluster, &error));
    /* A poll that does not wait serves the revoke alone: the new assignment needs a round trip. */
    int64_t deadline_us = fixture_clock.monotonic_us(NULL) + FIXTURE_DEADLINE_MS * INT64_C(1000);
    while (!refused && fixture_clock.monotonic_us(NULL) < deadline_us) {
        fixture_clock.sleep_ms(NULL, 1);
        OK(kafka_cluster_poll(first.cluster, 0, &seen, &changed, &error));
        assert_false(changed); /* a revoke alone is no news */
        refused = !kafka_member_prove(member, 0, 1, &error);
    }
    assert_true(refused);
    assert_int_equal(error.kind, ERROR_RETRY);
    assert_non_null(strstr(error.message, "rebalanced"));
    fixture_close(&second);
    fixture_close(&first);
}

static int find_kafka(void **state)
{
    *state = (void *)(uintptr_t)fixture_brokers();
    return *state == NULL ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_made_as_the_contract_says),
        cmocka_unit_test(other_number_of_shards_is_refused),
        cmocka_unit_test(differences_are_reported),
        cmocka_unit_test(runs_by_the_senders_clock_are_seen),
        cmocka_unit_test(shards_move_between_members),
        cmocka_unit_test(a_member_rests),
        cmocka_unit_test(nothing_is_proven_while_the_group_is_rebalanced),
    };
    return cmocka_run_group_tests_name("kafka cluster", tests, find_kafka, NULL);
}
