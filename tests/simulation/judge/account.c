#include "tests/simulation/judge/account.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/time/instant.h"
#include "tests/simulation/judge/stretches.h"

#define MOMENT_MS INT64_C(60000) /* a transaction takes no longer, when all is calm */

static int by_nominal(const void *left, const void *right)
{
    const struct fired *a = left;
    const struct fired *b = right;
    return (a->nominal_ms > b->nominal_ms) - (a->nominal_ms < b->nominal_ms);
}

static bool is_announced(const struct life *life, int64_t nominal_ms)
{
    for (size_t i = 0; i < life->announced_count; i++)
        if (!life->announced[i].off_schedule && life->announced[i].first_ms <= nominal_ms &&
            nominal_ms <= life->announced[i].last_ms)
            return true;
    return false;
}

static void complain(struct world *world, const struct life *life, int64_t at_ms,
                     const char *what)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(at_ms, text);
    world_violation(world, "%s: %s (%s) at %s", what, life->name, life->id, text);
}

struct tally {
    size_t used;    /* fires that have found their slot */
    int64_t unfired;
    bool *found;
};

static void mark_fired(const struct life *life, int64_t nominal_ms, struct tally *tally,
                       bool *fired)
{
    struct fired key = {nominal_ms, 0};
    const struct fired *at = NULL;
    if (life->fired_count > 0)
        at = bsearch(&key, life->fired, life->fired_count, sizeof *life->fired, by_nominal);
    *fired = at != NULL;
    if (at == NULL || tally->found[at - life->fired]) return;
    tally->found[at - life->fired] = true;
    tally->used++;
}

static void walk_stretch(struct world *world, const struct life *life,
                         const struct stretch_of_time *stretch, int64_t watermark_ms,
                         struct tally *tally)
{
    int64_t at_ms = NEVER_MS;
    if (stretch->named) watermark_ms = ALWAYS_MS; /* the event does not wait for the delay */
    while (stretch_next(life, stretch, at_ms, watermark_ms, &at_ms)) {
        bool fired = false;
        mark_fired(life, at_ms, tally, &fired);
        if (fired) continue;
        tally->unfired++;
        if (!is_announced(life, at_ms) && !stretches_reckoned(life, at_ms) &&
            !life_waits_for_run(life, at_ms))
            complain(world, life, at_ms, "lost: a slot neither fired nor named");
    }
    if (stretch->named) return;
    /* Of the instant under way some may be out: a mark stands before it until all of them are. */
    bool fired = false;
    while (stretch_next(life, stretch, at_ms, watermark_ms + 1, &at_ms))
        mark_fired(life, at_ms, tally, &fired);
}

/* At the latest, if it has ended and no run of it is open. */
static int64_t kept_until_ms(const struct life *life)
{
    int64_t from_ms = life->finished_ms > life->run_over_ms ? life->finished_ms
                                                            : life->run_over_ms + MOMENT_MS;
    return life->wanted.keep_ms == ALWAYS_MS ? ALWAYS_MS
                                             : from_ms + life->wanted.keep_ms + MOMENT_MS;
}

