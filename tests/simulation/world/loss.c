#include "tests/simulation/world/loss.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/memory.h"
#include "schemas/mark_json.h"
#include "tests/simulation/world/json_scan.h"
#include "tests/simulation/world/world.h"

/* ---- losing ---- */

static bool is_mark(const struct record *record)
{
    return !record->marker && !record->aborted && text_equal(record->key, text_of("mark"));
}

/* Where the log is cut: between two transactions, behind what was flushed. */
static size_t cut_at(const struct log *log, int64_t from_ms)
{
    size_t at = log->count;
    while (at > 0 && log->records[at - 1]->time_ms >= from_ms &&
           log->records[at - 1]->offset >= log->synced_offset)
        at--;
    bool flushed = at < log->count && log->records[at]->offset == log->synced_offset;
    while (at > 0 && at < log->count && !flushed && !log->records[at - 1]->marker) at++;
    return at;
}

/* As who reads committed records sees it. */
static int64_t last_sequence(const struct log *log)
{
    int64_t stable = log_stable_offset(log);
    for (size_t i = log->count; i-- > 0;)
        if (log->records[i]->offset < stable && is_mark(log->records[i]))
            return scan_number(log->records[i]->value, "\"sequence\":", -1);
    return 0;
}

static void remember(struct world *world, int32_t shard)
{
    struct losses *losses = &world->losses;
    const struct history *history = &world->history;
    if (losses->count == LOSSES_MAX) return;
    struct loss *loss = &losses->list[losses->count++];
    *loss = (struct loss){.shard = shard,
                          .kept_sequence = last_sequence(&world->cluster.state[shard]),
                          .end_step = history->step_count[shard]};
    loss->first_step = loss->end_step;
    for (size_t i = loss->end_step; i-- > 0;) {
        const struct step *step = &history->steps[shard][i];
        if (step->gone) continue;
        if (step->mark.sequence <= loss->kept_sequence) break;
        loss->first_step = i;
    }
}

void loss_happens(struct world *world, int32_t shard, int64_t ms)
{
    struct cluster *cluster = &world->cluster;
    struct log *log = &cluster->state[shard];
    size_t at = cut_at(log, world_now_ms(world) - ms);
    if (at == log->count || world->losses.count == LOSSES_MAX) return;
    world_trace(world, "Kafka loses %zu records of the state log of shard %d", log->count - at,
                (int)shard);
    world->sometimes.count[SOMETIMES_KAFKA_LOST]++;
    log->next_offset = log->records[at]->offset;
    for (size_t i = at; i < log->count; i++) cluster_retire(cluster, log->records[i]);
    log->count = at;
    for (size_t i = log->open_count; i-- > 0;)
        if (log->open[i].first_offset >= log->next_offset)
            log->open[i] = log->open[--log->open_count];
    remember(world, shard);
    cluster_give_up(world, shard);
}

/* ---- what it does to the history ---- */

void loss_step(struct world *world, int32_t shard)
{
    struct history *history = &world->history;
    size_t last = history->step_count[shard] - 1;
    const struct step *step = &history->steps[shard][last];
    for (size_t i = 0; i < world->losses.count; i++) {
        const struct loss *loss = &world->losses.list[i];
        if (loss->shard != shard || loss->end_step != last || loss->first_step == last ||
            step->mark.sequence != loss->kept_sequence + 1)
            continue;
        world->sometimes.count[SOMETIMES_LOSS_WENT_BACK]++;
        for (size_t j = loss->first_step; j < loss->end_step; j++)
            history->steps[shard][j].gone = true;
    }
}

bool loss_took(const struct world *world, int32_t shard, size_t step)
{
    for (size_t i = 0; i < world->losses.count; i++) {
        const struct loss *loss = &world->losses.list[i];
        if (loss->shard == shard && step >= loss->first_step && step < loss->end_step)
            return true;
    }
    return false;
}

bool loss_of_job(const struct world *world, int32_t shard, const char *name)
{
    const struct history *history = &world->history;
    if (world->losses.count == 0) return false;
    for (size_t i = history->step_count[shard]; i-- > 0;) {
        const struct step *step = &history->steps[shard][i];
        for (size_t j = step->first; j < step->first + step->count && !step->gone; j++) {
            const struct output *output = &history->outputs[j];
            if ((output->kind == OUTPUT_JOB || output->kind == OUTPUT_JOB_DELETED) &&
                strcmp(output->name, name) == 0)
                return loss_took(world, shard, i);
        }
    }
    return false;
}

/* ---- owners ---- */

/* The log lacks jobs: a living owner went on after Kafka had lost what it had written before. */
static bool explains_hole(struct world *world, int32_t shard, const char *message)
{
    if (strstr(message, "log_not_whole: ") == NULL) return false;
    for (size_t i = 0; i < world->losses.count; i++) {
        const struct loss *loss = &world->losses.list[i];
        if (loss->shard != shard || loss->first_step == loss->end_step) continue;
        world->losses.half[shard] = true;
        world->sometimes.count[SOMETIMES_LOG_NOT_WHOLE]++;
        return true;
    }
    return false;
}

static bool took_mark(const struct world *world, int32_t shard, int64_t sequence)
{
    for (size_t i = 0; i < world->losses.count; i++)
        if (world->losses.list[i].shard == shard && world->losses.list[i].kept_sequence < sequence)
            return true;
    return false;
}

