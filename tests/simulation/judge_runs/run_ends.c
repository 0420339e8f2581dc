/* Every run ends in time, as long as nothing hinders it; and at the end none is open for ever. */
#include <inttypes.h>
#include <string.h>

#include "tests/simulation/judge/marks.h"
#include "tests/simulation/judge_runs/run_judge.h"

#define END_MS INT64_C(3000)   /* after the lease, or the expiry */
#define SLACK_MS INT64_C(2000) /* commits take a moment; clocks drift */
#define AT_WORK_MS INT64_C(5000)
#define SLOW_MS INT64_C(4000)
#define LATE_MS INT64_C(60000) /* at rest, whatever was before */

static int64_t present_ms(const struct run_judge *judge)
{
    return world_now_ms(judge->world);
}

/* Kafka took long over one of its owner's commits: a decision may need several. */
static bool was_slow(const struct run_judge *judge, int64_t from_ms, int64_t to_ms)
{
    const struct step *steps = judge->world->history.steps[judge->shard];
    for (size_t i = 1; i < judge->world->history.step_count[judge->shard]; i++) {
        int64_t begun_ms = steps[i].mark.watermark_ms;
        if (begun_ms < steps[i - 1].time_ms) begun_ms = steps[i - 1].time_ms;
        if (steps[i].mark.epoch == steps[i - 1].mark.epoch && steps[i].time_ms >= from_ms &&
            begun_ms <= to_ms && steps[i].time_ms - begun_ms > SLOW_MS)
            return true;
    }
    return false;
}

static bool is_hindered(const struct run_judge *judge, int64_t from_ms, int64_t to_ms)
{
    const struct work_log *log = &judge->world->work_log;
    int64_t start_ms = judge->world->settings.start_ms;
    for (size_t i = 0; i < log->hindrance_count; i++) {
        const struct work_hindrance *hindrance = &log->hindrances[i];
        if ((hindrance->shard < 0 || hindrance->shard == judge->shard) &&
            start_ms + hindrance->from_us / 1000 <= to_ms &&
            start_ms + hindrance->to_us / 1000 >= from_ms)
            return true;
    }
    return marks_cut_off(judge->world, from_ms, to_ms) || was_slow(judge, from_ms, to_ms);
}

/* The first sign of life may be the claim, or there is none. */
static const struct judged_report *last_sign(const struct run_judge *judge,
                                             const struct judged_run *run,
                                             const struct judged_try *tried)
{
    const struct judged_report *last = NULL;
    size_t first = 0;
    size_t count = run_reports_of(judge, tried->runnumber, &first);
    for (size_t i = first; i < first + count && !tried->fixed; i++) {
        const struct judged_report *report = &judge->reports[judge->by_number[i]];
        bool sign = report->word == SAID_RUNNING ||
                    (report->word == SAID_STARTED &&
                     (tried->expiry_ms == 0 || report->time_ms < tried->expiry_ms));
        if (sign && run_report_is_of(report, run, tried)) last = report;
    }
    return last;
}

/* Some of its reports were deleted before anybody had read them. */
static bool are_lost(const struct run_judge *judge, const struct judged_run *run,
                     const struct judged_try *tried)
{
    size_t first = 0;
    size_t count = run_reports_of(judge, tried->runnumber, &first);
    for (size_t i = first; i < first + count; i++) {
        const struct judged_report *report = &judge->reports[judge->by_number[i]];
        if (report->read_ms == INT64_MAX && run_report_is_of(report, run, tried)) return true;
    }
    return false;
}

/* When a reader found that reports had been deleted while the try was open: it counts as claimed
 * from then on. INT64_MIN: that did not happen. */
static int64_t claimed_unread_ms(const struct run_judge *judge, const struct judged_try *tried)
{
    int64_t found_ms = INT64_MIN;
    for (size_t i = 1; i < judge->report_count; i++) {
        int64_t read_ms = judge->reports[i].read_ms;
        bool lost = judge->reports[i - 1].read_ms == INT64_MAX && read_ms != INT64_MAX;
        if (lost && read_ms >= tried->fired->time_ms &&
            (tried->ended == NULL || read_ms <= tried->ended->time_ms))
            found_ms = read_ms;
    }
    return found_ms;
}

/* When its owner can have heard that the fire was committed: one that was frozen then hears of it
 * when it wakes, and counts from there. */
