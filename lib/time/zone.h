/* zone.h - the offsets of one time zone from UTC, as an immutable table that all shards share.
 *
 * zone_tzif.c decodes it from the bytes of a TZif file, zone_rule.c expands the POSIX rule of the
 * far future. Nothing here reads files: who has them hands the core a struct zone_lookup. */
#ifndef BELFRY_TIME_ZONE_H
#define BELFRY_TIME_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/text.h"

enum {
    ZONE_NAME_BYTES_MAX = 64,
    ZONE_SPANS_MAX = 1700,
    ZONE_BUCKET_SHIFT = 24, /* 194 days: a bucket of the index holds one or two changes */
    ZONE_BUCKETS_MAX = 1100,
    ZONE_BYTES_MAX = 32 * 1024
};

/* A stretch of time with one offset. It ends where the next one begins. */
struct zone_span {
    int64_t from_s;   /* UTC seconds since 1970 */
    int32_t offset_s; /* local minus UTC */
    int32_t high_s;   /* from_s + high_s: the latest local time shown before this stretch. Below
                       * offset_s: a gap. Above it: what lies between is shown again. */
};

struct zone {
    char name[ZONE_NAME_BYTES_MAX + 1];
    uint64_t digest; /* of the offsets: another version of the data that says the same is equal */
    bool missing; /* it only stands in for a zone that is not there: see zone_stand_in.h */
    int64_t cycle_s; /* from here on the table repeats every 400 years; INT64_MAX: it does not */
    uint32_t span_count;
    uint32_t bucket_count;
    const struct zone_span *spans; /* the first one holds 1970 */
    const uint16_t *buckets; /* the span that holds the start of each bucket */
};

/* A span as seen from some instant in it, moved to its own 400 years. */
struct zone_view {
    int64_t from_s;
    int64_t until_s; /* exclusive; INT64_MAX: for ever */
    int32_t offset_s;
    int32_t high_s;
};

#define ZONE_CYCLE_SECONDS (INT64_C(146097) * 86400)

/* Decodes a TZif file (RFC 9636, versions 1 to 4, with the POSIX footer). The result is one block,
 * to be freed with free(). Changes before 1970 are left out.
 *   name    checked with zone_name_is_valid() by the caller
 *   errors  ERROR_INVALID, code unknown_zone: not TZif, cut short, counts leap seconds, ... */
struct zone *zone_decode(struct text name, const uint8_t *bytes, size_t length, struct error *error)
    __attribute__((warn_unused_result));

/* The span that holds the instant `at_s` (UTC seconds, 0 or later). */
struct zone_view zone_at(const struct zone *zone, int64_t at_s);

/* The first instant, UTC seconds, at which the clock of the zone shows local_s (local seconds since
 * 1970) or a later time; never before 1970. NULL is UTC. */
int64_t zone_first_showing(const struct zone *zone, int64_t local_s);

/* Whether the offset never changes after 1970. */
bool zone_is_fixed(const struct zone *zone);

/* Bytes of the whole table. */
size_t zone_bytes(const struct zone *zone);

/* Same name, same offsets. */
bool zone_equal(const struct zone *left, const struct zone *right);

/* Parts of letters, digits, '_', '+' and '-', each beginning with a letter, separated by '/'; no
 * "..", no '/' at either end; at most ZONE_NAME_BYTES_MAX. */
bool zone_name_is_valid(struct text name);

/* Where zones come from. Safe to call from any thread. */
struct zone_lookup {
    /* Returns a table that lives as long as the program, or NULL with ERROR_INVALID, code
     * unknown_zone. */
    const struct zone *(*find)(void *opaque, struct text name, struct error *error);
    /* Adds near names to the message; NULL: nobody knows any. */
    void (*suggest)(void *opaque, struct text name, struct error *error);
    void *opaque;
    /* How often suggest may be called yet: a command with 2,000 wrong names is not to hold its
     * shard. NULL: always. */
    int *suggestions;
};
enum { ZONE_SUGGESTIONS_MAX = 5 /* in one command */ };

/* Asks the lookup, after checking the name. A NULL lookup knows UTC only. UTC itself, under any of
 * its names, is the zone NULL.
 *   zone    set only on true */
bool zone_find(const struct zone_lookup *lookup, struct text name, const struct zone **zone,
               struct error *error) __attribute__((warn_unused_result));

#endif
