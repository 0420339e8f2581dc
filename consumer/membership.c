/* membership.c - the consumer's place in its group: partitions come and go, offsets are committed,
 * and the end. Eager assignment: a rebalance takes everything away first. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/fail.h"
#include "consumer/state.h"
#include "lib/base/monotonic.h"
#include "lib/base/quiet_thread.h"

enum {
    COMMIT_WAIT_MS = 2000,
    CLOSE_RESERVE_MS = 2000 /* of a drain, for the commit and the leave */
};

/* What was not handed out. */
static void drop_waiting(struct belfry_consumer *consumer)
{
    belfry_arrivals_drop(consumer, consumer->arrival_count);
    (void)pthread_mutex_lock(&consumer->lock);
    consumer->held = false;
    struct belfry_delivery *dropped = belfry_backlog_drop(&consumer->backlog);
    (void)pthread_mutex_unlock(&consumer->lock);
    belfry_deliveries_free(dropped);
}

/* Commits what is finished and waits for the answer, but not for ever. The lock is held. What the
 * client has stored must be as new: it commits that itself when partitions go. */
static rd_kafka_resp_err_t positions_commit(struct belfry_consumer *consumer, int64_t wait_ms)
{
    assert(wait_ms >= 0);
    belfry_partitions_store(consumer);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)consumer->partition_count);
    for (size_t i = 0; i < consumer->partition_count; i++) {
        const struct belfry_partition *partition = &consumer->partitions[i];
        if (partition->position == BELFRY_OFFSET_NONE) continue;
        rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition)->offset =
            partition->position;
    }
    rd_kafka_resp_err_t result = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (list->cnt > 0) {
        rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->kafka);
        rd_kafka_event_t *event = NULL;
        result = rd_kafka_commit_queue(consumer->kafka, list, queue, NULL, NULL);
        if (result == RD_KAFKA_RESP_ERR_NO_ERROR) {
            event = rd_kafka_queue_poll(queue, (int)wait_ms);
            result = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
        }
        rd_kafka_event_destroy(event);
        rd_kafka_queue_destroy(queue);
    }
    assert(list->cnt <= (int)consumer->partition_count);
    rd_kafka_topic_partition_list_destroy(list);
    return result;
}

/* Not committed means delivered again. The lock is not held. */
static void log_commit(const struct belfry_consumer *consumer, rd_kafka_resp_err_t result)
{
    if (result == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    struct belfry_fields fields = {0};
    belfry_fields_text(&fields, "code", rd_kafka_err2name(result));
    belfry_fields_text(&fields, "message", rd_kafka_err2str(result));
    belfry_consumer_log(consumer, BELFRY_LOG_WARN, "offsets.not_committed", &fields);
}

static void log_partitions(const struct belfry_consumer *consumer, enum belfry_level level,
                           const char *event, int64_t partitions, int64_t unfinished)
{
    struct belfry_fields fields = {0};
    assert(partitions >= 0 && unfinished >= 0);
    belfry_fields_number(&fields, "partitions", partitions);
    if (unfinished > 0) belfry_fields_number(&fields, "unfinished", unfinished);
    belfry_consumer_log(consumer, level, event, &fields);
}

static void assigned(struct belfry_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    (void)pthread_mutex_lock(&consumer->lock);
    bool taken = belfry_partitions_take(consumer, list);
    if (!taken) consumer->broken = true;
    (void)pthread_mutex_unlock(&consumer->lock);
    if (taken) {
        rd_kafka_resp_err_t result = rd_kafka_assign(consumer->kafka, list);
        if (consumer->paused) (void)rd_kafka_resume_partitions(consumer->kafka, list);
        if (result != RD_KAFKA_RESP_ERR_NO_ERROR) consumer->broken = true;
    } else {
        /* An empty list, not NULL: NULL would leave the whole group waiting. */
        rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
        (void)rd_kafka_assign(consumer->kafka, none);
        rd_kafka_topic_partition_list_destroy(none);
    }
    consumer->paused = false;
    log_partitions(consumer, BELFRY_LOG_INFO, "group.assigned", list->cnt, 0);
}

/* Running handlers may finish, then their offsets are committed, then the partitions go. What has
 * not finished by then is delivered again, to whoever owns its partition next. */
static void revoked(struct belfry_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(consumer->kafka) != 0;
    drop_waiting(consumer);
    (void)pthread_mutex_lock(&consumer->lock);
    int64_t wait_ms = consumer->closing || lost ? 0 : consumer->options.rebalance_wait_ms;
    uint32_t running = consumer->here;
    (void)pthread_mutex_unlock(&consumer->lock);
    if (running > 0 && wait_ms > 0)
        log_partitions(consumer, BELFRY_LOG_INFO, "group.waiting", list->cnt, running);
    (void)pthread_mutex_lock(&consumer->lock);
    int64_t deadline_ms = monotonic_ms() + wait_ms;
    consumer->awaited = BELFRY_AWAITS_ENDS;
    while (consumer->here > 0 && belfry_wait_until(consumer, deadline_ms)) continue;
    consumer->awaited = BELFRY_AWAITS_NOTHING;
    uint32_t unfinished = consumer->here;
    rd_kafka_resp_err_t result = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!lost && !consumer->closing) result = positions_commit(consumer, COMMIT_WAIT_MS);
    belfry_partitions_clear(consumer);
    (void)pthread_mutex_unlock(&consumer->lock);
    (void)rd_kafka_assign(consumer->kafka, NULL);
    log_commit(consumer, result);
    log_partitions(consumer, lost || unfinished > 0 ? BELFRY_LOG_WARN : BELFRY_LOG_INFO,
                   lost ? "group.lost" : "group.revoked", list->cnt, unfinished);
}

