#include "cli/show/cli_clock.h"

#include <assert.h>
#include <time.h>

static int64_t clock_read_ms(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(failed == 0);
    (void)failed;
    assert(now.tv_nsec >= 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t cli_now_ms(void)
{
    return clock_read_ms(CLOCK_REALTIME);
}

int64_t cli_monotonic_ms(void)
{
    return clock_read_ms(CLOCK_MONOTONIC);
}

int cli_left_ms(int64_t deadline_ms, int most_ms)
{
    assert(most_ms >= 0);
    int64_t left = deadline_ms - cli_monotonic_ms();
    if (left <= 0) return 0;
    return left < most_ms ? (int)left : most_ms;
}
