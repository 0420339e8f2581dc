/* store_memory.h - struct store in memory, for tests and the simulator: any number of
 * "connections" on one image, which can be emptied, copied and rolled back as a Redis can be
 * lost or restored. The contract test holds it to the same behaviour as store_redis. */
#ifndef BELFRY_STORE_STORE_MEMORY_H
#define BELFRY_STORE_STORE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "store/store.h"
#include "store/store_filter.h"

struct store_image;

/* What all connections see. Any thread may call these and the stores on it. Destroy it after
 * all its stores. */
struct store_image *store_image_create(void);
void store_image_destroy(struct store_image *image);

/* FLUSHALL: jobs, snapshots, meta, unfinished groups. */
void store_image_empty(struct store_image *image);

/* The content as it is now; a store on the copy sees it too. */
struct store_image *store_image_copy(struct store_image *image);

/* Takes the content back (or forward) to that of `from`, which stays as it is. */
void store_image_restore(struct store_image *image, struct store_image *from);

/* Loses, of the jobs (STORE_JOB_PUT), the remembered records (STORE_SEEN_PUT) or the open runs
 * (STORE_RUN_PUT) of a shard, also of an unfinished rewrite, the one numbered `first` and each
 * `every`-th after it, as a Redis does that evicts. every >= 1. Returns how many. */
size_t store_image_lose(struct store_image *image, int32_t shard, enum store_item_kind kind,
                        size_t first, size_t every);

/* Loses the one of that name. False: it was not there. */
bool store_image_lose_named(struct store_image *image, int32_t shard, enum store_item_kind kind,
                            const char *name);

/* A connection. The image is borrowed. End with store->operations->destroy(). */
struct store *store_memory_create(struct store_image *image);

/* What the next calls of this store do besides or in place of their work. */
enum store_failure {
    STORE_FAILURE_NONE,
    STORE_FAILURE_BEFORE, /* ERROR_RETRY, nothing done: the server is away */
    STORE_FAILURE_AFTER   /* done, then ERROR_RETRY: the answer got lost */
};

/* The next `calls` calls fail so. calls >= 0. */
void store_memory_fail(struct store *store, enum store_failure failure, int64_t calls);

/* As store_redis_list_jobs(). */
bool store_memory_list_jobs(struct store *store, int32_t shards, const struct store_filter *filter,
                            store_item_visitor *visitor, void *opaque, struct error *error)
    __attribute__((warn_unused_result));

#endif
