#include "cli/show/local_time.h"

#include <assert.h>
#include <stdio.h>

const char *const weekday_short[7] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
const char *const month_long[13] = {"",     "January", "February",  "March",   "April",
                                    "May",  "June",    "July",      "August",  "September",
                                    "October", "November", "December"};

static int32_t offset_at(const struct zone *zone, int64_t instant_ms)
{
    assert(instant_ms >= 0);
    return zone == NULL ? 0 : zone_at(zone, instant_ms / 1000).offset_s;
}

int64_t local_seconds(const struct zone *zone, int64_t instant_ms)
{
    return instant_ms / 1000 + offset_at(zone, instant_ms);
}

static int32_t day_of(int64_t local_s)
{
    int64_t day = local_s / CIVIL_SECONDS_PER_DAY;
    return (int32_t)(local_s % CIVIL_SECONDS_PER_DAY < 0 ? day - 1 : day);
}

struct civil_date local_date(int64_t local_s)
{
    return civil_date(day_of(local_s));
}

const char *clock_text(int64_t local_s, char text[LOCAL_TIME_BYTES])
{
    int64_t time = local_s - (int64_t)day_of(local_s) * CIVIL_SECONDS_PER_DAY;
    int length = snprintf(text, LOCAL_TIME_BYTES, "%02d:%02d", (int)(time / 3600),
                          (int)(time / 60 % 60));
    if (time % 60 != 0)
        (void)snprintf(text + length, LOCAL_TIME_BYTES - (size_t)length, ":%02d", (int)(time % 60));
    return text;
}

const char *local_time_text(const struct zone *zone, int64_t instant_ms,
                            char text[LOCAL_TIME_BYTES])
{
    int32_t offset_s = offset_at(zone, instant_ms);
    int64_t local_s = local_seconds(zone, instant_ms);
    struct civil_date date = local_date(local_s);
    int64_t time = local_s - (int64_t)day_of(local_s) * CIVIL_SECONDS_PER_DAY;
    char part[16] = "";
    if (instant_ms % 1000 != 0)
        (void)snprintf(part, sizeof part, ".%03d", (int)(instant_ms % 1000));
    int32_t east_s = offset_s < 0 ? -offset_s : offset_s;
    (void)snprintf(text, LOCAL_TIME_BYTES, "%s %04d-%02d-%02d %02d:%02d:%02d%s %c%02d:%02d",
                   weekday_short[civil_weekday(day_of(local_s))], (int)date.year, (int)date.month,
                   (int)date.day, (int)(time / 3600), (int)(time / 60 % 60), (int)(time % 60), part,
                   offset_s < 0 ? '-' : '+', (int)(east_s / 3600), (int)(east_s / 60 % 60));
    return text;
}
