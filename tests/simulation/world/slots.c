#include "tests/simulation/world/slots.h"

#include <stdlib.h>
#include <string.h>

#include "tests/simulation/world/zones.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (1440 * MINUTE_MS)

/* ---- reading an expression ---- */

/* One field: the flags of low..high that it names; *star: it is *. */
static bool read_field(const char **at, bool *flags, int low, int high, bool *star)
{
    *star = **at == '*' && (*at)[1] != '/';
    for (;;) {
        int from = low;
        int to = high;
        int step = 1;
        char *end = NULL;
        if (**at == '*') {
            (*at)++;
        } else {
            from = (int)strtol(*at, &end, 10);
            if (end == *at) return false;
            *at = end;
            to = from;
            if (**at == '-') {
                to = (int)strtol(*at + 1, &end, 10);
                *at = end;
            }
        }
        if (**at == '/') {
            step = (int)strtol(*at + 1, &end, 10);
            *at = end;
        }
        if (step < 1 || from < low || to > high) return false;
        for (int i = from; i <= to; i += step) flags[i] = true;
        if (**at != ',') break;
        (*at)++;
    }
    while (**at == ' ') (*at)++;
    return true;
}

bool slow_cron_read(const char *text, struct slow_schedule *schedule, bool *fixed)
{
    const char *at = text;
    const char *second = strchr(text, ' ');
    bool star = false;
    bool days_star = false;
    bool weekdays_star = false;
    bool weekdays[8] = {false};
    memset(schedule, 0, sizeof *schedule);
    schedule->kind = SLOW_CRON;
    *fixed = text[0] != '*' && second != NULL && second[1] != '*';
    if (!read_field(&at, schedule->minutes, 0, 59, &star) ||
        !read_field(&at, schedule->hours, 0, 23, &star) ||
        !read_field(&at, schedule->days, 1, 31, &days_star) ||
        !read_field(&at, schedule->months, 1, 12, &star) ||
        !read_field(&at, weekdays, 0, 7, &weekdays_star))
        return false;
    for (int i = 0; i < 7; i++) schedule->weekdays[i] = weekdays[i];
    if (weekdays[7]) schedule->weekdays[0] = true;
    schedule->any_day = days_star;
    schedule->any_weekday = weekdays_star;
    return *at == '\0';
}

/* ---- walking ---- */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

struct day {
    int year;
    int month;
    int day;
    int weekday;
};

/* Counted from 1970-01-01, a Thursday, year by year. */
static struct day day_of(int64_t days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct day found = {1970, 1, 1, (int)((days % 7 + 7 + 4) % 7)};
    while (days >= (is_leap(found.year) ? 366 : 365)) days -= is_leap(found.year++) ? 366 : 365;
    for (;;) {
        int length = lengths[found.month - 1] + (found.month == 2 && is_leap(found.year));
        if (days < length) break;
        days -= length;
        found.month++;
    }
    found.day = (int)days + 1;
    return found;
}

static bool day_matches(const struct slow_schedule *schedule, int64_t days)
{
    struct day day = day_of(days);
    if (!schedule->months[day.month]) return false;
    bool by_day = schedule->days[day.day];
    bool by_weekday = schedule->weekdays[day.weekday];
    if (schedule->any_day) return by_weekday;
    if (schedule->any_weekday) return by_day;
    return by_day || by_weekday;
}

static bool cron_next(const struct slow_schedule *schedule, int64_t after_ms, int64_t limit_ms,
                      int64_t *next_ms)
{
    int64_t minute = after_ms / MINUTE_MS + 1;
    while (minute * MINUTE_MS <= limit_ms) {
        int64_t day = minute / 1440;
        if (!day_matches(schedule, day)) {
            minute = (day + 1) * 1440;
            continue;
        }
        for (; minute < (day + 1) * 1440 && minute * MINUTE_MS <= limit_ms; minute++) {
            if (!schedule->hours[minute % 1440 / 60] || !schedule->minutes[minute % 60]) continue;
            *next_ms = minute * MINUTE_MS;
            return true;
        }
    }
    return false;
}

/* ---- walking the clock of a zone ---- */

/* Whether a day may match is known for one day at a time. */
struct wall {
    const struct slow_schedule *schedule;
    int64_t day;
    bool day_matches;
};

