/* redis.h - a simulated Redis: the memory store behind a network that can be slow, lose replies,
 * be away; its content can be flushed and rolled back. */
#ifndef BELFRY_TESTS_REDIS_H
#define BELFRY_TESTS_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store_memory.h"

enum redis_trouble { REDIS_WELL = 0, REDIS_LOST_BEFORE, REDIS_LOST_AFTER };

struct redis {
    struct store_image *image;
    struct store_image *saved; /* what a rollback goes back to; NULL: nothing */
    int64_t away_until_us;
    int64_t slow_until_us;
    enum redis_trouble trouble; /* of the next `troubles` calls */
    int64_t troubles;
    bool damaged; /* it has lost keys, ever */
};

#endif
