/* What is bounded: how often a try is handed back, letters and answers to strangers, what is kept
 * of a run, the bytes that hostile reports take. And a hundred thousand runs that another owner
 * takes over. */
#include <inttypes.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "dispatcher/engine/tally.h"
#include "tests/support/rows.h"
#include "tests/support/runs_rig.h"

enum { HOSTILE = 1000000, MANY = 100000, CLOSED = 3000 };

struct ear {
    struct runs_rig rig;
    int counts[RIG_WITHDRAWN + 1];
    enum run_outcome outcome;
    struct run_record last; /* its texts are gone */
};

static void hear(void *opaque, const struct rig_heard *heard)
{
    struct ear *ear = opaque;
    ear->counts[heard->word]++;
    if (heard->run != NULL) ear->last = heard->run->record;
    if (heard->end != NULL) ear->outcome = heard->end->outcome;
}

static struct ear *open_ear(void)
{
    struct ear *ear = calloc(1, sizeof *ear);
    assert_non_null(ear);
    runs_rig_open(&ear->rig);
    ear->rig.heard = hear;
    ear->rig.opaque = ear;
    return ear;
}

static void close_ear(struct ear *ear)
{
    runs_rig_close(&ear->rig);
    free(ear);
}

/* As an owner does who reads only as much of a report as it takes. */
static bool is_passed_over(struct ear *ear, const struct report *report)
{
    struct runs_place place = {
        .offset = ear->rig.log_end++, .log_ms = ear->rig.now.now_ms, .now = ear->rig.now};
    bool passed = runs_pass_over(ear->rig.runs, &place, report);
    if (!passed) runs_report(ear->rig.runs, &place, report, &ear->rig.sink);
    runs_read(ear->rig.runs, place.offset);
    return passed;
}

static void report(struct ear *ear, const struct report *report)
{
    (void)is_passed_over(ear, report);
}

static struct report report_of(const struct run_view *view, enum report_kind kind,
                               enum run_outcome outcome)
{
    return (struct report){.kind = kind,
                           .outcome = outcome,
                           .run = text_of(view->id),
                           .runnumber = view->record.runnumber,
                           .token = text_of("t"),
                           .worker = text_of("w"),
                           .workers = text_of("crew"),
                           .topic = text_of("work"),
                           .exit_code = -1,
                           .retry_after_ms = -1};
}

/* The hundred and first time it counts as a failure. */
static void check_released(void **state)
{
    (void)state;
    struct ear *ear = open_ear();
    struct run_view view;
    ear->rig.jobs[0].terms.retry.attempts = 1;
    runs_rig_fire(&ear->rig, 0, &view);
    for (int i = 0; i < RUN_RELEASED_MAX; i++) {
        struct report released = report_of(&view, REPORT_RELEASED, RUN_SUCCESS);
        report(ear, &released);
        int64_t wait_ms = i < 60 ? i * SECONDS_MS : MINUTES_MS;
        if (wait_ms > 0) {
            runs_rig_pass(&ear->rig, wait_ms - 1);
            runs_rig_step(&ear->rig);
            assert_int_equal(ear->counts[RIG_FIRE], i);
            runs_rig_pass(&ear->rig, 1);
            runs_rig_step(&ear->rig);
        }
        assert_int_equal(ear->counts[RIG_FIRE], i + 1);
        assert_true(runs_look(ear->rig.runs, 0, &view));
        assert_int_equal(view.record.counted, 1);
    }
    struct report released = report_of(&view, REPORT_RELEASED, RUN_SUCCESS);
    report(ear, &released);
    assert_int_equal(ear->counts[RIG_ENDED], 1);
    assert_int_equal(ear->outcome, RUN_FAILURE);
    close_ear(ear);
}

static void check_letters(void **state)
{
    (void)state;
    struct ear *ear = open_ear();
    struct report stranger = {.run = text_of("1-0.0.0@1"), .runnumber = INT64_MAX};
    for (int minute = 1; minute <= 3; minute++) {
        for (int i = 0; i < 250; i++) report(ear, &stranger);
        assert_int_equal(ear->counts[RIG_UNKNOWN], 100 * minute);
        runs_rig_pass(&ear->rig, MINUTES_MS);
    }
    struct runs_numbers numbers;
    runs_take_numbers(ear->rig.runs, &numbers);
    assert_int_equal(numbers.unknown_reports, 750);
    assert_int_equal(numbers.letters_left_out, 450);
    assert_true(runs_may_letter(ear->rig.runs, ear->rig.now));
    close_ear(ear);
}

