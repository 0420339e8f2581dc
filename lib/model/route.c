#include "lib/model/route.h"

#include <assert.h>
#include <string.h>

#include "lib/base/hash.h"

int32_t shard_of_group(struct text group, int32_t shards)
{
    assert(shards > 0 && shards <= SHARDS_MAX);
    return (int32_t)shard_of_key(group.bytes, group.length, (uint32_t)shards);
}

static void route_add(struct route *route, int32_t shard)
{
    route->count += route->shard[shard] == 0;
    route->shard[shard] = 1;
}

int32_t refused_job_shard(const struct refused_job *refused, int32_t sent_to, int32_t shards)
{
    return refused->group.length > 0 ? shard_of_group(refused->group, shards) : sent_to;
}

bool command_check_route(const struct command *command, const struct route *route,
                         struct error *error)
{
    if (command->expect < 0 || route->count <= 1) return true;
    (void)error_invalid(error, CODE_EXPECT_NEEDS_GROUPS,
                        "'expect' needs jobs of one shard, these are on %d; send one command for "
                        "each group, or leave 'expect' out",
                        (int)route->count);
    return error_at(error, "/expect");
}

void command_route(const struct command *command, int32_t sent_to, int32_t shards,
                   struct route *route)
{
    assert(sent_to >= 0 && sent_to < shards);
    memset(route, 0, sizeof *route);
    if (command_op_target(command->op) == TARGET_NONE && !command->select.given) {
        route_add(route, sent_to);
        return;
    }
    for (size_t i = 0; i < command->job_count; i++)
        route_add(route, shard_of_group(command->jobs[i].group, shards));
    for (size_t i = 0; i < command->refused_count; i++)
        route_add(route, refused_job_shard(&command->refused[i], sent_to, shards));
    if (!command->select.given) return;
    for (size_t i = 0; i < command->select.group_count; i++)
        route_add(route, shard_of_group(command->select.groups[i], shards));
    if (command->select.group_count > 0) return;
    for (int32_t shard = 0; shard < shards; shard++) route_add(route, shard);
}
