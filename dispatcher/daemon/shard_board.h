/* shard_board.h - how this process and its shards are, for threads that are not the daemon's: it
 * writes here in each turn of its loop, others read the last of it. Lives as long as the process,
 * and so through several lives of the daemon. */
#ifndef BELFRY_DAEMON_SHARD_BOARD_H
#define BELFRY_DAEMON_SHARD_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/daemon/shard_fleet.h"
#include "lib/base/limits.h"

enum { TZ_VERSION_BYTES = 32 };

struct board_state {
    bool ready;  /* the group has answered, in this life of the daemon */
    bool aside;  /* it has left the group for a while */
    bool ending;
    bool redis_claimed; /* Redis was seen, and is ours */
    int32_t wanted;     /* shards that are ours by the group's word; the board counts them */
    char owner[OWNER_BYTES_MAX + 1];
    char tz_version[TZ_VERSION_BYTES];
};

struct shard_board;

struct shard_board *shard_board_create(int32_t shards);
void shard_board_destroy(struct shard_board *board);

int32_t shard_board_shards(const struct shard_board *board); /* of the cluster */

/* By the daemon's thread. `state` without the number of shards; fleet NULL: no shard is ours. */
void shard_board_publish(struct shard_board *board, const struct board_state *state,
                         const struct shard_fleet *fleet);

/* By any thread. Only the daemon's thread and readers use the lock, and only to copy.
 *   statuses  by shard, room for all of the cluster's; NULL: they are not wanted */
void shard_board_read(struct shard_board *board, struct board_state *state,
                      struct shard_status *statuses);

#endif
