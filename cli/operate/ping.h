/* ping.h - asks shards to answer, through Kafka and back. */
#ifndef BELFRY_CLI_PING_H
#define BELFRY_CLI_PING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/words/settings.h"
#include "lib/base/error.h"

/*   group    only its shard; NULL = all
 *   results  array, the caller's: what came, on false too; may be NULL then
 *   took_ms  from the first command to the last result
 *   errors   ERROR_RETRY; ERROR_FATAL; code "timed_out": not all have answered */
bool ping_shards(const struct settings *settings, const char *group, int64_t wait_ms,
                 json_t **results, int64_t *took_ms, struct error *error)
    __attribute__((warn_unused_result));

#endif
