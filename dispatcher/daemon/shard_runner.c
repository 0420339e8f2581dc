#include "dispatcher/daemon/shard_runner.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/daemon/checkpoint_store.h"
#include "dispatcher/daemon/watch_ports.h"
#include "dispatcher/kafka/broker_kafka.h"
#include "lib/base/memory.h"

enum { THREAD_NAME_BYTES = 32 /* SHARDS_MAX keeps it below the kernel's 16 */ };

struct shard_runner {
    const struct shard_site *site;
    int32_t shard;
    struct loop *loop;
    struct broker *broker; /* what the engine uses: a decorator */
    struct checkpoint_port *checkpoint;
    struct checkpoint_port *watch_checkpoint; /* the same of it */
    struct engine *engine;
    pthread_t thread;
    bool ending;
    bool failed;        /* written by the thread before `ended` */
    struct error error; /* likewise */
    atomic_bool ended;
};

static void *run(void *argument)
{
    struct shard_runner *runner = argument;
    loop_enter(runner->loop, LOOP_STEP);
    runner->failed = !engine_run(runner->engine, &runner->error);
    loop_rest(runner->loop);
    atomic_store(&runner->ended, true);
    kafka_cluster_wake(runner->site->kafka);
    return NULL;
}

static void release(struct shard_runner *runner)
{
    const struct shard_site *site = runner->site;
    shard_wakes_set(site->wakes, runner->shard, NULL);
    engine_destroy(runner->engine);
    watch_checkpoint_destroy(runner->watch_checkpoint);
    checkpoint_store_destroy(runner->checkpoint);
    if (runner->broker != NULL) runner->broker->operations->destroy(runner->broker);
    free(runner);
}

/* Ports, watched and with the fault points, and the engine on them. */
static bool build(struct shard_runner *runner, struct own_commit *own_commit,
                  struct error *error)
{
    const struct shard_site *site = runner->site;
    struct broker *kafka = broker_kafka_create(site->kafka, runner->shard, error);
    if (kafka == NULL) return false;
    runner->loop = loop_watch_shard(site->watch, runner->shard);
    runner->broker = watch_broker_create(kafka, runner->loop, site->fault);
    runner->checkpoint = checkpoint_store_create(site->writer, site->redis, site->redis_claimed,
                                                 runner->shard);
    runner->watch_checkpoint =
        watch_checkpoint_create(runner->checkpoint, runner->loop, site->fault);
    struct engine_options options = site->options;
    options.shard = runner->shard;
    struct engine_ports ports = {
        .broker = runner->broker,
        .checkpoint = runner->watch_checkpoint,
        .clock = site->clock,
        .observer = site->observer,
        .own_commit = own_commit,
    };
    runner->engine = engine_create(&options, &ports);
    shard_wakes_set(site->wakes, runner->shard, kafka);
    return true;
}

struct shard_runner *shard_runner_start(const struct shard_site *site, int32_t shard,
                                        struct own_commit *own_commit, struct error *error)
{
    assert(site != NULL && site->kafka != NULL);
    assert(shard >= 0 && shard < site->options.shards);
    struct shard_runner *runner = memory_allocate(1, sizeof *runner);
    runner->site = site;
    runner->shard = shard;
    if (!build(runner, own_commit, error)) {
        release(runner);
        return NULL;
    }
    int failed = pthread_create(&runner->thread, NULL, run, runner);
    if (failed != 0) {
        error_set(error, ERROR_RETRY, "shard %d: no thread: %s", (int)shard, strerror(failed));
        release(runner);
        return NULL;
    }
    char name[THREAD_NAME_BYTES];
    (void)snprintf(name, sizeof name, "shard-%d", (int)shard);
    (void)pthread_setname_np(runner->thread, name);
    return runner;
}

void shard_runner_wish(struct shard_runner *runner, enum engine_wish wish)
{
    assert(runner != NULL);
    assert(wish != ENGINE_RUN);
    runner->ending = true;
    engine_wish(runner->engine, wish);
    shard_wakes_wake(runner->site->wakes, runner->shard);
}

bool shard_runner_ending(const struct shard_runner *runner)
{
    assert(runner != NULL);
    return runner->ending;
}

void shard_runner_assigned(struct shard_runner *runner)
{
    assert(runner != NULL);
    assert(!runner->ending);
    engine_assigned(runner->engine);
    shard_wakes_wake(runner->site->wakes, runner->shard);
}

struct engine_status shard_runner_status(const struct shard_runner *runner)
{
    assert(runner != NULL);
    return engine_status(runner->engine);
}

bool shard_runner_ended(const struct shard_runner *runner)
{
    assert(runner != NULL);
    return atomic_load(&runner->ended);
}

bool shard_runner_finish(struct shard_runner *runner, struct error *error)
{
    assert(runner != NULL);
    (void)pthread_join(runner->thread, NULL);
    assert(atomic_load(&runner->ended));
    bool failed = runner->failed;
    if (failed && error != NULL) *error = runner->error;
    release(runner);
    return !failed;
}
