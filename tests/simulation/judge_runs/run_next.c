/* What follows a try that has ended: another one, when, or the end of the run. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/judge_runs/run_judge.h"

enum { RELEASE_SECONDS_MOST = 60 };

static void complain(struct run_judge *judge, const struct judged_run *run, const char *what,
                     int64_t is, int64_t wanted)
{
    world_violation(judge->world, "run retry: %s %" PRId64 ": %s: %" PRId64 ", should be %" PRId64,
                    run->id, run->tries[run->try_count - 1].runnumber, what, is, wanted);
}

/* Of these tries the last ones that were lost in silence, one after the other. */
static int64_t lost_in_a_row(const struct judged_run *run, size_t tries)
{
    int64_t count = 0;
    for (size_t i = tries; i-- > 0;) {
        const struct judged_try *tried = &run->tries[i];
        if (tried->outcome == SAID_RELEASED) continue;
        if (tried->outcome != SAID_LOST || !tried->by_owner || tried->lived) break;
        count++;
    }
    return count;
}

static int64_t released(const struct judged_run *run)
{
    int64_t count = 0;
    for (size_t i = 0; i < run->tries_before; i++)
        count += run->tries[i].outcome == SAID_RELEASED;
    return count;
}

/* What the record says of all tries so far: it may have been written before the last one ended. */
static void judge_record(struct run_judge *judge, const struct judged_run *run)
{
    const struct run_said *record = run->record;
    bool behind = strcmp(record->state, "waiting") == 0 ||
                  record->ended_runnumber >= run->tries[run->tries_before - 1].runnumber;
    int64_t lost = lost_in_a_row(run, behind ? run->tries_before : run->tries_before - 1);
    int64_t counted = run_tries_that_count(run, run->try_count);
    if (record->counted != counted) complain(judge, run, "counted", record->counted, counted);
    if (record->released != released(run))
        complain(judge, run, "released", record->released, released(run));
    if (record->lost_in_a_row != lost)
        complain(judge, run, "lost in a row", record->lost_in_a_row, lost);
}

/* How long the next try has to wait. */
static void delay_of(const struct judged_run *run, const struct judged_report *report,
                     int64_t *least_ms, int64_t *most_ms)
{
    const struct judged_try *tried = &run->tries[run->tries_before - 1];
    if (tried->outcome == SAID_RELEASED) {
        int64_t seconds = released(run) - 1;
        if (seconds > RELEASE_SECONDS_MOST) seconds = RELEASE_SECONDS_MOST;
        *least_ms = *most_ms = seconds * 1000;
    } else if (report != NULL && report->retry_after_ms >= 0) {
        *least_ms = *most_ms = report->retry_after_ms;
    } else {
        wanted_runs_delay(&run->life->wanted.runs, run_tries_that_count(run, run->tries_before),
                          least_ms, most_ms);
    }
}

static bool is_followed(const struct judged_run *run)
{
    return run->life != NULL && run->life->there && run->life->wanted.runs.lease_ms > 0;
}

/* Decided in this step: the job is as the model has it, unless a command is at work. */
static void judge_delay(struct run_judge *judge, const struct judged_run *run,
                        const struct judged_report *report)
{
    int64_t least_ms = 0;
    int64_t most_ms = 0;
    delay_of(run, report, &least_ms, &most_ms);
    bool again = run->try_count > run->tries_before;
    int64_t wait_ms = again ? 0 : run->record->retry_ms - run->record->ended_ms;
    if (wait_ms < least_ms && !run->hastened) complain(judge, run, "delay", wait_ms, least_ms);
    if (wait_ms > most_ms) complain(judge, run, "delay", wait_ms, most_ms);
}

static void judge_attempts(struct run_judge *judge, const struct judged_run *run)
{
    const struct judged_try *tried = &run->tries[run->tries_before - 1];
    const struct wanted_runs *wanted = &run->life->wanted.runs;
    int64_t counted = run_tries_that_count(run, run->tries_before);
    if (tried->outcome == SAID_RELEASED) return;
    if (counted >= wanted->attempts)
        complain(judge, run, "attempts", counted + 1, wanted->attempts);
}

