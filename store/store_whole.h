/* store_whole.h - whether a store still has all that was put into it. */
#ifndef BELFRY_STORE_STORE_WHOLE_H
#define BELFRY_STORE_STORE_WHOLE_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "store/store.h"

/* The code of the error of a store that is not whole. */
#define STORE_CODE_NOT_WHOLE "not_whole"

/* What is there against what the store says it holds. True also for a snapshot that was never
 * counted. Errors: ERROR_RETRY with the code above, "150 of 300 jobs". */
bool snapshot_check_whole(const struct snapshot *snapshot, struct error *error);

#endif
