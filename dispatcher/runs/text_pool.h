/* text_pool.h - texts that many runs share, each kept once: consumer groups, topics, workers. */
#ifndef BELFRY_RUNS_TEXT_POOL_H
#define BELFRY_RUNS_TEXT_POOL_H

#include <stdint.h>

#include "dispatcher/runs/number_index.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

struct pooled_text {
    char *bytes; /* NULL: the number is free */
    uint32_t length;
    uint32_t references;
    uint32_t hash;
};

struct text_pool {
    struct pooled_text *texts;
    size_t capacity;
    uint32_t count; /* numbers ever given; the first is of the empty text */
    uint32_t free_count;
    uint32_t *free_numbers;
    size_t free_capacity;
    struct number_index index;
    uint8_t key[HASH_KEY_BYTES];
};

void text_pool_init(struct text_pool *pool, const uint8_t key[HASH_KEY_BYTES]);
void text_pool_free(struct text_pool *pool);
/* Its number, one reference more; 0 of the empty text. */
uint32_t text_pool_take(struct text_pool *pool, struct text text);
/* One reference less; the last one gives the number back. */
void text_pool_drop(struct text_pool *pool, uint32_t number);
/* Valid as long as a reference is held. */
struct text text_pool_at(const struct text_pool *pool, uint32_t number);

#endif
