/* redis_tls.h - TLS to Redis, where the build found hiredis_ssl (hiredis 1.0 or newer). */
#ifndef BELFRY_STORE_REDIS_TLS_H
#define BELFRY_STORE_REDIS_TLS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "lib/base/error.h"
#include "store/redis_options.h"

struct redis_tls;

/* Reads the certificates. NULL: ERROR_RETRY names the file or reason (a certificate may be
 * about to be replaced), ERROR_INVALID: a build without TLS. End with redis_tls_destroy(). */
struct redis_tls *redis_tls_create(const struct store_redis_options *options, struct error *error)
    __attribute__((warn_unused_result));
void redis_tls_destroy(struct redis_tls *tls);

/* Shakes hands on a fresh connection. Errors: ERROR_RETRY. */
bool redis_tls_start(struct redis_tls *tls, redisContext *context, struct error *error)
    __attribute__((warn_unused_result));

#endif
