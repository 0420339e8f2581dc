/* What commands are told: one result of each shard, at the right time, with what it should say. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge/marks.h"
#include "tests/simulation/judge/notices.h"
#include "tests/simulation/judge/walk.h"
#include "tests/simulation/judge_runs/run_asked.h"

#define REMEMBERED_MS INT64_C(86400000)

static const struct remembered *remembered(const struct walk *walk, const char *command_id)
{
    for (size_t i = walk->remembered_count; i-- > 0;)
        if (!walk->remembered[i].gone &&
            strcmp(walk->remembered[i].command_id, command_id) == 0)
            return &walk->remembered[i];
    return NULL;
}

static void remember(struct walk *walk, const char *command_id, const struct output *result)
{
    walk->remembered = memory_grow(walk->remembered, &walk->remembered_capacity,
                                   walk->remembered_count + 1, sizeof *walk->remembered);
    struct remembered *last = &walk->remembered[walk->remembered_count++];
    *last = (struct remembered){.sequence = result->count, .at_ms = result->at_ms};
    (void)snprintf(last->command_id, sizeof last->command_id, "%s", command_id);
    memcpy(last->outcome, result->word, sizeof last->outcome);
}

void walk_forgotten(struct walk *walk, size_t at)
{
    int64_t sequence = strtoll(walk->outputs[at].name, NULL, 10);
    for (size_t i = 0; i < walk->remembered_count; i++) {
        struct remembered *one = &walk->remembered[i];
        if (one->sequence != sequence) continue;
        one->gone = true;
        if (walk->step_of[at]->mark.watermark_ms < one->at_ms + REMEMBERED_MS)
            world_violation(walk->world, "forgotten too soon: command id %s", one->command_id);
    }
}

/* How many results of the same command this shard has given before: after a loss it may have been
 * forwarded again. */
static size_t results_before(const struct walk *walk, const struct output *result)
{
    size_t count = 0;
    for (const struct output *before = walk->outputs; before < result; before++)
        count += before->kind == OUTPUT_RESULT && before->partition == result->partition &&
                 before->offset == result->offset;
    return count;
}

/* When the record that was applied came into the topic it was read from. */
static int64_t log_time_ms(const struct walk *walk, const struct output *result)
{
    const struct history *history = &walk->world->history;
    if (result->partition == walk->shard)
        return walk->world->sent[result->partition][result->offset].time_ms;
    size_t before = walk->world->losses.count > 0 ? results_before(walk, result) : 0;
    for (size_t i = 0; i < history->output_count; i++) {
        const struct output *output = &history->outputs[i];
        if (output->kind == OUTPUT_FORWARD && output->target == walk->shard &&
            output->partition == result->partition && output->offset == result->offset &&
            before-- == 0)
            return output->time_ms;
    }
    return INT64_MIN;
}

/* A command that takes several transactions is decided with the first: `now` was earlier than
 * the result says; after a take-over it can be any time earlier. Where it acts is kept in the
 * mark, and time stands still until it is done. */
static int64_t decided_ms(const struct walk *walk, int64_t wanted_ms)
{
    const struct step *first = walk->half_done;
    const struct step *last = walk->last_step;
    if (last->mark.watermark_ms != first->mark.watermark_ms)
        world_violation(walk->world, "half done: time passes from %" PRId64 " to %" PRId64,
                        first->mark.watermark_ms, last->mark.watermark_ms);
    if (first->mark.epoch == last->mark.epoch) return wanted_ms - UNSEEN_MS;
    return first->mark.watermark_ms < wanted_ms ? first->mark.watermark_ms : wanted_ms;
}

/* A command acts at its log time, or where the shard's time already was: that is known from its
 * marks, or it was idle, and what is sent then is read within moments, or when Kafka is back. A
 * forwarded one may be hidden for longer, by an open transaction that another shard has begun to
 * write to the same partition. */
