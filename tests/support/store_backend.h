/* store_backend.h - the back ends of struct store as the contract test sees them. */
#ifndef BELFRY_TESTS_SUPPORT_STORE_BACKEND_H
#define BELFRY_TESTS_SUPPORT_STORE_BACKEND_H

#include <hiredis/hiredis.h>

#include "store/store.h"
#include "store/store_filter.h"
#include "store/store_memory.h"
#include "tests/support/redis_process.h"

/* One of the two, running; zero-initialised before open. */
struct backend_state {
    struct store_image *image;
    struct store_image *saved;
    struct redis_process *process;
    redisContext *admin;   /* a connection of the test's own */
    redisReply *saved_keys;
    redisReply **saved_values; /* DUMP of each key */
};

struct backend {
    const char *name;
    bool (*open)(struct backend_state *state);
    void (*close)(struct backend_state *state);
    struct store *(*connect)(struct backend_state *state);
    void (*empty)(struct backend_state *state);
    void (*save)(struct backend_state *state);
    void (*roll_back)(struct backend_state *state); /* to what was saved */
    /* Shard 3 loses this job, remembered record or open run, also of an unfinished rewrite. */
    void (*lose)(struct backend_state *state, enum store_item_kind kind, const char *name);
    bool (*list)(struct store *store, int32_t shards, const struct store_filter *filter,
                 store_item_visitor *visitor, void *opaque, struct error *error);
};

enum { BACKENDS = 2 };
const struct backend *store_backend(int index);

/* A store of cluster "belfry" at the URL, or the program ends. */
struct store *connect_redis(const char *url);

#endif
