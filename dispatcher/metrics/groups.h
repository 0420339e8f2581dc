/* groups.h - how late the fires of each group are: a series by name for GROUPS_NAMED groups, the
 * busiest, and one for all others. A group keeps its series; one that is clearly busier than the
 * least busy named one may get that one's, from zero. So each series only grows as long as it is
 * there. Bounded, whatever groups come: a group is known by 64 bits of a hash until it has a name.
 *
 * A shard's thread writes what is its shard's; one other thread reads, and says who has a name.
 * Nobody waits. */
#ifndef BELFRY_METRICS_GROUPS_H
#define BELFRY_METRICS_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/metrics/histogram.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

enum { GROUPS_NAMED = 200 };
#define GROUPS_OTHER "other" /* a group of that name never has a series of its own */
#define GROUPS_TURN_US INT64_C(120000000) /* so long a group has been busier before it is named */

struct groups;

struct groups *groups_create(int32_t shards, const uint8_t key[HASH_KEY_BYTES])
    __attribute__((returns_nonnull));
void groups_destroy(struct groups *groups); /* NULL is allowed */

/* By the shard's thread: between the two it may note. */
void groups_enter(struct groups *groups, int32_t shard);
void groups_leave(struct groups *groups, int32_t shard);
/* So many fires of the group, "" of a nameless one, were so late. */
void groups_note(struct groups *groups, int32_t shard, struct text group, int64_t late_us,
                 int64_t fires);

/* ---- by the one reader ---- */

/* Looks who is busy, at most once in GROUPS_TURN_US. */
void groups_turn(struct groups *groups, int64_t now_us);
/* The series number i, of GROUPS_NAMED; NULL: nobody has it. */
const char *groups_series(const struct groups *groups, size_t i,
                          struct histogram_numbers *numbers);
void groups_other(const struct groups *groups, struct histogram_numbers *numbers);

#endif
