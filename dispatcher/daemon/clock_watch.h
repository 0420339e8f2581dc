/* clock_watch.h - a thread of its own notices that the wall clock is set back: who waits by that
 * clock is stopped for as long, and does not notice (steady_wait.h). */
#ifndef BELFRY_DAEMON_CLOCK_WATCH_H
#define BELFRY_DAEMON_CLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/engine/clock.h"
#include "lib/base/error.h"

enum { CLOCK_WATCH_BACK_MS = 5000 }; /* less is sat out */

struct clock_watch_options {
    const struct clock *clock;
    void *opaque;
    /* In the thread: the clock was set back by by_ms, more than CLOCK_WATCH_BACK_MS. */
    void (*set_back)(void *opaque, int64_t by_ms);
};

struct clock_watch;
/* NULL: ERROR_RETRY, no thread. The options are copied. */
struct clock_watch *clock_watch_start(const struct clock_watch_options *options,
                                      struct error *error) __attribute__((warn_unused_result));
/* Ends the thread, within a second. NULL is allowed. */
void clock_watch_stop(struct clock_watch *watch);

#endif