static void judge_life(struct world *world, struct life *life, int64_t watermark_ms)
{
    struct tally tally = {.found = memory_allocate(life->fired_count + 1, sizeof(bool))};
    if (life->fired_count > 0)
        qsort(life->fired, life->fired_count, sizeof *life->fired, by_nominal);
    for (size_t i = 1; i < life->fired_count; i++)
        if (life->fired[i].nominal_ms == life->fired[i - 1].nominal_ms)
            complain(world, life, life->fired[i].nominal_ms, "doubled: a fire id twice");
    for (size_t i = 0; i < life->stretch_count; i++)
        walk_stretch(world, life, &life->stretches[i], watermark_ms, &tally);
    int64_t named = 0;
    for (size_t i = 0; i < life->announced_count; i++)
        if (!life->announced[i].off_schedule) named += life->announced[i].count;
    for (size_t i = 0; i < life->fired_count; i++)
        if (!tally.found[i] && !stretches_reckoned_fire(life, life->fired[i].nominal_ms) &&
            (i == 0 || life->fired[i].nominal_ms != life->fired[i - 1].nominal_ms))
            complain(world, life, life->fired[i].nominal_ms, "of no slot: a fire");
    bool fits = life->run_since_ms != NEVER_MS ? named <= tally.unfired : named == tally.unfired;
    if (!fits && !life->ended_by_count && life->reckoned_count == 0 &&
        !life->left_out)
        world_violation(world, "count: %s (%s): %" PRId64 " slots did not fire, %" PRId64
                        " are named by events", life->name, life->id, tally.unfired, named);
    free(tally.found);
    bool over = life->there && life->paused_ms == NEVER_MS && life->finished_ms == NEVER_MS &&
                !life_has_slot_after(life, watermark_ms);
    if (over) complain(world, life, watermark_ms, "no end: a job without a slot to come");
    bool early = life->finished_ms != NEVER_MS && life->there && !life->ended_by_count &&
                 !life->ended_by_rules &&
                 life_has_slot_after(life, watermark_ms);
    if (early) complain(world, life, life->finished_ms, "ended: a job with slots to come");
    bool stays = life->there && life->finished_ms != NEVER_MS &&
                 life->run_since_ms == NEVER_MS && kept_until_ms(life) < watermark_ms;
    if (stays) complain(world, life, life->finished_ms, "stays: a finished job behind its time");
    if (life->overslept) complain(world, life, watermark_ms, "overslept: a pause without an end");
    asked_judge(world, life);
    notices_judge(world, life);
}

void account_judge(struct world *world, const struct model *model, int32_t shard)
{
    const struct history *history = &world->history;
    if (history->step_count[shard] == 0) return;
    const struct step *last = &history->steps[shard][history->step_count[shard] - 1];
    for (size_t i = 0; i < model->count; i++)
        judge_life(world, model->lives[i], last->mark.watermark_ms);
}

/* ---- ids ---- */

static int by_id(const void *left, const void *right)
{
    const struct output *a = *(const struct output *const *)left;
    const struct output *b = *(const struct output *const *)right;
    int order = strcmp(a->life, b->life);
    if (order == 0) order = strcmp(a->trigger, b->trigger);
    return order != 0 ? order : (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
}

static size_t list_fires(const struct world *world, const struct output **fires)
{
    const struct history *history = &world->history;
    size_t count = 0;
    for (int32_t shard = 0; shard < world->settings.shards; shard++)
        for (size_t i = 0; i < history->step_count[shard] && !world->losses.forgot[shard]; i++) {
            const struct step *step = &history->steps[shard][i];
            for (size_t j = step->first; j < step->first + step->count && !step->gone; j++) {
                const struct output *output = &history->outputs[j];
                const struct run_said *run = history_run(history, output);
                if (output->kind == OUTPUT_FIRE && output->trigger[0] != 't' &&
                    (run == NULL || (run->number == 1 && !run->again)))
                    fires[count++] = output;
            }
        }
    return count;
}

void account_judge_ids(struct world *world)
{
    const struct output **fires =
        memory_allocate(world->history.output_count + 1, sizeof(struct output *));
    size_t count = list_fires(world, fires);
    qsort((void *)fires, count, sizeof(struct output *), by_id);
    for (size_t i = 1; i < count; i++) {
        bool again = i > 1 && by_id(&fires[i - 2], &fires[i]) == 0;
        if (!again && by_id(&fires[i - 1], &fires[i]) == 0)
            world_violation(world, "id twice: %s fires %s@%s:%" PRId64 " again", fires[i]->name,
                            fires[i]->life, fires[i]->trigger, fires[i]->at_ms);
    }
    free((void *)fires);
}

/* ---- commands ---- */

struct answers {
    uint32_t results;  /* bit s: shard s has answered */
    uint32_t forwards;
    uint32_t rejected; /* shard s has answered so */
    uint32_t duplicate;
    uint32_t dead;     /* shard s has copied it to the dead letters */
    uint32_t again;    /* forwarded to shard s by a step that Kafka lost: it may come twice */
};

static void note(struct world *world, uint32_t *bits, int32_t shard, uint32_t again,
                 const char *what, int32_t partition, int64_t offset)
{
    if ((*bits & ~again) >> shard & 1)
        world_violation(world, "twice: %s of command %d/%" PRId64 " by or to shard %d", what,
                        (int)partition, offset, (int)shard);
    *bits |= UINT32_C(1) << shard;
}

/* What steps forwarded that Kafka lost: the forwards are still there. */
static void gather_lost(struct world *world, struct answers **answers)
{
    const struct history *history = &world->history;
    for (int32_t shard = 0; shard < world->settings.shards; shard++)
        for (size_t i = 0; i < history->step_count[shard]; i++) {
            const struct step *step = &history->steps[shard][i];
            for (size_t j = step->first; j < step->first + step->count && step->gone; j++) {
                const struct output *output = &history->outputs[j];
                if (output->kind == OUTPUT_FORWARD)
                    answers[output->partition][output->offset].again |= UINT32_C(1)
                                                                        << output->target;
            }
        }
}

static void gather(struct world *world, struct answers **answers)
{
    const struct history *history = &world->history;
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        for (size_t i = 0; i < history->step_count[shard]; i++) {
            const struct step *step = &history->steps[shard][i];
            for (size_t j = step->first; j < step->first + step->count; j++) {
                const struct output *output = &history->outputs[j];
                bool named = output->partition >= 0 &&
                             output->partition < world->settings.shards && output->offset >= 0 &&
                             output->offset < (int64_t)world->sent_count[output->partition];
                if (!named) continue;
                struct answers *own = &answers[output->partition][output->offset];
                if (step->gone) continue;
                if (output->kind == OUTPUT_RESULT)
                    note(world, &own->results, shard, own->again, "result", output->partition,
                         output->offset);
                if (output->kind == OUTPUT_FORWARD)
                    note(world, &own->forwards, output->target, 0, "forward", output->partition,
                         output->offset);
                if (output->kind == OUTPUT_RESULT && strcmp(output->word, "rejected") == 0)
                    own->rejected |= UINT32_C(1) << shard;
                if (output->kind == OUTPUT_RESULT && strcmp(output->word, "duplicate") == 0)
                    own->duplicate |= UINT32_C(1) << shard;
                if (output->kind == OUTPUT_DEAD)
                    note(world, &own->dead, shard, own->again, "dead letter", output->partition,
                         output->offset);
            }
        }
    }
}

