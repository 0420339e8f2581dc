/* fuzz_zones.h - zones for fuzz targets, made in memory: they read no files. */
#ifndef BELFRY_TESTS_FUZZ_ZONES_H
#define BELFRY_TESTS_FUZZ_ZONES_H

#include <stdlib.h>
#include <string.h>

#include "lib/time/zone.h"

enum { FUZZ_TZIF_BYTES = 512 };

/* The bytes of a TZif file that has one offset and a rule. Returns how many. */
static inline size_t fuzz_tzif(uint8_t bytes[FUZZ_TZIF_BYTES], const char *rule, size_t rule_length)
{
    enum { HEADER = 44, BLOCK = HEADER + 6 + 4 };
    if (rule_length > FUZZ_TZIF_BYTES - 2 * BLOCK - 2) return 0;
    memset(bytes, 0, FUZZ_TZIF_BYTES);
    for (size_t at = 0; at <= BLOCK; at += BLOCK) {
        memcpy(bytes + at, "TZif2", 5);
        bytes[at + 39] = 1; /* one type */
        bytes[at + 43] = 4; /* four letters */
    }
    size_t length = 2 * (size_t)BLOCK;
    bytes[length++] = '\n';
    memcpy(bytes + length, rule, rule_length);
    length += rule_length;
    bytes[length++] = '\n';
    return length;
}

static inline const struct zone *fuzz_zone_find(void *opaque, struct text name,
                                                struct error *error)
{
    static struct zone *zones[2];
    static const char *const rules[2] = {"CET-1CEST,M3.5.0,M10.5.0/3",
                                         "<-12>12<+12>-12,J60/0,J300"};
    uint8_t bytes[FUZZ_TZIF_BYTES];
    (void)opaque;
    for (size_t i = 0; i < 2; i++)
        if (zones[i] == NULL)
            zones[i] = zone_decode(text_of("Fuzz/Rule"), bytes,
                                   fuzz_tzif(bytes, rules[i], strlen(rules[i])), NULL);
    if (text_equal(name, text_of("Fuzz/Rule"))) return zones[0];
    if (text_equal(name, text_of("Fuzz/Day"))) return zones[1];
    (void)error_invalid(error, CODE_UNKNOWN_ZONE, "there are only Fuzz/Rule and Fuzz/Day");
    return NULL;
}

static inline struct zone_lookup fuzz_zones(void)
{
    return (struct zone_lookup){.find = fuzz_zone_find};
}

#endif
