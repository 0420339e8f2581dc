/* What a command about runs finds and leaves: `cancel`, `delete` with `cancel_runs`, `requeue`. A
 * run is looked at as it was when the step began, and beside that by what the step has said of it
 * up to the command's result: the command's own doing is among it. */
#include <inttypes.h>
#include <string.h>

#include "tests/simulation/judge_runs/run_asked.h"
#include "tests/simulation/judge_runs/run_judge.h"

struct glance { /* in the middle of a step */
    bool open;
    bool waiting;
    bool asked;
    bool said; /* the step speaks of it */
};

static void glance_at_record(struct glance *glance, const struct run_said *said, int64_t first)
{
    if (!said->free && said->first_runnumber != first) return; /* the number is another run's */
    glance->said = true;
    if (said->free) glance->open = false;
    else glance->waiting = strcmp(said->state, "waiting") == 0;
    glance->asked = glance->asked || said->cancel_asked;
}

static struct glance look(const struct run_judge *judge, const struct judged_run *run)
{
    struct glance glance = {
        .open = true, .waiting = run->waiting, .asked = run->cancel_asked};
    for (size_t i = 0; i < judge->output_count; i++) {
        const struct output *output = judge->outputs[i];
        const struct run_said *said = history_run(&judge->world->history, output);
        if (output->kind == OUTPUT_RUN && run->k >= 0 && said->k == run->k)
            glance_at_record(&glance, said, run->first);
        if (output->kind != OUTPUT_FIRE || said->number == 1 || strcmp(said->id, run->id) != 0)
            continue;
        glance.said = true;
        glance.waiting = false;
    }
    return glance;
}

/* A run that the fire has opened in this step. */
static struct glance look_new(const struct run_judge *judge, const struct output *fire)
{
    struct glance glance = {.open = true};
    const struct run_said *opened = history_run(&judge->world->history, fire);
    int64_t k = -1;
    for (size_t i = 0; i < judge->output_count; i++) {
        const struct run_said *said = history_run(&judge->world->history, judge->outputs[i]);
        if (judge->outputs[i]->kind != OUTPUT_RUN) continue;
        if (said->first_runnumber == opened->runnumber) k = said->k;
        if (k >= 0 && said->k == k) glance_at_record(&glance, said, opened->runnumber);
    }
    return glance;
}

static bool opens(const struct run_judge *judge, const struct output *output, const char *name)
{
    return output->kind == OUTPUT_FIRE && strcmp(output->name, name) == 0 &&
           history_run(&judge->world->history, output)->number == 1;
}

/* ---- cancel ---- */

/* Where the policy or an earlier command may have asked as well, nobody can tell who it was. */
static enum run_stop by_whom(const struct run_judge *judge, const struct life *life)
{
    return run_cancels_may(judge, life) ? STOP_PERHAPS : STOP_SURELY;
}

static enum run_stop stop_of(const struct run_judge *judge, const struct judged_run *run,
                             const struct life *life, int64_t at_ms)
{
    if (!run->waiting && run->cancel_asked) return STOP_NOTHING;
    struct glance glance = look(judge, run);
    if (glance.open) return glance.asked ? by_whom(judge, life) : STOP_SURELY;
    if (run->waiting && run->retry_ms > at_ms) return by_whom(judge, life);
    return STOP_PERHAPS; /* a report may have ended it just before, or the one before that */
}

static bool is_meant(const struct sent_command *command, const char *run)
{
    return command->run[0] == '\0' || strcmp(command->run, run) == 0;
}

enum run_stop run_asked_stop(const struct run_judge *judge, const struct life *life,
                             const struct sent_command *command, int64_t at_ms)
{
    enum run_stop stop = STOP_NOTHING;
    for (size_t i = 0; i < judge->open_count && stop != STOP_SURELY; i++) {
        const struct judged_run *run = judge->open[i];
        if (strcmp(run->name, life->name) != 0 || !is_meant(command, run->id)) continue;
        enum run_stop one = stop_of(judge, run, life, at_ms);
        if (one > stop) stop = one;
    }
    for (size_t i = 0; i < judge->output_count && stop != STOP_SURELY; i++) {
        const struct output *output = judge->outputs[i];
        if (!opens(judge, output, life->name) ||
            !is_meant(command, history_run(&judge->world->history, output)->id))
            continue;
        struct glance glance = look_new(judge, output);
        stop = !glance.open ? STOP_PERHAPS : glance.asked ? by_whom(judge, life) : STOP_SURELY;
    }
    return stop;
}

static void complain(struct run_judge *judge, const char *run, const struct glance *glance)
{
    world_violation(judge->world, "run not stopped: %s is %s, a command has ended it", run,
                    glance->waiting ? "waiting" : "not asked to stop");
}

