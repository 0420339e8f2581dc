/* hash.h - the hashes of the contract; they are the same in every language. */
#ifndef BELFRY_BASE_HASH_H
#define BELFRY_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_KEY_BYTES = 16 };

/* 32-bit murmur2 with the seed of Kafka's default partitioner in Java. Length below 2^31. */
uint32_t hash_murmur2(const void *bytes, size_t length);

/* The partition that a Java producer gives a record with this key: 0..shards-1; shards >= 1. */
uint32_t shard_of_key(const void *key, size_t length, uint32_t shards);

/* SipHash-2-4 with a 64-bit result: for the stable spread of jitter and for hash tables. */
uint64_t hash_siphash(const uint8_t key[HASH_KEY_BYTES], const void *bytes, size_t length);

struct hash_128 {
    uint64_t low;
    uint64_t high;
};

/* SipHash-2-4 with a 128-bit result: where two texts must not be taken for one. */
struct hash_128 hash_siphash_128(const uint8_t key[HASH_KEY_BYTES], const void *bytes,
                                 size_t length);

#endif
