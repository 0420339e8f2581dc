/* The cluster at rest: one owner for each shard, nothing left to be done; memory, Redis, the state
 * log and the model agree. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"
#include "dispatcher/jobs/job.h"
#include "schemas/job_json.h"
#include "schemas/run_json.h"
#include "tests/simulation/judge/account.h"
#include "tests/simulation/judge/checker.h"
#include "tests/simulation/judge/tallies.h"

#define BEHIND_MS INT64_C(3700000) /* an idle shard writes a mark each hour */

static struct engine *owner_of(struct world *world, int32_t shard, int *owners)
{
    struct engine *engine = NULL;
    *owners = 0;
    for (int32_t p = 0; p < world->settings.processes; p++) {
        if (!process_is_live(&world->processes[p], shard)) continue;
        engine = world->processes[p].slots[shard].engine;
        (*owners)++;
        if (!world->processes[p].slots[shard].reading) *owners += PROCESSES_MAX; /* in a step */
    }
    return engine;
}

static bool has_backfills(const struct shard *shard)
{
    for (uint32_t slot = 0; slot < shard_slots(shard); slot++) {
        const struct job *job = shard_job_at(shard, slot);
        if (job != NULL && job->extra != NULL && job->extra->backfill_count > 0) return true;
    }
    return false;
}

/* Slots of one job's backfills at its rate; all of a shard share its lane. */
static int64_t backfill_ms(const struct job *job, int64_t per_second, int64_t *shard_ms)
{
    int64_t longest_ms = 0;
    for (uint32_t i = 0; job->extra != NULL && i < job->extra->backfill_count; i++) {
        const struct job_backfill *backfill = &job->extra->backfills[i];
        const struct debt *debt = &backfill->debt;
        int64_t slots = (int64_t)schedule_count(&debt->schedule->spec, debt_from_ms(debt),
                                                debt_to_ms(debt), INT64_MAX);
        if (slots * 1000 / backfill->rate > longest_ms) longest_ms = slots * 1000 / backfill->rate;
        *shard_ms += slots * 1000 / per_second;
    }
    return longest_ms;
}

int64_t rest_backfills_ms(struct world *world)
{
    int64_t most_ms = 0;
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        int owners = 0;
        const struct engine *engine = owner_of(world, shard, &owners);
        int64_t shard_ms = 0;
        int64_t longest_ms = 0;
        for (uint32_t slot = 0; engine != NULL && slot < shard_slots(engine->shard); slot++) {
            const struct job *job = shard_job_at(engine->shard, slot);
            if (job == NULL) continue;
            int64_t own_ms = backfill_ms(job, world->settings.catchup_per_second, &shard_ms);
            if (own_ms > longest_ms) longest_ms = own_ms;
        }
        if (longest_ms > shard_ms) shard_ms = longest_ms;
        if (shard_ms > most_ms) most_ms = shard_ms;
    }
    return most_ms;
}

/* At most; start and end of the job may leave out some. */
static int64_t slots_owed(const struct job *job, int64_t watermark_ms)
{
    int64_t slots = 0;
    if (job->extra == NULL) return 0;
    const struct ledger *ledger = &job->extra->ledger;
    for (uint32_t i = 0; i < ledger_count(ledger); i++) {
        const struct debt *debt = ledger_debt(ledger, i);
        const struct schedule *schedule = debt->schedule == NULL ? job->schedule : debt->schedule;
        slots += (int64_t)schedule_count(&schedule->spec, debt_from_ms(debt), debt_to_ms(debt),
                                         INT64_MAX);
    }
    if (ledger_tail_from_ms(ledger) != INSTANT_NONE)
        slots += (int64_t)schedule_count(&job->schedule->spec, ledger_tail_from_ms(ledger),
                                         watermark_ms, INT64_MAX);
    return slots;
}

