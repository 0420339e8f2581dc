#include "dispatcher/engine/clock_bounds.h"

#include <assert.h>

enum { DRIFT_PPM = 500, MILLI_US = 1000 };

static void age(struct clock_bounds *bounds, int64_t now_us)
{
    int64_t seconds = (now_us - bounds->at_us) / 1000000; /* the rest counts later */
    assert(seconds >= 0);
    bounds->low_us -= seconds * DRIFT_PPM;
    bounds->high_us += seconds * DRIFT_PPM;
    bounds->at_us += seconds * 1000000;
}

void clock_bounds_add(struct clock_bounds *bounds, int64_t sent_ms, int64_t acknowledged_ms,
                      int64_t appended_ms, int64_t now_us)
{
    assert(acknowledged_ms >= sent_ms);
    /* All three are cut to whole milliseconds. */
    int64_t low_us = (sent_ms - appended_ms - 1) * MILLI_US;
    int64_t high_us = (acknowledged_ms - appended_ms + 1) * MILLI_US;
    if (bounds->known) age(bounds, now_us);
    bool agrees = bounds->known && low_us <= bounds->high_us && high_us >= bounds->low_us;
    if (!agrees) {
        *bounds = (struct clock_bounds){true, low_us, high_us, now_us};
        return;
    }
    if (low_us > bounds->low_us) bounds->low_us = low_us;
    if (high_us < bounds->high_us) bounds->high_us = high_us;
}

void clock_bounds_shift(struct clock_bounds *bounds, int64_t by_ms)
{
    bounds->low_us += by_ms * MILLI_US;
    bounds->high_us += by_ms * MILLI_US;
}

int64_t clock_bounds_proven_ms(const struct clock_bounds *bounds)
{
    if (!bounds->known) return 0;
    if (bounds->low_us > 0) return bounds->low_us / MILLI_US;
    return bounds->high_us < 0 ? bounds->high_us / MILLI_US : 0;
}

int64_t clock_bounds_correction_ms(const struct clock_bounds *bounds, int64_t tolerance_ms)
{
    if (!bounds->known) return 0;
    int64_t proven_ms = clock_bounds_proven_ms(bounds);
    int64_t doubt_ms = bounds->high_us / MILLI_US - tolerance_ms;
    if (proven_ms < 0) return proven_ms;
    return doubt_ms > proven_ms ? doubt_ms : proven_ms;
}
