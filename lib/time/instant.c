#include "lib/time/instant.h"

#include "lib/base/reader.h"
#include "lib/time/civil.h"

#include <assert.h>

static const char form[] = "write it like 2026-01-31T08:30:00Z or 2026-01-31T08:30:00+01:00";

enum { MS_PER_SECOND = 1000, SECONDS_PER_MINUTE = 60, SECONDS_PER_HOUR = 3600 };
enum { YEAR_LOCAL_MIN = 1969 }; /* its last hours can be 1970 in UTC */
static const int64_t ms_per_day = INT64_C(1000) * CIVIL_SECONDS_PER_DAY;

/* A run of digits of fixed width, such as the two of an hour. */
struct part {
    const char *name;
    size_t width;
    int32_t low;
    int32_t high;
};

static bool read_part(struct reader *reader, const struct part *part, int32_t *value)
{
    assert(part->low <= part->high);
    assert(value != NULL);
    size_t start = reader->at;
    int64_t number = 0;
    if (reader_digits(reader, &number) != part->width)
        return reader_refuse(reader, start, CODE_BAD_TIME, "the %s must have %zu digits; %s",
                             part->name, part->width, form);
    if (number < part->low || number > part->high)
        return reader_refuse(reader, start, CODE_BAD_TIME, "%s %lld is not in %d-%d", part->name,
                             (long long)number, (int)part->low, (int)part->high);
    *value = (int32_t)number;
    return true;
}

static bool read_mark(struct reader *reader, char mark)
{
    assert(mark != '\0');
    if (reader_take(reader, mark)) return true;
    return reader_refuse(reader, reader->at, CODE_BAD_TIME, "'%c' expected here; %s", mark, form);
}

/* Bare numbers get their own hint: they are what a client sends that thinks in epoch time. */
static bool is_bare_number(const struct reader *reader)
{
    assert(reader != NULL);
    bool digits = false;
    for (size_t i = 0; i < reader->length; i++) {
        char byte = reader->text[i];
        if (!reader_is_digit(byte) && byte != '.' && !(i == 0 && (byte == '-' || byte == '+')))
            return false;
        digits = digits || reader_is_digit(byte);
    }
    return digits;
}

static bool read_date(struct reader *reader, int32_t year_min, int32_t *days)
{
    static const struct part year_part = {"year", 4, 0, 9999};
    static const struct part month_part = {"month", 2, 1, 12};
    static const struct part day_part = {"day", 2, 1, 31};
    assert(days != NULL);
    int32_t year = 0;
    int32_t month = 0;
    int32_t day = 0;
    if (!read_part(reader, &year_part, &year)) return false;
    if (year < year_min)
        return reader_refuse(reader, 0, CODE_BAD_TIME, "year %d is before 1970; allowed 1970-9999",
                             (int)year);
    if (!read_mark(reader, '-') || !read_part(reader, &month_part, &month)) return false;
    if (!read_mark(reader, '-')) return false;
    size_t day_at = reader->at;
    if (!read_part(reader, &day_part, &day)) return false;
    int32_t last = civil_days_in_month(year, month);
    if (day > last)
        return reader_refuse(reader, day_at, CODE_BAD_TIME, "%04d-%02d has %d days, not %d",
                             (int)year, (int)month, (int)last, (int)day);
    *days = civil_days(year, month, day);
    return true;
}

static bool read_time(struct reader *reader, int64_t *time_ms)
{
    static const struct part hour_part = {"hour", 2, 0, 23};
    static const struct part minute_part = {"minute", 2, 0, 59};
    static const struct part second_part = {"second", 2, 0, 60};
    assert(time_ms != NULL);
    int32_t hour = 0;
    int32_t minute = 0;
    int32_t second = 0;
    if (!read_part(reader, &hour_part, &hour) || !read_mark(reader, ':')) return false;
    if (!read_part(reader, &minute_part, &minute) || !read_mark(reader, ':')) return false;
    size_t second_at = reader->at;
    if (!read_part(reader, &second_part, &second)) return false;
    if (second == 60)
        return reader_refuse(reader, second_at, CODE_BAD_TIME,
                             "second 60 (a leap second) has no place in UTC milliseconds; "
                             "write 59 or second 00 of the next minute");
    int64_t fraction_ms = 0;
    if (reader_take(reader, '.')) {
        int64_t weight = MS_PER_SECOND / 10;
        if (!reader_is_digit(reader_peek(reader)))
            return reader_refuse(reader, reader->at, CODE_BAD_TIME, "digits expected after '.'");
        while (reader_is_digit(reader_peek(reader))) { /* weight reaches 0: finer is floored */
            fraction_ms += weight * (reader->text[reader->at++] - '0');
            weight /= 10;
        }
    }
    int64_t seconds = hour * SECONDS_PER_HOUR + minute * SECONDS_PER_MINUTE + second;
    *time_ms = seconds * MS_PER_SECOND + fraction_ms;
    return true;
}

