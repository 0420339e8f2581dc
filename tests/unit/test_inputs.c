/* The order in which commands are handed out, and when a shard may believe it has read all that
 * was there: only then may time pass. And that reports of runs are beside all this. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dispatcher/engine/inputs.h"

struct fake_broker {
    struct broker broker;
    int64_t ends[TOPIC_OWN_COUNT];
    int asked[TOPIC_OWN_COUNT]; /* where it ends */
    int64_t reading[TOPIC_OWN_COUNT]; /* from where; -1: it is not read */
    bool away;
    int released;
};

static bool offsets(struct broker *broker, enum broker_topic topic, int64_t *first, int64_t *end,
                    struct error *error)
{
    struct fake_broker *fake = (struct fake_broker *)broker;
    if (fake->away) return error_set(error, ERROR_RETRY, "away");
    fake->asked[topic]++;
    *first = 0;
    *end = fake->ends[topic];
    return true;
}

static bool start_reading(struct broker *broker, enum broker_topic topic, int64_t offset,
                          struct error *error)
{
    struct fake_broker *fake = (struct fake_broker *)broker;
    (void)error;
    assert_int_equal(fake->reading[topic], -1);
    fake->reading[topic] = offset;
    return offset >= 0;
}

static void stop_reading(struct broker *broker, enum broker_topic topic)
{
    ((struct fake_broker *)broker)->reading[topic] = -1;
}

static void release(struct broker *broker, struct broker_input *input)
{
    (void)input;
    ((struct fake_broker *)broker)->released++;
}

static const struct broker_operations operations = {
    .offsets = offsets, .start_reading = start_reading, .stop_reading = stop_reading,
    .release = release};

static void start(struct inputs *inputs, struct fake_broker *fake, int64_t control_end,
                  int64_t forward_end)
{
    struct error error = {0};
    *fake = (struct fake_broker){.broker = {.operations = &operations}};
    fake->ends[TOPIC_CONTROL] = control_end;
    fake->ends[TOPIC_FORWARD] = forward_end;
    for (int topic = 0; topic < TOPIC_OWN_COUNT; topic++) fake->reading[topic] = -1;
    inputs_init(inputs, &fake->broker);
    assert_true(inputs_start(inputs, &(struct mark){0}, &error));
}

static void give(struct inputs *inputs, enum broker_topic topic, enum broker_input_kind kind,
                 int64_t offset, int64_t log_time_ms)
{
    struct broker_input input = {
        .kind = kind, .topic = topic, .offset = offset, .log_time_ms = log_time_ms};
    assert_true(inputs_take(inputs, &input));
}

static void expect_next(struct inputs *inputs, enum broker_topic topic, int64_t offset)
{
    const struct broker_input *next = inputs_next(inputs);
    assert_non_null(next);
    assert_int_equal(next->topic, topic);
    assert_int_equal(next->offset, offset);
    inputs_done(inputs, next);
}

static void log_order_across_the_two_topics(void **state)
{
    (void)state;
    struct inputs inputs;
    struct fake_broker fake;
    start(&inputs, &fake, 2, 2);
    give(&inputs, TOPIC_CONTROL, BROKER_RECORD, 0, 100);
    assert_null(inputs_next(&inputs)); /* an older one may still come from the other topic */
    give(&inputs, TOPIC_FORWARD, BROKER_RECORD, 0, 50);
    expect_next(&inputs, TOPIC_FORWARD, 0);
    assert_null(inputs_next(&inputs));
    give(&inputs, TOPIC_FORWARD, BROKER_RECORD, 1, 150);
    expect_next(&inputs, TOPIC_CONTROL, 0);
    give(&inputs, TOPIC_CONTROL, BROKER_RECORD, 1, 160);
    expect_next(&inputs, TOPIC_FORWARD, 1);
    expect_next(&inputs, TOPIC_CONTROL, 1);
    assert_int_equal(fake.released, 4);
    inputs_clear(&inputs);
}

