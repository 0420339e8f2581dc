/* checkpoint_store.h - the checkpoint port of one shard on Redis: reads through a connection of
 * its own while the shard is taken over, writes through the process's store writer. */
#ifndef BELFRY_DAEMON_CHECKPOINT_STORE_H
#define BELFRY_DAEMON_CHECKPOINT_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/engine/checkpoint_port.h"
#include "store/redis_options.h"
#include "store/store_writer.h"

/* A port for the shard's thread; everything given is borrowed.
 *   claimed  while it is false this Redis is not known to be ours: nothing is read or written
 * End it with checkpoint_store_destroy(), which gives up an answer that is still to come. */
struct checkpoint_port *checkpoint_store_create(struct store_writer *writer,
                                                const struct store_redis_options *redis,
                                                const atomic_bool *claimed, int32_t shard);
void checkpoint_store_destroy(struct checkpoint_port *port);

#endif
