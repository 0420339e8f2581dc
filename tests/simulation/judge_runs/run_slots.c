/* Slots that meet a run: each is fired, waits, or is left out by an event that names the run in its
 * way; and which of them follows from the policy, slot by slot. Only what came due since the job
 * was changed last is judged by what it says now. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge/marks.h"
#include "tests/simulation/judge_runs/run_judge.h"

#define SOON_MS INT64_C(8000) /* within any grace that is judged */
enum { ROOM_SURE = 12 }; /* debts a job has room for, whatever else it owes */

/* ---- events ---- */

static bool is_left_out(const struct output *event)
{
    return strcmp(event->reason, "overlap") == 0 || strcmp(event->reason, "buffer_full") == 0;
}

/* The oldest one that was open when the step began, one that was opened or ended in it, or one that
 * was still open when the slot came due. */
static void judge_in_way(struct run_judge *judge, const struct output *event)
{
    const struct run_said *said = history_run(&judge->world->history, event);
    const struct judged_run *named = run_judge_find(judge, said->id);
    for (size_t i = 0; i < judge->open_count; i++) {
        const struct judged_run *run = judge->open[i];
        bool is_open = !run->freed && run->tries_before > 0;
        if (strcmp(run->name, event->name) != 0) continue;
        if (is_open && (named == NULL || run->first < named->first) && run != named)
            world_violation(judge->world, "run in the way: %s names %s, older is %s", event->name,
                            said->id, run->id);
        if (run == named) return;
    }
    /* Time may go on for several steps before what it was in the way of is said. */
    if (named != NULL && named->ended != NULL && strcmp(named->name, event->name) == 0 &&
        named->ended->mark.watermark_ms >= event->first_ms)
        return;
    world_violation(judge->world, "run in the way: %s names %s, which was not open", event->name,
                    said->id);
}

void run_slots_events(struct run_judge *judge)
{
    for (size_t i = 0; i < judge->output_count; i++) {
        const struct output *event = judge->outputs[i];
        if (event->kind == OUTPUT_EVENT && strcmp(event->word, "skipped") == 0 &&
            is_left_out(event))
            judge_in_way(judge, event);
    }
}

void run_slots_nameless(struct run_judge *judge, const struct output *event)
{
    if (event->run == 0 && is_left_out(event))
        world_violation(judge->world, "run in the way: %s leaves out %" PRId64 " and names none",
                        event->name, event->first_ms);
}

/* ---- one slot ---- */

struct slot_story {
    int64_t due_ms;
    size_t passed; /* the step in which time passed it */
    const struct judged_run *fired;
    const struct output *left_out;
    bool named; /* by an event of another reason */
    int64_t named_ms; /* the last of these */
};

static size_t passage(const struct run_judge *judge, int64_t due_ms)
{
    const struct history *history = &judge->world->history;
    size_t low = 0;
    size_t high = history->step_count[judge->shard];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (history->steps[judge->shard][middle].mark.watermark_ms >= due_ms) high = middle;
        else low = middle + 1;
    }
    return low;
}

/* No other slot came due with it: those of a downtime are decided together. */
static bool comes_alone(const struct life *life, const struct step *before, int64_t due_ms)
{
    int64_t first_ms = 0;
    return slow_next(&life->wanted.schedule, before->mark.watermark_ms, due_ms, &first_ms) &&
           first_ms == due_ms;
}

/* At a take-over slots are owed until the reports in the log have been read, also those that came
 * due while nobody was there. */
static bool is_settled_in(const struct step *steps, size_t at, int64_t due_ms)
{
    const int64_t epoch = steps[at].mark.epoch;
    while (at > 0 && steps[at - 1].mark.epoch == epoch) at--;
    return due_ms > steps[at].time_ms + SOON_MS;
}

/* An instant that a full transaction has cut was done by the one that had begun with it. */
static bool is_done_by_one(const struct step *steps, size_t count, size_t at)
{
    const int64_t epoch = steps[at].mark.epoch;
    while (at + 1 < count && steps[at].mark.ordinal != INT64_MAX) at++;
    return steps[at].mark.epoch == epoch;
}

