#include "tests/simulation/world/zones.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/world/heap.h"
#include "tests/simulation/world/zone_bytes.h"

enum { YEAR_FIRST = 2024, YEAR_OF_BYTES_LAST = 2027, YEAR_LAST = 2050, CHANGES_MOST = 400 };
#define DAY_MIN INT64_C(1440)

/* ---- what the clocks of a zone do ---- */

struct yearly { /* at `minute` of that day, as the clock shows it before */
    int month;
    int week; /* 5: the last */
    int minute; /* the day is always a Sunday */
};

struct single {
    int64_t at_min;
    int64_t offset_min;
};

struct story {
    int64_t standard_min;
    int64_t daylight_min; /* the same: the clocks never change by rule */
    struct yearly forth;  /* to daylight time */
    struct yearly back;
    const char *footer;
    const struct single *singles;
    int64_t every_min; /* changes at even distances, see often_offsets */
};

#define HOURS(n) ((n) * INT64_C(60))
#define DAYS_FROM_2026(n) ((INT64_C(20454) + (n)) * DAY_MIN)

/* A day that is left out, and one that comes twice. */
static const struct single skip_singles[] = {
    {DAYS_FROM_2026(20) + HOURS(10), HOURS(14)},  {DAYS_FROM_2026(90) + HOURS(10), HOURS(-10)},
    {DAYS_FROM_2026(170) + HOURS(10), HOURS(14)}, {DAYS_FROM_2026(250) + HOURS(10), HOURS(-10)},
    {DAYS_FROM_2026(600) + HOURS(10), HOURS(14)}, {0, 0}};
static const struct single skip_singles_later[] = {
    {DAYS_FROM_2026(21) + HOURS(10), HOURS(14)},  {DAYS_FROM_2026(91) + HOURS(10), HOURS(-10)},
    {DAYS_FROM_2026(171) + HOURS(10), HOURS(14)}, {DAYS_FROM_2026(251) + HOURS(10), HOURS(-10)},
    {DAYS_FROM_2026(601) + HOURS(10), HOURS(14)}, {0, 0}};

static const int64_t often_offsets[] = {0, 60, 30, 90, -60, 120, 75, 0, -30};
enum { OFTEN_OFFSETS = sizeof often_offsets / sizeof often_offsets[0], OFTEN_CHANGES = 300 };

static const char *const names[ZONE_COUNT] = {"Sim/North", "Sim/South", "Sim/Half", "Sim/Double",
                                              "Sim/Negative", "Sim/Skip", "Sim/Often",
                                              "Sim/Fixed", "Sim/Leaving"};

static const struct story stories[ZONE_VERSIONS][ZONE_COUNT] = {
    {{60, 120, {3, 5, 120}, {10, 5, 180}, "CET-1CEST,M3.5.0,M10.5.0/3", NULL, 0},
     {600, 660, {10, 1, 120}, {4, 1, 180}, "AAA-10BBB,M10.1.0,M4.1.0/3", NULL, 0},
     {630, 660, {10, 1, 120}, {4, 1, 120}, "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", NULL, 0},
     {0, 120, {3, 5, 60}, {10, 5, 180}, "<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", NULL, 0},
     {60, 0, {10, 5, 120}, {3, 5, 60}, "IST-1GMT0,M10.5.0,M3.5.0/1", NULL, 0},
     {-600, -600, {0}, {0}, "<+14>-14", skip_singles, 0},
     {0, 0, {0}, {0}, "", NULL, 29 * 60},
     {345, 345, {0}, {0}, "<+0545>-5:45", NULL, 0},
     {-210, -210, {0}, {0}, "<-0330>3:30", NULL, 0}},
    {{60, 120, {3, 5, 240}, {10, 5, 300}, "CET-1CEST,M3.5.0/4,M10.5.0/5", NULL, 0},
     {600, 600, {0}, {0}, "AAA-10", NULL, 0},
     {630, 690, {10, 1, 120}, {4, 1, 120}, "<+1030>-10:30<+1130>-11:30,M10.1.0,M4.1.0", NULL, 0},
     {0, 120, {3, 4, 60}, {10, 4, 180}, "<+00>0<+02>-2,M3.4.0/1,M10.4.0/3", NULL, 0},
     {60, -30, {10, 5, 120}, {3, 5, 60}, "IST-1GMT0:30,M10.5.0,M3.5.0/1", NULL, 0},
     {-600, -600, {0}, {0}, "<+14>-14", skip_singles_later, 0},
     {0, 0, {0}, {0}, "", NULL, 29 * 60 + 13},
     {345, 345, {0}, {0}, "<+0545>-5:45", NULL, 0},
     {-210, -210, {0}, {0}, "<-0330>3:30", NULL, 0}}};

