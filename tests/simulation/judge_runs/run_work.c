/* What workers really did beside the tries that were committed: each is started at most once, none
 * that has ended, and no two at a time where they must not be. What breaks the promise is named in
 * the log of works, and excused. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge_runs/run_judge.h"

struct done { /* one program, and the try that it was for */
    const struct work *work;
    const struct judged_run *run;
    const struct judged_try *tried;
};

static int by_runnumber(const void *left, const void *right)
{
    const struct done *a = left;
    const struct done *b = right;
    int64_t first = a->work->runnumber;
    int64_t second = b->work->runnumber;
    if (first != second) return first > second ? 1 : -1;
    return (a->work->started_us > b->work->started_us) -
           (a->work->started_us < b->work->started_us);
}

static int by_name(const void *left, const void *right)
{
    const struct done *a = left;
    const struct done *b = right;
    int order = strcmp(a->work->job, b->work->job);
    if (order != 0) return order;
    return (a->work->started_us > b->work->started_us) -
           (a->work->started_us < b->work->started_us);
}

static int64_t at_ms(const struct run_judge *judge, int64_t at_us)
{
    return judge->world->settings.start_ms + at_us / 1000;
}

static bool goes_on(const struct work *work, int64_t at_us)
{
    return work->end == WORK_GOES_ON || work->ended_us > at_us;
}

static void complain(struct run_judge *judge, const struct work *work, const char *what)
{
    world_violation(judge->world, "%s: %s %" PRId64 " of %s, at work from %" PRId64, what,
                    work->run, work->runnumber, work->job, at_ms(judge, work->started_us));
}

/* Its owner's word may come late; a new generation asks nobody. */
static void judge_alone(struct run_judge *judge, const struct done *done)
{
    const struct work *work = done->work;
    const struct judged_try *tried = done->tried;
    if (tried == NULL) {
        complain(judge, work, "work of no try");
        return;
    }
    if (tried->ended == NULL || work->limits != 0 || done->run->excused ||
        tried->ended->mark.generation > tried->runnumber >> 32)
        return;
    int64_t ended_us = (tried->ended->time_ms - judge->world->settings.start_ms) * 1000;
    if (work->started_us > ended_us) complain(judge, work, "started after its end");
    else if (tried->by_owner && goes_on(work, ended_us))
        complain(judge, work, "given up at work");
}

static bool meet(const struct work *first, const struct work *second)
{
    return goes_on(first, second->started_us) && goes_on(second, first->started_us);
}

static bool new_generation(const struct done *done)
{
    return done->tried != NULL && done->tried->ended != NULL &&
           done->tried->ended->mark.generation > done->tried->runnumber >> 32;
}

static void judge_pair(struct run_judge *judge, const struct done *first,
                       const struct done *second)
{
    if (first->run == NULL || second->run == NULL || first->run->excused ||
        second->run->excused || !meet(first->work, second->work) || new_generation(first))
        return;
    bool same = first->run == second->run;
    const struct judged_run *later = first->run->first > second->run->first ? first->run
                                                                           : second->run;
    if (!same && (!later->forbids || later->allowed)) return;
    world_violation(judge->world, "two %s at a time: %s %" PRId64 " is at work from %" PRId64
                    ", %s %" PRId64 " from %" PRId64, same ? "tries" : "runs", first->work->run,
                    first->work->runnumber, at_ms(judge, first->work->started_us),
                    second->work->run, second->work->runnumber,
                    at_ms(judge, second->work->started_us));
}

void run_work_judge(struct run_judge *judge)
{
    const struct work_log *log = &judge->world->work_log;
    struct done *done = memory_allocate(log->work_count + 1, sizeof *done);
    size_t count = 0;
    for (size_t i = 0; i < log->work_count; i++) {
        struct judged_run *run = NULL;
        if (log->works[i].shard != judge->shard) continue;
        done[count].work = &log->works[i];
        done[count].tried = run_judge_try(judge, log->works[i].runnumber, &run);
        if (run != NULL && log->works[i].limits != 0) run->excused = true;
        done[count++].run = run;
    }
    for (size_t i = 0; i < count; i++) judge_alone(judge, &done[i]);
    qsort(done, count, sizeof *done, by_runnumber);
    for (size_t i = 1; i < count; i++)
        if (done[i].work->runnumber == done[i - 1].work->runnumber &&
            done[i].work->limits == 0 && done[i - 1].work->limits == 0)
            complain(judge, done[i].work, "started twice");
    qsort(done, count, sizeof *done, by_name);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count && strcmp(done[i].work->job, done[j].work->job) == 0 &&
                               goes_on(done[i].work, done[j].work->started_us);
             j++)
            judge_pair(judge, &done[i], &done[j]);
    free(done);
}
