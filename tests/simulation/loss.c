#include "tests/simulation/loss.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/core/memory.h"
#include "tests/simulation/json_scan.h"
#include "tests/simulation/world.h"

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

static int64_t last_sequence(const struct log *log)
{
    for (size_t i = log->count; i-- > 0;)
        if (is_mark(log->records[i]))
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
static bool explains_hole(struct world *world, int32_t shard, const char *fields)
{
    if (strstr(fields, "log_not_whole: ") == NULL) return false;
    for (size_t i = 0; i < world->losses.count; i++) {
        const struct loss *loss = &world->losses.list[i];
        if (loss->shard != shard || loss->first_step == loss->end_step) continue;
        world->losses.half[shard] = true;
        world->sometimes.count[SOMETIMES_LOG_NOT_WHOLE]++;
        return true;
    }
    return false;
}

bool loss_explains(struct world *world, const struct seat *seat, const char *fields)
{
    int32_t shard = seat->shard;
    if (explains_hole(world, shard, fields)) return true;
    const char *at = strstr(fields, "state_lost: the state log stands at sequence ");
    long long log = -1;
    long long store = -1;
    if (at == NULL || world->losses.count == 0) return false;
    at += strlen("state_lost: the state log stands at sequence ");
    if (sscanf(at, "%lld, Redis at %lld", &log, &store) != 2) return false;
    world->losses.refused[shard] = true;
    world->sometimes.count[SOMETIMES_STATE_LOST]++;
    return log < store && log == last_sequence(&world->cluster.state[shard]) &&
           store == seat->snapshot_sequence;
}

void loss_restored(struct world *world, const struct seat *seat, bool from_store,
                   int64_t sequence)
{
    struct losses *losses = &world->losses;
    const struct history *history = &world->history;
    int32_t shard = seat->shard;
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

/* What `belfry recover --from kafka` does, as far as the next owner sees it: a mark that does not
 * say how many jobs there are. */
static void accept_log(struct world *world, int32_t shard)
{
    const struct log *log = &world->cluster.state[shard];
    char text[2048];
    for (size_t i = log->count; i-- > 0;) {
        if (!is_mark(log->records[i])) continue;
        struct text value = log->records[i]->value;
        struct text rest = scan_after(value, ",\"jobs\":");
        if (rest.length == 0) return;
        size_t before = value.length - rest.length - strlen(",\"jobs\":");
        while (rest.length > 0 && rest.bytes[0] >= '0' && rest.bytes[0] <= '9')
            rest = (struct text){rest.bytes + 1, rest.length - 1};
        int length = snprintf(text, sizeof text, "%.*s%.*s", (int)before, value.bytes,
                              (int)rest.length, rest.bytes);
        (void)cluster_append(world, record_copy(&(struct broker_record){
                                        .topic = TOPIC_STATE,
                                        .partition = shard,
                                        .key = text_of("mark"),
                                        .value = {text, (size_t)length}}));
        return;
    }
}

bool loss_operator(struct world *world)
{
    bool behind = false;
    bool half = false;
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        behind = behind || world->losses.refused[shard];
        half = half || world->losses.half[shard];
        if (!world->losses.half[shard]) continue;
        world_trace(world, "the operator goes on with what the log of shard %d has", (int)shard);
        accept_log(world, shard);
    }
    if (behind) {
        world_trace(world, "the operator gives Redis up");
        store_image_empty(world->redis.image);
        world->redis.changes++;
    }
    return behind || half;
}
