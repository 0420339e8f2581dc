/* What time brings, and what happens to jobs. */
#include "dispatcher/runs/runs_state.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/memory.h"

/* ---- time ---- */

/* Those of an earlier generation: what became of their workers and of their fires is not known. */
static bool end_earlier(const struct run_call *call)
{
    struct runs *runs = call->runs;
    for (; runs->sweep_at < run_table_top(&runs->table); runs->sweep_at++) {
        struct run *run = run_table_at(&runs->table, runs->sweep_at);
        if (run == NULL || run->state == RUN_STATE_WAITING) continue;
        if (run->runnumber >> 32 >= runs->generation) continue;
        if (call->sink->full(call->sink->opaque)) return false;
        run_settle(call, run_close(call, run, RUN_LOST, NULL, false));
    }
    runs->sweep_at = UINT32_MAX;
    return true;
}

static bool record_claims(const struct run_call *call)
{
    struct runs *runs = call->runs;
    for (const struct run_claimed *claimed;
         (claimed = run_claims_first(&runs->claims, &runs->table)) != NULL &&
         call->now.steady_ms - claimed->read_ms >= RUNS_CLAIM_RECORD_MS;) {
        if (call->sink->full(call->sink->opaque)) return false;
        struct run *run = run_table_at(&runs->table, claimed->k);
        run->flags |= RUN_DIRTY;
        run_settle(call, run);
    }
    return true;
}

bool runs_step(struct runs *runs, struct runs_now now, const struct runs_sink *sink)
{
    assert(runs != NULL && sink != NULL);
    const struct run_call call = {.runs = runs, .now = now, .sink = sink};
    if (!end_earlier(&call) || !record_claims(&call)) return false;
    for (struct run *run; (run = run_table_first(&runs->table, RUN_QUEUE_RETRY)) != NULL &&
                          run->at <= now.now_ms;) {
        if (sink->full(sink->opaque)) return false;
        run_settle(&call, run_fire_again(&call, run));
    }
    return true;
}

static int64_t sooner(int64_t wait_ms, int64_t at_ms, int64_t now_ms)
{
    int64_t left_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    return left_ms < wait_ms ? left_ms : wait_ms;
}

static int64_t tick_wait_ms(const struct runs *runs, struct runs_now now)
{
    const struct run *unclaimed = run_table_first(&runs->table, RUN_QUEUE_EXPIRY);
    int64_t wait_ms = INT64_MAX;
    if (run_table_first(&runs->table, RUN_QUEUE_TICK) != NULL) wait_ms = 0;
    else if (unclaimed != NULL) wait_ms = sooner(wait_ms, unclaimed->at, now.now_ms);
    if (wait_ms == INT64_MAX || runs->tick_sent_ms == INSTANT_NONE) return wait_ms;
    int64_t rest_ms = sooner(INT64_MAX, runs->tick_sent_ms + RUNS_TICK_MS, now.steady_ms);
    return wait_ms > rest_ms ? wait_ms : rest_ms;
}

int64_t runs_wait_ms(struct runs *runs, struct runs_now now)
{
    if (runs->sweep_at != UINT32_MAX || runs->lost_at != UINT32_MAX) return 0;
    int64_t wait_ms = tick_wait_ms(runs, now);
    const struct run *retry = run_table_first(&runs->table, RUN_QUEUE_RETRY);
    const struct run *leased = run_table_first(&runs->table, RUN_QUEUE_LEASE);
    const struct run_claimed *claimed = run_claims_first(&runs->claims, &runs->table);
    if (retry != NULL) wait_ms = sooner(wait_ms, retry->at, now.now_ms);
    if (leased != NULL) wait_ms = sooner(wait_ms, leased->at, now.steady_ms);
    if (claimed != NULL)
        wait_ms = sooner(wait_ms, claimed->read_ms + RUNS_CLAIM_RECORD_MS, now.steady_ms);
    return wait_ms;
}

/* ---- reports that were deleted unread ---- */

/* It may have been claimed, by whom is not known: it is silent from now on. */
static void allow_for_claim(const struct run_call *call, struct run *run)
{
    if (run->state == RUN_STATE_WAITING) return;
    if (run->mode == LEASE_FIXED) {
        run_begin_lease(call, run);
        return;
    }
    if (run->state == RUN_STATE_OPEN) {
        run->state = RUN_STATE_CLAIMED;
        run->started_after_ms = 0;
        run->sign_ms = run->fired_ms;
        run->flags |= RUN_DIRTY;
    }
    run_sign(call, run, run->sign_ms); /* none was read: a later one would prove that it runs */
    run_settle(call, run);
}

