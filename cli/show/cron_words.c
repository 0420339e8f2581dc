#include "cli/show/cron_words.h"

#include <stdio.h>

#include "cli/show/local_time.h"
#include "lib/time/cron_bits.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"

#define ALL_SIXTY ((UINT64_C(1) << 60) - 1)
#define ALL_HOURS ((UINT64_C(1) << 24) - 1)
#define ALL_DAYS UINT64_C(0xfffffffe)
enum { ALL_MONTHS = 0x1ffe, ALL_WEEKDAYS = 0x7f, TIMES_LISTED = 6, YEARS_MAX = 130 };

static const char *const weekday_long[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                            "Thursday", "Friday", "Saturday"};

/* The items of an enumeration: "a", "a and b", "a, b and c". */
struct listing {
    struct text_writer *out;
    uint32_t total;
    uint32_t said;
};

static void item(struct listing *listing, const char *text)
{
    const char *before = listing->said == 0                        ? ""
                         : listing->said + 1 == listing->total ? " and "
                                                                   : ", ";
    text_writer_format(listing->out, "%s%s", before, text);
    listing->said++;
}

static uint32_t run_count(uint64_t bits)
{
    return bit_count(bits & ~(bits << 1));
}

typedef void name_of(uint32_t value, char text[LOCAL_TIME_BYTES]);

static void number_name(uint32_t value, char text[LOCAL_TIME_BYTES])
{
    (void)snprintf(text, LOCAL_TIME_BYTES, "%u", (unsigned)value);
}

static void weekday_name(uint32_t value, char text[LOCAL_TIME_BYTES])
{
    (void)snprintf(text, LOCAL_TIME_BYTES, "%s", weekday_long[value % 7]);
}

static void month_name(uint32_t value, char text[LOCAL_TIME_BYTES])
{
    (void)snprintf(text, LOCAL_TIME_BYTES, "%s", month_long[value]);
}

/* Runs of three and more as "a to b". */
static void say_bits(struct text_writer *out, uint64_t bits, name_of *name)
{
    uint32_t total = 0;
    for (uint64_t left = bits; left != 0;) {
        uint32_t first = lowest_bit(left);
        uint32_t length = lowest_bit(~(left >> first));
        total += length >= 3 ? 1 : length;
        left &= ~(((UINT64_C(1) << length) - 1) << first);
    }
    struct listing listing = {.out = out, .total = total};
    while (bits != 0) {
        uint32_t first = lowest_bit(bits);
        uint32_t length = lowest_bit(~(bits >> first));
        char from[LOCAL_TIME_BYTES];
        char to[LOCAL_TIME_BYTES];
        char text[2 * LOCAL_TIME_BYTES + 8];
        if (length < 3) length = 1;
        name(first, from);
        name(first + length - 1, to);
        (void)snprintf(text, sizeof text, "%s to %s", from, to);
        item(&listing, length == 1 ? from : text);
        bits &= ~(((UINT64_C(1) << length) - 1) << first);
    }
}

/* n when the bits are 0, n, 2n, ... up to the end, else 0. */
static uint32_t step_of(uint64_t bits, uint32_t end)
{
    if ((bits & 1) == 0 || bit_count(bits) < 2) return 0;
    uint32_t step = lowest_bit(bits & ~UINT64_C(1));
    uint64_t expected = 0;
    for (uint32_t value = 0; value < end; value += step) expected |= UINT64_C(1) << value;
    return bits == expected && end % step == 0 ? step : 0;
}

/* "at 02:30 and 14:30", when there are few. */
static bool say_times(struct text_writer *out, const struct cron *cron)
{
    uint32_t total = bit_count(cron->hours) * bit_count(cron->minutes) * bit_count(cron->seconds);
    if (total > TIMES_LISTED) return false;
    struct listing listing = {.out = out, .total = total};
    text_writer_words(out, "at ");
    for (uint64_t hours = cron->hours; hours != 0; hours &= hours - 1)
        for (uint64_t minutes = cron->minutes; minutes != 0; minutes &= minutes - 1)
            for (uint64_t seconds = cron->seconds; seconds != 0; seconds &= seconds - 1) {
                char text[LOCAL_TIME_BYTES];
                int64_t time = (int64_t)lowest_bit(hours) * 3600 + lowest_bit(minutes) * 60 +
                               lowest_bit(seconds);
                item(&listing, clock_text(time, text));
            }
    return true;
}

