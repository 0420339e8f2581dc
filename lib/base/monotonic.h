/* monotonic.h - time for deadlines of calls to the outside; never goes back, means no date. */
#ifndef BELFRY_BASE_MONOTONIC_H
#define BELFRY_BASE_MONOTONIC_H

#include <stdint.h>
#include <time.h>

/* Since some fixed moment (CLOCK_MONOTONIC). Any thread. */
int64_t monotonic_us(void);
int64_t monotonic_ms(void);

/* The moment `ms` of monotonic_ms() as a wait on CLOCK_MONOTONIC takes it. ms >= 0. */
struct timespec monotonic_timespec(int64_t ms);

#endif
