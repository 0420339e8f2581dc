/* Random reports, ticks, answers, take-overs and changes of jobs, in any order: whatever comes,
 * a try is closed at most once and never changes again, a run has one open try at most and ends
 * once, tries that count are bounded, nothing is decided before its time, another owner has the
 * same runs, and in the end every run ends. A plain list of tries says by itself what is
 * allowed. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rows.h"
#include "tests/support/runs_rig.h"
#include "tests/support/walks.h"

enum { WALKS = 1500, STEPS = 500, TRIES = 4096, OPEN_MOST = 40, TICKS = 4096, ROUNDS = 400,
       TEXT_BYTES = 1 << 20 };

/* What a plain list knows of a try. */
struct plain {
    char run[64];
    int64_t runnumber;
    int32_t number;
    int job;
    bool is_fixed;
    bool is_closed;
    bool is_released;
    enum run_outcome outcome;
    int64_t lease_ms;
    int64_t expiry_ms;
    bool is_claimed;    /* a sign was read */
    bool has_run;       /* or `running` */
    bool is_proven;     /* that was read by this owner */
    int64_t sign_ms;    /* steady: of the newest sign, of the fire of a fixed one */
    int64_t yes_ms;     /* steady: the offset was said to be committed; -1: never */
    int64_t no_ms;      /* and not to be; -1: not since the newest sign */
    bool no_in_time;    /* before it was to be asked again */
};

struct plain_tick {
    int64_t sent_ms; /* steady */
};

/* What is being done, and so what may close a try. */
enum cause { BY_NOTHING, BY_REPORT, BY_TICK, BY_GENERATION, BY_HAND };

struct world {
    struct runs_rig rig;
    struct plain tries[TRIES];
    int count;
    struct plain_tick ticks[TICKS]; /* of this owner, by number */
    int64_t ticks_sent;
    enum cause cause;
    int64_t about; /* the runnumber that a report is about */
    int64_t tick_number;
    int64_t tick_ms; /* append time of the tick that is read */
    struct run_question question;
    bool has_question;
    bool was_said; /* anything but letters and zombies since the step began */
    uint64_t random;
};

static uint64_t draw(struct world *world, uint64_t below)
{
    return walk_draw(&world->random, below);
}

static struct plain *look_up(struct world *world, int64_t runnumber)
{
    for (int i = world->count - 1; i >= 0; i--)
        if (world->tries[i].runnumber == runnumber) return &world->tries[i];
    return NULL;
}

static struct plain *find(struct world *world, int64_t runnumber)
{
    struct plain *plain = look_up(world, runnumber);
    if (plain == NULL) fail_msg("no try %" PRId64, runnumber);
    return plain;
}

/* ---- what is heard, beside what is allowed ---- */

static void hear_fire(struct world *world, const struct run_view *run)
{
    const struct run_record *record = &run->record;
    const struct rig_job *job = &world->rig.jobs[record->ordinal];
    int32_t number = 1;
    for (int i = 0; i < world->count; i++) {
        const struct plain *plain = &world->tries[i];
        assert_true(plain->runnumber < record->runnumber);
        if (strcmp(plain->run, run->id) != 0) continue;
        assert_true(plain->is_closed); /* two tries of a run never stand beside each other */
        number++;
    }
    assert_int_equal(record->number, number);
    assert_int_equal(job->state, RUN_JOB_ACTIVE);
    assert_true(world->count < TRIES);
    struct plain *plain = &world->tries[world->count++];
    *plain = (struct plain){.runnumber = record->runnumber,
                            .number = number,
                            .job = (int)record->ordinal,
                            .is_fixed = record->mode == LEASE_FIXED,
                            .lease_ms = record->lease_ms,
                            .expiry_ms = record->expiry_ms,
                            .sign_ms = world->rig.now.steady_ms,
                            .yes_ms = -1,
                            .no_ms = -1};
    assert_true(strlen(run->id) < sizeof plain->run);
    memcpy(plain->run, run->id, strlen(run->id) + 1);
}

