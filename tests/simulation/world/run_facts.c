#include "tests/simulation/world/run_facts.h"

#include <stdlib.h>

#include "lib/base/memory.h"
#include "tests/simulation/world/heap.h"
#include "tests/simulation/world/json_scan.h"

void run_facts_append(struct run_facts *facts, int32_t shard, const struct run_appended *appended)
{
    struct heap *before = heap_enter(NULL);
    size_t count = facts->appended_count[shard];
    facts->appended[shard] =
        memory_grow(facts->appended[shard], &facts->appended_capacity[shard], count + 1,
                    sizeof *facts->appended[shard]);
    facts->appended[shard][count] = *appended;
    facts->appended[shard][count].read_ms = INT64_MAX;
    facts->appended_count[shard]++;
    (void)heap_enter(before);
}

void run_facts_read(struct run_facts *facts, int32_t shard, int64_t offset, int64_t time_ms)
{
    size_t *at = &facts->read_count[shard];
    for (; *at < facts->appended_count[shard] && facts->appended[shard][*at].offset <= offset;
         (*at)++)
        if (facts->appended[shard][*at].offset == offset)
            facts->appended[shard][*at].read_ms = time_ms;
}

void run_facts_begin(struct run_facts *facts, const struct run_reading *reading)
{
    struct heap *before = heap_enter(NULL);
    facts->readings = memory_grow(facts->readings, &facts->reading_capacity,
                                  facts->reading_count + 1, sizeof *facts->readings);
    facts->readings[facts->reading_count++] = *reading;
    (void)heap_enter(before);
}

void run_facts_tick(struct run_facts *facts, int32_t shard, int64_t time_ms, struct text value)
{
    struct heap *before = heap_enter(NULL);
    facts->ticks = memory_grow(facts->ticks, &facts->tick_capacity, facts->tick_count + 1,
                               sizeof *facts->ticks);
    facts->ticks[facts->tick_count++] =
        (struct tick_sent){.shard = shard,
                           .time_ms = time_ms,
                           .epoch = scan_number(value, "\"epoch\":", -1),
                           .number = scan_number(value, "\"number\":", -1)};
    (void)heap_enter(before);
}

void run_facts_said(struct run_facts *facts, const struct group_said *said)
{
    struct heap *before = heap_enter(NULL);
    facts->said = memory_grow(facts->said, &facts->said_capacity, facts->said_count + 1,
                              sizeof *facts->said);
    facts->said[facts->said_count++] = *said;
    (void)heap_enter(before);
}

void run_facts_close(struct run_facts *facts)
{
    for (int32_t shard = 0; shard < FACT_SHARDS; shard++) free(facts->appended[shard]);
    free(facts->readings);
    free(facts->ticks);
    free(facts->said);
}
