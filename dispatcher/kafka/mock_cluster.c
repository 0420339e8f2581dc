#include "dispatcher/kafka/mock_cluster.h"

#include <assert.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#include "dispatcher/kafka/kafka_client.h"
#include "dispatcher/kafka/kafka_topics.h"
#include "lib/base/memory.h"

/* From this version on the mock's wait for the first member can be taken away (3 s before). */
#define VERSION_WITH_REBALANCE_DELAY 0x020800ff

struct mock_cluster {
    struct kafka_client client;
    rd_kafka_t *handle; /* owns the mock's threads; connects to nothing */
    rd_kafka_mock_cluster_t *mock;
};

static bool add_own_topics(struct mock_cluster *mock, const char *cluster, int32_t shards,
                           struct error *error)
{
    for (enum broker_topic topic = 0; topic < TOPIC_FOREIGN; topic++) {
        char name[TOPIC_NAME_BYTES];
        kafka_topic_name(cluster, topic, name);
        if (!mock_cluster_add_topic(mock, name, shards, error)) return false;
    }
    return true;
}

static void hurry_first_assignment(rd_kafka_mock_cluster_t *mock)
{
    assert(mock != NULL);
#if RD_KAFKA_VERSION >= VERSION_WITH_REBALANCE_DELAY
    rd_kafka_mock_group_initial_rebalance_delay_ms(mock, 0);
#endif
}

struct mock_cluster *mock_cluster_create(const char *cluster, int32_t shards,
                                         const struct kafka_log *log, struct error *error)
{
    assert(cluster != NULL && log != NULL);
    assert(shards > 0);
    struct mock_cluster *mock = memory_allocate(1, sizeof *mock);
    mock->client = (struct kafka_client){.log = *log, .owner = mock};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "client.id", "belfry-mock", NULL, 0);
    (void)rd_kafka_conf_set(conf, "log.queue", "true", NULL, 0);
    mock->handle = kafka_client_open(&mock->client, conf, KAFKA_PRODUCER, error);
    if (mock->handle != NULL) mock->mock = rd_kafka_mock_cluster_new(mock->handle, 1);
    if (mock->mock == NULL) {
        error_set(error, ERROR_FATAL, "the embedded broker cannot listen on 127.0.0.1");
        mock_cluster_destroy(mock);
        return NULL;
    }
    hurry_first_assignment(mock->mock);
    if (add_own_topics(mock, cluster, shards, error)) return mock;
    mock_cluster_destroy(mock);
    return NULL;
}

void mock_cluster_destroy(struct mock_cluster *mock)
{
    if (mock == NULL) return;
    if (mock->mock != NULL) rd_kafka_mock_cluster_destroy(mock->mock);
    if (mock->handle != NULL) rd_kafka_destroy(mock->handle);
    free(mock);
}

const char *mock_cluster_brokers(const struct mock_cluster *mock)
{
    assert(mock != NULL);
    assert(mock->mock != NULL);
    return rd_kafka_mock_cluster_bootstraps(mock->mock);
}

bool mock_cluster_add_topic(struct mock_cluster *mock, const char *topic, int32_t partitions,
                            struct error *error)
{
    assert(mock != NULL && mock->mock != NULL);
    assert(topic != NULL && partitions > 0);
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(mock->mock, topic, partitions, 1);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    return error_invalid(error, CODE_BAD_VALUE, "topic %s: %s", topic, rd_kafka_err2str(code));
}

void mock_cluster_fail_requests(struct mock_cluster *mock, int16_t api_key,
                                rd_kafka_resp_err_t code, size_t count)
{
    assert(mock != NULL && mock->mock != NULL);
    assert(code != RD_KAFKA_RESP_ERR_NO_ERROR);
    for (size_t i = 0; i < count; i++)
        rd_kafka_mock_push_request_errors_array(mock->mock, api_key, 1, &code);
}

void mock_cluster_heal(struct mock_cluster *mock, int16_t api_key)
{
    assert(mock != NULL);
    assert(mock->mock != NULL);
    rd_kafka_mock_clear_request_errors(mock->mock, api_key);
}