const char *zones_name(int zone)
{
    assert(zone >= 0 && zone < ZONE_COUNT);
    return names[zone];
}

bool zones_know(const char *name)
{
    for (int i = 0; i < ZONE_COUNT; i++)
        if (strcmp(names[i], name) == 0) return true;
    return strcmp(name, "UTC") == 0;
}

bool zones_may_leave(const struct slow_zone *zone)
{
    return zone != NULL && strcmp(zone->name, names[ZONE_LEAVING]) == 0;
}

const char *zones_version_name(int version)
{
    static const char *const version_names[] = {"sim1", "sim2", "sim1-less", "sim2-less"};
    return version_names[version];
}

int zones_version_of(const char *name)
{
    for (int version = 0; version < 2 * ZONE_VERSIONS; version++)
        if (strcmp(zones_version_name(version), name) == 0) return version;
    return -1;
}

/* ---- the changes, one after the other ---- */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days since 1970, counted year by year and month by month. */
static int64_t days_to(int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = 0;
    for (int y = 1970; y < year; y++) days += is_leap(y) ? 366 : 365;
    for (int m = 1; m < month; m++) days += lengths[m - 1] + (m == 2 && is_leap(year));
    return days;
}

/* The minute UTC of a yearly change, with `before_min` as the offset that ends. */
static int64_t yearly_min(int year, const struct yearly *yearly, int64_t before_min)
{
    int64_t first = days_to(year, yearly->month);
    int64_t next = yearly->month == 12 ? days_to(year + 1, 1) : days_to(year, yearly->month + 1);
    int64_t sunday = -1;
    int seen = 0;
    for (int64_t day = first; day < next && seen < yearly->week; day++) {
        if (day % 7 != 3) continue; /* 1970-01-04 was a Sunday */
        sunday = day;
        seen++;
    }
    return sunday * DAY_MIN + yearly->minute - before_min;
}

static void add(struct slow_zone *zone, int64_t at_min, int64_t offset_min)
{
    assert(zone->count < CHANGES_MOST);
    const struct slow_change *last = &zone->changes[zone->count - 1];
    if (offset_min == last->offset_min) return;
    int64_t shown_min = at_min + last->offset_min - 1;
    if (zone->count > 1 && last->shown_min > shown_min) shown_min = last->shown_min;
    zone->changes[zone->count++] = (struct slow_change){at_min, offset_min, shown_min};
}

static void tell(struct slow_zone *zone, const struct story *story)
{
    zone->changes = memory_allocate(CHANGES_MOST, sizeof *zone->changes);
    zone->changes[zone->count++] =
        (struct slow_change){INT64_MIN, story->standard_min, INT64_MIN};
    for (int year = YEAR_FIRST; story->forth.month > 0 && year <= YEAR_LAST; year++) {
        bool north = story->forth.month < story->back.month;
        for (int half = 0; half < 2; half++) {
            bool forth = (half == 0) == north;
            int64_t before_min = forth ? story->standard_min : story->daylight_min;
            add(zone, yearly_min(year, forth ? &story->forth : &story->back, before_min),
                forth ? story->daylight_min : story->standard_min);
        }
    }
    for (const struct single *single = story->singles; single != NULL && single->at_min > 0;
         single++)
        add(zone, single->at_min, single->offset_min);
    for (int64_t i = 1; story->every_min > 0 && i < OFTEN_CHANGES; i++)
        add(zone, DAYS_FROM_2026(0) + i * story->every_min, often_offsets[i % OFTEN_OFFSETS]);
}

/* ---- what a world has ---- */

struct edition { /* of the data */
    int version;
    struct slow_zone slow[ZONE_COUNT];
    struct zone *decoded[ZONE_COUNT];
    struct zone_lookup lookup;
    struct zone_lookup lacking;
};

