#include "dispatcher/daemon/clock_system.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "lib/base/monotonic.h"

static int64_t now_ms(void *opaque)
{
    (void)opaque;
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    assert(failed == 0);
    (void)failed;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t steady_us(void *opaque)
{
    (void)opaque;
    return monotonic_us();
}

static void sleep_ms(void *opaque, int64_t ms)
{
    (void)opaque;
    assert(ms >= 0);
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) continue;
}

struct clock clock_system(void)
{
    return (struct clock){.opaque = NULL, .now_ms = now_ms, .monotonic_us = steady_us,
                          .sleep_ms = sleep_ms};
}
