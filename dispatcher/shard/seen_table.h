/* seen_table.h - remembered command ids with their outcome, oldest first, bounded in number. */
#ifndef BELFRY_SHARD_SEEN_TABLE_H
#define BELFRY_SHARD_SEEN_TABLE_H

#include "lib/base/hash.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"
#include "lib/model/output.h"

struct seen_table;

/* `key` is copied. */
struct seen_table *seen_table_create(const uint8_t key[HASH_KEY_BYTES]);
void seen_table_destroy(struct seen_table *table);

/* The hash under which a command id is remembered: SipHash-2-4 with a fixed public key. */
uint64_t seen_hash(struct text command_id);

/* False: not remembered. */
bool seen_table_find(const struct seen_table *table, uint64_t hash, struct seen *seen);
/* At the end; sequences never go down, except while restoring (then call seen_table_order). */
void seen_table_add(struct seen_table *table, int64_t sequence, const struct seen *seen);
/* While restoring: the entries of a sequence are not wanted. */
void seen_table_drop(struct seen_table *table, int64_t sequence);
void seen_table_order(struct seen_table *table);
/* Forgets the entries of the oldest sequence if all of them are before before_ms or the table
 * holds more than `max`; false: nothing to forget. */
bool seen_table_expire(struct seen_table *table, int64_t before_ms, size_t max,
                       int64_t *sequence);
/* Entries from the oldest on: the *cursor-th; false: no more. */
bool seen_table_next(const struct seen_table *table, uint32_t *cursor, int64_t *sequence,
                     struct seen *seen);
/* The cursor of the first entry of this sequence or a later one. */
uint32_t seen_table_from(const struct seen_table *table, int64_t sequence);
size_t seen_table_count(const struct seen_table *table);
/* How many sequences they are of; while restoring, not before seen_table_order(). */
size_t seen_table_sequences(const struct seen_table *table);

#endif