int64_t rest_owed_ms(struct world *world)
{
    int64_t most_ms = 0;
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        int owners = 0;
        int64_t slots = 0;
        const struct engine *engine = owner_of(world, shard, &owners);
        for (uint32_t slot = 0; engine != NULL && slot < shard_slots(engine->shard); slot++) {
            const struct job *job = shard_job_at(engine->shard, slot);
            if (job != NULL) slots += slots_owed(job, engine->mark.watermark.instant_ms);
        }
        int64_t shard_ms = slots * 1000 / world->settings.catchup_per_second;
        if (shard_ms > most_ms) most_ms = shard_ms;
    }
    return most_ms;
}

bool rest_caught_up(struct world *world)
{
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        int owners = 0;
        const struct engine *engine = owner_of(world, shard, &owners);
        if (engine == NULL ||
            engine->mark.inputs[INPUT_CONTROL].offset < (int64_t)world->sent_count[shard])
            return false;
        struct shard_counts counts;
        shard_count(engine->shard, &counts);
        if (counts.owing > 0 || counts.failing > 0 || has_backfills(engine->shard)) return false;
    }
    return true;
}

bool rest_reached(struct world *world)
{
    if (!rest_caught_up(world)) return false;
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        int owners = 0;
        const struct engine *engine = owner_of(world, shard, &owners);
        if (owners != 1 || outbox_count(engine->outbox) > 0 || /* a step is under way */
            !checkpoint_simulated_rests(engine->ports.checkpoint) ||
            checkpointer_sequence(engine->checkpointer) != engine->mark.sequence ||
            checkpointer_due_us(engine->checkpointer, &engine->mark) != INT64_MAX)
            return false;
    }
    return true;
}

/* What is left of pauses whose end was moved. */
enum { ALARMS_MOST = 64, ALARMS_A_JOB = 8 };

static void judge_offsets(struct world *world, const struct engine *engine, int32_t shard)
{
    int64_t control = engine->mark.inputs[INPUT_CONTROL].offset;
    if (control != (int64_t)world->sent_count[shard])
        world_violation(world, "not caught up: shard %d has read %" PRId64 " of %zu commands",
                        (int)shard, control, world->sent_count[shard]);
    if (log_next(&world->cluster.forward[shard], engine->mark.inputs[INPUT_FORWARD].offset) != NULL)
        world_violation(world, "not caught up: shard %d has forwards to read", (int)shard);
    if (engine->mark.watermark.instant_ms < world_now_ms(world) - BEHIND_MS)
        world_violation(world, "not caught up: the watermark of shard %d is %" PRId64
                        " ms behind", (int)shard,
                        world_now_ms(world) - engine->mark.watermark.instant_ms);
    struct shard_counts counts;
    shard_count(engine->shard, &counts);
    if (has_backfills(engine->shard))
        world_violation(world, "not caught up: shard %d has backfills to work off", (int)shard);
    if (counts.heavy > 0 || counts.alarms > ALARMS_MOST + ALARMS_A_JOB * counts.jobs)
        world_violation(world, "memory: shard %d keeps %zu needless parts of %zu jobs, and %zu "
                        "alarms", (int)shard, counts.heavy, counts.jobs, counts.alarms);
    if (counts.owing > 0 || counts.failing > 0)
        world_violation(world, "not caught up: shard %d has %zu jobs that owe, %zu that fail",
                        (int)shard, counts.owing, counts.failing);
}

/* ---- records ---- */

static void encode(const struct job *job, bool statistics, struct text_writer *writer)
{
    struct job_record record;
    job_view_record(job, &record);
    if (!statistics) record.life.fired = record.life.missed = 0;
    if (!statistics) record.life.last_due_ms = INSTANT_NONE;
    text_writer_reset(writer);
    job_record_encode(writer, &record);
}

struct comparison {
    struct world *world;
    const struct engine *engine;
    const struct zone_lookup *zones;
    const char *where;
    int32_t shard;
    bool statistics;
    size_t seen;
    size_t runs; /* likewise */
    struct arena *arena;
};

/* Of the state log, when the newest record of the job is among what Kafka lost. */
static bool is_lost(const struct comparison *comparison, struct text name)
{
    char text[HISTORY_NAME_BYTES];
    if (comparison->statistics) return false;
    (void)snprintf(text, sizeof text, "%.*s", (int)name.length, name.bytes);
    return loss_of_job(comparison->world, comparison->shard, text);
}

