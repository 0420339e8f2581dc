#include "dispatcher/daemon/signals.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "lib/base/monotonic.h"

/* Ends our own thread; nobody else has a reason to send it. */
enum { SIGNAL_STOP = SIGUSR1 };

struct signals {
    struct signals_options options;
    pthread_t thread;
    sigset_t set;
};

static bool is_wish(int number)
{
    return number == SIGTERM || number == SIGINT;
}

static _Noreturn void end_now(const struct signals *signals, bool limit)
{
    int exit_code = limit ? EXIT_SUCCESS : EXIT_FAILURE;
    if (signals->options.ending != NULL)
        signals->options.ending(signals->options.opaque, limit, exit_code);
    _exit(exit_code);
}

/* The next signal until the instant, 0: none. */
static int wait_until(const struct signals *signals, int64_t instant_ms)
{
    for (;;) {
        int64_t left_ms = instant_ms - monotonic_ms();
        struct timespec left = monotonic_timespec(left_ms > 0 ? left_ms : 0);
        int number = sigtimedwait(&signals->set, NULL, &left);
        if (number > 0) return number;
        if (errno != EINTR) return 0;
    }
}

static void *run(void *argument)
{
    struct signals *signals = argument;
    int number = 0;
    do number = sigwaitinfo(&signals->set, NULL);
    while (number < 0 && errno == EINTR);
    if (!is_wish(number)) return NULL;
    int64_t asked_ms = monotonic_ms(); /* the limit starts before anything else is done */
    signals->options.asked(signals->options.opaque, number);
    do number = wait_until(signals, asked_ms + signals->options.limit_ms);
    while (is_wish(number) && monotonic_ms() < asked_ms + SIGNALS_AGAIN_MS);
    if (number == SIGNAL_STOP) return NULL;
    end_now(signals, number == 0);
}

struct signals *signals_start(const struct signals_options *options, struct error *error)
{
    assert(options != NULL && options->asked != NULL);
    assert(options->limit_ms > SIGNALS_AGAIN_MS);
    struct signals *signals = memory_allocate(1, sizeof *signals);
    signals->options = *options;
    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGTERM);
    sigaddset(&signals->set, SIGINT);
    sigaddset(&signals->set, SIGNAL_STOP);
    (void)signal(SIGPIPE, SIG_IGN); /* a closed connection is an error of its call */
    int failed = pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
    if (failed == 0) failed = pthread_create(&signals->thread, NULL, run, signals);
    if (failed == 0) {
        (void)pthread_setname_np(signals->thread, "signals");
        return signals;
    }
    error_set(error, ERROR_FATAL, "no thread for signals: %s", strerror(failed));
    free(signals);
    return NULL;
}

void signals_stop(struct signals *signals)
{
    if (signals == NULL) return;
    (void)pthread_kill(signals->thread, SIGNAL_STOP);
    (void)pthread_join(signals->thread, NULL);
    free(signals);
}
