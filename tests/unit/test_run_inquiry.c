/* What is asked about runs whose lease is over, of whom and when, and what becomes of the answers:
 * real open runs, and a Kafka that says what a test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/engine/run_inquiry.h"
#include "tests/support/runs_rig.h"

enum { SAID_BYTES = 1000, ASKED_MOST = 8 };
#define LEASE_MS (60 * SECONDS_MS)

struct desk {
    struct broker broker; /* first: the port's pointer is ours */
    struct runs_rig rig;
    struct observer observer;
    struct run_inquiry *inquiry;
    char said[SAID_BYTES]; /* questions, ticks and warnings, in words */
    enum broker_answer answer;
    const char *refused_group; /* NULL: none */
    bool refuses_ticks;
    int64_t committed[ASKED_MOST]; /* of the places, in the order in which they are asked */
};

static void say(struct desk *desk, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct desk *desk, const char *format, ...)
{
    size_t used = strlen(desk->said);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(desk->said + used, sizeof desk->said - used, format, arguments);
    va_end(arguments);
}

/* Since it was last looked. */
static void expect_said(struct desk *desk, const char *said)
{
    assert_string_equal(desk->said, said);
    desk->said[0] = '\0';
}

/* ---- Kafka ---- */

static bool ask_committed(struct broker *broker, const char *group,
                          const struct broker_place *places, size_t count, struct error *error)
{
    struct desk *desk = (struct desk *)broker;
    if (desk->refused_group != NULL && strcmp(group, desk->refused_group) == 0)
        return error_set(error, ERROR_RETRY, "no question");
    say(desk, "%s:", group);
    for (size_t i = 0; i < count; i++)
        say(desk, " %s/%d", places[i].topic, (int)places[i].partition);
    say(desk, "; ");
    desk->answer = BROKER_ASKED;
    return true;
}

static enum broker_answer committed(struct broker *broker, struct broker_place *places,
                                    size_t count, struct error *error)
{
    struct desk *desk = (struct desk *)broker;
    enum broker_answer answer = desk->answer;
    assert_in_range(count, 1, ASKED_MOST);
    if (answer == BROKER_ASKED) return answer;
    for (size_t i = 0; i < count && answer == BROKER_ANSWERED; i++)
        places[i].committed = desk->committed[i];
    if (answer == BROKER_UNANSWERED) (void)error_set(error, ERROR_RETRY, "no answer");
    desk->answer = BROKER_UNASKED;
    return answer;
}

static bool tick(struct broker *broker, struct text value, struct error *error)
{
    struct desk *desk = (struct desk *)broker;
    say(desk, "%.*s; ", (int)value.length, value.bytes);
    return !desk->refuses_ticks || error_set(error, ERROR_RETRY, "no tick");
}

static const struct broker_operations operations = {
    .ask_committed = ask_committed, .committed = committed, .tick = tick};

static void hear(void *opaque, enum observed_kind kind, enum observer_level level, int32_t shard,
                 const struct observed *said)
{
    assert_int_equal(kind, OBSERVED_SHARD_RETRY);
    assert_true(level == LEVEL_WARN && shard == 3);
    say(opaque, "! %s; ", said->message);
}

/* ---- a desk ---- */

static struct desk *open_desk(void)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    desk->broker.operations = &operations;
    desk->observer = (struct observer){.opaque = desk, .told = hear};
    runs_rig_open(&desk->rig);
    desk->inquiry = run_inquiry_create(&desk->broker, &desk->observer, 3);
    return desk;
}

static void close_desk(struct desk *desk)
{
    run_inquiry_destroy(desk->inquiry);
    runs_rig_close(&desk->rig);
    free(desk);
}

static void look(struct desk *desk)
{
    run_inquiry_look(desk->inquiry, desk->rig.runs, desk->rig.now);
}

static void answer(struct desk *desk, int64_t first, int64_t second)
{
    desk->answer = BROKER_ANSWERED;
    desk->committed[0] = first;
    desk->committed[1] = second;
    look(desk);
}

/* A run of the job, claimed by one of the group that has read its fire there, offset 1000. */
static struct run_view claim(struct desk *desk, int job, const char *group, const char *topic,
                             int32_t partition)
{
    struct run_view run;
    desk->rig.jobs[job].terms.workers = text_of(group);
    runs_rig_fire(&desk->rig, job, &run);
    struct report started = {.kind = REPORT_STARTED,
                             .run = text_of(run.id),
                             .runnumber = run.record.runnumber,
                             .token = text_of("t"),
                             .worker = text_of("w"),
                             .workers = text_of(group),
                             .topic = text_of(topic),
                             .partition = partition,
                             .offset = 1000,
                             .exit_code = -1,
                             .retry_after_ms = -1};
    runs_rig_report(&desk->rig, &started, desk->rig.now.now_ms);
    return run;
}

static void expect_tick(struct desk *desk, int number)
{
    char said[SAID_BYTES];
    const char *at = strstr(desk->said, "{\"tick\":{\"owner\":\"");
    assert_non_null(at);
    (void)snprintf(said, sizeof said, "\"epoch\":%d,\"number\":%d}}; ", (int)desk->rig.epoch,
                   number);
    assert_non_null(strstr(at, said));
    assert_int_equal(strlen(strstr(at, said)), strlen(said)); /* and nothing after it */
    desk->said[0] = '\0';
}

/* ---- tests ---- */