/* One record as somebody else keeps it, beside the job in memory. */
static void compare(struct comparison *comparison, struct text name, struct text value)
{
    struct world *world = comparison->world;
    const char *slash = memchr(name.bytes, '/', name.length);
    struct text group = {name.bytes, slash == NULL ? 0 : (size_t)(slash - name.bytes)};
    struct text id = {name.bytes + group.length + 1, name.length - group.length - 1};
    const struct job *job = slash == NULL ? NULL
                                          : shard_find(comparison->engine->shard, group, id);
    comparison->seen += !is_lost(comparison, name);
    if (job == NULL && is_lost(comparison, name)) return;
    if (job != NULL && !comparison->statistics && job_is_failing(job)) return; /* tries go on */
    if (job == NULL) {
        world_violation(world, "%s: has %.*s, memory has not", comparison->where,
                        (int)name.length, name.bytes);
        return;
    }
    struct text_writer memory;
    struct text_writer other;
    struct job_record record;
    struct error error = {0};
    text_writer_init(&memory);
    text_writer_init(&other);
    encode(job, comparison->statistics, &memory);
    if (job_record_decode(value, comparison->arena, comparison->zones, &record, &error)) {
        if (!comparison->statistics) record.life.fired = record.life.missed = 0;
        if (!comparison->statistics) record.life.last_due_ms = INSTANT_NONE;
        job_record_encode(&other, &record);
    }
    if (!text_equal(text_writer_text(&memory), text_writer_text(&other)) &&
        !is_lost(comparison, name))
        world_violation(world, "%s: differs from memory: %.*s: %.*s / %.*s", comparison->where,
                        (int)name.length, name.bytes, (int)other.length, other.bytes,
                        (int)memory.length, memory.bytes);
    text_writer_free(&memory);
    text_writer_free(&other);
    arena_reset(comparison->arena);
}

/* The newest record of the run in the state log says that it is unclaimed. */
static bool is_unclaimed_in_log(const struct comparison *comparison, uint32_t k,
                                int64_t runnumber)
{
    const struct log *log = &comparison->world->cluster.state[comparison->shard];
    char key[24];
    (void)snprintf(key, sizeof key, "run/%" PRIu32, k);
    size_t i = log->count;
    while (i > 0 && (log->records[i - 1]->marker || log->records[i - 1]->aborted ||
                     !text_equal(log->records[i - 1]->key, text_of(key))))
        i--;
    struct run_record record;
    struct error error = {0};
    bool open = false;
    arena_reset(comparison->arena);
    return i > 0 && !log->records[i - 1]->tombstone &&
           run_record_decode(log->records[i - 1]->value, comparison->arena, &record, &open,
                             &error) &&
           open && record.runnumber == runnumber && record.state == RUN_STATE_OPEN;
}

/* An open run as Redis keeps it. What is heard of its worker is in memory before it is recorded. */
static void compare_run(struct comparison *comparison, uint32_t k, struct text value)
{
    struct run_view view;
    struct run_record record;
    struct error error = {0};
    bool open = false;
    bool same = shard_look_run(comparison->engine->shard, k, &view) &&
                run_record_decode(value, comparison->arena, &record, &open, &error) && open;
    const struct run_record *memory = &view.record;
    same = same && record.runnumber == memory->runnumber &&
           record.first_runnumber == memory->first_runnumber &&
           record.counted == memory->counted && record.released == memory->released &&
           record.try_count == memory->try_count && record.retry_at_ms == memory->retry_at_ms &&
           record.cancel_asked == memory->cancel_asked && text_equal(record.group, memory->group) &&
           text_equal(record.id, memory->id);
    if (!same)
        world_violation(comparison->world, "%s: run/%d of shard %d is not as in memory: %.*s",
                        comparison->where, (int)k, (int)comparison->shard, (int)value.length,
                        value.bytes);
    else if (record.state == RUN_STATE_CLAIMED &&
             is_unclaimed_in_log(comparison, k, record.runnumber))
        world_violation(comparison->world, "%s: has a claim of run/%d of shard %d that the state "
                        "log has not: %.*s", comparison->where, (int)k, (int)comparison->shard,
                        (int)value.length, value.bytes);
    comparison->runs++;
    arena_reset(comparison->arena);
}

