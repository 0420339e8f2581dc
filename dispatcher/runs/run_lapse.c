/* Silence: what is asked when a lease is over, and what a tick that comes back decides. */
#include "dispatcher/runs/runs_state.h"

#include <assert.h>
#include <string.h>

enum { ASKED_BITS = RUN_ASKED_MAX << RUN_ASKED_SHIFT };

void run_ask_to_stop(const struct run_call *call, struct run *run)
{
    if ((run->flags & RUN_CANCEL) == 0) return;
    struct run_more *more = run_more(run);
    int64_t now_ms = call->now.steady_ms;
    if (more->cancel_said_ms != INSTANT_NONE &&
        now_ms - more->cancel_said_ms < RUNS_CANCEL_AGAIN_MS)
        return;
    more->cancel_said_ms = now_ms;
    call->sink->cancel(call->sink->opaque, run_viewed(call->runs, run));
}

void run_sign(const struct run_call *call, struct run *run, int64_t log_ms)
{
    assert(run->state == RUN_STATE_CLAIMED);
    run->sign_ms = log_ms;
    run->flags &= (uint16_t) ~(RUN_LAPSED | RUN_UNCOMMITTED | ASKED_BITS);
    run_begin_lease(call, run);
    run_ask_to_stop(call, run);
}

/* ---- questions ---- */

/* Only a tick that is sent from now on counts for the run: an earlier one may have passed a report
 * that is in the log by now. */
static void await_tick(struct runs *runs, struct run *run)
{
    run_table_queue(&runs->table, run, RUN_QUEUE_TICK, runs->tick_number + 1);
}

static bool is_expired(const struct run *run, struct runs_now now)
{
    return now.now_ms >= run_expiry_ms(run) + RUNS_EXPIRY_MS;
}

/* It is looked at again when it is to be asked again, or when it expires. */
static void look_again(struct runs *runs, struct run *run, struct runs_now now, int64_t wait_ms)
{
    int64_t left_ms = run_expiry_ms(run) + RUNS_EXPIRY_MS - now.now_ms;
    if (left_ms > 0 && left_ms < wait_ms) wait_ms = left_ms;
    run_table_queue(&runs->table, run, RUN_QUEUE_LEASE, now.steady_ms + wait_ms);
}

/* How long until it is asked again; the next time it is longer. */
static int64_t patience(struct run *run)
{
    unsigned asked = (unsigned)run->flags >> RUN_ASKED_SHIFT;
    int64_t wait_ms = RUNS_ASK_AGAIN_MS << asked;
    if (asked < RUN_ASKED_MAX) run->flags = (uint16_t)(run->flags + (1 << RUN_ASKED_SHIFT));
    return wait_ms < RUNS_ASK_LONGEST_MS ? wait_ms : RUNS_ASK_LONGEST_MS;
}

/* A lease is over, or an answer has not come, or was "not committed". True: it is to be asked. */
static bool is_to_be_asked(struct runs *runs, struct run *run, struct runs_now now)
{
    bool is_first = (run->flags & RUN_LAPSED) == 0;
    run->flags |= RUN_LAPSED;
    bool is_known = run->state == RUN_STATE_OPEN || (run->flags & RUN_PROVEN) != 0;
    bool can_be_asked = run->topic != 0;
    if (is_known || (is_expired(run, now) && !(is_first && can_be_asked))) {
        await_tick(runs, run);
        return false;
    }
    look_again(runs, run, now, can_be_asked ? patience(run) : RUNS_ASK_LONGEST_MS);
    return can_be_asked;
}

size_t runs_questions(struct runs *runs, struct runs_now now, struct run_question *questions,
                      size_t max)
{
    assert(runs != NULL && questions != NULL);
    const struct text_pool *texts = &runs->table.texts;
    size_t count = 0;
    for (struct run *run;
         count < max && (run = run_table_first(&runs->table, RUN_QUEUE_LEASE)) != NULL &&
         run->at <= now.steady_ms;) {
        if (!is_to_be_asked(runs, run, now)) continue;
        questions[count++] = (struct run_question){.k = run->k,
                                                   .runnumber = run->runnumber,
                                                   .answer_by_ms = run->at,
                                                   .workers = text_pool_at(texts, run->workers),
                                                   .topic = text_pool_at(texts, run->topic),
                                                   .partition = run->fire_partition,
                                                   .offset = run->fire_offset};
    }
    runs->numbers.questions += (int64_t)count;
    return count;
}

