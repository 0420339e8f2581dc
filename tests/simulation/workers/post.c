/* Reports on their way to `runs`: they wait for Kafka, get lost, come late, twice, unanswered. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/workers/inside.h"

#define POST_LIMIT_US (30 * SECOND_US)
#define POST_WAY_US (20 * MILLI_US)
enum { VALUE_BYTES = 700 };

struct post {
    struct worker *worker;
    uint64_t life;
    char token[WORK_TOKEN_BYTES];
    enum post_kind kind;
    enum post_fate fate;
    int32_t shard;
    bool held; /* it has not left its worker */
    int64_t sent_us; /* by the worker's clock */
    int64_t give_up_us;
    int64_t appended_ms;
    char value[VALUE_BYTES];
};

static struct world *world_of(const struct post *post)
{
    return post->worker->crew->world;
}

static bool same_life(const struct post *post)
{
    return post->worker->running && post->worker->life == post->life;
}

void post_append(struct world *world, int32_t shard, const char *value)
{
    (void)cluster_append(world, record_copy(&(struct broker_record){.topic = TOPIC_RUNS,
                                                                     .partition = shard,
                                                                     .value = text_of(value)}));
}

static void post_arrives(void *object, int64_t number);

/* Its worker is told that it did not get through, and says it again where it must. */
static void post_failed(void *object, int64_t number)
{
    struct post *post = object;
    struct world *world = world_of(post);
    struct task *task = NULL;
    if (same_life(post) && post->worker->frozen_until_us > world->now_us) {
        agenda_add(&world->agenda, post->worker->frozen_until_us + 1, post_failed, post, number);
        return;
    }
    if (same_life(post) && post->kind == POST_FINAL) {
        post->fate = POST_WELL;
        post->give_up_us = world->now_us + POST_LIMIT_US;
        agenda_add(&world->agenda, world->now_us + POST_WAY_US, post_arrives, post, number);
        return;
    }
    if (same_life(post) && post->kind == POST_STARTED)
        task = worker_task(post->worker, post->token);
    if (task != NULL && task->state == TASK_SAID) {
        task->state = TASK_READ;
        worker_wake(post->worker, world->now_us);
    }
    free(post);
}

static void post_answered(void *object, int64_t number)
{
    struct post *post = object;
    struct worker *worker = post->worker;
    struct world *world = world_of(post);
    int64_t from_us = worker->frozen_until_us > worker->cut_off_until_us
                          ? worker->frozen_until_us : worker->cut_off_until_us;
    if (same_life(post) && from_us > world->now_us) {
        agenda_add(&world->agenda, from_us + 1, post_answered, post, number);
        return;
    }
    struct task *task = same_life(post) ? worker_task(worker, post->token) : NULL;
    if (task != NULL && post->kind == POST_STARTED)
        claim_heard(worker, task, post->sent_us, post->appended_ms);
    else if (task != NULL && post->kind == POST_RUNNING && post->sent_us > task->sent_us)
        task->sent_us = post->sent_us;
    free(post);
}

static void append(struct post *post)
{
    struct world *world = world_of(post);
    struct record *record = record_copy(&(struct broker_record){.topic = TOPIC_RUNS,
                                                                 .partition = post->shard,
                                                                 .value = text_of(post->value)});
    (void)cluster_append(world, record);
    post->appended_ms = record->time_ms;
}

/* The same once more, and nobody waits for an answer. */
static void append_again(const struct post *post)
{
    struct world *world = world_of(post);
    struct post *again = memory_allocate(1, sizeof *again);
    *again = *post;
    again->life = 0;
    again->fate = POST_WELL;
    agenda_add(&world->agenda, world->now_us + workers_between(world, 1, 30 * SECOND_US),
               post_arrives, again, 0);
}

static void post_arrives(void *object, int64_t number)
{
    struct post *post = object;
    struct worker *worker = post->worker;
    struct world *world = world_of(post);
    int64_t away_us = world->kafka_down_until_us;
    if (world->leader_bad_until_us[post->shard] > away_us)
        away_us = world->leader_bad_until_us[post->shard];
    if (same_life(post) && worker->cut_off_until_us > away_us) away_us = worker->cut_off_until_us;
    bool gone = post->held && !same_life(post); /* it never left */
    if (!gone && away_us > world->now_us && world->now_us < post->give_up_us) {
        post->held = true;
        agenda_add(&world->agenda, away_us < post->give_up_us ? away_us : post->give_up_us,
                   post_arrives, post, number);
        return;
    }
    if (gone || away_us > world->now_us || post->fate == POST_LOST) {
        agenda_add(&world->agenda, world->now_us + 1, post_failed, post, number);
        return;
    }
    append(post);
    if (post->fate == POST_TWICE) append_again(post);
    if (post->fate == POST_UNANSWERED)
        agenda_add(&world->agenda, world->now_us + POST_LIMIT_US, post_failed, post, number);
    else
        agenda_add(&world->agenda, world->now_us + workers_between(world, 300, POST_WAY_US),
                   post_answered, post, number);
}

static enum post_fate next_fate(struct worker *worker)
{
    if (worker->post_count <= 0) return POST_WELL;
    worker->post_count--;
    world_of(&(struct post){.worker = worker})->sometimes.count[SOMETIMES_REPORT_ASTRAY]++;
    return worker->post_fate;
}

void post_send(struct worker *worker, const struct task *task, enum post_kind kind,
               const char *word, const char *more)
{
    struct world *world = worker->crew->world;
    struct post *post = memory_allocate(1, sizeof *post);
    *post = (struct post){.worker = worker,
                          .life = worker->life,
                          .kind = kind,
                          .fate = next_fate(worker),
                          .shard = task->shard,
                          .sent_us = worker_clock_us(worker),
                          .give_up_us = world->now_us + POST_LIMIT_US};
    memcpy(post->token, task->token, sizeof post->token);
    int length = snprintf(post->value, sizeof post->value,
                          "{\"run\":\"%s\",\"runnumber\":\"%lld\",\"report\":\"%s\","
                          "\"token\":\"%s\",\"worker\":\"worker-%d\",\"workers\":\"%s\"%s}",
                          task->run, (long long)task->runnumber, word, task->token,
                          (int)worker->index, crew_name(worker->crew->index), more);
    assert(length > 0 && length < VALUE_BYTES);
    (void)length;
    int64_t way_us = workers_between(world, 500, POST_WAY_US);
    if (post->fate == POST_LATE) {
        way_us += worker->post_ms * MILLI_US;
        post->give_up_us += way_us;
    }
    agenda_add(&world->agenda, world->now_us + way_us, post_arrives, post, 0);
}

void posts_drop(struct world *world)
{
    for (size_t i = 0; i < world->agenda.count; i++) {
        agenda_call *call = world->agenda.heap[i].call;
        if (call == post_arrives || call == post_answered || call == post_failed)
            free(world->agenda.heap[i].object);
    }
}
