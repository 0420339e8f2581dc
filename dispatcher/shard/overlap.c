/* What a slot does that comes due while a run of its job is open, and what is said of those that
 * are left out. The slots that come due meanwhile are the tail of the job's ledger, which says
 * which of them are owed: so nothing is written for each of them, and how many were left out
 * follows from the schedule. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"

/* ---- what is left out ---- */

static void say_left_out(const struct shard *shard, const struct job *job,
                         struct dropped left_out, enum overlap overlap, int64_t at_ms,
                         const struct sink *sink)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    struct run_view run;
    if (left_out.count == 0) return;
    job_event_init(&event, EVENT_SKIPPED, job, at_ms, incarnation);
    event.first_ms = left_out.first_ms;
    event.last_ms = left_out.last_ms;
    event.count = left_out.count;
    event.reason = overlap == OVERLAP_BUFFER_ALL ? REASON_BUFFER_FULL : REASON_OVERLAP;
    uint32_t oldest = shard_runs_in_way(shard, job).oldest;
    if (oldest != UINT32_MAX) {
        runs_view(shard->open, oldest, &run);
        event.run = text_of(run.id);
        event.run_number = run.record.runnumber;
    }
    sink->event(sink->opaque, &event);
}

bool overlap_tell(struct shard *shard, struct job *job, int64_t to_ms, int64_t at_ms,
                  const struct sink *sink)
{
    struct definition definition;
    if (!job_leaves_out(job)) return false;
    struct terms terms = job_terms(job);
    job_view(job, &definition);
    say_left_out(shard, job, ledger_leave_out(&job->extra->ledger, &terms, to_ms),
                 definition.runs.overlap, at_ms, sink);
    return true;
}

bool overlap_settle(struct shard *shard, struct job *job, int64_t to_ms, int64_t at_ms,
                    const struct sink *sink)
{
    if (!overlap_tell(shard, job, to_ms, at_ms, sink)) return false;
    struct terms terms = job_terms(job);
    ledger_keep_all(&job->extra->ledger, &terms, to_ms);
    return true;
}

/* ---- a slot that meets a run ---- */

/* Whether the tail has slots up to done_ms that would have to become a debt without room for it. */
static bool is_stuck(const struct ledger *ledger, const struct terms *terms, int64_t done_ms)
{
    return ledger_tail_from_ms(ledger) != INSTANT_NONE && !ledger_has_room(ledger, 1) &&
           terms_count(terms, ledger_tail(ledger, terms, done_ms)) > 0;
}

/* Which of the slots from the one on that is due behind done_ms are to be owed. */
static enum tail_keeps wanted(const struct ledger *ledger, const struct terms *terms,
                              const struct run_terms *runs, int64_t done_ms)
{
    if (runs->overlap == OVERLAP_SKIP) return TAIL_KEEPS_NONE;
    if (runs->overlap == OVERLAP_CANCEL_OTHER) return TAIL_KEEPS_NEWEST;
    int64_t most = runs->overlap == OVERLAP_BUFFER_ONE ? 1 : runs->overlap_limit;
    bool room = ledger_has_room(ledger, 1) || is_stuck(ledger, terms, done_ms);
    bool full = !room || ledger_left(ledger, terms, done_ms).count >= most;
    return full ? TAIL_KEEPS_NONE : TAIL_KEEPS_ALL;
}

static void ask_to_stop(struct shard *shard, const struct job *job, int64_t now_ms,
                        const struct sink *sink)
{
    uint32_t k = shard_runs_in_way(shard, job).oldest;
    while (k != UINT32_MAX) {
        uint32_t next = runs_next_in_way(shard->open, job->life.ordinal, k);
        shard_stop_run(shard, k, now_ms, sink);
        k = next;
    }
}

void overlap_ask(struct shard *shard, struct job *job, int64_t now_ms, const struct sink *sink)
{
    if (!job->extra->asks_later || shard_awaits_reports(shard, job)) return;
    job->extra->asks_later = false;
    if (shard_run_in_way(shard, job)) ask_to_stop(shard, job, now_ms, sink);
}

