/* cron_next.c - from the masks of a cron expression to instants: the next one, how many, the
 * newest. Nothing here steps through instants: bits are scanned, months are walked. */
#include "dispatcher/core/civil.h"
#include "dispatcher/core/cron.h"
#include "dispatcher/core/instant.h"

#include <assert.h>

enum { YEAR_FIRST = 1970, YEAR_LAST = 9999, DAY_LAST = 2932896, SECONDS_PER_HOUR = 3600 };

static uint32_t lowest_bit(uint64_t mask)
{
    assert(mask != 0);
    return (uint32_t)__builtin_ctzll(mask);
}

static uint32_t bit_count(uint64_t mask)
{
    mask -= mask >> 1 & UINT64_C(0x5555555555555555);
    mask = (mask & UINT64_C(0x3333333333333333)) + (mask >> 2 & UINT64_C(0x3333333333333333));
    mask = (mask + (mask >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(mask * UINT64_C(0x0101010101010101) >> 56);
}

/* Number of the bit that has `rank` set bits below it. */
static uint32_t bit_of_rank(uint64_t mask, uint64_t rank)
{
    assert(rank < bit_count(mask));
    for (; rank > 0; rank--) mask &= mask - 1;
    return lowest_bit(mask);
}

static uint64_t bits_below(uint64_t mask, uint32_t bit)
{
    assert(bit < 64);
    return mask & ((UINT64_C(1) << bit) - 1);
}

static uint64_t bits_above(uint64_t mask, uint32_t bit)
{
    assert(bit < 63);
    return mask >> (bit + 1) << (bit + 1);
}

static uint32_t second_of_day(uint32_t hour, uint32_t minute, uint32_t second)
{
    assert(hour < 24 && minute < 60);
    assert(second < 60);
    return hour * SECONDS_PER_HOUR + minute * 60 + second;
}

/* The first time of a matching day. */
static uint32_t first_time(const struct cron *cron)
{
    return second_of_day(lowest_bit(cron->hours), lowest_bit(cron->minutes),
                         lowest_bit(cron->seconds));
}

/* The first time of a matching day at or after `time`; false when the day has no more. */
static bool time_from(const struct cron *cron, uint32_t time, uint32_t *found)
{
    assert(time < CIVIL_SECONDS_PER_DAY);
    assert(found != NULL);
    uint32_t hour = time / SECONDS_PER_HOUR;
    uint32_t minute = time / 60 % 60;
    if ((cron->hours >> hour & 1) != 0) {
        uint64_t rest = cron->seconds >> time % 60 << time % 60;
        if ((cron->minutes >> minute & 1) != 0 && rest != 0) {
            *found = second_of_day(hour, minute, lowest_bit(rest));
            return true;
        }
        rest = bits_above(cron->minutes, minute);
        if (rest != 0) {
            *found = second_of_day(hour, lowest_bit(rest), lowest_bit(cron->seconds));
            return true;
        }
    }
    uint64_t rest = bits_above(cron->hours, hour);
    if (rest == 0) return false;
    *found = second_of_day(lowest_bit(rest), lowest_bit(cron->minutes), lowest_bit(cron->seconds));
    return true;
}

/* The first matching day after `date`. Months that are not named are stepped over; one that is
 * named but has no such day (29 February) costs one look, at most eight years of them. */
static bool day_after(const struct cron *cron, struct civil_date date, int32_t *day)
{
    assert(cron->months != 0);
    assert(day != NULL);
    uint32_t days = (uint32_t)bits_above(cron_month_days(cron, date.year, date.month),
                                         (uint32_t)date.day);
    while (days == 0) {
        uint64_t months = bits_above(cron->months, (uint32_t)date.month);
        if (months == 0) {
            date.year++;
            months = cron->months;
        }
        if (date.year > YEAR_LAST) return false;
        date.month = (int32_t)lowest_bit(months);
        days = cron_month_days(cron, date.year, date.month);
    }
    *day = civil_days(date.year, date.month, (int32_t)lowest_bit(days));
    return true;
}

static int64_t instant_of(int32_t day, uint32_t time)
{
    assert(day >= 0 && day <= DAY_LAST);
    assert(time < CIVIL_SECONDS_PER_DAY);
    return ((int64_t)day * CIVIL_SECONDS_PER_DAY + time) * 1000;
}

bool cron_next(const struct cron *cron, int64_t after_ms, int64_t *next_ms)
{
    assert(cron->seconds != 0 && cron->minutes != 0 && cron->hours != 0);
    assert(next_ms != NULL);
    if (after_ms >= INSTANT_MAX_MS) return false;
    int64_t after = after_ms < INSTANT_MIN_MS ? INSTANT_MIN_MS - 1 : after_ms;
    int64_t second = (after + 1000) / 1000; /* the first whole second after it */
    int32_t day = (int32_t)(second / CIVIL_SECONDS_PER_DAY);
    if (day > DAY_LAST) return false;
    uint32_t time = (uint32_t)(second - (int64_t)day * CIVIL_SECONDS_PER_DAY);
    if ((cron->flags & CRON_EVERY_DAY) != 0) {
        if (!time_from(cron, time, &time)) {
            if (++day > DAY_LAST) return false;
            time = first_time(cron);
        }
    } else {
        struct civil_date date = civil_date(day);
        uint32_t days = cron_month_days(cron, date.year, date.month);
        if ((days >> date.day & 1) == 0 || !time_from(cron, time, &time)) {
            if (!day_after(cron, date, &day)) return false;
            time = first_time(cron);
        }
    }
    int64_t next = instant_of(day, time);
    assert(next > after_ms);
    *next_ms = next;
    return true;
}

static uint64_t times_per_day(const struct cron *cron)
{
    assert(cron->hours != 0 && cron->minutes != 0 && cron->seconds != 0);
    return (uint64_t)bit_count(cron->hours) * bit_count(cron->minutes) * bit_count(cron->seconds);
}

/* How many times of a matching day are at or before `time`. */
static uint64_t times_through(const struct cron *cron, uint32_t time)
{
    assert(time < CIVIL_SECONDS_PER_DAY);
    uint32_t hour = time / SECONDS_PER_HOUR;
    uint32_t minute = time / 60 % 60;
    uint64_t minutes = (uint64_t)bit_count(bits_below(cron->hours, hour)) *
                       bit_count(cron->minutes);
    uint64_t seconds = 0;
    if ((cron->hours >> hour & 1) != 0) {
        minutes += bit_count(bits_below(cron->minutes, minute));
        if ((cron->minutes >> minute & 1) != 0)
            seconds = bit_count(bits_below(cron->seconds, time % 60 + 1));
    }
    uint64_t times = minutes * bit_count(cron->seconds) + seconds;
    assert(times <= times_per_day(cron));
    return times;
}

/* The time of a matching day that has `rank` times before it. */
static uint32_t time_of_rank(const struct cron *cron, uint64_t rank)
{
    assert(rank < times_per_day(cron));
    uint64_t per_minute = bit_count(cron->seconds);
    uint64_t per_hour = per_minute * bit_count(cron->minutes);
    uint32_t time = second_of_day(bit_of_rank(cron->hours, rank / per_hour),
                                  bit_of_rank(cron->minutes, rank % per_hour / per_minute),
                                  bit_of_rank(cron->seconds, rank % per_minute));
    assert(times_through(cron, time) == rank + 1);
    return time;
}

/* An instant as a place in the calendar: the day, and how many of the day's times it includes. */
struct place {
    int32_t day;
    struct civil_date date;
    uint32_t month_days; /* matching days of the month */
    uint64_t times;      /* at or before the instant on its own day; 0 when that does not match */
};

static struct place place_of(const struct cron *cron, int64_t instant_ms)
{
    assert(instant_in_range(instant_ms));
    struct place place;
    int64_t second = instant_ms / 1000;
    place.day = (int32_t)(second / CIVIL_SECONDS_PER_DAY);
    place.date = civil_date(place.day);
    place.month_days = cron_month_days(cron, place.date.year, place.date.month);
    place.times = (place.month_days >> place.date.day & 1) == 0
                      ? 0
                      : times_through(cron, (uint32_t)(second % CIVIL_SECONDS_PER_DAY));
    assert(place.day >= 0 && place.day <= DAY_LAST);
    return place;
}

/* Matching days from the start of the month of `from` to the start of the month of `to`. */
static uint64_t days_between_months(const struct cron *cron, struct civil_date from,
                                    struct civil_date to)
{
    assert(from.year <= to.year);
    assert(from.month >= 1 && from.month <= 12);
    uint64_t days = 0;
    int32_t month = from.month;
    for (int32_t year = from.year; year <= to.year; year++, month = 1) {
        int32_t month_end = year < to.year ? 13 : to.month;
        for (; month < month_end; month++) days += bit_count(cron_month_days(cron, year, month));
    }
    return days;
}

uint64_t cron_count(const struct cron *cron, int64_t from_ms, int64_t to_ms)
{
    assert(cron->months != 0);
    if (to_ms > INSTANT_MAX_MS) to_ms = INSTANT_MAX_MS;
    if (from_ms >= to_ms || to_ms < INSTANT_MIN_MS) return 0;
    bool from_start = from_ms < INSTANT_MIN_MS; /* then instant 0 itself counts */
    struct place from = place_of(cron, from_start ? INSTANT_MIN_MS : from_ms);
    struct place to = place_of(cron, to_ms);
    uint64_t days = days_between_months(cron, from.date, to.date) +
                    bit_count(bits_below(to.month_days, (uint32_t)to.date.day));
    uint64_t days_before = bit_count(bits_below(from.month_days, (uint32_t)from.date.day));
    assert(days >= days_before);
    uint64_t through = (days - days_before) * times_per_day(cron) + to.times;
    uint64_t before = from_start ? 0 : from.times;
    assert(through >= before);
    return through - before;
}

bool cron_newest(const struct cron *cron, int64_t from_ms, int64_t to_ms, uint64_t skip,
                 int64_t *instant_ms)
{
    assert(cron->months != 0);
    assert(instant_ms != NULL);
    if (to_ms > INSTANT_MAX_MS) to_ms = INSTANT_MAX_MS;
    if (from_ms >= to_ms || to_ms < INSTANT_MIN_MS) return false;
    int64_t from_day = from_ms < INSTANT_MIN_MS ? 0 : from_ms / 1000 / CIVIL_SECONDS_PER_DAY;
    struct place to = place_of(cron, to_ms);
    int32_t day = to.day;
    uint32_t time = 0;
    if (skip < to.times) {
        time = time_of_rank(cron, to.times - 1 - skip);
    } else {
        skip -= to.times;
        uint64_t per_day = times_per_day(cron);
        struct civil_date date = to.date;
        uint32_t days = (uint32_t)bits_below(to.month_days, (uint32_t)date.day);
        while (skip / per_day >= bit_count(days)) {
            skip -= bit_count(days) * per_day;
            if (civil_days(date.year, date.month, 1) <= from_day) return false;
            date.year -= date.month == 1;
            date.month = date.month == 1 ? 12 : date.month - 1;
            days = cron_month_days(cron, date.year, date.month);
        }
        uint64_t rank = bit_count(days) - 1 - skip / per_day;
        day = civil_days(date.year, date.month, (int32_t)bit_of_rank(days, rank));
        time = time_of_rank(cron, per_day - 1 - skip % per_day);
    }
    int64_t instant = instant_of(day, time);
    assert(instant <= to_ms);
    if (instant <= from_ms) return false;
    *instant_ms = instant;
    return true;
}
