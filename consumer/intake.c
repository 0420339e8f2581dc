/* intake.c - the way of a record from Kafka into the hands of a handler. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/fail.h"
#include "consumer/fire.h"
#include "consumer/state.h"
#include "lib/base/monotonic.h"

enum {
    TIMEOUT_MAX_MS = 60000,
    PAUSE_AFTER_MS = 1000 /* a pause throws fetched records away: only for slow handlers */
};

/* What became of a record from Kafka. */
enum accepted {
    ACCEPTED_NOTHING, /* it is finished: a duplicate, invalid, or no longer ours */
    ACCEPTED_FIRE,    /* it is handed out */
    ACCEPTED_LATER,   /* it waits for the fire in flight that it repeats */
    ACCEPTED_FAILED   /* memory is short; nothing has changed */
};

static void record_finish(struct belfry_consumer *consumer, const struct belfry_record *record)
{
    assert(record->topic != NULL);
    (void)pthread_mutex_lock(&consumer->lock);
    struct belfry_partition *partition =
        belfry_partition_find(consumer, record->topic, record->partition);
    assert(partition != NULL); /* assignments change in this thread only */
    belfry_partition_finish(consumer, partition, record->offset);
    (void)pthread_mutex_unlock(&consumer->lock);
}

/* Puts the record on its partition's list. The lock is held. */
static bool record_begin(struct belfry_consumer *consumer, struct belfry_partition *partition,
                         int64_t offset, struct belfry_error *error)
{
    assert(consumer->statistics.uncommitted >= partition->offsets.count);
    uint32_t before = partition->offsets.count;
    if (!belfry_offsets_begin(&partition->offsets, offset))
        return belfry_fail_memory(error, "the offsets in flight");
    consumer->statistics.uncommitted -= before;
    consumer->statistics.uncommitted += partition->offsets.count;
    assert(consumer->statistics.uncommitted > 0);
    return true;
}

static enum accepted invalid_accept(struct belfry_consumer *consumer,
                                    const struct belfry_record *record,
                                    const struct belfry_error *reason, struct belfry_error *error)
{
    assert(reason->kind == BELFRY_ERROR_INVALID);
    (void)pthread_mutex_lock(&consumer->lock);
    struct belfry_partition *partition =
        belfry_partition_find(consumer, record->topic, record->partition);
    assert(partition != NULL);
    bool begun = record_begin(consumer, partition, record->offset, error);
    if (begun) consumer->statistics.invalid++;
    (void)pthread_mutex_unlock(&consumer->lock);
    if (!begun) return ACCEPTED_FAILED;
    if (consumer->options.on_invalid != NULL) {
        consumer->options.on_invalid(record, reason, consumer->options.opaque);
    } else {
        struct belfry_fields fields = {0};
        belfry_fields_text(&fields, "topic", record->topic);
        belfry_fields_number(&fields, "partition", record->partition);
        belfry_fields_number(&fields, "offset", record->offset);
        belfry_fields_text(&fields, "message", reason->message);
        belfry_consumer_log(consumer, BELFRY_LOG_WARN, "fire.invalid", &fields);
    }
    record_finish(consumer, record);
    return ACCEPTED_NOTHING;
}

static struct belfry_delivery *delivery_find(const struct belfry_consumer *consumer,
                                             struct hash_128 hash)
{
    struct belfry_delivery *one = consumer->deliveries;
    while (one != NULL && (one->hash.low != hash.low || one->hash.high != hash.high))
        one = one->next;
    return one;
}

/* A fire whose id is in the window. The lock is held. */
static enum accepted known_accept(struct belfry_consumer *consumer,
                                  struct belfry_partition *partition,
                                  const struct belfry_fire *fire, struct hash_128 hash,
                                  struct belfry_error *error)
{
    assert(partition != NULL && fire != NULL);
    struct belfry_delivery *running = delivery_find(consumer, hash);
    bool here = running != NULL && running->assignment == consumer->assignment;
    bool same_partition = running != NULL && running->fire->partition == fire->partition &&
                          strcmp(running->fire->topic, fire->topic) == 0;
    if (here || (running != NULL && !same_partition)) return ACCEPTED_LATER;
    if (!record_begin(consumer, partition, fire->offset, error)) return ACCEPTED_FAILED;
    consumer->statistics.duplicates++;
    if (running != NULL) {
        /* Its own record came again after a rebalance: it finishes with the handler. */
        running->assignment = consumer->assignment;
        running->offset = fire->offset;
    } else {
        belfry_partition_finish(consumer, partition, fire->offset);
    }
    return ACCEPTED_NOTHING;
}

