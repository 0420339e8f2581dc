/* Walks through what each shard has committed, in order, beside a model of what it should be. */
#include "tests/simulation/checker.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core/instant.h"
#include "dispatcher/core/memory.h"
#include "tests/simulation/account.h"
#include "tests/simulation/marks.h"
#include "tests/simulation/model.h"
#include "tests/simulation/policy.h"
#include "tests/simulation/stretches.h"

/* clock.tolerance; what the append time of a sample may be off, which a slow commit ends; the drift
 * until the next sample. */
enum { EARLY_MS = 1000 + 500 + 250, WAITING_MAX = 4096 };
#define REMEMBERED_MS INT64_C(86400000)

struct remembered {
    char command_id[24];
    char outcome[HISTORY_WORD_BYTES];
    int64_t sequence;
    int64_t at_ms;
    bool gone;
};

struct walk { /* through one shard */
    struct world *world;
    int32_t shard;
    struct model model;
    const struct output *outputs; /* all of the shard, in order */
    size_t count;
    size_t *next_result;          /* by output: the next result at or after it; count: none */
    const struct step **step_of;
    size_t waiting[WAITING_MAX];  /* outputs of the command whose result is to come */
    size_t waiting_count;
    struct remembered *remembered;
    size_t remembered_count;
    size_t remembered_capacity;
    int64_t watermark_ms; /* of the last step */
    int64_t effective_ms; /* of the last command */
    const struct step *half_done; /* the first with a part of the command whose result is to come */
    const struct step *last_step; /* before the outputs that are walked */
    int64_t live_ms[8][FOREIGN_TOPICS + 1]; /* by group, topic: due time of the last live fire */
    int64_t tz_told;      /* jobs that the step's tz_changed counts; -1: there is none */
    char tz_version[16];  /* of the last mark */
};

static struct output *flatten(const struct history *history, int32_t shard, size_t *count,
                              const struct step ***step_of)
{
    size_t total = 0;
    for (size_t i = 0; i < history->step_count[shard]; i++)
        total += history->steps[shard][i].count;
    struct output *outputs = memory_allocate(total + 1, sizeof *outputs);
    *step_of = memory_allocate(total + 1, sizeof **step_of);
    *count = 0;
    for (size_t i = 0; i < history->step_count[shard]; i++) {
        const struct step *step = &history->steps[shard][i];
        for (size_t j = 0; j < step->count && !step->gone; j++) {
            (*step_of)[*count] = step;
            outputs[(*count)++] = history->outputs[step->first + j];
        }
    }
    return outputs;
}

static const char *instant(int64_t at_ms, char text[INSTANT_TEXT_BYTES])
{
    instant_format(at_ms < 0 ? 0 : at_ms, text);
    return text;
}

/* ---- fires ---- */

static int group_number(const char *name)
{
    return name[0] == 'g' && name[1] >= '0' && name[1] <= '7' ? name[1] - '0' : 0;
}

/* A one-shot in the past fires behind what was owed at the edit, whatever comes after it. */
static bool is_one_shot(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = 0; i < life->stretch_count; i++)
        if (life->stretches[i].schedule.kind == SLOW_AT &&
            life->stretches[i].schedule.at_ms == nominal_ms)
            return true;
    return false;
}

/* A slot that waited for its delay over an edit comes at its old due time, perhaps behind slots of
 * the new schedule; so does one that other zone data has put before the last one, with a delay that
 * reaches beyond the change. */
static void judge_order(struct walk *walk, const struct output *fire, struct life *life,
                        int64_t due_ms, bool live)
{
    if (fire->at_ms <= life->last_nominal_ms && !is_one_shot(life, fire->at_ms) &&
        !stretches_waited(life, fire->at_ms) && !stretches_came_late(life, fire->at_ms))
        world_violation(walk->world, "order: %s fires %" PRId64 " after %" PRId64, life->name,
                        fire->at_ms, life->last_nominal_ms);
    if (!live) return;
    int64_t *last_ms = &walk->live_ms[group_number(life->name)][fire->target + 1];
    if (due_ms < *last_ms)
        world_violation(walk->world, "group order: %s fires %" PRId64 " after its group's %"
                        PRId64, life->name, due_ms, *last_ms);
    *last_ms = due_ms;
}