static void judge_command(struct world *world, int32_t shard, size_t offset,
                          const struct answers *own)
{
    struct sent_command *command = memory_allocate(1, sizeof *command);
    sent_read_whole(&world->sent[shard][offset], command);
    uint32_t concerned = sent_shards(command, shard, world->settings.shards);
    uint32_t here = UINT32_C(1) << shard;
    bool refusing = world->cluster.own_limited || world->ever_strict;
    uint32_t wanted = concerned;
    if (refusing && ((own->rejected | own->duplicate) & here) != 0 && own->forwards == 0) {
        wanted = here; /* refused where it was sent, for what that shard was then */
        concerned = here | (concerned & own->again); /* but Kafka lost a step that forwarded it */
    }
    if (own->results != concerned)
        world_violation(world, "results: command %d/%zu was answered by %x instead of %x: %.200s",
                        (int)shard, offset, own->results, concerned,
                        world->sent[shard][offset].text);
    if (own->forwards != (wanted & ~here))
        world_violation(world, "forwards: command %d/%zu went to %x instead of %x", (int)shard,
                        offset, own->forwards, wanted & ~here);
    if (own->dead != own->rejected)
        world_violation(world, "dead letters: command %d/%zu was rejected by %x, buried by %x",
                        (int)shard, offset, own->rejected, own->dead);
    free(command);
}

void account_judge_commands(struct world *world)
{
    struct answers *answers[SIM_SHARDS_MAX] = {NULL};
    int32_t shards = world->settings.shards;
    for (int32_t shard = 0; shard < shards; shard++)
        answers[shard] = memory_allocate(world->sent_count[shard] + 1, sizeof *answers[shard]);
    gather_lost(world, answers);
    gather(world, answers);
    for (int32_t shard = 0; shard < shards; shard++) {
        for (size_t i = 0; i < world->sent_count[shard]; i++)
            judge_command(world, shard, i, &answers[shard][i]);
        free(answers[shard]);
    }
}
