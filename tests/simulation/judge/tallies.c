#include "tests/simulation/judge/tallies.h"

#include <inttypes.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"
#include "dispatcher/engine/tally.h"
#include "lib/base/limits.h"
#include "tests/simulation/world/world.h"

enum { JOBS_EACH = 8 /* transactions: a walk over all jobs is slow */ };

/* The place of a word in a list of output.h; -1: it is not there. */
static int place_of(const char *(*word)(int), int first, int end, const char *wanted)
{
    for (int i = first; i < end; i++)
        if (strcmp(word(i), wanted) == 0) return i;
    return -1;
}

static const char *fire_word(int i) { return fire_kind_name((enum fire_kind)i); }
static const char *event_word(int i) { return event_kind_name((enum event_kind)i); }
static const char *reason_word(int i) { return event_reason_word((enum event_reason)i); }
static const char *outcome_word(int i) { return outcome_name((enum outcome)i); }

static int reason_of(const struct output *output)
{
    return place_of(reason_word, 1, EVENT_REASON_COUNT + 1, output->reason);
}

static void count_event(struct tally_numbers *found, const struct output *output)
{
    int kind = place_of(event_word, 0, EVENT_KIND_COUNT, output->word);
    if (kind < 0) return;
    found->events[kind]++;
    if (kind == EVENT_MISSED) found->missed[reason_of(output)] += output->count;
    if (kind == EVENT_SKIPPED) found->skipped[reason_of(output)] += output->count;
    if (kind == EVENT_FIRE_FAILED) found->failed[reason_of(output)]++;
}

/* What a reader of the topics would count. The simulator does not read operations: all results are
 * counted as if they were of the first. */
static void count_output(struct tally_numbers *found, const struct output *output)
{
    int place = 0;
    switch (output->kind) {
    case OUTPUT_FIRE:
        place = place_of(fire_word, 0, FIRE_KIND_COUNT, output->word);
        if (place >= 0) found->fires[place]++;
        found->late += output->first_ms > MISFIRE_GRACE_DEFAULT_MS;
        break;
    case OUTPUT_EVENT: count_event(found, output); break;
    case OUTPUT_RESULT:
        place = place_of(outcome_word, 0, OUTCOME_COUNT, output->word);
        if (place >= 0) found->results[0][place]++;
        break;
    case OUTPUT_DEAD:
    case OUTPUT_RUN_LETTER: found->dead++; break;
    case OUTPUT_FORWARD: found->forwarded++; break;
    case OUTPUT_JOB:
    case OUTPUT_JOB_DELETED:
    case OUTPUT_SEEN:
    case OUTPUT_SEEN_DELETED:
    case OUTPUT_RUN:
    case OUTPUT_CANCEL: break;
    }
}

static struct tally_numbers without_operations(const struct tally_numbers *counted)
{
    struct tally_numbers numbers = *counted;
    for (int op = 1; op <= COMMAND_OP_COUNT; op++)
        for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            numbers.results[0][outcome] += numbers.results[op][outcome];
            numbers.results[op][outcome] = 0;
        }
    return numbers;
}

static struct step *step_of(struct world *world, const struct process *process, int32_t shard,
                            int64_t sequence)
{
    struct history *history = &world->history;
    for (size_t i = history->step_count[shard]; i-- > 0;) {
        struct step *step = &history->steps[shard][i];
        if (step->mark.sequence == sequence && strcmp(step->mark.owner, process->owner) == 0)
            return step;
    }
    return NULL;
}

/* Each fire has its lateness, and no other. */
static int64_t fires_by_due(const struct tally *tally)
{
    int64_t fires = 0;
    for (size_t i = 0; i < tally->due_count; i++) fires += tally->dues[i].fires;
    for (int kind = 0; kind < FIRE_KIND_COUNT; kind++) fires -= tally->numbers.fires[kind];
    return fires;
}

/* By the record, as whoever reads the state log would count. */
static void count_job(struct census *found, const struct job *job)
{
    struct job_record record;
    job_view_record(job, &record);
    bool stands = record.definition.paused || (job->flags & JOB_ZONELESS) != 0;
    bool tail = record.tail_from_ms != INSTANT_NONE && record.tail_keeps != TAIL_KEEPS_NONE;
    bool owes = record.owed_count > 0 || tail;
    found->owing += owes && !stands;
    if (record.state.finished_ms != INSTANT_NONE) found->finished++;
    else if (record.definition.paused) found->paused++;
    else if (record.state.failing_since_ms != INSTANT_NONE) found->failing++;
}

void tallies_judge_jobs(struct world *world, const struct engine *engine)
{
    const struct census *counted = &engine->census;
    struct census found;
    census_init(&found);
    for (uint32_t slot = 0; slot < shard_slots(engine->shard); slot++) {
        const struct job *job = shard_job_at(engine->shard, slot);
        if (job != NULL) count_job(&found, job);
    }
    if (found.finished != counted->finished || found.paused != counted->paused ||
        found.failing != counted->failing || found.owing != counted->owing)
        world_violation(world, "tally: shard %d counts other jobs than it has",
                        (int)engine->options.shard);
    world->sometimes.count[SOMETIMES_COUNTED_OWING] += found.owing > 0;
    world->sometimes.count[SOMETIMES_COUNTED_FAILING] += found.failing > 0;
}

void tallies_judge(struct process *process, int32_t shard, const struct taken *taken)
{
    struct world *world = process->world;
    struct tally_numbers counted = without_operations(&taken->tally->numbers);
    struct tally_numbers found = {.late = 0};
    struct step *step = step_of(world, process, shard, taken->sequence);
    if (step == NULL || step->counted) {
        world_violation(world, "tally: %s shard %d counts transaction %" PRId64 ", which is %s",
                        process->owner, (int)shard, taken->sequence,
                        step == NULL ? "not committed" : "counted before");
        return;
    }
    step->counted = true;
    struct step *before = step_of(world, process, shard, taken->sequence - 1);
    if (before != NULL && before->mark.epoch == step->mark.epoch && !before->counted)
        world_violation(world, "tally: %s shard %d has not counted transaction %" PRId64,
                        process->owner, (int)shard, taken->sequence - 1);
    for (size_t i = 0; i < step->count; i++)
        count_output(&found, &world->history.outputs[step->first + i]);
    if (memcmp(&found, &counted, sizeof found) != 0 || fires_by_due(taken->tally) != 0)
        world_violation(world, "tally: %s shard %d counts other things in transaction %" PRId64
                        " than it holds", process->owner, (int)shard, taken->sequence);
    if (taken->sequence % JOBS_EACH == 0) tallies_judge_jobs(world, process->slots[shard].engine);
}
