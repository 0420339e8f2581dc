/* What workers report, in the order in which it stands in the log. */
#include "dispatcher/runs/runs_state.h"

#include <assert.h>

#include "lib/base/memory.h"

struct reading {
    struct run_call call;
    const struct runs_place *place;
    const struct report *report;
    bool again; /* it stands before what was read by an owner before: see has_acted() */
};

/* ---- reports of no open try ---- */

static bool has_letters_left(const struct runs *runs, struct runs_now now)
{
    return runs->letters < RUNS_LETTERS_MAX ||
           now.steady_ms - runs->letters_since_ms >= MINUTES_MS;
}

bool runs_may_letter(struct runs *runs, struct runs_now now)
{
    if (!has_letters_left(runs, now)) {
        runs->numbers.letters_left_out++;
        return false;
    }
    if (now.steady_ms - runs->letters_since_ms >= MINUTES_MS) {
        runs->letters_since_ms = now.steady_ms;
        runs->letters = 0;
    }
    runs->letters++;
    return true;
}

static void unknown(const struct reading *reading)
{
    struct runs *runs = reading->call.runs;
    runs->numbers.unknown_reports++;
    if (!runs_may_letter(runs, reading->call.now)) return;
    reading->call.sink->unknown(reading->call.sink->opaque, reading->report);
}

/* Of many workers that go on with tries that are closed, which share places here, each is asked to
 * stop in turn: none of them keeps the shard busy. */
static bool is_asked(const struct reading *reading)
{
    const struct runs *runs = reading->call.runs;
    if (runs->zombies == NULL) return false;
    int64_t said_ms = runs->zombies[reading->report->runnumber % RUNS_ZOMBIES];
    return said_ms != INSTANT_NONE &&
           reading->call.now.steady_ms - said_ms < RUNS_CANCEL_AGAIN_MS;
}

static void answer_zombie(const struct reading *reading)
{
    struct runs *runs = reading->call.runs;
    if (is_asked(reading)) return;
    if (runs->zombies == NULL) {
        runs->zombies = memory_allocate(RUNS_ZOMBIES, sizeof *runs->zombies);
        for (int i = 0; i < RUNS_ZOMBIES; i++) runs->zombies[i] = INSTANT_NONE;
    }
    runs->zombies[reading->report->runnumber % RUNS_ZOMBIES] = reading->call.now.steady_ms;
    reading->call.sink->zombie(reading->call.sink->opaque, reading->report);
}

static bool is_sign(const struct report *report)
{
    return report->kind == REPORT_STARTED || report->kind == REPORT_RUNNING;
}

static void read_closed(const struct reading *reading)
{
    reading->call.runs->numbers.closed_reports++;
    if (is_sign(reading->report)) answer_zombie(reading);
}

/* No try of the shard had that number. */
static bool is_unknown(const struct reading *reading)
{
    int64_t runnumber = reading->report->runnumber;
    return runnumber < 1 || runnumber >= reading->call.runs->next_runnumber;
}

static void read_stranger(const struct reading *reading)
{
    if (is_unknown(reading)) unknown(reading);
    else read_closed(reading);
}

/* Which of the tries that are kept it is about; try_count: none. */
static uint32_t find_try(const struct run *run, int64_t runnumber)
{
    uint32_t at = 0;
    while (at < run->more->try_count && run->more->tries[at]->said.runnumber != runnumber) at++;
    return at;
}

/* The worker of a try that was taken for dead was not: those lost in a row begin behind it. */
static void worker_lived(struct run *run, uint32_t at)
{
    uint32_t behind = 0;
    for (uint32_t i = at + 1; i < run->more->try_count; i++)
        behind += !run->more->tries[i]->said.released;
    if (behind >= run->lost_in_a_row) return;
    run->lost_in_a_row = (uint8_t)behind;
    run->flags |= RUN_DIRTY;
}