static void judge_effective(struct walk *walk, const struct output *result)
{
    int64_t log_ms = log_time_ms(walk, result);
    int64_t wanted_ms = log_ms < result->to_ms ? log_ms : result->to_ms;
    if (walk->half_done != NULL) wanted_ms = decided_ms(walk, wanted_ms);
    int64_t known_ms = walk->watermark_ms > walk->effective_ms ? walk->watermark_ms
                                                               : walk->effective_ms;
    /* A forward behind another shard's open transaction cannot be read yet. */
    bool held = result->partition != walk->shard &&
                marks_held(walk->world, log_ms, result->at_ms + UNSEEN_MS);
    if (log_ms == INT64_MIN)
        world_violation(walk->world, "forward missing: shard %d applied %d/%" PRId64,
                        (int)walk->shard, (int)result->partition, result->offset);
    else if (result->at_ms < wanted_ms ||
             (result->at_ms > wanted_ms + UNSEEN_MS && result->at_ms > known_ms && !held &&
              !marks_cut_off(walk->world, log_ms - UNSEEN_MS, result->at_ms + UNSEEN_MS)))
        world_violation(walk->world, "effective time: %d/%" PRId64 " acts at %" PRId64
                        ", its log time is %" PRId64 ", it was applied at %" PRId64
                        ", the watermark was %" PRId64,
                        (int)result->partition, result->offset, result->at_ms, log_ms,
                        result->to_ms, known_ms);
    if (result->at_ms > walk->effective_ms) walk->effective_ms = result->at_ms;
}

static void judge_answer(struct walk *walk, const struct output *result,
                         const struct expected_answer *expected)
{
    bool totals = strcmp(expected->outcome, "applied") == 0 ||
                  strcmp(expected->outcome, "unchanged") == 0 ||
                  strcmp(expected->outcome, "partial") == 0;
    if (strcmp(result->word, expected->outcome) == 0 &&
        (!totals || (result->matched == expected->matched &&
                     result->first_ms == expected->changed)))
        return;
    world_violation(walk->world, "answer: shard %d, command %d/%" PRId64 ": %s (%s) matched %"
                    PRId64 " changed %" PRId64 ", expected %s %" PRId64 " %" PRId64 ": %.200s",
                    (int)walk->shard, (int)result->partition, result->offset, result->word,
                    result->reason, result->matched, result->first_ms, expected->outcome,
                    expected->matched, expected->changed,
                    walk->world->sent[result->partition][result->offset].text);
}

/* One that is not kept goes when it ends, or when its last run does: then its tombstone says so. */
static void settle_deletion(const struct walk *walk, const struct output *deletion)
{
    struct life *life = model_find(&walk->model, deletion->name);
    if (life != NULL && run_judge_is_mine(life->name) && life->finished_ms != NEVER_MS &&
        life->wanted.keep_ms == 0)
        life_end(life, life->finished_ms);
}

void walk_settle(struct walk *walk)
{
    for (size_t i = 0; i < walk->waiting_count; i++) {
        const struct output *output = &walk->outputs[walk->waiting[i]];
        struct life *life = model_find_life(&walk->model, output->life);
        if (output->kind == OUTPUT_JOB_DELETED) { /* else the command says what is there */
            settle_deletion(walk, output);
            continue;
        }
        if (life == NULL) {
            world_violation(walk->world, "event of nobody: %s %s", output->word, output->name);
            continue;
        }
        if (strcmp(output->word, "exhausted") != 0 && strcmp(output->word, "resumed") != 0)
            notices_event(walk->world, life, output);
        if (strcmp(output->word, "exhausted") == 0) {
            life_finish(life, output->at_ms);
            if (life->wanted.keep_ms == 0 && life->wanted.topic[0] == '\0' &&
                !run_judge_is_mine(life->name))
                life_end(life, output->at_ms);
        } else if (strcmp(output->word, "missed") == 0 || strcmp(output->word, "skipped") == 0) {
            walk_announcement(walk, life, walk->waiting[i]);
        } else if (strcmp(output->word, "resumed") == 0 && life->paused_ms != NEVER_MS &&
                   life->there) {
            world_violation(walk->world, "resumed for nothing: %s", output->name);
        }
    }
    walk->waiting_count = 0;
}