/* Whether a slot is owed whatever the policy says of a run in its way. */
static bool waits_its_turn(const struct shard *shard, const struct job *job, bool in_way)
{
    return shard_awaits_reports(shard, job) || (!in_way && shard_lacks_room(shard, job));
}

static void wait_its_turn(struct shard *shard, struct job *job, int64_t due_ms,
                          const struct sink *sink)
{
    struct ledger *ledger = &job_extra(job)->ledger;
    struct definition definition;
    bool changed = overlap_settle(shard, job, due_ms - 1, due_ms, sink);
    job_view(job, &definition);
    if (ledger_tail_from_ms(ledger) == INSTANT_NONE) {
        ledger_open_tail(ledger, due_ms - 1, false);
        changed = true;
    }
    if (definition.runs.overlap == OVERLAP_CANCEL_OTHER && shard_run_in_way(shard, job))
        job->extra->asks_later = true;
    (void)shard_hold(shard, job);
    if (changed) sink->job_changed(sink->opaque, job);
}

bool overlap_meets(struct shard *shard, struct job *job, int64_t due_ms, const struct sink *sink)
{
    bool in_way = shard_run_in_way(shard, job);
    if (waits_its_turn(shard, job, in_way)) {
        wait_its_turn(shard, job, due_ms, sink);
        return true;
    }
    if (!in_way) return false;
    struct ledger *ledger = &job_extra(job)->ledger;
    if (ledger_leaves_out(ledger)) { /* one more, or the newest in place of the last */
        if (ledger_tail_keeps(ledger) == TAIL_KEEPS_NEWEST) ask_to_stop(shard, job, due_ms, sink);
        return true;
    }
    struct definition definition;
    struct terms terms = job_terms(job);
    job_view(job, &definition);
    enum tail_keeps keeps = wanted(ledger, &terms, &definition.runs, due_ms - 1);
    bool tail = ledger_tail_from_ms(ledger) != INSTANT_NONE;
    if (tail && keeps == TAIL_KEEPS_ALL) return true;
    if (tail && keeps == TAIL_KEEPS_NONE) {
        if (is_stuck(ledger, &terms, due_ms - 1)) return true; /* it is owed with them */
        lane_close_tail(job, due_ms - 1, due_ms, sink);
    }
    if (!tail || keeps == TAIL_KEEPS_NONE) ledger_open_tail(ledger, due_ms - 1, false);
    ledger_keep(ledger, keeps);
    if (keeps == TAIL_KEEPS_NEWEST) ask_to_stop(shard, job, due_ms, sink);
    job_set_alarm(shard, job);
    sink->job_changed(sink->opaque, job);
    return true;
}

bool overlap_meets_pending(struct shard *shard, struct job *job, struct job_slot slot, bool late,
                           int64_t now_ms, const struct sink *sink)
{
    bool in_way = shard_run_in_way(shard, job);
    bool held = waits_its_turn(shard, job, in_way);
    if (!held && !in_way) return false;
    struct ledger *ledger = &job->extra->ledger;
    struct terms terms = job_terms(job);
    int64_t done_ms = shard_slots_done_ms(shard);
    struct definition definition;
    job_view(job, &definition);
    enum tail_keeps keeps = late || held ? TAIL_KEEPS_ALL
                                         : wanted(ledger, &terms, &definition.runs, done_ms);
    if (keeps == TAIL_KEEPS_NEWEST) ask_to_stop(shard, job, now_ms, sink);
    if (keeps == TAIL_KEEPS_NONE || !ledger_put(ledger, &terms, slot))
        say_left_out(shard, job, (struct dropped){1, slot.nominal_ms, slot.nominal_ms},
                     definition.runs.overlap, now_ms, sink);
    else if (ledger_tail_from_ms(ledger) == INSTANT_NONE)
        ledger_open_tail(ledger, done_ms, false);
    return true;
}
