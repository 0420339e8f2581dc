#include "dispatcher/shard/seen_table.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"

enum { INDEX_INITIAL = 64, EMPTY = 0 };

struct entry {
    uint64_t hash;
    int64_t at_ms;
    int64_t sequence;
    uint8_t outcome;
    uint8_t code;
};

/* A ring in order of sequence, and an index of it by hash (linear probing; an entry is the
 * ring's running number + 1, so growing the ring leaves the index valid). */
struct seen_table {
    struct entry *ring;
    size_t capacity; /* a power of two */
    uint32_t first;  /* running number of the oldest; wraps */
    uint32_t count;
    size_t sequences; /* distinct ones */
    uint64_t *index; /* hash is looked up in the ring */
    size_t index_mask;
    uint8_t key[HASH_KEY_BYTES]; /* of the index */
    int64_t *dropped; /* sequences, while restoring */
    size_t dropped_count;
    size_t dropped_capacity;
};

static const uint8_t seen_key[HASH_KEY_BYTES] = "belfry commandid";

uint64_t seen_hash(struct text command_id)
{
    return hash_siphash(seen_key, command_id.bytes, command_id.length);
}

struct seen_table *seen_table_create(const uint8_t key[HASH_KEY_BYTES])
{
    struct seen_table *table = memory_allocate(1, sizeof *table);
    memcpy(table->key, key, sizeof table->key);
    table->ring = memory_allocate(INDEX_INITIAL, sizeof *table->ring);
    table->capacity = INDEX_INITIAL;
    table->index = memory_allocate(INDEX_INITIAL * 2, sizeof *table->index);
    table->index_mask = INDEX_INITIAL * 2 - 1;
    return table;
}

void seen_table_destroy(struct seen_table *table)
{
    if (table == NULL) return;
    free(table->ring);
    free(table->index);
    free(table->dropped);
    free(table);
}

static struct entry *entry_at(const struct seen_table *table, uint32_t number)
{
    return &table->ring[number & (table->capacity - 1)];
}

/* The hash itself is in records, so whoever sends command ids can compute it. */
static size_t home_of(const struct seen_table *table, uint64_t hash)
{
    return (size_t)hash_siphash(table->key, &hash, sizeof hash) & table->index_mask;
}

/* Index place of the entry with this hash, or of the hole where it would be. */
static size_t index_place(const struct seen_table *table, uint64_t hash)
{
    size_t at = home_of(table, hash);
    while (table->index[at] != EMPTY &&
           entry_at(table, (uint32_t)(table->index[at] - 1))->hash != hash)
        at = (at + 1) & table->index_mask;
    return at;
}

static void entry_view(const struct entry *entry, struct seen *seen)
{
    *seen = (struct seen){
        .hash = entry->hash, .at_ms = entry->at_ms, .outcome = entry->outcome,
        .code = (enum error_code)entry->code};
}

bool seen_table_find(const struct seen_table *table, uint64_t hash, struct seen *seen)
{
    assert(table != NULL);
    size_t at = index_place(table, hash);
    if (table->index[at] == EMPTY) return false;
    entry_view(entry_at(table, (uint32_t)(table->index[at] - 1)), seen);
    return true;
}

bool seen_table_next(const struct seen_table *table, uint32_t *cursor, int64_t *sequence,
                     struct seen *seen)
{
    assert(cursor != NULL);
    if (*cursor >= table->count) return false;
    const struct entry *entry = entry_at(table, table->first + (*cursor)++);
    *sequence = entry->sequence;
    entry_view(entry, seen);
    return true;
}

uint32_t seen_table_from(const struct seen_table *table, int64_t sequence)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (entry_at(table, table->first + middle)->sequence < sequence) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void index_rebuild(struct seen_table *table)
{
    free(table->index);
    table->index = memory_allocate(table->capacity * 2, sizeof *table->index);
    table->index_mask = table->capacity * 2 - 1;
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t number = table->first + i;
        table->index[index_place(table, entry_at(table, number)->hash)] = (uint64_t)number + 1;
    }
}

static void ring_grow(struct seen_table *table)
{
    size_t capacity = table->capacity * 2;
    struct entry *ring = memory_allocate(capacity, sizeof *ring);
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t number = table->first + i;
        ring[number & (capacity - 1)] = *entry_at(table, number);
    }
    free(table->ring);
    table->ring = ring;
    table->capacity = capacity;
    index_rebuild(table);
}

