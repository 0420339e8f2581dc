#include "store/store_redis.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dispatcher/core/limits.h"
#include "dispatcher/core/memory.h"
#include "redis_scripts.h"
#include "store/redis_command.h"
#include "store/redis_connection.h"
#include "store/redis_keys.h"
#include "store/redis_scan.h"
#include "store/redis_snapshot.h"
#include "store/redis_whole.h"

enum redis_script { SCRIPT_WRITE, SCRIPT_CLAIM_META, SCRIPT_COUNT };
enum { TOKEN_BYTES = 48, WRITE_ARGUMENT_ITEM = 4 };

/* Doubles, in which Lua compares generations and epochs, are exact up to here. */
#define LUA_INTEGER_MAX (INT64_C(1) << 53)

struct store_redis {
    struct store store; /* first: operations find us by it */
    struct redis_connection *connection;
    struct redis_command command;
    uint64_t nonce;        /* tells this store's groups from those of all others */
    uint64_t group_count;  /* groups begun */
    uint64_t *shard_group; /* by shard: the group whose parts are under way, 0 = none */
    size_t shard_capacity;
};

static struct store_redis *own(struct store *store)
{
    assert(store != NULL);
    return (struct store_redis *)store;
}

struct redis_connection *store_redis_connection(struct store *store)
{
    assert(own(store)->connection != NULL);
    return own(store)->connection;
}

static const char *cluster_of(const struct store_redis *redis)
{
    return redis_connection_options(redis->connection)->cluster;
}

static bool redis_claim_meta(struct store *store, const struct store_meta *wanted,
                             struct store_meta *found, struct error *error)
{
    assert(wanted != NULL);
    assert(found != NULL);
    struct store_redis *redis = own(store);
    struct redis_command *command = &redis->command;
    char key[REDIS_KEY_BYTES];
    memset(found, 0, sizeof *found);
    redis_key_make_meta(key, cluster_of(redis));
    if (!redis_connection_begin(redis->connection, error)) return false;
    redis_connection_start_script(redis->connection, SCRIPT_CLAIM_META, 1, command);
    redis_command_add_text(command, key);
    redis_command_add_number(command, wanted->layout);
    redis_command_add_number(command, wanted->shards);
    redis_command_add_text(command, wanted->kafka_cluster_id);
    redisReply *reply = NULL;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!redis_connection_send(redis->connection, command, error)) return false;
        reply = redis_connection_receive(redis->connection, error);
        if (reply == NULL) return false;
        if (!redis_reply_is_no_script(reply) || attempt > 0) break;
        redis_connection_use_script_text(redis->connection, SCRIPT_CLAIM_META, command);
        freeReplyObject(reply);
    }
    bool done = redis_reply_check(reply, "claim meta", error) &&
                redis_meta_read(reply, found, error);
    freeReplyObject(reply);
    return done;
}

static bool redis_read_snapshot(struct store *store, int32_t shard, struct snapshot *snapshot,
                                bool *found, struct error *error)
{
    assert(snapshot != NULL);
    *found = false;
    return redis_whole_read(own(store)->connection, shard, snapshot, found, error);
}

static bool redis_read_items(struct store *store, int32_t shard, store_item_visitor *visitor,
                             void *opaque, struct error *error)
{
    assert(visitor != NULL);
    struct store_redis *redis = own(store);
    char jobs[REDIS_KEY_BYTES], seen[REDIS_KEY_BYTES];
    redis_key_make(jobs, cluster_of(redis), shard, REDIS_KEY_JOBS);
    redis_key_make(seen, cluster_of(redis), shard, REDIS_KEY_SEEN);
    return redis_scan_hash(redis->connection, jobs, STORE_JOB_PUT, visitor, opaque, error) &&
           redis_scan_hash(redis->connection, seen, STORE_SEEN_PUT, visitor, opaque, error);
}

/* Part 0 begins a group of its own, so that a part delayed on a dead connection cannot slip
 * into the group that replaced its own. */
