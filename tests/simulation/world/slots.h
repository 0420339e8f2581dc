/* slots.h - which instants a schedule names, and which shard a group has: a second, slow method
 * for the checker that shares nothing with the product. */
#ifndef BELFRY_TESTS_SLOTS_H
#define BELFRY_TESTS_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

struct slow_zone;

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
    bool once;         /* a fixed time where clocks change: each local time once */
    const struct slow_zone *zone; /* NULL: UTC */
    int64_t jitter_ms;
    int64_t every_ms;
    int64_t anchor_ms;
    int64_t at_ms;
};

/* Five fields of *, numbers, ranges, steps and lists; *fixed: neither minutes nor hours begin with
 * *. False: something else. */
bool slow_cron_read(const char *text, struct slow_schedule *schedule, bool *fixed);
/* The first instant after after_ms and not after limit_ms; false: none. */
bool slow_next(const struct slow_schedule *schedule, int64_t after_ms, int64_t limit_ms,
               int64_t *next_ms);
bool slow_names(const struct slow_schedule *schedule, int64_t nominal_ms);
/* delay.c: when the slot with this nominal time is due, in this life of a job. */
int64_t slow_due(const struct slow_schedule *schedule, const char *life, int64_t nominal_ms);
bool slow_same(const struct slow_schedule *a, const struct slow_schedule *b);

int32_t slow_shard_of(const char *group, int32_t shards);

#endif