static void caught_up_at_the_captured_ends(void **state)
{
    (void)state;
    struct inputs inputs;
    struct fake_broker fake;
    start(&inputs, &fake, 3, 1);
    give(&inputs, TOPIC_CONTROL, BROKER_RECORD, 0, 100);
    give(&inputs, TOPIC_FORWARD, BROKER_RECORD, 0, 100);
    assert_false(inputs_caught_up(&inputs)); /* 1 and 2 may be records or markers */
    give(&inputs, TOPIC_CONTROL, BROKER_END, 3, 0);
    assert_true(inputs_caught_up(&inputs));
    inputs_clear(&inputs);
    assert_int_equal(fake.released, 2);
}

static void an_end_that_was_passed_before_is_not_waited_for(void **state)
{
    (void)state;
    struct inputs inputs;
    struct fake_broker fake;
    struct error error = {0};
    start(&inputs, &fake, 0, 0);
    assert_true(inputs_caught_up(&inputs)); /* empty topics */
    give(&inputs, TOPIC_CONTROL, BROKER_RECORD, 0, 100);
    give(&inputs, TOPIC_CONTROL, BROKER_END, 2, 0); /* told once, a marker behind the record */
    fake.ends[TOPIC_CONTROL] = 2;
    assert_true(inputs_capture_ends(&inputs, &error));
    assert_true(inputs_caught_up(&inputs));
    fake.ends[TOPIC_CONTROL] = 5; /* more has come while the process stood still */
    assert_true(inputs_capture_ends(&inputs, &error));
    assert_false(inputs_caught_up(&inputs));
    give(&inputs, TOPIC_CONTROL, BROKER_RECORD, 4, 200);
    assert_true(inputs_caught_up(&inputs));
    inputs_clear(&inputs);
}

/* ---- reports ---- */

static void nobody_pays_for_reports_that_nobody_reads(void **state)
{
    (void)state;
    struct inputs inputs;
    struct fake_broker fake;
    struct error error = {0};
    start(&inputs, &fake, 0, 0);
    assert_true(inputs_capture_ends(&inputs, &error));
    bool more = false;
    const struct inputs_heard heard = inputs_heard(&inputs);
    assert_true(inputs_more(&inputs, &heard, &more, &error));
    assert_int_equal(fake.asked[TOPIC_RUNS], 0);
    assert_int_equal(fake.reading[TOPIC_RUNS], -1);
    assert_true(inputs_runs_caught_up(&inputs));
    struct broker_input late = {.kind = BROKER_RECORD, .topic = TOPIC_RUNS};
    assert_false(inputs_take(&inputs, &late));
    inputs_clear(&inputs);
}

static void expect_report(struct inputs *inputs, int64_t offset)
{
    const struct broker_input *next = inputs_next_of(inputs, INPUT_RUNS);
    assert_non_null(next);
    assert_int_equal(next->topic, TOPIC_RUNS);
    assert_int_equal(next->offset, offset);
    inputs_done(inputs, next);
}

/* Append times step back where the leader changes: the log's order is that of its offsets. */
static void reports_come_in_the_order_of_their_log(void **state)
{
    (void)state;
    struct inputs inputs;
    struct fake_broker fake;
    struct error error = {0};
    start(&inputs, &fake, 0, 0);
    fake.ends[TOPIC_RUNS] = 9;
    assert_true(inputs_start_runs(&inputs, 5, &error));
    assert_int_equal(fake.reading[TOPIC_RUNS], 5);
    assert_false(inputs_runs_caught_up(&inputs));
    give(&inputs, TOPIC_RUNS, BROKER_RECORD, 5, 300);
    give(&inputs, TOPIC_RUNS, BROKER_RECORD, 6, 100);
    assert_false(inputs_runs_caught_up(&inputs));
    give(&inputs, TOPIC_RUNS, BROKER_END, 9, 0); /* markers of a client's transactions */
    assert_true(inputs_runs_caught_up(&inputs));
    assert_int_equal(inputs_done_to(&inputs, INPUT_RUNS), 0);
    expect_report(&inputs, 5);
    expect_report(&inputs, 6);
    assert_null(inputs_next_of(&inputs, INPUT_RUNS));
    assert_int_equal(inputs_done_to(&inputs, INPUT_RUNS), 9);
    inputs_clear(&inputs);
}

