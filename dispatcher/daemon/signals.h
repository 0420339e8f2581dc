/* signals.h - SIGTERM and SIGINT as a wish to end: the first one asks, one that comes a second
 * later or more ends the process at once, and so does the time limit after the first. (Several
 * within a second are one wish: `timeout` and others signal a process and its group.) A thread of
 * its own waits for them, so no code of ours runs in a signal handler. */
#ifndef BELFRY_DAEMON_SIGNALS_H
#define BELFRY_DAEMON_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

enum { SIGNALS_AGAIN_MS = 1000 };

struct signals;

struct signals_options {
    int64_t limit_ms; /* from the first signal to the end of the process, above SIGNALS_AGAIN_MS */
    void *opaque;
    /* The first signal has come; called once, from the thread of the signals. */
    void (*asked)(void *opaque, int number);
    /* The process ends now with exit_code: a second signal, or the limit is over. May be NULL. */
    void (*ending)(void *opaque, bool limit, int exit_code);
};

/* Blocks the signals in this thread and those it creates from now on: call it before any other
 * thread exists. `options` is copied. NULL: ERROR_FATAL, no thread. */
struct signals *signals_start(const struct signals_options *options, struct error *error)
    __attribute__((warn_unused_result));

/* Ends the thread; the signals stay blocked. NULL is allowed. */
void signals_stop(struct signals *signals);

#endif
