/* redis_keys.h - names of the keys of a shard. All keys of a shard carry its number in braces,
 * so that a Redis Cluster keeps them on one node. */
#ifndef BELFRY_STORE_REDIS_KEYS_H
#define BELFRY_STORE_REDIS_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* In the order in which write.lua expects them. */
enum redis_key {
    REDIS_KEY_JOBS,           /* hash: group/id -> JSON of the job */
    REDIS_KEY_SEEN,           /* hash: sequence -> remembered command ids */
    REDIS_KEY_GROUPS,         /* sorted set, all scores 0: group/id */
    REDIS_KEY_SUPER_GROUPS,   /* sorted set, all scores 0: super_group/group/id */
    REDIS_KEY_SUPER_GROUP_OF, /* hash: group/id -> super group, of jobs that have one */
    REDIS_KEY_RUNS,           /* hash: k -> JSON of an open run */
    REDIS_KEY_NEW,            /* from here on the same six of an unfinished rewrite */
    REDIS_KEY_SNAPSHOT = REDIS_KEY_NEW + REDIS_KEY_NEW, /* hash: where the shard stands */
    REDIS_KEY_WRITER,         /* hash: who writes, and how far in an unfinished group */
    REDIS_KEY_COUNT
};

enum { REDIS_KEY_BYTES = 256 };

struct redis_keys {
    char text[REDIS_KEY_COUNT][REDIS_KEY_BYTES];
};

/* cluster: a valid name, see store_redis_options_check(). shard: 0 to SHARDS_MAX - 1. */
void redis_keys_make(struct redis_keys *keys, const char *cluster, int32_t shard);

/* One key of a shard. */
void redis_key_make(char text[REDIS_KEY_BYTES], const char *cluster, int32_t shard,
                    enum redis_key key);

/* The record of the whole cluster. */
void redis_key_make_meta(char text[REDIS_KEY_BYTES], const char *cluster);

/* What its owner says of a shard; not among the keys of the checkpoint. */
void redis_key_make_health(char text[REDIS_KEY_BYTES], const char *cluster, int32_t shard);

#endif