static void a_tick_follows_the_answer(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    (void)claim(desk, 0, "crew", "work", 3);
    look(desk);
    runs_rig_pass(&desk->rig, LEASE_MS);
    look(desk);
    expect_said(desk, ""); /* its lease and a second have not passed */
    runs_rig_pass(&desk->rig, SECONDS_MS);
    look(desk);
    look(desk); /* no answer yet: nothing is asked twice */
    expect_said(desk, "crew: work/3; ");
    answer(desk, 1001, 0);
    expect_tick(desk, 1);
    look(desk);
    expect_said(desk, ""); /* at most one a second */
    runs_rig_pass(&desk->rig, SECONDS_MS);
    look(desk);
    expect_tick(desk, 2); /* the first may have been lost */
    struct run_view run;
    runs_rig_tick(&desk->rig, 2, desk->rig.now.now_ms);
    assert_true(runs_look(desk->rig.runs, 0, &run));
    assert_int_equal(run.record.state, RUN_STATE_WAITING); /* lost, and to be tried again */
    close_desk(desk);
}

static void not_committed_is_asked_again_and_no_tick_is_sent(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    (void)claim(desk, 0, "crew", "work", 3);
    runs_rig_pass(&desk->rig, LEASE_MS + SECONDS_MS);
    look(desk);
    answer(desk, 1000, 0); /* it reads the fire next */
    expect_said(desk, "crew: work/3; ");
    runs_rig_pass(&desk->rig, SECONDS_MS);
    look(desk);
    answer(desk, BROKER_COMMITTED_NONE, 0);
    expect_said(desk, "crew: work/3; ");
    runs_rig_pass(&desk->rig, SECONDS_MS);
    look(desk);
    expect_said(desk, ""); /* twice as long as before */
    runs_rig_pass(&desk->rig, SECONDS_MS);
    look(desk);
    answer(desk, 5000, 0);
    assert_int_equal(strncmp(desk->said, "crew: work/3; {", 15), 0);
    expect_tick(desk, 1);
    close_desk(desk);
}

/* All that lapsed: one request for each group, a partition named once, one after the other. */
static void one_request_for_all_of_a_group(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    (void)claim(desk, 0, "crew", "work", 3);
    (void)claim(desk, 1, "crew", "play", 9);
    (void)claim(desk, 2, "crew", "work", 3);
    (void)claim(desk, 3, "band", "work", 3);
    (void)claim(desk, 4, "crew", "work", 1);
    runs_rig_pass(&desk->rig, LEASE_MS + SECONDS_MS);
    look(desk);
    expect_said(desk, "band: work/3; ");
    look(desk);
    expect_said(desk, "");
    answer(desk, 7, 0);
    expect_said(desk, "crew: play/9 work/1 work/3; ");
    desk->committed[2] = 2000; /* of both runs there */
    answer(desk, 0, 0);
    expect_tick(desk, 1);
    struct run_view run;
    runs_rig_tick(&desk->rig, 1, desk->rig.now.now_ms);
    for (uint32_t k = 0; k < 5; k++) {
        assert_true(runs_look(desk->rig.runs, k, &run));
        bool lost = run.record.ordinal == 0 || run.record.ordinal == 2;
        assert_int_equal(run.record.state, lost ? RUN_STATE_WAITING : RUN_STATE_CLAIMED);
    }
    close_desk(desk);
}

/* What nobody knows is no "no": else a try that is done would be called never started. */
static void what_is_not_said_is_no_answer(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    (void)claim(desk, 0, "crew", "work", 3);
    runs_rig_pass(&desk->rig, LEASE_MS + SECONDS_MS);
    look(desk);
    desk->said[0] = '\0';
    answer(desk, BROKER_COMMITTED_UNKNOWN, 0);
    expect_said(desk, "! Kafka does not say how far group crew has committed in topic work: may "
                       "we describe both?; ");
    runs_rig_pass(&desk->rig, SECONDS_MS);
    look(desk);
    desk->answer = BROKER_UNANSWERED;
    look(desk);
    expect_said(desk, "crew: work/3; "); /* told once a minute */
    runs_rig_pass(&desk->rig, LEASE_MS);
    look(desk);
    expect_tick(desk, 1); /* its time to be started is over: lost, for nobody said no */
    runs_rig_tick(&desk->rig, 1, desk->rig.now.now_ms);
    struct run_view run;
    assert_true(runs_look(desk->rig.runs, 0, &run));
    assert_int_equal(run.record.tries[0].outcome, RUN_LOST);
    close_desk(desk);
}

static void what_cannot_be_sent_is_told_and_tried_again(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    (void)claim(desk, 0, "crew", "work", 3);
    (void)claim(desk, 1, "band", "work", 3);
    runs_rig_pass(&desk->rig, LEASE_MS + SECONDS_MS);
    desk->refused_group = "band";
    look(desk);
    expect_said(desk, "! no question; crew: work/3; "); /* the other one all the same */
    answer(desk, 1000, 0);
    runs_rig_pass(&desk->rig, SECONDS_MS);
    desk->refused_group = NULL;
    look(desk);
    expect_said(desk, "band: work/3; ");
    desk->refuses_ticks = true;
    runs_rig_pass(&desk->rig, 100); /* its answer still counts */
    answer(desk, 1001, 0);
    assert_int_equal(strncmp(desk->said, "crew: work/3; {", 15), 0);
    expect_tick(desk, 1); /* not told: within a minute */
    runs_rig_pass(&desk->rig, SECONDS_MS);
    desk->refuses_ticks = false;
    look(desk);
    expect_tick(desk, 2);
    close_desk(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tick_follows_the_answer),
        cmocka_unit_test(not_committed_is_asked_again_and_no_tick_is_sent),
        cmocka_unit_test(one_request_for_all_of_a_group),
        cmocka_unit_test(what_is_not_said_is_no_answer),
        cmocka_unit_test(what_cannot_be_sent_is_told_and_tried_again),
    };
    return cmocka_run_group_tests_name("run inquiry", tests, NULL, NULL);
}
