/* The delay that a job's `jitter` gives a slot, from the fire's id: written down once more from the
 * description (docs/time.md). */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulation/world/slots.h"

static uint64_t turn(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static uint64_t word_of(const char *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return word;
}

static void round_of(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turn(v[1], 13) ^ v[0];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] = turn(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turn(v[1], 17) ^ v[2];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] = turn(v[2], 32);
}

/* SipHash-2-4. */
static uint64_t siphash(const char *key, const char *text, size_t length)
{
    uint64_t k[2] = {word_of(key, 8), word_of(key + 8, 8)};
    uint64_t v[4] = {k[0] ^ UINT64_C(0x736f6d6570736575), k[1] ^ UINT64_C(0x646f72616e646f6d),
                     k[0] ^ UINT64_C(0x6c7967656e657261), k[1] ^ UINT64_C(0x7465646279746573)};
    for (size_t at = 0; at <= length; at += 8) {
        bool last = length - at < 8;
        uint64_t word = last ? word_of(text + at, length - at) | (uint64_t)length << 56
                             : word_of(text + at, 8);
        v[3] ^= word;
        round_of(v);
        round_of(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) round_of(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int64_t slow_due(const struct slow_schedule *schedule, const char *life, int64_t nominal_ms)
{
    if (schedule->jitter_ms == 0) return nominal_ms;
    char id[96];
    int length = snprintf(id, sizeof id, "%s@%" PRId64, life, nominal_ms);
    assert(length > 0 && (size_t)length < sizeof id);
    int64_t span_ms = schedule->jitter_ms;
    int64_t next_ms = 0;
    if (slow_next(schedule, nominal_ms, nominal_ms + span_ms, &next_ms) &&
        next_ms - nominal_ms < span_ms)
        span_ms = next_ms - nominal_ms;
    return nominal_ms +
           (int64_t)(siphash("belfry jitter v1", id, (size_t)length) % (uint64_t)span_ms);
}
