#include "tests/simulation/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/world/port_broker.h"

enum { SEEDS = 100, TEXT_BYTES = 200 };

struct trial {
    struct world *world;
    struct seat *seat;
    struct broker *broker;
    int failures;
};

static void expect(struct trial *trial, bool holds, const char *what, int line)
{
    if (holds) return;
    trial->failures++;
    (void)fprintf(stderr, "simulate: ports.c:%d: seed %llu: %s\n", line,
                  (unsigned long long)trial->world->seed, what);
}
#define EXPECT(condition) expect(trial, condition, #condition, __LINE__)

static void pass(struct trial *trial, int64_t for_us)
{
    world_run(trial->world, trial->world->now_us + for_us);
}

/* No engine is in it: who tries the ports is not in a coroutine, and waits by letting time pass. */
static void open_trial(struct trial *trial, uint64_t seed)
{
    const struct settings settings = {.shards = 2, .processes = 1, .start_ms = 1795294674123};
    *trial = (struct trial){.world = memory_allocate(1, sizeof *trial->world)};
    world_open(trial->world, seed, &settings);
    struct process *process = &trial->world->processes[0];
    process->running = true;
    trial->seat = &process->slots[1];
    trial->seat->world = trial->world;
    trial->seat->process = process;
    trial->seat->shard = 1;
    trial->broker = broker_simulated_create(trial->seat);
}

static int close_trial(struct trial *trial)
{
    trial->broker->operations->destroy(trial->broker);
    trial->world->processes[0].running = false;
    world_close(trial->world);
    free(trial->world);
    return trial->failures;
}

static bool tick(struct trial *trial, const char *value)
{
    struct error error = {0};
    bool sent = trial->broker->operations->tick(trial->broker, text_of(value), &error);
    EXPECT(sent == (error.kind == ERROR_NONE));
    return sent;
}

/* The values of what is read of runs from the offset on, joined by blanks. */
static const char *read_runs(struct trial *trial, int64_t offset, char text[TEXT_BYTES])
{
    const struct broker_operations *operations = trial->broker->operations;
    struct error error = {0};
    struct broker_input input;
    size_t used = 0;
    text[0] = '\0';
    EXPECT(operations->start_reading(trial->broker, TOPIC_RUNS, offset, &error));
    pass(trial, SECOND_US);
    do {
        EXPECT(operations->poll(trial->broker, 0, &input, &error));
        if (input.kind != BROKER_RECORD) continue;
        used += (size_t)snprintf(text + used, TEXT_BYTES - used, "%s%.*s", used == 0 ? "" : " ",
                                 (int)input.value.length, input.value.bytes);
    } while (input.kind == BROKER_RECORD);
    operations->stop_reading(trial->broker, TOPIC_RUNS);
    return text;
}

static int64_t end_of_runs(const struct trial *trial)
{
    return cluster_log(&trial->world->cluster, TOPIC_RUNS, 1)->next_offset;
}

#define EXPECT_RUNS(from, values)                                                                  \
    do {                                                                                           \
        char text[TEXT_BYTES];                                                                     \
        const char *read = read_runs(trial, from, text);                                           \
        if (strcmp(read, values) != 0) (void)fprintf(stderr, "read: %s\n", read);                  \
        EXPECT(strcmp(read, values) == 0);                                                         \
    } while (false)

/* ---- ticks ---- */

static void ticks_come_well(struct trial *trial)
{
    EXPECT(tick(trial, "a"));
    EXPECT(end_of_runs(trial) == 0); /* nobody waits for it */
    pass(trial, SECOND_US);
    EXPECT(tick(trial, "b"));
    pass(trial, SECOND_US);
    EXPECT_RUNS(0, "a b");
    EXPECT_RUNS(1, "b");
}

static void ticks_go_wrong(struct trial *trial)
{
    struct world *world = trial->world;
    world->tick_fate[1] = TICK_LOST;
    EXPECT(tick(trial, "lost"));
    pass(trial, 10 * SECOND_US);
    EXPECT(!tick(trial, "not sent")); /* it hears of the one before */
    EXPECT(tick(trial, "c"));
    pass(trial, SECOND_US);
    EXPECT_RUNS(0, "c");
    world->tick_fate[1] = TICK_LATE;
    EXPECT(tick(trial, "late"));
    EXPECT(tick(trial, "d"));
    pass(trial, MINUTE_US);
    EXPECT_RUNS(1, "d late");
    world->tick_fate[1] = TICK_TWICE;
    EXPECT(tick(trial, "e"));
    pass(trial, MINUTE_US);
    EXPECT_RUNS(3, "e e");
    EXPECT(tick(trial, "f")); /* nothing of it is left */
    pass(trial, SECOND_US);
    EXPECT_RUNS(5, "f");
}

static void ticks_wait_for_kafka(struct trial *trial)
{
    struct world *world = trial->world;
    world->kafka_down_until_us = world->now_us + 2 * SECOND_US; /* and no group hears of it */
    EXPECT(tick(trial, "held"));
    pass(trial, SECOND_US);
    EXPECT(end_of_runs(trial) == 0);
    pass(trial, 2 * SECOND_US);
    EXPECT_RUNS(0, "held");
    world->kafka_down_until_us = world->now_us + MINUTE_US;
    EXPECT(tick(trial, "given up"));
    pass(trial, 2 * MINUTE_US);
    EXPECT(end_of_runs(trial) == 1);
    EXPECT(!tick(trial, "not sent"));
    world->processes[0].cut_off_until_us = world->now_us + SECOND_US;
    EXPECT(tick(trial, "cut off"));
    pass(trial, MINUTE_US);
    EXPECT(end_of_runs(trial) == 1);
}