/* One owner was there, and heard Kafka. */
static bool is_quiet(const struct run_judge *judge, const struct life *life,
                     const struct slot_story *slot)
{
    const struct step *steps = judge->world->history.steps[judge->shard];
    size_t count = judge->world->history.step_count[judge->shard];
    if (slot->passed == 0 || slot->passed >= count || !is_done_by_one(steps, count, slot->passed))
        return false;
    const struct step *step = &steps[slot->passed];
    return is_settled_in(steps, slot->passed, slot->due_ms) && !step->mark.in_command &&
           step[-1].mark.ordinal == INT64_MAX && life->wanted.grace_ms >= 10000 &&
           step->time_ms - slot->due_ms < SOON_MS && comes_alone(life, step - 1, slot->due_ms) &&
           !marks_cut_off(judge->world, slot->due_ms - 60000, slot->due_ms + 60000);
}

static size_t number_of(const struct run_judge *judge, const struct step *step)
{
    return step == NULL ? SIZE_MAX
                        : (size_t)(step - judge->world->history.steps[judge->shard]);
}

enum meeting { MEETS_NONE, MEETS_PERHAPS, MEETS_RUN };

static enum meeting meets(const struct run_judge *judge, const struct life *life,
                          const struct slot_story *slot)
{
    enum meeting meeting = MEETS_NONE;
    for (size_t i = 0; i < judge->run_count; i++) {
        const struct judged_run *run = judge->runs[i];
        size_t opened = number_of(judge, run->opened);
        size_t ended = number_of(judge, run->ended);
        if (strcmp(run->name, life->name) != 0 || run == slot->fired || opened > slot->passed ||
            ended < slot->passed)
            continue;
        if (opened < slot->passed && ended > slot->passed) return MEETS_RUN;
        meeting = MEETS_PERHAPS;
    }
    return meeting;
}

/* Slots before it that had not fired when time passed it, and fired later. */
static int64_t waiting_before(const struct run_judge *judge, const struct life *life,
                              const struct slot_story *slot)
{
    int64_t count = 0;
    for (size_t i = 0; i < judge->run_count; i++) {
        const struct judged_run *run = judge->runs[i];
        count += run->life == life && run->is_slot && run->nominal_ms < slot->due_ms &&
                 number_of(judge, run->opened) > slot->passed;
    }
    return count;
}

static void complain(struct run_judge *judge, const struct life *life,
                     const struct slot_story *slot, const char *what)
{
    world_violation(judge->world, "overlap: %s (%s) slot %" PRId64 ": %s", life->name, life->id,
                    slot->due_ms, what);
}

/* ---- by policy ---- */

static bool is_newest(const struct life *life, const struct slot_story *slot, int64_t known_ms)
{
    int64_t next_ms = 0;
    int64_t limit_ms = known_ms < life->wanted.end_ms ? known_ms : life->wanted.end_ms - 1;
    return !slow_next(&life->wanted.schedule, slot->due_ms, limit_ms, &next_ms);
}

/* The one behind it came late: that one is owed, whatever waits. */
static bool is_late_behind(const struct run_judge *judge, const struct life *life,
                           const struct slot_story *slot)
{
    struct slot_story next = {0};
    if (!slow_next(&life->wanted.schedule, slot->due_ms, INT64_MAX / 2, &next.due_ms)) return false;
    next.passed = passage(judge, next.due_ms);
    return !is_quiet(judge, life, &next);
}

/* `undecided`: late ones before it had not been named when it came due. The catch-up policy is
 * asked about all of them together, and may keep it. */
static void judge_waited(struct run_judge *judge, const struct life *life,
                         const struct slot_story *slot, bool undecided)
{
    const struct wanted_runs *wanted = &life->wanted.runs;
    int64_t before = waiting_before(judge, life, slot);
    if (undecided) return;
    switch (wanted->overlap) {
    case SLOW_ALLOW: break; /* it was late, perhaps */
    case SLOW_SKIP: complain(judge, life, slot, "fired, and is to be left out"); break;
    case SLOW_BUFFER_ONE:
        if (before > 0) complain(judge, life, slot, "waited behind another one");
        break;
    case SLOW_BUFFER_ALL:
        if (before >= wanted->overlap_limit) complain(judge, life, slot, "more wait than may");
        break;
    case SLOW_CANCEL_OTHER:
        if (!is_newest(life, slot, slot->fired->opened[-1].mark.watermark_ms) &&
            !is_late_behind(judge, life, slot))
            complain(judge, life, slot, "fired, and is not the newest");
        break;
    }
}

