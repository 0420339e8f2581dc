#include "store/store_redis_query.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "store/redis_command.h"
#include "store/redis_connection.h"
#include "store/redis_keys.h"
#include "store/redis_range.h"
#include "store/redis_scan.h"
#include "store/redis_snapshot.h"
#include "store/redis_whole.h"
#include "store/store_redis.h"
#include "store/store_whole.h"

static const char *cluster_of(struct store *store)
{
    return redis_connection_options(store_redis_connection(store))->cluster;
}

bool store_redis_get_job(struct store *store, int32_t shard, const char *name, size_t name_bytes,
                         char **text, size_t *text_bytes, struct error *error)
{
    assert(name != NULL && name_bytes > 0);
    assert(text != NULL && text_bytes != NULL);
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    *text = NULL;
    *text_bytes = 0;
    redis_key_make(key, cluster_of(store), shard, REDIS_KEY_JOBS);
    redis_command_start(&command, "HGET");
    redis_command_add_text(&command, key);
    redis_command_add(&command, name, name_bytes);
    redisReply *reply = redis_connection_call(store_redis_connection(store), &command, error);
    redis_command_release(&command);
    if (reply == NULL) return false;
    if (reply->type == REDIS_REPLY_STRING) {
        *text_bytes = reply->len;
        *text = memory_copy_text(reply->str, *text_bytes);
    }
    freeReplyObject(reply);
    return true;
}

static bool list_all(struct store *store, int32_t shards, store_item_visitor *visitor, void *opaque,
                     struct error *error)
{
    for (int32_t shard = 0; shard < shards; shard++) {
        char key[REDIS_KEY_BYTES];
        redis_key_make(key, cluster_of(store), shard, REDIS_KEY_JOBS);
        if (!redis_scan_hash(store_redis_connection(store), key, STORE_JOB_PUT, visitor, opaque,
                             error))
            return false;
    }
    return true;
}

/* A name listed twice must not list its jobs twice. */
static bool is_repeated(const char *const *names, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(names[i], names[index]) == 0) return true;
    return false;
}

static void add_ranges(struct redis_ranges *ranges, int32_t shards, const char *super_group,
                       const char *group)
{
    assert(super_group != NULL || group != NULL);
    for (int32_t shard = 0; shard < shards; shard++)
        redis_ranges_add(ranges, shard, super_group, group);
}

/* One range of an index for each shard and each name, or pair of names, asked for. */
static void make_ranges(struct redis_ranges *ranges, int32_t shards,
                        const struct store_filter *filter)
{
    assert(filter->group_count > 0 || filter->super_group_count > 0);
    size_t supers = filter->super_group_count > 0 ? filter->super_group_count : 1;
    for (size_t s = 0; s < supers; s++) {
        const char *super = filter->super_group_count > 0 ? filter->super_groups[s] : NULL;
        if (super != NULL && is_repeated(filter->super_groups, s)) continue;
        if (filter->group_count == 0) add_ranges(ranges, shards, super, NULL);
        for (size_t g = 0; g < filter->group_count; g++)
            if (!is_repeated(filter->groups, g))
                add_ranges(ranges, shards, super, filter->groups[g]);
    }
}

static bool send_snapshot_reads(struct store *store, int32_t shards, struct error *error)
{
    bool sent = true;
    for (int32_t shard = 0; shard < shards && sent; shard++)
        sent = redis_whole_send(store_redis_connection(store), shard, error);
    return sent;
}

/* One shard's snapshot; where it does not look whole and was being written, it is asked again. */
static bool receive_snapshot(struct store *store, struct snapshot *snapshot, bool *found,
                             bool *again, struct error *error)
{
    bool between = false;
    *again = false;
    if (!redis_whole_receive(store_redis_connection(store), snapshot, found, &between, error))
        return false;
    *again = between && !snapshot_check_whole(snapshot, &(struct error){0});
    return true;
}

bool store_redis_read_snapshots(struct store *store, int32_t shards,
                                store_snapshot_visitor *visitor, void *opaque, struct error *error)
{
    assert(shards > 0 && shards <= SHARDS_MAX);
    assert(visitor != NULL);
    struct redis_connection *connection = store_redis_connection(store);
    struct snapshot *snapshots = memory_allocate((size_t)shards, sizeof *snapshots);
    bool *found = memory_allocate((size_t)shards, sizeof *found);
    bool *again = memory_allocate((size_t)shards, sizeof *again);
    bool fine =
        redis_connection_begin(connection, error) && send_snapshot_reads(store, shards, error);
    for (int32_t shard = 0; fine && shard < shards; shard++) {
        redis_connection_extend(connection);
        fine = receive_snapshot(store, &snapshots[shard], &found[shard], &again[shard], error);
    }
    if (!fine) redis_connection_drain(connection);
    for (int32_t shard = 0; fine && shard < shards; shard++) {
        if (again[shard])
            fine = redis_whole_read(connection, shard, &snapshots[shard], &found[shard], error);
        fine = fine && visitor(opaque, shard, found[shard], &snapshots[shard], error);
    }
    free(again);
    free(found);
    free(snapshots);
    return fine;
}