/* The run is open, but not that try of it. */
static void read_earlier(const struct reading *reading, struct run *run)
{
    const struct report *report = reading->report;
    if (report->runnumber < 1 || report->runnumber > run->runnumber) {
        unknown(reading);
        return;
    }
    read_closed(reading);
    if (report->kind != REPORT_ENDED || run->more == NULL) return;
    uint32_t at = find_try(run, report->runnumber);
    if (at == run->more->try_count) return;
    struct kept_try *kept = run->more->tries[at];
    if (kept->said.released || kept->said.outcome != RUN_LOST) return;
    if (report->outcome == RUN_LOST_LEASE) worker_lived(run, at);
    if (report->outcome != RUN_SUCCESS || kept->is_late) return;
    kept->is_late = true;
    reading->call.sink->event(reading->call.sink->opaque, RUN_EVENT_LATE_SUCCESS,
                              run_viewed(reading->call.runs, run), report);
}

/* ---- reports of an open try ---- */

static int64_t sign_ms(const struct reading *reading)
{
    return reading->call.runs->config.append_times ? reading->place->log_ms
                                                   : reading->call.now.now_ms;
}

/* Its record will have the claim before it is RUNS_CLAIM_RECORD_MS old, unless it has ended. */
static void note_claim(const struct reading *reading, struct run *run)
{
    if ((run->flags & RUN_UNRECORDED) != 0) return;
    run->flags |= RUN_UNRECORDED;
    run_claims_add(&reading->call.runs->claims,
                   (struct run_claimed){.offset = reading->place->offset,
                                        .read_ms = reading->call.now.steady_ms,
                                        .runnumber = run->runnumber,
                                        .k = run->k});
}

static void take_worker(const struct reading *reading, struct run *run, uint64_t token)
{
    struct text_pool *texts = &reading->call.runs->table.texts;
    uint32_t worker = text_pool_take(texts, reading->report->worker);
    text_pool_drop(texts, run->worker);
    run->worker = worker;
    run->token = token;
    note_claim(reading, run);
}

static int32_t started_after(const struct run *run, int64_t started_ms)
{
    int64_t after_ms = started_ms - run->fired_ms;
    if (after_ms < INT32_MIN) return INT32_MIN;
    return after_ms > INT32_MAX ? INT32_MAX : (int32_t)after_ms;
}

static void count_claim(const struct reading *reading, const struct run *run)
{
    struct runs_numbers *numbers = &reading->call.runs->numbers;
    run_count_span(numbers->claimed_after, &numbers->claimed_after_ms, run->started_after_ms);
}

/* The first step of a claim. The newest one counts: an earlier one's worker is gone, or has lost
 * the partition before its second step. But whoever has reported that it runs keeps the try. */
static struct run *read_started(const struct reading *reading, struct run *run)
{
    const struct report *report = reading->report;
    int64_t log_ms = sign_ms(reading);
    bool is_late = reading->call.runs->config.append_times && log_ms >= run_expiry_ms(run);
    if (run->mode == LEASE_FIXED || is_late) return run;
    struct text_pool *texts = &reading->call.runs->table.texts;
    uint64_t token = run_fingerprint(report->token);
    if (run->state == RUN_STATE_OPEN || (token != run->token && (run->flags & RUN_RAN) == 0))
        take_worker(reading, run, token);
    if (run->token == token) {
        uint32_t topic = text_pool_take(texts, report->topic);
        text_pool_drop(texts, run->topic);
        run->topic = topic;
        run->fire_partition = report->partition;
        run->fire_offset = report->offset;
        run->started_after_ms = started_after(run, log_ms);
    }
    if (run->state == RUN_STATE_OPEN && !reading->again) count_claim(reading, run);
    run->state = RUN_STATE_CLAIMED;
    run_sign(&reading->call, run, log_ms);
    return run;
}

static void say_doubled(const struct reading *reading, struct run *run)
{
    if (reading->again || (run->flags & RUN_DOUBLED) != 0) return;
    run->flags |= RUN_DOUBLED;
    reading->call.sink->event(reading->call.sink->opaque, RUN_EVENT_DOUBLED,
                              run_viewed(reading->call.runs, run), reading->report);
}

/* A sign of life, and a proof that the fire is committed: only then the work began. Where its
 * `started` was not read, it is the claim. */