static int passed_of(struct ear *ear, const struct report *report, int count)
{
    int passed = 0;
    for (int i = 0; i < count; i++) passed += is_passed_over(ear, report);
    return passed;
}

/* What only counts is passed over; what acts, is asked to stop or has a dead letter is not. */
static void check_passed_over(void **state)
{
    (void)state;
    struct ear *ear = open_ear();
    struct run_view open;
    struct run_view over;
    struct report stranger = {.run = text_of("1-0.0.0@1"), .runnumber = INT64_MAX};
    runs_rig_fire(&ear->rig, 0, &open);
    runs_rig_fire(&ear->rig, 1, &over);
    struct report success = report_of(&over, REPORT_ENDED, RUN_SUCCESS);
    struct report late = report_of(&over, REPORT_RUNNING, RUN_SUCCESS);
    struct report foreign = report_of(&open, REPORT_ENDED, RUN_SUCCESS);
    struct report running = report_of(&open, REPORT_RUNNING, RUN_SUCCESS);
    foreign.workers = text_of("others");
    assert_int_equal(passed_of(ear, &success, 10), 9);
    assert_int_equal(passed_of(ear, &late, 10), 9);
    assert_int_equal(passed_of(ear, &foreign, 10), 10);
    assert_int_equal(passed_of(ear, &running, 10), 0);
    assert_int_equal(passed_of(ear, &stranger, 110), 10);
    struct runs_numbers numbers;
    runs_take_numbers(ear->rig.runs, &numbers);
    assert_int_equal(numbers.reports, 150);
    assert_int_equal(numbers.closed_reports, 19);
    assert_int_equal(numbers.foreign_reports, 10);
    assert_int_equal(numbers.unknown_reports, 110);
    assert_int_equal(numbers.letters_left_out, 10);
    close_ear(ear);
}

/* ---- what is counted ---- */

static int64_t all_of(const int64_t *numbers, size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += numbers[i];
    return sum;
}

/* Of the run's newest try. */
static void say(struct ear *ear, enum report_kind kind, enum run_outcome outcome)
{
    struct run_view view;
    assert_true(runs_look(ear->rig.runs, 0, &view));
    struct report said = report_of(&view, kind, outcome);
    report(ear, &said);
}

/* One run that is handed back, fails and succeeds, and reports beside it that do nothing. */
static void play(struct ear *ear)
{
    struct run_view view;
    runs_rig_fire(&ear->rig, 0, &view);
    assert_int_equal(runs_oldest_ms(ear->rig.runs), view.record.opened_ms);
    runs_rig_pass(&ear->rig, 2000);
    say(ear, REPORT_STARTED, RUN_SUCCESS);
    say(ear, REPORT_RELEASED, RUN_SUCCESS); /* goes out again at once */
    say(ear, REPORT_ENDED, RUN_FAILURE);
    runs_rig_pass(&ear->rig, MINUTES_MS);
    runs_rig_step(&ear->rig);
    struct report closed = report_of(&view, REPORT_ENDED, RUN_SUCCESS);
    report(ear, &closed);
    assert_true(runs_look(ear->rig.runs, 0, &view));
    struct report foreign = report_of(&view, REPORT_ENDED, RUN_SUCCESS);
    foreign.workers = text_of("others");
    report(ear, &foreign);
    say(ear, REPORT_ENDED, RUN_SUCCESS);
    assert_int_equal(runs_oldest_ms(ear->rig.runs), INSTANT_NONE);
}

