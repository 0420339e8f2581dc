/* clock.h - port: the time. Real: dispatcher/daemon/clock_system.c. Simulated: tests. */
#ifndef BELFRY_ENGINE_CLOCK_H
#define BELFRY_ENGINE_CLOCK_H

#include <stdint.h>

struct clock {
    void *opaque;
    int64_t (*now_ms)(void *opaque);       /* wall clock, UTC, may step */
    int64_t (*monotonic_us)(void *opaque); /* never steps; for time-outs and measures */
    void (*sleep_ms)(void *opaque, int64_t ms);
};

#endif
