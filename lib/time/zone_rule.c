#include "lib/time/zone_rule.h"

#include <assert.h>

#include "lib/base/reader.h"
#include "lib/time/civil.h"

enum { ZONE_TIME_HOURS_MAX = 167, ZONE_OFFSET_HOURS_MAX = 25, SECONDS_PER_HOUR = 3600 };

/* CET, or <+0330>. */
static bool read_abbreviation(struct reader *reader)
{
    size_t start = reader->at;
    bool quoted = reader_take(reader, '<');
    while (reader_is_letter(reader_peek(reader)) ||
           (quoted && (reader_is_digit(reader_peek(reader)) || reader_peek(reader) == '+' ||
                       reader_peek(reader) == '-')))
        reader->at++;
    size_t length = reader->at - start - quoted;
    if (length < 3 || (quoted && !reader_take(reader, '>')))
        return reader_refuse(reader, start, CODE_UNKNOWN_ZONE,
                             "an abbreviation of three or more letters is expected");
    return true;
}

static bool read_number(struct reader *reader, int32_t low, int32_t high, int32_t *number)
{
    size_t start = reader->at;
    int64_t value = 0;
    size_t digits = reader_digits(reader, &value);
    if (digits == 0 || digits > 3 || value < low || value > high)
        return reader_refuse(reader, start, CODE_UNKNOWN_ZONE, "a number from %d to %d is expected",
                             low, high);
    *number = (int32_t)value;
    return true;
}

/* [+-]h[:mm[:ss]] in seconds. */
static bool read_time(struct reader *reader, int32_t hours_max, int32_t *seconds)
{
    bool negative = reader_take(reader, '-');
    if (!negative) (void)reader_take(reader, '+');
    int32_t hours = 0;
    int32_t minutes = 0;
    int32_t rest = 0;
    if (!read_number(reader, 0, hours_max, &hours)) return false;
    if (reader_take(reader, ':')) {
        if (!read_number(reader, 0, 59, &minutes)) return false;
        if (reader_take(reader, ':') && !read_number(reader, 0, 59, &rest)) return false;
    }
    int32_t total = hours * SECONDS_PER_HOUR + minutes * 60 + rest;
    *seconds = negative ? -total : total;
    return true;
}

static bool read_day(struct reader *reader, struct zone_day *day)
{
    if (!reader_take(reader, ','))
        return reader_refuse(reader, reader->at, CODE_UNKNOWN_ZONE, "',' and a date are expected");
    *day = (struct zone_day){.kind = ZONE_DAY_OF_YEAR, .time_s = 2 * SECONDS_PER_HOUR};
    if (reader_take(reader, 'J')) {
        day->kind = ZONE_DAY_JULIAN;
        if (!read_number(reader, 1, 365, &day->day)) return false;
    } else if (reader_take(reader, 'M')) {
        day->kind = ZONE_DAY_WEEKDAY;
        if (!read_number(reader, 1, 12, &day->month)) return false;
        if (!reader_take(reader, '.'))
            return reader_refuse(reader, reader->at, CODE_UNKNOWN_ZONE, "'.' is expected");
        if (!read_number(reader, 1, 5, &day->week)) return false;
        if (!reader_take(reader, '.'))
            return reader_refuse(reader, reader->at, CODE_UNKNOWN_ZONE, "'.' is expected");
        if (!read_number(reader, 0, 6, &day->day)) return false;
    } else if (!read_number(reader, 0, 365, &day->day)) {
        return false;
    }
    return !reader_take(reader, '/') || read_time(reader, ZONE_TIME_HOURS_MAX, &day->time_s);
}

bool zone_rule_parse(struct text text, struct zone_rule *rule, struct error *error)
{
    assert(rule != NULL);
    assert(text.bytes != NULL || text.length == 0);
    struct reader reader = {.text = text.bytes, .length = text.length, .subject = "zone rule",
                            .error = error};
    *rule = (struct zone_rule){0};
    int32_t west_s = 0;
    if (!read_abbreviation(&reader)) return false;
    if (!read_time(&reader, ZONE_OFFSET_HOURS_MAX, &west_s)) return false;
    rule->standard_s = -west_s;
    rule->daylight_s = rule->standard_s;
    if (reader_at_end(&reader)) return true;
    rule->has_daylight = true;
    rule->daylight_s = rule->standard_s + SECONDS_PER_HOUR;
    if (!read_abbreviation(&reader)) return false;
    if (reader_peek(&reader) != ',' && !reader_at_end(&reader)) {
        if (!read_time(&reader, ZONE_OFFSET_HOURS_MAX, &west_s)) return false;
        rule->daylight_s = -west_s;
    }
    if (!read_day(&reader, &rule->start) || !read_day(&reader, &rule->end)) return false;
    if (!reader_at_end(&reader))
        return reader_refuse(&reader, reader.at, CODE_UNKNOWN_ZONE, "the end is expected");
    return true;
}

/* Day number of the date in a year. */
static int32_t day_in(const struct zone_day *day, int32_t year)
{
    if (day->kind == ZONE_DAY_JULIAN)
        return civil_days(year, 1, 1) + day->day - 1 + (day->day >= 60 && civil_is_leap(year));
    if (day->kind == ZONE_DAY_OF_YEAR) return civil_days(year, 1, 1) + day->day;
    assert(day->kind == ZONE_DAY_WEEKDAY);
    int32_t first = civil_days(year, day->month, 1);
    int32_t ahead = (day->day - civil_weekday(first) + 7) % 7 + (day->week - 1) * 7;
    if (ahead >= civil_days_in_month(year, day->month)) ahead -= 7;
    return first + ahead;
}

int64_t zone_rule_start(const struct zone_rule *rule, int32_t year)
{
    assert(rule->has_daylight);
    int64_t local_s = (int64_t)day_in(&rule->start, year) * CIVIL_SECONDS_PER_DAY;
    return local_s + rule->start.time_s - rule->standard_s;
}

int64_t zone_rule_end(const struct zone_rule *rule, int32_t year)
{
    assert(rule->has_daylight);
    int64_t local_s = (int64_t)day_in(&rule->end, year) * CIVIL_SECONDS_PER_DAY;
    return local_s + rule->end.time_s - rule->daylight_s;
}