static void check_numbers(void **state)
{
    (void)state;
    struct ear *ear = open_ear();
    play(ear);
    struct runs_numbers numbers;
    runs_take_numbers(ear->rig.runs, &numbers);
    assert_int_equal(numbers.opened, 1);
    assert_int_equal(numbers.retries, 2);
    assert_int_equal(numbers.released, 1);
    assert_int_equal(numbers.tries_ended[RUN_FAILURE], 1);
    assert_int_equal(numbers.tries_ended[RUN_SUCCESS], 1);
    assert_int_equal(all_of(numbers.tries_ended, RUN_OUTCOME_COUNT), 2);
    assert_int_equal(numbers.ended[RUN_SUCCESS], 1);
    assert_int_equal(all_of(numbers.ended, RUN_OUTCOME_COUNT), 1);
    assert_int_equal(numbers.reports, 6);
    assert_int_equal(numbers.closed_reports, 1);
    assert_int_equal(numbers.foreign_reports, 1);
    assert_int_equal(numbers.unknown_reports, 0);
    assert_int_equal(all_of(numbers.claimed_after, RUN_SPAN_COUNT), 1);
    assert_int_equal(numbers.claimed_after[5], 1); /* within 5 s */
    assert_int_equal(numbers.claimed_after_ms, 2000);
    assert_int_equal(all_of(numbers.ended_after, RUN_SPAN_COUNT), 1);
    assert_int_equal(numbers.ended_after_ms, MINUTES_MS + 2000);
    close_ear(ear);
}

/* Each transaction tells what has happened since the one before; other runs begin at nothing. */
static void check_told_once(void **state)
{
    (void)state;
    struct ear *ear = open_ear();
    struct tally *tally = tally_create(0);
    struct run_view view;
    tally_runs(tally, NULL);
    assert_int_equal(tally->runs.opened, 0);
    runs_rig_fire(&ear->rig, 0, &view);
    runs_rig_fire(&ear->rig, 1, &view);
    tally_runs(tally, ear->rig.runs);
    assert_int_equal(tally->runs.opened, 2);
    tally_begin(tally);
    runs_rig_fire(&ear->rig, 2, &view);
    tally_runs(tally, ear->rig.runs);
    assert_int_equal(tally->runs.opened, 1);
    runs_rig_take_over(&ear->rig, false);
    tally_runs(tally, ear->rig.runs);
    assert_int_equal(tally->runs.opened, 0);
    tally_destroy(tally);
    close_ear(ear);
}

/* A million reports that are none of ours: of strangers, of another group, of what is closed. */
static void check_hostile(void **state)
{
    (void)state;
    struct ear *ear = open_ear();
    struct run_view open;
    struct run_view closed;
    runs_rig_fire(&ear->rig, 0, &closed);
    struct report success = report_of(&closed, REPORT_ENDED, RUN_SUCCESS);
    report(ear, &success);
    runs_rig_fire(&ear->rig, 0, &open);
    int changed = ear->counts[RIG_CHANGED];
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < HOSTILE; i++) {
        enum report_kind kind = (enum report_kind)(i / 4 % 4);
        struct report hostile = report_of(i % 4 < 2 ? &open : &closed, kind, RUN_FAILURE);
        if (i % 4 == 0) hostile.workers = text_of("others");
        if (i % 4 == 1) hostile.runnumber += 1 + i;
        if (i % 4 == 2) hostile.run = text_of("1-0.0.0@17");
        report(ear, &hostile);
        if (i % 1000 == 0) runs_rig_pass(&ear->rig, 1);
    }
    assert_true(mallinfo2().uordblks <= before + 16 * 1024);
    assert_int_equal(ear->counts[RIG_CHANGED], changed);
    assert_int_equal(ear->counts[RIG_ENDED], 1);
    struct report good = report_of(&open, REPORT_ENDED, RUN_SUCCESS);
    report(ear, &good);
    assert_int_equal(ear->counts[RIG_ENDED], 2);
    close_ear(ear);
}

/* Thousands go on with what is closed: some are asked to stop now, the others when they show life
 * again. */
static void check_zombies(void **state)
{
    (void)state;
    struct ear *ear = open_ear();
    struct run_view *views = calloc(CLOSED, sizeof *views);
    assert_non_null(views);
    for (int i = 0; i < CLOSED; i++) {
        runs_rig_fire(&ear->rig, 0, &views[i]);
        struct report success = report_of(&views[i], REPORT_ENDED, RUN_SUCCESS);
        report(ear, &success);
    }
    for (int second = 0; second < 10; second++) {
        for (int i = 0; i < CLOSED; i++) {
            struct report running = report_of(&views[i], REPORT_RUNNING, RUN_SUCCESS);
            report(ear, &running);
        }
        runs_rig_pass(&ear->rig, 999);
    }
    assert_int_equal(ear->counts[RIG_ZOMBIE], 1024);
    free(views);
    close_ear(ear);
}