static void judge_left_out(struct run_judge *judge, const struct life *life,
                           const struct slot_story *slot, bool unsettled)
{
    const struct wanted_runs *wanted = &life->wanted.runs;
    bool full = wanted->overlap == SLOW_BUFFER_ALL;
    if (strcmp(slot->left_out->reason, full ? "buffer_full" : "overlap") != 0)
        complain(judge, life, slot, "left out for another reason than its policy's");
    if (unsettled) return;
    int64_t before = waiting_before(judge, life, slot);
    if (wanted->overlap == SLOW_ALLOW) complain(judge, life, slot, "left out, and may fire");
    if (wanted->overlap == SLOW_BUFFER_ONE && before == 0)
        complain(judge, life, slot, "left out, and none waits");
    if (full && before < wanted->overlap_limit && before < ROOM_SURE)
        complain(judge, life, slot, "left out, and there is room");
    if (wanted->overlap == SLOW_CANCEL_OTHER && is_newest(life, slot, slot->left_out->at_ms))
        complain(judge, life, slot, "left out, and is the newest");
}

static void judge_slot(struct run_judge *judge, const struct life *life,
                       const struct slot_story *slot, bool unsettled, bool undecided)
{
    if (!is_quiet(judge, life, slot)) return;
    enum meeting meeting = meets(judge, life, slot);
    judge->world->sometimes.count[SOMETIMES_SLOT_MEETS_RUN] += meeting == MEETS_RUN;
    if (meeting == MEETS_NONE && slot->left_out != NULL)
        complain(judge, life, slot, "left out, and nothing was in its way");
    if (meeting != MEETS_RUN || slot->named) return;
    if (slot->left_out != NULL) judge_left_out(judge, life, slot, unsettled);
    else if (slot->fired != NULL && number_of(judge, slot->fired->opened) > slot->passed)
        judge_waited(judge, life, slot, undecided);
}

/* ---- the slots of a job ---- */

static const struct judged_run *find_fired(const struct run_judge *judge, const struct life *life,
                                           int64_t nominal_ms)
{
    for (size_t i = 0; i < judge->run_count; i++)
        if (judge->runs[i]->life == life && judge->runs[i]->is_slot &&
            judge->runs[i]->nominal_ms == nominal_ms)
            return judge->runs[i];
    return NULL;
}

static void find_named(const struct run_judge *judge, const struct life *life,
                       struct slot_story *slot)
{
    for (size_t i = 0; i < judge->event_count; i++) {
        const struct output *event = judge->events[i];
        if (strcmp(event->life, life->id) != 0 || event->first_ms > slot->due_ms ||
            event->last_ms < slot->due_ms)
            continue;
        if (is_left_out(event)) slot->left_out = event;
        else slot->named_ms = event->at_ms;
        slot->named = slot->named_ms > 0;
    }
}

/* Until when slots from before the last change of the job waited, and were dropped then. */
static int64_t dropped_ms(const struct run_judge *judge, const struct life *life)
{
    int64_t until_ms = 0;
    for (size_t i = 0; i < judge->event_count; i++) {
        const struct output *event = judge->events[i];
        if (strcmp(event->life, life->id) == 0 && !is_left_out(event) &&
            event->first_ms <= life->touched_ms && event->at_ms > until_ms)
            until_ms = event->at_ms;
    }
    return until_ms;
}

static bool is_plain(const struct life *life)
{
    return life->there && life->paused_ms == NEVER_MS && life->reckoned_count == 0 &&
           !life->jittered && life->finished_ms == NEVER_MS && life->failure_count == 0 &&
           life->wanted.runs.lease_ms > 0 &&
           !life->left_out;
}

