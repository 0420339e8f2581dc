/* number_index.h - finds small numbers by a hash of what they stand for: open addressing, of 5
 * to 11 bytes a number. What a number stands for is its owner's to know, and must not change
 * meanwhile. */
#ifndef BELFRY_RUNS_NUMBER_INDEX_H
#define BELFRY_RUNS_NUMBER_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#define NUMBER_NONE UINT32_MAX

struct number_index {
    uint32_t (*hash_of)(const void *owner, uint32_t number);
    const void *owner;
    uint32_t *places; /* number + 1; 0: empty */
    uint32_t size;    /* a power of two, or 0 */
    uint32_t count;
};

/* The members hash_of and owner are set, the others 0. */
void number_index_free(struct number_index *index);
void number_index_add(struct number_index *index, uint32_t number);
/* Room for so many at once: else each doubling asks for the hash of all. */
void number_index_reserve(struct number_index *index, uint32_t count);
/* It must be there. */
void number_index_remove(struct number_index *index, uint32_t number);
/* The number with this hash that is the one that is wanted, or NUMBER_NONE. */
uint32_t number_index_find(const struct number_index *index, uint32_t hash,
                           bool (*is_wanted)(const void *owner, uint32_t number,
                                             const void *wanted),
                           const void *wanted);

#endif
