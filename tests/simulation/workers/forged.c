/* What else happens to `runs`: strangers write into it, a client's transaction hides its end, its
 * leader's clock is another one, retention takes what nobody has read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/workers/inside.h"
#include "tests/simulation/world/json_scan.h"

enum { FORGED_ARRAY = 1000, FORGED_BYTES = 400 };

struct known { /* a try that was fired; of no run: its number is 0 */
    char run[WORK_RUN_BYTES];
    int64_t runnumber;
    const char *workers;
};

/* One of the newest fires of the shard, or of the last days. */
static struct known some_try(struct world *world, int32_t shard)
{
    const struct work_log *log = &world->work_log;
    struct known known = {.runnumber = 0, .workers = ""};
    int64_t skip = workers_between(world, 0, workers_chance(world, 1, 2) ? 3 : 200);
    for (size_t i = log->record_count; i-- > 0;) {
        const struct kept_record *kept = &log->records[i];
        if (kept->shard != shard || !kept->record->leased) continue;
        struct text id = scan_text(kept->record->value, "\"id\":\"");
        (void)snprintf(known.run, sizeof known.run, "%.*s", (int)id.length, id.bytes);
        known.runnumber = scan_number(kept->record->value, "\"runnumber\":\"", 0);
        if (skip-- == 0) break;
    }
    return known;
}

/* Whether what may be said of it by its own group changes nothing: its program has said its end. */
static const struct work *some_ended(struct world *world, int32_t shard)
{
    const struct work_log *log = &world->work_log;
    int64_t skip = workers_between(world, 0, 20);
    const struct work *found = NULL;
    for (size_t i = log->work_count; i-- > 0;) {
        const struct work *work = &log->works[i];
        if (work->shard != shard || work->end != WORK_ENDED || work->limits != 0 ||
            world->now_us - work->ended_us < MINUTE_US)
            continue;
        found = work;
        if (skip-- == 0) break;
    }
    return found;
}

static int put_report(char *at, size_t room, const char *run, int64_t runnumber, const char *word,
                      const char *workers)
{
    return snprintf(at, room,
                    "{\"run\":\"%s\",\"runnumber\":%lld,\"report\":\"%s\",\"token\":\"forged\","
                    "\"worker\":\"stranger\",\"workers\":\"%s\"}",
                    run, (long long)runnumber, word, workers);
}

static const char *some_word(struct world *world)
{
    static const char *const words[] = {"success", "failure", "released", "lost_lease", "running",
                                        "cancelled"};
    return words[workers_between(world, 0, 5)];
}

/* An end that was said once already, word for word. */
static void again(struct world *world, int32_t shard)
{
    char value[FORGED_BYTES];
    const struct work *work = some_ended(world, shard);
    if (work == NULL) return;
    (void)put_report(value, sizeof value, work->run, work->runnumber,
                     run_outcome_word(work->outcome), work->workers);
    post_append(world, shard, value);
}

static void many(struct world *world, int32_t shard, bool mixed)
{
    char *value = memory_allocate(FORGED_ARRAY, FORGED_BYTES);
    size_t room = (size_t)FORGED_ARRAY * FORGED_BYTES;
    size_t length = 1;
    int64_t count = mixed ? workers_between(world, 2, 9) : FORGED_ARRAY;
    const struct known known = some_try(world, shard);
    value[0] = '[';
    for (int64_t i = 0; i < count; i++) {
        char run[WORK_RUN_BYTES];
        (void)snprintf(run, sizeof run, "0-0.%d.0@0", (int)i);
        if (i > 0) value[length++] = ',';
        if (mixed && i == 1)
            length += (size_t)snprintf(value + length, room - length, "{\"run\":7}");
        else if (known.runnumber > 0 && i % 3 != 0)
            length += (size_t)put_report(value + length, room - length, known.run,
                                         known.runnumber, some_word(world), "strangers");
        else
            length += (size_t)put_report(value + length, room - length, run, 1 + i,
                                         some_word(world), "strangers");
    }
    value[length] = ']';
    value[length + 1] = '\0';
    post_append(world, shard, value);
    free(value);
}

