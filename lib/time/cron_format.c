/* cron_format.c - masks back to text, in one canonical way. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/time/cron.h"
#include "lib/time/cron_bits.h"

#define ALL_SIXTY ((UINT64_C(1) << 60) - 1)
#define ALL_HOURS ((UINT64_C(1) << 24) - 1)
#define ALL_DAYS UINT64_C(0xfffffffe)
enum { ALL_MONTHS = 0x1ffe, ALL_WEEKDAYS = 0x7f, WEEKDAYS = 7, YEARS_MAX = 130 };

struct output {
    char *text;
    size_t length;
    bool list; /* something stands in the field already */
};

static void put(struct output *output, const char *format, unsigned a, unsigned b)
{
    size_t room = CRON_FORMAT_BYTES - output->length;
    int written = snprintf(output->text + output->length, room, "%s", output->list ? "," : "");
    output->length += (size_t)written;
    written =
        snprintf(output->text + output->length, CRON_FORMAT_BYTES - output->length, format, a, b);
    output->length += (size_t)written;
    output->list = true;
    assert(output->length < CRON_FORMAT_BYTES);
}

static void next_field(struct output *output)
{
    output->list = false;
    put(output, " ", 0, 0);
    output->list = false;
}

/* The bits as numbers from `low` on, runs as ranges. */
static void put_bits(struct output *output, uint64_t bits, unsigned low)
{
    while (bits != 0) {
        unsigned first = lowest_bit(bits);
        uint64_t rest = ~(bits >> first);
        unsigned count = rest == 0 ? 64 - first : lowest_bit(rest);
        unsigned last = first + count - 1;
        put(output, count == 1 ? "%u" : "%u-%u", first + low, last + low);
        bits &= ~(((UINT64_C(1) << count) - 1) << first);
    }
}

static void put_field(struct output *output, uint64_t bits, uint64_t all, bool star)
{
    if (bits == all && star) put(output, "*", 0, 0);
    else put_bits(output, bits, 0);
}

static void put_day(struct output *output, const struct cron *cron, bool question)
{
    bool last_weekday = (cron->flags & CRON_LAST_WEEKDAY) != 0;
    if (cron->days == ALL_DAYS) {
        put(output, question ? "?" : "*", 0, 0);
        return;
    }
    put_bits(output, cron->days, 0);
    for (uint32_t left = cron->before_last; left != 0; left &= left - 1)
        put(output, lowest_bit(left) == 0 ? "L" : "L-%u", lowest_bit(left), 0);
    if (last_weekday) put(output, "LW", 0, 0);
    for (uint32_t left = cron->nearest; left != 0; left &= left - 1)
        put(output, "%uW", lowest_bit(left), 0);
}

static void put_weekday(struct output *output, const struct cron *cron, bool quartz)
{
    unsigned low = quartz ? 1 : 0;
    if (cron->weekdays == ALL_WEEKDAYS) {
        put(output, quartz ? "?" : "*", 0, 0);
        return;
    }
    bool both = cron->days != ALL_DAYS && (cron->flags & CRON_DAY_EITHER) == 0;
    if (both) put(output, "+", 0, 0);
    output->list = false;
    put_bits(output, cron->weekdays, low);
    for (uint64_t left = cron->nth; left != 0; left &= left - 1) {
        unsigned bit = lowest_bit(left);
        bool last = bit / WEEKDAYS == CRON_NTH_LAST;
        put(output, last ? "%uL" : "%u#%u", bit % WEEKDAYS + low, bit / WEEKDAYS + 1);
    }
}

static void put_years(struct output *output, const struct cron *cron)
{
    for (unsigned year = 0; year < YEARS_MAX; year++)
        if ((cron->years[year / 32] >> year % 32 & 1) != 0)
            put(output, "%u", CRON_YEAR_FIRST + year, 0);
}

size_t cron_format(const struct cron *cron, char text[CRON_FORMAT_BYTES],
                   enum cron_dialect *dialect, enum cron_dst *dst)
{
    assert(cron != NULL);
    bool quartz = (cron->flags & CRON_YEARS) != 0;
    bool once = (cron->flags & CRON_ONCE) != 0;
    struct output output = {.text = text};
    *dialect = quartz ? CRON_QUARTZ : CRON_SECONDS;
    *dst = once ? CRON_DST_VIXIE : CRON_DST_SKIP_REPEAT;
    put_field(&output, cron->seconds, ALL_SIXTY, true);
    next_field(&output);
    put_field(&output, cron->minutes, ALL_SIXTY, !once);
    next_field(&output);
    put_field(&output, cron->hours, ALL_HOURS, !once);
    next_field(&output);
    put_day(&output, cron, quartz && cron->weekdays != ALL_WEEKDAYS);
    next_field(&output);
    put_field(&output, cron->months, ALL_MONTHS, true);
    next_field(&output);
    put_weekday(&output, cron, quartz);
    if (quartz) {
        next_field(&output);
        put_years(&output, cron);
    }
    return output.length;
}
