/* Workers alone, with no shard there: a fire is started at most once, whatever happens to them, but
 * for what the work log names; nearly all are, and their ends are said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/time/instant.h"
#include "tests/simulation/ports.h"
#include "tests/simulation/workers/workers.h"
#include "tests/simulation/world/json_scan.h"
#include "tests/simulation/world/world.h"

enum { SEEDS = 60, FIRES = 250, TEXT_BYTES = 600, NUMBERS = FIRES + 1 };

struct tried { /* by runnumber */
    int starts;
    int excused;
    bool heard; /* an end was reported, or that it is handed back */
};

static int complain(const struct world *world, int64_t number, const char *what)
{
    (void)fprintf(stderr, "simulate: workers, seed %llu: try %lld %s\n",
                  (unsigned long long)world->seed, (long long)number, what);
    return 1;
}

static void fire(struct world *world, int64_t number)
{
    char value[TEXT_BYTES];
    char expires[INSTANT_TEXT_BYTES];
    char key[16];
    int64_t crew = random_between(&world->dice, 0, CREWS - 1);
    int64_t lease_ms = random_between(&world->dice, 10, 60) * 1000;
    instant_format(world_now_ms(world) + 86400000, expires);
    (void)snprintf(key, sizeof key, "g%d", (int)(number % 7));
    (void)snprintf(value, sizeof value,
                   "{\"source\":\"/belfry/belfry/%d\",\"id\":\"1-0.%d.0@1\",\"subject\":\"%s/1\","
                   "\"leasems\":%lld,\"expirytime\":\"%s\",\"runnumber\":\"%lld\",\"try\":1,"
                   "\"workers\":\"%s\"}",
                   (int)(number % 2), (int)number, key, (long long)lease_ms, expires,
                   (long long)number, crew_name((int32_t)crew));
    struct record *record = record_copy(&(struct broker_record){.topic = TOPIC_FIRES,
                                                                 .partition = -1,
                                                                 .key = text_of(key),
                                                                 .value = text_of(value)});
    (void)cluster_append(world, record);
    workers_fires(world, cluster_fires(&world->cluster, -1, record->partition));
}

/* One harm of all that can be planned. */
static void harm(struct world *world)
{
    int64_t worker = random_between(&world->dice, 0, WORKERS_MAX - 1);
    int64_t ms = random_between(&world->dice, 100, 90000);
    enum worker_harm kind =
        (enum worker_harm)random_between(&world->dice, 0, WORKER_HARM_COUNT - 1);
    switch (random_between(&world->dice, 0, 6)) {
    case 0: worker_harm(world, worker, kind, ms); return;
    case 1:
    case 2:
        worker_harm_at(world, worker,
                       (enum worker_point)random_between(&world->dice, 0, WORKER_POINT_COUNT - 1),
                       kind, ms);
        return;
    case 3:
        worker_posts(world, worker,
                     (enum post_fate)random_between(&world->dice, 0, POST_FATE_COUNT - 1),
                     random_between(&world->dice, 1, 5), ms);
        return;
    case 4:
        worker_offsets(world, worker, (enum offsets_fate)random_between(&world->dice, 0, 3),
                       random_between(&world->dice, 1, 3), ms);
        return;
    case 5: worker_drift(world, worker, random_between(&world->dice, -80000, 80000)); return;
    default:
        if (random_chance(&world->dice, 1, 8)) world_kafka_down(world, ms * MILLI_US);
        else if (random_chance(&world->dice, 1, 8)) workers_set_back(world, worker % CREWS, ms);
        return;
    }
}

static void read_records(const struct world *world, struct tried tried[NUMBERS])
{
    for (size_t i = 0; i < world->work_log.record_count; i++) {
        const struct record *record = world->work_log.records[i].record;
        struct text word = scan_text(record->value, "\"report\":\"");
        int64_t number = scan_number(record->value, "\"runnumber\":\"", 0);
        if (record->topic != TOPIC_RUNS || number < 1 || number > FIRES) continue;
        if (!text_equal(word, text_of("started")) && !text_equal(word, text_of("running")))
            tried[number].heard = true;
    }
}

static int judge(const struct world *world)
{
    struct tried tried[NUMBERS] = {{0}};
    int failures = 0;
    for (size_t i = 0; i < world->work_log.work_count; i++) {
        const struct work *work = &world->work_log.works[i];
        struct tried *one = &tried[work->runnumber];
        one->starts++;
        one->excused += work->limits != 0;
        if (work->end == WORK_GOES_ON) failures += complain(world, work->runnumber, "never ends");
        if (work->end == WORK_DIED) one->heard = true;
    }
    int64_t unsaid = 0;
    read_records(world, tried);
    for (int64_t number = 1; number <= FIRES; number++) {
        const struct tried *one = &tried[number];
        if (one->starts > 1 + one->excused)
            failures += complain(world, number, "is started twice");
        unsaid += one->starts > 0 && !one->heard; /* its worker died while it was on its way */
    }
    if (unsaid > 2) failures += complain(world, unsaid, "were started, and not said to have ended");
    return failures;
}

static int play(uint64_t seed, int64_t *started)
{
    const struct settings settings = {
        .shards = 2, .processes = 1, .start_ms = 1795294674123, .runs = true};
    struct world *world = memory_allocate(1, sizeof *world);
    world_open(world, seed, &settings);
    workers_start(world);
    for (int64_t number = 1; number <= FIRES; number++) {
        fire(world, number);
        if (random_chance(&world->dice, 1, 2)) harm(world);
        world_run(world, world->now_us + random_between(&world->dice, 1, 8 * SECOND_US));
    }
    workers_calm(world);
    world_run(world, workers_calm_us(world) + 30 * MINUTE_US);
    int failures = judge(world);
    *started += (int64_t)world->work_log.work_count;
    world_close(world);
    free(world);
    return failures;
}

int workers_check(void)
{
    int failures = 0;
    int64_t started = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) failures += play(seed, &started);
    if (started < SEEDS * FIRES * 9 / 10) {
        (void)fprintf(stderr, "simulate: workers: %lld programs of %d fires\n",
                      (long long)started, SEEDS * FIRES);
        failures++;
    }
    return failures;
}
