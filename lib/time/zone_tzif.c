/* zone_tzif.c - the bytes of a TZif file (RFC 9636) to a table of spans. Every read is checked
 * against the length: the file may hold anything. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/time/civil.h"
#include "lib/time/zone.h"
#include "lib/time/zone_rule.h"

enum {
    HEADER_BYTES = 44,
    TYPE_BYTES = 6,
    CHANGES_MAX = 1 << 16, /* of a file; those since 1970 are bounded by ZONE_SPANS_MAX */
    OFFSET_MAX_S = 26 * 3600,
    YEARS_OF_CYCLE = 400
};
#define CHANGE_MAX_S (INT64_C(1) << 40)
#define RULE_MAX_S (INT64_C(1) << 34) /* changes this far away leave no room for 400 years more */

static_assert(sizeof(struct zone) + ZONE_SPANS_MAX * sizeof(struct zone_span) +
                      ZONE_BUCKETS_MAX * sizeof(uint16_t) <=
                  ZONE_BYTES_MAX,
              "a table keeps its bound");

/* One block of the file: its counts and where its parts are. */
struct block {
    uint32_t change_count;
    uint32_t type_count;
    uint32_t letter_count;
    uint32_t leap_count;
    uint32_t standard_count;
    uint32_t ut_count;
    uint32_t time_bytes; /* of an instant: 4 or 8 */
    const uint8_t *changes;
    const uint8_t *indices;
    const uint8_t *types;
    size_t bytes; /* with its header */
};

/* The spans while they are collected. */
struct build {
    struct zone_span spans[ZONE_SPANS_MAX];
    uint32_t count;
    int64_t high_s; /* latest local time shown so far */
    bool full;
    bool unsteady; /* the rule does not say the same again after 400 years */
};

static uint32_t be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int64_t change_at(const struct block *block, uint32_t at)
{
    const uint8_t *bytes = block->changes + (size_t)at * block->time_bytes;
    if (block->time_bytes == 4) return (int32_t)be32(bytes);
    return (int64_t)((uint64_t)be32(bytes) << 32 | be32(bytes + 4));
}

static int32_t type_offset(const struct block *block, uint32_t type)
{
    assert(type < block->type_count);
    return (int32_t)be32(block->types + (size_t)type * TYPE_BYTES);
}

static bool refuse(struct error *error, const char *detail)
{
    return error_invalid(error, CODE_UNKNOWN_ZONE, "the file of the time zone %s", detail);
}

/* The block at the start of `bytes`, its parts within length. */
static bool read_block(const uint8_t *bytes, size_t length, uint32_t time_bytes,
                       struct block *block, struct error *error)
{
    if (length < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0) return refuse(error, "is not TZif");
    *block = (struct block){.ut_count = be32(bytes + 20), .standard_count = be32(bytes + 24),
                            .leap_count = be32(bytes + 28), .change_count = be32(bytes + 32),
                            .type_count = be32(bytes + 36), .letter_count = be32(bytes + 40),
                            .time_bytes = time_bytes};
    if (block->change_count > CHANGES_MAX || block->type_count > 256 ||
        block->letter_count > CHANGES_MAX || block->leap_count > CHANGES_MAX ||
        block->standard_count > 256 || block->ut_count > 256)
        return refuse(error, "has counts beyond reason");
    size_t at = HEADER_BYTES;
    block->changes = bytes + at;
    at += (size_t)block->change_count * time_bytes;
    block->indices = bytes + at;
    at += block->change_count;
    block->types = bytes + at;
    at += (size_t)block->type_count * TYPE_BYTES + block->letter_count;
    at += (size_t)block->leap_count * (time_bytes + 4) + block->standard_count + block->ut_count;
    if (at > length) return refuse(error, "is cut short");
    block->bytes = at;
    return true;
}