static void read_sent(const struct world *world, const struct output *result,
                      struct sent_command *command)
{
    sent_read_whole(&world->sent[result->partition][result->offset], command);
    if (command->command_id[0] != '\0')
        memcpy(command->own_id, command->command_id, sizeof command->command_id);
    else
        (void)snprintf(command->own_id, sizeof command->own_id, "%d/%lld",
                       (int)result->partition, (long long)result->offset);
}

/* Seen before: the result says how it ended then. */
static void judge_duplicate(struct walk *walk, const struct remembered *first,
                            const struct output *result)
{
    walk->world->sometimes.count[SOMETIMES_DUPLICATE]++;
    if (strcmp(result->word, "duplicate") == 0 && strcmp(first->outcome, result->trigger) != 0)
        world_violation(walk->world, "first outcome: %s ended as %s, its duplicate says %s",
                        first->command_id, first->outcome, result->trigger);
}

/* Refused for what the world was, not for what it says. */
static bool was_refused(const struct world *world, const struct output *result,
                        struct sent_command *command)
{
    bool bulky = world->sent[result->partition][result->offset].bulky;
    if (strcmp(result->word, "rejected") != 0 || bulky) return false;
    if (world->cluster.own_limited && strcmp(result->reason, "undeliverable") == 0) return true;
    if (!world->ever_strict) return false;
    if (strcmp(result->reason, "reply_to_not_allowed") == 0) return true;
    if (strcmp(result->reason, "too_large") != 0) return false;
    command->command_id[0] = '\0'; /* it was not read */
    return true;
}

/* The faults are over: the last replies go where they are wanted. */
static void judge_reply(struct walk *walk, const struct output *result)
{
    if (result->partition != walk->shard || strcmp(result->word, "applied") != 0) return;
    for (int32_t topic = 0; topic < FOREIGN_TOPICS; topic++)
        if (walk->world->last_ping[walk->shard][topic] == result->offset && result->offset > 0 &&
            result->target != topic)
            world_violation(walk->world, "reply: shard %d answers ping %" PRId64 " elsewhere than "
                            "in %s", (int)walk->shard, result->offset, foreign_topic_name(topic));
}

/* What a cancel may have changed besides is told by how many it says. */
static void mark_stops(struct walk *walk, const struct sent_command *command,
                       const struct output *result)
{
    int64_t left = result->first_ms;
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < walk->model.count; i++) {
            struct life *life = walk->model.lives[i];
            if (!run_judge_is_mine(life->name) || !model_selects(command, life)) continue;
            enum run_stop stop = run_asked_stop(&walk->runs, life, command, result->at_ms);
            if (walk->half_done != NULL && stop == STOP_NOTHING) stop = STOP_PERHAPS;
            if (turn == 0) life->stops_runs = stop == STOP_SURELY;
            else if (stop == STOP_PERHAPS && left > 0) life->stops_runs = true;
            else continue;
            left -= life->stops_runs;
        }
}

/* How the command finds the runs of the jobs. */
static void mark_runs(struct walk *walk, const struct sent_command *command,
                      const struct output *result)
{
    if (command->op == SENT_CANCEL) mark_stops(walk, command, result);
    for (size_t i = 0; i < walk->model.count; i++) {
        struct life *life = walk->model.lives[i];
        if (!run_judge_is_mine(life->name) || !life->there) continue;
        if (command->op == SENT_TRIGGER)
            life->meets_run = run_judge_in_way(&walk->runs, life, command, walk->half_done);
        if (command->op == SENT_REQUEUE && model_selects(command, life))
            life->again = run_asked_again(&walk->runs, life, command, result);
    }
}