void run_slots_judge(struct run_judge *judge, const struct life *life)
{
    const struct history *history = &judge->world->history;
    if (!is_plain(life) || history->step_count[judge->shard] == 0) return;
    int64_t until_ms =
        history->steps[judge->shard][history->step_count[judge->shard] - 1].mark.watermark_ms;
    int64_t at_ms = life->touched_ms;
    bool unsettled = false; /* one before it is not yet fired nor named */
    int64_t waited_ms = dropped_ms(judge, life); /* until then one before it waited */
    int64_t named_ms = 0; /* until then one before it was neither fired nor named */
    if (until_ms >= life->wanted.end_ms) until_ms = life->wanted.end_ms - 1;
    if (life->wanted.start_ms != NEVER_MS && at_ms < life->wanted.start_ms)
        at_ms = life->wanted.start_ms - 1;
    while (slow_next(&life->wanted.schedule, at_ms, until_ms, &at_ms)) {
        struct slot_story slot = {.due_ms = at_ms,
                                  .passed = passage(judge, at_ms),
                                  .fired = find_fired(judge, life, at_ms)};
        find_named(judge, life, &slot);
        judge_slot(judge, life, &slot, unsettled || waited_ms >= at_ms || named_ms >= at_ms,
                   named_ms >= at_ms);
        if (slot.named_ms > named_ms) named_ms = slot.named_ms;
        unsettled = unsettled || (slot.fired == NULL && slot.left_out == NULL && !slot.named);
    }
}

int64_t run_judge_open_since_ms(const struct run_judge *judge, const char *name)
{
    for (size_t i = 0; i < judge->open_count; i++)
        if (strcmp(judge->open[i]->name, name) == 0) return judge->open[i]->tries[0].fired_ms;
    return NEVER_MS;
}

static bool is_freed(const struct run_judge *judge, const struct judged_run *run)
{
    for (size_t i = 0; i < judge->output_count; i++) {
        const struct run_said *said = history_run(&judge->world->history, judge->outputs[i]);
        if (judge->outputs[i]->kind == OUTPUT_RUN && said->free && said->k == run->k) return true;
    }
    return false;
}

static bool is_own(const struct sent_command *command, const char *run)
{
    const char *trigger = strstr(run, "@t:");
    if (command->op == SENT_REQUEUE) return strcmp(command->run, run) == 0;
    return trigger != NULL && strcmp(trigger + 3, command->own_id) == 0;
}

/* Of an earlier step. A trigger's id may be used again after a day, while its first run is open. */
static bool is_own_open(const struct sent_command *command, const struct judged_run *run,
                        const struct step *begun)
{
    if (!is_own(command, run->id)) return false;
    return command->op == SENT_REQUEUE || (begun != NULL && run->opened >= begun);
}

int64_t run_judge_over_ms(const struct run_judge *judge, const char *name)
{
    int64_t over_ms = NEVER_MS;
    for (size_t i = judge->run_count; i-- > 0;) {
        const struct judged_run *run = judge->runs[i];
        if (strcmp(run->name, name) != 0) continue;
        const struct step *ended = run->ended;
        if (ended == NULL && !is_freed(judge, run)) return ALWAYS_MS;
        int64_t at_ms = ended == NULL ? judge->before->mark.watermark_ms
                                      : ended[-1].mark.watermark_ms;
        if (at_ms > over_ms) over_ms = at_ms;
    }
    return over_ms;
}

int64_t run_judge_over_by_ms(const struct run_judge *judge, const char *name, int64_t now_ms)
{
    int64_t over_ms = NEVER_MS;
    for (size_t i = judge->run_count; i-- > 0;) {
        const struct judged_run *run = judge->runs[i];
        if (strcmp(run->name, name) != 0) continue;
        if (run->ended == NULL && !is_freed(judge, run)) return ALWAYS_MS;
        int64_t at_ms = run->ended == NULL ? now_ms : run->ended->time_ms;
        if (at_ms > over_ms) over_ms = at_ms;
    }
    return over_ms;
}

bool run_judge_in_way(const struct run_judge *judge, const struct life *life,
                      const struct sent_command *command, const struct step *begun)
{
    if (life->wanted.runs.lease_ms == 0 || life->wanted.runs.overlap == SLOW_ALLOW) return false;
    for (size_t i = 0; i < judge->open_count; i++)
        if (strcmp(judge->open[i]->name, life->name) == 0 &&
            !is_own_open(command, judge->open[i], begun) && !is_freed(judge, judge->open[i]))
            return true;
    for (size_t i = 0; i < judge->output_count; i++) {
        const struct output *fire = judge->outputs[i];
        if (fire->kind == OUTPUT_FIRE && strcmp(fire->name, life->name) == 0 &&
            !is_own(command, history_run(&judge->world->history, fire)->id))
            return true;
    }
    return false;
}
