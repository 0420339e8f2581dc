#include "tests/simulation/world/random.h"

#include <assert.h>

uint64_t random_next(struct random *random)
{
    uint64_t mixed = (random->state += UINT64_C(0x9E3779B97F4A7C15));
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

struct random random_from(uint64_t seed, uint64_t stream)
{
    struct random random = {seed * UINT64_C(0xD1342543DE82EF95) + stream};
    random.state = random_next(&random) ^ (stream << 32);
    return random;
}

int64_t random_between(struct random *random, int64_t low, int64_t high)
{
    assert(low <= high);
    uint64_t span = (uint64_t)(high - low) + 1;
    return low + (int64_t)(random_next(random) % span);
}

bool random_chance(struct random *random, uint32_t hits, uint32_t of)
{
    assert(of > 0);
    return random_next(random) % of < hits;
}