/* Never early, and where the fire says how late it is, exactly at the delay that its id gives. */
static void judge_due(struct walk *walk, const struct output *fire, int64_t due_ms)
{
    char at[INSTANT_TEXT_BYTES];
    char due[INSTANT_TEXT_BYTES];
    if (fire->time_ms < due_ms - EARLY_MS)
        world_violation(walk->world, "early: %s due at %s fired at %s", fire->name,
                        instant(due_ms, due), instant(fire->time_ms, at));
    if (fire->first_ms > 0 && fire->from_ms - fire->first_ms != due_ms)
        world_violation(walk->world, "due: %s of %" PRId64 " is due at %s, fired for %s",
                        fire->name, fire->at_ms, instant(due_ms, due),
                        instant(fire->from_ms - fire->first_ms, at));
    walk->world->sometimes.count[SOMETIMES_JITTER] += due_ms > fire->at_ms;
}

static void count_moments(struct walk *walk, const struct life *life, const struct output *fire)
{
    int64_t *count = walk->world->sometimes.count;
    const struct slow_schedule *schedule = &life->wanted.schedule;
    count[SOMETIMES_WAITED] += stretches_waited(life, fire->at_ms);
    if (schedule->zone == NULL) return;
    count[SOMETIMES_GAP_FIRE] += schedule->once && zones_leap(schedule->zone, fire->at_ms);
    count[SOMETIMES_SECOND_PASS] += zones_repeat(schedule->zone, fire->at_ms);
}

/* What the job was when it fired: there, not paused, as its fire says. */
static void judge_state(struct walk *walk, const struct life *life, const struct output *fire)
{
    struct world *world = walk->world;
    const char *payload = life->wanted.payload;
    int64_t data = payload[0] == '\0' ? 0 : history_data_hash(payload, strlen(payload));
    const char *topic = fire->target < 0 ? "" : foreign_topic_name(fire->target);
    bool trigger = fire->trigger[0] == 't';
    if (!life->there)
        world_violation(world, "fires after its end: %s (%s)", life->name, life->id);
    if (!trigger && life->paused_ms != NEVER_MS)
        world_violation(world, "fires in a pause: %s %" PRId64, life->name, fire->at_ms);
    if (fire->partition != life->revision)
        world_violation(world, "revision: %s fires as %" PRId32 ", it is %" PRId64, life->name,
                        fire->partition, life->revision);
    if (fire->last_ms != data || strcmp(topic, life->wanted.topic) != 0)
        world_violation(world, "content: %s fires to %s with a payload that is not %s",
                        life->name, topic, payload);
}

static void walk_fire(struct walk *walk, const struct output *fire, const struct step *step)
{
    struct world *world = walk->world;
    struct life *life = model_find_life(&walk->model, fire->life);
    if (life == NULL || strcmp(life->name, fire->name) != 0) {
        world_violation(world, "fire of nobody: %s %s", fire->name, fire->life);
        return;
    }
    judge_state(walk, life, fire);
    if (fire->trigger[0] != '\0') {
        asked_fire(world, life, fire, step);
        return;
    }
    notices_fire(world, life, fire);
    bool live = strcmp(fire->word, "schedule") == 0;
    world->sometimes.count[SOMETIMES_FIRE_LIVE] += live;
    world->sometimes.count[SOMETIMES_FIRE_CAUGHT_UP] += strcmp(fire->word, "catchup") == 0;
    world->sometimes.count[SOMETIMES_FIRE_RETRIED] += strcmp(fire->word, "retry") == 0;
    int64_t due_ms = stretches_due(life, fire->at_ms);
    judge_due(walk, fire, due_ms);
    count_moments(walk, life, fire);
    if (live && fire->first_ms > life->wanted.grace_ms)
        world_violation(world, "late as if live: %s, %" PRId64 " ms", fire->name, fire->first_ms);
    judge_order(walk, fire, life, due_ms, live);
    policy_judge_fire(world, walk->shard, life, fire);
    life_add_fired(life, fire->at_ms, fire->time_ms);
    if (life->wanted.max_fires > 0 && life->counted > life->wanted.max_fires)
        world_violation(world, "max_fires: %s fires %" PRId64 " times of %" PRId64, fire->name,
                        life->counted, life->wanted.max_fires);
}

/* ---- events ---- */

/* When the command acts that asked for a decision about this job; INT64_MAX: none did. */
static int64_t asked_ms(const struct walk *walk, const struct life *life, size_t at)
{
    size_t next = walk->next_result[at];
    if (next == walk->count) return INT64_MAX;
    const struct output *result = &walk->outputs[next];
    struct sent_command *command = memory_allocate(1, sizeof *command);
    sent_read(walk->world->sent[result->partition][result->offset].text, command);
    bool asked = (command->op == SENT_UPDATE || command->op == SENT_PAUSE ||
                  command->op == SENT_RESUME) &&
                 model_selects(command, life);
    for (int i = 0; command->op == SENT_PUT && i < command->job_count; i++)
        asked = asked || (strcmp(command->jobs[i].group, life->wanted.group) == 0 &&
                          strcmp(command->jobs[i].id, life->wanted.id) == 0);
    free(command);
    return asked ? result->at_ms : INT64_MAX;
}

