/* shard_wakes.h - wakes the shards of this process by number, from any thread; a shard that is
 * gone is not woken. */
#ifndef BELFRY_DAEMON_SHARD_WAKES_H
#define BELFRY_DAEMON_SHARD_WAKES_H

#include <stdint.h>

#include "dispatcher/engine/broker.h"

struct shard_wakes;

struct shard_wakes *shard_wakes_create(int32_t shards);
void shard_wakes_destroy(struct shard_wakes *wakes);

/* From now on wakes of the shard go to its Kafka broker; NULL: to nobody. Borrowed until then. */
void shard_wakes_set(struct shard_wakes *wakes, int32_t shard, struct broker *broker);

/* Fits store_writer_notify: `wakes` is a struct shard_wakes. */
void shard_wakes_wake(void *wakes, int32_t shard);

#endif
