/* Schedules in zones: what a clock that changes makes interesting. */
#include "tests/simulation/plan/clock_words.h"

enum { SOON_MIN = 36 * 60, FAR_CHANGES = 22 };
/* Zones under a rule are known up to 2050, and the checker looks years ahead. */
#define FAR_MIN (INT64_C(75) * 365 * 1440)

static int64_t roll(struct random *dice, int64_t sides)
{
    return random_between(dice, 0, sides - 1);
}

/* The first change of the zone between from_ms and to_ms. */
static bool change_within(const struct slow_zone *zone, int64_t from_ms, int64_t to_ms,
                          size_t *which)
{
    for (size_t i = 1; i < zone->count; i++) {
        int64_t at_ms = zone->changes[i].at_min * 60000;
        if (at_ms < from_ms || at_ms > to_ms) continue;
        *which = i;
        return true;
    }
    return false;
}

int64_t clock_words_start_ms(struct random *dice, const struct zones *zones, int64_t hours)
{
    const struct slow_zone *zone = NULL;
    do {
        zone = zones_slow(zones, zones_name((int)roll(dice, ZONES_DRAWN)),
                          (int)roll(dice, ZONE_VERSIONS));
    } while (zone->count < 3);
    int64_t most = (int64_t)zone->count - 2;
    if (zone->changes[zone->count - 1].at_min > FAR_MIN) most -= FAR_CHANGES;
    size_t which = (size_t)random_between(dice, 1, most);
    int64_t hour = zone->changes[which].at_min / 60 - 1 - roll(dice, hours < 48 ? hours : 48);
    return hour * 3600000;
}

/* Around the change, as the clock shows it: in the gap, in what comes twice, or just beside. */
static void choose_time(struct random *dice, const struct slow_zone *zone, int64_t from_ms,
                        int *hour, int *minute)
{
    size_t which = 0;
    *hour = (int)roll(dice, 24);
    *minute = (int)roll(dice, 60);
    if (!change_within(zone, from_ms, from_ms + SOON_MIN * INT64_C(60000), &which)) return;
    const struct slow_change *change = &zone->changes[which];
    int64_t before_min = change->at_min + change[-1].offset_min;
    int64_t after_min = change->at_min + change->offset_min;
    int64_t low_min = (before_min < after_min ? before_min : after_min) - 30;
    int64_t high_min = (before_min < after_min ? after_min : before_min) + 30;
    int64_t local_min = random_between(dice, low_min, high_min);
    *hour = (int)(local_min / 60 % 24);
    *minute = random_chance(dice, 1, 3) ? 0 : (int)(local_min % 60);
}

static const char *some_zone(struct random *dice, const struct zones *zones, int64_t from_ms,
                             int64_t span_ms)
{
    for (int tries = 0; tries < 6; tries++) { /* preferably one whose clocks change soon */
        size_t which = 0;
        const char *name = zones_name((int)roll(dice, ZONES_DRAWN));
        if (change_within(zones_slow(zones, name, 0), from_ms, from_ms + span_ms, &which))
            return name;
    }
    return roll(dice, 12) == 0 ? "UTC" : zones_name((int)roll(dice, ZONES_DRAWN));
}

static void choose_cron(struct random *dice, const struct slow_zone *zone, int64_t from_ms,
                        bool sparse, struct clock_words *words)
{
    int hour = 0;
    int minute = 0;
    choose_time(dice, zone, from_ms, &hour, &minute);
    switch (sparse ? roll(dice, 4) : roll(dice, 10)) {
    case 0:
    case 1: (void)snprintf(words->cron, sizeof words->cron, "%d %d * * *", minute, hour); return;
    case 2:
        (void)snprintf(words->cron, sizeof words->cron, "%d %d,%d * * *", minute, hour,
                       (hour + 1) % 24);
        return;
    case 3:
        (void)snprintf(words->cron, sizeof words->cron, "%d %d * * %d-6", minute, hour,
                       (int)roll(dice, 7));
        return;
    case 4: (void)snprintf(words->cron, sizeof words->cron, "%d * * * *", minute); return;
    case 5: (void)snprintf(words->cron, sizeof words->cron, "*/%d %d * * *", 15, hour); return;
    case 6: (void)snprintf(words->cron, sizeof words->cron, "%d */2 * * *", minute); return;
    case 7:
        (void)snprintf(words->cron, sizeof words->cron, "%d,%d 0-4 * * *", minute,
                       (minute + 30) % 60);
        return;
    case 8: (void)snprintf(words->cron, sizeof words->cron, "0,20,40 %d * * *", hour); return;
    default: (void)snprintf(words->cron, sizeof words->cron, "*/%d * * * *", 30); return;
    }
}

void clock_words_choose(struct random *dice, const struct zones *zones, int64_t at_ms,
                        int64_t span_ms, bool sparse, struct clock_words *words)
{
    *words = (struct clock_words){.zone = some_zone(dice, zones, at_ms, span_ms)};
    const struct slow_zone *zone = zones_slow(zones, words->zone, 0);
    if (zone == NULL) zone = zones_slow(zones, zones_name(0), 0);
    choose_cron(dice, zone, at_ms, sparse, words);
    words->prefix = roll(dice, 5) == 0;
    words->dst = roll(dice, 4) == 0 ? "skip_repeat" : roll(dice, 12) == 0 ? "vixie" : "";
}
