#include "store/store_redis_admin.h"

#include <assert.h>

#include "store/redis_command.h"
#include "store/redis_connection.h"
#include "store/redis_keys.h"
#include "store/redis_snapshot.h"
#include "store/store_redis.h"

static const char *cluster_of(struct store *store)
{
    return redis_connection_options(store_redis_connection(store))->cluster;
}

/* Sends a command whose answer is a number, which may be left out. */
static bool call(struct store *store, struct redis_command *command, int64_t *number,
                 struct error *error)
{
    redisReply *reply = redis_connection_call(store_redis_connection(store), command, error);
    redis_command_release(command);
    if (reply == NULL) return false;
    if (number != NULL) *number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    freeReplyObject(reply);
    return true;
}

bool store_redis_forget_shard(struct store *store, int32_t shard, struct error *error)
{
    assert(store != NULL);
    struct redis_keys keys;
    char health[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    redis_keys_make(&keys, cluster_of(store), shard);
    redis_key_make_health(health, cluster_of(store), shard);
    redis_command_start(&command, "UNLINK");
    for (int i = 0; i < REDIS_KEY_COUNT; i++) redis_command_add_text(&command, keys.text[i]);
    redis_command_add_text(&command, health);
    return call(store, &command, NULL, error);
}

bool store_redis_forget_snapshot(struct store *store, int32_t shard, struct error *error)
{
    assert(store != NULL);
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    redis_key_make(key, cluster_of(store), shard, REDIS_KEY_SNAPSHOT);
    redis_command_start(&command, "DEL");
    redis_command_add_text(&command, key);
    return call(store, &command, NULL, error);
}

bool store_redis_rewritten(struct store *store, int32_t shard, int64_t *jobs, struct error *error)
{
    assert(jobs != NULL);
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    redis_key_make(key, cluster_of(store), shard, (enum redis_key)(REDIS_KEY_NEW + REDIS_KEY_JOBS));
    redis_command_start(&command, "HLEN");
    redis_command_add_text(&command, key);
    return call(store, &command, jobs, error);
}

bool store_redis_put_meta(struct store *store, const struct store_meta *meta, struct error *error)
{
    assert(meta != NULL);
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    redis_key_make_meta(key, cluster_of(store));
    redis_command_start(&command, "HSET");
    redis_command_add_text(&command, key);
    redis_command_add_text(&command, "layout");
    redis_command_add_number(&command, meta->layout);
    redis_command_add_text(&command, "shards");
    redis_command_add_number(&command, meta->shards);
    redis_command_add_text(&command, "kafka_cluster_id");
    redis_command_add_text(&command, meta->kafka_cluster_id);
    return call(store, &command, NULL, error);
}

bool store_redis_put_defaults(struct store *store, const struct store_defaults *defaults,
                              struct error *error)
{
    assert(defaults != NULL);
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    redis_key_make_meta(key, cluster_of(store));
    redis_command_start(&command, "HSET");
    redis_command_add_text(&command, key);
    redis_command_add_text(&command, "misfire_grace_ms");
    redis_command_add_number(&command, defaults->misfire_grace_ms);
    redis_command_add_text(&command, "keep_finished_ms");
    redis_command_add_number(&command, defaults->keep_finished_ms);
    return call(store, &command, NULL, error);
}

static bool number_of(const redisReply *reply, int64_t *number)
{
    return reply->type == REDIS_REPLY_STRING && redis_number_read(reply->str, reply->len, number) &&
           *number >= 0;
}

bool store_redis_read_defaults(struct store *store, struct store_defaults *defaults, bool *found,
                               struct error *error)
{
    assert(defaults != NULL && found != NULL);
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    redis_key_make_meta(key, cluster_of(store));
    redis_command_start(&command, "HMGET");
    redis_command_add_text(&command, key);
    redis_command_add_text(&command, "misfire_grace_ms");
    redis_command_add_text(&command, "keep_finished_ms");
    redisReply *reply = redis_connection_call(store_redis_connection(store), &command, error);
    redis_command_release(&command);
    *found = false;
    if (reply == NULL) return false;
    *found = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
             number_of(reply->element[0], &defaults->misfire_grace_ms) &&
             number_of(reply->element[1], &defaults->keep_finished_ms);
    freeReplyObject(reply);
    return true;
}
