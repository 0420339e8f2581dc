#include "dispatcher/daemon/shard_wakes.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "dispatcher/kafka/broker_kafka.h"
#include "lib/base/memory.h"

struct shard_wakes {
    pthread_mutex_t lock; /* held while waking, so that no broker goes away meanwhile */
    int32_t shards;
    struct broker **brokers; /* by shard */
};

struct shard_wakes *shard_wakes_create(int32_t shards)
{
    assert(shards > 0);
    struct shard_wakes *wakes = memory_allocate(1, sizeof *wakes);
    (void)pthread_mutex_init(&wakes->lock, NULL);
    wakes->shards = shards;
    wakes->brokers = memory_allocate((size_t)shards, sizeof wakes->brokers[0]);
    return wakes;
}

void shard_wakes_destroy(struct shard_wakes *wakes)
{
    if (wakes == NULL) return;
    (void)pthread_mutex_destroy(&wakes->lock);
    free(wakes->brokers);
    free(wakes);
}

void shard_wakes_set(struct shard_wakes *wakes, int32_t shard, struct broker *broker)
{
    assert(wakes != NULL);
    assert(shard >= 0 && shard < wakes->shards);
    (void)pthread_mutex_lock(&wakes->lock);
    wakes->brokers[shard] = broker;
    (void)pthread_mutex_unlock(&wakes->lock);
}

void shard_wakes_wake(void *opaque, int32_t shard)
{
    struct shard_wakes *wakes = opaque;
    assert(wakes != NULL);
    assert(shard >= 0 && shard < wakes->shards);
    (void)pthread_mutex_lock(&wakes->lock);
    if (wakes->brokers[shard] != NULL) broker_kafka_wake(wakes->brokers[shard]);
    (void)pthread_mutex_unlock(&wakes->lock);
}
