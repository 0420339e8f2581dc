/* store_redis_rights.h - tries whether the user may do what a daemon does in Redis, without doing
 * it: each command is queued in a transaction that is then discarded, and Redis refuses already to
 * queue what the user may not do. */
#ifndef BELFRY_STORE_STORE_REDIS_RIGHTS_H
#define BELFRY_STORE_STORE_REDIS_RIGHTS_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "store/store.h"

enum { REDIS_RIGHTS_BYTES = 400 };

struct redis_rights {
    bool tried; /* false: this user may not begin a transaction (MULTI, DISCARD) */
    int count;  /* of commands tried */
    char refused[REDIS_RIGHTS_BYTES]; /* "HSET, EVALSHA"; "": none */
};

/* Errors: ERROR_RETRY. */
bool store_redis_try_rights(struct store *store, struct redis_rights *rights, struct error *error)
    __attribute__((warn_unused_result));

#endif