/* Up to where slots had come due when a policy decided: now, or where the command acts. */
static int64_t decided_to_ms(const struct walk *walk, const struct life *life, size_t at)
{
    int64_t command_ms = asked_ms(walk, life, at);
    int64_t now_ms = walk->outputs[at].at_ms;
    return command_ms < now_ms ? command_ms : now_ms;
}

static void walk_announcement(struct walk *walk, struct life *life, size_t at)
{
    const struct output *event = &walk->outputs[at];
    bool over = strcmp(event->reason, "already_due") == 0;
    bool off = over || strcmp(event->reason, "paused") == 0;
    if (over) life->over_ms = event->first_ms;
    life_announce(life, &(struct announced){.first_ms = event->first_ms,
                                            .last_ms = event->last_ms,
                                            .count = event->count,
                                            .off_schedule = off});
    if (strcmp(event->word, "missed") == 0) {
        walk->world->sometimes.count[SOMETIMES_MISSED]++;
        policy_judge_missed(walk->world, life, event, decided_to_ms(walk, life, at));
    } else {
        walk->world->sometimes.count[SOMETIMES_SKIPPED]++;
    }
}

/* When the next command acts; a thing that happened by itself comes before it. */
static int64_t next_effective_ms(const struct walk *walk, size_t at)
{
    size_t next = walk->next_result[at];
    return next < walk->count ? walk->outputs[next].at_ms : INT64_MAX;
}

static bool resumes_by_itself(const struct life *life, const struct output *event)
{
    if (life->paused_ms == NEVER_MS || life->until_ms == ALWAYS_MS) return false;
    return event->at_ms >= life->until_ms - 1 && event->to_ms == event->at_ms;
}

/* Whether an update that acts at the time of the event found the job still there: the policy then
 * decided at the update that nothing is owed, and the job ended with it. The number of jobs that
 * the command matched tells it from one that had ended by itself at the same time. */
static bool ended_by_update(const struct walk *walk, size_t at, const struct life *life)
{
    size_t next = walk->next_result[at];
    if (next == walk->count || walk->outputs[next].at_ms != walk->outputs[at].at_ms) return false;
    const struct output *result = &walk->outputs[next];
    struct sent_command *command = memory_allocate(1, sizeof *command);
    sent_read(walk->world->sent[result->partition][result->offset].text, command);
    bool selected = command->op == SENT_UPDATE && model_selects(command, life);
    int64_t matching = 0;
    for (size_t i = 0; i < walk->model.count && selected; i++)
        matching += model_selects(command, walk->model.lives[i]);
    free(command);
    return selected && matching == result->matched;
}

/* What the job's record says after the event: the revision tells whether a command was at work. */
static bool revision_moves(const struct walk *walk, size_t at, const struct life *life)
{
    int64_t at_ms = walk->outputs[at].at_ms;
    for (size_t i = at + 1; i < walk->count && i < at + 4; i++) {
        const struct output *output = &walk->outputs[i];
        if (strcmp(output->name, life->name) != 0) continue;
        if (output->kind == OUTPUT_JOB) return output->partition != life->revision;
        if (output->kind == OUTPUT_JOB_DELETED)
            return !life_is_over(life, at_ms) || ended_by_update(walk, at, life);
    }
    return false;
}

static void wait_for_result(struct walk *walk, size_t at)
{
    if (walk->waiting_count < WAITING_MAX) walk->waiting[walk->waiting_count++] = at;
}

static void walk_event(struct walk *walk, size_t at)
{
    const struct output *event = &walk->outputs[at];
    struct world *world = walk->world;
    if (strcmp(event->word, "tz_changed") == 0) walk->tz_told = event->count;
    if (event->name[0] == '\0') return; /* of the shard itself */
    struct life *life = model_find_life(&walk->model, event->life);
    bool exhausted = strcmp(event->word, "exhausted") == 0;
    bool resumed = strcmp(event->word, "resumed") == 0;
    world->sometimes.count[SOMETIMES_EXHAUSTED] += exhausted;
    world->sometimes.count[SOMETIMES_RESUMED] += resumed;
    world->sometimes.count[SOMETIMES_FIRE_FAILED] += strcmp(event->word, "fire_failed") == 0;
    if (life != NULL && event->trigger[0] != '\0') {
        asked_event(world, life, event);
        return;
    }
    if (life != NULL) notices_event(world, life, event);
    if (life == NULL) {
        wait_for_result(walk, at);
    } else if (strcmp(event->word, "missed") == 0 || strcmp(event->word, "skipped") == 0) {
        walk_announcement(walk, life, at);
    } else if (resumed && resumes_by_itself(life, event)) {
        world->sometimes.count[SOMETIMES_RESUMED_BY_TIME]++;
        life_resume(life, event->at_ms, event->to_ms);
    } else if (exhausted && life->paused_ms == NEVER_MS && life->finished_ms == NEVER_MS &&
               !revision_moves(walk, at, life)) {
        life_finish(life, event->at_ms);
    } else if (exhausted || resumed) {
        wait_for_result(walk, at);
    }
}

