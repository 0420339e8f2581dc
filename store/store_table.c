#include "store/store_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "store/store.h"

enum { BUCKETS_FIRST = 16 };

/* FNV-1a. The names come from our own state, the order must be the same in every run. */
static uint64_t hash_name(const char *name, size_t name_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name_bytes; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    return hash;
}

const char *store_entry_name(const struct store_entry *entry)
{
    assert(entry != NULL);
    return entry->bytes;
}

const char *store_entry_text(const struct store_entry *entry)
{
    assert(entry != NULL);
    return entry->bytes + entry->name_bytes + 1;
}

const char *store_entry_super_group(const struct store_entry *entry)
{
    assert(entry != NULL);
    return entry->bytes + entry->name_bytes + 1 + entry->text_bytes + 1;
}

static size_t entry_size(size_t name_bytes, size_t text_bytes, size_t super_group_bytes)
{
    return sizeof(struct store_entry) + name_bytes + text_bytes + super_group_bytes + 3;
}

static struct store_entry **find_place(const struct store_table *table, uint64_t hash,
                                       const char *name, size_t name_bytes)
{
    assert(table->bucket_count > 0);
    struct store_entry **place = &table->buckets[hash & (table->bucket_count - 1)];
    while (*place != NULL && ((*place)->hash != hash || (*place)->name_bytes != name_bytes ||
                              memcmp((*place)->bytes, name, name_bytes) != 0))
        place = &(*place)->next;
    return place;
}

static void grow(struct store_table *table)
{
    size_t count = table->bucket_count == 0 ? BUCKETS_FIRST : table->bucket_count * 2;
    struct store_entry **buckets = memory_allocate(count, sizeof buckets[0]);
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (struct store_entry *entry = table->buckets[i]; entry != NULL;) {
            struct store_entry *next = entry->next;
            struct store_entry **bucket = &buckets[entry->hash & (count - 1)];
            entry->next = *bucket;
            *bucket = entry;
            entry = next;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = count;
}

void store_table_put(struct store_table *table, const struct store_item *item)
{
    assert(table != NULL);
    assert(item->name != NULL && item->name_bytes > 0);
    assert(item->text != NULL || item->text_bytes == 0);
    if (table->count >= table->bucket_count) grow(table);
    size_t super_group_bytes = item->super_group != NULL ? item->super_group_bytes : 0;
    struct store_entry *entry =
        memory_allocate(1, entry_size(item->name_bytes, item->text_bytes, super_group_bytes));
    entry->hash = hash_name(item->name, item->name_bytes);
    entry->name_bytes = item->name_bytes;
    entry->text_bytes = item->text_bytes;
    entry->super_group_bytes = super_group_bytes;
    memcpy(entry->bytes, item->name, item->name_bytes);
    if (item->text_bytes > 0)
        memcpy(entry->bytes + item->name_bytes + 1, item->text, item->text_bytes);
    if (super_group_bytes > 0)
        memcpy(entry->bytes + item->name_bytes + 1 + item->text_bytes + 1, item->super_group,
               super_group_bytes);
    struct store_entry **place = find_place(table, entry->hash, item->name, item->name_bytes);
    struct store_entry *old = *place;
    entry->next = old != NULL ? old->next : NULL;
    *place = entry;
    if (old == NULL) table->count++;
    free(old);
}

void store_table_delete(struct store_table *table, const char *name, size_t name_bytes)
{
    assert(table != NULL);
    assert(name != NULL);
    if (table->count == 0) return;
    struct store_entry **place = find_place(table, hash_name(name, name_bytes), name, name_bytes);
    struct store_entry *old = *place;
    if (old == NULL) return;
    *place = old->next;
    table->count--;
    free(old);
}

const struct store_entry *store_table_find(const struct store_table *table, const char *name,
                                           size_t name_bytes)
{
    assert(table != NULL);
    assert(name != NULL);
    if (table->count == 0) return NULL;
    return *find_place(table, hash_name(name, name_bytes), name, name_bytes);
}

const struct store_entry *store_table_next(const struct store_table *table,
                                           const struct store_entry *entry)
{
    assert(table != NULL);
    if (entry != NULL && entry->next != NULL) return entry->next;
    size_t bucket = entry == NULL ? 0 : (entry->hash & (table->bucket_count - 1)) + 1;
    while (bucket < table->bucket_count && table->buckets[bucket] == NULL) bucket++;
    return bucket < table->bucket_count ? table->buckets[bucket] : NULL;
}

/* The same buckets in the same order: a restored image behaves as the original did. */
void store_table_copy(const struct store_table *from, struct store_table *to)
{
    assert(from != NULL);
    assert(to->bucket_count == 0 && to->count == 0);
    if (from->bucket_count == 0) return;
    to->buckets = memory_allocate(from->bucket_count, sizeof to->buckets[0]);
    to->bucket_count = from->bucket_count;
    to->count = from->count;
    for (size_t i = 0; i < from->bucket_count; i++) {
        struct store_entry **place = &to->buckets[i];
        for (const struct store_entry *entry = from->buckets[i]; entry != NULL;
             entry = entry->next) {
            size_t size =
                entry_size(entry->name_bytes, entry->text_bytes, entry->super_group_bytes);
            *place = memory_allocate(1, size);
            memcpy(*place, entry, size);
            (*place)->next = NULL;
            place = &(*place)->next;
        }
    }
}

void store_table_clear(struct store_table *table)
{
    assert(table != NULL);
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (struct store_entry *entry = table->buckets[i]; entry != NULL;) {
            struct store_entry *next = entry->next;
            free(entry);
            entry = next;
        }
    }
    free(table->buckets);
    memset(table, 0, sizeof *table);
}
