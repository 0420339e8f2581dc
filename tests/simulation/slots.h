/* slots.h - which instants a schedule names, and which shard a group has: a second, slow method
 * for the checker that shares nothing with the product. */
#ifndef BELFRY_TESTS_SLOTS_H
#define BELFRY_TESTS_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

enum slow_kind { SLOW_CRON = 1, SLOW_EVERY, SLOW_AT };

struct slow_schedule {
    enum slow_kind kind;
    bool minutes[60];
    bool hours[24];
    bool days[32];     /* 1..31 */
    bool months[13];   /* 1..12 */
    bool weekdays[7];  /* 0 = Sunday */
    bool any_day;      /* the field is * */
    bool any_weekday;
    int64_t every_ms;
    int64_t anchor_ms;
    int64_t at_ms;
};

/* Five fields of *, numbers, ranges, steps and lists. False: something else. */
bool slow_cron_read(const char *text, struct slow_schedule *schedule);
/* The first instant after after_ms and not after limit_ms; false: none. */
bool slow_next(const struct slow_schedule *schedule, int64_t after_ms, int64_t limit_ms,
               int64_t *next_ms);
bool slow_same(const struct slow_schedule *a, const struct slow_schedule *b);

int32_t slow_shard_of(const char *group, int32_t shards);

#endif
