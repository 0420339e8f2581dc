/* next.c - way two: the caller takes fires and ends them. */
#include "consumer/fail.h"
#include "consumer/state.h"
#include "lib/base/monotonic.h"

enum { TIMEOUT_MAX_MS = 60000 };

void belfry_consumer_done_batch(struct belfry_consumer *consumer,
                                const struct belfry_fire *const *fires, size_t count,
                                enum belfry_outcome outcome)
{
    struct belfry_delivery *ended = NULL;
    if (consumer == NULL || fires == NULL) return;
    (void)pthread_mutex_lock(&consumer->lock);
    for (size_t i = 0; i < count; i++) {
        struct belfry_delivery *delivery = belfry_handout_end(consumer, fires[i], &outcome);
        if (delivery == NULL) continue;
        if (ended != NULL) consumer->references--; /* the first one's is kept until the end */
        delivery->next = ended;
        ended = delivery;
    }
    (void)pthread_mutex_unlock(&consumer->lock);
    if (ended == NULL) return;
    for (const struct belfry_delivery *one = ended; one != NULL; one = one->next)
        belfry_handout_tell(consumer, one->fire, outcome);
    belfry_deliveries_free(ended);
    belfry_consumer_release(consumer);
}

void belfry_consumer_done(struct belfry_consumer *consumer, const struct belfry_fire *fire,
                          enum belfry_outcome outcome)
{
    belfry_consumer_done_batch(consumer, &fire, 1, outcome);
}

/* As many as may be out. The lock is held. */
static size_t take_some(struct belfry_consumer *consumer, const struct belfry_fire **fires,
                        size_t most, struct belfry_delivery **known)
{
    size_t count = 0;
    while (count < most && consumer->backlog.out < consumer->options.concurrency) {
        const struct belfry_fire *fire = belfry_handout_take(consumer, known);
        if (fire == NULL) break;
        fires[count++] = fire;
    }
    return count;
}

bool belfry_consumer_next_batch(struct belfry_consumer *consumer, int64_t timeout_ms,
                                const struct belfry_fire **fires, size_t most, size_t *count,
                                struct belfry_error *error)
{
    if (consumer == NULL || fires == NULL || most == 0 || count == NULL || timeout_ms < 0 ||
        timeout_ms > TIMEOUT_MAX_MS) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "consumer, fires and count must not be NULL nor most 0, "
                           "timeout_ms must be 0 to %d",
                           TIMEOUT_MAX_MS);
    }
    *count = 0;
    int64_t end_ms = monotonic_ms() + timeout_ms;
    for (bool last = false;; last = monotonic_ms() >= end_ms) {
        struct belfry_delivery *known = NULL;
        (void)pthread_mutex_lock(&consumer->lock);
        *count = take_some(consumer, fires, most, &known);
        (void)pthread_mutex_unlock(&consumer->lock);
        belfry_deliveries_free(known);
        if (*count > 0 || last) return true;
        int64_t left_ms = end_ms - monotonic_ms();
        if (left_ms < 0) left_ms = 0;
        int64_t wait_ms = left_ms < BELFRY_TICK_MS ? left_ms : BELFRY_TICK_MS;
        if (!belfry_intake_step(consumer, wait_ms, error)) return false;
    }
}

bool belfry_consumer_next(struct belfry_consumer *consumer, int64_t timeout_ms,
                          const struct belfry_fire **fire, struct belfry_error *error)
{
    size_t count = 0;
    if (fire != NULL) *fire = NULL;
    return belfry_consumer_next_batch(consumer, timeout_ms, fire, 1, &count, error);
}
