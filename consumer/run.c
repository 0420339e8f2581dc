/* run.c - belfry_consumer_run(): one thread polls, `concurrency` threads call the handler. */
#include <assert.h>
#include <stdlib.h>

#include "consumer/fail.h"
#include "consumer/state.h"
#include "lib/base/monotonic.h"
#include "lib/base/quiet_thread.h"

/* The next fire for a handler thread, NULL: the run is over. */
static struct belfry_fire *ready_take(struct belfry_consumer *consumer)
{
    (void)pthread_mutex_lock(&consumer->lock);
    while (consumer->ready_first == NULL && !consumer->run_over)
        (void)pthread_cond_wait(&consumer->changed, &consumer->lock);
    struct belfry_delivery *delivery = consumer->ready_first;
    if (delivery != NULL) {
        consumer->ready_first = delivery->next_ready;
        if (consumer->ready_first == NULL) consumer->ready_last = NULL;
        assert(delivery->fire != NULL);
    }
    assert(delivery != NULL || consumer->run_over);
    (void)pthread_mutex_unlock(&consumer->lock);
    return delivery == NULL ? NULL : delivery->fire;
}

static void ready_put(struct belfry_consumer *consumer, const struct belfry_fire *fire)
{
    assert(fire != NULL);
    (void)pthread_mutex_lock(&consumer->lock);
    struct belfry_delivery *delivery = consumer->deliveries;
    while (delivery != NULL && delivery->fire != fire) delivery = delivery->next;
    assert(delivery != NULL);
    if (consumer->ready_last == NULL) consumer->ready_first = delivery;
    else consumer->ready_last->next_ready = delivery;
    consumer->ready_last = delivery;
    (void)pthread_cond_broadcast(&consumer->changed);
    (void)pthread_mutex_unlock(&consumer->lock);
}

static void *handler_main(void *argument)
{
    struct belfry_consumer *consumer = argument;
    assert(consumer->handler != NULL);
    struct belfry_fire *fire = NULL;
    while ((fire = ready_take(consumer)) != NULL) {
        enum belfry_outcome outcome = consumer->handler(fire, consumer->handler_opaque);
        belfry_consumer_done(consumer, fire, outcome);
    }
    belfry_consumer_release(consumer);
    return NULL;
}

/* Returns how many threads run. */
static uint32_t threads_start(struct belfry_consumer *consumer, pthread_t *threads)
{
    uint32_t started = 0;
    while (started < consumer->options.concurrency) {
        (void)pthread_mutex_lock(&consumer->lock);
        consumer->references++;
        (void)pthread_mutex_unlock(&consumer->lock);
        if (quiet_thread_start(&threads[started], handler_main, consumer) != 0) {
            belfry_consumer_release(consumer);
            break;
        }
        started++;
    }
    assert(started <= consumer->options.concurrency);
    return started;
}

/* Ends the handler threads: those with nothing to do are waited for, one that is stuck in its
 * handler would be waited for too long. */
static void threads_end(struct belfry_consumer *consumer, const pthread_t *threads, uint32_t count)
{
    (void)pthread_mutex_lock(&consumer->lock);
    consumer->run_over = true;
    bool idle = consumer->statistics.in_flight == 0;
    assert(!idle || consumer->ready_first == NULL);
    (void)pthread_cond_broadcast(&consumer->changed);
    (void)pthread_mutex_unlock(&consumer->lock);
    for (uint32_t i = 0; i < count; i++)
        if (idle) (void)pthread_join(threads[i], NULL);
        else (void)pthread_detach(threads[i]);
}

/* Hands fires to the threads until it is stopped. */
static bool feed(struct belfry_consumer *consumer, struct belfry_error *error)
{
    for (;;) {
        const struct belfry_fire *fire = NULL;
        struct belfry_error problem = {0};
        if (belfry_consumer_next(consumer, BELFRY_TICK_MS, &fire, &problem)) {
            if (fire != NULL) ready_put(consumer, fire);
            continue;
        }
        assert(fire == NULL);
        if (problem.kind == BELFRY_ERROR_CLOSED) return true;
        struct belfry_fields fields = {0};
        belfry_fields_text(&fields, "message", problem.message);
        belfry_consumer_log(consumer, BELFRY_LOG_ERROR, "consumer.trouble", &fields);
        if (problem.kind != BELFRY_ERROR_MEMORY)
            return belfry_fail(error, problem.kind, "%s", problem.message);
        (void)pthread_mutex_lock(&consumer->lock); /* a done handler gives memory back */
        (void)belfry_wait_until(consumer, monotonic_ms() + BELFRY_TICK_MS);
        (void)pthread_mutex_unlock(&consumer->lock);
    }
}

bool belfry_consumer_run(struct belfry_consumer *consumer, belfry_handler *handler, void *opaque,
                         struct belfry_error *error)
{
    if (consumer == NULL || handler == NULL)
        return belfry_fail(error, BELFRY_ERROR_INVALID, "consumer and handler must not be NULL");
    if (consumer->handler != NULL || consumer->draining)
        return belfry_fail(error, BELFRY_ERROR_CLOSED, "a consumer runs once");
    uint32_t count = consumer->options.concurrency;
    pthread_t *threads = calloc(count, sizeof *threads);
    if (threads == NULL) return belfry_fail_memory(error, "the handler threads");
    consumer->handler = handler;
    consumer->handler_opaque = opaque;
    uint32_t started = threads_start(consumer, threads);
    bool good =
        started == count ? feed(consumer, error) : belfry_fail_memory(error, "the handler threads");
    assert(started <= count);
    if (!belfry_consumer_drain(consumer, consumer->options.drain_ms, error)) good = false;
    threads_end(consumer, threads, started);
    free(threads);
    return good;
}
