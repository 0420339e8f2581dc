/* fuzz_zone.c - any bytes as a TZif file and as a POSIX rule. What is read must hold its promises:
 * spans follow each other without holes, offsets are bounded, a table keeps its size. */
#include "lib/time/zone_rule.h"
#include "tests/fuzz/fuzz_zones.h"

#include <stddef.h>
#include <stdint.h>

enum { OFFSET_MAX_S = 27 * 3600, STEPS = 4000 };
#define LAST_S INT64_C(253402300799)

static void promise(bool kept)
{
    if (!kept) abort();
}

static void check_zone(const struct zone *zone)
{
    promise(zone_bytes(zone) <= ZONE_BYTES_MAX);
    int64_t at_s = 0;
    for (int step = 0; step < STEPS && at_s <= LAST_S; step++) {
        struct zone_view view = zone_at(zone, at_s);
        promise(view.from_s <= at_s && view.until_s > at_s);
        promise(view.offset_s >= -OFFSET_MAX_S && view.offset_s <= OFFSET_MAX_S);
        promise(view.high_s >= -OFFSET_MAX_S);
        int64_t last_s = view.until_s == INT64_MAX ? LAST_S : view.until_s - 1;
        struct zone_view again = zone_at(zone, last_s);
        promise(again.from_s == view.from_s && again.offset_s == view.offset_s);
        if (view.until_s == INT64_MAX) return;
        at_s = view.until_s;
    }
}

static void try_tzif(const uint8_t *bytes, size_t length)
{
    struct error error = {0};
    struct zone *zone = zone_decode(text_of("Fuzz/Zone"), bytes, length, &error);
    if (zone == NULL) {
        promise(error.kind == ERROR_INVALID && error.message[0] != '\0');
        return;
    }
    check_zone(zone);
    free(zone);
}

static void try_rule(const uint8_t *bytes, size_t length)
{
    struct error error = {0};
    struct zone_rule rule;
    uint8_t tzif[FUZZ_TZIF_BYTES];
    bool read = zone_rule_parse((struct text){(const char *)bytes, length}, &rule, &error);
    promise(read || (error.kind == ERROR_INVALID && error.column >= 1 &&
                     (size_t)error.column <= length + 1));
    size_t whole = fuzz_tzif(tzif, (const char *)bytes, length);
    if (whole > 0) try_tzif(tzif, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size + 1); /* at the end of its block, so that a read beyond is seen */
    if (exact == NULL) return 0;
    memcpy(exact + 1, data, size);
    try_tzif(exact + 1, size);
    try_rule(exact + 1, size);
    free(exact);
    return 0;
}