bool runs_reports_lost(struct runs *runs, struct runs_now now, const struct runs_sink *sink)
{
    const struct run_call call = {.runs = runs, .now = now, .sink = sink};
    if (runs->lost_at == UINT32_MAX) runs->lost_at = 0;
    for (; runs->lost_at < run_table_top(&runs->table); runs->lost_at++) {
        struct run *run = run_table_at(&runs->table, runs->lost_at);
        if (run == NULL) continue;
        if (sink->full(sink->opaque)) return false;
        allow_for_claim(&call, run);
    }
    runs->lost_at = UINT32_MAX;
    return true;
}

/* ---- jobs ---- */

bool runs_cancel(struct runs *runs, uint32_t k, struct runs_now now, const struct runs_sink *sink)
{
    struct run *run = run_table_at(&runs->table, k);
    if (run == NULL || run_has_ended(run)) return false;
    const struct run_call call = {.runs = runs, .now = now, .sink = sink};
    if (run->state == RUN_STATE_WAITING) {
        run_finish(&call, run, RUN_CANCELLED, NULL);
        return true;
    }
    if ((run->flags & RUN_CANCEL) != 0) return true; /* it is said again at signs of life */
    run->flags |= RUN_CANCEL | RUN_DIRTY;
    run_ask_to_stop(&call, run);
    run_settle(&call, run);
    return true;
}

void runs_hasten(struct runs *runs, uint32_t k, struct runs_now now, const struct runs_sink *sink)
{
    struct run *run = run_table_at(&runs->table, k);
    assert(run != NULL && run->state == RUN_STATE_WAITING);
    const struct run_call call = {.runs = runs, .now = now, .sink = sink};
    run_table_queue(&runs->table, run, RUN_QUEUE_RETRY, now.now_ms);
    run->flags |= RUN_DIRTY;
    run_settle(&call, run_fire_again(&call, run));
}

void runs_unfire(struct runs *runs, uint32_t k, int64_t retry_ms, struct runs_now now,
                 const struct runs_sink *sink)
{
    struct run *run = run_table_at(&runs->table, k);
    assert(run != NULL && run->state == RUN_STATE_OPEN);
    if (run->number == 1) {
        runs->numbers.opened--;
        sink->withdrawn(sink->opaque, run_viewed(runs, run));
        run_table_close(&runs->table, run);
        return;
    }
    const struct run_call call = {.runs = runs, .now = now, .sink = sink};
    runs->numbers.retries--;
    run->state = RUN_STATE_WAITING;
    run->number--;
    run->counted--;
    run->runnumber = run->more->tries[run->more->try_count - 1]->said.runnumber;
    run->flags |= RUN_DIRTY;
    run_table_queue(&runs->table, run, RUN_QUEUE_RETRY, retry_ms);
    run_settle(&call, run);
}

/* Under the name of its job, which is gone. */
static void become_orphan(struct runs *runs, struct run *run, struct text group, struct text id)
{
    struct run_more *more = run_more(run);
    run_table_unlink(&runs->table, run);
    more->group = memory_copy_text(group.bytes, group.length);
    more->id = memory_copy_text(id.bytes, id.length);
    run->flags |= RUN_ORPHAN;
    run->job_slot = UINT32_MAX;
    run_table_link(&runs->table, run);
}

/* From the oldest of a ring on. */
static void let_go_all(struct runs *runs, struct run *run)
{
    while (run != NULL) {
        struct run *next = run_table_next(&runs->table, run);
        if (run_has_ended(run)) run_table_close(&runs->table, run);
        run = next;
    }
}

void runs_job_deleted(struct runs *runs, int64_t ordinal, struct text group, struct text id,
                      struct runs_now now, const struct runs_sink *sink)
{
    const struct run_call call = {.runs = runs, .now = now, .sink = sink};
    let_go_all(runs, run_table_of_name(&runs->table, group, id));
    let_go_all(runs, run_table_of_job(&runs->table, ordinal));
    for (struct run *run; (run = run_table_of_job(&runs->table, ordinal)) != NULL;) {
        become_orphan(runs, run, group, id);
        if (run->state == RUN_STATE_WAITING)
            run_finish(&call, run, run_last_outcome(run), NULL);
    }
}

void runs_job_resumed(struct runs *runs, int64_t ordinal)
{
    for (struct run *run = run_table_of_job(&runs->table, ordinal); run != NULL;
         run = run_table_next(&runs->table, run))
        if (run->state == RUN_STATE_WAITING && run->queue == RUN_QUEUE_NONE &&
            !run_has_ended(run))
            run_table_queue(&runs->table, run, RUN_QUEUE_RETRY, run->at);
}
