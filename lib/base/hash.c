#include "lib/base/hash.h"

#include <assert.h>

/* Little-endian loads on every machine; compilers make one instruction of each. */
static uint32_t load_32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint64_t load_64(const uint8_t *bytes)
{
    return load_32(bytes) | (uint64_t)load_32(bytes + 4) << 32;
}

uint32_t hash_murmur2(const void *bytes, size_t length)
{
    assert(bytes != NULL || length == 0);
    assert(length <= INT32_MAX);
    const uint32_t multiplier = 0x5bd1e995;
    const uint8_t *at = bytes;
    uint32_t hash = UINT32_C(0x9747b28c) ^ (uint32_t)length;
    size_t left = length;
    for (; left >= 4; left -= 4, at += 4) {
        uint32_t word = load_32(at) * multiplier;
        word ^= word >> 24;
        hash = hash * multiplier ^ word * multiplier;
    }
    if (left > 0) {
        uint32_t tail = 0;
        for (size_t i = 0; i < left; i++) tail |= (uint32_t)at[i] << (8 * i);
        hash = (hash ^ tail) * multiplier;
    }
    hash = (hash ^ hash >> 13) * multiplier;
    return hash ^ hash >> 15;
}

uint32_t shard_of_key(const void *key, size_t length, uint32_t shards)
{
    assert(key != NULL || length == 0);
    assert(shards >= 1);
    return (hash_murmur2(key, length) & 0x7fffffff) % shards;
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void sip_rounds(uint64_t state[4], int rounds)
{
    assert(rounds == 2 || rounds == 4);
    for (int i = 0; i < rounds; i++) {
        state[0] += state[1];
        state[2] += state[3];
        state[1] = rotate(state[1], 13) ^ state[0];
        state[3] = rotate(state[3], 16) ^ state[2];
        state[0] = rotate(state[0], 32) + state[3];
        state[2] += state[1];
        state[3] = rotate(state[3], 21) ^ state[0];
        state[1] = rotate(state[1], 17) ^ state[2];
        state[2] = rotate(state[2], 32);
    }
}

/* All but the last rounds; the state is ready for the first half of the result. */
static void sip_absorb(uint64_t state[4], const uint8_t key[HASH_KEY_BYTES], const uint8_t *at,
                       size_t length)
{
    uint64_t low = load_64(key);
    uint64_t high = load_64(key + 8);
    /* The constants spell "somepseudorandomlygeneratedbytes". */
    state[0] = low ^ UINT64_C(0x736f6d6570736575);
    state[1] ^= high ^ UINT64_C(0x646f72616e646f6d);
    state[2] = low ^ UINT64_C(0x6c7967656e657261);
    state[3] = high ^ UINT64_C(0x7465646279746573);
    size_t left = length;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word = load_64(at);
        state[3] ^= word;
        sip_rounds(state, 2);
        state[0] ^= word;
    }
    uint64_t last = (uint64_t)length << 56;
    for (size_t i = 0; i < left; i++) last |= (uint64_t)at[i] << (8 * i);
    state[3] ^= last;
    sip_rounds(state, 2);
    state[0] ^= last;
}

static uint64_t sip_half(uint64_t state[4], uint64_t mark, size_t at)
{
    state[at] ^= mark;
    sip_rounds(state, 4);
    return state[0] ^ state[1] ^ state[2] ^ state[3];
}

uint64_t hash_siphash(const uint8_t key[HASH_KEY_BYTES], const void *bytes, size_t length)
{
    assert(key != NULL);
    assert(bytes != NULL || length == 0);
    uint64_t state[4] = {0};
    sip_absorb(state, key, bytes, length);
    return sip_half(state, 0xff, 2);
}

struct hash_128 hash_siphash_128(const uint8_t key[HASH_KEY_BYTES], const void *bytes,
                                 size_t length)
{
    assert(key != NULL);
    assert(bytes != NULL || length == 0);
    uint64_t state[4] = {0, 0xee};
    sip_absorb(state, key, bytes, length);
    struct hash_128 hash = {.low = sip_half(state, 0xee, 2)};
    hash.high = sip_half(state, 0xdd, 1);
    return hash;
}