/* The owner's word, when a tick comes back: nothing that may be alive is given up. */
static void check_decided(const struct world *world, const struct plain *plain)
{
    int64_t sent_ms = world->ticks[world->tick_number].sent_ms;
    bool is_lapsed = sent_ms >= plain->sign_ms + plain->lease_ms + 1000;
    bool is_expired = world->tick_ms >= plain->expiry_ms + 1000;
    bool is_committed = plain->has_run || (plain->yes_ms >= 0 && plain->yes_ms <= sent_ms);
    bool was_refused =
        plain->no_ms >= plain->sign_ms + plain->lease_ms + 1000 && plain->no_ms <= sent_ms;
    if (plain->outcome == RUN_NOT_STARTED) {
        assert_true(is_expired && !plain->is_fixed);
        if (plain->is_claimed) assert_true(is_lapsed && was_refused && !plain->has_run);
        return;
    }
    assert_int_equal(plain->outcome, RUN_LOST);
    assert_true(is_lapsed);
    assert_true(plain->is_fixed || plain->is_claimed);
    if (!plain->is_fixed && !is_committed)
        assert_true(is_expired && !(was_refused && plain->no_in_time));
}

static void close_plain(struct world *world, struct plain *plain, const struct run_try *said)
{
    plain->is_closed = true;
    plain->is_released = said->released;
    plain->outcome = said->outcome;
    assert_true(world->cause != BY_NOTHING && world->cause != BY_HAND);
    if (world->cause == BY_REPORT) assert_int_equal(world->about, plain->runnumber);
    else if (world->cause == BY_TICK) check_decided(world, plain);
    else {
        assert_int_equal(said->outcome, RUN_LOST);
        assert_true(plain->runnumber >> 32 < world->rig.generation);
    }
}

/* What a view says of its tries is what was known of them, or the end of the open one. */
static void note_tries(struct world *world, const struct run_view *run)
{
    for (size_t i = 0; i < run->record.try_count; i++) {
        const struct run_try *said = &run->record.tries[i];
        struct plain *plain = find(world, said->runnumber);
        assert_string_equal(plain->run, run->id);
        assert_int_equal(plain->number, said->number);
        if (!plain->is_closed) close_plain(world, plain, said);
        assert_int_equal(plain->is_released, said->released);
        assert_int_equal(plain->outcome, said->outcome);
    }
}

static void check_view(struct world *world, const struct run_view *run)
{
    const struct run_record *record = &run->record;
    int32_t counted = 0;
    int32_t open = 0;
    note_tries(world, run);
    for (int i = 0; i < world->count; i++) {
        if (strcmp(world->tries[i].run, run->id) != 0) continue;
        counted += !world->tries[i].is_released;
        open += !world->tries[i].is_closed;
    }
    assert_int_equal(record->counted, counted);
    assert_int_equal(open, record->state != RUN_STATE_WAITING);
    assert_true(record->released <= RUN_RELEASED_MAX);
}

static void hear_end(struct world *world, const struct run_end *end)
{
    check_view(world, end->run);
    const struct plain *last = NULL; /* that was not handed back */
    for (int i = 0; i < world->count; i++)
        if (strcmp(world->tries[i].run, end->run->id) == 0 && !world->tries[i].is_released)
            last = &world->tries[i];
    if (end->outcome == RUN_POISON) assert_int_equal(last->outcome, RUN_LOST);
    else if (end->outcome != RUN_CANCELLED) assert_int_equal(last->outcome, end->outcome);
    assert_int_equal(runs_find(world->rig.runs, text_of(end->run->id)), end->run->k);
}

static void hear(void *opaque, const struct rig_heard *heard)
{
    struct world *world = opaque;
    if (heard->word != RIG_UNKNOWN && heard->word != RIG_ZOMBIE) world->was_said = true;
    if (heard->run == NULL) return;
    bool is_first = look_up(world, heard->run->record.runnumber) == NULL;
    if (heard->word == RIG_FIRE || is_first) {
        note_tries(world, heard->run);
        hear_fire(world, heard->run);
        const struct run_record *run = &heard->run->record;
        const struct run_terms *terms = &world->rig.jobs[run->ordinal].terms;
        if (run->released == 0 && run->number > 1 && terms->lease_ms > 0)
            assert_true(run->counted <= terms->retry.attempts);
    }
    if (heard->word == RIG_ENDED) hear_end(world, heard->end);
    else check_view(world, heard->run);
}

/* ---- steps ---- */

static int draw_job(struct world *world)
{
    return (int)draw(world, RIG_JOBS);
}

static void step_fire(struct world *world)
{
    int job = draw_job(world);
    struct run_view view;
    if (runs_open_count(world->rig.runs) >= OPEN_MOST ||
        world->rig.jobs[job].state != RUN_JOB_ACTIVE ||
        world->rig.jobs[job].terms.lease_ms == 0)
        return;
    runs_rig_fire(&world->rig, job, &view);
}