static bool wall_matches(struct wall *wall, int64_t local_min)
{
    if (local_min / 1440 != wall->day) {
        wall->day = local_min / 1440;
        wall->day_matches = day_matches(wall->schedule, wall->day);
    }
    return wall->day_matches && wall->schedule->hours[local_min % 1440 / 60] &&
           wall->schedule->minutes[local_min % 60];
}

static size_t change_before(const struct slow_zone *zone, int64_t at_min)
{
    size_t low = 0;
    size_t high = zone->count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (zone->changes[middle].at_min <= at_min) low = middle;
        else high = middle;
    }
    return low;
}

/* At a fixed time: the local minutes that are shown for the first time, or were left out just
 * before. Otherwise: the one that is shown. */
static bool minute_matches(struct wall *wall, const struct slow_change *change, int64_t at_min)
{
    int64_t local_min = at_min + change->offset_min;
    int64_t first_min = local_min;
    if (wall->schedule->once && at_min == change->at_min) first_min = change->shown_min + 1;
    if (wall->schedule->once && local_min <= change->shown_min) return false;
    for (int64_t minute = first_min; minute <= local_min; minute++)
        if (wall_matches(wall, minute)) return true;
    return false;
}

static bool zoned_next(const struct slow_schedule *schedule, int64_t after_ms, int64_t limit_ms,
                       int64_t *next_ms)
{
    const struct slow_zone *zone = schedule->zone;
    struct wall wall = {schedule, -1, false};
    int64_t minute = after_ms / MINUTE_MS + 1;
    size_t at = change_before(zone, minute);
    while (minute * MINUTE_MS <= limit_ms) {
        if (at + 1 < zone->count && minute >= zone->changes[at + 1].at_min) {
            at++;
            continue;
        }
        const struct slow_change *change = &zone->changes[at];
        if (minute_matches(&wall, change, minute)) {
            *next_ms = minute * MINUTE_MS;
            return true;
        }
        int64_t local_min = minute + change->offset_min;
        bool leap = !wall.day_matches && wall.day == local_min / 1440;
        minute += leap ? 1440 - local_min % 1440 : 1;
        bool over = at + 1 < zone->count && minute > zone->changes[at + 1].at_min;
        if (over) minute = zone->changes[at + 1].at_min;
    }
    return false;
}

bool slow_names(const struct slow_schedule *schedule, int64_t nominal_ms)
{
    int64_t next_ms = 0;
    return slow_next(schedule, nominal_ms - 1, nominal_ms, &next_ms);
}

bool slow_next(const struct slow_schedule *schedule, int64_t after_ms, int64_t limit_ms,
               int64_t *next_ms)
{
    switch (schedule->kind) {
    case SLOW_CRON:
        return schedule->zone == NULL ? cron_next(schedule, after_ms, limit_ms, next_ms)
                                      : zoned_next(schedule, after_ms, limit_ms, next_ms);
    case SLOW_EVERY:
        *next_ms = schedule->anchor_ms + schedule->every_ms;
        if (after_ms >= *next_ms)
            *next_ms += (after_ms - *next_ms) / schedule->every_ms * schedule->every_ms +
                        schedule->every_ms;
        return *next_ms <= limit_ms;
    case SLOW_AT:
        *next_ms = schedule->at_ms;
        return schedule->at_ms > after_ms && schedule->at_ms <= limit_ms;
    }
    return false;
}

bool slow_same(const struct slow_schedule *a, const struct slow_schedule *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* ---- murmur2 as in Kafka's Java client ---- */

static uint32_t murmur2(const char *text)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t length = (uint32_t)strlen(text);
    uint32_t hash = 0x9747b28c ^ length;
    uint32_t at = 0;
    for (; at + 4 <= length; at += 4) {
        uint32_t k = 0;
        for (uint32_t i = 0; i < 4; i++) k |= (uint32_t)(unsigned char)text[at + i] << (8 * i);
        k *= m;
        k ^= k >> 24;
        hash = hash * m ^ k * m;
    }
    uint32_t tail = 0;
    for (uint32_t i = 0; at + i < length; i++)
        tail |= (uint32_t)(unsigned char)text[at + i] << (8 * i);
    if (at < length) hash = (hash ^ tail) * m;
    hash ^= hash >> 13;
    hash *= m;
    return hash ^ hash >> 15;
}

int32_t slow_shard_of(const char *group, int32_t shards)
{
    return (int32_t)((murmur2(group) & 0x7fffffff) % (uint32_t)shards);
}
