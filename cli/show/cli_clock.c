#include "cli/show/cli_clock.h"

#include <assert.h>
#include <time.h>

#include "lib/base/monotonic.h"
#include "lib/base/limits.h"

int64_t cli_now_ms(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    assert(failed == 0);
    (void)failed;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int cli_left_ms(int64_t deadline_ms, int most_ms)
{
    assert(most_ms >= 0);
    int64_t left = deadline_ms - monotonic_ms();
    if (left <= 0) return 0;
    return left < most_ms ? (int)left : most_ms;
}

void cli_pause_ms(int64_t wait_ms)
{
    assert(wait_ms > 0);
    assert(wait_ms < SECONDS_MS);
    struct timespec wait = {.tv_sec = 0, .tv_nsec = wait_ms * 1000000};
    (void)nanosleep(&wait, NULL);
}
