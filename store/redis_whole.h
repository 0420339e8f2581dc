/* redis_whole.h - reads a shard's snapshot together with how much of the shard is there. */
#ifndef BELFRY_STORE_REDIS_WHOLE_H
#define BELFRY_STORE_REDIS_WHOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/redis_connection.h"
#include "store/store.h"

/* The questions go out together, so that hardly ever a write comes between them. Within a call
 * begun with redis_connection_begin(). */
bool redis_whole_send(struct redis_connection *connection, int32_t shard, struct error *error)
    __attribute__((warn_unused_result));

/* Their answers. *between: the shard was written meanwhile, so that a count may differ from what
 * the snapshot says although nothing is lost. Errors: as redis_snapshot_read(); the connection is
 * in order. */
bool redis_whole_receive(struct redis_connection *connection, struct snapshot *snapshot,
                         bool *found, bool *between, struct error *error)
    __attribute__((warn_unused_result));

/* Both, again while a writer comes between. */
bool redis_whole_read(struct redis_connection *connection, int32_t shard, struct snapshot *snapshot,
                      bool *found, struct error *error) __attribute__((warn_unused_result));

#endif
