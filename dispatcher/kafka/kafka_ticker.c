#include "dispatcher/kafka/kafka_ticker.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "dispatcher/kafka/kafka_client.h"
#include "dispatcher/kafka/kafka_error.h"
#include "dispatcher/kafka/kafka_topics.h"
#include "lib/base/memory.h"

struct kafka_ticker {
    struct kafka_client client;
    const struct kafka_options *options;
    pthread_mutex_t lock; /* of making the two */
    rd_kafka_t *handle;   /* NULL: nobody has ticked yet */
    rd_kafka_topic_t *runs;
    _Atomic int *failed; /* of each shard: why one was not written that nobody has been told of */
};

struct kafka_ticker *kafka_ticker_create(const struct kafka_options *options)
{
    assert(options != NULL && options->shards > 0);
    struct kafka_ticker *ticker = memory_allocate(1, sizeof *ticker);
    ticker->client = (struct kafka_client){.log = options->log, .owner = ticker};
    ticker->options = options;
    ticker->failed = memory_allocate((size_t)options->shards, sizeof *ticker->failed);
    (void)pthread_mutex_init(&ticker->lock, NULL);
    return ticker;
}

void kafka_ticker_destroy(struct kafka_ticker *ticker)
{
    if (ticker == NULL) return;
    if (ticker->handle != NULL) {
        (void)rd_kafka_purge(ticker->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                                 RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_topic_destroy(ticker->runs);
        rd_kafka_destroy(ticker->handle);
    }
    (void)pthread_mutex_destroy(&ticker->lock);
    free(ticker->failed);
    free(ticker);
}

/* In whatever thread polls, only for records that were not written. */
static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    const struct kafka_client *client = opaque;
    struct kafka_ticker *ticker = client->owner;
    (void)handle;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    assert(message->partition >= 0 && message->partition < ticker->options->shards);
    atomic_store(&ticker->failed[message->partition], (int)message->err);
}

static bool open_handle(struct kafka_ticker *ticker, struct error *error)
{
    rd_kafka_conf_t *conf = kafka_options_properties(ticker->options, KAFKA_TICKER, 0, error);
    if (conf == NULL) return false;
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    char name[TOPIC_NAME_BYTES];
    kafka_topic_name(ticker->options->cluster, TOPIC_RUNS, name);
    rd_kafka_t *handle = kafka_client_open(&ticker->client, conf, KAFKA_TICKER, error);
    if (handle == NULL) return false;
    ticker->runs = rd_kafka_topic_new(handle, name, NULL);
    assert(ticker->runs != NULL);
    ticker->handle = handle;
    return true;
}

/* The producer, once for all threads. */
static bool opened(struct kafka_ticker *ticker, struct error *error)
{
    (void)pthread_mutex_lock(&ticker->lock);
    bool open = ticker->handle != NULL || open_handle(ticker, error);
    (void)pthread_mutex_unlock(&ticker->lock);
    return open;
}

bool kafka_ticker_tick(struct kafka_ticker *ticker, int32_t shard, struct text value,
                       struct error *error)
{
    assert(ticker != NULL);
    assert(shard >= 0 && shard < ticker->options->shards);
    if (!opened(ticker, error)) return false;
    (void)rd_kafka_poll(ticker->handle, 0); /* reports of those before, and logs */
    int failed = atomic_exchange(&ticker->failed[shard], RD_KAFKA_RESP_ERR_NO_ERROR);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)kafka_error_code(NULL, KAFKA_LOOK_UP, (rd_kafka_resp_err_t)failed, "a tick", error);
        return false;
    }
    if (rd_kafka_produce(ticker->runs, shard, RD_KAFKA_MSG_F_COPY, (void *)value.bytes,
                         value.length, NULL, 0, NULL) == 0)
        return true;
    (void)kafka_error_code(NULL, KAFKA_LOOK_UP, rd_kafka_last_error(), "a tick", error);
    return false;
}
