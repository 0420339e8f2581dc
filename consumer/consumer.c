/* consumer.c - the life of a consumer. */
#include <assert.h>
#include <stdlib.h>

#include "consumer/fail.h"
#include "consumer/state.h"

enum { DESTROY_WAIT_MS = 5000 };

/* The client's own log, from any of its threads. */
static void on_kafka_log(const rd_kafka_t *kafka, int level, const char *facility,
                         const char *message)
{
    const struct belfry_consumer *consumer = rd_kafka_opaque(kafka);
    assert(consumer != NULL);
    assert(facility != NULL && message != NULL);
    struct belfry_fields fields = {0};
    belfry_fields_text(&fields, "facility", facility);
    belfry_fields_text(&fields, "message", message);
    enum belfry_level ours = level <= 3   ? BELFRY_LOG_ERROR
                             : level == 4 ? BELFRY_LOG_WARN
                             : level <= 6 ? BELFRY_LOG_INFO
                                          : BELFRY_LOG_DEBUG;
    belfry_consumer_log(consumer, ours, "kafka.log", &fields);
}

static void on_kafka_error(rd_kafka_t *kafka, int code, const char *reason, void *opaque)
{
    const struct belfry_consumer *consumer = opaque;
    assert(kafka != NULL);
    assert(consumer != NULL && reason != NULL);
    struct belfry_fields fields = {0};
    belfry_fields_text(&fields, "code", rd_kafka_err2name((rd_kafka_resp_err_t)code));
    belfry_fields_text(&fields, "message", reason);
    belfry_consumer_log(consumer, BELFRY_LOG_WARN, "kafka.error", &fields);
}

static bool client_start(struct belfry_consumer *consumer, const struct belfry_options *given,
                         struct belfry_error *error)
{
    char reason[200] = "";
    assert(consumer->kafka == NULL);
    rd_kafka_conf_t *conf = belfry_options_apply(given, &consumer->options, error);
    if (conf == NULL) return false;
    if (given->on_log == NULL) consumer->lines = belfry_log_open();
    if (given->on_log == NULL && consumer->lines == NULL) {
        rd_kafka_conf_destroy(conf);
        return belfry_fail_memory(error, "the log");
    }
    belfry_options_warn(consumer, given);
    bool started = false;
    rd_kafka_topic_partition_list_t *topics = belfry_options_topics(given, error);
    if (topics == NULL) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_conf_set_log_cb(conf, on_kafka_log);
    rd_kafka_conf_set_error_cb(conf, on_kafka_error);
    rd_kafka_conf_set_rebalance_cb(conf, belfry_on_rebalance);
    consumer->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (consumer->kafka == NULL) {
        rd_kafka_conf_destroy(conf);
        belfry_fail(error, BELFRY_ERROR_INVALID, "Kafka client: %s", reason);
        goto out;
    }
    rd_kafka_resp_err_t result = rd_kafka_poll_set_consumer(consumer->kafka);
    if (result == RD_KAFKA_RESP_ERR_NO_ERROR) result = rd_kafka_subscribe(consumer->kafka, topics);
    started = result == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!started)
        belfry_fail(error, BELFRY_ERROR_INVALID, "subscribe: %s", rd_kafka_err2str(result));
out:
    rd_kafka_topic_partition_list_destroy(topics);
    return started;
}

static bool lock_create(struct belfry_consumer *consumer)
{
    pthread_condattr_t attributes;
    assert(consumer->references == 1);
    if (pthread_condattr_init(&attributes) != 0) return false;
    bool created = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                   pthread_cond_init(&consumer->changed, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    if (!created) return false;
    if (pthread_cond_init(&consumer->crew.work, NULL) == 0) {
        if (pthread_mutex_init(&consumer->lock, NULL) == 0) return true;
        (void)pthread_cond_destroy(&consumer->crew.work);
    }
    (void)pthread_cond_destroy(&consumer->changed);
    return false;
}

struct belfry_consumer *belfry_consumer_create(const struct belfry_options *options,
                                               struct belfry_error *error)
{
    if (options == NULL) {
        belfry_fail(error, BELFRY_ERROR_INVALID, "options must not be NULL");
        return NULL;
    }
    struct belfry_consumer *consumer = calloc(1, sizeof *consumer);
    if (consumer == NULL) {
        belfry_fail_memory(error, "a consumer");
        return NULL;
    }
    consumer->references = 1;
    atomic_init(&consumer->stopping, false);
    if (!lock_create(consumer)) {
        free(consumer);
        belfry_fail_memory(error, "a lock");
        return NULL;
    }
    bool created = client_start(consumer, options, error);
    if (created) {
        consumer->window = belfry_dedupe_create(consumer->options.window_ids, error);
        created = consumer->window != NULL;
    }
    if (created && !belfry_backlog_open(&consumer->backlog, consumer->options.buffered_max))
        created = belfry_fail_memory(error, "the fires in memory; lower buffered_max");
    if (created) return consumer;
    if (consumer->kafka != NULL)
        rd_kafka_destroy_flags(consumer->kafka, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    belfry_consumer_release(consumer);
    return NULL;
}

void belfry_consumer_destroy(struct belfry_consumer *consumer)
{
    if (consumer == NULL) return;
    (void)pthread_mutex_lock(&consumer->lock);
    uint32_t in_flight = consumer->backlog.out;
    bool closing = consumer->closing;
    (void)pthread_mutex_unlock(&consumer->lock);
    /* With fires out, waiting for them is pointless here: the caller has given up on them. */
    struct belfry_error ignored = {0};
    bool drained =
        closing || belfry_consumer_drain(consumer, in_flight == 0 ? DESTROY_WAIT_MS : 1, &ignored);
    (void)drained;
    belfry_consumer_release(consumer);
}

void belfry_consumer_stop(struct belfry_consumer *consumer)
{
    if (consumer == NULL) return;
    atomic_store(&consumer->stopping, true);
}

void belfry_consumer_statistics(struct belfry_consumer *consumer,
                                struct belfry_statistics *statistics)
{
    if (consumer == NULL || statistics == NULL) return;
    (void)pthread_mutex_lock(&consumer->lock);
    assert(consumer->references > 0);
    *statistics = consumer->statistics;
    statistics->in_flight = consumer->backlog.out;
    statistics->waiting = consumer->backlog.waiting;
    (void)pthread_mutex_unlock(&consumer->lock);
}

bool belfry_consumer_ending(struct belfry_consumer *consumer)
{
    if (consumer == NULL) return true;
    (void)pthread_mutex_lock(&consumer->lock);
    bool draining = consumer->draining;
    (void)pthread_mutex_unlock(&consumer->lock);
    return draining || atomic_load(&consumer->stopping);
}
