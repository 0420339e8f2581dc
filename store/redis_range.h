/* redis_range.h - walks ranges of the name indexes and fetches the jobs, many at a time. */
#ifndef BELFRY_STORE_REDIS_RANGE_H
#define BELFRY_STORE_REDIS_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/redis_connection.h"
#include "store/store.h"

struct redis_range;

/* Zero-initialise; redis_ranges_release() at the end. */
struct redis_ranges {
    struct redis_range *items;
    size_t count;
    size_t capacity;
};

/* The jobs of a shard with this super group or this group (NULL = any; one must be given), or
 * with both. Copies the names. */
void redis_ranges_add(struct redis_ranges *ranges, int32_t shard, const char *super_group,
                      const char *group);

/* Visits the jobs of all ranges. A job deleted meanwhile is left out. */
bool redis_ranges_visit(struct redis_ranges *ranges, struct redis_connection *connection,
                        store_item_visitor *visitor, void *opaque, struct error *error)
    __attribute__((warn_unused_result));

void redis_ranges_release(struct redis_ranges *ranges);

#endif