void belfry_on_rebalance(rd_kafka_t *kafka, rd_kafka_resp_err_t cause,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct belfry_consumer *consumer = opaque;
    assert(consumer->kafka == kafka);
    if (cause == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) assigned(consumer, partitions);
    else if (cause == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) revoked(consumer, partitions);
    else (void)rd_kafka_assign(kafka, NULL);
}

void belfry_membership_pause(struct belfry_consumer *consumer, bool pause)
{
    assert(consumer != NULL && !consumer->closing);
    if (consumer->paused == pause) return;
    rd_kafka_topic_partition_list_t *list = NULL;
    if (rd_kafka_assignment(consumer->kafka, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    assert(list != NULL);
    if (pause) (void)rd_kafka_pause_partitions(consumer->kafka, list);
    else (void)rd_kafka_resume_partitions(consumer->kafka, list);
    rd_kafka_topic_partition_list_destroy(list);
    consumer->paused = pause;
    (void)pthread_mutex_lock(&consumer->lock);
    for (size_t i = 0; i < consumer->partition_count && !pause; i++)
        consumer->partitions[i].full = false; /* it is bounded anew */
    (void)pthread_mutex_unlock(&consumer->lock);
}

/* The partitions whose state is to change, marked so; NULL: none. The lock is held. */
static rd_kafka_topic_partition_list_t *list_full(struct belfry_consumer *consumer, bool full)
{
    uint32_t most = consumer->options.uncommitted_max;
    rd_kafka_topic_partition_list_t *list = NULL;
    for (size_t i = 0; i < consumer->partition_count; i++) {
        struct belfry_partition *partition = &consumer->partitions[i];
        uint32_t count = partition->offsets.count;
        if (partition->full == full || (full ? count < most : count > most - most / 4)) continue;
        partition->full = full;
        if (list == NULL) list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition);
    }
    return list;
}

void belfry_membership_bound(struct belfry_consumer *consumer)
{
    (void)pthread_mutex_lock(&consumer->lock);
    rd_kafka_topic_partition_list_t *full = list_full(consumer, true);
    rd_kafka_topic_partition_list_t *free_again = list_full(consumer, false);
    (void)pthread_mutex_unlock(&consumer->lock);
    if (full != NULL) {
        (void)rd_kafka_pause_partitions(consumer->kafka, full);
        rd_kafka_topic_partition_list_destroy(full);
    }
    if (free_again != NULL) {
        (void)rd_kafka_resume_partitions(consumer->kafka, free_again);
        rd_kafka_topic_partition_list_destroy(free_again);
    }
}

/* rd_kafka_consumer_close() may retry for ever without brokers: it gets a thread that may be left
 * behind. */
static void *close_main(void *argument)
{
    struct belfry_consumer *consumer = argument;
    assert(consumer->closing && !consumer->closed);
    assert(consumer->arrival_count == 0);
    (void)rd_kafka_consumer_close(consumer->kafka);
    rd_kafka_destroy(consumer->kafka);
    (void)pthread_mutex_lock(&consumer->lock);
    consumer->closed = true;
    (void)pthread_cond_broadcast(&consumer->changed);
    (void)pthread_mutex_unlock(&consumer->lock);
    belfry_consumer_release(consumer);
    return NULL;
}

/* The lock is held. */
static bool close_within(struct belfry_consumer *consumer, int64_t deadline_ms,
                         struct belfry_error *error)
{
    assert(!consumer->closing);
    pthread_t thread;
    consumer->closing = true;
    consumer->references++;
    bool started = quiet_thread_start(&thread, close_main, consumer) == 0;
    if (!started) {
        consumer->references--;
        assert(consumer->references > 0);
        return belfry_fail_memory(error, "the thread that leaves the group; the membership ends "
                                         "with its session");
    }
    (void)pthread_detach(thread);
    while (!consumer->closed && belfry_wait_until(consumer, deadline_ms)) continue;
    if (consumer->closed) return true;
    return belfry_fail(error, BELFRY_ERROR_TIMEOUT,
                       "Kafka did not confirm the leave in time; "
                       "the membership ends with its session");
}

bool belfry_consumer_drain(struct belfry_consumer *consumer, int64_t deadline_ms,
                           struct belfry_error *error)
{
    if (consumer == NULL || deadline_ms < 0 || deadline_ms > INT64_C(1000) * 3600 * 48) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "consumer must not be NULL, deadline_ms "
                           "must be 0 to 172800000");
    }
    int64_t end_ms = monotonic_ms() + deadline_ms;
    int64_t reserve_ms = deadline_ms / 4 < CLOSE_RESERVE_MS ? deadline_ms / 4 : CLOSE_RESERVE_MS;
    (void)pthread_mutex_lock(&consumer->lock);
    consumer->draining = true;
    bool closing = consumer->closing;
    (void)pthread_mutex_unlock(&consumer->lock);
    if (closing) return true;
    drop_waiting(consumer);
    (void)pthread_mutex_lock(&consumer->lock);
    consumer->awaited = BELFRY_AWAITS_ENDS;
    while (consumer->backlog.out > 0 && belfry_wait_until(consumer, end_ms - reserve_ms)) continue;
    consumer->awaited = BELFRY_AWAITS_NOTHING;
    uint32_t unfinished = consumer->backlog.out;
    bool drained = true;
    if (unfinished > 0) {
        drained = belfry_fail(error, BELFRY_ERROR_TIMEOUT,
                              "%u fires were not done after %lld ms; "
                              "they are delivered again",
                              unfinished, (long long)deadline_ms);
    }
    int64_t left_ms = end_ms - monotonic_ms();
    int64_t wait_ms = left_ms < 0 ? 0 : left_ms < COMMIT_WAIT_MS ? left_ms : COMMIT_WAIT_MS;
    rd_kafka_resp_err_t result = positions_commit(consumer, wait_ms);
    if (!close_within(consumer, end_ms, error)) drained = false;
    (void)pthread_mutex_unlock(&consumer->lock);
    log_commit(consumer, result);
    struct belfry_fields fields = {0};
    belfry_fields_number(&fields, "unfinished", unfinished);
    belfry_consumer_log(consumer, drained ? BELFRY_LOG_INFO : BELFRY_LOG_WARN, "consumer.drained",
                        &fields);
    return drained;
}
