#include "tests/support/store_backend.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_redis.h"
#include "store/store_redis_query.h"

static bool memory_open(struct backend_state *state)
{
    state->image = store_image_create();
    return true;
}

static void memory_close(struct backend_state *state)
{
    store_image_destroy(state->image);
    store_image_destroy(state->saved);
    memset(state, 0, sizeof *state);
}

static struct store *memory_connect(struct backend_state *state)
{
    return store_memory_create(state->image);
}

static void memory_empty(struct backend_state *state)
{
    store_image_empty(state->image);
}

static void memory_save(struct backend_state *state)
{
    store_image_destroy(state->saved);
    state->saved = store_image_copy(state->image);
}

static void memory_roll_back(struct backend_state *state)
{
    assert(state->saved != NULL);
    store_image_restore(state->image, state->saved);
}

static void memory_lose(struct backend_state *state, enum store_item_kind kind, const char *name)
{
    (void)store_image_lose_named(state->image, 3, kind, name);
}

struct store *connect_redis(const char *url)
{
    struct store_redis_options options;
    struct error error = {0};
    store_redis_options_default(&options);
    struct store *store = NULL;
    if (store_redis_options_parse(url, &options, &error))
        store = store_redis_create(&options, &error);
    if (store != NULL) return store;
    (void)fprintf(stderr, "%s: %s\n", url, error.message);
    abort();
}

static bool redis_open(struct backend_state *state)
{
    state->process = redis_process_start(NULL);
    if (state->process == NULL) return false;
    state->admin = redisConnectUnix(redis_process_url(state->process) + strlen("unix://"));
    return state->admin != NULL && state->admin->err == 0;
}

static void forget_saved(struct backend_state *state)
{
    if (state->saved_keys == NULL) return;
    for (size_t i = 0; i < state->saved_keys->elements; i++)
        freeReplyObject(state->saved_values[i]);
    freeReplyObject(state->saved_keys);
    free(state->saved_values);
    state->saved_keys = NULL;
    state->saved_values = NULL;
}

static void redis_close(struct backend_state *state)
{
    forget_saved(state);
    if (state->admin != NULL) redisFree(state->admin);
    redis_process_stop(state->process);
    memset(state, 0, sizeof *state);
}

static struct store *redis_connect(struct backend_state *state)
{
    return connect_redis(redis_process_url(state->process));
}

static void redis_empty(struct backend_state *state)
{
    redisReply *reply = redisCommand(state->admin, "FLUSHALL");
    assert(reply != NULL && reply->type == REDIS_REPLY_STATUS);
    freeReplyObject(reply);
}

static void redis_save(struct backend_state *state)
{
    forget_saved(state);
    state->saved_keys = redisCommand(state->admin, "KEYS *");
    assert(state->saved_keys != NULL && state->saved_keys->type == REDIS_REPLY_ARRAY);
    state->saved_values = calloc(state->saved_keys->elements + 1, sizeof(redisReply *));
    assert(state->saved_values != NULL);
    for (size_t i = 0; i < state->saved_keys->elements; i++) {
        state->saved_values[i] = redisCommand(state->admin, "DUMP %s",
                                              state->saved_keys->element[i]->str);
        assert(state->saved_values[i]->type == REDIS_REPLY_STRING);
    }
}

static void redis_roll_back(struct backend_state *state)
{
    assert(state->saved_keys != NULL);
    redis_empty(state);
    for (size_t i = 0; i < state->saved_keys->elements; i++) {
        redisReply *reply = redisCommand(state->admin, "RESTORE %s 0 %b",
                                         state->saved_keys->element[i]->str,
                                         state->saved_values[i]->str,
                                         (size_t)state->saved_values[i]->len);
        assert(reply != NULL && reply->type == REDIS_REPLY_STATUS);
        freeReplyObject(reply);
    }
}

static void redis_lose(struct backend_state *state, enum store_item_kind kind, const char *name)
{
    static const char *const endings[] = {"", ":new"};
    static const char *const hashes[] = {[STORE_JOB_PUT] = "jobs", [STORE_SEEN_PUT] = "seen",
                                         [STORE_RUN_PUT] = "runs"};
    for (int i = 0; i < 2; i++) {
        redisReply *reply = redisCommand(state->admin, "HDEL belfry:{3}:%s%s %s",
                                         hashes[kind], endings[i], name);
        assert(reply != NULL && reply->type == REDIS_REPLY_INTEGER);
        freeReplyObject(reply);
    }
}

const struct backend *store_backend(int index)
{
    static const struct backend backends[BACKENDS] = {
        {"memory", memory_open, memory_close, memory_connect, memory_empty, memory_save,
         memory_roll_back, memory_lose, store_memory_list_jobs},
        {"redis", redis_open, redis_close, redis_connect, redis_empty, redis_save,
         redis_roll_back, redis_lose, store_redis_list_jobs},
    };
    assert(index >= 0 && index < BACKENDS);
    return &backends[index];
}
