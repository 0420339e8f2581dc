/* store_table.h - named texts in memory: the hashes of store_memory. */
#ifndef BELFRY_STORE_STORE_TABLE_H
#define BELFRY_STORE_STORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One allocation: name, text and super group follow each other in `bytes`, each terminated. */
struct store_entry {
    struct store_entry *next; /* in its bucket */
    uint64_t hash;
    size_t name_bytes;
    size_t text_bytes;
    size_t super_group_bytes; /* 0 = none */
    char bytes[];
};

/* Zero-initialised = empty. The order of a walk depends only on what was put and deleted. */
struct store_table {
    struct store_entry **buckets;
    size_t bucket_count; /* 0 or a power of two */
    size_t count;
};

struct store_item;

/* Puts a copy of the item's name, text and super group, in place of what had the name. */
void store_table_put(struct store_table *table, const struct store_item *item);
void store_table_delete(struct store_table *table, const char *name, size_t name_bytes);
/* Valid until the next put or delete of this name; NULL: not there. */
const struct store_entry *store_table_find(const struct store_table *table, const char *name,
                                           size_t name_bytes);
/* The entry after `entry` (NULL: the first one), or NULL at the end. */
const struct store_entry *store_table_next(const struct store_table *table,
                                           const struct store_entry *entry);
const char *store_entry_name(const struct store_entry *entry);
const char *store_entry_text(const struct store_entry *entry);
const char *store_entry_super_group(const struct store_entry *entry);

/* `to` must be empty. */
void store_table_copy(const struct store_table *from, struct store_table *to);
/* Frees all entries; the table is empty and usable again. */
void store_table_clear(struct store_table *table);

#endif
