#include "dispatcher/runs/runs_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/model/retry_delay.h"

enum { LOST_MOST = UINT8_MAX - 1 };

void run_settle(const struct run_call *call, struct run *run)
{
    if (run == NULL || (run->flags & RUN_DIRTY) == 0) return;
    run->flags &= (uint16_t) ~(RUN_DIRTY | RUN_UNRECORDED);
    call->sink->changed(call->sink->opaque, run_viewed(call->runs, run));
}

/* ---- what is kept of a try ---- */

/* Whole characters of it. */
static struct text shortened(struct text text)
{
    if (text.length <= RUN_TRY_TEXT_BYTES_MAX) return text;
    text.length = RUN_TRY_TEXT_BYTES_MAX;
    while (text.length > 0 && ((unsigned char)text.bytes[text.length] & 0xc0) == 0x80)
        text.length--;
    return text;
}

static struct text copied(char **at, struct text text)
{
    char *bytes = *at;
    if (text.length > 0) memcpy(bytes, text.bytes, text.length);
    *at += text.length;
    return (struct text){bytes, text.length};
}

void run_keep_try(struct run *run, const struct run_try *said)
{
    struct run_more *more = run_more(run);
    struct run_try kept = *said;
    kept.message = shortened(said->message);
    size_t bytes = kept.worker.length + kept.error_code.length + kept.message.length;
    struct kept_try *copy = memory_allocate(1, sizeof *copy + bytes);
    char *at = copy->bytes;
    copy->said = kept;
    copy->said.worker = copied(&at, kept.worker);
    copy->said.error_code = copied(&at, kept.error_code);
    copy->said.message = copied(&at, kept.message);
    if (more->try_count == RUN_TRIES_KEPT) {
        free(more->tries[0]);
        memmove(more->tries, more->tries + 1, --more->try_count * sizeof more->tries[0]);
    }
    more->tries[more->try_count++] = copy;
}

void run_keep_cursor(struct run *run, struct text cursor, int64_t steady_ms)
{
    struct run_more *more = run_more(run);
    free(more->cursor);
    more->cursor = cursor.length == 0 ? NULL : memory_copy_text(cursor.bytes, cursor.length);
    more->cursor_length = cursor.length;
    more->cursor_kept_ms = steady_ms;
    run->flags |= RUN_DIRTY;
}

/* The open try is one that has ended: from here on the run waits. */
static void end_try(const struct run_call *call, struct run *run, bool released,
                    enum run_outcome outcome, const struct report *report)
{
    assert(run->state != RUN_STATE_WAITING); /* no closed try changes */
    assert(run->counted >= 1 && run->counted <= RETRY_ATTEMPTS_MAX);
    struct text_pool *texts = &call->runs->table.texts;
    struct run_try said = {.runnumber = run->runnumber,
                           .number = run->number,
                           .released = released,
                           .outcome = outcome,
                           .ended_ms = call->now.now_ms,
                           .exit_code = report == NULL ? -1 : report->exit_code,
                           .signal = report == NULL ? 0 : report->signal,
                           .worker = text_pool_at(texts, run->worker)};
    if (released) call->runs->numbers.released++;
    else call->runs->numbers.tries_ended[outcome]++;
    if (report != NULL) {
        if (report->worker.length > 0) said.worker = report->worker;
        said.error_code = report->error_code;
        said.message = report->error_message;
        if (report->cursor_given) run_keep_cursor(run, report->cursor, call->now.steady_ms);
    }
    run_keep_try(run, &said);
    run_table_queue(&call->runs->table, run, RUN_QUEUE_NONE, 0);
    text_pool_drop(texts, run->topic);
    text_pool_drop(texts, run->worker);
    run->topic = 0;
    run->worker = 0;
    run->token = 0;
    run->flags &= RUN_CANCEL | RUN_ORPHAN;
    run->flags |= RUN_DIRTY;
    run->state = RUN_STATE_WAITING;
    run->at = INSTANT_NONE;
}

/* ---- the end of a run ---- */

