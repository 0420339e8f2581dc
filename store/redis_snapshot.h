/* redis_snapshot.h - the records that say where a shard and a cluster stand, as Redis fields. */
#ifndef BELFRY_STORE_REDIS_SNAPSHOT_H
#define BELFRY_STORE_REDIS_SNAPSHOT_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "lib/base/error.h"
#include "store/redis_command.h"
#include "store/store.h"

enum { REDIS_INSTANT_BYTES = 32 };

/* Adds `count, field, value, ...` as write.lua takes them. The command borrows the snapshot's
 * texts and the two buffers. */
void redis_snapshot_add(const struct snapshot *snapshot, char watermark[REDIS_INSTANT_BYTES],
                        char written_at[REDIS_INSTANT_BYTES], struct redis_command *command);

/* Reads the answer to HGETALL. *found false: there is none.
 * Errors: ERROR_FATAL newer layout; ERROR_INVALID a field is missing or unreadable. */
bool redis_snapshot_read(const redisReply *reply, struct snapshot *snapshot, bool *found,
                         struct error *error) __attribute__((warn_unused_result));

/* Reads layout, shards and Kafka cluster id of `<cluster>:meta`, in this order.
 * Errors: ERROR_FATAL, one is missing or unreadable. */
bool redis_meta_read(const redisReply *reply, struct store_meta *meta, struct error *error)
    __attribute__((warn_unused_result));

/* The whole text as a decimal number, "-0" and "+1" and blanks refused. */
bool redis_number_read(const char *text, size_t length, int64_t *number)
    __attribute__((warn_unused_result));

#endif
