/* cron_bits.h - small steps on bit masks. */
#ifndef BELFRY_TIME_CRON_BITS_H
#define BELFRY_TIME_CRON_BITS_H

#include <assert.h>
#include <stdint.h>

static inline uint32_t lowest_bit(uint64_t mask)
{
    assert(mask != 0);
    return (uint32_t)__builtin_ctzll(mask);
}

static inline uint32_t bit_count(uint64_t mask)
{
    mask -= mask >> 1 & UINT64_C(0x5555555555555555);
    mask = (mask & UINT64_C(0x3333333333333333)) + (mask >> 2 & UINT64_C(0x3333333333333333));
    mask = (mask + (mask >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(mask * UINT64_C(0x0101010101010101) >> 56);
}

/* Number of the bit that has `rank` set bits below it. */
static inline uint32_t bit_of_rank(uint64_t mask, uint64_t rank)
{
    assert(rank < bit_count(mask));
    for (; rank > 0; rank--) mask &= mask - 1;
    return lowest_bit(mask);
}

static inline uint64_t bits_below(uint64_t mask, uint32_t bit)
{
    assert(bit < 64);
    return mask & ((UINT64_C(1) << bit) - 1);
}

static inline uint64_t bits_above(uint64_t mask, uint32_t bit)
{
    assert(bit < 63);
    return mask >> (bit + 1) << (bit + 1);
}

#endif
