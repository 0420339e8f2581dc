#include "store/redis_keys.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/limits.h"

static_assert(NAME_BYTES_MAX + sizeof ":{1024}:super_group_of:new" <= REDIS_KEY_BYTES,
              "the longest cluster name must fit");

static const char *const key_suffixes[REDIS_KEY_COUNT] = {
    [REDIS_KEY_JOBS] = "jobs",
    [REDIS_KEY_SEEN] = "seen",
    [REDIS_KEY_GROUPS] = "groups",
    [REDIS_KEY_SUPER_GROUPS] = "super_groups",
    [REDIS_KEY_SUPER_GROUP_OF] = "super_group_of",
    [REDIS_KEY_RUNS] = "runs",
    [REDIS_KEY_NEW + REDIS_KEY_JOBS] = "jobs:new",
    [REDIS_KEY_NEW + REDIS_KEY_SEEN] = "seen:new",
    [REDIS_KEY_NEW + REDIS_KEY_GROUPS] = "groups:new",
    [REDIS_KEY_NEW + REDIS_KEY_SUPER_GROUPS] = "super_groups:new",
    [REDIS_KEY_NEW + REDIS_KEY_SUPER_GROUP_OF] = "super_group_of:new",
    [REDIS_KEY_NEW + REDIS_KEY_RUNS] = "runs:new",
    [REDIS_KEY_SNAPSHOT] = "snapshot",
    [REDIS_KEY_WRITER] = "writer",
};

void redis_key_make(char text[REDIS_KEY_BYTES], const char *cluster, int32_t shard,
                    enum redis_key key)
{
    assert(shard >= 0 && shard < SHARDS_MAX);
    assert(key < REDIS_KEY_COUNT);
    int length =
        snprintf(text, REDIS_KEY_BYTES, "%s:{%" PRId32 "}:%s", cluster, shard, key_suffixes[key]);
    assert(length > 0 && length < REDIS_KEY_BYTES);
    (void)length;
}

void redis_keys_make(struct redis_keys *keys, const char *cluster, int32_t shard)
{
    assert(keys != NULL);
    for (int key = 0; key < REDIS_KEY_COUNT; key++)
        redis_key_make(keys->text[key], cluster, shard, (enum redis_key)key);
}

void redis_key_make_meta(char text[REDIS_KEY_BYTES], const char *cluster)
{
    assert(cluster != NULL);
    int length = snprintf(text, REDIS_KEY_BYTES, "%s:meta", cluster);
    assert(length > 0 && length < REDIS_KEY_BYTES);
    (void)length;
}

void redis_key_make_health(char text[REDIS_KEY_BYTES], const char *cluster, int32_t shard)
{
    assert(shard >= 0 && shard < SHARDS_MAX);
    int length = snprintf(text, REDIS_KEY_BYTES, "%s:{%" PRId32 "}:health", cluster, shard);
    assert(length > 0 && length < REDIS_KEY_BYTES);
    (void)length;
}
