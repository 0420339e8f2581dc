#include "tests/simulation/judge/model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge/stretches.h"
#include "tests/simulation/world/zones.h"

#define DAY_MS INT64_C(86400000) /* the longest delay */

/* ---- lives ---- */

static uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text != '\0'; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

void model_open(struct model *model, int32_t shard, int32_t shards)
{
    *model = (struct model){.shard = shard, .shards = shards, .table_size = 1024};
    model->table = memory_allocate(model->table_size, sizeof *model->table);
}

void model_close(struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        free(model->lives[i]->stretches);
        free(model->lives[i]->announced);
        free(model->lives[i]->fired);
        free(model->lives[i]->failures);
        free(model->lives[i]->stands_for);
        asked_free(&model->lives[i]->asked);
        notices_free(&model->lives[i]->notices);
        free(model->lives[i]->reckoned);
        free(model->lives[i]);
    }
    free(model->lives);
    free(model->table);
}

static void table_put(struct model *model, size_t index)
{
    size_t at = hash_text(model->lives[index]->id) % model->table_size;
    while (model->table[at] != 0) at = (at + 1) % model->table_size;
    model->table[at] = index + 1;
}

static struct life *add_life(struct model *model)
{
    if (model->count * 2 >= model->table_size) {
        free(model->table);
        model->table_size *= 4;
        model->table = memory_allocate(model->table_size, sizeof *model->table);
        for (size_t i = 0; i < model->count; i++) table_put(model, i);
    }
    model->lives = memory_grow(model->lives, &model->capacity, model->count + 1,
                               sizeof *model->lives);
    struct life *life = memory_allocate(1, sizeof *life);
    model->lives[model->count++] = life;
    return life;
}

struct life *model_find_life(const struct model *model, const char *id)
{
    size_t at = hash_text(id) % model->table_size;
    size_t newest = 0;
    for (; model->table[at] != 0; at = (at + 1) % model->table_size)
        if (model->table[at] > newest && strcmp(model->lives[model->table[at] - 1]->id, id) == 0)
            newest = model->table[at];
    return newest == 0 ? NULL : model->lives[newest - 1];
}

struct life *model_find(const struct model *model, const char *name)
{
    for (size_t i = model->count; i-- > 0;)
        if (model->lives[i]->there && strcmp(model->lives[i]->name, name) == 0)
            return model->lives[i];
    return NULL;
}

/* ---- what time does to a life ---- */

bool life_has_slot_after(const struct life *life, int64_t after_ms)
{
    return stretches_to_come(life, after_ms);
}

static bool used_up(const struct life *life)
{
    return life->wanted.max_fires > 0 && life->counted >= life->wanted.max_fires;
}

bool life_is_over(const struct life *life, int64_t at_ms)
{
    return used_up(life) || !life_has_slot_after(life, at_ms);
}

void life_finish(struct life *life, int64_t at_ms)
{
    life->finished_ms = at_ms;
    life->ended_by_count = used_up(life);
    stretches_finish(life, life->ended_by_count);
}

void life_pause(struct life *life, int64_t at_ms)
{
    stretches_pause(life, at_ms);
    life->paused_ms = at_ms;
}

void life_resume(struct life *life, int64_t at_ms, int64_t from_ms)
{
    assert(life->paused_ms != NEVER_MS);
    life->touched_ms = at_ms;
    notices_resumed(&life->notices, life->paused_ms, from_ms);
    life->paused_ms = NEVER_MS;
    life->until_ms = ALWAYS_MS;
    life->revision++;
    life->streak = (struct streak){0};
    stretches_resume(life, from_ms);
}

void life_end(struct life *life, int64_t at_ms)
{
    stretches_end(life, at_ms);
    life->there = false;
    for (size_t i = 0; i < life->asked.backfill_count; i++) life->asked.backfills[i].over = true;
}