static struct run *read_running(const struct reading *reading, struct run *run)
{
    const struct report *report = reading->report;
    if (run->mode == LEASE_FIXED) return run;
    uint64_t token = run_fingerprint(report->token);
    if (token != run->token && (run->flags & RUN_RAN) != 0) say_doubled(reading, run);
    else if (token != run->token || run->state == RUN_STATE_OPEN) take_worker(reading, run, token);
    if (run->state == RUN_STATE_OPEN) run->started_after_ms = started_after(run, run->fired_ms);
    run->state = RUN_STATE_CLAIMED;
    run->flags |= RUN_PROVEN | RUN_RAN;
    run_sign(&reading->call, run, sign_ms(reading));
    if (!report->cursor_given || reading->again) return run;
    int64_t now_ms = reading->call.now.steady_ms;
    int64_t kept_ms = run->more == NULL ? INSTANT_NONE : run->more->cursor_kept_ms;
    if (kept_ms == INSTANT_NONE || now_ms - kept_ms >= RUNS_CURSOR_KEEP_MS)
        run_keep_cursor(run, report->cursor, now_ms);
    return run;
}

static struct run *read_released(const struct reading *reading, struct run *run)
{
    return run_release(&reading->call, run, reading->report);
}

static struct run *read_ended(const struct reading *reading, struct run *run)
{
    assert(run_outcome_sayer(reading->report->outcome) == RUN_SAID_BY_WORKER);
    return run_close(&reading->call, run, reading->report->outcome, reading->report, false);
}

static struct run *(*const readers[])(const struct reading *, struct run *) = {
    [REPORT_STARTED] = read_started,
    [REPORT_RUNNING] = read_running,
    [REPORT_RELEASED] = read_released,
    [REPORT_ENDED] = read_ended,
};

static bool is_of_workers(const struct runs *runs, const struct run *run, struct text workers)
{
    return text_equal(text_pool_at(&runs->table.texts, run->workers), workers);
}

static bool is_open_try(const struct reading *reading, const struct run *run)
{
    return run != NULL && run->state != RUN_STATE_WAITING &&
           run->runnumber == reading->report->runnumber;
}

/* What it did is in the records; only the signs of life of what is open count again. */
static bool has_acted(const struct reading *reading, const struct run *run)
{
    return reading->again && !is_open_try(reading, run);
}

/* See runs_pass_over(). */
static bool changes_nothing(const struct reading *reading, const struct run *run)
{
    const struct runs *runs = reading->call.runs;
    if (has_acted(reading, run)) return true;
    if (run != NULL) return !is_of_workers(runs, run, reading->report->workers);
    if (is_unknown(reading)) return !has_letters_left(runs, reading->call.now);
    return !is_sign(reading->report) || is_asked(reading);
}

static void read_report(const struct reading *reading, struct run *run)
{
    struct runs_numbers *numbers = &reading->call.runs->numbers;
    numbers->reports += !reading->again;
    if (has_acted(reading, run)) return;
    if (run == NULL) {
        read_stranger(reading);
        return;
    }
    if (!is_of_workers(reading->call.runs, run, reading->report->workers)) {
        numbers->foreign_reports += !reading->again;
        return;
    }
    if (is_open_try(reading, run)) run = readers[reading->report->kind](reading, run);
    else read_earlier(reading, run);
    run_settle(&reading->call, run);
}

static struct reading reading_of(struct runs *runs, const struct runs_place *place,
                                 const struct report *report, const struct runs_sink *sink)
{
    assert(runs != NULL && place != NULL && report != NULL);
    return (struct reading){.call = {.runs = runs, .now = place->now, .sink = sink},
                            .place = place,
                            .report = report,
                            .again = place->offset < runs->read_to};
}

bool runs_pass_over(struct runs *runs, const struct runs_place *place, const struct report *seen)
{
    const struct reading reading = reading_of(runs, place, seen, NULL);
    struct run *run = run_table_find(&runs->table, seen->run);
    if (!changes_nothing(&reading, run)) return false;
    read_report(&reading, run); /* says nothing: it counts */
    return true;
}

void runs_report(struct runs *runs, const struct runs_place *place, const struct report *report,
                 const struct runs_sink *sink)
{
    const struct reading reading = reading_of(runs, place, report, sink);
    read_report(&reading, run_table_find(&runs->table, report->run));
}