/* Whether it is a sign of life by the rules, told from what the list knows. */
static bool is_valid_sign(const struct plain *plain, const struct report *report, int64_t log_ms)
{
    if (plain->is_closed || plain->is_fixed || report->workers.length != strlen("crew"))
        return false;
    return report->kind == REPORT_RUNNING ||
           (report->kind == REPORT_STARTED && log_ms < plain->expiry_ms);
}

static void draw_report(struct world *world, const struct plain *plain, struct report *report)
{
    static const enum run_outcome outcomes[] = {RUN_SUCCESS,   RUN_FAILURE, RUN_FAILURE,
                                                RUN_CANCELLED, RUN_REFUSED, RUN_LOST_LEASE,
                                                RUN_TIMEOUT};
    static const char *const tokens[] = {"a", "b", "c"};
    static const enum report_kind kinds[] = {REPORT_STARTED, REPORT_STARTED, REPORT_STARTED,
                                             REPORT_RUNNING, REPORT_RUNNING, REPORT_RUNNING,
                                             REPORT_RUNNING, REPORT_RELEASED, REPORT_ENDED};
    const char *token = tokens[draw(world, COUNT_OF(tokens))];
    *report = (struct report){.kind = kinds[draw(world, COUNT_OF(kinds))],
                              .outcome = outcomes[draw(world, COUNT_OF(outcomes))],
                              .run = text_of(plain->run),
                              .runnumber = plain->runnumber,
                              .token = text_of(token),
                              .worker = text_of(token),
                              .workers = text_of(draw(world, 12) == 0 ? "others" : "crew"),
                              .topic = text_of("work"),
                              .offset = plain->runnumber & 0xffff,
                              .exit_code = (int32_t)draw(world, 3),
                              .retry_after_ms = draw(world, 4) == 0 ? 500 : -1,
                              .cursor_given = draw(world, 8) == 0,
                              .cursor = text_of(token)};
}

static void note_sign(struct world *world, struct plain *plain, const struct report *report)
{
    plain->is_claimed = true;
    plain->has_run |= report->kind == REPORT_RUNNING;
    plain->is_proven |= report->kind == REPORT_RUNNING;
    plain->sign_ms = world->rig.now.steady_ms;
    plain->no_ms = -1;
}

static void step_report(struct world *world)
{
    if (world->count == 0) return;
    int64_t back = (int64_t)draw(world, draw(world, 4) == 0 ? 200 : 30);
    if (back >= world->count) back = world->count - 1;
    struct plain *plain = &world->tries[world->count - 1 - back];
    struct report report;
    draw_report(world, plain, &report);
    if (draw(world, 30) == 0) report.runnumber += 100000;
    int64_t log_ms = world->rig.now.now_ms + (int64_t)draw(world, 400) - 200;
    bool was_closed = plain->is_closed;
    bool is_about_it = report.runnumber == plain->runnumber;
    bool is_ours = text_equal(report.workers, text_of("crew"));
    if (is_about_it && is_valid_sign(plain, &report, log_ms)) note_sign(world, plain, &report);
    world->cause = BY_REPORT;
    world->about = report.runnumber;
    world->was_said = false;
    runs_rig_report(&world->rig, &report, log_ms);
    bool ends = report.kind == REPORT_RELEASED || report.kind == REPORT_ENDED;
    if (is_about_it && is_ours && !was_closed) assert_int_equal(plain->is_closed, ends);
    if (!is_ours || !is_about_it) assert_false(world->was_said);
}

static void step_ask(struct world *world)
{
    struct run_question questions[2];
    size_t count = runs_questions(world->rig.runs, world->rig.now, questions, 2);
    if (count == 0) return;
    const struct plain *plain = find(world, questions[0].runnumber);
    assert_false(plain->is_closed || plain->is_proven);
    assert_true(world->rig.now.steady_ms >= plain->sign_ms + plain->lease_ms + 1000);
    assert_int_equal(questions[0].offset, plain->runnumber & 0xffff);
    world->question = questions[0];
    world->has_question = true;
}