void life_add_fired(struct life *life, int64_t nominal_ms, int64_t time_ms)
{
    life->fired = memory_grow(life->fired, &life->fired_capacity, life->fired_count + 1,
                              sizeof *life->fired);
    life->fired[life->fired_count++] = (struct fired){nominal_ms, time_ms};
    if (life->wanted.max_fires > 0) life->counted++;
    if (nominal_ms > life->last_nominal_ms) life->last_nominal_ms = nominal_ms;
}

void life_announce(struct life *life, const struct announced *announced)
{
    life->announced = memory_grow(life->announced, &life->announced_capacity,
                                  life->announced_count + 1, sizeof *life->announced);
    life->announced[life->announced_count++] = *announced;
}

bool life_is_zoneless(const struct life *life)
{
    return life->lacking && zones_may_leave(life->wanted.schedule.zone);
}

void life_leave_out(struct life *life, int64_t from_ms, int64_t to_ms)
{
    life->left_out = true;
    life_announce(life, &(struct announced){.first_ms = from_ms + 1 - DAY_MS, .last_ms = to_ms});
}

void life_failed(struct life *life, const struct failure *failure)
{
    life->failures = memory_grow(life->failures, &life->failure_capacity, life->failure_count + 1,
                                 sizeof *life->failures);
    life->failures[life->failure_count++] = *failure;
}

void life_fires_again(struct life *life, int64_t at_ms)
{
    for (size_t i = 0; i < life->failure_count; i++)
        if (life->failures[i].to_ms == ALWAYS_MS) life->failures[i].to_ms = at_ms;
}

bool life_waits_for_run(const struct life *life, int64_t nominal_ms)
{
    return life->run_since_ms != NEVER_MS &&
           nominal_ms + life->wanted.schedule.jitter_ms >= life->run_since_ms;
}

/* ---- one job of add and put ---- */

/* Of a job that is there the slots due after effective_ms count. */
static bool fires_ever(const struct wanted *wanted, const struct life *life, int64_t effective_ms)
{
    int64_t next_ms = 0;
    if (wanted->schedule.kind == SLOW_AT && wanted->schedule.at_ms <= effective_ms) return true;
    if (life != NULL)
        return wanted_due_after(wanted, life->id, NEVER_MS, effective_ms, &next_ms);
    struct wanted plain = *wanted;
    plain.schedule.jitter_ms = 0;
    return wanted_due_after(&plain, "", NEVER_MS, effective_ms, &next_ms);
}

static void name_of(const struct wanted *wanted, char name[HISTORY_NAME_BYTES])
{
    (void)snprintf(name, HISTORY_NAME_BYTES, "%s/%s", wanted->group, wanted->id);
}

static struct wanted anchored(const struct wanted *wanted, int64_t effective_ms)
{
    struct wanted copy = *wanted;
    if (copy.schedule.kind == SLOW_EVERY && !copy.anchor_given)
        copy.schedule.anchor_ms = effective_ms;
    return copy;
}

static void add_job(struct model *model, const struct wanted *wanted, int64_t effective_ms,
                    int32_t partition, int64_t offset, int index)
{
    struct life *life = add_life(model);
    life->wanted = anchored(wanted, effective_ms);
    name_of(wanted, life->name);
    char place[HISTORY_LIFE_BYTES];
    (void)snprintf(place, sizeof place, "%lld-%d.%lld.%d", (long long)effective_ms,
                   (int)partition, (long long)offset, index);
    bool imported = wanted->incarnation[0] != '\0';
    memcpy(life->id, imported ? wanted->incarnation : place, sizeof life->id);
    if (imported) memcpy(life->import, place, sizeof life->import);
    table_put(model, model->count - 1);
    life->there = true;
    life->touched_ms = effective_ms;
    life->revision = 1;
    life->paused_ms = wanted->paused ? effective_ms : NEVER_MS;
    life->until_ms = ALWAYS_MS;
    life->edited_ms = NEVER_MS;
    life->finished_ms = NEVER_MS;
    life->last_nominal_ms = NEVER_MS;
    life->over_ms = NEVER_MS;
    life->run_since_ms = NEVER_MS;
    life->run_over_ms = NEVER_MS;
    life->lacking = model->version >= VERSION_LACKS;
    /* What came due before an import may have been fired in the life it goes on with. */
    bool over = wanted->schedule.kind == SLOW_AT && wanted->schedule.at_ms <= effective_ms;
    if (imported && over) life->over_ms = wanted->schedule.at_ms;
    stretches_begin(life, effective_ms);
}

