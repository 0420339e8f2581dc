#include "cli/kafka/redis_reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/cli_clock.h"
#include "cli/show/json_text.h"
#include "dispatcher/config/secret_file.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"
#include "store/store_redis.h"
#include "store/store_redis_query.h"

enum { RETRY_FIRST_MS = 2, RETRY_MOST_MS = 50 };

bool redis_reader_options(const struct settings *settings, struct store_redis_options *options,
                          struct error *error)
{
    struct error refused = {0};
    store_redis_options_default(options);
    if (!store_redis_options_parse(settings->redis, options, &refused))
        return error_invalid(error, CODE_USAGE, "--redis: %s", refused.message);
    if (settings->redis_password_file[0] != '\0') {
        char *password = secret_file_read(settings->redis_password_file, &refused);
        bool fits = password != NULL && strlen(password) < sizeof options->password;
        if (fits) (void)snprintf(options->password, sizeof options->password, "%s", password);
        free(password);
        if (!fits)
            return error_invalid(error, CODE_USAGE, "--redis-password-file: %s",
                                 password == NULL ? refused.message : "the password is too long");
    }
    (void)snprintf(options->cluster, sizeof options->cluster, "%s", settings->cluster);
    int64_t limit_ms = settings->timeout_ms;
    options->connect_limit_ms = limit_ms < REDIS_TIME_LIMIT_MAX_MS ? limit_ms
                                                                   : REDIS_TIME_LIMIT_MAX_MS;
    options->command_limit_ms = options->connect_limit_ms;
    return true;
}

bool redis_reader_open(struct redis_reader *reader, const struct settings *settings,
                       struct error *error)
{
    struct store_redis_options options;
    struct store_meta meta;
    bool found = false;
    *reader = (struct redis_reader){0};
    if (!redis_reader_options(settings, &options, error)) return false;
    reader->store = store_redis_create(&options, error);
    if (reader->store == NULL) return false;
    struct error refused = {0};
    bool read = store_redis_read_meta(reader->store, &meta, &found, &refused);
    if (!read) {
        (void)error_set(error, refused.kind, "%.200s; --redis or BELFRY_REDIS says where",
                        refused.message);
    } else if (!found) {
        char place[160];
        store_redis_options_describe(&options, place, sizeof place);
        read = error_set(error, ERROR_FATAL,
                         "nothing of the cluster \"%.100s\" is in %s; has belfryd been started?",
                         settings->cluster, place);
    } else if (meta.shards < 1 || meta.shards > SHARDS_MAX) {
        read = error_set(error, ERROR_FATAL, "Redis says that the cluster has %d shards",
                         (int)meta.shards);
    }
    reader->shards = meta.shards;
    if (!read) redis_reader_close(reader);
    return read;
}

void redis_reader_close(struct redis_reader *reader)
{
    if (reader->store != NULL) reader->store->operations->destroy(reader->store);
    reader->store = NULL;
}

/* What each shard must have reached; 0 = nothing. */
struct awaited {
    int64_t sequences[SHARDS_MAX];
    int32_t behind;
};

static bool note_snapshot(void *opaque, int32_t shard, bool found, const struct snapshot *snapshot,
                          struct error *error)
{
    struct awaited *awaited = opaque;
    assert(shard >= 0);
    assert(shard < SHARDS_MAX);
    (void)error;
    int64_t wanted = awaited->sequences[shard];
    if (wanted > 0 && (!found || snapshot->mark.sequence < wanted)) awaited->behind++;
    return true;
}

static bool wait_for(struct redis_reader *reader, struct awaited *awaited, struct error *error)
{
    assert(reader->store != NULL);
    int64_t deadline_ms = monotonic_ms() + SNAPSHOT_WAIT_MS;
    for (int64_t wait_ms = RETRY_FIRST_MS;; wait_ms *= 2) {
        awaited->behind = 0;
        if (!store_redis_read_snapshots(reader->store, reader->shards, note_snapshot, awaited,
                                        error))
            return false;
        if (awaited->behind == 0 || cli_left_ms(deadline_ms, 1) == 0) return true;
        if (wait_ms > RETRY_MOST_MS) wait_ms = RETRY_MOST_MS;
        cli_pause_ms(wait_ms);
    }
}

bool redis_wait_snapshots(const struct settings *settings, const json_t *results, int32_t *behind,
                          struct error *error)
{
    assert(json_is_array(results));
    struct awaited *awaited = memory_allocate(1, sizeof *awaited);
    int32_t wanted = 0;
    *behind = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        json_int_t shard = json_member_number(result, "shard", -1);
        json_int_t sequence = json_member_number(result, "sequence", 0);
        if (shard < 0 || shard >= SHARDS_MAX || sequence <= awaited->sequences[shard]) continue;
        wanted += awaited->sequences[shard] == 0;
        awaited->sequences[shard] = sequence;
    }
    struct redis_reader reader;
    bool done = true;
    if (wanted > 0) {
        done = redis_reader_open(&reader, settings, error);
        if (done) {
            done = wait_for(&reader, awaited, error);
            redis_reader_close(&reader);
        }
    }
    *behind = awaited->behind;
    free(awaited);
    return done;
}