struct zones {
    struct edition editions[ZONE_VERSIONS];
};

/* The file: the changes of the first years, and behind them the rule. */
static struct zone *decode(const struct edition *edition, int which)
{
    const struct slow_zone *slow = &edition->slow[which];
    const struct story *story = &stories[edition->version][which];
    size_t count = slow->count;
    int64_t until_min = days_to(YEAR_OF_BYTES_LAST + 1, 1) * DAY_MIN;
    bool by_rule = story->forth.month > 0;
    while (by_rule && count > 1 && slow->changes[count - 1].at_min >= until_min) count--;
    struct heap *before = heap_enter(NULL);
    size_t length = 0;
    uint8_t *bytes = zone_bytes_write(slow->changes, count, story->footer, &length);
    struct error error = {0};
    struct zone *zone = zone_decode(text_of(slow->name), bytes, length, &error);
    free(bytes);
    (void)heap_enter(before);
    return zone;
}

static const struct zone *find(void *opaque, struct text name, struct error *error)
{
    struct edition *edition = opaque;
    for (int i = 0; i < ZONE_COUNT; i++) {
        if (!text_equal(name, text_of(names[i]))) continue;
        if (edition->decoded[i] == NULL) edition->decoded[i] = decode(edition, i);
        assert(edition->decoded[i] != NULL);
        return edition->decoded[i];
    }
    (void)error_invalid(error, CODE_UNKNOWN_ZONE, "'%.*s': no such zone", (int)name.length,
                        name.bytes);
    return NULL;
}

static const struct zone *find_but_one(void *opaque, struct text name, struct error *error)
{
    if (!text_equal(name, text_of(names[ZONE_LEAVING]))) return find(opaque, name, error);
    (void)error_invalid(error, CODE_UNKNOWN_ZONE, "'%.*s': not here", (int)name.length, name.bytes);
    return NULL;
}

struct zones *zones_create(void)
{
    struct zones *zones = memory_allocate(1, sizeof *zones);
    for (int version = 0; version < ZONE_VERSIONS; version++) {
        struct edition *edition = &zones->editions[version];
        edition->version = version;
        edition->lookup = (struct zone_lookup){.find = find, .opaque = edition};
        edition->lacking = (struct zone_lookup){.find = find_but_one, .opaque = edition};
        for (int i = 0; i < ZONE_COUNT; i++) {
            edition->slow[i].name = names[i];
            tell(&edition->slow[i], &stories[version][i]);
        }
    }
    return zones;
}

void zones_destroy(struct zones *zones)
{
    if (zones == NULL) return;
    for (int version = 0; version < ZONE_VERSIONS; version++) {
        for (int i = 0; i < ZONE_COUNT; i++) {
            free(zones->editions[version].slow[i].changes);
            free(zones->editions[version].decoded[i]);
        }
    }
    free(zones);
}

const struct slow_zone *zones_slow(const struct zones *zones, const char *name, int version)
{
    assert(version >= 0 && version < 2 * ZONE_VERSIONS);
    for (int i = 0; i < ZONE_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return &zones->editions[version % ZONE_VERSIONS].slow[i];
    return NULL;
}

static const struct slow_change *change_of(const struct slow_zone *zone, int64_t at_min)
{
    size_t at = 0;
    while (at + 1 < zone->count && zone->changes[at + 1].at_min <= at_min) at++;
    return &zone->changes[at];
}

bool zones_leap(const struct slow_zone *zone, int64_t at_ms)
{
    const struct slow_change *change = change_of(zone, at_ms / 60000);
    return change->at_min == at_ms / 60000 &&
           change->at_min + change->offset_min > change->shown_min + 1;
}

bool zones_repeat(const struct slow_zone *zone, int64_t at_ms)
{
    const struct slow_change *change = change_of(zone, at_ms / 60000);
    return at_ms / 60000 + change->offset_min <= change->shown_min;
}

const struct zone_lookup *zones_lookup(struct zones *zones, int version)
{
    assert(version >= 0 && version < 2 * ZONE_VERSIONS);
    struct edition *edition = &zones->editions[version % ZONE_VERSIONS];
    return version >= VERSION_LACKS ? &edition->lacking : &edition->lookup;
}