/* Eight tries, with what was said of them cut behind a whole character. */
static void check_kept(void **state)
{
    (void)state;
    struct ear *ear = open_ear();
    struct run_view view;
    ear->rig.jobs[0].terms.retry.attempts = 20;
    runs_rig_fire(&ear->rig, 0, &view);
    char message[301] = "";
    for (int i = 0; i < 150; i++) memcpy(message + i * 2, "\xc3\xa4", 3);
    for (int i = 0; i < 11; i++) {
        struct report failure = report_of(&view, REPORT_ENDED, RUN_FAILURE);
        failure.retry_after_ms = 0;
        failure.error_code = text_of("E1");
        failure.error_message = text_of(message + (i % 2 == 0 ? 0 : 1));
        report(ear, &failure);
        assert_true(runs_look(ear->rig.runs, 0, &view));
    }
    assert_int_equal(view.record.try_count, RUN_TRIES_KEPT);
    for (int i = 0; i < RUN_TRIES_KEPT; i++) {
        const struct run_try *kept = &view.record.tries[i];
        assert_int_equal(kept->number, 4 + i);
        assert_true(text_equal(kept->worker, text_of("w")));
        assert_true(text_equal(kept->error_code, text_of("E1")));
        assert_int_equal(kept->message.length, kept->number % 2 == 1 ? 256 : 255);
    }
    assert_int_equal(view.record.number, 12);
    close_ear(ear);
}

static uint32_t slot_of(void *opaque, const struct run_record *record)
{
    (void)opaque;
    return (uint32_t)record->ordinal;
}

static int64_t elapsed_ms(clock_t since)
{
    return (int64_t)(clock() - since) * 1000 / CLOCKS_PER_SEC;
}

static void ignore_changed(void *opaque, const struct run_view *run)
{
    (void)opaque;
    (void)run;
}

static struct runs *start_many(const struct runs_start *start)
{
    struct runs_config config = {.open_max = MANY, .append_times = true};
    struct runs *runs = runs_create(&config);
    if (start != NULL) runs_start(runs, start);
    return runs;
}

/* The other owner has each under the same k; how long it takes is printed, and not judged. */
static void check_taken_over(void **state)
{
    (void)state;
    const struct runs_sink sink = {.changed = ignore_changed};
    struct runs_start start = {
        .generation = 1, .epoch = 1, .owner = text_of("a"), .job_slot = slot_of};
    struct runs *first = start_many(&start);
    struct runs *second = start_many(NULL);
    struct run_terms terms;
    struct run_view view;
    struct run_view again;
    runs_rig_terms(&terms);
    for (int64_t i = 0; i < MANY; i++) {
        struct run_opening opening = {.ordinal = i / 10,
                                      .incarnation = {.effective_ms = 1, .offset = i / 10},
                                      .nominal_ms = i,
                                      .due_ms = i,
                                      .terms = &terms};
        runs_open(first, &opening, start.now, &sink, &view);
    }
    clock_t since = clock();
    for (uint32_t k = 0; k < MANY; k++) {
        assert_true(runs_look(first, k, &view));
        view.record.group = text_of("group");
        view.record.id = text_of("id");
        runs_restore(second, k, &view.record);
    }
    start.next_runnumber = runs_next_runnumber(first);
    runs_start(second, &start);
    printf("take_over_of_%d_runs_ms=%" PRId64 "\n", MANY, elapsed_ms(since));
    for (uint32_t k = 0; k < MANY; k++) {
        assert_true(runs_look(first, k, &view) && runs_look(second, k, &again));
        assert_string_equal(view.id, again.id);
        assert_int_equal(view.record.runnumber, again.record.runnumber);
        assert_int_equal(runs_next_in_way(first, view.record.ordinal, k),
                         runs_next_in_way(second, view.record.ordinal, k));
        assert_int_equal(runs_find(second, text_of(view.id)), k);
    }
    runs_destroy(first);
    runs_destroy(second);
}

/* ---- how soon ---- */

enum { SILENT = 300, TICK_WAY_MS = 400 };

struct turns { /* an owner who does nothing but what it is told to */
    struct ear *ear;
    int64_t tick_number;
    int64_t tick_back_ms; /* steady; INT64_MAX: none is on its way */
    int64_t signs_ms[SILENT + 1]; /* steady, by runnumber */
    int64_t worst_ms; /* from the end of the lease, or the expiry, to the decision */
    int decided;
};

