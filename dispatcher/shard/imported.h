/* imported.h - jobs that are added with the incarnation they had elsewhere. */
#ifndef BELFRY_SHARD_IMPORTED_H
#define BELFRY_SHARD_IMPORTED_H

#include <stdbool.h>

#include "dispatcher/shard/shard.h"
#include "lib/model/command.h"

/* taken[i]: job i of the command brings an incarnation that another name has, in the shard or
 * earlier in the command. */
void imported_find_taken(struct shard *shard, const struct command *command, bool *taken);

#endif
