#include "dispatcher/runs/text_pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

static uint32_t hash_of(const void *owner, uint32_t number)
{
    const struct text_pool *pool = owner;
    return pool->texts[number].hash;
}

static bool is_wanted(const void *owner, uint32_t number, const void *wanted)
{
    const struct text *text = wanted;
    return text_equal(text_pool_at(owner, number), *text);
}

void text_pool_init(struct text_pool *pool, const uint8_t key[HASH_KEY_BYTES])
{
    *pool = (struct text_pool){.count = 1, .index = {.hash_of = hash_of, .owner = pool}};
    memcpy(pool->key, key, sizeof pool->key);
}

void text_pool_free(struct text_pool *pool)
{
    for (uint32_t i = 1; i < pool->count; i++) free(pool->texts[i].bytes);
    free(pool->texts);
    free(pool->free_numbers);
    number_index_free(&pool->index);
}

static uint32_t new_number(struct text_pool *pool)
{
    if (pool->free_count > 0) return pool->free_numbers[--pool->free_count];
    pool->texts =
        memory_grow(pool->texts, &pool->capacity, pool->count + 1, sizeof *pool->texts);
    return pool->count++;
}

uint32_t text_pool_take(struct text_pool *pool, struct text text)
{
    if (text.length == 0) return 0;
    uint32_t hash = (uint32_t)hash_siphash(pool->key, text.bytes, text.length);
    uint32_t number = number_index_find(&pool->index, hash, is_wanted, &text);
    if (number == NUMBER_NONE) {
        number = new_number(pool);
        pool->texts[number] = (struct pooled_text){
            .bytes = memory_copy_text(text.bytes, text.length),
            .length = (uint32_t)text.length,
            .hash = hash};
        number_index_add(&pool->index, number);
    }
    pool->texts[number].references++;
    return number;
}

void text_pool_drop(struct text_pool *pool, uint32_t number)
{
    if (number == 0) return;
    struct pooled_text *pooled = &pool->texts[number];
    assert(number < pool->count && pooled->references > 0);
    if (--pooled->references > 0) return;
    number_index_remove(&pool->index, number);
    free(pooled->bytes);
    *pooled = (struct pooled_text){0};
    pool->free_numbers = memory_grow(pool->free_numbers, &pool->free_capacity,
                                     pool->free_count + 1, sizeof *pool->free_numbers);
    pool->free_numbers[pool->free_count++] = number;
}

struct text text_pool_at(const struct text_pool *pool, uint32_t number)
{
    if (number == 0) return (struct text){0};
    assert(number < pool->count && pool->texts[number].bytes != NULL);
    return (struct text){pool->texts[number].bytes, pool->texts[number].length};
}
