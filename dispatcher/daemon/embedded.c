#include "dispatcher/daemon/embedded.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dispatcher/daemon/redis_child.h"
#include "dispatcher/kafka/mock_cluster.h"
#include "lib/base/memory.h"

struct embedded {
    struct redis_child *redis;
    struct mock_cluster *kafka;
    char addresses[PATH_MAX + 16]; /* the file */
};

/* Topics of the allow-lists exist from the start: nobody could create them here. */
static void add_topics(struct embedded *embedded, const struct config_list *topics,
                       int32_t shards)
{
    assert(embedded->kafka != NULL);
    for (size_t i = 0; i < topics->count; i++) {
        struct error there_already = {0};
        (void)!mock_cluster_add_topic(embedded->kafka, topics->items[i], shards, &there_already);
    }
}

static void point_config(struct embedded *embedded, struct config *config)
{
    const char *brokers = mock_cluster_brokers(embedded->kafka);
    const char *socket = redis_child_socket(embedded->redis);
    free(config->kafka_brokers);
    config->kafka_brokers = memory_copy_text(brokers, strlen(brokers));
    int length = snprintf(config->redis.socket_path, sizeof config->redis.socket_path, "%s",
                          socket);
    assert(length > 0 && (size_t)length < sizeof config->redis.socket_path);
    (void)length;
    config->redis.password[0] = '\0';
    config->redis.tls = false;
}

/* A file that a shell can read: whoever sources it talks to this daemon. Whole or not there. */
static bool write_addresses(struct embedded *embedded, const struct config *config,
                            struct error *error)
{
    char part[sizeof embedded->addresses + 8];
    const char *directory = redis_child_directory(embedded->redis);
    (void)snprintf(embedded->addresses, sizeof embedded->addresses, "%s/addresses", directory);
    (void)snprintf(part, sizeof part, "%s.new", embedded->addresses);
    FILE *file = fopen(part, "we");
    if (file == NULL)
        return error_set(error, ERROR_FATAL, "embedded: %s: %s", part, strerror(errno));
    (void)fprintf(file, "BELFRY_KAFKA=%s\nBELFRY_REDIS=unix://%s\nBELFRY_CLUSTER=%s\n",
                  config->kafka_brokers, config->redis.socket_path, config->cluster);
    bool written = fclose(file) == 0 && rename(part, embedded->addresses) == 0;
    if (written) return true;
    return error_set(error, ERROR_FATAL, "embedded: %s: %s", embedded->addresses,
                     strerror(errno));
}

static void print_welcome(const struct embedded *embedded, const struct config *config)
{
    assert(embedded->addresses[0] != '\0');
    (void)printf("kafka=%s redis=unix://%s\n", config->kafka_brokers, config->redis.socket_path);
    (void)printf("The same for a shell: . %s; export BELFRY_KAFKA BELFRY_REDIS BELFRY_CLUSTER\n",
                 embedded->addresses);
    (void)printf("This is for trying Belfry. Known limits: the broker forgets its topics when\n"
                 "belfryd ends (jobs stay, in Redis), readers may see aborted records, and a\n"
                 "kill -9 can double fires.\n");
    (void)fflush(stdout);
}

struct embedded *embedded_start(struct config *config, const struct clock *clock,
                                const struct kafka_log *log, const atomic_bool *stop,
                                struct error *error)
{
    assert(config != NULL && config->embedded[0] != '\0');
    assert(clock != NULL && log != NULL);
    struct embedded *embedded = memory_allocate(1, sizeof *embedded);
    int32_t shards = (int32_t)config->shards;
    embedded->redis = redis_child_start(config->embedded, clock, stop, error);
    if (embedded->redis == NULL) goto failed;
    embedded->kafka = mock_cluster_create(config->cluster, shards, log, error);
    if (embedded->kafka == NULL) goto failed;
    add_topics(embedded, &config->fires_topics, shards);
    add_topics(embedded, &config->results_topics, shards);
    point_config(embedded, config);
    if (!write_addresses(embedded, config, error)) goto failed;
    print_welcome(embedded, config);
    return embedded;
failed:
    embedded_stop(embedded);
    return NULL;
}

bool embedded_alive(struct embedded *embedded)
{
    assert(embedded != NULL);
    return redis_child_alive(embedded->redis);
}

void embedded_stop(struct embedded *embedded)
{
    if (embedded == NULL) return;
    if (embedded->addresses[0] != '\0') (void)unlink(embedded->addresses);
    mock_cluster_destroy(embedded->kafka);
    redis_child_stop(embedded->redis);
    free(embedded);
}