static void hear_decided(void *opaque, const struct rig_heard *heard)
{
    struct turns *turns = opaque;
    if (heard->word != RIG_ENDED) return;
    const struct run_record *record = &heard->run->record;
    int64_t since_ms = turns->signs_ms[record->runnumber & 0xffff];
    int64_t late_ms = turns->ear->rig.now.steady_ms - since_ms;
    late_ms -= heard->end->outcome == RUN_LOST ? 60 * SECONDS_MS : 100 * SECONDS_MS;
    if (late_ms > turns->worst_ms) turns->worst_ms = late_ms;
    turns->decided++;
}

static void take_turn(struct turns *turns)
{
    struct runs_rig *rig = &turns->ear->rig;
    struct run_question questions[8];
    if (rig->now.steady_ms >= turns->tick_back_ms) {
        turns->tick_back_ms = INT64_MAX;
        runs_rig_tick(rig, turns->tick_number, rig->now.now_ms - TICK_WAY_MS / 2);
    }
    runs_rig_step(rig);
    for (size_t count = 1; count > 0;) {
        count = runs_questions(rig->runs, rig->now, questions, COUNT_OF(questions));
        for (size_t i = 0; i < count; i++)
            runs_answer(rig->runs, &questions[i], questions[i].offset + 1, rig->now);
    }
    if (turns->tick_back_ms != INT64_MAX || !runs_wants_tick(rig->runs, rig->now)) return;
    turns->tick_number = runs_send_tick(rig->runs, rig->now).number;
    turns->tick_back_ms = rig->now.steady_ms + TICK_WAY_MS;
}

/* As far as it is told to wait, or a tick comes back; but not over the next run. */
static void pass_to(struct turns *turns, int64_t steady_ms)
{
    struct runs_rig *rig = &turns->ear->rig;
    while (rig->now.steady_ms < steady_ms) {
        take_turn(turns);
        int64_t wait_ms = runs_wait_ms(rig->runs, rig->now);
        int64_t left_ms = steady_ms - rig->now.steady_ms;
        if (turns->tick_back_ms != INT64_MAX &&
            turns->tick_back_ms - rig->now.steady_ms < left_ms)
            left_ms = turns->tick_back_ms - rig->now.steady_ms;
        if (wait_ms < left_ms) left_ms = wait_ms;
        runs_rig_pass(rig, left_ms > 0 ? left_ms : 1);
    }
}

/* Runs whose workers fall silent, or that nobody claims, at instants near each other: each is
 * decided within three seconds, by an owner who sleeps as long as it is told to. */
static void check_soon(void **state)
{
    (void)state;
    struct turns turns = {.ear = open_ear(), .tick_back_ms = INT64_MAX};
    struct runs_rig *rig = &turns.ear->rig;
    struct run_view view;
    rig->heard = hear_decided;
    rig->opaque = &turns;
    for (int i = 0; i < RIG_JOBS; i++) rig->jobs[i].terms.retry.attempts = 1;
    for (int i = 0; i < SILENT; i++) {
        pass_to(&turns, rig->now.steady_ms + 1 + i * 7919 % 701);
        runs_rig_fire(rig, i % RIG_JOBS, &view);
        turns.signs_ms[view.record.runnumber & 0xffff] = rig->now.steady_ms;
        struct report started = report_of(&view, REPORT_STARTED, RUN_SUCCESS);
        if (i % 3 == 0) runs_rig_report(rig, &started, rig->now.now_ms);
    }
    pass_to(&turns, rig->now.steady_ms + 200 * SECONDS_MS);
    assert_int_equal(turns.decided, SILENT);
    printf("lost_decided_after_lease_ms=%" PRId64 "\n", turns.worst_ms);
    assert_true(turns.worst_ms >= 1000 && turns.worst_ms <= 3000);
    close_ear(turns.ear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_released), cmocka_unit_test(check_letters),
        cmocka_unit_test(check_hostile),  cmocka_unit_test(check_zombies),
        cmocka_unit_test(check_kept),     cmocka_unit_test(check_taken_over),
        cmocka_unit_test(check_soon),     cmocka_unit_test(check_numbers),
        cmocka_unit_test(check_told_once), cmocka_unit_test(check_passed_over),
    };
    return cmocka_run_group_tests_name("run bounds", tests, NULL, NULL);
}
