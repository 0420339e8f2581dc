/* redis_reader.h - opens the checkpoint for reading and says how many shards the cluster has. */
#ifndef BELFRY_CLI_REDIS_READER_H
#define BELFRY_CLI_REDIS_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/words/settings.h"
#include "lib/base/error.h"
#include "store/redis_options.h"
#include "store/store.h"

struct redis_reader {
    struct store *store;
    int32_t shards;
};

/* How to reach the Redis of the settings. Errors: code "usage" the URL. */
bool redis_reader_options(const struct settings *settings, struct store_redis_options *options,
                          struct error *error) __attribute__((warn_unused_result));

/* Errors: ERROR_RETRY Redis is away; ERROR_FATAL no daemon of this cluster has used it, or one
 * with a newer layout; code "usage" the URL. */
bool redis_reader_open(struct redis_reader *reader, const struct settings *settings,
                       struct error *error) __attribute__((warn_unused_result));
void redis_reader_close(struct redis_reader *reader);

/* Waits until the checkpoint of every shard named in the results has reached the sequence that
 * applied it, for at most SNAPSHOT_WAIT_MS. *behind: how many shards have not.
 * Errors: as redis_reader_open(). */
enum { SNAPSHOT_WAIT_MS = 2000 };
bool redis_wait_snapshots(const struct settings *settings, const json_t *results, int32_t *behind,
                          struct error *error) __attribute__((warn_unused_result));

#endif