static void an_open_transaction_hides_them(struct trial *trial)
{
    struct log *log = cluster_log(&trial->world->cluster, TOPIC_RUNS, 1);
    log->open[log->open_count++] = (struct open_transaction){1, log->next_offset};
    EXPECT(tick(trial, "hidden"));
    EXPECT_RUNS(0, "");
    log->open_count--;
    EXPECT_RUNS(0, "hidden");
}

/* ---- the question ---- */

static bool ask(struct trial *trial, const char *group)
{
    const struct broker_place places[] = {{"orders", 0, 0}, {"orders", 1, 0}};
    struct error error = {0};
    return trial->broker->operations->ask_committed(trial->broker, group, places, 2, &error);
}

static enum broker_answer answer(struct trial *trial, int64_t committed[2], enum error_kind *kind)
{
    struct broker_place places[] = {{"orders", 1, -9}, {"orders", 0, -9}}; /* another order */
    struct error error = {0};
    enum broker_answer answer =
        trial->broker->operations->committed(trial->broker, places, 2, &error);
    committed[0] = places[1].committed;
    committed[1] = places[0].committed;
    *kind = error.kind;
    return answer;
}

static void questions_are_answered(struct trial *trial)
{
    int64_t committed[2];
    enum error_kind kind;
    EXPECT(answer(trial, committed, &kind) == BROKER_UNASKED);
    cluster_commit_offset(trial->world, "workers", "orders", 1, 17);
    EXPECT(ask(trial, "workers"));
    EXPECT(answer(trial, committed, &kind) == BROKER_ASKED);
    pass(trial, SECOND_US);
    EXPECT(answer(trial, committed, &kind) == BROKER_ANSWERED);
    EXPECT(committed[0] == -1 && committed[1] == 17);
    EXPECT(answer(trial, committed, &kind) == BROKER_UNASKED);
    cluster_commit_offset(trial->world, "workers", "orders", 1, 3); /* somebody has set it back */
    cluster_commit_offset(trial->world, "others", "orders", 0, 5);
    EXPECT(ask(trial, "others"));
    EXPECT(ask(trial, "workers")); /* in its place */
    pass(trial, SECOND_US);
    EXPECT(answer(trial, committed, &kind) == BROKER_ANSWERED);
    EXPECT(committed[0] == -1 && committed[1] == 3);
    EXPECT(!ask(trial, ""));
    EXPECT(answer(trial, committed, &kind) == BROKER_UNASKED);
}

static void questions_go_wrong(struct trial *trial)
{
    struct world *world = trial->world;
    int64_t committed[2];
    enum error_kind kind;
    world->question_fate[1] = QUESTION_UNHEARD;
    EXPECT(ask(trial, "workers"));
    pass(trial, 4 * SECOND_US);
    EXPECT(answer(trial, committed, &kind) == BROKER_ASKED);
    pass(trial, 2 * SECOND_US);
    EXPECT(answer(trial, committed, &kind) == BROKER_UNANSWERED && kind == ERROR_RETRY);
    EXPECT(committed[0] == -9 && committed[1] == -9);
    world->question_fate[1] = QUESTION_DENIED;
    EXPECT(ask(trial, "workers"));
    pass(trial, SECOND_US);
    EXPECT(answer(trial, committed, &kind) == BROKER_UNANSWERED && kind == ERROR_FATAL);
    world->question_fate[1] = QUESTION_PARTLY;
    EXPECT(ask(trial, "workers"));
    pass(trial, SECOND_US);
    EXPECT(answer(trial, committed, &kind) == BROKER_ANSWERED);
    EXPECT(committed[0] == BROKER_COMMITTED_UNKNOWN && committed[1] == BROKER_COMMITTED_NONE);
    world->question_fate[1] = QUESTION_STALE;
    EXPECT(ask(trial, "workers"));
    pass(trial, SECOND_US / 2);
    cluster_commit_offset(world, "workers", "orders", 0, 8);
    pass(trial, 4 * SECOND_US + SECOND_US / 4);
    EXPECT(answer(trial, committed, &kind) == BROKER_ANSWERED && committed[0] == -1);
    world->kafka_down_until_us = world->now_us + MINUTE_US;
    EXPECT(ask(trial, "workers"));
    pass(trial, 6 * SECOND_US);
    EXPECT(answer(trial, committed, &kind) == BROKER_UNANSWERED && kind == ERROR_RETRY);
}

/* What a process that was killed had asked is nothing to the next one. */
static void an_answer_finds_nobody(struct trial *trial)
{
    int64_t committed[2];
    enum error_kind kind;
    EXPECT(ask(trial, "workers"));
    struct broker *next = broker_simulated_create(trial->seat);
    trial->broker->operations->destroy(trial->broker);
    trial->broker = next;
    pass(trial, SECOND_US);
    EXPECT(answer(trial, committed, &kind) == BROKER_UNASKED);
    EXPECT(ask(trial, "workers")); /* and is on its way when the world ends */
    EXPECT(tick(trial, "on its way"));
}

int ports_check(void)
{
    static void (*const trials[])(struct trial *) = {
        ticks_come_well,        ticks_go_wrong,     ticks_wait_for_kafka,
        an_open_transaction_hides_them, questions_are_answered, questions_go_wrong,
        an_answer_finds_nobody};
    int failures = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
            struct trial trial;
            open_trial(&trial, seed);
            trials[i](&trial);
            failures += close_trial(&trial);
        }
    return failures;
}