static void one(struct world *world, int32_t shard, enum forgery forgery)
{
    char value[FORGED_BYTES];
    struct known known = some_try(world, shard);
    int32_t to = shard;
    if (forgery == FORGED_RUN || known.runnumber == 0) {
        (void)snprintf(known.run, sizeof known.run, "%lld-0.1.0@77",
                       (long long)world_now_ms(world));
        known.runnumber = 1 + world->workers->forged;
    }
    if (forgery == FORGED_NUMBER) known.runnumber += (int64_t)1 << 40;
    if (forgery == FORGED_PLACE) to = (shard + 1) % world->settings.shards;
    (void)put_report(value, sizeof value, known.run, known.runnumber, some_word(world),
                     "strangers");
    post_append(world, to, value);
}

void workers_forge(struct world *world, int32_t shard, enum forgery forgery)
{
    if (world->workers == NULL || shard < 0 || shard >= world->settings.shards) return;
    if (world->kafka_down_until_us > world->now_us) return;
    world->workers->forged++;
    world->sometimes.count[SOMETIMES_FORGED]++;
    switch (forgery) {
    case FORGED_UNREADABLE:
        post_append(world, shard, workers_chance(world, 1, 2) ? "nonsense" : "{\"run\":\"x\"");
        return;
    case FORGED_AGAIN: again(world, shard); return;
    case FORGED_MANY: many(world, shard, false); return;
    case FORGED_MIXED: many(world, shard, true); return;
    default: one(world, shard, forgery); return;
    }
}

/* ---- what hides, moves or takes records ---- */

void workers_hide_runs(struct world *world, int32_t shard, int64_t ms)
{
    if (world->workers == NULL || shard < 0 || shard >= world->settings.shards) return;
    world->sometimes.count[SOMETIMES_RUNS_HIDDEN]++;
    work_log_hinder(world, shard, world->now_us + ms * MILLI_US);
    cluster_hide(world, TOPIC_RUNS, shard, ms * MILLI_US);
}

void workers_append_back(struct world *world, int32_t shard, int64_t back_ms, int64_t ms)
{
    if (world->workers == NULL || shard < 0 || shard >= world->settings.shards) return;
    world->sometimes.count[SOMETIMES_APPENDED_BACK]++;
    world->cluster.runs_back_ms[shard] = back_ms;
    world->cluster.runs_back_until_us[shard] = world->now_us + ms * MILLI_US;
}

void workers_coordinator_silent(struct world *world, int64_t ms)
{
    if (world->workers == NULL) return;
    world->coordinator_silent_until_us = world->now_us + ms * MILLI_US;
    work_log_hinder(world, -1, world->coordinator_silent_until_us);
}

void workers_retain(struct world *world, int32_t shard, int64_t kept_ms)
{
    if (world->workers == NULL || shard < 0 || shard >= world->settings.shards) return;
    cluster_retain_runs(world, shard, world_now_ms(world) - kept_ms);
}

/* ---- what can be read ---- */

static void wake_reader(struct world *world, struct worker *worker)
{
    worker_wake(worker, world->now_us + workers_between(world, MILLI_US, 40 * MILLI_US));
}

void workers_fires(struct world *world, const struct log *log)
{
    for (int32_t i = 0; world->workers != NULL && i < CREWS; i++) {
        struct crew *crew = &world->workers->crews[i];
        for (int32_t place = 0; place < PLACES; place++)
            if (crew->holder[place] != NULL && place_log(world, place) == log)
                wake_reader(world, crew->holder[place]);
    }
}

void workers_cancel(struct world *world, const struct record *cancel)
{
    struct workers *workers = world->workers;
    if (workers == NULL) return;
    workers->cancels = memory_grow(workers->cancels, &workers->cancel_capacity,
                                   workers->cancel_count + 1, sizeof *workers->cancels);
    struct asked_stop *asked = &workers->cancels[workers->cancel_count++];
    struct text run = scan_text(cancel->value, "\"run\":\"");
    (void)snprintf(asked->run, sizeof asked->run, "%.*s", (int)run.length, run.bytes);
    asked->runnumber = scan_number(cancel->value, "\"runnumber\":\"", 0);
    world->sometimes.count[SOMETIMES_STOP_ASKED]++;
    for (int64_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *worker = worker_find(world, i);
        if (worker != NULL) wake_reader(world, worker);
    }
}