void run_finish(const struct run_call *call, struct run *run, enum run_outcome outcome,
                const struct report *report)
{
    assert(run->state == RUN_STATE_WAITING);
    bool is_wanted = outcome == RUN_SUCCESS || outcome == RUN_CANCELLED ||
                     (run->flags & RUN_CANCEL) != 0;
    struct run_end end = {.run = run_viewed(call->runs, run),
                          .outcome = outcome,
                          .is_failed = !is_wanted,
                          .report = report};
    struct runs_numbers *numbers = &call->runs->numbers;
    numbers->ended[outcome]++;
    run_count_span(numbers->ended_after, &numbers->ended_after_ms,
                   call->now.now_ms - run_opened_ms(run));
    if (call->sink->ended(call->sink->opaque, &end)) run_table_end(&call->runs->table, run);
    else run_table_close(&call->runs->table, run);
}

enum run_outcome run_last_outcome(const struct run *run)
{
    for (uint32_t i = run->more == NULL ? 0 : run->more->try_count; i-- > 0;)
        if (!run->more->tries[i]->said.released) return run->more->tries[i]->said.outcome;
    return RUN_CANCELLED;
}

/* ---- another try, or not ---- */

static enum run_job job_of(const struct run_call *call, const struct run *run,
                           struct run_terms *terms)
{
    *terms = (struct run_terms){0};
    if ((run->flags & RUN_ORPHAN) != 0) return RUN_JOB_GONE;
    return call->sink->job(call->sink->opaque, run->ordinal, run->job_slot, terms);
}

static int64_t later(int64_t from_ms, int64_t by_ms)
{
    return from_ms > INT64_MAX - by_ms ? INT64_MAX : from_ms + by_ms;
}

static bool is_within(const struct run *run, const struct retry_terms *retry, int64_t at_ms)
{
    return retry->within_ms == 0 || at_ms <= later(run_opened_ms(run), retry->within_ms);
}

/* Whether the try that has just ended is followed by another one, and when. */
static bool is_retried(const struct run_call *call, const struct run *run,
                       const struct retry_terms *retry, const struct report *report,
                       int64_t *at_ms)
{
    const struct run_try *last = &run->more->tries[run->more->try_count - 1]->said;
    if ((run->flags & RUN_CANCEL) != 0 || run->counted >= retry->attempts) return false;
    if (!retry_is_on(retry, last->outcome, last->exit_code)) return false;
    char id[RUN_ID_BYTES_MAX + 1];
    struct text name = {id, run_id_of(run, id)};
    int64_t delay_ms = report != NULL && report->retry_after_ms >= 0
                           ? report->retry_after_ms
                           : retry_delay(retry, name, run->counted);
    *at_ms = later(call->now.now_ms, delay_ms);
    return is_within(run, retry, *at_ms);
}

/* What was decided when the last try ended may not hold any more: the job was changed, or paused
 * for long. One that has dropped its lease leaves it at what was decided. */
static bool may_retry_yet(const struct run_call *call, const struct run *run,
                          const struct run_terms *terms)
{
    return terms->lease_ms == 0 || (run->counted < terms->retry.attempts &&
                                    is_within(run, &terms->retry, call->now.now_ms));
}

static struct run *wait_until(const struct run_call *call, struct run *run, int64_t at_ms)
{
    run_table_queue(&call->runs->table, run, RUN_QUEUE_RETRY, at_ms);
    return at_ms <= call->now.now_ms ? run_fire_again(call, run) : run;
}

struct run *run_close(const struct run_call *call, struct run *run, enum run_outcome outcome,
                      const struct report *report, bool silent)
{
    assert(outcome != RUN_POISON);
    end_try(call, run, false, outcome, report);
    if (outcome != RUN_LOST || !silent) run->lost_in_a_row = 0;
    else if (run->lost_in_a_row < LOST_MOST) run->lost_in_a_row++;
    struct run_terms terms;
    int64_t at_ms;
    bool has_terms = job_of(call, run, &terms) != RUN_JOB_GONE && terms.lease_ms > 0;
    if (has_terms && run->lost_in_a_row >= terms.retry.poison_after) {
        run_finish(call, run, RUN_POISON, report);
        return NULL;
    }
    if (!has_terms || !is_retried(call, run, &terms.retry, report, &at_ms)) {
        run_finish(call, run, outcome, report);
        return NULL;
    }
    return wait_until(call, run, at_ms);
}