/* A decoded fire: hands it out unless its id is known. Takes the fire over if ACCEPTED_FIRE. */
static enum accepted fire_accept(struct belfry_consumer *consumer, struct belfry_fire *fire,
                                 struct belfry_error *error)
{
    enum accepted accepted = ACCEPTED_FAILED;
    struct hash_128 hash = belfry_dedupe_hash(consumer->window, fire->id);
    struct belfry_delivery *delivery = calloc(1, sizeof *delivery);
    if (delivery == NULL) {
        belfry_fail_memory(error, "a fire");
        return ACCEPTED_FAILED;
    }
    (void)pthread_mutex_lock(&consumer->lock);
    struct belfry_partition *partition =
        belfry_partition_find(consumer, fire->topic, fire->partition);
    assert(partition != NULL);
    if (belfry_dedupe_knows(consumer->window, hash)) {
        accepted = known_accept(consumer, partition, fire, hash, error);
    } else if (record_begin(consumer, partition, fire->offset, error)) {
        bool added = belfry_dedupe_add(consumer->window, hash);
        assert(added);
        (void)added;
        *delivery = (struct belfry_delivery){.next = consumer->deliveries, .fire = fire,
                                             .hash = hash, .assignment = consumer->assignment,
                                             .offset = fire->offset};
        consumer->deliveries = delivery;
        consumer->statistics.in_flight++;
        consumer->references++;
        accepted = ACCEPTED_FIRE;
    }
    (void)pthread_mutex_unlock(&consumer->lock);
    if (accepted != ACCEPTED_FIRE) free(delivery);
    return accepted;
}

static size_t headers_read(const rd_kafka_message_t *message, struct belfry_header *headers,
                           size_t count_max)
{
    rd_kafka_headers_t *given = NULL;
    assert(headers != NULL && count_max > 0);
    if (rd_kafka_message_headers(message, &given) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
    size_t count = 0;
    while (count < count_max &&
           rd_kafka_header_get_all(given, count, &headers[count].name, &headers[count].value,
                                   &headers[count].value_bytes) == RD_KAFKA_RESP_ERR_NO_ERROR)
        count++;
    assert(count <= count_max);
    return count;
}

static enum accepted message_accept(struct belfry_consumer *consumer,
                                    const rd_kafka_message_t *message,
                                    const struct belfry_fire **fire, struct belfry_error *error)
{
    struct belfry_header headers[BELFRY_HEADERS_MAX + 1]; /* one too many is refused */
    struct belfry_error reason = {0};
    assert(message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
    struct belfry_record record = {.topic = rd_kafka_topic_name(message->rkt),
                                   .partition = message->partition, .offset = message->offset,
                                   .value = message->payload, .value_bytes = message->len,
                                   .headers = headers};
    record.header_count = headers_read(message, headers, BELFRY_HEADERS_MAX + 1);
    (void)pthread_mutex_lock(&consumer->lock);
    bool ours = belfry_partition_find(consumer, record.topic, record.partition) != NULL;
    (void)pthread_mutex_unlock(&consumer->lock);
    if (!ours) return ACCEPTED_NOTHING;
    struct belfry_fire *decoded = belfry_fire_decode(&record, &reason);
    enum accepted accepted = ACCEPTED_FAILED;
    if (decoded != NULL) accepted = fire_accept(consumer, decoded, error);
    else if (reason.kind == BELFRY_ERROR_INVALID)
        accepted = invalid_accept(consumer, &record, &reason, error);
    else belfry_fail(error, reason.kind, "%s", reason.message);
    assert(accepted != ACCEPTED_FIRE || decoded != NULL);
    if (accepted == ACCEPTED_FIRE) *fire = decoded;
    else belfry_fire_free(decoded);
    return accepted;
}

/* Asks Kafka, which also serves the group's callbacks. Errors are logged, not given back. */
static rd_kafka_message_t *poll_once(struct belfry_consumer *consumer, int64_t wait_ms)
{
    assert(wait_ms >= 0 && wait_ms <= BELFRY_TICK_MS);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->kafka, (int)wait_ms);
    if (message == NULL) return NULL;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        assert(message->rkt != NULL);
        (void)pthread_mutex_lock(&consumer->lock);
        consumer->statistics.received++;
        (void)pthread_mutex_unlock(&consumer->lock);
        return message;
    }
    struct belfry_fields fields = {0};
    belfry_fields_text(&fields, "code", rd_kafka_err2name(message->err));
    belfry_fields_text(&fields, "message", rd_kafka_message_errstr(message));
    belfry_consumer_log(consumer, BELFRY_LOG_WARN, "kafka.error", &fields);
    rd_kafka_message_destroy(message);
    return NULL;
}

