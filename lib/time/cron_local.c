/* cron_local.c - from the masks of an expression to seconds of local time: the next one, how many,
 * the newest. Nothing here steps through seconds: bits are scanned, months are walked. */
#include "lib/time/cron_local.h"

#include <assert.h>

#include "lib/time/civil.h"
#include "lib/time/cron_bits.h"

enum { YEAR_LAST = 10000, SECONDS_PER_HOUR = 3600, DAYS_BEFORE = 7, WEEKDAYS = 7, THURSDAY = 4 };

static uint32_t second_of_day(uint32_t hour, uint32_t minute, uint32_t second)
{
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

/* A day of the calendar with what is known about its month. */
struct place {
    int32_t day;
    struct civil_date date;
    uint32_t weekday;    /* of the first of the month */
    uint32_t length;     /* of the month */
    uint32_t month_days; /* the matching ones */
};

static int32_t day_of(int64_t local_s, uint32_t *time)
{
    assert(local_s >= CRON_LOCAL_MIN_S && local_s <= CRON_LOCAL_MAX_S);
    uint64_t shifted = (uint64_t)(local_s + DAYS_BEFORE * CIVIL_SECONDS_PER_DAY);
    uint32_t day = (uint32_t)(shifted / CIVIL_SECONDS_PER_DAY);
    *time = (uint32_t)(shifted - (uint64_t)day * CIVIL_SECONDS_PER_DAY);
    return (int32_t)day - DAYS_BEFORE;
}

static bool is_named(const struct cron *cron, const struct civil_date *date)
{
    if ((cron->months >> date->month & 1) == 0) return false;
    if ((cron->flags & CRON_YEARS) == 0) return true;
    if (date->year < CRON_YEAR_FIRST || date->year > CRON_YEAR_LAST) return false;
    uint32_t bit = (uint32_t)(date->year - CRON_YEAR_FIRST);
    return (cron->years[bit / 32] >> bit % 32 & 1) != 0;
}

static struct place place_of(const struct cron *cron, int32_t day)
{
    struct place place = {.day = day, .date = civil_date(day)};
    uint32_t weekday = (uint32_t)(day + THURSDAY + DAYS_BEFORE) % WEEKDAYS;
    place.weekday = (weekday + 36 - (uint32_t)place.date.day) % WEEKDAYS;
    place.length = (uint32_t)civil_days_in_month(place.date.year, place.date.month);
    if (is_named(cron, &place.date))
        place.month_days = cron_days_of(cron, place.weekday, place.length);
    return place;
}

/* Moves to the first day of another month. */
static void go_to_month(struct place *place, int32_t year, int32_t month)
{
    place->date = (struct civil_date){year, month, 1};
    place->day = civil_days(year, month, 1);
    place->weekday = (uint32_t)(place->day + THURSDAY + DAYS_BEFORE) % WEEKDAYS;
    place->length = (uint32_t)civil_days_in_month(year, month);
}

/* The first matching day after that of `place`, which becomes it. Months that are not named are
 * stepped over; one that is named but has no such day (29 February) costs one look. */
static bool day_after(const struct cron *cron, struct place *place)
{
    uint32_t days = (uint32_t)bits_above(place->month_days, (uint32_t)place->date.day);
    if (days != 0) {
        place->day += (int32_t)lowest_bit(days) - place->date.day;
        return true;
    }
    while (days == 0) {
        int32_t year = place->date.year;
        uint64_t months = bits_above(cron->months, (uint32_t)place->date.month);
        if (months == 0) {
            year++;
            months = cron->months;
        }
        if (year > YEAR_LAST || ((cron->flags & CRON_YEARS) != 0 && year > CRON_YEAR_LAST))
            return false;
        go_to_month(place, year, (int32_t)lowest_bit(months));
        if (is_named(cron, &place->date)) days = cron_days_of(cron, place->weekday, place->length);
    }
    place->day += (int32_t)lowest_bit(days) - 1;
    return true;
}

static int64_t local_of(int32_t day, uint32_t time)
{
    return (int64_t)day * CIVIL_SECONDS_PER_DAY + time;
}

/* The first matching day at or after `day`, by the day of the week alone. */
static int32_t weekday_from(const struct cron *cron, int32_t day)
{
    uint32_t weekday = (uint32_t)(day + THURSDAY + DAYS_BEFORE) % WEEKDAYS;
    uint32_t weeks = (uint32_t)cron->weekdays << WEEKDAYS | cron->weekdays;
    return day + (int32_t)lowest_bit(weeks >> weekday);
}

bool cron_local_from(const struct cron *cron, int64_t from_s, int64_t *found_s)
{
    assert(cron->seconds != 0 && cron->minutes != 0 && cron->hours != 0);
    assert(found_s != NULL);
    uint32_t time = 0;
    int32_t day = day_of(from_s, &time);
    if ((cron->flags & CRON_EVERY_DAY) != 0) {
        if (!time_from(cron, time, &time)) {
            day++;
            time = first_time(cron);
        }
    } else if ((cron->flags & CRON_WEEKDAYS_ONLY) != 0) {
        int32_t match = weekday_from(cron, day);
        if (match != day || !time_from(cron, time, &time)) {
            if (match == day) match = weekday_from(cron, day + 1);
            day = match;
            time = first_time(cron);
        }
    } else {
        struct place place = place_of(cron, day);
        if ((place.month_days >> place.date.day & 1) == 0 || !time_from(cron, time, &time)) {
            if (!day_after(cron, &place)) return false;
            day = place.day;
            time = first_time(cron);
        }
    }
    *found_s = local_of(day, time);
    return true;
}

static uint64_t times_per_day(const struct cron *cron)
{
    assert(cron->hours != 0 && cron->minutes != 0 && cron->seconds != 0);
    return (uint64_t)bit_count(cron->hours) * bit_count(cron->minutes) * bit_count(cron->seconds);
}

/* How many times of a matching day are before `time`. */
static uint64_t times_before(const struct cron *cron, uint32_t time)
{
    assert(time < CIVIL_SECONDS_PER_DAY);
    uint32_t hour = time / SECONDS_PER_HOUR;
    uint32_t minute = time / 60 % 60;
    uint64_t minutes =
        (uint64_t)bit_count(bits_below(cron->hours, hour)) * bit_count(cron->minutes);
    uint64_t seconds = 0;
    if ((cron->hours >> hour & 1) != 0) {
        minutes += bit_count(bits_below(cron->minutes, minute));
        if ((cron->minutes >> minute & 1) != 0)
            seconds = bit_count(bits_below(cron->seconds, time % 60));
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
    assert(times_before(cron, time) == rank);
    return time;
}

/* Matching seconds of the month of `local_s` that lie before it. */
static uint64_t month_before(const struct cron *cron, int64_t local_s, struct civil_date *date)
{
    uint32_t time = 0;
    struct place place = place_of(cron, day_of(local_s, &time));
    *date = place.date;
    uint32_t day = (uint32_t)place.date.day;
    uint64_t count = bit_count(bits_below(place.month_days, day)) * times_per_day(cron);
    if ((place.month_days >> day & 1) != 0) count += times_before(cron, time);
    return count;
}

/* Matching days from the start of the month of `from` to the start of the month of `to`. */
static uint64_t days_between_months(const struct cron *cron, struct civil_date from,
                                    struct civil_date to)
{
    assert(from.year <= to.year);
    uint64_t days = 0;
    int32_t month = from.month;
    for (int32_t year = from.year; year <= to.year; year++, month = 1) {
        int32_t month_end = year < to.year ? 13 : to.month;
        for (; month < month_end; month++) days += bit_count(cron_month_days(cron, year, month));
    }
    return days;
}

uint64_t cron_local_count(const struct cron *cron, int64_t from_s, int64_t to_s)
{
    if (from_s >= to_s) return 0;
    struct civil_date from;
    struct civil_date to;
    uint64_t before = month_before(cron, from_s, &from);
    uint64_t through = month_before(cron, to_s, &to);
    through += days_between_months(cron, from, to) * times_per_day(cron);
    assert(through >= before);
    return through - before;
}

int64_t cron_local_newest(const struct cron *cron, int64_t to_s, uint64_t skip)
{
    uint32_t time = 0;
    struct place place = place_of(cron, day_of(to_s, &time));
    uint32_t day = (uint32_t)place.date.day;
    uint64_t today = (place.month_days >> day & 1) != 0 ? times_before(cron, time) : 0;
    if (skip < today) return local_of(place.day, time_of_rank(cron, today - 1 - skip));
    skip -= today;
    uint64_t per_day = times_per_day(cron);
    struct civil_date date = place.date;
    uint32_t days = (uint32_t)bits_below(place.month_days, day);
    while (skip / per_day >= bit_count(days)) {
        skip -= bit_count(days) * per_day;
        date.year -= date.month == 1;
        date.month = date.month == 1 ? 12 : date.month - 1;
        days = cron_month_days(cron, date.year, date.month);
    }
    uint64_t rank = bit_count(days) - 1 - skip / per_day;
    int32_t found = civil_days(date.year, date.month, (int32_t)bit_of_rank(days, rank));
    return local_of(found, time_of_rank(cron, per_day - 1 - skip % per_day));
}