static bool check_shard(void *opaque, int32_t shard, bool found, const struct snapshot *snapshot,
                        struct error *error)
{
    struct error why = {0};
    (void)opaque;
    if (!found && snapshot->there.jobs <= 0) return true;
    if (!found)
        (void)error_set(&why, ERROR_RETRY, "%" PRId64 " jobs, and no word how many there should be",
                        snapshot->there.jobs);
    if (found && snapshot_check_whole(snapshot, &why)) return true;
    (void)error_set(error, ERROR_RETRY,
                    "Redis has lost a part of shard %" PRId32 ": it has %s. "
                    "The daemon that owns the shard writes it anew within seconds; where none "
                    "runs, belfry rebuild does",
                    shard, why.message);
    error->code = CODE_NOT_WHOLE;
    return false;
}

bool store_redis_check_whole(struct store *store, int32_t shards, struct error *error)
{
    return store_redis_read_snapshots(store, shards, check_shard, NULL, error);
}

struct run_walk {
    store_run_visitor *visitor;
    void *opaque;
    int32_t shard;
};

static bool visit_run(void *opaque, const struct store_item *item, struct error *error)
{
    const struct run_walk *walk = opaque;
    int64_t k = 0;
    if (!redis_number_read(item->name, item->name_bytes, &k) || k < 0)
        return error_set(error, ERROR_INVALID, "Redis: shard %" PRId32 ": an open run named %.*s",
                         walk->shard, (int)(item->name_bytes > 40 ? 40 : item->name_bytes),
                         item->name);
    return walk->visitor(walk->opaque, walk->shard, k, (struct text){item->text, item->text_bytes},
                         error);
}

/* Whether the shard is whole by what it says itself. */
static bool check_one(struct store *store, int32_t shard, struct error *error)
{
    struct snapshot snapshot;
    bool found = false;
    return redis_whole_read(store_redis_connection(store), shard, &snapshot, &found, error) &&
           check_shard(NULL, shard, found, &snapshot, error);
}

static bool list_runs(struct store *store, struct run_walk *walk, struct error *error)
{
    char key[REDIS_KEY_BYTES];
    struct error before = {0};
    bool whole = check_one(store, walk->shard, &before);
    if (!whole && before.code != CODE_NOT_WHOLE) {
        *error = before;
        return false;
    }
    redis_key_make(key, cluster_of(store), walk->shard, REDIS_KEY_RUNS);
    if (!redis_scan_hash(store_redis_connection(store), key, STORE_RUN_PUT, visit_run, walk, error))
        return false;
    if (whole) return check_one(store, walk->shard, error);
    *error = before;
    return false;
}

bool store_redis_list_runs(struct store *store, int32_t first_shard, int32_t shards,
                           store_run_visitor *visitor, void *opaque, struct error *error)
{
    assert(first_shard >= 0 && shards > 0 && first_shard + shards <= SHARDS_MAX);
    assert(visitor != NULL);
    struct run_walk walk = {.visitor = visitor, .opaque = opaque};
    struct error first = {0}; /* what is lost of one shard does not hide the others */
    for (int32_t shard = first_shard; shard < first_shard + shards; shard++) {
        struct error trouble = {0};
        walk.shard = shard;
        if (list_runs(store, &walk, &trouble)) continue;
        if (first.kind == ERROR_NONE || trouble.code != CODE_NOT_WHOLE) first = trouble;
        if (trouble.code != CODE_NOT_WHOLE) break;
    }
    if (first.kind == ERROR_NONE) return true;
    *error = first;
    return false;
}

static bool list_some(struct store *store, int32_t shards, const struct store_filter *filter,
                      store_item_visitor *visitor, void *opaque, struct error *error)
{
    if (filter == NULL || (filter->group_count == 0 && filter->super_group_count == 0))
        return list_all(store, shards, visitor, opaque, error);
    struct redis_ranges ranges = {0};
    make_ranges(&ranges, shards, filter);
    bool done = redis_ranges_visit(&ranges, store_redis_connection(store), visitor, opaque, error);
    redis_ranges_release(&ranges);
    return done;
}

bool store_redis_list_jobs(struct store *store, int32_t shards, const struct store_filter *filter,
                           store_item_visitor *visitor, void *opaque, struct error *error)
{
    assert(shards > 0 && shards <= SHARDS_MAX);
    assert(visitor != NULL);
    struct error before = {0};
    bool whole = store_redis_check_whole(store, shards, &before);
    if (!whole && before.code != CODE_NOT_WHOLE) {
        *error = before;
        return false;
    }
    if (!list_some(store, shards, filter, visitor, opaque, error)) return false;
    if (whole) return store_redis_check_whole(store, shards, error);
    *error = before; /* also where it has been mended meanwhile: a part was not seen */
    return false;
}

bool store_redis_read_meta(struct store *store, struct store_meta *meta, bool *found,
                           struct error *error)
{
    assert(meta != NULL && found != NULL);
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    *found = false;
    redis_key_make_meta(key, cluster_of(store));
    redis_command_start(&command, "HMGET");
    redis_command_add_text(&command, key);
    redis_command_add_text(&command, "layout");
    redis_command_add_text(&command, "shards");
    redis_command_add_text(&command, "kafka_cluster_id");
    redisReply *reply = redis_connection_call(store_redis_connection(store), &command, error);
    redis_command_release(&command);
    if (reply == NULL) return false;
    bool done = true;
    *found = reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
             reply->element[0]->type == REDIS_REPLY_STRING;
    if (*found) done = redis_meta_read(reply, meta, error);
    freeReplyObject(reply);
    return done;
}