static bool usable(struct belfry_consumer *consumer, struct belfry_error *error)
{
    char reason[200] = "";
    if (atomic_load(&consumer->stopping) || consumer->draining)
        return belfry_fail(error, BELFRY_ERROR_CLOSED, "the consumer has been stopped");
    assert(!consumer->closing);
    if (consumer->broken) {
        return belfry_fail(error, BELFRY_ERROR_KAFKA,
                           "partitions could not be taken over (memory "
                           "or a fatal client error): make a new consumer");
    }
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(consumer->kafka, reason, sizeof reason);
    if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    return belfry_fail(error, BELFRY_ERROR_KAFKA, "%s: %s: make a new consumer",
                       rd_kafka_err2name(fatal), reason);
}

/* True while no fire can be handed out. The lock is held. */
static bool is_blocked(const struct belfry_consumer *consumer)
{
    assert(consumer->options.concurrency > 0 && consumer->options.uncommitted_max > 0);
    return consumer->held || consumer->statistics.in_flight >= consumer->options.concurrency ||
           consumer->statistics.uncommitted >= consumer->options.uncommitted_max;
}

/* Waits for a handler; after a while with fetching paused, so that the group's protocol goes on. */
static void wait_blocked(struct belfry_consumer *consumer, int64_t wait_ms)
{
    assert(wait_ms >= 0 && wait_ms <= BELFRY_TICK_MS);
    int64_t now_ms = monotonic_ms();
    if (consumer->blocked_since_ms == 0) consumer->blocked_since_ms = now_ms;
    if (now_ms - consumer->blocked_since_ms < PAUSE_AFTER_MS ||
        consumer->pending_count == BELFRY_PENDING_MAX) {
        (void)pthread_mutex_lock(&consumer->lock);
        if (is_blocked(consumer)) (void)belfry_wait_until(consumer, now_ms + wait_ms);
        (void)pthread_mutex_unlock(&consumer->lock);
    } else {
        belfry_membership_pause(consumer, true);
        rd_kafka_message_t *message = poll_once(consumer, wait_ms);
        if (message != NULL) consumer->pending[consumer->pending_count++] = message;
    }
    consumer->held = false; /* its record is looked at again */
    assert(consumer->pending_count <= BELFRY_PENDING_MAX);
}

/* Takes one record in. */
static bool step(struct belfry_consumer *consumer, int64_t wait_ms, const struct belfry_fire **fire,
                 struct belfry_error *error)
{
    assert(*fire == NULL);
    consumer->blocked_since_ms = 0;
    belfry_membership_pause(consumer, false);
    if (consumer->pending_count == 0) {
        rd_kafka_message_t *polled = poll_once(consumer, wait_ms);
        if (polled == NULL) return true;
        consumer->pending[consumer->pending_count++] = polled;
    }
    rd_kafka_message_t *message = consumer->pending[0];
    enum accepted accepted = message_accept(consumer, message, fire, error);
    if (accepted == ACCEPTED_FAILED) return false;
    if (accepted == ACCEPTED_LATER) {
        consumer->held = true;
        return true;
    }
    consumer->pending_count--;
    memmove(&consumer->pending[0], &consumer->pending[1],
            consumer->pending_count * sizeof consumer->pending[0]);
    rd_kafka_message_destroy(message);
    assert((accepted == ACCEPTED_FIRE) == (*fire != NULL));
    return true;
}

bool belfry_consumer_next(struct belfry_consumer *consumer, int64_t timeout_ms,
                          const struct belfry_fire **fire, struct belfry_error *error)
{
    if (consumer == NULL || fire == NULL || timeout_ms < 0 || timeout_ms > TIMEOUT_MAX_MS) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "consumer and fire must not be NULL, "
                           "timeout_ms must be 0 to %d",
                           TIMEOUT_MAX_MS);
    }
    *fire = NULL;
    int64_t end_ms = monotonic_ms() + timeout_ms;
    for (;;) {
        if (!usable(consumer, error)) return false;
        int64_t left_ms = end_ms - monotonic_ms();
        if (left_ms < 0) left_ms = 0;
        int64_t wait_ms = left_ms < BELFRY_TICK_MS ? left_ms : BELFRY_TICK_MS;
        (void)pthread_mutex_lock(&consumer->lock);
        bool blocked = is_blocked(consumer);
        (void)pthread_mutex_unlock(&consumer->lock);
        if (blocked) wait_blocked(consumer, wait_ms);
        else if (!step(consumer, wait_ms, fire, error)) return false;
        if (*fire != NULL || left_ms == 0) return true;
        assert(left_ms > 0);
    }
}
