#include "store/store_redis.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "redis_scripts.h"
#include "store/redis_command.h"
#include "store/redis_connection.h"
#include "store/redis_keys.h"
#include "store/redis_scan.h"
#include "store/redis_snapshot.h"
#include "store/redis_whole.h"
#include "store/store_whole.h"

enum redis_script { SCRIPT_WRITE, SCRIPT_CLAIM_META, SCRIPT_COUNT };
enum { TOKEN_BYTES = 96, WRITE_ARGUMENT_ITEM = 4 };

/* Doubles, in which Lua compares generations and epochs, are exact up to here. */
#define LUA_INTEGER_MAX (INT64_C(1) << 53)

struct store_redis {
    struct store store; /* first: operations find us by it */
    struct redis_connection *connection;
    struct redis_command command;
    uint64_t nonce;        /* tells this store's groups from those of all others */
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
    assert(wanted != NULL && wanted->kafka_cluster_id[0] != '\0');
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
    bool done =
        redis_reply_check(reply, "claim meta", error) && redis_meta_read(reply, found, error);
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
    char jobs[REDIS_KEY_BYTES], seen[REDIS_KEY_BYTES], runs[REDIS_KEY_BYTES];
    redis_key_make(jobs, cluster_of(redis), shard, REDIS_KEY_JOBS);
    redis_key_make(seen, cluster_of(redis), shard, REDIS_KEY_SEEN);
    redis_key_make(runs, cluster_of(redis), shard, REDIS_KEY_RUNS);
    return redis_scan_hash(redis->connection, jobs, STORE_JOB_PUT, visitor, opaque, error) &&
           redis_scan_hash(redis->connection, seen, STORE_SEEN_PUT, visitor, opaque, error) &&
           redis_scan_hash(redis->connection, runs, STORE_RUN_PUT, visitor, opaque, error);
}

static void write_token(const struct store_redis *redis, int64_t generation, int64_t epoch,
                        uint64_t number, char token[TOKEN_BYTES])
{
    token[0] = '\0';
    if (number == 0) return;
    (void)snprintf(token, TOKEN_BYTES, "%016" PRIx64 "-%" PRId64 "-%" PRId64 "-%" PRIu64,
                   redis->nonce, generation, epoch, number);
}

/* The number of a token of that owner through this store; 0: it is of another one. */
static uint64_t read_token(const struct store_redis *redis, int64_t generation, int64_t epoch,
                           const redisReply *value)
{
    char ours[TOKEN_BYTES];
    const char *dash = value->type == REDIS_REPLY_STRING ? strrchr(value->str, '-') : NULL;
    uint64_t number = dash != NULL ? strtoull(dash + 1, NULL, 10) : 0;
    if (number == 0) return 0;
    write_token(redis, generation, epoch, number, ours);
    return strcmp(ours, value->str) == 0 ? number : 0;
}

static const char *item_kind_text(enum store_item_kind kind)
{
    switch (kind) {
    case STORE_JOB_PUT: return "put";
    case STORE_JOB_DELETE: return "delete";
    case STORE_SEEN_PUT: return "seen";
    case STORE_SEEN_DELETE: return "forget";
    case STORE_RUN_PUT: return "run";
    case STORE_RUN_DELETE: return "end";
    }
    assert(!"a kind of item");
    return "";
}

