#include "lib/time/duration.h"

#include "lib/base/reader.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t ms;
};

/* From the longest to the shortest: the order in which they may be written. */
enum { UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND, UNIT_MS, UNITS };
static const struct unit units[UNITS] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

/* Adds count units to the total, or refuses at `at` when that is more than DURATION_MAX_MS. */
static bool add_units(const struct reader *reader, size_t at, int64_t count, int64_t unit_ms,
                      int64_t *total_ms)
{
    assert(count >= 0 && unit_ms > 0);
    assert(*total_ms >= 0 && *total_ms <= DURATION_MAX_MS);
    if (count > (DURATION_MAX_MS - *total_ms) / unit_ms)
        return reader_refuse(reader, at, CODE_BAD_DURATION, "too long; at most %lldd is allowed",
                             (long long)(DURATION_MAX_MS / units[UNIT_DAY].ms));
    *total_ms += count * unit_ms;
    return true;
}

/* One number; refuses what is not one, with a hint for a sign. */
static bool read_count(struct reader *reader, int64_t *count)
{
    assert(reader != NULL);
    assert(count != NULL);
    char byte = reader_peek(reader);
    if (reader_digits(reader, count) > 0) return true;
    if (byte == '-')
        return reader_refuse(reader, reader->at, CODE_BAD_DURATION,
                             "a duration cannot be negative");
    return reader_refuse(reader, reader->at, CODE_BAD_DURATION,
                         "a whole number expected here; write a duration like 90s, 1h30m or PT90S");
}

static bool refuse_unit(const struct reader *reader, size_t number_at, size_t unit_at,
                        size_t unit_end)
{
    assert(number_at < unit_at && unit_at <= unit_end);
    char first = unit_at < reader->length ? reader->text[unit_at] : '\0';
    struct reader_excerpt number = reader_excerpt(reader, number_at, unit_at);
    struct reader_excerpt unit = reader_excerpt(reader, unit_at, unit_end);
    if (unit_at == reader->length)
        return reader_refuse(reader, number_at, CODE_BAD_DURATION,
                             "%s has no unit; write %ss for seconds (units: d h m s ms)",
                             number.text, number.text);
    if (first == '.' || first == ',')
        return reader_refuse(reader, unit_at, CODE_BAD_DURATION,
                             "whole numbers only; write 1h30m for one and a half hours");
    if (reader_upper(first) == 'W')
        return reader_refuse(reader, unit_at, CODE_BAD_DURATION,
                             "weeks are not a unit here; write 7d for one week");
    bool months = first == 'M' || (first == 'm' && unit.text[1] == 'o');
    if (months || reader_upper(first) == 'Y')
        return reader_refuse(reader, unit_at, CODE_BAD_DURATION,
                             "'%s' is not a unit here: months and years have no fixed length; "
                             "write days, as 30d, or minutes with a small m",
                             unit.text);
    return reader_refuse(reader, unit_at, CODE_BAD_DURATION,
                         "unknown unit '%s'; allowed d h m s ms", unit.text);
}

/* "1h30m": numbers with units, from long to short, each unit once. */
static bool read_compact(struct reader *reader, int64_t *total_ms)
{
    assert(reader->at == 0);
    assert(*total_ms == 0);
    int next_unit = 0;
    do {
        size_t number_at = reader->at;
        int64_t count = 0;
        if (!read_count(reader, &count)) return false;
        size_t unit_at = reader->at;
        while (reader_is_letter(reader_peek(reader))) reader->at++;
        size_t unit_length = reader->at - unit_at;
        int unit = 0;
        while (unit < UNITS &&
               !(strlen(units[unit].name) == unit_length &&
                 memcmp(units[unit].name, reader->text + unit_at, unit_length) == 0))
            unit++;
        if (unit == UNITS) return refuse_unit(reader, number_at, unit_at, reader->at);
        if (unit < next_unit)
            return reader_refuse(reader, unit_at, CODE_BAD_DURATION,
                                 "'%s' may come once, after any longer unit; write 1d2h3m4s5ms",
                                 units[unit].name);
        if (!add_units(reader, number_at, count, units[unit].ms, total_ms)) return false;
        next_unit = unit + 1;
    } while (!reader_at_end(reader));
    return true;
}