/* Late ones too. */
static void step_answer(struct world *world)
{
    if (!world->has_question) return;
    struct plain *plain = find(world, world->question.runnumber);
    /* what is committed stays so, and what runs is */
    bool is_committed = plain->has_run || plain->yes_ms >= 0 || draw(world, 2) == 0;
    runs_answer(world->rig.runs, &world->question,
                is_committed ? world->question.offset + 1 : -1, world->rig.now);
    int64_t now_ms = world->rig.now.steady_ms;
    if (is_committed) plain->yes_ms = now_ms;
    else if (now_ms >= plain->sign_ms + plain->lease_ms + 1000) {
        plain->no_ms = now_ms;
        plain->no_in_time = now_ms < world->question.answer_by_ms;
    }
    world->has_question = false;
}

static void step_send(struct world *world)
{
    if (!runs_wants_tick(world->rig.runs, world->rig.now)) return;
    struct run_tick tick = runs_send_tick(world->rig.runs, world->rig.now);
    assert_int_equal(tick.number, ++world->ticks_sent);
    world->ticks[tick.number].sent_ms = world->rig.now.steady_ms;
}

static void read_tick(struct world *world, int64_t number, int64_t log_ms)
{
    world->cause = BY_TICK;
    world->tick_number = number;
    world->tick_ms = log_ms;
    runs_rig_tick(&world->rig, number, log_ms);
}

static void step_back(struct world *world)
{
    if (world->ticks_sent == 0) return;
    int64_t number = world->ticks_sent - (int64_t)draw(world, 3);
    if (number < 1) number = 1;
    read_tick(world, number, world->rig.now.now_ms + (int64_t)draw(world, 400) - 200);
}

static void step_pass(struct world *world)
{
    static const int64_t most_ms[] = {1500, 1500, 12000, 12000, 70000, 150000};
    runs_rig_pass(&world->rig, (int64_t)draw(world, (uint64_t)most_ms[draw(world, 6)]));
}

static void step_due(struct world *world)
{
    world->cause = BY_GENERATION;
    if (draw(world, 3) == 0) world->rig.room = (int)draw(world, 3);
    runs_rig_step(&world->rig);
    world->rig.room = -1;
}

static void step_job(struct world *world)
{
    int number = draw_job(world);
    struct rig_job *job = &world->rig.jobs[number];
    if (job->state == RUN_JOB_GONE) return;
    world->cause = BY_HAND;
    uint64_t step = draw(world, 40);
    if (step == 0) {
        job->state = RUN_JOB_GONE;
        runs_job_deleted(world->rig.runs, number, text_of("group"), text_of(job->id),
                         world->rig.now, &world->rig.sink);
    } else if (step < 10) {
        job->state = RUN_JOB_PAUSED;
    } else if (step < 30) {
        job->state = RUN_JOB_ACTIVE;
        runs_job_resumed(world->rig.runs, number);
    } else {
        runs_rig_terms(&job->terms);
        job->terms.retry.attempts = (int32_t)draw(world, 6) + 1;
        if (step < 33) job->terms.mode = LEASE_FIXED;
        if (step == 39) job->terms.lease_ms = 0;
        if (step == 38) job->terms.retry.within_ms = 200 * SECONDS_MS;
    }
}

static void step_cancel(struct world *world)
{
    uint32_t k = (uint32_t)draw(world, runs_top(world->rig.runs) + 1);
    world->cause = BY_HAND;
    if (draw(world, 4) == 0)
        (void)runs_cancel(world->rig.runs, k, world->rig.now, &world->rig.sink);
}

/* ---- owners ---- */

/* All that is open, but for what only this owner knows of a claim. */
static char *tell(const struct world *world)
{
    char *text = calloc(1, TEXT_BYTES);
    assert_non_null(text);
    size_t at = 0;
    struct run_view view;
    for (uint32_t k = 0; k < runs_top(world->rig.runs); k++) {
        if (!runs_look(world->rig.runs, k, &view)) continue;
        const struct run_record *run = &view.record;
        at += (size_t)snprintf(
            text + at, TEXT_BYTES - at,
            "%u %u %s %.*s %s %" PRId64 " %" PRId64 " %d %d %d %d %" PRId64 " %" PRId64
            " %" PRId64 " %" PRId64 " %.*s %d %.*s %zu %d\n",
            k, view.job_slot, view.id, (int)run->id.length, run->id.bytes,
            run_state_word(run->state), run->runnumber, run->first_runnumber, run->number,
            run->counted, run->released, run->lost_in_a_row, run->fired_ms, run->opened_ms,
            run->state == RUN_STATE_WAITING ? run->retry_at_ms : 0, run->lease_ms,
            (int)run->workers.length, run->workers.bytes, run->cancel_asked,
            (int)run->cursor.length, run->cursor.bytes, run->try_count, (int)run->mode);
    }
    assert_true(at < TEXT_BYTES - 1);
    return text;
}

