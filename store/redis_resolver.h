/* redis_resolver.h - finds the addresses of a host within a time limit. The system's resolver has
 * none that a program can set, so it works on a thread of its own; what it finds too late is there
 * for the next call. Used by one thread at a time. */
#ifndef BELFRY_STORE_REDIS_RESOLVER_H
#define BELFRY_STORE_REDIS_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum { REDIS_ADDRESSES_MAX = 8, REDIS_ADDRESS_BYTES = 64 };

struct redis_addresses {
    size_t count;
    char texts[REDIS_ADDRESSES_MAX][REDIS_ADDRESS_BYTES]; /* numeric */
};

/* Asks the system for `host`; false: `trouble` says why. For tests it can be another one. */
typedef bool redis_resolve(const char *host, struct redis_addresses *addresses,
                           char trouble[REDIS_ADDRESS_BYTES * 2]);
bool redis_resolve_by_system(const char *host, struct redis_addresses *addresses,
                             char trouble[REDIS_ADDRESS_BYTES * 2]);

struct redis_resolver;

/* resolve: NULL = the system's. A question under way outlives the resolver and harms nothing. */
struct redis_resolver *redis_resolver_create(const char *host, redis_resolve *resolve);
void redis_resolver_destroy(struct redis_resolver *resolver);

/* Errors: ERROR_RETRY, no such host or no answer within limit_ms (the question goes on). */
bool redis_resolver_find(struct redis_resolver *resolver, int64_t limit_ms,
                         struct redis_addresses *addresses, struct error *error)
    __attribute__((warn_unused_result));

#endif