/* Whether the try that has ended is one that is tried again, as far as its end decides. */
static bool is_worth(const struct judged_run *run, const struct judged_report *report)
{
    const struct judged_try *tried = &run->tries[run->tries_before - 1];
    const struct wanted_runs *wanted = &run->life->wanted.runs;
    bool coded = tried->outcome == SAID_FAILURE && report != NULL && report->exit_code >= 0 &&
                 report->exit_code < 32;
    if (coded && (wanted->not_on >> report->exit_code & 1) != 0) return false;
    return (wanted->on >> tried->outcome & 1) != 0;
}

/* Behind the first fire; of one that has no such bound there is no end. */
static int64_t within_ms(const struct judged_run *run)
{
    int64_t within_ms = run->life->wanted.runs.within_ms;
    return within_ms == 0 ? INT64_MAX : run->tries[0].fired_ms + within_ms;
}

/* Decided when it ended, whatever the job says later. */
static void judge_outcome(struct run_judge *judge, const struct judged_run *run,
                          const struct judged_report *report)
{
    const struct judged_try *tried = &run->tries[run->tries_before - 1];
    const struct wanted_runs *wanted = &run->life->wanted.runs;
    if (tried->outcome == SAID_RELEASED) return;
    if (!is_worth(run, report) && tried->outcome != SAID_NOTHING)
        complain(judge, run, said_word(tried->outcome), 1, 0);
    int64_t lost = lost_in_a_row(run, run->tries_before);
    if (lost >= wanted->poison_after) complain(judge, run, "poison", lost, wanted->poison_after);
}

/* It is over: it should not have been followed by another try. */
static void judge_over(struct run_judge *judge, const struct judged_run *run,
                       const struct step *step, const struct judged_report *report)
{
    int64_t least_ms = 0;
    int64_t most_ms = 0;
    const struct judged_try *tried = &run->tries[run->tries_before - 1];
    const struct wanted_runs *wanted = &run->life->wanted.runs;
    int64_t lost = lost_in_a_row(run, run->tries_before);
    bool poison = lost >= wanted->poison_after;
    if (run->told == SAID_POISON && !poison)
        complain(judge, run, "poison", lost, wanted->poison_after);
    bool decided = run->record != NULL; /* to go on; then it was asked to stop */
    delay_of(run, report, &least_ms, &most_ms);
    bool late = tried->outcome != SAID_RELEASED && step->time_ms > within_ms(run) - most_ms;
    if (decided || run->cancel_asked || poison || late ||
        run->life->touched_ms >= step[-1].mark.watermark_ms)
        return;
    bool again = tried->outcome == SAID_RELEASED ||
                 (is_worth(run, report) &&
                  run_tries_that_count(run, run->tries_before) < wanted->attempts);
    if (tried->outcome == SAID_RELEASED && released(run) > 99) return;
    if (again)
        complain(judge, run, "it is over, tries", (int64_t)run->tries_before, wanted->attempts);
}

void run_next_judge(struct run_judge *judge, struct judged_run *run, const struct step *step,
                    const struct judged_report *report)
{
    const struct judged_try *tried = &run->tries[run->tries_before - 1];
    bool again = run->try_count > run->tries_before;
    bool now = tried->ended == step;
    if (run->record != NULL) judge_record(judge, run);
    if (again && run->freed && run->record == NULL)
        complain(judge, run, "it is over and goes on", 1, 0);
    if (!is_followed(run) || run->life->touched_ms >= step[-1].mark.watermark_ms) return;
    if (again && run->cancel_asked) complain(judge, run, "it was asked to stop, and goes on", 1, 0);
    if (again) judge_attempts(judge, run);
    if (again && tried->outcome != SAID_RELEASED &&
        run->tries[run->try_count - 1].fired_ms > within_ms(run))
        complain(judge, run, "within", run->tries[run->try_count - 1].fired_ms, within_ms(run));
    if (now && run->record != NULL && (again || run->record->retry_ms > 0))
        judge_delay(judge, run, report);
    if (now && (again || (run->record != NULL && run->record->retry_ms > 0)))
        judge_outcome(judge, run, report);
    if (again && !now && run->tries[run->try_count - 1].fired_ms < run->retry_ms)
        complain(judge, run, "fired", run->tries[run->try_count - 1].fired_ms, run->retry_ms);
    if (now && run->freed) judge_over(judge, run, step, report);
}
