/* crew.c - the threads that call the handler.
 *
 * They are started and woken as what is ready is worth it: a handler that takes a microsecond needs
 * one thread, however many are allowed, and each that is woken for it costs more than it does. So a
 * thread that takes a fire wakes another one only if what is left would keep those at work busy for
 * longer than a waking takes; and the polling thread, which looks now and then, wakes one where
 * they have not taken anything since. */
#include <assert.h>
#include <stdlib.h>

#include "consumer/fail.h"
#include "consumer/state.h"
#include "lib/base/monotonic.h"
#include "lib/base/quiet_thread.h"

enum {
    WORTH_US = 50,          /* of work for each thread, which makes one more worth its waking */
    SPAN_FIRST_US = 100000, /* until it is known how long a handler takes */
    SPAN_MOST_US = 1000000,
    SIXTEENTHS = 16,
    MEAN_OVER = 8,   /* handlers */
    STARTS_MOST = 32 /* threads at a time: the lock is held */
};

/* ---- a handler thread ---- */

static bool is_another_worth(const struct belfry_consumer *consumer)
{
    const struct belfry_crew *crew = &consumer->crew;
    uint64_t work_us16 = (uint64_t)consumer->backlog.ready * crew->span_us16;
    return work_us16 >= (uint64_t)(crew->count - crew->idle) * WORTH_US * SIXTEENTHS;
}

/* The next fire, NULL: the run is over. The lock is held, and let go while there is none.
 *   ended  what is to be freed without the lock; it is, before any wait */
static struct belfry_fire *next_fire(struct belfry_consumer *consumer,
                                     struct belfry_delivery **ended)
{
    struct belfry_crew *crew = &consumer->crew;
    for (;;) {
        struct belfry_fire *fire = belfry_handout_take(consumer, ended);
        if (fire != NULL) {
            crew->taken++;
            if (crew->idle > 0 && is_another_worth(consumer))
                (void)pthread_cond_signal(&crew->work);
            return fire;
        }
        if (*ended != NULL) {
            (void)pthread_mutex_unlock(&consumer->lock);
            belfry_deliveries_free(*ended);
            *ended = NULL;
            (void)pthread_mutex_lock(&consumer->lock);
            continue;
        }
        if (crew->over) return NULL;
        crew->idle++;
        (void)pthread_cond_wait(&crew->work, &consumer->lock);
        crew->idle--;
    }
}

static void note_span(struct belfry_crew *crew, int64_t span_us)
{
    if (span_us > SPAN_MOST_US) span_us = SPAN_MOST_US;
    int64_t mean = crew->span_us16;
    mean += (span_us * SIXTEENTHS - mean) / MEAN_OVER;
    crew->span_us16 = (uint32_t)mean;
}

/* Calls the handler, and ends the fire. The lock is held, but not during the call. */
static void handle(struct belfry_consumer *consumer, const struct belfry_fire *fire,
                   struct belfry_delivery **ended)
{
    (void)pthread_mutex_unlock(&consumer->lock);
    belfry_deliveries_free(*ended);
    int64_t start_us = monotonic_us();
    enum belfry_outcome outcome = consumer->crew.handler(fire, consumer->crew.opaque);
    int64_t span_us = monotonic_us() - start_us;
    (void)pthread_mutex_lock(&consumer->lock);
    note_span(&consumer->crew, span_us);
    *ended = belfry_handout_end(consumer, fire, &outcome);
    if (*ended == NULL) return; /* the handler has ended it itself */
    consumer->references--;
    if (outcome == BELFRY_DONE) return;
    (void)pthread_mutex_unlock(&consumer->lock);
    belfry_handout_tell(consumer, fire, outcome);
    (void)pthread_mutex_lock(&consumer->lock);
}

static void *handler_main(void *argument)
{
    struct belfry_consumer *consumer = argument;
    struct belfry_delivery *ended = NULL;
    struct belfry_fire *fire = NULL;
    (void)pthread_mutex_lock(&consumer->lock);
    while ((fire = next_fire(consumer, &ended)) != NULL) handle(consumer, fire, &ended);
    (void)pthread_mutex_unlock(&consumer->lock);
    belfry_consumer_release(consumer);
    return NULL;
}

/* ---- as many as are needed ---- */

/* The lock is held. */
static bool start_thread(struct belfry_consumer *consumer)
{
    struct belfry_crew *crew = &consumer->crew;
    consumer->references++;
    if (quiet_thread_start(&crew->threads[crew->count], handler_main, consumer) != 0) {
        consumer->references--;
        crew->is_short = true; /* those that there are have to do */
        return false;
    }
    crew->count++;
    return true;
}

/*   stuck  those at work do not get on */
static void wake(struct belfry_consumer *consumer, bool stuck)
{
    struct belfry_crew *crew = &consumer->crew;
    if (crew->handler == NULL || consumer->backlog.ready == 0) return;
    if (crew->idle > 0 && (stuck || is_another_worth(consumer)))
        (void)pthread_cond_signal(&crew->work);
    for (uint32_t starts = 0; starts < STARTS_MOST; starts++) {
        if (crew->idle + starts >= consumer->backlog.ready || crew->is_short ||
            crew->count == consumer->options.concurrency)
            return;
        if (!(stuck && starts == 0) && !is_another_worth(consumer)) return;
        if (!start_thread(consumer)) return;
    }
}

void belfry_crew_wake(struct belfry_consumer *consumer)
{
    wake(consumer, false);
}

void belfry_crew_look(struct belfry_consumer *consumer)
{
    struct belfry_crew *crew = &consumer->crew;
    bool stuck = crew->looked_at == crew->taken;
    if (stuck) crew->is_short = false; /* it may be better by now */
    wake(consumer, stuck);
    crew->looked_at = crew->taken;
}

/* Ends the handler threads: those with nothing to do are waited for, one that is stuck in its
 * handler would be waited for too long. */
void belfry_crew_end(struct belfry_consumer *consumer)
{
    struct belfry_crew *crew = &consumer->crew;
    (void)pthread_mutex_lock(&consumer->lock);
    crew->over = true;
    bool idle = consumer->backlog.out == 0;
    (void)pthread_cond_broadcast(&crew->work);
    (void)pthread_mutex_unlock(&consumer->lock);
    for (uint32_t i = 0; i < crew->count; i++)
        if (idle) (void)pthread_join(crew->threads[i], NULL);
        else (void)pthread_detach(crew->threads[i]);
    free(crew->threads);
}

bool belfry_crew_open(struct belfry_consumer *consumer, belfry_handler *handler, void *opaque,
                      struct belfry_error *error)
{
    struct belfry_crew *crew = &consumer->crew;
    crew->threads = calloc(consumer->options.concurrency, sizeof *crew->threads);
    if (crew->threads == NULL) return belfry_fail_memory(error, "the handler threads");
    (void)pthread_mutex_lock(&consumer->lock);
    crew->handler = handler;
    crew->opaque = opaque;
    crew->span_us16 = SPAN_FIRST_US * SIXTEENTHS;
    bool started = start_thread(consumer);
    (void)pthread_mutex_unlock(&consumer->lock);
    return started || belfry_fail_memory(error, "a handler thread");
}
