#include "dispatcher/daemon/clock_watch.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

enum { LOOK_MS = 250 };

struct clock_watch {
    struct clock_watch_options options;
    atomic_bool stop;
    pthread_t thread;
};

/* The wall clock against the one that never steps: what falls was set back. */
static int64_t difference_ms(const struct clock *clock)
{
    return clock->now_ms(clock->opaque) - clock->monotonic_us(clock->opaque) / 1000;
}

static void *run(void *argument)
{
    struct clock_watch *watch = argument;
    const struct clock *clock = watch->options.clock;
    int64_t before_ms = difference_ms(clock);
    while (!atomic_load(&watch->stop)) {
        clock->sleep_ms(clock->opaque, LOOK_MS);
        int64_t now_ms = difference_ms(clock);
        int64_t back_ms = before_ms - now_ms;
        before_ms = now_ms;
        if (back_ms > CLOCK_WATCH_BACK_MS)
            watch->options.set_back(watch->options.opaque, back_ms);
    }
    return NULL;
}

struct clock_watch *clock_watch_start(const struct clock_watch_options *options,
                                      struct error *error)
{
    assert(options != NULL && options->clock != NULL && options->set_back != NULL);
    struct clock_watch *watch = memory_allocate(1, sizeof *watch);
    watch->options = *options;
    int failed = pthread_create(&watch->thread, NULL, run, watch);
    if (failed == 0) return watch;
    error_set(error, ERROR_RETRY, "no thread to watch the clock: %s", strerror(failed));
    free(watch);
    return NULL;
}

void clock_watch_stop(struct clock_watch *watch)
{
    if (watch == NULL) return;
    atomic_store(&watch->stop, true);
    (void)pthread_join(watch->thread, NULL);
    free(watch);
}