static bool same_wanted(const struct wanted *a, const struct wanted *b)
{
    return slow_same(&a->schedule, &b->schedule) && strcmp(a->cron, b->cron) == 0 &&
           strcmp(a->zone, b->zone) == 0 && strcmp(a->dst, b->dst) == 0 &&
           strcmp(a->super_group, b->super_group) == 0 && strcmp(a->payload, b->payload) == 0 &&
           strcmp(a->topic, b->topic) == 0 && a->policy == b->policy &&
           a->window_ms == b->window_ms && a->limit == b->limit && a->grace_ms == b->grace_ms &&
           a->start_ms == b->start_ms && a->end_ms == b->end_ms &&
           a->max_fires == b->max_fires && a->keep_ms == b->keep_ms &&
           wanted_runs_same(&a->runs, &b->runs);
}

static struct wanted put_over(const struct life *life, const struct wanted *wanted,
                              int64_t effective_ms)
{
    struct wanted merged = anchored(wanted, effective_ms);
    const struct slow_schedule *present = &life->wanted.schedule;
    bool same_every = present->kind == SLOW_EVERY && merged.schedule.kind == SLOW_EVERY &&
                      present->every_ms == merged.schedule.every_ms;
    if (same_every && !wanted->anchor_given) merged.schedule.anchor_ms = present->anchor_ms;
    return merged;
}

/* Set aside as a whole: its schedule or that of a backfill is in the zone that the owner lacks. */
static bool set_aside(const struct life *life)
{
    if (life_is_zoneless(life)) return true;
    const struct asked *asked = &life->asked;
    for (size_t i = 0; life->lacking && i < asked->backfill_count; i++)
        if (!asked->backfills[i].over && zones_may_leave(asked->backfills[i].schedule.zone))
            return true;
    return false;
}

/* Whether an ended job with its schedule runs again: there is a slot to come. Where its owner lacks
 * a zone, nobody knows, so more fires or other bounds are enough, until the zone is back. */
static bool revives(const struct life *life, bool may_run, int64_t effective_ms)
{
    if (used_up(life)) return false;
    if (set_aside(life)) return may_run && life->wanted.end_ms > effective_ms + 1;
    return life_has_slot_after(life, effective_ms);
}

static void update_job(struct life *life, const struct wanted *wanted, int64_t effective_ms)
{
    bool rescheduled = !slow_same(&wanted->schedule, &life->wanted.schedule);
    bool rebounded = wanted->start_ms != life->wanted.start_ms ||
                     wanted->end_ms != life->wanted.end_ms;
    bool was_finished = life->finished_ms != NEVER_MS;
    bool may_run = rebounded || used_up(life);
    if (wanted->runs.pause_after != life->wanted.runs.pause_after)
        life->streak = (struct streak){0};
    if (rescheduled) stretches_edit(life, wanted, effective_ms);
    else if (rebounded) stretches_rebound(life, wanted, effective_ms);
    life->wanted = *wanted;
    life->touched_ms = effective_ms;
    life->revision++;
    if (rescheduled) {
        life->edited_ms = effective_ms;
        life->finished_ms = NEVER_MS;
        stretches_begin(life, effective_ms);
        return;
    }
    bool revived = was_finished && revives(life, may_run, effective_ms);
    if (!revived && !(rebounded && life->paused_ms == NEVER_MS && !was_finished)) return;
    life->finished_ms = NEVER_MS;
    if (life->paused_ms == NEVER_MS) stretches_revive(life, effective_ms);
}

