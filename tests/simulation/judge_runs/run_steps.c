/* Which runs and tries a step opened and ended, beside the reports that it has read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge_runs/run_judge.h"

bool run_judge_is_mine(const char *name)
{
    return name[0] == 'r' && name[1] >= '0' && name[1] <= '9';
}

void run_judge_open(struct run_judge *judge, struct world *world, int32_t shard)
{
    *judge = (struct run_judge){.world = world, .shard = shard};
    run_reports_read(judge);
}

void run_judge_close(struct run_judge *judge)
{
    for (size_t i = 0; i < judge->run_count; i++) {
        free(judge->runs[i]->tries);
        free(judge->runs[i]);
    }
    free((void *)judge->runs);
    free((void *)judge->open);
    free(judge->reports);
    free(judge->by_number);
    free((void *)judge->outputs);
    free(judge->jobs);
    free(judge->taken);
    free(judge->asked);
    free((void *)judge->events);
}

static void keep_event(struct run_judge *judge, const struct output *event)
{
    if (strcmp(event->word, "skipped") != 0 && strcmp(event->word, "missed") != 0) return;
    judge->events = memory_grow((void *)judge->events, &judge->event_capacity,
                                judge->event_count + 1, sizeof *judge->events);
    judge->events[judge->event_count++] = event;
    run_slots_nameless(judge, event);
}

void run_judge_output(struct run_judge *judge, const struct output *output, struct life *life)
{
    if (output->kind == OUTPUT_EVENT && run_judge_is_mine(output->name)) keep_event(judge, output);
    if (output->run == 0) return;
    judge->outputs = memory_grow((void *)judge->outputs, &judge->output_capacity,
                                 judge->output_count + 1, sizeof *judge->outputs);
    judge->jobs = memory_grow(judge->jobs, &judge->job_capacity, judge->output_count + 1,
                              sizeof *judge->jobs);
    judge->outputs[judge->output_count] = output;
    judge->jobs[judge->output_count++] = (struct output_job){
        .life = life,
        .forbids = life != NULL && life->wanted.runs.overlap != SLOW_ALLOW,
        .leased = life != NULL && life->wanted.runs.lease_ms > 0,
        .fixed = life != NULL && life->wanted.runs.fixed};
}

/* ---- looking ---- */

struct judged_run *run_judge_find(const struct run_judge *judge, const char *id)
{
    for (size_t i = judge->run_count; i-- > 0;)
        if (strcmp(judge->runs[i]->id, id) == 0) return judge->runs[i];
    return NULL;
}

/* They stand in the order of their first numbers. */
static struct judged_run *find_first(const struct run_judge *judge, int64_t first)
{
    size_t low = 0;
    size_t high = judge->run_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (judge->runs[middle]->first < first) low = middle + 1;
        else high = middle;
    }
    return low < judge->run_count && judge->runs[low]->first == first ? judge->runs[low] : NULL;
}

struct judged_try *run_judge_try(const struct run_judge *judge, int64_t runnumber,
                                 struct judged_run **run)
{
    for (size_t i = judge->run_count; i-- > 0;)
        for (size_t j = judge->runs[i]->try_count; j-- > 0;)
            if (judge->runs[i]->tries[j].runnumber == runnumber) {
                *run = judge->runs[i];
                return &judge->runs[i]->tries[j];
            }
    return NULL;
}

int64_t run_tries_that_count(const struct judged_run *run, size_t tries)
{
    int64_t count = 0;
    for (size_t i = 0; i < tries; i++) count += run->tries[i].outcome != SAID_RELEASED;
    return count;
}

/* ---- fires ---- */