static void make_token(struct store_redis *redis, const struct store_write *write,
                       char token[TOKEN_BYTES])
{
    assert(write->shard >= 0 && write->shard < SHARDS_MAX);
    size_t shard = (size_t)write->shard;
    size_t before = redis->shard_capacity;
    redis->shard_group = memory_grow(redis->shard_group, &redis->shard_capacity, shard + 1,
                                     sizeof redis->shard_group[0]);
    for (size_t i = before; i < redis->shard_capacity; i++) redis->shard_group[i] = 0;
    if (write->part == 0) redis->shard_group[shard] = ++redis->group_count;
    (void)snprintf(token, TOKEN_BYTES, "%016" PRIx64 "-%" PRIu64, redis->nonce,
                   redis->shard_group[shard]);
}

static const char *item_kind_text(enum store_item_kind kind)
{
    switch (kind) {
    case STORE_JOB_PUT: return "put";
    case STORE_JOB_DELETE: return "delete";
    case STORE_SEEN_PUT: return "seen";
    case STORE_SEEN_DELETE: return "forget";
    }
    assert(!"a kind of item");
    return "";
}

static void check_write(const struct store_write *write)
{
    assert(write->item_count <= STORE_CALL_JOBS_MAX);
    assert(write->part >= 0);
    assert(write->generation >= 0 && write->generation <= LUA_INTEGER_MAX);
    assert(write->epoch >= 0 && write->epoch <= LUA_INTEGER_MAX);
    const struct snapshot *snapshot = write->snapshot;
    if (snapshot == NULL) return;
    assert(snapshot->mark.generation == write->generation);
    assert(snapshot->mark.epoch == write->epoch);
    assert(snapshot->mark.layout == STATE_LAYOUT);
    assert(write->mode == STORE_REWRITE || snapshot->mark.sequence >= write->follows_sequence);
}

/* Queues one part. `as_text`: the server has forgotten the script. */
static bool send_part(struct store_redis *redis, const struct store_write *write, bool as_text,
                      struct error *error)
{
    struct redis_command *command = &redis->command;
    struct redis_keys keys;
    char token[TOKEN_BYTES], watermark[REDIS_INSTANT_BYTES], written_at[REDIS_INSTANT_BYTES];
    check_write(write);
    redis_keys_make(&keys, cluster_of(redis), write->shard);
    make_token(redis, write, token);
    redis_connection_start_script(redis->connection, SCRIPT_WRITE, REDIS_KEY_COUNT, command);
    if (as_text) redis_connection_use_script_text(redis->connection, SCRIPT_WRITE, command);
    for (int i = 0; i < REDIS_KEY_COUNT; i++) redis_command_add_text(command, keys.text[i]);
    redis_command_add_number(command, STATE_LAYOUT);
    redis_command_add_number(command, write->generation);
    redis_command_add_number(command, write->epoch);
    redis_command_add_text(command, write->mode == STORE_REWRITE ? "rewrite" : "change");
    redis_command_add_number(command, write->follows_sequence);
    redis_command_add_text(command, token);
    redis_command_add_number(command, write->part);
    if (write->snapshot != NULL) {
        redis_command_add_number(command, write->snapshot->mark.sequence);
        redis_command_add_number(command, write->snapshot->job_count);
        redis_command_add_number(command, write->snapshot->seen_count);
        redis_snapshot_add(write->snapshot, watermark, written_at, command);
    } else {
        redis_command_add_text(command, "");
        redis_command_add_number(command, -1);
        redis_command_add_number(command, -1);
        redis_command_add_number(command, 0);
    }
    for (size_t i = 0; i < write->item_count; i++) {
        const struct store_item *item = &write->items[i];
        redis_command_add_text(command, item_kind_text(item->kind));
        redis_command_add(command, item->name, item->name_bytes);
        redis_command_add(command, item->text, item->text_bytes);
        redis_command_add(command, item->super_group, item->super_group_bytes);
    }
    return redis_connection_send(redis->connection, command, error);
}

