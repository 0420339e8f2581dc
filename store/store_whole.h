/* store_whole.h - whether a store still has all that was put into it. */
#ifndef BELFRY_STORE_STORE_WHOLE_H
#define BELFRY_STORE_STORE_WHOLE_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "store/store.h"

/* What is there against what the store says it holds. True also for a snapshot that was never
 * counted. Errors: ERROR_RETRY with CODE_NOT_WHOLE, "150 of 300 jobs". */
bool snapshot_check_whole(const struct snapshot *snapshot, struct error *error);

#endif