static bool check_block(const struct block *block, struct error *error)
{
    if (block->type_count == 0) return refuse(error, "has no offset");
    if (block->leap_count > 0) return refuse(error, "counts leap seconds; use the usual one");
    for (uint32_t i = 0; i < block->type_count; i++) {
        int32_t offset_s = type_offset(block, i);
        if (offset_s < -OFFSET_MAX_S || offset_s > OFFSET_MAX_S)
            return refuse(error, "has an offset of more than 26 hours");
    }
    for (uint32_t i = 0; i < block->change_count; i++) {
        if (block->indices[i] >= block->type_count) return refuse(error, "names a missing offset");
        if (i > 0 && change_at(block, i) <= change_at(block, i - 1))
            return refuse(error, "has its changes out of order");
    }
    return true;
}

/* A change to an offset. One before 1970 only moves the first span; one that changes nothing or
 * comes at the instant of the last one leaves no trace. */
static void add_change(struct build *build, int64_t at_s, int32_t offset_s)
{
    assert(build->count > 0);
    struct zone_span *last = &build->spans[build->count - 1];
    if (build->count > 1 && at_s <= last->from_s) { /* this one wins */
        if (at_s < last->from_s) return;
        last->offset_s = offset_s;
        if (last[-1].offset_s == offset_s) build->count--;
        return;
    }
    int64_t shown_s = at_s + last->offset_s;
    if (offset_s == last->offset_s) return;
    if (shown_s > build->high_s) build->high_s = shown_s;
    if (at_s <= 0) {
        *last = (struct zone_span){.from_s = at_s, .offset_s = offset_s,
                                   .high_s = (int32_t)(build->high_s - at_s)};
        return;
    }
    if (build->count == ZONE_SPANS_MAX) {
        build->full = true;
        return;
    }
    last[1] = (struct zone_span){.from_s = at_s, .offset_s = offset_s,
                                 .high_s = (int32_t)(build->high_s - at_s)};
    build->count++;
}

static void add_block(struct build *build, const struct block *block)
{
    int32_t first_s = type_offset(block, 0); /* before the first change */
    build->spans[0] = (struct zone_span){.offset_s = first_s, .high_s = first_s};
    build->count = 1;
    build->high_s = INT64_MIN / 2;
    for (uint32_t i = 0; i < block->change_count; i++) {
        int64_t at_s = change_at(block, i);
        if (at_s > CHANGE_MAX_S) break;
        if (at_s < -CHANGE_MAX_S) at_s = -CHANGE_MAX_S;
        add_change(build, at_s, type_offset(block, block->indices[i]));
    }
}

static int32_t year_of(int64_t at_s)
{
    return at_s <= 0 ? 1970 : civil_date((int32_t)(at_s / CIVIL_SECONDS_PER_DAY)).year;
}

/* Where the repetition may begin: with the second change by the rule, for the first one may join
 * the file's last offset. Daylight time all the year changes nothing but at the end of what was
 * expanded: then there is no repetition, and that end is none. */
static int64_t cycle_start(struct build *build, uint32_t before, int64_t after_s)
{
    int64_t end_s = (after_s < 0 ? 0 : after_s) + ZONE_CYCLE_SECONDS;
    if (build->count < before + 3) {
        while (build->count > 1 && build->spans[build->count - 1].from_s > end_s) build->count--;
        return INT64_MAX;
    }
    const struct zone_span *start = &build->spans[before + 1];
    build->unsteady = true;
    for (uint32_t i = build->count; i-- > before + 1;)
        if (build->spans[i].from_s == start->from_s + ZONE_CYCLE_SECONDS)
            build->unsteady = build->spans[i].offset_s != start->offset_s;
    return start->from_s;
}

/* The changes the rule makes after `after_s`, over 400 years and a little more. Returns where the
 * repetition may begin. */
static int64_t add_rule(struct build *build, const struct zone_rule *rule, int64_t after_s)
{
    if (!rule->has_daylight) return INT64_MAX; /* the last change of the file says the same */
    int32_t year = year_of(after_s);
    uint32_t before = build->count;
    for (int32_t end = year + YEARS_OF_CYCLE + 3; year <= end; year++) {
        int64_t starts[2] = {zone_rule_start(rule, year), zone_rule_end(rule, year)};
        int32_t offsets[2] = {rule->daylight_s, rule->standard_s};
        uint32_t first = starts[0] > starts[1];
        for (uint32_t i = 0; i < 2; i++) {
            uint32_t which = first ^ i;
            if (starts[which] <= after_s || starts[which] <= 0) continue;
            add_change(build, starts[which], offsets[which]);
        }
    }
    return cycle_start(build, before, after_s);
}

