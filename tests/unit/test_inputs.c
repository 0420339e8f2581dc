/* The order in which commands are handed out, and when a shard may believe it has read all that
 * was there: only then may time pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dispatcher/engine/inputs.h"

struct fake_broker {
    struct broker broker;
    int64_t ends[TOPIC_OWN_COUNT];
    int released;
};

static bool offsets(struct broker *broker, enum broker_topic topic, int64_t *first, int64_t *end,
                    struct error *error)
{
    const struct fake_broker *fake = (const struct fake_broker *)broker;
    (void)error;
    *first = 0;
    *end = fake->ends[topic];
    return true;
}

static bool start_reading(struct broker *broker, enum broker_topic topic, int64_t offset,
                          struct error *error)
{
    (void)broker;
    (void)topic;
    (void)error;
    return offset >= 0;
}

static void release(struct broker *broker, struct broker_input *input)
{
    (void)input;
    ((struct fake_broker *)broker)->released++;
}

static const struct broker_operations operations = {
    .offsets = offsets, .start_reading = start_reading, .release = release};

static void start(struct inputs *inputs, struct fake_broker *fake, int64_t control_end,
                  int64_t forward_end)
{
    struct error error = {0};
    *fake = (struct fake_broker){.broker = {.operations = &operations}};
    fake->ends[TOPIC_CONTROL] = control_end;
    fake->ends[TOPIC_FORWARD] = forward_end;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_order_across_the_two_topics),
        cmocka_unit_test(caught_up_at_the_captured_ends),
        cmocka_unit_test(an_end_that_was_passed_before_is_not_waited_for),
    };
    return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