bool loss_explains(struct world *world, const struct seat *seat, const char *message)
{
    int32_t shard = seat->shard;
    if (explains_hole(world, shard, message)) return true;
    const char *at = strstr(message, "state_lost: the state log stands at sequence ");
    long long log = -1;
    long long other = -1;
    if (at == NULL || world->losses.count == 0) return false;
    at += strlen("state_lost: the state log stands at sequence ");
    world->losses.refused[shard] = true;
    if (sscanf(at, "%lld, Redis at %lld", &log, &other) == 2) {
        world->sometimes.count[SOMETIMES_STATE_LOST]++;
        return log < other && log == last_sequence(&world->cluster.state[shard]) &&
               other == seat->snapshot_sequence;
    }
    if (sscanf(at, "%lld (%*[^)]), this process has committed %lld", &log, &other) != 2)
        return false;
    world->sometimes.count[SOMETIMES_OWN_COMMIT_LOST]++;
    return log == last_sequence(&world->cluster.state[shard]) && other == seat->taken_sequence &&
           took_mark(world, shard, other);
}

void loss_taken(struct seat *seat)
{
    seat->taken_sequence = seat->tried_sequence;
}

/* Kafka lost it, and another owner stands in the epoch that it was in. */
static bool was_replaced(const struct world *world, const struct seat *seat)
{
    const struct history *history = &world->history;
    const struct step *steps = history->steps[seat->shard];
    size_t count = history->step_count[seat->shard];
    for (size_t i = count; i-- > 0;)
        if (steps[i].mark.sequence == seat->taken_sequence &&
            strcmp(steps[i].mark.owner, seat->process->owner) == 0)
            return steps[i].gone && steps[i].mark.epoch == steps[count - 1].mark.epoch;
    return false;
}

void loss_restored(struct world *world, const struct seat *seat, bool from_store,
                   int64_t sequence)
{
    struct losses *losses = &world->losses;
    const struct history *history = &world->history;
    int32_t shard = seat->shard;
    if (sequence < seat->taken_sequence || was_replaced(world, seat))
        world_violation(world, "own commit lost: %s goes on with shard %d from %" PRId64
                        " although Kafka had taken its %" PRId64, seat->process->owner,
                        (int)shard, sequence, seat->taken_sequence);
    if (losses->count == 0) return;
    losses->refused[shard] = false;
    losses->half[shard] = false;
    if (from_store && seat->snapshot_sequence > sequence)
        world_violation(world, "state lost: %s goes on with shard %d from %" PRId64
                        " although Redis stood at %" PRId64, seat->process->owner, (int)shard,
                        sequence, seat->snapshot_sequence);
    for (size_t i = 0; i < losses->count; i++) {
        const struct loss *loss = &losses->list[i];
        if (loss->shard != shard || loss->first_step == loss->end_step ||
            sequence <= loss->kept_sequence || history->steps[shard][loss->end_step - 1].gone)
            continue;
        int64_t last = history->steps[shard][loss->end_step - 1].mark.sequence;
        if (from_store && seat->snapshot_sequence >= last) continue;
        if (!losses->forgot[shard]) world->sometimes.count[SOMETIMES_LOSS_FORGOT]++;
        losses->forgot[shard] = true;
    }
}

/* What `belfry recover --from kafka` does, as far as the next owner sees it: a mark of the next
 * generation, that does not say how many jobs there are. False: there is none to go on from. */
static bool accept_log(struct world *world, int32_t shard)
{
    const struct log *log = &world->cluster.state[shard];
    struct mark mark;
    struct error error = {0};
    struct text_writer writer;
    char text[2048];
    size_t i = log->count;
    while (i > 0 && !is_mark(log->records[i - 1])) i--;
    if (i == 0 || !mark_decode(log->records[i - 1]->value, &mark, &error)) return false;
    mark.generation++;
    mark.jobs = MARK_JOBS_UNKNOWN;
    text_writer_init_fixed(&writer, text, sizeof text);
    mark_encode(&writer, &mark);
    (void)cluster_append(world, record_copy(&(struct broker_record){
                                    .topic = TOPIC_STATE,
                                    .partition = shard,
                                    .key = text_of("mark"),
                                    .value = text_writer_text(&writer)}));
    world->losses.decided[shard]++;
    for (int32_t p = 0; p < world->settings.processes; p++) {
        world->processes[p].slots[shard].taken_sequence = 0;
        process_try_again(&world->processes[p], shard);
    }
    return true;
}

/* Where nothing is left to say that it was decided, those who remember have to end. */
static void end_processes(struct world *world)
{
    world_trace(world, "the operator starts the daemons again");
    for (int32_t p = 0; p < world->settings.processes; p++) process_leave(&world->processes[p]);
}

bool loss_operator(struct world *world)
{
    bool refused = false;
    bool empty = false;
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        if (!world->losses.half[shard] && !world->losses.refused[shard]) continue;
        world_trace(world, "the operator goes on with what the log of shard %d has", (int)shard);
        empty = !accept_log(world, shard) || empty;
        refused = true;
    }
    if (refused) {
        world_trace(world, "the operator gives Redis up");
        store_image_empty(world->redis.image);
        world->redis.changes++;
    }
    if (empty) end_processes(world);
    return refused;
}