static uint64_t digest_of(const struct build *build, int64_t cycle_s)
{
    static const uint8_t key[HASH_KEY_BYTES] = "belfry time zone";
    return hash_siphash(key, build->spans, build->count * sizeof build->spans[0]) ^
           (uint64_t)cycle_s;
}

/* The table in one block of memory. */
static struct zone *finish(struct text name, const struct build *build, int64_t cycle_s)
{
    int64_t last_s = build->spans[build->count - 1].from_s;
    uint64_t buckets = last_s <= 0 ? 1 : ((uint64_t)last_s >> ZONE_BUCKET_SHIFT) + 1;
    assert(buckets <= ZONE_BUCKETS_MAX);
    size_t spans_bytes = build->count * sizeof(struct zone_span);
    struct zone *zone = memory_allocate(1, sizeof *zone + spans_bytes + buckets * sizeof(uint16_t));
    struct zone_span *spans = (struct zone_span *)(zone + 1);
    uint16_t *starts = (uint16_t *)(void *)(spans + build->count);
    zone->spans = spans;
    zone->buckets = starts;
    zone->span_count = build->count;
    zone->bucket_count = (uint32_t)buckets;
    zone->cycle_s = cycle_s;
    zone->digest = digest_of(build, cycle_s);
    memcpy(zone->name, name.bytes, name.length);
    memcpy(spans, build->spans, spans_bytes);
    uint32_t at = 0;
    for (uint32_t i = 0; i < zone->bucket_count; i++) {
        int64_t start_s = (int64_t)i << ZONE_BUCKET_SHIFT;
        while (at + 1 < build->count && build->spans[at + 1].from_s <= start_s) at++;
        starts[i] = (uint16_t)at;
    }
    return zone;
}

/* The rule between the newlines after the second block; none is allowed. */
static bool read_footer(const uint8_t *bytes, size_t length, struct zone_rule *rule, bool *found,
                        struct error *error)
{
    *found = false;
    if (length == 0 || bytes[0] != '\n') return refuse(error, "has no footer");
    const uint8_t *end = memchr(bytes + 1, '\n', length - 1);
    if (end == NULL) return refuse(error, "has a footer without an end");
    struct text text = {(const char *)bytes + 1, (size_t)(end - bytes) - 1};
    if (text.length == 0) return true;
    *found = true;
    return zone_rule_parse(text, rule, error);
}

struct zone *zone_decode(struct text name, const uint8_t *bytes, size_t length, struct error *error)
{
    assert(zone_name_is_valid(name));
    struct block block;
    struct zone_rule rule = {0};
    bool has_rule = false;
    if (!read_block(bytes, length, 4, &block, error)) return NULL;
    if (bytes[4] != '\0') { /* version 2 and later: the same again with 64 bits, then the footer */
        size_t second = block.bytes;
        if (!read_block(bytes + second, length - second, 8, &block, error)) return NULL;
        second += block.bytes;
        if (!read_footer(bytes + second, length - second, &rule, &has_rule, error)) return NULL;
    }
    if (!check_block(&block, error)) return NULL;
    struct build *build = memory_allocate(1, sizeof *build);
    add_block(build, &block);
    int64_t last_s =
        block.change_count == 0 ? INT64_MIN / 2 : change_at(&block, block.change_count - 1);
    int64_t cycle_s = INT64_MAX;
    if (has_rule && last_s < RULE_MAX_S) cycle_s = add_rule(build, &rule, last_s);
    int64_t end_s = build->spans[build->count - 1].from_s;
    struct zone *zone = NULL;
    if (build->full || (has_rule && last_s >= RULE_MAX_S) ||
        end_s >> ZONE_BUCKET_SHIFT >= ZONE_BUCKETS_MAX)
        (void)refuse(error, "has too many changes");
    else if (build->unsteady) (void)refuse(error, "has a rule whose changes run into each other");
    else zone = finish(name, build, cycle_s);
    free(build);
    return zone;
}
