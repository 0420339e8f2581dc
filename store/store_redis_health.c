#include "store/store_redis_health.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/redis_command.h"
#include "store/redis_connection.h"
#include "store/redis_keys.h"
#include "store/store_redis.h"

enum { FIELDS = 4 };
static const char *const field_names[FIELDS] = {"owner", "state", "still_ms", "clock_ahead_ms"};

static void make_key(struct store *store, int32_t shard, char key[REDIS_KEY_BYTES])
{
    const char *cluster = redis_connection_options(store_redis_connection(store))->cluster;
    redis_key_make_health(key, cluster, shard);
}

static bool send(struct store *store, struct redis_command *command, struct error *error)
{
    bool sent = redis_connection_send(store_redis_connection(store), command, error);
    redis_command_release(command);
    return sent;
}

static bool send_report(struct store *store, const struct shard_report *report,
                        struct error *error)
{
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    make_key(store, report->shard, key);
    redis_command_start(&command, "HSET");
    redis_command_add_text(&command, key);
    redis_command_add_text(&command, field_names[0]);
    redis_command_add_text(&command, report->owner);
    redis_command_add_text(&command, field_names[1]);
    redis_command_add_text(&command, report->state);
    redis_command_add_text(&command, field_names[2]);
    redis_command_add_number(&command, report->still_ms);
    redis_command_add_text(&command, field_names[3]);
    redis_command_add_number(&command, report->clock_ahead_ms);
    if (!send(store, &command, error)) return false;
    struct redis_command expire = {0};
    redis_command_start(&expire, "PEXPIRE");
    redis_command_add_text(&expire, key);
    redis_command_add_number(&expire, SHARD_HEALTH_KEPT_MS);
    return send(store, &expire, error);
}

bool store_redis_put_health(struct store *store, const struct shard_report *reports, size_t count,
                            struct error *error)
{
    struct redis_connection *connection = store_redis_connection(store);
    bool fine = redis_connection_begin(connection, error);
    for (size_t i = 0; i < count && fine; i++) fine = send_report(store, &reports[i], error);
    for (size_t i = 0; i < 2 * count && fine; i++) {
        redisReply *reply = redis_connection_receive(connection, error);
        fine = reply != NULL && redis_reply_check(reply, "health of the shards", error);
        if (reply != NULL) freeReplyObject(reply);
    }
    if (!fine) redis_connection_drain(connection);
    return fine;
}

static const char *field(const redisReply *reply, size_t index)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != FIELDS) return "";
    const redisReply *element = reply->element[index];
    return element->type == REDIS_REPLY_STRING ? element->str : "";
}

static void read_report(const redisReply *reply, int32_t shard, struct shard_report *report)
{
    *report = (struct shard_report){.shard = shard};
    (void)snprintf(report->owner, sizeof report->owner, "%s", field(reply, 0));
    (void)snprintf(report->state, sizeof report->state, "%s", field(reply, 1));
    report->still_ms = strtoll(field(reply, 2), NULL, 10);
    report->clock_ahead_ms = strtoll(field(reply, 3), NULL, 10);
}

bool store_redis_read_health(struct store *store, int32_t shards, struct shard_report *reports,
                             struct error *error)
{
    assert(shards > 0 && shards <= SHARDS_MAX);
    struct redis_connection *connection = store_redis_connection(store);
    bool fine = redis_connection_begin(connection, error);
    for (int32_t shard = 0; shard < shards && fine; shard++) {
        char key[REDIS_KEY_BYTES];
        struct redis_command command = {0};
        make_key(store, shard, key);
        redis_command_start(&command, "HMGET");
        redis_command_add_text(&command, key);
        for (int i = 0; i < FIELDS; i++) redis_command_add_text(&command, field_names[i]);
        fine = send(store, &command, error);
    }
    for (int32_t shard = 0; shard < shards && fine; shard++) {
        redisReply *reply = redis_connection_receive(connection, error);
        fine = reply != NULL && redis_reply_check(reply, "health of a shard", error);
        if (fine) read_report(reply, shard, &reports[shard]);
        if (reply != NULL) freeReplyObject(reply);
    }
    if (!fine) redis_connection_drain(connection);
    return fine;
}