void runs_answer(struct runs *runs, const struct run_question *question, int64_t committed,
                 struct runs_now now)
{
    assert(runs != NULL && question != NULL);
    struct run *run = run_table_at(&runs->table, question->k);
    if (run == NULL || run->runnumber != question->runnumber ||
        run->queue != RUN_QUEUE_LEASE || (run->flags & RUN_LAPSED) == 0 ||
        run->at != question->answer_by_ms)
        return; /* it has ended or shown life since, or was asked again */
    if (committed > question->offset) {
        run->flags |= RUN_PROVEN;
        await_tick(runs, run);
        return;
    }
    run->flags |= RUN_UNCOMMITTED;
    if (is_expired(run, now)) await_tick(runs, run);
}

/* ---- ticks ---- */

bool runs_wants_tick(const struct runs *runs, struct runs_now now)
{
    if (runs->tick_sent_ms != INSTANT_NONE && now.steady_ms - runs->tick_sent_ms < RUNS_TICK_MS)
        return false;
    const struct run *unclaimed = run_table_first(&runs->table, RUN_QUEUE_EXPIRY);
    return run_table_first(&runs->table, RUN_QUEUE_TICK) != NULL ||
           (unclaimed != NULL && unclaimed->at <= now.now_ms);
}

struct run_tick runs_send_tick(struct runs *runs, struct runs_now now)
{
    runs->tick_sent_ms = now.steady_ms;
    runs->tick_number++;
    runs->numbers.ticks++;
    return (struct run_tick){
        .owner = text_of(runs->owner), .epoch = runs->epoch, .number = runs->tick_number};
}

/* Nothing came before the tick. What a try ended as whose lease is over: of one that may have been
 * started nobody can say that it was not, unless its fire is not committed. */
static struct run *decide(const struct run_call *call, struct run *run, int64_t tick_ms)
{
    bool is_proven = (run->flags & RUN_PROVEN) != 0 || run->state == RUN_STATE_OPEN;
    if (!is_proven && tick_ms < run_expiry_ms(run) + RUNS_EXPIRY_MS) {
        await_tick(call->runs, run); /* the log's time is behind ours */
        return run;
    }
    if (!is_proven && (run->flags & RUN_UNCOMMITTED) != 0)
        return run_close(call, run, RUN_NOT_STARTED, NULL, false);
    return run_close(call, run, RUN_LOST, NULL, true);
}

bool runs_tick(struct runs *runs, const struct runs_place *place, const struct run_tick *tick,
               const struct runs_sink *sink)
{
    assert(runs != NULL && place != NULL && tick != NULL);
    if (tick->epoch != runs->epoch || tick->number > runs->tick_number ||
        !text_equal(tick->owner, text_of(runs->owner)))
        return true; /* of an earlier owner, or never sent */
    const struct run_call call = {.runs = runs, .now = place->now, .sink = sink};
    int64_t tick_ms = runs->config.append_times ? place->log_ms : place->now.now_ms;
    for (struct run *run; (run = run_table_first(&runs->table, RUN_QUEUE_EXPIRY)) != NULL &&
                          run->at <= tick_ms;) {
        if (sink->full(sink->opaque)) return false;
        run_settle(&call, run_close(&call, run, RUN_NOT_STARTED, NULL, false));
    }
    for (struct run *run; (run = run_table_first(&runs->table, RUN_QUEUE_TICK)) != NULL &&
                          run->at <= tick->number;) {
        if (sink->full(sink->opaque)) return false;
        run_settle(&call, decide(&call, run, tick_ms));
    }
    return true;
}
