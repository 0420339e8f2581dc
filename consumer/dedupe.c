/* dedupe.c - the window of fire ids. The table holds places in the ring, plus one; 0 is empty.
 * Linear probing at most half full; a removal closes the gap by moving followers back. */
#include "consumer/dedupe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "consumer/fail.h"

struct belfry_dedupe {
    uint8_t key[HASH_KEY_BYTES];
    uint32_t capacity;
    uint32_t count;
    uint32_t next;      /* place of the ring the next id takes: the oldest one when full */
    uint32_t slot_mask; /* slots - 1, a power of two minus one */
    uint32_t *slots;
    struct hash_128 *ring;
};

struct belfry_dedupe *belfry_dedupe_create(uint32_t capacity, struct belfry_error *error)
{
    assert(capacity > 0 && capacity <= BELFRY_DEDUPE_MAX);
    uint32_t slots = 2;
    while (slots < 2 * capacity) slots *= 2;
    assert((slots & (slots - 1)) == 0);
    struct belfry_dedupe *window = calloc(1, sizeof *window);
    if (window == NULL) goto memory;
    window->capacity = capacity;
    window->slot_mask = slots - 1;
    window->slots = calloc(slots, sizeof *window->slots);
    window->ring = calloc(capacity, sizeof *window->ring);
    if (window->slots == NULL || window->ring == NULL) goto memory;
    if (getrandom(window->key, sizeof window->key, 0) != sizeof window->key) {
        belfry_fail(error, BELFRY_ERROR_INVALID, "the system gives no random bytes");
        goto failed;
    }
    return window;
memory:
    belfry_fail_memory(error, "the window of fire ids; lower window_ids");
failed:
    belfry_dedupe_destroy(window);
    return NULL;
}

void belfry_dedupe_destroy(struct belfry_dedupe *window)
{
    if (window == NULL) return;
    free(window->slots);
    free(window->ring);
    free(window);
}

struct hash_128 belfry_dedupe_hash(const struct belfry_dedupe *window, const void *bytes,
                                   size_t length)
{
    return hash_siphash_128(window->key, bytes, length);
}

static bool equal(struct hash_128 a, struct hash_128 b)
{
    return a.low == b.low && a.high == b.high;
}

/* The id's slot, or the empty one where it belongs. */
static uint32_t slot_find(const struct belfry_dedupe *window, struct hash_128 hash)
{
    assert(window->count <= window->slot_mask / 2 + 1); /* so an empty slot exists */
    uint32_t slot = (uint32_t)hash.low & window->slot_mask;
    while (window->slots[slot] != 0 && !equal(window->ring[window->slots[slot] - 1], hash))
        slot = (slot + 1) & window->slot_mask;
    assert(slot <= window->slot_mask);
    return slot;
}

/* Empties a slot and moves back what probing would no longer reach. */
static void slot_remove(struct belfry_dedupe *window, uint32_t gap)
{
    assert(window->slots[gap] != 0);
    uint32_t mask = window->slot_mask;
    for (uint32_t slot = (gap + 1) & mask; window->slots[slot] != 0; slot = (slot + 1) & mask) {
        uint32_t home = (uint32_t)window->ring[window->slots[slot] - 1].low & mask;
        if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
        window->slots[gap] = window->slots[slot];
        gap = slot;
    }
    window->slots[gap] = 0;
}

bool belfry_dedupe_knows(const struct belfry_dedupe *window, struct hash_128 hash)
{
    return window->slots[slot_find(window, hash)] != 0;
}

bool belfry_dedupe_add(struct belfry_dedupe *window, struct hash_128 hash)
{
    if (belfry_dedupe_knows(window, hash)) return false;
    if (window->count == window->capacity) {
        uint32_t oldest = slot_find(window, window->ring[window->next]);
        assert(window->slots[oldest] == window->next + 1);
        slot_remove(window, oldest);
        window->count--;
    }
    uint32_t slot = slot_find(window, hash);
    assert(window->slots[slot] == 0);
    window->ring[window->next] = hash;
    window->slots[slot] = window->next + 1;
    window->next = window->next + 1 == window->capacity ? 0 : window->next + 1;
    window->count++;
    return true;
}