void seen_table_add(struct seen_table *table, int64_t sequence, const struct seen *seen)
{
    const struct entry added = {.hash = seen->hash,
                                .at_ms = seen->at_ms,
                                .sequence = sequence,
                                .outcome = seen->outcome,
                                .code = (uint8_t)seen->code};
    size_t place = index_place(table, seen->hash);
    if (table->index[place] != EMPTY) { /* restored twice: checkpoint and tail */
        struct entry *there = entry_at(table, (uint32_t)(table->index[place] - 1));
        if (there->sequence < sequence) *there = added; /* used again after it was forgotten */
        return;
    }
    if (table->count == table->capacity) {
        ring_grow(table);
        place = index_place(table, seen->hash);
    }
    if (table->count == 0 ||
        entry_at(table, table->first + table->count - 1)->sequence != sequence)
        table->sequences++;
    uint32_t number = table->first + table->count++;
    *entry_at(table, number) = added;
    table->index[place] = (uint64_t)number + 1;
}

static void index_remove(struct seen_table *table, uint64_t hash)
{
    size_t mask = table->index_mask;
    size_t at = index_place(table, hash);
    assert(table->index[at] != EMPTY);
    for (size_t next = (at + 1) & mask; table->index[next] != EMPTY; next = (next + 1) & mask) {
        size_t home =
            home_of(table, entry_at(table, (uint32_t)(table->index[next] - 1))->hash);
        if (((next - home) & mask) < ((next - at) & mask)) continue;
        table->index[at] = table->index[next];
        at = next;
    }
    table->index[at] = EMPTY;
}

bool seen_table_expire(struct seen_table *table, int64_t before_ms, size_t max,
                       int64_t *sequence)
{
    assert(sequence != NULL);
    if (table->count == 0) return false;
    *sequence = entry_at(table, table->first)->sequence;
    if (entry_at(table, table->first)->at_ms >= before_ms && table->count <= max) return false;
    uint32_t last = 0; /* of that sequence: its newest; one transaction can span a downtime */
    while (last + 1 < table->count &&
           entry_at(table, table->first + last + 1)->sequence == *sequence)
        last++;
    if (entry_at(table, table->first + last)->at_ms >= before_ms && table->count <= max)
        return false;
    while (table->count > 0 && entry_at(table, table->first)->sequence == *sequence) {
        index_remove(table, entry_at(table, table->first)->hash);
        table->first++;
        table->count--;
    }
    table->sequences--;
    return true;
}

void seen_table_drop(struct seen_table *table, int64_t sequence)
{
    table->dropped = memory_grow(table->dropped, &table->dropped_capacity,
                                 table->dropped_count + 1, sizeof *table->dropped);
    table->dropped[table->dropped_count++] = sequence;
}

static int by_number(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int by_sequence(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    if (a->sequence != b->sequence) return a->sequence < b->sequence ? -1 : 1;
    if (a->at_ms != b->at_ms) return a->at_ms < b->at_ms ? -1 : 1;
    return (a->hash > b->hash) - (a->hash < b->hash);
}

void seen_table_order(struct seen_table *table)
{
    if (table->dropped_count > 0)
        qsort(table->dropped, table->dropped_count, sizeof *table->dropped, by_number);
    uint32_t kept = 0;
    assert(table->first == 0); /* nothing expires while restoring */
    for (uint32_t i = 0; i < table->count; i++) {
        const struct entry *entry = &table->ring[i];
        if (table->dropped_count == 0 ||
            bsearch(&entry->sequence, table->dropped, table->dropped_count,
                    sizeof *table->dropped, by_number) == NULL)
            table->ring[kept++] = *entry;
    }
    table->count = kept;
    qsort(table->ring, kept, sizeof *table->ring, by_sequence);
    table->sequences = 0;
    for (uint32_t i = 0; i < kept; i++)
        table->sequences += i == 0 || table->ring[i].sequence != table->ring[i - 1].sequence;
    index_rebuild(table);
    free(table->dropped);
    table->dropped = NULL;
    table->dropped_count = 0;
    table->dropped_capacity = 0;
}

size_t seen_table_count(const struct seen_table *table)
{
    assert(table != NULL);
    return table->count;
}

size_t seen_table_sequences(const struct seen_table *table)
{
    assert(table != NULL);
    return table->sequences;
}