/* ".5S": the decimals of ISO seconds, to the millisecond. */
static bool read_iso_fraction(struct reader *reader, int64_t *fraction_ms)
{
    assert(*fraction_ms == 0);
    size_t start = reader->at;
    size_t digits = reader_digits(reader, fraction_ms);
    assert(*fraction_ms >= 0);
    if (digits < 1 || digits > 3 || reader_peek(reader) != 'S')
        return reader_refuse(reader, start, CODE_BAD_DURATION,
                             "only seconds may have decimals, one to three; write PT1.5S");
    for (; digits < 3; digits++) *fraction_ms *= 10;
    return true;
}

static bool refuse_iso_unit(const struct reader *reader, bool in_time)
{
    assert(reader != NULL);
    assert(reader->at <= reader->length);
    char byte = reader_peek(reader);
    const char *allowed = in_time ? "H M S after the T" : "D, or T before H M S";
    if (!in_time && byte == 'W')
        return reader_refuse(reader, reader->at, CODE_BAD_DURATION,
                             "weeks are not allowed; write P7D for one week");
    if (!in_time && (byte == 'Y' || byte == 'M'))
        return reader_refuse(reader, reader->at, CODE_BAD_DURATION,
                             "months and years have no fixed length; write days, as P30D");
    return reader_refuse(reader, reader->at, CODE_BAD_DURATION,
                         "unit missing, unknown or out of order; allowed %s, each once", allowed);
}

/* "P1DT2H3M4.5S" after the P. */
static bool read_iso(struct reader *reader, int64_t *total_ms)
{
    static const char letters[] = {[UNIT_DAY] = 'D', [UNIT_HOUR] = 'H', [UNIT_MINUTE] = 'M',
                                   [UNIT_SECOND] = 'S'};
    assert(reader->at == 1);
    assert(*total_ms == 0);
    bool in_time = false;
    int next_unit = UNIT_DAY;
    do {
        if (!in_time && reader_take(reader, 'T')) {
            in_time = true;
            if (next_unit == UNIT_DAY) next_unit = UNIT_HOUR;
        }
        size_t number_at = reader->at;
        int64_t count = 0;
        int64_t fraction_ms = 0;
        if (!read_count(reader, &count)) return false;
        if (reader_take(reader, '.') && !read_iso_fraction(reader, &fraction_ms)) return false;
        int last_unit = in_time ? UNIT_SECOND : UNIT_DAY;
        int unit = next_unit;
        while (unit <= last_unit && letters[unit] != reader_peek(reader)) unit++;
        if (unit > last_unit) return refuse_iso_unit(reader, in_time);
        reader->at++;
        if (!add_units(reader, number_at, count, units[unit].ms, total_ms)) return false;
        if (!add_units(reader, number_at, fraction_ms, 1, total_ms)) return false;
        next_unit = unit + 1;
    } while (!reader_at_end(reader));
    return true;
}

bool duration_parse(const char *text, size_t length, int64_t *duration_ms, struct error *error)
{
    assert(text != NULL || length == 0);
    assert(duration_ms != NULL);
    struct reader reader = {.text = text, .length = length, .subject = "duration", .error = error};
    int64_t total_ms = 0;
    if (length == 0)
        return reader_refuse(&reader, 0, CODE_BAD_DURATION,
                             "empty; write a duration like 90s, 1h30m or PT90S");
    bool read =
        reader_take(&reader, 'P') ? read_iso(&reader, &total_ms) : read_compact(&reader, &total_ms);
    if (!read) return false;
    assert(reader_at_end(&reader));
    assert(total_ms >= 0 && total_ms <= DURATION_MAX_MS);
    *duration_ms = total_ms;
    return true;
}

void duration_format(int64_t duration_ms, char text[DURATION_TEXT_BYTES])
{
    assert(duration_ms >= 0);
    assert(text != NULL);
    int unit = duration_ms == units[UNIT_DAY].ms ? UNIT_HOUR : UNIT_DAY;
    if (duration_ms == 0) unit = UNIT_SECOND;
    while (duration_ms % units[unit].ms != 0) unit++;
    assert(unit < UNITS);
    int written = snprintf(text, DURATION_TEXT_BYTES, "%lld%s",
                           (long long)(duration_ms / units[unit].ms), units[unit].name);
    assert(written > 0 && written < DURATION_TEXT_BYTES);
}
