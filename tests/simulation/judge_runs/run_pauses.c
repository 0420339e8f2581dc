/* So many runs of a job that fail in a row pause it, at the end of the last one: counted here by
 * the ends as they are committed. What a command says about a job in the same step came before one
 * end and behind another: then its number is not known until it begins anew. Nor is it behind a
 * success that its owner may not have waited for. */
#include <inttypes.h>
#include <string.h>

#include "tests/simulation/judge_runs/run_judge.h"

static const struct judged_run *freed_of(const struct run_judge *judge,
                                         const struct run_said *said)
{
    for (size_t i = 0; i < judge->open_count; i++) {
        const struct judged_run *run = judge->open[i];
        if (run->end == said && run->tries_before > 0) return run;
    }
    return NULL;
}

static const struct output *told_of(const struct run_judge *judge, const char *run)
{
    for (size_t i = 0; i < judge->output_count; i++) {
        const struct output *event = judge->outputs[i];
        if (event->kind == OUTPUT_EVENT && strcmp(event->word, "auto_paused") == 0 &&
            strcmp(history_run(&judge->world->history, event)->id, run) == 0)
            return event;
    }
    return NULL;
}

static void judge_paused(struct run_judge *judge, const struct life *life,
                         const struct judged_run *run, const struct output *event)
{
    int64_t most = life->wanted.runs.pause_after;
    bool may = life->paused_ms == NEVER_MS && life->finished_ms == NEVER_MS;
    int64_t failed = life->streak.failed;
    if (event == NULL && failed >= most && may)
        world_violation(judge->world, "not auto_paused: %s after %" PRId64 " failures, the last is "
                        "%s", life->name, failed, run->id);
    if (event != NULL && (failed < most || event->count != failed))
        world_violation(judge->world, "auto_paused: %s says %" PRId64 " failures, there were %"
                        PRId64 " of %" PRId64, life->name, event->count, failed, most);
}

static void judge_end(struct run_judge *judge, struct life *life, const struct judged_run *run,
                      const struct step *step)
{
    const struct output *event = told_of(judge, run->id);
    bool failed = run->told != SAID_NOTHING;
    bool good = !failed && run->tries[run->tries_before - 1].outcome == SAID_SUCCESS;
    bool amid = step->mark.in_command || step[-1].mark.in_command;
    bool touched = life->touched_ms >= step[-1].mark.watermark_ms;
    if (amid || touched || (good && run->unclear)) life->streak.unsure = true;
    else if (good) life->streak.unsure = false;
    if (failed) life->streak.failed++;
    else if (good) life->streak.failed = 0;
    if (failed && !life->streak.unsure) judge_paused(judge, life, run, event);
    if (event != NULL) life->streak = (struct streak){0};
}

void run_pauses_judge(struct run_judge *judge, const struct step *step)
{
    size_t told = 0;
    size_t found = 0;
    for (size_t i = 0; i < judge->output_count; i++) {
        const struct output *output = judge->outputs[i];
        const struct run_said *said = history_run(&judge->world->history, output);
        told += output->kind == OUTPUT_EVENT && strcmp(output->word, "auto_paused") == 0;
        if (output->kind != OUTPUT_RUN || !said->free) continue;
        const struct judged_run *run = freed_of(judge, said);
        if (run == NULL) continue;
        found += told_of(judge, run->id) != NULL;
        if (run->life != NULL && run->life->there && run->life->wanted.runs.pause_after > 0)
            judge_end(judge, run->life, run, step);
    }
    judge->world->sometimes.count[SOMETIMES_AUTO_PAUSED] += (int64_t)told;
    if (told != found)
        world_violation(judge->world, "auto_paused: %zu jobs, and %zu of the runs have ended", told,
                        found);
}
