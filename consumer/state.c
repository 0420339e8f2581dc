/* state.c - what every part of a consumer needs of it, and its end. */
#include "consumer/state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/monotonic.h"

bool belfry_wait_until(struct belfry_consumer *consumer, int64_t instant_ms)
{
    assert(instant_ms > 0);
    struct timespec until = monotonic_timespec(instant_ms);
    return pthread_cond_timedwait(&consumer->changed, &consumer->lock, &until) != ETIMEDOUT;
}

void belfry_arrivals_drop(struct belfry_consumer *consumer, size_t count)
{
    assert(count <= consumer->arrival_count);
    for (size_t i = 0; i < count; i++) {
        belfry_fire_free(consumer->arrivals[i].fire);
        rd_kafka_message_destroy(consumer->arrivals[i].message);
    }
    consumer->arrival_count -= count;
    memmove(&consumer->arrivals[0], &consumer->arrivals[count],
            consumer->arrival_count * sizeof consumer->arrivals[0]);
}

void belfry_consumer_log(const struct belfry_consumer *consumer, enum belfry_level level,
                         const char *event, const struct belfry_fields *fields)
{
    assert(event != NULL && fields != NULL);
    if (consumer->lines != NULL) belfry_log_write(consumer->lines, level, event, fields->text);
    else consumer->options.on_log(level, event, fields->text, consumer->options.opaque);
}

void belfry_consumer_release(struct belfry_consumer *consumer)
{
    (void)pthread_mutex_lock(&consumer->lock);
    assert(consumer->references > 0);
    consumer->references--;
    bool last = consumer->references == 0;
    (void)pthread_mutex_unlock(&consumer->lock);
    if (!last) return;
    belfry_partitions_clear(consumer);
    belfry_backlog_close(&consumer->backlog);
    belfry_dedupe_destroy(consumer->window);
    belfry_lines_destroy(consumer->lines, BELFRY_LINES_END_MS);
    (void)pthread_cond_destroy(&consumer->crew.work);
    (void)pthread_cond_destroy(&consumer->changed);
    (void)pthread_mutex_destroy(&consumer->lock);
    free(consumer);
}