static int64_t heard_ms(const struct run_judge *judge, const struct step *fired)
{
    const struct work_log *log = &judge->world->work_log;
    int64_t start_ms = judge->world->settings.start_ms;
    int64_t heard_ms = fired->time_ms;
    for (size_t i = 0; i < log->freeze_count; i++) {
        const struct work_freeze *freeze = &log->freezes[i];
        int64_t woken_ms = start_ms + freeze->to_us / 1000;
        if (strcmp(freeze->owner, fired->mark.owner) == 0 &&
            start_ms + freeze->from_us / 1000 <= heard_ms && woken_ms > heard_ms)
            heard_ms = woken_ms;
    }
    return heard_ms;
}

/* How long it may be open: each take-over begins its lease anew. */
static int64_t deadline_ms(const struct run_judge *judge, const struct judged_run *run,
                           const struct judged_try *tried)
{
    const struct judged_report *sign = last_sign(judge, run, tried);
    int64_t from_ms = heard_ms(judge, tried->fired);
    if (sign != NULL && sign->read_ms != INT64_MAX) from_ms = sign->read_ms;
    for (size_t i = 0; i < judge->taken_count; i++)
        if (judge->taken[i].step->time_ms > from_ms &&
            (tried->ended == NULL || judge->taken[i].step->time_ms < tried->ended->time_ms))
            from_ms = judge->taken[i].step->time_ms;
    int64_t lease_ms = from_ms + tried->lease_ms + END_MS;
    /* A commit that was repeated for long may come after what its fires say. */
    int64_t fired_ms = tried->fired->time_ms;
    int64_t expiry_ms = (tried->expiry_ms > fired_ms ? tried->expiry_ms : fired_ms) + END_MS;
    if (tried->fixed) return lease_ms;
    if (sign == NULL) {
        int64_t claimed_ms = claimed_unread_ms(judge, tried);
        if (claimed_ms > from_ms) lease_ms += claimed_ms - from_ms;
        bool counts = claimed_ms != INT64_MIN && lease_ms > expiry_ms;
        return counts || from_ms > expiry_ms ? lease_ms : expiry_ms;
    }
    /* Whether its fire is committed may not be known before it has expired. */
    bool known = sign->word == SAID_RUNNING && !are_lost(judge, run, tried);
    return known || lease_ms > expiry_ms ? lease_ms : expiry_ms;
}

/* It decided something after the deadline, and went on writing for a while: it could have ended
 * it. */
static bool was_at_work(const struct run_judge *judge, int64_t from_ms, int64_t to_ms)
{
    const struct history *history = &judge->world->history;
    for (size_t i = 0; i < history->step_count[judge->shard]; i++) {
        const struct step *step = &history->steps[judge->shard][i];
        bool began = step->has_mark && step->mark.watermark_ms > from_ms;
        if (began && step->time_ms < to_ms - AT_WORK_MS) return true;
    }
    return false;
}

static void judge_try(struct run_judge *judge, const struct judged_run *run,
                      const struct judged_try *tried)
{
    int64_t until_ms = tried->ended == NULL ? present_ms(judge) : tried->ended->time_ms;
    int64_t deadline = deadline_ms(judge, run, tried);
    if (tried->ended != NULL && !tried->by_owner) return;
    if (until_ms <= deadline + SLACK_MS) return;
    if (tried->ended == NULL && until_ms > deadline + LATE_MS &&
        !is_hindered(judge, until_ms - LATE_MS, until_ms))
        world_violation(judge->world, "run open for ever: %s %" PRId64 ", it should have ended at "
                        "%" PRId64, run->id, tried->runnumber, deadline);
    else if (!is_hindered(judge, tried->fired->time_ms, until_ms) &&
             was_at_work(judge, deadline + SLACK_MS, until_ms))
        world_violation(judge->world, "run ends late: %s %" PRId64 " at %" PRId64
                        ", it should have ended at %" PRId64, run->id, tried->runnumber, until_ms,
                        deadline);
}

/* One that waits for a try goes on, unless its job is paused. */
static void judge_waiting(struct run_judge *judge, const struct judged_run *run)
{
    bool paused = run->life != NULL && run->life->paused_ms != NEVER_MS;
    if (paused || present_ms(judge) < run->retry_ms + LATE_MS) return;
    world_violation(judge->world, "run waits for ever: %s, its next try was due at %" PRId64,
                    run->id, run->retry_ms);
}

void run_ends_judge(struct run_judge *judge)
{
    for (size_t i = 0; i < judge->run_count; i++) {
        const struct judged_run *run = judge->runs[i];
        for (size_t j = 0; j < run->try_count; j++) judge_try(judge, run, &run->tries[j]);
        if (run->ended == NULL && run->waiting) judge_waiting(judge, run);
    }
}