/* "every 15 minutes", "in minute 5 and 35", "in minute 0 to 10". */
static void say_unit(struct text_writer *out, uint64_t bits, uint64_t all, const char *unit)
{
    uint32_t step = step_of(bits, 60);
    if (bits == all) text_writer_format(out, "every %s", unit);
    else if (step > 0) text_writer_format(out, "every %u %ss", (unsigned)step, unit);
    else {
        text_writer_format(out, "at %s ", unit);
        say_bits(out, bits, number_name);
    }
}

static void say_hours(struct text_writer *out, const struct cron *cron)
{
    uint32_t step = step_of(cron->hours, 24);
    if (cron->hours == ALL_HOURS) {
        if (bit_count(cron->minutes) < 60 && step_of(cron->minutes, 60) == 0)
            text_writer_words(out, " of every hour");
    } else if (step > 0) {
        text_writer_format(out, " of every %u hours", (unsigned)step);
    } else if (run_count(cron->hours) == 1 && bit_count(cron->hours) > 1) {
        uint32_t first = lowest_bit(cron->hours);
        text_writer_format(out, " from %02u:00 to %02u:59", (unsigned)first,
                           (unsigned)(first + bit_count(cron->hours) - 1));
    } else {
        text_writer_words(out, " of hour ");
        say_bits(out, cron->hours, number_name);
    }
}

static void say_clock(struct text_writer *out, const struct cron *cron)
{
    if (say_times(out, cron)) return;
    if (cron->seconds != 1) {
        say_unit(out, cron->seconds, ALL_SIXTY, "second");
        if (cron->minutes == ALL_SIXTY && cron->hours == ALL_HOURS) return;
        text_writer_words(out, ", ");
    } else if (cron->minutes == 1) { /* whole hours */
        uint32_t step = step_of(cron->hours, 24);
        if (cron->hours == ALL_HOURS) text_writer_words(out, "every hour, on the hour");
        else if (step > 0) text_writer_format(out, "every %u hours, on the hour", (unsigned)step);
        else {
            text_writer_words(out, "on the hour,");
            say_hours(out, cron);
        }
        return;
    }
    say_unit(out, cron->minutes, ALL_SIXTY, "minute");
    say_hours(out, cron);
}

static const char *ordinal(uint32_t number, char text[LOCAL_TIME_BYTES])
{
    uint32_t ten = number % 100;
    const char *end = ten >= 11 && ten <= 13 ? "th"
                      : number % 10 == 1     ? "st"
                      : number % 10 == 2     ? "nd"
                      : number % 10 == 3     ? "rd"
                                             : "th";
    (void)snprintf(text, LOCAL_TIME_BYTES, "%u%s", (unsigned)number, end);
    return text;
}

static void ordinal_name(uint32_t value, char text[LOCAL_TIME_BYTES])
{
    (void)ordinal(value, text);
}

static void say_days(struct text_writer *out, const struct cron *cron)
{
    const char *before = "on the ";
    char text[LOCAL_TIME_BYTES];
    if (cron->days != 0) {
        text_writer_words(out, before);
        say_bits(out, cron->days, ordinal_name);
        before = " and the ";
    }
    for (uint32_t left = cron->before_last; left != 0; left &= left - 1) {
        uint32_t days = lowest_bit(left);
        if (days == 0) text_writer_format(out, "%slast day", before);
        else text_writer_format(out, "%s%s day before the last", before, ordinal(days, text));
        before = " and the ";
    }
    if ((cron->flags & CRON_LAST_WEEKDAY) != 0) {
        text_writer_format(out, "%slast weekday", before);
        before = " and the ";
    }
    for (uint32_t left = cron->nearest; left != 0; left &= left - 1) {
        text_writer_format(out, "%sweekday nearest to the %s", before,
                           ordinal(lowest_bit(left), text));
        before = " and the ";
    }
    text_writer_words(out, " of the month");
}

