#include "dispatcher/engine/slot_bits.h"

#include <string.h>

#include "lib/base/memory.h"

void slot_bits_set(struct slot_bits *bits, uint32_t slot)
{
    size_t word = slot / 64;
    if (word >= bits->count) {
        size_t count = word + word / 2 + 16;
        bits->words = memory_resize(bits->words, count, sizeof *bits->words);
        memset(bits->words + bits->count, 0, (count - bits->count) * sizeof *bits->words);
        bits->count = count;
    }
    uint64_t mask = UINT64_C(1) << (slot % 64);
    bits->set += (bits->words[word] & mask) == 0;
    bits->words[word] |= mask;
}

bool slot_bits_take(struct slot_bits *bits, uint32_t slot)
{
    size_t word = slot / 64;
    uint64_t mask = UINT64_C(1) << (slot % 64);
    if (word >= bits->count || (bits->words[word] & mask) == 0) return false;
    bits->words[word] &= ~mask;
    bits->set--;
    return true;
}

bool slot_bits_next(const struct slot_bits *bits, uint32_t from, uint32_t *slot)
{
    for (size_t word = from / 64; word < bits->count; word++) {
        uint64_t rest = bits->words[word];
        if (word == from / 64) rest &= ~UINT64_C(0) << (from % 64);
        if (rest == 0) continue;
        *slot = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(rest);
        return true;
    }
    return false;
}

void slot_bits_clear(struct slot_bits *bits)
{
    if (bits->count > 0) memset(bits->words, 0, bits->count * sizeof *bits->words);
    bits->set = 0;
}

void slot_bits_merge(struct slot_bits *into, struct slot_bits *from)
{
    uint32_t slot = 0;
    for (uint32_t at = 0; slot_bits_next(from, at, &slot); at = slot + 1) slot_bits_set(into, slot);
    slot_bits_clear(from);
}