static void check_write(const struct store_write *write)
{
    assert(write->item_count <= STORE_CALL_JOBS_MAX);
    assert(write->part >= 0 && write->token > 0);
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
    char before[TOKEN_BYTES], token[TOKEN_BYTES];
    char watermark[REDIS_INSTANT_BYTES], written_at[REDIS_INSTANT_BYTES];
    check_write(write);
    char meta[REDIS_KEY_BYTES];
    const struct store_redis_options *options = redis_connection_options(redis->connection);
    redis_keys_make(&keys, options->cluster, write->shard);
    redis_key_make_meta(meta, options->cluster);
    write_token(redis, write->generation, write->epoch, write->token, token);
    write_token(redis, write->generation, write->epoch, write->token_before, before);
    redis_connection_start_script(redis->connection, SCRIPT_WRITE, REDIS_KEY_COUNT + 1, command);
    if (as_text) redis_connection_use_script_text(redis->connection, SCRIPT_WRITE, command);
    for (int i = 0; i < REDIS_KEY_COUNT; i++) redis_command_add_text(command, keys.text[i]);
    redis_command_add_text(command, meta);
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
        redis_command_add_number(command, write->snapshot->run_count);
        redis_command_add_text(command, before);
        redis_command_add_text(command, options->kafka_cluster_id);
        redis_snapshot_add(write->snapshot, watermark, written_at, command);
    } else {
        redis_command_add_text(command, "");
        for (int i = 0; i < 3; i++) redis_command_add_number(command, -1);
        redis_command_add_text(command, before);
        redis_command_add_text(command, options->kafka_cluster_id);
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
static bool read_outcome(const redisReply *reply, enum store_outcome *outcome, struct error *error)
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
                           size_t count, bool as_text, size_t *written, enum store_outcome *outcome,
                           bool *forgotten, struct error *error)
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

static bool read_snapshot_position(struct store_redis *redis, int32_t shard, int64_t generation,
                                   int64_t epoch, struct store_position *position,
                                   struct error *error)
{
    struct snapshot snapshot;
    bool found = false;
    struct error trouble = {0};
    *position = (struct store_position){.sequence = -1};
    if (redis_whole_read(redis->connection, shard, &snapshot, &found, &trouble)) {
        position->whole = !found || snapshot_check_whole(&snapshot, &(struct error){0});
        if (!found) return true;
        position->sequence = snapshot.mark.sequence;
        position->of_epoch = snapshot.mark.generation == generation && snapshot.mark.epoch == epoch;
        return true;
    }
    if (trouble.kind == ERROR_INVALID) return true; /* unreadable: as if it were not there */
    *error = trouble;
    return false;
}

static bool redis_look(struct store *store, int32_t shard, int64_t generation, int64_t epoch,
                       struct store_position *position, struct error *error)
{
    struct store_redis *redis = own(store);
    char key[REDIS_KEY_BYTES];
    int64_t part = 0;
    if (!read_snapshot_position(redis, shard, generation, epoch, position, error)) return false;
    redis_key_make(key, cluster_of(redis), shard, REDIS_KEY_WRITER);
    redis_command_start(&redis->command, "HMGET");
    redis_command_add_text(&redis->command, key);
    redis_command_add_text(&redis->command, "token");
    redis_command_add_text(&redis->command, "done");
    redis_command_add_text(&redis->command, "part");
    redisReply *reply = redis_connection_call(redis->connection, &redis->command, error);
    if (reply == NULL) return false;
    bool fine = reply->type == REDIS_REPLY_ARRAY && reply->elements == 3;
    const redisReply *text = fine ? reply->element[2] : NULL;
    if (fine) position->token = read_token(redis, generation, epoch, reply->element[0]);
    if (fine) position->done = read_token(redis, generation, epoch, reply->element[1]);
    if (fine && text->type == REDIS_REPLY_STRING &&
        redis_number_read(text->str, text->len, &part) && part > 0 && part <= INT32_MAX)
        position->part = (int32_t)part;
    freeReplyObject(reply);
    return fine || error_set(error, ERROR_RETRY, "Redis: look: unexpected answer to HMGET");
}

static void redis_destroy(struct store *store)
{
    if (store == NULL) return;
    struct store_redis *redis = own(store);
    redis_connection_destroy(redis->connection);
    redis_command_release(&redis->command);
    free(redis);
}

static const struct store_operations redis_operations = {
    .claim_meta = redis_claim_meta,
    .read_snapshot = redis_read_snapshot,
    .read_items = redis_read_items,
    .write = redis_write,
    .write_parts = redis_write_parts,
    .look = redis_look,
    .destroy = redis_destroy,
};

const char *store_redis_library(void)
{
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
    return TEXT(HIREDIS_MAJOR) "." TEXT(HIREDIS_MINOR) "." TEXT(HIREDIS_PATCH);
#undef TEXT
#undef TEXT_OF
}

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
