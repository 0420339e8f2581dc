#include "lib/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rows.h"

struct murmur_case {
    const char *key;
    int32_t hash; /* as Java prints it */
};

/* From the tests of Kafka's Java client: Utils.murmur2. */
static const struct murmur_case murmur_cases[] = {
    {"21", -973932308},
    {"foobar", -790332482},
    {"a-little-bit-long-string", -985981536},
    {"a-little-bit-longer-string", -1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    {"abc", 479470107},
};

static void check_murmur(void **state)
{
    const struct murmur_case *row = *state;
    uint32_t hash = hash_murmur2(row->key, strlen(row->key));
    assert_int_equal((int32_t)hash, row->hash);
    assert_int_equal(shard_of_key(row->key, strlen(row->key), 16),
                     ((uint32_t)row->hash & 0x7fffffff) % 16);
}

/* The reference output of SipHash-2-4: key 00..0f, messages of 0, 1, 2, ... bytes 00 01 02 ... */
static const uint8_t siphash_vectors[][8] = {
    {0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72},
    {0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74},
    {0x5a, 0x4f, 0xa9, 0xd9, 0x09, 0x80, 0x6c, 0x0d},
    {0x2d, 0x7e, 0xfb, 0xd7, 0x96, 0x66, 0x67, 0x85},
    {0xb7, 0x87, 0x71, 0x27, 0xe0, 0x94, 0x27, 0xcf},
    {0x8d, 0xa6, 0x99, 0xcd, 0x64, 0x55, 0x76, 0x18},
    {0xce, 0xe3, 0xfe, 0x58, 0x6e, 0x46, 0xc9, 0xcb},
    {0x37, 0xd1, 0x01, 0x8b, 0xf5, 0x00, 0x02, 0xab},
    {0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93},
    {0xb0, 0xe4, 0xa9, 0x0b, 0xdf, 0x82, 0x00, 0x9e},
    {0xf3, 0xb9, 0xdd, 0x94, 0xc5, 0xbb, 0x5d, 0x7a},
    {0xa7, 0xad, 0x6b, 0x22, 0x46, 0x2f, 0xb3, 0xf4},
    {0xfb, 0xe5, 0x0e, 0x86, 0xbc, 0x8f, 0x1e, 0x75},
    {0x90, 0x3d, 0x84, 0xc0, 0x27, 0x56, 0xea, 0x14},
    {0xee, 0xf2, 0x7a, 0x8e, 0x90, 0xca, 0x23, 0xf7},
    {0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1},
};

static void siphash_reference(void **state)
{
    (void)state;
    uint8_t key[HASH_KEY_BYTES];
    uint8_t message[HASH_KEY_BYTES];
    for (uint8_t i = 0; i < HASH_KEY_BYTES; i++) key[i] = message[i] = i;
    for (size_t length = 0; length < sizeof siphash_vectors / sizeof siphash_vectors[0];
         length++) {
        uint64_t expected = 0;
        for (size_t i = 0; i < 8; i++) expected |= (uint64_t)siphash_vectors[length][i] << (8 * i);
        uint64_t hash = hash_siphash(key, message, length);
        if (hash != expected) fail_msg("length %zu: %016llx", length, (unsigned long long)hash);
    }
}

/* As "openssl mac -macopt size:16 SIPHASH" prints them: key 00..0f, input 00, 01, 02, ... */
struct wide_case {
    size_t bytes;
    const char *hex;
};
static const struct wide_case wide_cases[] = {
    {0, "a3817f04ba25a8e66df67214c7550293"},
    {1, "da87c1d86b99af44347659119b22fc45"},
    {8, "3b62a9ba6258f5610f83e264f31497b4"},
    {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
    {63, "5150d1772f50834a503e069a973fbd7c"},
};

static void siphash_of_128_bits(void **state)
{
    (void)state;
    uint8_t key[16];
    uint8_t input[64];
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof input; i++) input[i] = (uint8_t)i;
    for (size_t row = 0; row < sizeof wide_cases / sizeof wide_cases[0]; row++) {
        struct hash_128 hash = hash_siphash_128(key, input, wide_cases[row].bytes);
        char hex[33] = "";
        for (int i = 0; i < 16; i++) {
            uint64_t half = i < 8 ? hash.low : hash.high;
            (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned)(half >> (8 * (i % 8)) & 0xff));
        }
        assert_string_equal(hex, wide_cases[row].hex);
    }
}

static void nothing_has_a_hash(void **state)
{
    (void)state;
    assert_int_equal(hash_murmur2(NULL, 0), hash_murmur2("x", 0));
    assert_int_equal((int32_t)hash_murmur2("", 0), 275646681);
    assert_int_equal(shard_of_key("any", 3, 1), 0);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(murmur_cases, check_murmur)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(siphash_reference),
        cmocka_unit_test(siphash_of_128_bits),
        cmocka_unit_test(nothing_has_a_hash),
    };
    return run_rows("hash", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
