/* Walks through what each shard has committed, in order, beside a model of what it should be. */
#include "tests/simulation/judge/checker.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/time/instant.h"
#include "tests/simulation/judge/account.h"
#include "tests/simulation/judge/marks.h"
#include "tests/simulation/judge/model.h"
#include "tests/simulation/judge/policy.h"
#include "tests/simulation/judge/stretches.h"
#include "tests/simulation/judge/walk.h"

/* clock.tolerance; the drift until the next sample. */
enum { EARLY_MS = 1000 + 250 };

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
    if (!live || stretches_reckoned_fire(life, fire->at_ms)) return;
    int64_t *last_ms = &walk->live_ms[group_number(life->name)][fire->target + 1];
    if (due_ms < *last_ms)
        world_violation(walk->world, "group order: %s fires %" PRId64 " after its group's %"
                        PRId64, life->name, due_ms, *last_ms);
    *last_ms = due_ms;
}

/* Never early, and where the fire says how late it is, exactly at the delay that its id gives. */
static void judge_due(struct walk *walk, const struct life *life, const struct output *fire,
                      int64_t due_ms)
{
    char at[INSTANT_TEXT_BYTES];
    char due[INSTANT_TEXT_BYTES];
    if (fire->time_ms < due_ms - EARLY_MS)
        world_violation(walk->world, "early: %s due at %s fired at %s", fire->name,
                        instant(due_ms, due), instant(fire->time_ms, at));
    if (fire->first_ms > 0 && fire->from_ms - fire->first_ms != due_ms &&
        !stretches_reckoned(life, fire->at_ms))
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
    const struct run_said *run = history_run(&world->history, fire);
    if (!trigger && life->paused_ms != NEVER_MS && (run == NULL || !run->again))
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
    struct run_said *run = fire->run == 0 ? NULL : &world->history.runs[fire->run - 1];
    if (run != NULL) run->again = run_judge_came_again(&walk->runs, fire);
    judge_state(walk, life, fire);
    if (run != NULL && run->number > 1) return; /* one more try of a run */
    if (run != NULL && run->again) {
        world->sometimes.count[SOMETIMES_REQUEUED]++;
        asked_fire_again(life, fire, run->id);
        return;
    }
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
    judge_due(walk, life, fire, due_ms);
    count_moments(walk, life, fire);
    if (live && fire->first_ms > life->wanted.grace_ms)
        world_violation(world, "late as if live: %s, %" PRId64 " ms", fire->name, fire->first_ms);
    judge_order(walk, fire, life, due_ms, live);
    if (!run_judge_is_mine(fire->name)) policy_judge_fire(world, walk->shard, life, fire);
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
    sent_read_whole(&walk->world->sent[result->partition][result->offset], command);
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

enum { GIVEN_UP_MOST = 20 }; /* events of a job in one transaction */

/* A job gives up what it failed to deliver range by range, and has few of them. */
static void judge_giving_up(struct walk *walk, struct life *life, size_t at)
{
    const struct step *step = walk->step_of[at];
    if (strcmp(walk->outputs[at].reason, "undeliverable") != 0) return;
    if (life->gave_up != step) life->gave_up_events = 0;
    life->gave_up = step;
    if (++life->gave_up_events == GIVEN_UP_MOST + 1)
        world_violation(walk->world, "given up: %s names what it gives up one by one",
                        life->name);
}

void walk_announcement(struct walk *walk, struct life *life, size_t at)
{
    const struct output *event = &walk->outputs[at];
    bool over = strcmp(event->reason, "already_due") == 0;
    bool held = strcmp(event->reason, "zone_data") == 0 && life->paused_ms != NEVER_MS;
    for (size_t i = 0; i < life->stretch_count && held; i++) /* what was owed before the pause? */
        held = !stretch_holds(life, &life->stretches[i], event->first_ms);
    bool off = over || held || strcmp(event->reason, "paused") == 0;
    if (over) life->over_ms = event->first_ms;
    if (strcmp(event->reason, "zone_data") == 0 && life->since_ms < event->last_ms)
        life->since_ms = event->last_ms; /* it is no slot to come */
    life_announce(life, &(struct announced){.first_ms = event->first_ms,
                                            .last_ms = event->last_ms,
                                            .count = event->count,
                                            .off_schedule = off});
    if (strcmp(event->word, "missed") == 0) {
        walk->world->sometimes.count[SOMETIMES_MISSED]++;
        judge_giving_up(walk, life, at);
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
    sent_read_whole(&walk->world->sent[result->partition][result->offset], command);
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
    for (size_t i = at + 1; i < walk->count && walk->step_of[i] == walk->step_of[at]; i++) {
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

/* For its failures: since when, its record says. */
static void walk_auto_pause(struct walk *walk, struct life *life, size_t at)
{
    const struct step *step = walk->step_of[at];
    int64_t paused_ms = walk->outputs[at].at_ms;
    for (size_t i = at; i-- > 0 && walk->step_of[i] == step;)
        if (walk->outputs[i].kind == OUTPUT_JOB && walk->outputs[i].from_ms > 0 &&
            strcmp(walk->outputs[i].name, life->name) == 0) {
            paused_ms = walk->outputs[i].from_ms;
            break;
        }
    if (paused_ms < walk->watermark_ms || paused_ms > step->mark.watermark_ms)
        world_violation(walk->world, "auto_paused: %s from %" PRId64 " on, time goes from %" PRId64
                        " to %" PRId64, life->name, paused_ms, walk->watermark_ms,
                        step->mark.watermark_ms);
    if (life->paused_ms == NEVER_MS) life_pause(life, paused_ms);
    life->until_ms = ALWAYS_MS;
    life->revision++;
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
    /* Of one that is imported again: its command comes later. */
    if (life != NULL && !life->there && life->import[0] != '\0') life = NULL;
    if (life != NULL && event->trigger[0] != '\0') {
        asked_event(world, life, event);
        return;
    }
    if (life != NULL) notices_event(world, life, event);
    if (life == NULL) {
        wait_for_result(walk, at);
    } else if (strcmp(event->reason, "zone_missing") == 0) {
        world->sometimes.count[SOMETIMES_ZONE_GIVEN_UP]++;
        life_leave_out(life, event->from_ms, event->to_ms);
    } else if (strcmp(event->word, "auto_paused") == 0) {
        walk_auto_pause(walk, life, at);
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

/* A finished job whose runs are followed is kept from the end of the last one on: when exactly that
 * was is not known to the step. */
static bool is_deleted_by_command(const struct walk *walk, size_t at, const struct life *life)
{
    size_t next = walk->next_result[at];
    if (next == walk->count) return false;
    if (walk->step_of[next] != walk->step_of[at] && !walk->step_of[at]->mark.in_command)
        return false;
    const struct output *result = &walk->outputs[next];
    struct sent_command *command = memory_allocate(1, sizeof *command);
    sent_read_whole(&walk->world->sent[result->partition][result->offset], command);
    bool deletes = command->op == SENT_DELETE && !command->dry_run && model_selects(command, life);
    free(command);
    return deletes;
}

/* An ended job that ends once more and goes with it: a command found it, if the last run may have
 * ended so late that it was still kept then. */
static bool is_ended_by_command(const struct walk *walk, size_t at, const struct life *life)
{
    bool again = false;
    for (size_t i = 0; i < walk->waiting_count; i++) {
        const struct output *event = &walk->outputs[walk->waiting[i]];
        again = again || (strcmp(event->word, "exhausted") == 0 &&
                          strcmp(event->life, life->id) == 0);
    }
    if (!again || life->finished_ms == NEVER_MS) return false;
    int64_t kept_from_ms = next_effective_ms(walk, at) - life->wanted.keep_ms;
    return run_judge_over_by_ms(&walk->runs, life->name, walk->step_of[at]->time_ms) >=
           kept_from_ms;
}

/* A finished job is not kept for ever; anything else is deleted by a command. */
static void walk_deletion(struct walk *walk, size_t at)
{
    struct life *life = model_find(&walk->model, walk->outputs[at].name);
    int64_t known_ms = next_effective_ms(walk, at);
    int64_t standing_ms = walk->step_of[at]->mark.watermark_ms + 1; /* just before its instant */
    if (standing_ms < known_ms) known_ms = standing_ms;
    int64_t from_ms = life == NULL ? NEVER_MS : life->finished_ms;
    bool mine = life != NULL && run_judge_is_mine(life->name);
    if (mine && from_ms != NEVER_MS) {
        int64_t over_ms = run_judge_over_ms(&walk->runs, life->name);
        if (over_ms > from_ms) from_ms = over_ms;
    }
    bool kept = from_ms == NEVER_MS || from_ms == ALWAYS_MS || life->wanted.keep_ms == ALWAYS_MS ||
                (life->wanted.keep_ms > 0 && from_ms + life->wanted.keep_ms > known_ms);
    bool asked = mine && is_deleted_by_command(walk, at, life);
    if (mine && !asked && run_judge_over_ms(&walk->runs, life->name) == ALWAYS_MS)
        world_violation(walk->world, "goes too soon: %s, a run of it is open", life->name);
    kept = kept || asked || (mine && is_ended_by_command(walk, at, life));
    if (kept) wait_for_result(walk, at);
    else life_end(life, life->finished_ms);
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
        if (walk->model.lives[i]->reckoned_count > 0)
            walk->world->sometimes.count[SOMETIMES_RECKONED]++;
}

static void walk_mark(struct walk *walk, const struct step *step)
{
    walk_zones(walk, step);
    run_judge_step(&walk->runs, step);
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

static void walk_marks(struct walk *walk, const struct step *from, const struct step *to)
{
    for (const struct step *step = from; step < to; step++)
        if (!step->gone) walk_mark(walk, step);
}

static void walk_outputs(struct walk *walk)
{
    struct world *world = walk->world;
    const struct step *steps = world->history.steps[walk->shard];
    for (size_t i = 0; i < walk->count && world->violation_count < VIOLATIONS_MAX; i++) {
        if (world->losses.forgot[walk->shard]) return;
        const struct output *output = &walk->outputs[i];
        walk_marks(walk, i > 0 ? walk->step_of[i - 1] : walk->step_of[i], walk->step_of[i]);
        if (output->run != 0 || (output->kind == OUTPUT_EVENT && world->settings.runs))
            run_judge_output(&walk->runs, output, model_find_life(&walk->model, output->life));
        switch (output->kind) {
        case OUTPUT_FIRE: walk_fire(walk, output, walk->step_of[i]); break;
        case OUTPUT_EVENT: walk_event(walk, i); break;
        case OUTPUT_RESULT: walk_result(walk, output, walk->step_of[i]); break;
        case OUTPUT_JOB_DELETED: walk_deletion(walk, i); break;
        case OUTPUT_SEEN_DELETED: walk_forgotten(walk, i); break;
        case OUTPUT_FORWARD: walk_forward(walk, output); break;
        case OUTPUT_DEAD: world->sometimes.count[SOMETIMES_DEAD_LETTER]++; break;
        case OUTPUT_JOB: walk_record(walk, output); break;
        case OUTPUT_SEEN: /* the judge of runs looks at the others: */
        case OUTPUT_RUN:
        case OUTPUT_CANCEL:
        case OUTPUT_RUN_LETTER: break;
        }
    }
    if (walk->count > 0)
        walk_marks(walk, walk->step_of[walk->count - 1],
                   steps + world->history.step_count[walk->shard]);
    walk_settle(walk);
}

static void end_runs(struct walk *walk)
{
    run_judge_end(&walk->runs);
    for (size_t i = 0; i < walk->model.count; i++) {
        struct life *life = walk->model.lives[i];
        if (!run_judge_is_mine(life->name)) continue;
        life->run_since_ms = run_judge_open_since_ms(&walk->runs, life->name);
        life->run_over_ms = run_judge_over_ms(&walk->runs, life->name);
        run_slots_judge(&walk->runs, life);
    }
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
    run_judge_open(&walk->runs, world, shard);
    walk->outputs = flatten(&world->history, shard, &walk->count, &walk->step_of);
    walk->next_result = memory_allocate(walk->count + 1, sizeof *walk->next_result);
    size_t next = walk->count;
    for (size_t i = walk->count; i-- > 0;) {
        if (walk->outputs[i].kind == OUTPUT_RESULT) next = i;
        walk->next_result[i] = next;
    }
    if (!world->losses.forgot[shard]) { /* else nobody knows what the jobs should be */
        walk_outputs(walk);
    }
    if (!world->losses.forgot[shard]) {
        end_runs(walk);
        account_judge(world, &walk->model, shard);
        rest_judge_model(world, &walk->model, shard);
    }
    free((void *)walk->step_of);
    free(walk->next_result);
    free((void *)walk->outputs);
    free(walk->remembered);
    run_judge_close(&walk->runs);
    model_close(&walk->model);
    free(walk);
}

void checker_judge(struct world *world)
{
    for (int32_t shard = 0; shard < world->settings.shards; shard++) marks_judge(world, shard);
    for (int32_t shard = 0; shard < world->settings.shards; shard++) walk_shard(world, shard);
    account_judge_commands(world);
    account_judge_ids(world);
}