/* Opened by a command that says that it may go beside others: by its trigger, or a requeue. */
static bool is_allowed(const struct world *world, const char *trigger, const char *again)
{
    struct sent_command *command = memory_allocate(1, sizeof *command);
    bool found = false;
    for (int32_t shard = 0; shard < world->settings.shards; shard++)
        for (size_t i = 0; i < world->sent_count[shard] && !found; i++) {
            const struct sent *sent = &world->sent[shard][i];
            char place[HISTORY_LIFE_BYTES];
            (void)snprintf(place, sizeof place, "%d/%zu", (int)shard, i);
            if (strstr(sent->text, "\"allow\"}") == NULL &&
                strstr(sent->text, "\"allow\",") == NULL)
                continue;
            sent_read(sent->text, command);
            const char *own = command->command_id[0] == '\0' ? place : command->command_id;
            found = command->beside && (again != NULL ? strcmp(command->run, again) == 0
                                                      : strcmp(own, trigger) == 0);
        }
    free(command);
    return found;
}

static struct judged_run *open_run(struct run_judge *judge, const struct output *fire,
                                   const struct run_said *said, const struct output_job *job,
                                   const struct step *step, bool again)
{
    judge->runs = memory_grow((void *)judge->runs, &judge->run_capacity, judge->run_count + 1,
                              sizeof *judge->runs);
    struct judged_run *run = memory_allocate(1, sizeof *run);
    *run = (struct judged_run){
        .life = job->life, .first = said->runnumber, .k = -1, .opened = step};
    memcpy(run->id, said->id, sizeof run->id);
    memcpy(run->name, fire->name, sizeof run->name);
    run->nominal_ms = fire->at_ms;
    run->is_slot = fire->trigger[0] == '\0' && !again;
    run->forbids = job->forbids;
    bool asked = again || (fire->trigger[0] == 't' && fire->trigger[1] == ':');
    run->allowed = run->forbids && asked &&
                   is_allowed(judge->world, fire->trigger + 2, again ? said->id : NULL);
    judge->runs[judge->run_count++] = run;
    judge->open = memory_grow((void *)judge->open, &judge->open_capacity, judge->open_count + 1,
                              sizeof *judge->open);
    judge->open[judge->open_count++] = run;
    return run;
}

static void read_fire(struct run_judge *judge, const struct output *fire,
                      const struct run_said *said, const struct output_job *job,
                      const struct step *step)
{
    struct judged_run *run = run_judge_find(judge, said->id);
    if (run != NULL && run->ended != NULL && run->ended != step && said->number > 1)
        world_violation(judge->world, "run closed: %s fires try %" PRId64 " again", said->id,
                        said->number);
    bool anew = run == NULL || run->ended != NULL || said->number == 1; /* it ended just before */
    if (anew)
        run = open_run(judge, fire, said, job, step, run != NULL);
    if (said->runnumber <= judge->last_runnumber ||
        said->runnumber >> 32 != step->mark.generation)
        world_violation(judge->world, "runnumber: %s fires as %" PRId64 " after %" PRId64
                        " in generation %" PRId64, said->id, said->runnumber,
                        judge->last_runnumber, step->mark.generation);
    judge->last_runnumber = said->runnumber;
    run->tries = memory_grow(run->tries, &run->try_capacity, run->try_count + 1,
                             sizeof *run->tries);
    bool fixed = job->fixed;
    if (run->try_count > 0 && !job->leased) /* an open run goes on as it began */
        fixed = run->tries[run->try_count - 1].fixed;
    struct judged_try *tried = &run->tries[run->try_count++];
    *tried = (struct judged_try){.runnumber = said->runnumber,
                                 .fired_ms = fire->from_ms,
                                 .expiry_ms = said->expiry_ms,
                                 .lease_ms = said->lease_ms,
                                 .fixed = fixed,
                                 .fired = step};
    memcpy(tried->workers, said->workers, sizeof tried->workers);
}

/* ---- records ---- */

static struct judged_run *holder_of(const struct run_judge *judge, int64_t k)
{
    for (size_t i = judge->open_count; i-- > 0;)
        if (judge->open[i]->k == k && !judge->open[i]->freed) return judge->open[i];
    return NULL;
}