/* Names the first line that differs. */
static void check_same(const char *before, const char *after)
{
    size_t at = 0;
    while (before[at] == after[at] && before[at] != '\0') at++;
    if (before[at] == after[at]) return;
    while (at > 0 && before[at - 1] != '\n') at--;
    fail_msg("other runs after a take-over:\n%.200s\n%.200s", before + at, after + at);
}

static void step_take_over(struct world *world)
{
    bool is_new_generation = draw(world, 6) == 0;
    int64_t next_runnumber = runs_next_runnumber(world->rig.runs);
    char *before = tell(world);
    world->cause = BY_NOTHING;
    runs_rig_take_over(&world->rig, is_new_generation);
    char *after = tell(world);
    check_same(before, after);
    assert_true(runs_next_runnumber(world->rig.runs) >= next_runnumber);
    free(before);
    free(after);
    world->ticks_sent = 0;
    world->has_question = false;
    for (int i = 0; i < world->count; i++) {
        struct plain *plain = &world->tries[i];
        plain->sign_ms = world->rig.now.steady_ms;
        plain->no_ms = -1;
        plain->is_proven = false;
        if (!plain->is_closed && is_new_generation) plain->is_claimed = true;
    }
}

static void step_lost(struct world *world)
{
    world->cause = BY_NOTHING;
    assert_true(runs_reports_lost(world->rig.runs, world->rig.now, &world->rig.sink));
    for (int i = 0; i < world->count; i++) {
        struct plain *plain = &world->tries[i];
        plain->sign_ms = world->rig.now.steady_ms;
        plain->no_ms = -1;
        plain->is_claimed |= !plain->is_closed && !plain->is_fixed;
    }
}

/* ---- walks ---- */

static void step(struct world *world)
{
    uint64_t step = draw(world, 1000);
    if (step < 120) step_fire(world);
    else if (step < 480) step_report(world);
    else if (step < 560) step_ask(world);
    else if (step < 620) step_answer(world);
    else if (step < 700) step_send(world);
    else if (step < 780) step_back(world);
    else if (step < 860) step_pass(world);
    else if (step < 940) step_due(world);
    else if (step < 970) step_job(world);
    else if (step < 985) step_cancel(world);
    else if (step < 997) step_take_over(world);
    else step_lost(world);
}

/* Nobody says anything any more, jobs are there, and the coordinator answers: all runs end, and the
 * wait that is told is never longer than it may be. */
static void end_all(struct world *world)
{
    for (int i = 0; i < RIG_JOBS; i++) {
        if (world->rig.jobs[i].state != RUN_JOB_PAUSED) continue;
        world->rig.jobs[i].state = RUN_JOB_ACTIVE;
        runs_job_resumed(world->rig.runs, i);
    }
    for (int round = 0; round < ROUNDS; round++) {
        step_due(world);
        step_ask(world);
        step_answer(world);
        step_send(world);
        if (world->ticks_sent > 0) read_tick(world, world->ticks_sent, world->rig.now.now_ms);
        if (runs_open_count(world->rig.runs) == 0) return;
        int64_t wait_ms = runs_wait_ms(world->rig.runs, world->rig.now);
        assert_true(wait_ms >= 0 && wait_ms < HOURS_MS * 2);
        runs_rig_pass(&world->rig, wait_ms);
    }
    fail_msg("%u runs are still open", runs_open_count(world->rig.runs));
}

static void check_walks(void **state)
{
    (void)state;
    struct world *world = malloc(sizeof *world);
    assert_non_null(world);
    for (uint64_t walk = 1; walk <= walks_of(WALKS); walk++) {
        memset(world, 0, sizeof *world);
        world->random = walk * UINT64_C(0x9e3779b97f4a7c15);
        runs_rig_open(&world->rig);
        world->rig.heard = hear;
        world->rig.opaque = world;
        for (int i = 0; i < STEPS; i++) step(world);
        end_all(world);
        runs_rig_close(&world->rig);
    }
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(check_walks)};
    return cmocka_run_group_tests_name("random runs", tests, NULL, NULL);
}
