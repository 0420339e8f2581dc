/* Requests to stop: one that was asked for is repeated at a sign of life. */
#include <inttypes.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge_runs/run_judge.h"

#define AGAIN_MS INT64_C(10000) /* at most so often */
#define AT_LEAST_MS (AGAIN_MS + 2000) /* by the true time */

/* run number and time, one after the other */
static void note(struct run_judge *judge, int64_t runnumber, int64_t at_ms)
{
    judge->asked = memory_grow(judge->asked, &judge->asked_capacity, judge->asked_count + 2,
                               sizeof *judge->asked);
    judge->asked[judge->asked_count++] = runnumber;
    judge->asked[judge->asked_count++] = at_ms;
}

static int64_t last_ms(const struct run_judge *judge, int64_t runnumber)
{
    for (size_t i = judge->asked_count; i > 0; i -= 2)
        if (judge->asked[i - 2] == runnumber) return judge->asked[i - 1];
    return INT64_MIN;
}

static bool shows_life(const struct judged_report *report)
{
    return report->word == SAID_STARTED || report->word == SAID_RUNNING;
}

/* Of the last sign of the step: what came before it may have been too soon. */
static void judge_sign(struct run_judge *judge, const struct judged_report *report,
                       const struct step *step)
{
    struct judged_run *run = NULL;
    const struct judged_try *tried = run_judge_try(judge, report->runnumber, &run);
    if (tried == NULL || tried->ended != NULL || !run->cancel_asked ||
        !run_report_is_of(report, run, tried))
        return;
    bool late = report->word == SAID_STARTED && tried->expiry_ms > 0 &&
                report->time_ms >= tried->expiry_ms;
    int64_t asked_ms = last_ms(judge, tried->runnumber);
    int64_t at_ms = report->read_ms < step->time_ms ? report->read_ms : step->time_ms;
    if (late || tried->fixed || (asked_ms != INT64_MIN && at_ms - asked_ms <= AT_LEAST_MS)) return;
    world_violation(judge->world, "cancel not repeated: %s %" PRId64 " shows life at %" PRId64
                    ", asked to stop last at %" PRId64, run->id, tried->runnumber,
                    report->time_ms, asked_ms);
}

bool run_cancels_may(const struct run_judge *judge, const struct life *life)
{
    return judge->may_stop || life->wanted.runs.overlap == SLOW_CANCEL_OTHER;
}

/* Somebody has to have asked: a command, or the policy of the job. Of a job that is gone, or that
 * was changed just now, the policy is not known. */
static void judge_asked(struct run_judge *judge, const struct judged_run *run,
                        const struct step *step)
{
    const struct life *life = run->life;
    bool asked = run->record != NULL && run->record->cancel_asked && !run->cancel_asked;
    if (!asked || life == NULL || !life->there || run_cancels_may(judge, life) ||
        step->mark.in_command || judge->before == NULL || judge->before->mark.in_command ||
        life->touched_ms >= judge->before->mark.watermark_ms)
        return;
    world_violation(judge->world, "asked to stop by nobody: %s", run->id);
}

void run_cancels_judge(struct run_judge *judge, const struct step *step)
{
    for (size_t i = 0; i < judge->open_count; i++) judge_asked(judge, judge->open[i], step);

    for (size_t i = 0; i < judge->output_count; i++) {
        const struct output *output = judge->outputs[i];
        if (output->kind == OUTPUT_CANCEL)
            note(judge, history_run(&judge->world->history, output)->runnumber, step->time_ms);
    }
    for (size_t i = judge->acted; i < judge->acting; i++)
        if (shows_life(&judge->reports[i])) judge_sign(judge, &judge->reports[i], step);
}
