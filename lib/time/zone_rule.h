/* zone_rule.h - the POSIX rule at the end of a TZif file, such as CET-1CEST,M3.5.0,M10.5.0/3. */
#ifndef BELFRY_TIME_ZONE_RULE_H
#define BELFRY_TIME_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/text.h"

/* A day of a year, three ways, and a time of that day that may lie days away. */
enum zone_day_kind {
    ZONE_DAY_JULIAN, /* Jn: 1..365, 29 February is never counted */
    ZONE_DAY_OF_YEAR, /* n: 0..365, counted */
    ZONE_DAY_WEEKDAY /* Mm.w.d */
};
struct zone_day {
    enum zone_day_kind kind;
    int32_t day;   /* n, or 0 = Sunday .. 6 */
    int32_t week;  /* 1..5, 5 = last */
    int32_t month; /* 1..12 */
    int32_t time_s; /* local time of the change, -167 h .. 167 h */
};

struct zone_rule {
    int32_t standard_s; /* local minus UTC */
    int32_t daylight_s;
    bool has_daylight;
    struct zone_day start; /* of daylight time, in standard time */
    struct zone_day end;   /* of daylight time, in daylight time */
};

/* Reads the whole text.
 *   errors  ERROR_INVALID, code unknown_zone, with the column */
bool zone_rule_parse(struct text text, struct zone_rule *rule, struct error *error)
    __attribute__((warn_unused_result));

/* UTC seconds at which daylight time starts and ends in a year of the calendar. */
int64_t zone_rule_start(const struct zone_rule *rule, int32_t year);
int64_t zone_rule_end(const struct zone_rule *rule, int32_t year);

#endif
