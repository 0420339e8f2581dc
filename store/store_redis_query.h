/* store_redis_query.h - what the command line asks of the checkpoint: one job, lists of jobs,
 * where the shards stand. Reads only; pipelined; bounded memory at any number of jobs. */
#ifndef BELFRY_STORE_STORE_REDIS_QUERY_H
#define BELFRY_STORE_STORE_REDIS_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "store/store.h"
#include "store/store_filter.h"

/* The text of the job `name` (group/id) of a shard. *text is the caller's to free, terminated;
 * NULL with true: there is no such job. */
bool store_redis_get_job(struct store *store, int32_t shard, const char *name, size_t name_bytes,
                         char **text, size_t *text_bytes, struct error *error)
    __attribute__((warn_unused_result));

/* How much of the shards is there against what the store says it holds. True also where it knows
 * nothing of a shard, and has no job of it. Errors: ERROR_RETRY with CODE_NOT_WHOLE, the
 * first shard that is not whole and what to do; those of the connection. */
bool store_redis_check_whole(struct store *store, int32_t shards, struct error *error)
    __attribute__((warn_unused_result));

/* Visits the jobs the filter admits, as STORE_JOB_PUT items, of shards 0 to shards - 1. With a
 * filter each job comes once and each listed name's jobs in order of their names; without one
 * they come in no order, while being rewritten a job perhaps twice. Stops with the visitor's
 * error when that returns false; the visitor must not use the store. Where a shard was not whole
 * before or is not afterwards, what is there was visited and the error is that of
 * store_redis_check_whole(). */
bool store_redis_list_jobs(struct store *store, int32_t shards, const struct store_filter *filter,
                           store_item_visitor *visitor, void *opaque, struct error *error)
    __attribute__((warn_unused_result));

/* Visits the open runs of shards first_shard to first_shard + shards - 1, in no order, one perhaps
 * twice. `record` is what schemas/run_json.h reads, borrowed for the call. Stops with the visitor's
 * error when that returns false; the visitor must not use the store. Errors: as
 * store_redis_list_jobs(); ERROR_INVALID a field that is no k. */
typedef bool store_run_visitor(void *opaque, int32_t shard, int64_t k, struct text record,
                               struct error *error);
bool store_redis_list_runs(struct store *store, int32_t first_shard, int32_t shards,
                           store_run_visitor *visitor, void *opaque, struct error *error)
    __attribute__((warn_unused_result));

typedef bool store_snapshot_visitor(void *opaque, int32_t shard, bool found,
                                    const struct snapshot *snapshot, struct error *error);

/* Visits the snapshot of each shard in order; `found` false where the store has none. */
bool store_redis_read_snapshots(struct store *store, int32_t shards,
                                store_snapshot_visitor *visitor, void *opaque, struct error *error)
    __attribute__((warn_unused_result));

/* Reads the meta record without claiming it. *found false: no daemon has run on this Redis. */
bool store_redis_read_meta(struct store *store, struct store_meta *meta, bool *found,
                           struct error *error) __attribute__((warn_unused_result));

#endif