/* ---- answers ---- */

struct errors {
    int64_t count;
    int64_t rejected;
};

static struct expected_answer conclude(int64_t matched, int64_t changed,
                                       const struct errors *errors)
{
    struct expected_answer answer = {"applied", matched, changed};
    if (errors->count == 0) answer.outcome = changed > 0 ? "applied" : "unchanged";
    else if (changed > 0) answer.outcome = "partial";
    else answer.outcome = errors->rejected > 0 ? "rejected" : "conflict";
    return answer;
}

static bool good_job(const struct model *model, const struct sent_command *command, int i,
                     int64_t effective_ms, struct errors *errors)
{
    const struct wanted *wanted = &command->jobs[i];
    char name[HISTORY_NAME_BYTES];
    if (wanted->bad) {
        errors->count++;
        errors->rejected++;
        return false;
    }
    name_of(wanted, name);
    const struct life *life = model_find(model, name);
    bool other = life != NULL && wanted->incarnation[0] != '\0' &&
                 strcmp(wanted->incarnation, life->id) != 0;
    if ((command->op == SENT_ADD && life != NULL) || other) {
        errors->count++;
        return false;
    }
    struct wanted merged = life != NULL ? put_over(life, wanted, effective_ms)
                                        : anchored(wanted, effective_ms);
    if (life != NULL && same_wanted(&life->wanted, &merged)) return true;
    if (fires_ever(&merged, life, effective_ms)) return true;
    errors->count++;
    errors->rejected++;
    return false;
}

static struct expected_answer apply_jobs(struct model *model, const struct sent_command *command,
                                         int64_t effective_ms, int32_t partition, int64_t offset)
{
    struct errors errors = {0};
    bool good[COMMAND_JOBS_MOST] = {false};
    int64_t matched = 0;
    int64_t changed = 0;
    for (int i = 0; i < command->job_count; i++) {
        if (slow_shard_of(command->jobs[i].group, model->shards) != model->shard) continue;
        matched++;
        good[i] = good_job(model, command, i, effective_ms, &errors);
    }
    for (int i = 0; i < command->job_count; i++) {
        if (!good[i] || (errors.count > 0 && !command->each)) continue;
        char name[HISTORY_NAME_BYTES];
        name_of(&command->jobs[i], name);
        struct life *life = model_find(model, name);
        if (life == NULL && command->dry_run) {
            changed++;
            continue;
        }
        if (life == NULL) {
            add_job(model, &command->jobs[i], effective_ms, partition, offset, i);
            changed++;
            continue;
        }
        struct wanted merged = put_over(life, &command->jobs[i], effective_ms);
        if (same_wanted(&life->wanted, &merged)) continue;
        if (!command->dry_run) update_job(life, &merged, effective_ms);
        changed++;
    }
    return conclude(matched, changed, &errors);
}

/* ---- commands with a selector ---- */

static bool listed(const char names[][12], int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return true;
    return count == 0;
}

bool model_selects(const struct sent_command *command, const struct life *life)
{
    bool paused = life->paused_ms != NEVER_MS;
    return life->there && (command->paused < 0 || (command->paused != 0) == paused) &&
           listed(command->groups, command->group_count, life->wanted.group) &&
           listed(command->ids, command->id_count, life->wanted.id) &&
           listed(command->super_groups, command->super_group_count, life->wanted.super_group);
}