static bool visit_item(void *opaque, const struct store_item *item, struct error *error)
{
    (void)error;
    if (item->kind == STORE_RUN_PUT)
        compare_run(opaque, (uint32_t)strtoul(item->name, NULL, 10),
                    (struct text){item->text, item->text_bytes});
    if (item->kind == STORE_JOB_PUT)
        compare(opaque, (struct text){item->name, item->name_bytes},
                (struct text){item->text, item->text_bytes});
    return true;
}

static void judge_count(struct comparison *comparison)
{
    const struct shard *shard = comparison->engine->shard;
    size_t jobs = shard_job_count(shard);
    for (uint32_t slot = 0; slot < shard_slots(shard); slot++) {
        const struct job *job = shard_job_at(shard, slot);
        if (job != NULL && is_lost(comparison, job_name(job))) jobs--;
    }
    if (comparison->seen != jobs)
        world_violation(comparison->world, "%s: has %zu jobs, memory %zu", comparison->where,
                        comparison->seen, jobs);
}

static void judge_redis(struct comparison *comparison, int32_t shard)
{
    struct store *store = store_memory_create(comparison->world->redis.image);
    struct error error = {0};
    comparison->where = "Redis";
    comparison->seen = comparison->runs = 0;
    (void)store->operations->read_items(store, shard, visit_item, comparison, &error);
    judge_count(comparison);
    if (comparison->runs != shard_open_runs(comparison->engine->shard))
        world_violation(comparison->world, "Redis: has %zu open runs of shard %d, memory %zu",
                        comparison->runs, (int)shard,
                        shard_open_runs(comparison->engine->shard));
    struct snapshot snapshot;
    bool found = false;
    (void)store->operations->read_snapshot(store, shard, &snapshot, &found, &error);
    if (!found || snapshot.mark.sequence != comparison->engine->mark.sequence)
        world_violation(comparison->world, "Redis: shard %d stands at %" PRId64
                        " instead of %" PRId64, (int)shard,
                        found ? snapshot.mark.sequence : -1, comparison->engine->mark.sequence);
    store->operations->destroy(store);
}

bool rest_judge_written(const struct seat *seat, const struct snapshot *snapshot)
{
    const struct engine *engine = seat->engine;
    if (!process_is_live(seat->process, seat->shard) || !seat->reading ||
        engine->mark.sequence != snapshot->mark.sequence || snapshot->job_count < 0 ||
        snapshot->run_count < 0)
        return false;
    struct comparison comparison = {.world = seat->world,
                                    .engine = engine,
                                    .zones = zones_lookup(seat->world->zones, 0),
                                    .shard = seat->shard,
                                    .arena = arena_create()};
    judge_redis(&comparison, seat->shard);
    tallies_judge_jobs(seat->world, engine);
    arena_destroy(comparison.arena);
    return true;
}

/* The newest record of each key, looked for from the end. */
static void judge_state_log(struct comparison *comparison, int32_t shard)
{
    const struct log *log = &comparison->world->cluster.state[shard];
    comparison->where = "state log";
    comparison->statistics = false;
    comparison->seen = 0;
    for (size_t i = 0; i < log->count; i++) {
        const struct record *record = log->records[i];
        bool last = !record->marker && !record->aborted && record->key.length > 4 &&
                    memcmp(record->key.bytes, "job/", 4) == 0;
        for (size_t j = i + 1; last && j < log->count; j++)
            last = log->records[j]->marker || log->records[j]->aborted ||
                   !text_equal(log->records[j]->key, record->key);
        if (last && !record->tombstone)
            compare(comparison, (struct text){record->key.bytes + 4, record->key.length - 4},
                    record->value);
    }
    judge_count(comparison);
}

