/* route.h - which shards a command concerns. */
#ifndef BELFRY_MODEL_ROUTE_H
#define BELFRY_MODEL_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/limits.h"
#include "lib/model/command.h"

struct route {
    int32_t count;
    uint8_t shard[SHARDS_MAX]; /* 1: concerned */
};

/* shard(group) = murmur2(group) mod shards, as Kafka's default partitioner in Java. */
int32_t shard_of_group(struct text group, int32_t shards);

/* The shard that reports a job which could not be read: its group's, or the one it was sent to. */
int32_t refused_job_shard(const struct refused_job *refused, int32_t sent_to, int32_t shards);

/* Whether the command can be applied by so many shards.
 *   errors  ERROR_INVALID, expect_needs_groups: only jobs of one shard are counted together */
bool command_check_route(const struct command *command, const struct route *route,
                         struct error *error);

/* Jobs and group selectors name their shards; any other selector can match on all of them; a
 * ping concerns the shard it was sent to. */
void command_route(const struct command *command, int32_t sent_to, int32_t shards,
                   struct route *route);

#endif
