/* cron_local.h - the matching seconds of a calendar without any zone: local seconds since 1970,
 * CRON_LOCAL_MIN_S..CRON_LOCAL_MAX_S. Inside of the cron engine. */
#ifndef BELFRY_TIME_CRON_LOCAL_H
#define BELFRY_TIME_CRON_LOCAL_H

#include "lib/time/cron.h"

/* Instants lie in 1970..9999; local time may lie two days outside. */
#define CRON_LOCAL_MIN_S (INT64_C(-2) * 86400)
#define CRON_LOCAL_MAX_S (INT64_C(2932899) * 86400)

/* The first matching second at or after from_s; false: none up to the year 10000. */
bool cron_local_from(const struct cron *cron, int64_t from_s, int64_t *found_s)
    __attribute__((warn_unused_result));

/* How many matching seconds lie in [from_s, to_s); 0 when that is empty. */
uint64_t cron_local_count(const struct cron *cron, int64_t from_s, int64_t to_s);

/* The newest matching second before to_s after leaving out the `skip` newest ones. There must be
 * more than `skip` of them at or after CRON_LOCAL_MIN_S. */
int64_t cron_local_newest(const struct cron *cron, int64_t to_s, uint64_t skip);

#endif