void rest_judge(struct world *world)
{
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        int owners = 0;
        struct engine *engine = owner_of(world, shard, &owners);
        if (owners != 1) {
            world_violation(world, "not caught up: shard %d has %d owners", (int)shard, owners);
            continue;
        }
        judge_offsets(world, engine, shard);
        tallies_judge_jobs(world, engine);
        struct comparison comparison = {.world = world,
                                        .engine = engine,
                                        .zones = engine->options.zones,
                                        .shard = shard,
                                        .arena = arena_create()};
        comparison.statistics = true;
        judge_redis(&comparison, shard);
        judge_state_log(&comparison, shard);
        arena_destroy(comparison.arena);
    }
}

static int64_t failed_runs(const struct job *job)
{
    return job->extra == NULL ? 0 : job->extra->state.failed_runs;
}

static void judge_job(struct world *world, const struct life *life, const struct job *job)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    (void)incarnation_format(&job->life.incarnation, incarnation);
    bool paused = (job->flags & JOB_PAUSED) != 0;
    bool finished = (job->flags & JOB_FINISHED) != 0;
    struct text payload = job_payload(job);
    bool same = strcmp(incarnation, life->id) == 0 && job->revision == life->revision &&
                paused == (life->paused_ms != NEVER_MS) &&
                finished == (life->finished_ms != NEVER_MS) &&
                (life->streak.unsure || failed_runs(job) == life->streak.failed) &&
                text_equal(payload, text_of(life->wanted.payload)) &&
                text_equal(job_super_group(job), text_of(life->wanted.super_group)) &&
                text_equal(job_topic(job), text_of(life->wanted.topic));
    if (!same)
        world_violation(world, "definition: %s is %s revision %" PRIu32 "%s%s %.*s, %" PRId64
                        " failures, the commands say %s revision %" PRId64 "%s%s %s, %" PRId64,
                        life->name, incarnation, job->revision, paused ? " paused" : "",
                        finished ? " finished" : "", (int)payload.length, payload.bytes,
                        failed_runs(job), life->id, life->revision,
                        life->paused_ms != NEVER_MS ? " paused" : "",
                        life->finished_ms != NEVER_MS ? " finished" : "", life->wanted.payload,
                        life->streak.failed);
}

void rest_judge_model(struct world *world, const struct model *model, int32_t shard)
{
    int owners = 0;
    const struct engine *engine = owner_of(world, shard, &owners);
    if (owners != 1) return;
    size_t there = 0;
    for (size_t i = 0; i < model->count; i++) {
        const struct life *life = model->lives[i];
        if (!life->there) continue;
        there++;
        const struct job *job = shard_find(engine->shard, text_of(life->wanted.group),
                                           text_of(life->wanted.id));
        if (job == NULL) {
            world_violation(world, "definition: %s is gone, the commands keep it", life->name);
            continue;
        }
        judge_job(world, life, job);
        rest_judge_definition(world, life, job);
    }
    if (there != shard_job_count(engine->shard))
        world_violation(world, "definition: shard %d has %zu jobs, the commands leave %zu",
                        (int)shard, shard_job_count(engine->shard), there);
}

/* What the owner before had on its way came to Redis after this one had read it. */
static bool another_wrote_behind(const struct process *process, int32_t shard, int64_t sequence)
{
    struct snapshot snapshot;
    struct error error = {0};
    bool found = false;
    struct store *store = process->store;
    return store->operations->read_snapshot(store, shard, &snapshot, &found, &error) && found &&
           snapshot.mark.sequence > sequence && strcmp(snapshot.mark.owner, process->owner) != 0;
}

void rest_judge_gap(const struct process *process, int32_t shard, int64_t expected_sequence)
{
    struct world *world = process->world;
    const struct history *history = &world->history;
    if (expected_sequence < 0 || another_wrote_behind(process, shard, expected_sequence)) return;
    if (world->redis.changes > 0 || world->losses.count > 0) return;
    if (history->step_count[shard] == 0) return;
    const struct step *last = &history->steps[shard][history->step_count[shard] - 1];
    if (strcmp(last->mark.owner, process->owner) == 0)
        world_violation(world, "lost sight: %s shard %d writes a Redis anew that has its jobs",
                        process->owner, (int)shard);
}
