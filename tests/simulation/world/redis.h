/* redis.h - a simulated Redis: the memory store behind a network that can be slow, lose replies,
 * be away; its content can be flushed and rolled back. */
#ifndef BELFRY_TESTS_REDIS_H
#define BELFRY_TESTS_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store_memory.h"

enum redis_trouble {
    REDIS_WELL = 0,
    REDIS_LOST_BEFORE,
    REDIS_LOST_AFTER,
    REDIS_LATE /* it lay on a dead connection, with the next parts, and is done after all */
};

struct redis {
    struct store_image *image;
    struct store_image *saved; /* what a rollback goes back to; NULL: nothing */
    int64_t away_until_us;
    int64_t slow_until_us;
    enum redis_trouble trouble; /* of the next `troubles` calls */
    int64_t troubles;
    bool damaged; /* it has lost keys, ever */
    int64_t flaky_until_us; /* until then each `flaky_every`-th call gets lost, there or back */
    int64_t flaky_every;
    int64_t calls;
    int64_t changes; /* of its content behind the owners' backs */
};

#endif
