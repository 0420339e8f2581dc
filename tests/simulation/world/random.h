/* random.h - numbers drawn from a seed: the same on every machine. */
#ifndef BELFRY_TESTS_RANDOM_H
#define BELFRY_TESTS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* `stream` tells the purposes apart that draw from one seed. */
struct random random_from(uint64_t seed, uint64_t stream);
uint64_t random_next(struct random *random);
/* low..high, both included; low <= high. */
int64_t random_between(struct random *random, int64_t low, int64_t high);
/* True in `hits` of `of` cases. */
bool random_chance(struct random *random, uint32_t hits, uint32_t of);

/* Mixes a number into a running hash. */
static inline uint64_t random_mix(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

#endif
