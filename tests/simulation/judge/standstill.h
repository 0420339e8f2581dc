/* standstill.h - looks at all shards now and then: daemons whose shards do not move step aside, and
 * no shard stands still although somebody could run it. */
#ifndef BELFRY_TESTS_STANDSTILL_H
#define BELFRY_TESTS_STANDSTILL_H

#include <stdint.h>

/* Of an agenda; the object is the world. Comes again by itself. */
void standstill_watch(void *object, int64_t number);

#endif