void run_asked_stopped(struct run_judge *judge, const struct life *life,
                       const struct sent_command *command, const struct step *begun)
{
    for (size_t i = 0; i < judge->open_count; i++) {
        const struct judged_run *run = judge->open[i];
        if (strcmp(run->name, life->name) != 0 || !is_meant(command, run->id)) continue;
        if (begun != NULL && run->opened >= begun) continue; /* while the command was at work */
        struct glance glance = look(judge, run);
        if (glance.open && (glance.waiting || !glance.asked)) complain(judge, run->id, &glance);
    }
    for (size_t i = 0; i < judge->output_count && begun == NULL; i++) {
        const struct output *output = judge->outputs[i];
        const struct run_said *said = history_run(&judge->world->history, output);
        if (!opens(judge, output, life->name) || !is_meant(command, said->id)) continue;
        struct glance glance = look_new(judge, output);
        if (glance.open && !glance.asked) complain(judge, said->id, &glance);
    }
}

void run_asked_left(struct run_judge *judge, const struct life *life)
{
    for (size_t i = 0; i < judge->open_count && !run_cancels_may(judge, life); i++) {
        const struct judged_run *run = judge->open[i];
        if (run->life == life && !run->cancel_asked && look(judge, run).asked)
            world_violation(judge->world, "asked to stop by nobody: %s, its job is deleted",
                            run->id);
    }
}

/* ---- requeue ---- */

static bool has_come(const struct run_judge *judge, const char *run, int64_t number)
{
    for (size_t i = 0; i < judge->output_count; i++) {
        const struct run_said *said = history_run(&judge->world->history, judge->outputs[i]);
        if (judge->outputs[i]->kind == OUTPUT_FIRE && strcmp(said->id, run) == 0 &&
            (said->number == 1) == (number == 1))
            return true;
    }
    return false;
}

static bool is_of_life(const struct life *life, const char *run)
{
    size_t length = strlen(life->id);
    return strncmp(run, life->id, length) == 0 && run[length] == '@';
}

/* A run that is open: only one that waits can be hastened. */
static enum run_again again_open(const struct run_judge *judge, const struct judged_run *run,
                                 int64_t now_ms)
{
    struct glance glance = look(judge, run);
    if (!glance.open) return AGAIN_PERHAPS; /* it has ended in this step */
    bool has_waited = glance.waiting || has_come(judge, run->id, 2); /* in this step */
    if (!run->waiting) return has_waited ? AGAIN_PERHAPS : AGAIN_CONFLICT;
    return run->retry_ms > now_ms ? AGAIN_HASTENED : AGAIN_PERHAPS;
}

enum run_again run_asked_again(const struct run_judge *judge, const struct life *life,
                               const struct sent_command *command, const struct output *result)
{
    const struct judged_run *run = run_judge_find(judge, command->run);
    enum run_again again = AGAIN_ANEW;
    if (run != NULL && run->ended == NULL && strcmp(run->name, life->name) == 0)
        again = again_open(judge, run, result->to_ms);
    else if (run == NULL || has_come(judge, command->run, 1) || life->jittered ||
             life->reckoned_count > 0)
        again = AGAIN_PERHAPS; /* it was fired in this step: for whom? Or by other rules */
    else if (life->wanted.runs.lease_ms == 0 || !is_of_life(life, command->run) ||
             (!command->beside && run_judge_in_way(judge, life, command, NULL)))
        again = AGAIN_CONFLICT;
    if (again != AGAIN_PERHAPS) return again;
    if (strcmp(result->word, "applied") != 0)
        return strcmp(result->word, "unchanged") == 0 ? AGAIN_DUE : AGAIN_CONFLICT;
    return has_come(judge, command->run, 1) ? AGAIN_ANEW : AGAIN_HASTENED;
}

void run_asked_hastened(struct run_judge *judge, const struct life *life,
                        const struct sent_command *command, int64_t now_ms)
{
    struct judged_run *run = run_judge_find(judge, command->run);
    if (run == NULL || run->ended != NULL) return;
    struct glance glance = look(judge, run);
    if (glance.open && glance.waiting && life->paused_ms == NEVER_MS)
        world_violation(judge->world, "run not hastened: %s still waits", run->id);
    if (run->retry_ms > now_ms) run->retry_ms = now_ms;
    run->hastened = true;
}

bool run_judge_came_again(const struct run_judge *judge, const struct output *fire)
{
    const struct run_said *said = history_run(&judge->world->history, fire);
    if (said == NULL || said->number != 1) return false;
    if (run_judge_find(judge, said->id) != NULL) return true;
    size_t times = 0;
    for (size_t i = 0; i < judge->output_count; i++)
        times += judge->outputs[i]->kind == OUTPUT_FIRE &&
                 strcmp(history_run(&judge->world->history, judge->outputs[i])->id, said->id) == 0;
    return times > 1;
}