static void commands_and_reports_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct inputs inputs;
    struct fake_broker fake;
    struct error error = {0};
    start(&inputs, &fake, 3, 0);
    fake.ends[TOPIC_RUNS] = 100;
    assert_true(inputs_start_runs(&inputs, 0, &error));
    give(&inputs, TOPIC_RUNS, BROKER_RECORD, 0, 50);
    expect_report(&inputs, 0); /* though an older command is still to come */
    give(&inputs, TOPIC_CONTROL, BROKER_RECORD, 2, 200);
    assert_true(inputs_caught_up(&inputs)); /* though there are more reports */
    give(&inputs, TOPIC_RUNS, BROKER_RECORD, 1, 60);
    expect_next(&inputs, TOPIC_CONTROL, 2); /* though a report is older */
    assert_null(inputs_next(&inputs));
    assert_int_equal(inputs_count(&inputs), 1);
    expect_report(&inputs, 1);
    fake.ends[TOPIC_RUNS] = 500;
    bool more = true; /* what was decided without it stands */
    const struct inputs_heard heard = inputs_heard(&inputs);
    assert_true(inputs_more(&inputs, &heard, &more, &error));
    assert_false(more);
    inputs_clear(&inputs);
    assert_int_equal(fake.released, 3);
}

static void who_stops_reading_reports_forgets_them(void **state)
{
    (void)state;
    struct inputs inputs;
    struct fake_broker fake;
    struct error error = {0};
    start(&inputs, &fake, 0, 0);
    fake.ends[TOPIC_RUNS] = 4;
    assert_true(inputs_start_runs(&inputs, 0, &error));
    give(&inputs, TOPIC_RUNS, BROKER_RECORD, 0, 10);
    give(&inputs, TOPIC_RUNS, BROKER_RECORD, 1, 11);
    inputs_stop_runs(&inputs);
    assert_int_equal(fake.reading[TOPIC_RUNS], -1);
    assert_int_equal(fake.released, 2);
    assert_null(inputs_next_of(&inputs, INPUT_RUNS));
    assert_int_equal(inputs_bytes(&inputs), 0);
    struct broker_input late = {.kind = BROKER_RECORD, .topic = TOPIC_RUNS, .offset = 2};
    assert_false(inputs_take(&inputs, &late));
    inputs_stop_runs(&inputs); /* nothing happens */
    fake.ends[TOPIC_RUNS] = 8;
    assert_true(inputs_start_runs(&inputs, 8, &error)); /* a later job: from the end on */
    assert_true(inputs_runs_caught_up(&inputs));
    give(&inputs, TOPIC_RUNS, BROKER_RECORD, 8, 12);
    expect_report(&inputs, 8);
    inputs_clear(&inputs);
}

static void reports_are_not_read_where_their_end_is_not_told(void **state)
{
    (void)state;
    struct inputs inputs;
    struct fake_broker fake;
    struct error error = {0};
    start(&inputs, &fake, 0, 0);
    fake.away = true;
    assert_false(inputs_start_runs(&inputs, 0, &error));
    assert_int_equal(error.kind, ERROR_RETRY);
    assert_int_equal(fake.reading[TOPIC_RUNS], -1);
    fake.away = false;
    error_clear(&error);
    assert_true(inputs_start_runs(&inputs, 0, &error)); /* the same again */
    assert_int_equal(fake.reading[TOPIC_RUNS], 0);
    inputs_clear(&inputs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_order_across_the_two_topics),
        cmocka_unit_test(caught_up_at_the_captured_ends),
        cmocka_unit_test(an_end_that_was_passed_before_is_not_waited_for),
        cmocka_unit_test(nobody_pays_for_reports_that_nobody_reads),
        cmocka_unit_test(reports_come_in_the_order_of_their_log),
        cmocka_unit_test(commands_and_reports_do_not_wait_for_each_other),
        cmocka_unit_test(who_stops_reading_reports_forgets_them),
        cmocka_unit_test(reports_are_not_read_where_their_end_is_not_told),
    };
    return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