/* What write.lua answered. */
static bool read_outcome(const redisReply *reply, enum store_outcome *outcome,
                         struct error *error)
{
    if (!redis_reply_check(reply, "write", error)) return false;
    const char *text = reply->type == REDIS_REPLY_STATUS ? reply->str : "";
    if (strcmp(text, "WRITTEN") == 0) *outcome = STORE_WRITTEN;
    else if (strcmp(text, "GAP") == 0) *outcome = STORE_GAP;
    else if (strcmp(text, "STALE") == 0) *outcome = STORE_STALE;
    else if (strcmp(text, "DAMAGED") == 0) *outcome = STORE_DAMAGED;
    else return error_set(error, ERROR_RETRY, "Redis: write: unexpected answer '%.40s'", text);
    return true;
}

/* Sends parts in one go and reads all answers. *written: how many were written before the first
 * that was not. *forgotten: that one met a server without the script. */
static bool exchange_parts(struct store_redis *redis, const struct store_write *writes,
                           size_t count, bool as_text, size_t *written,
                           enum store_outcome *outcome, bool *forgotten, struct error *error)
{
    bool done = true, refused = false;
    *written = 0;
    *forgotten = false;
    for (size_t i = 0; i < count; i++)
        if (!send_part(redis, &writes[i], as_text, error)) return false;
    for (size_t i = 0; i < count; i++) {
        redis_connection_extend(redis->connection); /* each answer shows that it lives */
        redisReply *reply = redis_connection_receive(redis->connection, error);
        if (reply == NULL) return false;
        if (done && !refused) { /* what comes after a refusal is only refused */
            *forgotten = redis_reply_is_no_script(reply) && !as_text;
            if (!*forgotten) done = read_outcome(reply, outcome, error);
            refused = *forgotten || (done && *outcome != STORE_WRITTEN);
            if (done && !refused) (*written)++;
        }
        freeReplyObject(reply);
    }
    return done;
}

static bool redis_write_parts(struct store *store, const struct store_write *writes, size_t count,
                              size_t *written, enum store_outcome *outcome, struct error *error)
{
    assert(count > 0);
    assert(written != NULL && outcome != NULL);
    struct store_redis *redis = own(store);
    bool forgotten = false;
    *written = 0;
    if (!redis_connection_begin(redis->connection, error)) return false;
    if (!exchange_parts(redis, writes, count, false, written, outcome, &forgotten, error))
        return false;
    if (!forgotten) return true;
    size_t first = *written;
    bool done = exchange_parts(redis, writes + first, count - first, true, written, outcome,
                               &forgotten, error);
    *written += first;
    return done;
}

static bool redis_write(struct store *store, const struct store_write *write,
                        enum store_outcome *outcome, struct error *error)
{
    size_t written = 0;
    return redis_write_parts(store, write, 1, &written, outcome, error);
}

static void redis_destroy(struct store *store)
{
    if (store == NULL) return;
    struct store_redis *redis = own(store);
    redis_connection_destroy(redis->connection);
    redis_command_release(&redis->command);
    free(redis->shard_group);
    free(redis);
}

static const struct store_operations redis_operations = {
    .claim_meta = redis_claim_meta,
    .read_snapshot = redis_read_snapshot,
    .read_items = redis_read_items,
    .write = redis_write,
    .write_parts = redis_write_parts,
    .destroy = redis_destroy,
};

struct store *store_redis_create(const struct store_redis_options *options, struct error *error)
{
    static const char *const scripts[SCRIPT_COUNT] = {
        [SCRIPT_WRITE] = script_write,
        [SCRIPT_CLAIM_META] = script_claim_meta,
    };
    assert(options != NULL);
    if (!store_redis_options_check(options, error)) return NULL;
    struct store_redis *redis = memory_allocate(1, sizeof *redis);
    redis->store.operations = &redis_operations;
    redis->connection = redis_connection_create(options, scripts, SCRIPT_COUNT);
    if (getrandom(&redis->nonce, sizeof redis->nonce, 0) != (ssize_t)sizeof redis->nonce) {
        error_set(error, ERROR_RETRY, "Redis store: the system gave no random number");
        redis_destroy(&redis->store);
        return NULL;
    }
    return &redis->store;
}