/* Its fire could not be produced: the step that says it says as well that it was nothing. */
static bool is_undone(const struct run_judge *judge, const struct run_said *said)
{
    for (size_t i = judge->output_count; i-- > 0;) {
        const struct run_said *later = history_run(&judge->world->history, judge->outputs[i]);
        if (later == said) return false;
        if (judge->outputs[i]->kind == OUTPUT_RUN && later->k == said->k && later->free)
            return find_first(judge, said->first_runnumber) == NULL;
    }
    return false;
}

static void read_record(struct run_judge *judge, const struct run_said *said)
{
    struct judged_run *holder = holder_of(judge, said->k);
    if (!said->free && is_undone(judge, said)) return;
    if (said->free) {
        if (holder != NULL) {
            holder->freed = true;
            holder->end = said;
        }
        return;
    }
    struct judged_run *run = find_first(judge, said->first_runnumber);
    if (run == NULL || run->ended != NULL || run->freed) {
        world_violation(judge->world, "%s: record %" PRId64 " of run %" PRId64,
                        run == NULL ? "run of no fire" : "run closed", said->k,
                        said->first_runnumber);
        return;
    }
    if (holder != NULL && holder != run) {
        world_violation(judge->world, "run overwritten: record %" PRId64 " of %s is that of %s",
                        said->k, holder->id, run->id);
        holder->freed = true;
    }
    if (run->k >= 0 && run->k != said->k)
        world_violation(judge->world, "run moved: %s from record %" PRId64 " to %" PRId64, run->id,
                        run->k, said->k);
    run->k = said->k;
    run->record = said;
}

static void read_outputs(struct run_judge *judge, const struct step *step)
{
    for (size_t i = 0; i < judge->output_count; i++)
        if (judge->outputs[i]->kind == OUTPUT_FIRE)
            read_fire(judge, judge->outputs[i],
                      history_run(&judge->world->history, judge->outputs[i]), &judge->jobs[i],
                      step);
    for (size_t i = 0; i < judge->output_count; i++) {
        const struct output *output = judge->outputs[i];
        const struct run_said *said = history_run(&judge->world->history, output);
        if (output->kind == OUTPUT_RUN) read_record(judge, said);
        bool failed = output->kind == OUTPUT_RUN_LETTER ||
                      (output->kind == OUTPUT_EVENT && strcmp(output->word, "run_failed") == 0);
        struct judged_run *run = failed ? run_judge_find(judge, said->id) : NULL;
        if (failed) (void)run_judge_try(judge, said->runnumber, &run); /* it may have come again */
        if (run != NULL) run->told = said_outcome(said->outcome);
    }
}

/* ---- what ended ---- */

/* The first of these reports that ends the try, by whoever may. */
static const struct judged_report *ending_report(const struct run_judge *judge,
                                                 const struct judged_run *run,
                                                 const struct judged_try *tried, size_t from,
                                                 size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct judged_report *report = &judge->reports[i];
        bool sign = report->word == SAID_STARTED || report->word == SAID_RUNNING ||
                    report->word == SAID_NOTHING;
        if (!sign && report->read_ms != INT64_MAX && run_report_is_of(report, run, tried))
            return report;
    }
    return NULL;
}

/* How the step's records say that it ended; SAID_NOTHING: they do not. */
static enum wanted_outcome said_end(const struct judged_run *run, const struct judged_try *tried)
{
    const struct run_said *record = run->record;
    if (record != NULL && record->ended_runnumber == tried->runnumber)
        return record->ended_released ? SAID_RELEASED : said_outcome(record->outcome);
    return run->freed ? run->told : SAID_NOTHING;
}

static bool has_ended(const struct judged_run *run, const struct judged_try *tried)
{
    const struct run_said *record = run->record;
    if (run->freed || run->try_count > run->tries_before) return true;
    return record != NULL && (strcmp(record->state, "waiting") == 0 ||
                              record->ended_runnumber >= tried->runnumber);
}

