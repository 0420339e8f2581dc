#include "tests/simulation/world/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/time/instant.h"
#include "tests/simulation/workers/workers.h"

void world_open(struct world *world, uint64_t seed, const struct settings *settings)
{
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->settings = *settings;
    world->dice = random_from(seed, 1);
    world->hash = random_mix(seed, 1);
    world->redis.image = store_image_create();
    world->zones = zones_create();
    workers_open(world);
    for (int32_t p = 0; p < settings->processes; p++) {
        struct process *process = &world->processes[p];
        process->world = world;
        process->index = p;
        process->heap.fail_after = -1;
    }
}

void world_close(struct world *world)
{
    for (int32_t p = 0; p < world->settings.processes; p++) {
        struct process *process = &world->processes[p];
        process->stays_down = true;
        if (process->running) process_kill(process);
    }
    for (int32_t p = 0; p < world->settings.processes; p++)
        for (int32_t shard = 0; shard < SIM_SHARDS_MAX; shard++)
            question_forget(&world->processes[p].slots[shard]);
    ticks_drop(world);
    workers_close(world);
    requests_drop(world);
    arrivals_drop(world);
    cluster_close(world);
    history_close(&world->history);
    work_log_close(&world->work_log);
    run_facts_close(&world->facts);
    for (int32_t shard = 0; shard < SIM_SHARDS_MAX; shard++) {
        for (size_t i = 0; i < world->sent_count[shard]; i++) free(world->sent[shard][i].text);
        free(world->sent[shard]);
    }
    zones_destroy(world->zones);
    store_image_destroy(world->redis.image);
    store_image_destroy(world->redis.saved);
    agenda_clear(&world->agenda);
}

void world_run(struct world *world, int64_t until_us)
{
    enum { CALLS_MAX = 2000000 };
    struct agenda_entry entry;
    int64_t second = world->now_us / SECOND_US;
    int64_t calls = 0;
    while (!world->stopped && world->agenda.count > 0 &&
           world->agenda.heap[0].at_us <= until_us && agenda_take(&world->agenda, &entry)) {
        assert(entry.at_us >= world->now_us);
        world->now_us = entry.at_us;
        if (world->now_us / SECOND_US != second) calls = 0;
        second = world->now_us / SECOND_US;
        if (++calls > CALLS_MAX) {
            world_violation(world, "stuck: time does not pass");
            world->stopped = true;
        }
        entry.call(entry.object, entry.number);
    }
    if (!world->stopped && world->now_us < until_us) world->now_us = until_us;
}

int64_t world_now_ms(const struct world *world)
{
    return world->settings.start_ms + world->now_us / MILLI_US;
}

int64_t world_latency_us(struct world *world, int64_t low_us, int64_t high_us)
{
    return random_between(&world->dice, low_us, high_us);
}

static bool is_bulky(const struct bulk *bulk)
{
    return bulk->key_bytes > RECORD_KEY_BYTES_MAX ||
           bulk->headers * (1 + bulk->header_bytes) > RECORD_HEADERS_BYTES_MAX;
}

void world_send(struct world *world, int32_t shard, const char *text)
{
    world_send_bulk(world, shard, text, &(struct bulk){0});
}

void world_send_bulk(struct world *world, int32_t shard, const char *text,
                     const struct bulk *bulk)
{
    struct broker_header headers[BROKER_INPUT_HEADERS_MAX];
    size_t count = bulk->headers < BROKER_INPUT_HEADERS_MAX ? (size_t)bulk->headers
                                                            : BROKER_INPUT_HEADERS_MAX - 1;
    size_t room = (size_t)(bulk->key_bytes > bulk->header_bytes ? bulk->key_bytes
                                                                : bulk->header_bytes);
    char *bytes = memory_allocate(room + 1, 1);
    memset(bytes, 'x', room);
    for (size_t i = 0; i < count; i++)
        headers[i] = (struct broker_header){"h", {bytes, (size_t)bulk->header_bytes}};
    struct record *record = record_copy(&(struct broker_record){
        .topic = TOPIC_CONTROL,
        .partition = shard,
        .key = {bytes, (size_t)bulk->key_bytes},
        .value = text_of(text),
        .headers = headers,
        .header_count = count});
    free(bytes);
    int64_t offset = cluster_append(world, record);
    assert(offset == (int64_t)world->sent_count[shard]);
    (void)offset;
    world->sent[shard] = memory_grow(world->sent[shard], &world->sent_capacity[shard],
                                     world->sent_count[shard] + 1, sizeof *world->sent[shard]);
    world->sent[shard][world->sent_count[shard]++] =
        (struct sent){world_now_ms(world), memory_copy_text(text, strlen(text)), is_bulky(bulk)};
}

static void put_time(const struct world *world, char text[INSTANT_TEXT_BYTES])
{
    instant_format(world_now_ms(world), text);
}

void world_violation(struct world *world, const char *format, ...)
{
    if (world->violation_count == VIOLATIONS_MAX) return;
    char *text = world->violations[world->violation_count++];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, VIOLATION_BYTES, format, arguments);
    va_end(arguments);
    if (!world->verbose) return;
    char time[INSTANT_TEXT_BYTES];
    put_time(world, time);
    (void)printf("%s VIOLATION %s\n", time, text);
}

void world_trace(struct world *world, const char *format, ...)
{
    if (!world->verbose) return;
    char time[INSTANT_TEXT_BYTES];
    put_time(world, time);
    (void)printf("%s ", time);
    va_list arguments;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)printf("\n");
}