/* A finished job is not kept for ever; anything else is deleted by a command. */
static void walk_deletion(struct walk *walk, size_t at)
{
    struct life *life = model_find(&walk->model, walk->outputs[at].name);
    int64_t known_ms = next_effective_ms(walk, at);
    int64_t standing_ms = walk->step_of[at]->mark.watermark_ms + 1; /* just before its instant */
    if (standing_ms < known_ms) known_ms = standing_ms;
    bool kept = life == NULL || life->finished_ms == NEVER_MS ||
                life->wanted.keep_ms == ALWAYS_MS ||
                (life->wanted.keep_ms > 0 && life->finished_ms + life->wanted.keep_ms > known_ms);
    if (kept) wait_for_result(walk, at);
    else life_end(life, life->finished_ms);
}

/* ---- results ---- */

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

static void walk_forgotten(struct walk *walk, size_t at)
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
 * marks, or it was idle, and what is sent then is read within moments, or when Kafka is back. */
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

static void settle_waiting(struct walk *walk)
{
    for (size_t i = 0; i < walk->waiting_count; i++) {
        const struct output *output = &walk->outputs[walk->waiting[i]];
        struct life *life = model_find_life(&walk->model, output->life);
        if (output->kind == OUTPUT_JOB_DELETED) continue; /* the command says what is there */
        if (life == NULL) {
            world_violation(walk->world, "event of nobody: %s %s", output->word, output->name);
            continue;
        }
        if (strcmp(output->word, "exhausted") != 0 && strcmp(output->word, "resumed") != 0)
            notices_event(walk->world, life, output);
        if (strcmp(output->word, "exhausted") == 0) {
            life_finish(life, output->at_ms);
            if (life->wanted.keep_ms == 0 && life->wanted.topic[0] == '\0')
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
    sent_read(world->sent[result->partition][result->offset].text, command);
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

static void walk_result(struct walk *walk, const struct output *result, const struct step *step)
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
    if (result->count != step->mark.sequence)
        world_violation(world, "sequence: the result of %d/%" PRId64 " says %" PRId64
                        " in step %" PRId64, (int)result->partition, result->offset,
                        result->count, step->mark.sequence);
    model_resolve(&walk->model, command);
    if (command->op != SENT_UNREADABLE) judge_effective(walk, result);
    walk->half_done = NULL;
    struct expected_answer expected = {"duplicate", 0, 0};
    const struct remembered *first =
        command->command_id[0] != '\0' ? remembered(walk, command->command_id) : NULL;
    bool known = first != NULL;
    if (known) judge_duplicate(walk, first, result);
    world->sometimes.count[SOMETIMES_DRY_RUN] += command->dry_run && !known;
    if (!known)
        expected = model_apply(&walk->model, command, result->at_ms, result->partition,
                               result->offset);
    judge_answer(walk, result, &expected);
    if (!known && command->command_id[0] != '\0' && !command->dry_run)
        remember(walk, command->command_id, result);
    settle_waiting(walk);
    if (walk->watermark_ms == result->at_ms) world->sometimes.count[SOMETIMES_UPDATE_IN_HERD]++;
    free(command);
}

/* Time has passed up to a command that went elsewhere, too. */
static void walk_forward(struct walk *walk, const struct output *forward)
{
    walk->world->sometimes.count[SOMETIMES_FORWARDED]++;
    if (forward->partition != walk->shard) return;
    int64_t log_ms = walk->world->sent[forward->partition][forward->offset].time_ms;
    if (log_ms > walk->effective_ms) walk->effective_ms = log_ms;
}

/* ---- the whole ---- */

/* An owner with other zone data says so, if jobs are in zones; slots due after the watermark are by
 * its rules. In the middle of a command the jobs are not those of the model. */
static void walk_zones(struct walk *walk, const struct step *step)
{
    const struct mark_view *mark = &step->mark;
    bool changed = walk->tz_version[0] != '\0' &&
                   strcmp(walk->tz_version, mark->tz_version) != 0;
    int64_t zoned = 0;
    for (size_t i = 0; changed && i < walk->model.count; i++)
        zoned += walk->model.lives[i]->there &&
                 walk->model.lives[i]->wanted.schedule.zone != NULL;
    if (walk->tz_told != (zoned > 0 ? zoned : -1) && !mark->in_command)
        world_violation(walk->world, "tz_changed: shard %d, sequence %" PRId64 ": %s after %s, %"
                        PRId64 " jobs in zones, %" PRId64 " told", (int)walk->shard,
                        mark->sequence, mark->tz_version, walk->tz_version, zoned,
                        walk->tz_told);
    walk->tz_told = -1;
    memcpy(walk->tz_version, mark->tz_version, sizeof walk->tz_version);
    int version = zones_version_of(mark->tz_version);
    if (version < 0 || version == walk->model.version) return;
    walk->world->sometimes.count[SOMETIMES_TZ_CHANGED] += zoned > 0;
    model_change_zones(&walk->model, version, mark->watermark_ms, mark->ordinal);
    for (size_t i = 0; i < walk->model.count; i++)
        walk->world->sometimes.count[SOMETIMES_RECKONED] += walk->model.lives[i]->reckoned_count > 0;
}

static void walk_mark(struct walk *walk, const struct step *step)
{
    walk_zones(walk, step);
    walk->watermark_ms = step->mark.watermark_ms;
    walk->last_step = step;
    if (!step->mark.in_command) walk->half_done = NULL;
    else if (walk->half_done == NULL) walk->half_done = step;
}

static void walk_record(struct walk *walk, const struct output *record)
{
    struct life *life = model_find_life(&walk->model, record->life);
    if (life != NULL) life->ordinal = record->offset;
}

static void walk_outputs(struct walk *walk)
{
    struct world *world = walk->world;
    for (size_t i = 0; i < walk->count && world->violation_count < VIOLATIONS_MAX; i++) {
        const struct output *output = &walk->outputs[i];
        for (const struct step *step = i > 0 ? walk->step_of[i - 1] : walk->step_of[i];
             step < walk->step_of[i]; step++)
            if (!step->gone) walk_mark(walk, step);
        switch (output->kind) {
        case OUTPUT_FIRE: walk_fire(walk, output, walk->step_of[i]); break;
        case OUTPUT_EVENT: walk_event(walk, i); break;
        case OUTPUT_RESULT: walk_result(walk, output, walk->step_of[i]); break;
        case OUTPUT_JOB_DELETED: walk_deletion(walk, i); break;
        case OUTPUT_SEEN_DELETED: walk_forgotten(walk, i); break;
        case OUTPUT_FORWARD: walk_forward(walk, output); break;
        case OUTPUT_DEAD: world->sometimes.count[SOMETIMES_DEAD_LETTER]++; break;
        case OUTPUT_JOB: walk_record(walk, output); break;
        case OUTPUT_SEEN: break;
        }
    }
    settle_waiting(walk);
}

static void walk_shard(struct world *world, int32_t shard)
{
    struct walk *walk = memory_allocate(1, sizeof *walk);
    walk->world = world;
    walk->shard = shard;
    walk->effective_ms = INT64_MIN;
    walk->tz_told = -1;
    walk->watermark_ms = world->settings.start_ms; /* of a new shard: when it began */
    for (int i = 0; i < 8; i++)
        for (int j = 0; j <= FOREIGN_TOPICS; j++) walk->live_ms[i][j] = INT64_MIN;
    model_open(&walk->model, shard, world->settings.shards);
    walk->model.zones = world->zones;
    walk->outputs = flatten(&world->history, shard, &walk->count, &walk->step_of);
    walk->next_result = memory_allocate(walk->count + 1, sizeof *walk->next_result);
    size_t next = walk->count;
    for (size_t i = walk->count; i-- > 0;) {
        if (walk->outputs[i].kind == OUTPUT_RESULT) next = i;
        walk->next_result[i] = next;
    }
    if (!world->losses.forgot[shard]) { /* else nobody knows what the jobs should be */
        walk_outputs(walk);
        account_judge(world, &walk->model, shard);
        rest_judge_model(world, &walk->model, shard);
    }
    free((void *)walk->step_of);
    free(walk->next_result);
    free((void *)walk->outputs);
    free(walk->remembered);
    model_close(&walk->model);
    free(walk);
}

void checker_judge(struct world *world)
{
    for (int32_t shard = 0; shard < world->settings.shards; shard++) marks_judge(world, shard);
    for (int32_t shard = 0; shard < world->settings.shards; shard++) walk_shard(world, shard);
    account_judge_commands(world);
}
