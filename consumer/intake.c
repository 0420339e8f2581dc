/* intake.c - the way of a record from Kafka into the backlog. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/fail.h"
#include "consumer/record.h"
#include "consumer/state.h"
#include "lib/base/monotonic.h"

enum {
    PAUSE_AFTER_MS = 1000,  /* a pause throws fetched records away: only for slow handlers */
    READY_LOOK_MS = 10,     /* how often it is looked whether threads get on with what is ready */
    DELIVERY_BYTES = 512    /* of a fire, besides its record */
};

/* What became of an arrival. */
enum accepted {
    ACCEPTED,         /* it is in the backlog, or finished: a duplicate, or no longer ours */
    ACCEPTED_INVALID, /* its record has been begun, and has to be told and finished */
    ACCEPTED_LATER,   /* it waits for the fire in flight that it repeats */
    ACCEPTED_FAILED   /* memory is short; nothing has changed */
};

/* ---- decoding, without the lock ---- */

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

static struct belfry_record record_of(const rd_kafka_message_t *message,
                                      struct belfry_header headers[BELFRY_HEADERS_MAX + 1])
{
    assert(message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
    return (struct belfry_record){
        .topic = rd_kafka_topic_name(message->rkt),
        .partition = message->partition,
        .offset = message->offset,
        .value = message->payload,
        .value_bytes = message->len,
        .headers = headers,
        .header_count = headers_read(message, headers, BELFRY_HEADERS_MAX + 1)}; /* one too many
                                                                                  * is refused */
}

/* False: memory is short. */
static bool decode(struct belfry_arrival *arrival, struct belfry_error *error)
{
    struct belfry_header headers[BELFRY_HEADERS_MAX + 1];
    struct belfry_error reason = {0};
    if (arrival->fire != NULL || arrival->invalid) return true;
    struct belfry_record record = record_of(arrival->message, headers);
    arrival->fire = belfry_fire_decode(&record, &reason);
    arrival->invalid = arrival->fire == NULL && reason.kind == BELFRY_ERROR_INVALID;
    if (arrival->fire != NULL || arrival->invalid) return true;
    return belfry_fail(error, reason.kind, "%s", reason.message);
}

/* As many of the first arrivals as can be decoded. */
static size_t decode_all(struct belfry_consumer *consumer, struct belfry_error *error)
{
    size_t count = 0;
    while (count < consumer->arrival_count && decode(&consumer->arrivals[count], error)) count++;
    return count;
}

/* ---- what is no fire ---- */

static void tell_invalid(const struct belfry_consumer *consumer, const struct belfry_record *record,
                         const struct belfry_error *reason)
{
    if (consumer->options.on_invalid != NULL) {
        consumer->options.on_invalid(record, reason, consumer->options.opaque);
        return;
    }
    struct belfry_fields fields = {0};
    belfry_fields_text(&fields, "topic", record->topic);
    belfry_fields_number(&fields, "partition", record->partition);
    belfry_fields_number(&fields, "offset", record->offset);
    belfry_fields_text(&fields, "message", reason->message);
    belfry_consumer_log(consumer, BELFRY_LOG_WARN, "fire.invalid", &fields);
}

/* Why it is none is found out once more: it is seldom asked. */
static void finish_invalid(struct belfry_consumer *consumer, const rd_kafka_message_t *message)
{
    struct belfry_header headers[BELFRY_HEADERS_MAX + 1];
    struct belfry_error reason = {0};
    struct belfry_record record = record_of(message, headers);
    belfry_fire_free(belfry_fire_decode(&record, &reason));
    tell_invalid(consumer, &record, &reason);
    (void)pthread_mutex_lock(&consumer->lock);
    struct belfry_partition *partition =
        belfry_partition_find(consumer, record.topic, record.partition);
    assert(partition != NULL); /* assignments change in this thread only */
    belfry_partition_finish(consumer, partition, record.offset);
    (void)pthread_mutex_unlock(&consumer->lock);
}

/* ---- accepting, with the lock ---- */

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

/* What a fire is ordered by; two of one number are handled one after the other. */
static void choose_row(const struct belfry_consumer *consumer, const rd_kafka_message_t *message,
                       struct belfry_delivery *delivery)
{
    enum belfry_ordering ordering = consumer->options.ordering;
    bool keyed = message->key != NULL;
    delivery->alone = ordering == BELFRY_ORDER_NONE || (ordering == BELFRY_ORDER_KEY && !keyed);
    delivery->row = consumer->partitions[delivery->partition].row;
    if (ordering == BELFRY_ORDER_KEY && keyed)
        delivery->row += belfry_dedupe_hash(consumer->window, message->key, message->key_len).low;
}

/* Its own record came again after a rebalance: it finishes with the handler. */
static void adopt(struct belfry_consumer *consumer, struct belfry_delivery *running,
                  const struct belfry_delivery *again)
{
    running->assignment = again->assignment;
    running->partition = again->partition;
    running->offset = again->offset;
    consumer->here++;
}

/* Whose fire has not been seen before, or waits for its like in its row. */
static enum accepted take_in(struct belfry_consumer *consumer, struct belfry_arrival *arrival,
                             const struct belfry_delivery *given, struct belfry_error *error)
{
    struct belfry_partition *partition = &consumer->partitions[given->partition];
    struct belfry_delivery *delivery = malloc(sizeof *delivery);
    if (delivery == NULL) {
        belfry_fail_memory(error, "a fire");
        return ACCEPTED_FAILED;
    }
    if (!record_begin(consumer, partition, given->offset, error)) {
        free(delivery);
        return ACCEPTED_FAILED;
    }
    *delivery = *given;
    belfry_backlog_put(&consumer->backlog, delivery);
    arrival->fire = NULL; /* the delivery's */
    return ACCEPTED;
}

static enum accepted accept_fire(struct belfry_consumer *consumer, struct belfry_arrival *arrival,
                                 struct belfry_partition *partition, struct belfry_error *error)
{
    struct belfry_delivery given = {
        .fire = arrival->fire,
        .id = belfry_dedupe_hash(consumer->window, arrival->fire->id, strlen(arrival->fire->id)),
        .partition = (uint32_t)(partition - consumer->partitions),
        .assignment = consumer->assignment,
        .offset = arrival->fire->offset,
        .bytes = (int64_t)arrival->message->len + DELIVERY_BYTES};
    choose_row(consumer, arrival->message, &given);
    struct belfry_delivery *running = belfry_backlog_find(&consumer->backlog, given.id);
    bool known = running == NULL && belfry_dedupe_knows(consumer->window, given.id);
    if (running == NULL && !known) return take_in(consumer, arrival, &given, error);
    bool again = running != NULL && running->assignment != consumer->assignment &&
                 running->fire->partition == partition->partition &&
                 strcmp(running->fire->topic, partition->topic) == 0;
    if (running != NULL && !again) {
        if (given.alone || running->alone || given.row != running->row) return ACCEPTED_LATER;
        return take_in(consumer, arrival, &given, error);
    }
    if (!record_begin(consumer, partition, given.offset, error)) return ACCEPTED_FAILED;
    consumer->statistics.duplicates++;
    if (again) adopt(consumer, running, &given);
    else belfry_partition_finish(consumer, partition, given.offset);
    return ACCEPTED;
}

static enum accepted accept_one(struct belfry_consumer *consumer, struct belfry_arrival *arrival,
                                struct belfry_error *error)
{
    const rd_kafka_message_t *message = arrival->message;
    struct belfry_partition *partition =
        belfry_partition_find(consumer, rd_kafka_topic_name(message->rkt), message->partition);
    if (partition == NULL) return ACCEPTED; /* no longer ours */
    if (!arrival->invalid) return accept_fire(consumer, arrival, partition, error);
    if (!record_begin(consumer, partition, message->offset, error)) return ACCEPTED_FAILED;
    consumer->statistics.invalid++;
    return ACCEPTED_INVALID;
}

/* Takes arrivals in, up to one that cannot be. False: memory is short. */
static bool accept_arrivals(struct belfry_consumer *consumer, struct belfry_error *error)
{
    size_t decoded = decode_all(consumer, error);
    bool short_of_memory = decoded < consumer->arrival_count;
    enum accepted accepted = ACCEPTED;
    size_t count = 0;
    (void)pthread_mutex_lock(&consumer->lock);
    consumer->statistics.received += consumer->arrived;
    consumer->arrived = 0;
    while (count < decoded && accepted == ACCEPTED) {
        accepted = accept_one(consumer, &consumer->arrivals[count], error);
        count += accepted == ACCEPTED || accepted == ACCEPTED_INVALID;
    }
    consumer->held = accepted == ACCEPTED_LATER;
    belfry_crew_wake(consumer);
    (void)pthread_mutex_unlock(&consumer->lock);
    if (accepted == ACCEPTED_INVALID)
        finish_invalid(consumer, consumer->arrivals[count - 1].message);
    belfry_arrivals_drop(consumer, count);
    return accepted != ACCEPTED_FAILED && !(short_of_memory && count == decoded);
}

/* ---- reading ---- */

/* Asks Kafka, which also serves the group's callbacks. Errors are logged, not given back. */
static rd_kafka_message_t *poll_once(struct belfry_consumer *consumer, int64_t wait_ms)
{
    assert(wait_ms >= 0 && wait_ms <= BELFRY_TICK_MS);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->kafka, (int)wait_ms);
    if (message == NULL) return NULL;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        assert(message->rkt != NULL);
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

/* No more is to be read now. The lock is held. */
static bool is_full(const struct belfry_consumer *consumer)
{
    const struct belfry_backlog *backlog = &consumer->backlog;
    const struct belfry_options *options = &consumer->options;
    return consumer->held || backlog->waiting + backlog->out >= options->buffered_max ||
           backlog->bytes >= options->buffered_bytes_max;
}

/* The caller of belfry_consumer_next() has what he may have. The lock is held. */
static bool is_sated(const struct belfry_consumer *consumer)
{
    return consumer->crew.handler == NULL && consumer->backlog.out >= consumer->options.concurrency;
}

static void note_arrival(struct belfry_consumer *consumer, rd_kafka_message_t *message)
{
    assert(consumer->arrival_count < BELFRY_ARRIVALS_MAX);
    consumer->arrivals[consumer->arrival_count++] = (struct belfry_arrival){.message = message};
    consumer->arrived++;
}

/* Reads what is there; waits for the first one only. */
static void read_arrivals(struct belfry_consumer *consumer, int64_t wait_ms)
{
    int64_t first_ms = consumer->arrival_count == 0 ? wait_ms : 0;
    while (consumer->arrival_count < BELFRY_ARRIVALS_MAX) {
        rd_kafka_message_t *message = poll_once(consumer, first_ms);
        if (message == NULL) break;
        note_arrival(consumer, message);
        first_ms = 0;
    }
}

/* The lock is held. */
static void wait_for_handlers(struct belfry_consumer *consumer, int64_t until_ms)
{
    consumer->awaited = BELFRY_AWAITS_WORK;
    (void)belfry_wait_until(consumer, until_ms);
    consumer->awaited = BELFRY_AWAITS_NOTHING;
}

/* Waits for handlers; after a while with fetching paused, so that the group's protocol goes on. */
static void wait_blocked(struct belfry_consumer *consumer, int64_t wait_ms)
{
    assert(wait_ms >= 0 && wait_ms <= BELFRY_TICK_MS);
    int64_t now_ms = monotonic_ms();
    if (consumer->blocked_since_ms == 0) consumer->blocked_since_ms = now_ms;
    bool long_ago = now_ms - consumer->blocked_since_ms >= PAUSE_AFTER_MS;
    bool room = consumer->arrival_count < BELFRY_ARRIVALS_MAX;
    if (long_ago && room) {
        belfry_membership_pause(consumer, true);
        rd_kafka_message_t *message = poll_once(consumer, wait_ms);
        if (message != NULL) note_arrival(consumer, message);
    }
    (void)pthread_mutex_lock(&consumer->lock);
    bool blocked = is_full(consumer) || is_sated(consumer);
    if (blocked && !(long_ago && room)) wait_for_handlers(consumer, now_ms + wait_ms);
    consumer->held = false; /* its record is looked at again */
    (void)pthread_mutex_unlock(&consumer->lock);
}

/* The next look at Kafka may be long where nothing is to be done here meanwhile. */
static int64_t wait_for(const struct belfry_consumer *consumer, int64_t wait_ms)
{
    const struct belfry_crew *crew = &consumer->crew;
    bool spare = crew->idle > 0 || crew->count < consumer->options.concurrency;
    bool busy = crew->handler != NULL && consumer->backlog.ready > 0 && spare;
    return busy && wait_ms > READY_LOOK_MS ? READY_LOOK_MS : wait_ms;
}

bool belfry_intake_step(struct belfry_consumer *consumer, int64_t wait_ms,
                        struct belfry_error *error)
{
    if (!usable(consumer, error)) return false;
    (void)pthread_mutex_lock(&consumer->lock);
    if (monotonic_ms() - consumer->stored_ms >= BELFRY_TICK_MS) belfry_partitions_store(consumer);
    bool blocked = is_full(consumer) || is_sated(consumer);
    wait_ms = wait_for(consumer, wait_ms);
    belfry_crew_look(consumer);
    (void)pthread_mutex_unlock(&consumer->lock);
    if (blocked) {
        wait_blocked(consumer, wait_ms);
        return true;
    }
    consumer->blocked_since_ms = 0;
    belfry_membership_pause(consumer, false);
    belfry_membership_bound(consumer);
    read_arrivals(consumer, wait_ms);
    return accept_arrivals(consumer, error);
}
