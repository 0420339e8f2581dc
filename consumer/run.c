/* run.c - way one: belfry_consumer_run() reads, and its crew calls the handler. */
#include "consumer/fail.h"
#include "consumer/state.h"
#include "lib/base/monotonic.h"

/* A done handler gives memory back. */
static void wait_for_memory(struct belfry_consumer *consumer)
{
    (void)pthread_mutex_lock(&consumer->lock);
    consumer->awaited = BELFRY_AWAITS_ENDS;
    (void)belfry_wait_until(consumer, monotonic_ms() + BELFRY_TICK_MS);
    consumer->awaited = BELFRY_AWAITS_NOTHING;
    (void)pthread_mutex_unlock(&consumer->lock);
}

/* Reads fires for the threads until it is stopped. */
static bool feed(struct belfry_consumer *consumer, struct belfry_error *error)
{
    for (;;) {
        struct belfry_error problem = {0};
        if (belfry_intake_step(consumer, BELFRY_TICK_MS, &problem)) continue;
        if (problem.kind == BELFRY_ERROR_CLOSED) return true;
        struct belfry_fields fields = {0};
        belfry_fields_text(&fields, "message", problem.message);
        belfry_consumer_log(consumer, BELFRY_LOG_ERROR, "consumer.trouble", &fields);
        if (problem.kind != BELFRY_ERROR_MEMORY)
            return belfry_fail(error, problem.kind, "%s", problem.message);
        wait_for_memory(consumer);
    }
}

bool belfry_consumer_run(struct belfry_consumer *consumer, belfry_handler *handler, void *opaque,
                         struct belfry_error *error)
{
    if (consumer == NULL || handler == NULL)
        return belfry_fail(error, BELFRY_ERROR_INVALID, "consumer and handler must not be NULL");
    if (consumer->crew.handler != NULL || consumer->draining)
        return belfry_fail(error, BELFRY_ERROR_CLOSED, "a consumer runs once");
    bool good = belfry_crew_open(consumer, handler, opaque, error) && feed(consumer, error);
    if (!belfry_consumer_drain(consumer, consumer->options.drain_ms, error)) good = false;
    belfry_crew_end(consumer);
    return good;
}
