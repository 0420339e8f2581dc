/* zones.h - the time zones of a simulated world: a few, made up, in two versions of the data. The
 * product gets the bytes of TZif files, as from a disk; the checker gets lists of changes. */
#ifndef BELFRY_TESTS_ZONES_H
#define BELFRY_TESTS_ZONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/time/zone.h"

/* The last zone is in no command but those of the beginning, and is the one that a process may
 * lack. A version is an edition of the data, or that without the last zone. */
enum { ZONE_VERSIONS = 2, ZONE_COUNT = 9, ZONES_DRAWN = 8, ZONE_LEAVING = 8, VERSION_LACKS = 2 };

struct slow_change { /* minutes since 1970 */
    int64_t at_min;     /* UTC; INT64_MIN of the first one */
    int64_t offset_min; /* local minus UTC from then on */
    int64_t shown_min;  /* the latest local minute shown before */
};

struct slow_zone {
    const char *name;
    struct slow_change *changes;
    size_t count;
};

struct zones;

struct zones *zones_create(void);
void zones_destroy(struct zones *zones);

/* NULL: no zone has the name. */
const struct slow_zone *zones_slow(const struct zones *zones, const char *name, int version);
/* "UTC", too, is known. */
bool zones_know(const char *name);
const char *zones_name(int zone);
/* Whether it is the one that processes may lack; NULL: UTC. */
bool zones_may_leave(const struct slow_zone *zone);

/* Whether the clock leaps forward to the minute at_ms, or shows a time again there. */
bool zones_leap(const struct slow_zone *zone, int64_t at_ms);
bool zones_repeat(const struct slow_zone *zone, int64_t at_ms);

/* What a process with this version of the data is given, and what it calls it. */
const struct zone_lookup *zones_lookup(struct zones *zones, int version);
const char *zones_version_name(int version);
/* The version with this name; -1: none. */
int zones_version_of(const char *name);

#endif