struct run *run_release(const struct run_call *call, struct run *run, const struct report *report)
{
    if (run->released >= RUN_RELEASED_MAX) return run_close(call, run, RUN_FAILURE, report, false);
    end_try(call, run, true, RUN_FAILURE, report);
    run->counted--;
    if ((run->flags & (RUN_CANCEL | RUN_ORPHAN)) != 0) {
        run_finish(call, run,
                   (run->flags & RUN_CANCEL) != 0 ? RUN_CANCELLED : run_last_outcome(run), report);
        return NULL;
    }
    int64_t wait_ms = run->released++ * SECONDS_MS; /* none after the first */
    if (wait_ms > RUNS_RELEASE_LONGEST_MS) wait_ms = RUNS_RELEASE_LONGEST_MS;
    return wait_until(call, run, later(call->now.now_ms, wait_ms));
}

/* ---- a try goes out ---- */

void run_begin_lease(const struct run_call *call, struct run *run)
{
    run_table_queue(&call->runs->table, run, RUN_QUEUE_LEASE,
                    call->now.steady_ms + run->lease_ms + RUNS_LAPSE_MS);
}

/* Its time counts from the commit of its fire, which may take long. */
static void await_end(const struct run_call *call, struct run *run)
{
    struct runs *runs = call->runs;
    run_begin_lease(call, run);
    runs->gone_out = memory_grow(runs->gone_out, &runs->gone_out_capacity,
                                 runs->gone_out_count + 1, sizeof *runs->gone_out);
    runs->gone_out[runs->gone_out_count++] =
        (struct run_gone_out){.runnumber = run->runnumber, .k = run->k};
}

void run_await(const struct run_call *call, struct run *run)
{
    run->state = RUN_STATE_OPEN;
    if (run->mode == LEASE_FIXED) await_end(call, run);
    else
        run_table_queue(&call->runs->table, run, RUN_QUEUE_EXPIRY,
                        run_expiry_ms(run) + RUNS_EXPIRY_MS);
}

void runs_committed(struct runs *runs, int64_t steady_ms)
{
    const struct run_call call = {.runs = runs, .now = {.steady_ms = steady_ms}};
    for (size_t i = 0; i < runs->gone_out_count; i++) {
        const struct run_gone_out *gone_out = &runs->gone_out[i];
        struct run *run = run_table_at(&runs->table, gone_out->k);
        bool is_out = run != NULL && run->runnumber == gone_out->runnumber &&
                      run->state == RUN_STATE_OPEN;
        if (is_out) run_begin_lease(&call, run);
    }
    runs->gone_out_count = 0;
}

void run_take_terms(struct runs *runs, struct run *run, const struct run_terms *terms)
{
    assert(terms->lease_ms >= 1 && terms->lease_ms <= LEASE_MAX_MS);
    assert(terms->start_within_ms >= 1 && terms->start_within_ms <= START_WITHIN_MAX_MS);
    uint32_t workers = text_pool_take(&runs->table.texts, terms->workers);
    text_pool_drop(&runs->table.texts, run->workers);
    run->workers = workers;
    run->lease_ms = (uint32_t)terms->lease_ms;
    run->mode = (uint8_t)terms->mode;
    run->start_within_ms = (uint32_t)(runs->config.append_times ? terms->start_within_ms
                                                                : RUNS_UNCLAIMED_MS);
}

struct run *run_fire_again(const struct run_call *call, struct run *run)
{
    assert(run->state == RUN_STATE_WAITING && run->more != NULL && run->more->try_count > 0);
    const struct run_try *last = &run->more->tries[run->more->try_count - 1]->said;
    struct run_terms terms;
    enum run_job job = job_of(call, run, &terms);
    run_table_queue(&call->runs->table, run, RUN_QUEUE_NONE, 0);
    if (job == RUN_JOB_PAUSED) return run; /* as it is, until it is resumed */
    if (job == RUN_JOB_GONE) {
        run_finish(call, run, run_last_outcome(run), NULL);
        return NULL;
    }
    if (!last->released && !may_retry_yet(call, run, &terms)) {
        run_finish(call, run, last->outcome, NULL);
        return NULL;
    }
    if (terms.lease_ms > 0) run_take_terms(call->runs, run, &terms);
    assert(run->number < UINT8_MAX && run->counted < RETRY_ATTEMPTS_MAX);
    run->number++;
    run->counted++;
    run->runnumber = call->runs->next_runnumber++;
    call->runs->numbers.retries++;
    run->fired_ms = call->now.now_ms;
    run->flags |= RUN_DIRTY;
    run_await(call, run);
    call->sink->fire(call->sink->opaque, run_viewed(call->runs, run), call->now);
    return run;
}
