/* next_times.h - due times of a schedule that need not exist as a job. */
#ifndef BELFRY_CLI_NEXT_TIMES_H
#define BELFRY_CLI_NEXT_TIMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/time/zone.h"

enum { NEXT_COUNT_DEFAULT = 5, NEXT_COUNT_MAX = 100000 };

/* The first `count` instants strictly after from_ms, as an array of texts that the caller owns;
 * fewer when the schedule ends. An interval without an anchor counts from from_ms.
 *   schedule  as a command has it: {"cron":...,"zone":...}, {"every":...} or {"at":...}
 *   errors    ERROR_INVALID with the column in a cron text */
bool next_times(json_t *schedule, const struct zone_lookup *zones, int64_t from_ms, int64_t count,
                json_t **times, struct error *error) __attribute__((warn_unused_result));

/* One line of `belfry next --batch`: the answer to it as a JSON object, owned by the caller. */
json_t *next_batch_answer(const char *line, size_t length, const struct zone_lookup *zones,
                          int64_t now_ms);

#endif