static bool read_offset(struct reader *reader, int64_t *offset_ms)
{
    static const struct part hour_part = {"offset hour", 2, 0, 23};
    static const struct part minute_part = {"offset minute", 2, 0, 59};
    assert(offset_ms != NULL);
    *offset_ms = 0;
    if (reader_at_end(reader))
        return reader_refuse(reader, reader->at, CODE_BAD_TIME,
                             "the offset is missing; add Z for UTC, or one such as +01:00");
    if (reader_take(reader, 'Z') || reader_take(reader, 'z')) return true;
    bool west = reader_take(reader, '-');
    if (!west && !reader_take(reader, '+'))
        return reader_refuse(reader, reader->at, CODE_BAD_TIME,
                             "Z or an offset such as +01:00 expected here");
    int32_t hour = 0;
    int32_t minute = 0;
    if (!read_part(reader, &hour_part, &hour) || !read_mark(reader, ':')) return false;
    if (!read_part(reader, &minute_part, &minute)) return false;
    int64_t seconds = hour * SECONDS_PER_HOUR + minute * SECONDS_PER_MINUTE;
    *offset_ms = (west ? -seconds : seconds) * MS_PER_SECOND;
    return true;
}

static bool read_instant(struct reader *reader, int32_t year_min, int64_t *instant_ms)
{
    int32_t days = 0;
    int64_t time_ms = 0;
    int64_t offset_ms = 0;
    if (!read_date(reader, year_min, &days)) return false;
    if (!reader_take(reader, 'T') && !reader_take(reader, 't'))
        return reader_refuse(reader, reader->at, CODE_BAD_TIME,
                             "'T' and a time of day expected here; %s", form);
    if (!read_time(reader, &time_ms) || !read_offset(reader, &offset_ms)) return false;
    if (!reader_at_end(reader))
        return reader_refuse(reader, reader->at, CODE_BAD_TIME, "nothing may follow the offset");
    *instant_ms = days * ms_per_day + time_ms - offset_ms;
    return true;
}

bool instant_parse(const char *text, size_t length, int64_t *instant_ms, struct error *error)
{
    assert(text != NULL || length == 0);
    assert(instant_ms != NULL);
    struct reader reader = {.text = text, .length = length, .subject = "time", .error = error};
    int64_t instant = 0;
    if (length == 0) return reader_refuse(&reader, 0, CODE_BAD_TIME, "empty; %s", form);
    if (is_bare_number(&reader))
        return reader_refuse(&reader, 0, CODE_BAD_TIME, "%s is a bare number, not a time; %s",
                             reader_excerpt(&reader, 0, length).text, form);
    if (!read_instant(&reader, YEAR_LOCAL_MIN, &instant)) return false;
    if (!instant_in_range(instant))
        return reader_refuse(&reader, 0, CODE_BAD_TIME, "%s is outside the years 1970-9999 in UTC",
                             reader_excerpt(&reader, 0, length).text);
    *instant_ms = instant;
    return true;
}

bool instant_parse_any_year(const char *text, size_t length, int64_t *instant_ms)
{
    assert(text != NULL || length == 0);
    assert(instant_ms != NULL);
    struct reader reader = {.text = text, .length = length, .subject = "time"};
    return read_instant(&reader, CIVIL_YEAR_MIN, instant_ms);
}

static void put_pair(char *text, uint32_t number)
{
    text[0] = (char)('0' + number / 10);
    text[1] = (char)('0' + number % 10);
}

void instant_format(int64_t instant_ms, char text[INSTANT_TEXT_BYTES])
{
    assert(instant_in_range(instant_ms));
    assert(text != NULL);
    uint32_t day = (uint32_t)(instant_ms / ms_per_day);
    uint32_t time_ms = (uint32_t)(instant_ms - (int64_t)day * ms_per_day);
    struct civil_date date = civil_date((int32_t)day);
    uint32_t second = time_ms / MS_PER_SECOND;
    uint32_t fraction_ms = time_ms % MS_PER_SECOND;
    put_pair(text, (uint32_t)date.year / 100);
    put_pair(text + 2, (uint32_t)date.year % 100);
    text[4] = '-';
    put_pair(text + 5, (uint32_t)date.month);
    text[7] = '-';
    put_pair(text + 8, (uint32_t)date.day);
    text[10] = 'T';
    put_pair(text + 11, second / SECONDS_PER_HOUR);
    text[13] = ':';
    put_pair(text + 14, second / SECONDS_PER_MINUTE % 60);
    text[16] = ':';
    put_pair(text + 17, second % 60);
    text[19] = '.';
    put_pair(text + 20, fraction_ms / 10);
    text[22] = (char)('0' + fraction_ms % 10);
    text[23] = 'Z';
    text[INSTANT_TEXT_LENGTH] = '\0';
}
