#include "tests/simulation/world/work_log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/workers/workers.h"
#include "tests/simulation/world/json_scan.h"
#include "tests/simulation/world/world.h"

size_t work_log_start(struct world *world, const struct work *work)
{
    struct work_log *log = &world->work_log;
    log->works = memory_grow(log->works, &log->work_capacity, log->work_count + 1,
                             sizeof *log->works);
    log->works[log->work_count] = *work;
    log->works[log->work_count].started_us = world->now_us;
    log->works[log->work_count].end = WORK_GOES_ON;
    return log->work_count++;
}

void work_log_end(struct world *world, size_t work, int64_t at_us, enum work_end end,
                  enum run_outcome outcome)
{
    struct work_log *log = &world->work_log;
    assert(work < log->work_count && log->works[work].end == WORK_GOES_ON);
    log->works[work].ended_us = at_us;
    log->works[work].end = end;
    log->works[work].outcome = outcome;
}

void work_log_hinder(struct world *world, int32_t shard, int64_t to_us)
{
    struct heap *before = heap_enter(NULL);
    struct work_log *log = &world->work_log;
    log->hindrances = memory_grow(log->hindrances, &log->hindrance_capacity,
                                  log->hindrance_count + 1, sizeof *log->hindrances);
    log->hindrances[log->hindrance_count++] =
        (struct work_hindrance){world->now_us, to_us, shard};
    (void)heap_enter(before);
}

void work_log_freeze(struct world *world, const char *owner, int64_t to_us)
{
    struct heap *before = heap_enter(NULL);
    struct work_log *log = &world->work_log;
    log->freezes = memory_grow(log->freezes, &log->freeze_capacity, log->freeze_count + 1,
                               sizeof *log->freezes);
    struct work_freeze *freeze = &log->freezes[log->freeze_count++];
    *freeze = (struct work_freeze){.from_us = world->now_us, .to_us = to_us};
    (void)snprintf(freeze->owner, sizeof freeze->owner, "%s", owner);
    (void)heap_enter(before);
}

static bool begins(struct text text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.bytes, prefix, length) == 0;
}

static bool concerns_runs(const struct record *record)
{
    switch (record->topic) {
    case TOPIC_FIRES:
    case TOPIC_FOREIGN: return record->leased;
    case TOPIC_STATE: return begins(record->key, "run/") || begins(record->key, "mark");
    case TOPIC_RUNS:
    case TOPIC_CANCELS:
    case TOPIC_EVENTS:
    case TOPIC_DEAD: return true;
    default: return false;
    }
}

void work_log_record(struct world *world, int32_t shard, struct record *record)
{
    struct work_log *log = &world->work_log;
    if (!world->settings.runs || record->marker || !concerns_runs(record)) return;
    log->records = memory_grow(log->records, &log->record_capacity, log->record_count + 1,
                               sizeof *log->records);
    size_t steps = world->history.step_count[shard];
    bool appended = record->topic == TOPIC_RUNS;
    log->records[log->record_count++] =
        (struct kept_record){.at_us = world->now_us,
                             .shard = shard,
                             .step = appended || steps == 0 ? steps : steps - 1,
                             .record = record};
    record->kept = true;
    if (record->topic == TOPIC_CANCELS) workers_cancel(world, record);
}

void work_log_close(struct work_log *log)
{
    for (size_t i = 0; i < log->record_count; i++) free((void *)log->records[i].record);
    free(log->works);
    free(log->records);
    free(log->hindrances);
    free(log->freezes);
}