/* The report that ended it; NULL: its owner did. */
static const struct judged_report *judge_end(struct run_judge *judge, struct judged_run *run,
                                             struct judged_try *tried,
                                             const struct judged_report *report,
                                             const struct step *step)
{
    enum wanted_outcome said = said_end(run, tried);
    bool asked = run->cancel_asked || (run->record != NULL && run->record->cancel_asked);
    tried->ended = step;
    tried->outcome = said;
    bool by_owner = said == SAID_LOST || said == SAID_NOT_STARTED || said == SAID_POISON;
    if (said == SAID_POISON) tried->outcome = SAID_LOST;
    bool unsaid = said == SAID_NOTHING && run->freed && asked;
    if (report != NULL && (by_owner || unsaid) &&
        run_why_not_given_up(judge, run, tried, step,
                             (size_t)(report - judge->reports)) == NULL) {
        run->unclear = unsaid;
        if (by_owner) report = NULL; /* it came behind the tick */
    }
    tried->by_owner = report == NULL;
    if (report != NULL) {
        if (said != SAID_NOTHING && said != report->word &&
            !(report->word == SAID_RELEASED && said == SAID_FAILURE) &&
            !(run->freed && report->word == SAID_RELEASED))
            world_violation(judge->world, "run outcome: %s %" PRId64 " ends as %s, reported %s",
                            run->id, tried->runnumber, said_word(said),
                            said_word(report->word));
        tried->outcome = report->word;
        return report;
    }
    if (!by_owner && !unsaid) {
        world_violation(judge->world, "run ended by nobody: %s %" PRId64 " ends as '%s' without "
                        "a report", run->id, tried->runnumber, said_word(said));
        return NULL;
    }
    run_given_up(judge, run, tried, step);
    return NULL;
}

/* Its worker was taken for dead, and says that it has stopped by itself. */
static void note_lived(const struct run_judge *judge, const struct judged_run *run,
                       struct judged_try *tried, size_t to)
{
    for (size_t i = judge->acted; i < to; i++)
        if (judge->reports[i].word == SAID_LOST_LEASE &&
            run_report_is_of(&judge->reports[i], run, tried))
            tried->lived = true;
}

/* Of any of the tries that have ended before; behind the report that ended the run no word of it
 * changes anything. */
static void note_all_lived(const struct run_judge *judge, struct judged_run *run,
                           const struct judged_report *end)
{
    size_t to = run->freed && end != NULL ? (size_t)(end - judge->reports) : judge->acting;
    for (size_t i = 0; i < run->tries_before; i++)
        if (run->tries[i].ended != NULL && run->tries[i].by_owner)
            note_lived(judge, run, &run->tries[i], to);
}

static void judge_run(struct run_judge *judge, struct judged_run *run, const struct step *step)
{
    if (run->tries_before == 0) return; /* it was opened in this step */
    struct judged_try *tried = &run->tries[run->tries_before - 1];
    const struct judged_report *report = NULL;
    if (tried->ended == NULL) {
        report = ending_report(judge, run, tried, judge->acted, judge->acting);
        bool ended = has_ended(run, tried);
        if (report == NULL && ended)
            report = ending_report(judge, run, tried, judge->acting, judge->half_done);
        if (report != NULL && !ended)
            world_violation(judge->world, "run report ignored: %s %" PRId64 " said %s at %" PRId64,
                            run->id, tried->runnumber, said_word(report->word), report->offset);
        if (ended) report = judge_end(judge, run, tried, report, step);
    }
    note_all_lived(judge, run, report);
    if (tried->ended != NULL) run_next_judge(judge, run, step, report);
}

/* ---- no two at a time ---- */

static bool may_be_beside(const struct judged_run *run)
{
    return !run->forbids || run->allowed;
}

static void judge_beside(struct run_judge *judge, const struct judged_run *run)
{
    if (run->tries_before > 0) return;
    for (size_t i = 0; i < judge->open_count; i++) {
        const struct judged_run *other = judge->open[i];
        if (other == run || other->freed || strcmp(other->name, run->name) != 0)
            continue;
        if (may_be_beside(run) && strcmp(other->id, run->id) != 0) continue;
        if (other->tries_before == 0 && other->first > run->first) continue;
        world_violation(judge->world, "run beside another: %s is opened while %s is open", run->id,
                        other->id);
        return;
    }
}

