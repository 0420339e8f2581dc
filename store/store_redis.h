/* store_redis.h - struct store on a Redis server, and what only Redis has: its checks. */
#ifndef BELFRY_STORE_STORE_REDIS_H
#define BELFRY_STORE_STORE_REDIS_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "store/redis_options.h"
#include "store/store.h"

struct redis_connection;

/* The version of hiredis this was built with. */
const char *store_redis_library(void);

/* A store on one connection, used by one thread at a time; the first call connects, so it can
 * be made while Redis is away. End with store->operations->destroy().
 * NULL: ERROR_INVALID, an option is out of bounds. */
struct store *store_redis_create(const struct store_redis_options *options, struct error *error)
    __attribute__((warn_unused_result));

typedef void store_redis_warn(void *opaque, const char *warning);

/* What must be right about a Redis that keeps schedules: its version, no eviction, AOF, a
 * primary, room, no newer layout. One call of `warn` for each thing that is not as it should be
 * or cannot be asked. Errors: ERROR_FATAL too old a server or a newer layout; ERROR_RETRY. */
bool store_redis_check(struct store *store, store_redis_warn *warn, void *opaque,
                       struct error *error) __attribute__((warn_unused_result));

/* The version as Redis tells it; false: it does not, or not to this user. */
bool store_redis_version(struct store *store, char *version, size_t bytes, struct error *error);

/* The connection under a store made by store_redis_create(), for queries. Borrowed. */
struct redis_connection *store_redis_connection(struct store *store);

#endif