static struct wanted merged(const struct life *life, const struct sent_command *command,
                            int64_t effective_ms)
{
    const struct wanted *set = &command->set;
    struct wanted result = life->wanted;
    if (set->given & SET_PAYLOAD) memcpy(result.payload, set->payload, sizeof result.payload);
    if (set->given & SET_MAX_FIRES) result.max_fires = set->max_fires;
    if (set->given & SET_POLICY) result.policy = set->policy;
    if (set->given & SET_SUPER_GROUP)
        memcpy(result.super_group, set->super_group, sizeof result.super_group);
    if (set->given & SET_JITTER) result.schedule.jitter_ms = set->schedule.jitter_ms;
    wanted_runs_merge(&result.runs, &set->runs);
    if ((set->given & SET_SCHEDULE) == 0) return result;
    bool same_every = result.schedule.kind == SLOW_EVERY && set->schedule.kind == SLOW_EVERY &&
                      result.schedule.every_ms == set->schedule.every_ms;
    int64_t anchor_ms = result.schedule.anchor_ms;
    int64_t jitter_ms = result.schedule.jitter_ms;
    result.schedule = set->schedule;
    result.schedule.jitter_ms = jitter_ms;
    result.fixed = set->fixed;
    memcpy(result.cron, set->cron, sizeof result.cron);
    memcpy(result.zone, set->zone, sizeof result.zone);
    memcpy(result.place, set->place, sizeof result.place);
    memcpy(result.dst, set->dst, sizeof result.dst);
    if (set->schedule.kind == SLOW_EVERY && !set->anchor_given)
        result.schedule.anchor_ms = same_every ? anchor_ms : effective_ms;
    return result;
}

static bool can_change(const struct life *life, const struct sent_command *command,
                       int64_t effective_ms, struct errors *errors)
{
    bool refused = command->expected_revision >= 0 && command->expected_revision != life->revision;
    bool rejected = false;
    if (!refused && command->op == SENT_PAUSE)
        refused = rejected = command->until_ms <= effective_ms;
    if (!refused && command->op == SENT_UPDATE) {
        struct wanted result = merged(life, command, effective_ms);
        bool rescheduled = (command->set.given & SET_SCHEDULE) != 0;
        refused = rejected = (rescheduled && !fires_ever(&result, life, effective_ms)) ||
                             !wanted_runs_fit(&result.runs);
    }
    if (!refused && command->op == SENT_RESUME && life->paused_ms != NEVER_MS &&
        command->from_ms != NEVER_MS)
        refused = command->from_ms > effective_ms || command->from_ms < life->paused_ms;
    if (!refused && command->op == SENT_TRIGGER) refused = life->meets_run && !command->beside;
    if (!refused && command->op == SENT_BACKFILL) {
        enum asked_refusal refusal = asked_check(life, command, effective_ms);
        refused = refusal != ASKED_WELL;
        rejected = refusal == ASKED_REJECTED;
    }
    if (!refused && command->op == SENT_REQUEUE) refused = life->again == AGAIN_CONFLICT;
    errors->count += refused;
    errors->rejected += rejected;
    return !refused;
}

static bool pause_job(struct life *life, const struct sent_command *command, int64_t effective_ms)
{
    bool paused = life->paused_ms != NEVER_MS;
    if (life->finished_ms != NEVER_MS || (paused && life->until_ms == command->until_ms))
        return false;
    if (command->dry_run) return true;
    if (!paused) {
        life_pause(life, effective_ms);
        life->touched_ms = effective_ms;
    }
    life->until_ms = command->until_ms;
    life->revision++;
    return true;
}

static bool resume_job(struct life *life, const struct sent_command *command,
                       int64_t effective_ms)
{
    if (life->paused_ms == NEVER_MS) return false;
    if (command->dry_run) return true;
    life->overslept = life->overslept || life->until_ms < effective_ms;
    int64_t from_ms = effective_ms;
    if (command->from_paused) from_ms = life->paused_ms;
    else if (command->from_ms != NEVER_MS) from_ms = command->from_ms;
    if (life->edited_ms != NEVER_MS && from_ms < life->edited_ms) from_ms = life->edited_ms;
    life_resume(life, effective_ms, from_ms);
    return true;
}