/* ---- the step ---- */

static void note_take_over(struct run_judge *judge, const struct step *step)
{
    bool same = judge->before != NULL && judge->before->mark.epoch == step->mark.epoch;
    if (same) return;
    int64_t opened_ms = judge->before == NULL ? INT64_MIN : judge->before->time_ms;
    judge->taken = memory_grow(judge->taken, &judge->taken_capacity, judge->taken_count + 1,
                               sizeof *judge->taken);
    judge->taken[judge->taken_count++] = (struct taken_step){step, opened_ms};
}

static void settle(struct judged_run *run, const struct step *step)
{
    const struct run_said *record = run->record;
    if (record != NULL) {
        run->waiting = strcmp(record->state, "waiting") == 0;
        run->retry_ms = record->retry_ms;
        run->cancel_asked = run->cancel_asked || record->cancel_asked;
    }
    if (run->try_count > run->tries_before) run->waiting = false;
    if (run->freed) run->ended = step;
    run->record = NULL;
    run->hastened = false;
    run->told = SAID_NOTHING;
}

/* From where on the engine that did the step has read reports. */
static int64_t read_from(const struct run_judge *judge, const struct step *step)
{
    const struct run_facts *facts = &judge->world->facts;
    const struct run_reading *first = NULL;
    for (size_t i = 0; i < facts->reading_count; i++) {
        const struct run_reading *reading = &facts->readings[i];
        if (reading->time_ms > step->time_ms) break;
        if (reading->shard != judge->shard || strcmp(reading->owner, step->mark.owner) != 0)
            continue;
        if (first == NULL || reading->life != first->life || reading->offset < first->offset)
            first = reading;
    }
    return first == NULL ? 0 : first->offset;
}

/* What the owner has not read, as it was deleted, an earlier one may have: for nothing. */
static void forget_unread(struct run_judge *judge, const struct step *step)
{
    if (judge->acted == judge->acting) return;
    int64_t from = read_from(judge, step);
    for (size_t i = judge->acted; i < judge->acting && judge->reports[i].offset < from; i++)
        judge->reports[i].read_ms = INT64_MAX;
}

void run_judge_step(struct run_judge *judge, const struct step *step)
{
    if (step->gone) return;
    while (judge->acting < judge->report_count &&
           judge->reports[judge->acting].offset < step->mark.runs_offset)
        judge->acting++;
    judge->half_done = judge->acting;
    while (judge->half_done < judge->report_count &&
           judge->reports[judge->half_done].offset == judge->reports[judge->acting].offset &&
           judge->reports[judge->half_done].read_ms <= step->time_ms)
        judge->half_done++;
    forget_unread(judge, step);
    for (size_t i = 0; i < judge->open_count; i++)
        judge->open[i]->tries_before = judge->open[i]->try_count;
    note_take_over(judge, step);
    read_outputs(judge, step);
    for (size_t i = 0; i < judge->open_count; i++) judge_run(judge, judge->open[i], step);
    for (size_t i = 0; i < judge->open_count; i++) judge_beside(judge, judge->open[i]);
    run_pauses_judge(judge, step);
    run_slots_events(judge);
    run_cancels_judge(judge, step);
    size_t kept = 0;
    for (size_t i = 0; i < judge->open_count; i++) {
        settle(judge->open[i], step);
        if (judge->open[i]->ended == NULL) judge->open[kept++] = judge->open[i];
    }
    judge->open_count = kept;
    judge->acted = judge->acting;
    judge->output_count = 0;
    judge->may_stop = false;
    judge->before = step;
}

void run_judge_end(struct run_judge *judge)
{
    run_work_judge(judge);
    run_ends_judge(judge);
}