static void say_weekdays(struct text_writer *out, const struct cron *cron)
{
    static const char *const which[] = {"first", "second", "third", "fourth", "fifth", "last"};
    const char *before = "on ";
    uint32_t runs = run_count(cron->weekdays);
    bool range = runs == 1 && bit_count(cron->weekdays) >= 3; /* "Monday to Friday" */
    if (cron->weekdays == 0x41) text_writer_words(out, "on Saturday and Sunday");
    else if (cron->weekdays != 0) {
        if (!range) text_writer_words(out, before);
        say_bits(out, cron->weekdays, weekday_name);
    }
    if (cron->weekdays != 0) before = " and ";
    for (uint64_t left = cron->nth; left != 0; left &= left - 1) {
        uint32_t bit = lowest_bit(left);
        text_writer_format(out, "%sthe %s %s", before, which[bit / 7], weekday_long[bit % 7]);
        before = " and ";
    }
    if (cron->nth != 0) text_writer_words(out, " of the month");
}

static bool has_year(const struct cron *cron, uint32_t year)
{
    return year < YEARS_MAX && (cron->years[year / 32] >> year % 32 & 1) != 0;
}

static void say_years(struct text_writer *out, const struct cron *cron)
{
    const char *before = ", in ";
    for (uint32_t year = 0; year < YEARS_MAX; year++) {
        uint32_t last = year;
        if (!has_year(cron, year)) continue;
        while (has_year(cron, last + 1)) last++;
        text_writer_format(out, "%s%u", before, (unsigned)(CRON_YEAR_FIRST + year));
        if (last > year)
            text_writer_format(out, "%s%u", last == year + 1 ? " and " : " to ",
                               (unsigned)(CRON_YEAR_FIRST + last));
        before = ", ";
        year = last;
    }
}

static void say_cron(struct text_writer *out, const struct cron *cron)
{
    bool by_date = cron->days != ALL_DAYS;
    bool by_weekday = cron->weekdays != ALL_WEEKDAYS;
    say_clock(out, cron);
    if (by_date) {
        text_writer_words(out, ", ");
        say_days(out, cron);
    }
    if (by_weekday) {
        bool either = (cron->flags & CRON_DAY_EITHER) != 0;
        text_writer_words(out, !by_date ? ", " : either ? ", or " : ", if it is also ");
        say_weekdays(out, cron);
    }
    if (cron->months != ALL_MONTHS) {
        text_writer_words(out, ", in ");
        say_bits(out, cron->months, month_name);
    }
    if ((cron->flags & CRON_YEARS) != 0) say_years(out, cron);
    uint32_t times = bit_count(cron->hours) * bit_count(cron->minutes) * bit_count(cron->seconds);
    if (!by_date && !by_weekday && cron->months == ALL_MONTHS && times <= TIMES_LISTED)
        text_writer_words(out, ", every day");
}

void schedule_words(struct text_writer *out, const struct schedule_spec *spec)
{
    char text[LOCAL_TIME_BYTES];
    switch (spec->kind) {
    case SCHEDULE_CRON: say_cron(out, &spec->cron); break;
    case SCHEDULE_EVERY: {
        char duration[DURATION_TEXT_BYTES];
        duration_format(spec->every_ms, duration);
        text_writer_format(out, "every %s, counted from %s", duration,
                           local_time_text(NULL, spec->anchor_ms, text));
        break;
    }
    case SCHEDULE_AT:
        text_writer_format(out, "once, at %s", local_time_text(NULL, spec->at_ms, text));
        break;
    }
}