static bool change(struct life *life, const struct sent_command *command, int64_t effective_ms)
{
    switch (command->op) {
    case SENT_UPDATE: {
        struct wanted result = merged(life, command, effective_ms);
        if (same_wanted(&life->wanted, &result)) return false;
        if (!command->dry_run) update_job(life, &result, effective_ms);
        return true;
    }
    case SENT_PAUSE: return pause_job(life, command, effective_ms);
    case SENT_RESUME: return resume_job(life, command, effective_ms);
    case SENT_DELETE:
        if (!command->dry_run) life_end(life, effective_ms);
        return true;
    case SENT_BACKFILL: return asked_open(life, command, effective_ms, command->dry_run);
    case SENT_CANCEL: return life->stops_runs;
    case SENT_REQUEUE:
        if (!command->dry_run && life->again == AGAIN_ANEW)
            asked_again(life, command->run, effective_ms);
        return life->again != AGAIN_DUE;
    case SENT_CANCEL_BACKFILL:
        return asked_cancel(life, command, effective_ms, command->dry_run);
    default:
        if (!command->dry_run) asked_trigger(life, command->own_id, effective_ms);
        return true;
    }
}

static struct expected_answer apply_select(struct model *model, const struct sent_command *command,
                                           int64_t effective_ms)
{
    struct errors errors = {0};
    int64_t matched = 0;
    int64_t changed = 0;
    size_t count = model->count;
    bool *chosen = memory_allocate(count + 1, sizeof *chosen);
    for (size_t i = 0; i < count; i++) {
        chosen[i] = model_selects(command, model->lives[i]);
        matched += chosen[i];
    }
    bool off = command->expect >= 0 && command->expect != matched;
    bool stop = off && !command->each;
    errors.count += off;
    bool nobody = matched == 0 && command->group_count > 0 && command->id_count > 0;
    struct errors before = errors;
    for (size_t i = 0; i < count && !stop && !nobody; i++)
        if (chosen[i]) (void)can_change(model->lives[i], command, effective_ms, &errors);
    if (errors.count > before.count && !command->each) stop = true;
    for (size_t i = 0; i < count && !stop && !nobody; i++) {
        struct errors again = {0};
        if (!chosen[i] || !can_change(model->lives[i], command, effective_ms, &again)) continue;
        changed += change(model->lives[i], command, effective_ms);
    }
    free(chosen);
    if (nobody && !stop) return (struct expected_answer){"conflict", matched, 0};
    return conclude(matched, changed, &errors);
}

struct expected_answer model_apply(struct model *model, const struct sent_command *command,
                                   int64_t effective_ms, int32_t partition, int64_t offset)
{
    if (command->op == SENT_UNREADABLE) return (struct expected_answer){"rejected", 0, 0};
    if (effective_ms > command->not_after_ms) return (struct expected_answer){"expired", 0, 0};
    if (command->op == SENT_PING) return (struct expected_answer){"applied", 0, 0};
    if (command->op == SENT_ADD || command->op == SENT_PUT)
        return apply_jobs(model, command, effective_ms, partition, offset);
    return apply_select(model, command, effective_ms);
}

/* ---- zones ---- */

static void resolve(const struct model *model, struct wanted *wanted)
{
    struct slow_schedule *schedule = &wanted->schedule;
    if (schedule->kind != SLOW_CRON || wanted->place[0] == '\0') return;
    schedule->zone = zones_slow(model->zones, wanted->place, model->version);
    schedule->once = wanted->fixed && schedule->zone != NULL && schedule->zone->count > 1;
}

void model_resolve(const struct model *model, struct sent_command *command)
{
    for (int i = 0; i < command->job_count; i++) resolve(model, &command->jobs[i]);
    resolve(model, &command->set);
}

void model_change_zones(struct model *model, int version, int64_t watermark_ms, int64_t ordinal)
{
    model->version = version;
    for (size_t i = 0; i < model->count; i++) {
        struct life *life = model->lives[i];
        life->lacking = version >= VERSION_LACKS;
        if (!life->there) continue;
        bool done = ordinal == INT64_MAX || (life->ordinal > 0 && life->ordinal <= ordinal);
        stretches_change_zones(life, model->zones, version, done ? watermark_ms
                                                                 : watermark_ms - 1);
        asked_change_zones(life);
    }
}