/* What it leaves of them. */
static void judge_runs(struct walk *walk, const struct sent_command *command,
                       const struct output *result)
{
    bool stops = command->op == SENT_CANCEL || (command->op == SENT_DELETE && command->cancel_runs);
    bool done = strcmp(result->word, "applied") == 0 || strcmp(result->word, "unchanged") == 0;
    if (command->dry_run) return;
    walk->runs.may_stop = walk->runs.may_stop || stops;
    if (!done) return;
    for (size_t i = 0; i < walk->model.count; i++) {
        struct life *life = walk->model.lives[i];
        if (!run_judge_is_mine(life->name) || !model_selects(command, life)) continue;
        walk->world->sometimes.count[SOMETIMES_RUN_CANCELLED] += stops && life->stops_runs;
        if (stops) run_asked_stopped(&walk->runs, life, command, walk->half_done);
        if (command->op == SENT_DELETE && walk->half_done == NULL)
            run_asked_left(&walk->runs, life);
        if (command->op == SENT_REQUEUE && life->again == AGAIN_HASTENED)
            run_asked_hastened(&walk->runs, life, command, result->to_ms);
    }
}

void walk_result(struct walk *walk, const struct output *result, const struct step *step)
{
    struct world *world = walk->world;
    if (result->partition < 0 || result->partition >= world->settings.shards ||
        result->offset >= (int64_t)world->sent_count[result->partition]) {
        world_violation(world, "result of nothing: %d/%" PRId64, (int)result->partition,
                        result->offset);
        return;
    }
    struct sent_command *command = memory_allocate(1, sizeof *command);
    read_sent(world, result, command);
    if (world->sent[result->partition][result->offset].bulky)
        world->sometimes.count[SOMETIMES_BULKY]++;
    judge_reply(walk, result);
    if (was_refused(world, result, command)) command->op = SENT_UNREADABLE;
    if (world->cluster.own_limited && strcmp(result->reason, "interrupted") == 0) {
        world->losses.forgot[walk->shard] = true; /* nobody knows which jobs were changed */
        free(command);
        return;
    }
    if (result->count != step->mark.sequence)
        world_violation(world, "sequence: the result of %d/%" PRId64 " says %" PRId64
                        " in step %" PRId64, (int)result->partition, result->offset,
                        result->count, step->mark.sequence);
    model_resolve(&walk->model, command);
    /* A duplicate that is refused, too, does not wait for its time. */
    bool refused = strcmp(result->word, "duplicate") == 0 &&
                   (world->ever_strict || world->cluster.own_limited);
    if (command->op != SENT_UNREADABLE && !refused) judge_effective(walk, result);
    struct expected_answer expected = {"duplicate", 0, 0};
    const struct remembered *first =
        command->command_id[0] != '\0' ? remembered(walk, command->command_id) : NULL;
    bool known = first != NULL;
    if (known) judge_duplicate(walk, first, result);
    world->sometimes.count[SOMETIMES_DRY_RUN] += command->dry_run && !known;
    if (!known) mark_runs(walk, command, result);
    if (!known) judge_runs(walk, command, result);
    if (!known)
        expected = model_apply(&walk->model, command, result->at_ms, result->partition,
                               result->offset);
    walk->half_done = NULL;
    judge_answer(walk, result, &expected);
    if (!known && command->command_id[0] != '\0' && !command->dry_run)
        remember(walk, command->command_id, result);
    walk_settle(walk);
    if (walk->watermark_ms == result->at_ms) world->sometimes.count[SOMETIMES_UPDATE_IN_HERD]++;
    free(command);
}

void walk_forward(struct walk *walk, const struct output *forward)
{
    walk->world->sometimes.count[SOMETIMES_FORWARDED]++;
    if (forward->partition != walk->shard) return;
    int64_t log_ms = walk->world->sent[forward->partition][forward->offset].time_ms;
    if (log_ms > walk->effective_ms) walk->effective_ms = log_ms;
}
