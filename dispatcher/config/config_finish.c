#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/config/config_parts.h"
#include "dispatcher/config/secret_file.h"
#include "dispatcher/kafka/kafka_topics.h"
#include "lib/base/memory.h"
#include "lib/base/topic_name.h"

enum { EMBEDDED_SHARDS = 4 };

static bool check_topic(const struct config *config, const char *key, const char *topic,
                        struct error *error)
{
    assert(topic != NULL && topic[0] != '\0');
    if (strncmp(topic, "__", 2) == 0)
        return error_invalid(error, CODE_BAD_VALUE, "[belfry] %s: %s belongs to Kafka itself", key,
                             topic);
    if (!topic_name_is_valid(text_of(topic)))
        return error_invalid(error, CODE_BAD_VALUE,
                             "[belfry] %s: \"%s\" cannot be a topic: only A-Z a-z 0-9 . _ - are "
                             "allowed",
                             key, topic);
    for (enum broker_topic own = 0; own < TOPIC_FOREIGN; own++) {
        char name[TOPIC_NAME_BYTES];
        kafka_topic_name(config->cluster, own, name);
        if (own != TOPIC_FIRES && strcmp(topic, name) == 0)
            return error_invalid(error, CODE_BAD_VALUE, "[belfry] %s: %s is Belfry's own; jobs and "
                                 "commands may not write there", key, topic);
    }
    return true;
}

static bool check_topics(const struct config *config, const char *key,
                         const struct config_list *topics, struct error *error)
{
    for (size_t i = 0; i < topics->count; i++)
        if (!check_topic(config, key, topics->items[i], error)) return false;
    return true;
}

static void set_text(char *field, size_t bytes, const char *text)
{
    int length = snprintf(field, bytes, "%s", text);
    assert(length >= 0 && (size_t)length < bytes); /* the option's maximum */
    (void)length;
}

static bool finish_redis(struct config *config, struct error *error)
{
    struct store_redis_options *redis = &config->redis;
    struct error cause = {0};
    store_redis_options_default(redis);
    if (!store_redis_options_parse(config->redis_url, redis, &cause))
        return error_invalid(error, CODE_BAD_VALUE, "[redis] url: %s", cause.message);
    if (redis->password[0] != '\0')
        return error_invalid(error, CODE_BAD_VALUE,
                             "[redis] url: no password in it, please: put it in a file and write "
                             "password_file = PATH in [redis]");
    if (config->redis_password_file[0] != '\0') {
        char *password = secret_file_read(config->redis_password_file, &cause);
        bool fits = password != NULL && strlen(password) < sizeof redis->password;
        if (fits) set_text(redis->password, sizeof redis->password, password);
        free(password);
        if (!fits)
            return error_invalid(error, CODE_BAD_VALUE, "[redis] password_file: %s",
                                 password == NULL ? cause.message : "the password is too long");
    }
    set_text(redis->cluster, sizeof redis->cluster, config->cluster);
    set_text(redis->tls_ca_file, sizeof redis->tls_ca_file, config->redis_tls_ca_file);
    set_text(redis->tls_certificate_file, sizeof redis->tls_certificate_file,
             config->redis_tls_certificate_file);
    set_text(redis->tls_key_file, sizeof redis->tls_key_file, config->redis_tls_key_file);
    set_text(redis->tls_server_name, sizeof redis->tls_server_name,
             config->redis_tls_server_name);
    redis->connect_limit_ms = config->redis_time_limit_ms;
    redis->command_limit_ms = config->redis_time_limit_ms;
    if (store_redis_options_check(redis, &cause)) return true;
    return error_invalid(error, CODE_BAD_VALUE, "[redis] %s", cause.message);
}

struct kafka_options config_kafka_options(const struct config *config)
{
    assert(config != NULL);
    struct kafka_options options = {
        .brokers = config->kafka_brokers,
        .cluster = config->cluster,
        .instance_id = config->group_instance_id[0] != '\0' ? config->group_instance_id : NULL,
        .shards = (int32_t)config->shards,
        .mock = config->embedded[0] != '\0',
    };
    const struct config_properties *from = config->properties;
    options.common = (struct kafka_properties){from[CLIENT_COMMON].items,
                                               from[CLIENT_COMMON].count};
    options.producer = (struct kafka_properties){from[CLIENT_PRODUCER].items,
                                                 from[CLIENT_PRODUCER].count};
    options.consumer = (struct kafka_properties){from[CLIENT_CONSUMER].items,
                                                 from[CLIENT_CONSUMER].count};
    return options;
}

static bool check_kafka(const struct config *config, struct error *error)
{
    struct kafka_options options = config_kafka_options(config);
    if (!kafka_options_check(&options, error)) return false;
    for (int role = KAFKA_MEMBER; role <= KAFKA_ASKER; role++) {
        rd_kafka_conf_t *conf =
            kafka_options_properties(&options, (enum kafka_role)role, 0, error);
        if (conf == NULL) return false;
        rd_kafka_conf_destroy(conf);
    }
    return true;
}

/* What other machines can read needs a token. */
static bool finish_http(struct config *config, struct error *error)
{
    struct error cause = {0};
    if (config->http_token_file[0] != '\0') {
        config->http_token = secret_file_read(config->http_token_file, &cause);
        if (config->http_token == NULL)
            return error_invalid(error, CODE_BAD_VALUE, "[http] token_file: %s", cause.message);
    }
    if (config->http_listen[0] == '\0') return true;
    if (!http_address_parse(config->http_listen, &config->http_address, &cause))
        return error_invalid(error, CODE_BAD_VALUE, "[http] listen: %s", cause.message);
    if (config->http_token != NULL || http_address_is_local(&config->http_address)) return true;
    return error_invalid(error, CODE_BAD_VALUE,
                         "[http] listen: other machines can reach %s: set token_file in [http], or "
                         "listen at 127.0.0.1", config->http_listen);
}

/* The trial mode has its own broker and Redis; what the environment says of others, perhaps for
 * its own clients, does not count. A flag that contradicts it does. */
static bool finish_embedded(struct config *config, struct error *error)
{
    const struct option *shards = config_option_by_key("belfry", "shards");
    const struct option *places[] = {config_option_by_key("kafka", "bootstrap.servers"),
                                     config_option_by_key("redis", "url")};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        size_t at = config_option_index(places[i]);
        assert(config->sources[at] != NULL);
        if (strncmp(config->sources[at], "--", 2) == 0)
            return error_invalid(error, CODE_BAD_VALUE,
                                 "--embedded brings its own broker and Redis: leave out %s, or "
                                 "leave out --embedded",
                                 config->sources[at]);
        free(config->sources[at]);
        config->sources[at] = memory_copy_text("--embedded", strlen("--embedded"));
        char text[OPTION_DEFAULT_BYTES];
        const char *usual = config_option_default(places[i], text, sizeof text);
        if (!config_option_set(places[i], usual, config, error)) return false;
    }
    if (strcmp(config->sources[config_option_index(shards)], "default") == 0)
        config->shards = EMBEDDED_SHARDS;
    return true;
}

bool config_finish(struct config *config, struct error *error)
{
    assert(config != NULL);
    assert(config->cluster != NULL);
    if (config->embedded[0] != '\0' && !finish_embedded(config, error)) return false;
    return check_kafka(config, error) &&
           check_topics(config, "fires.topics", &config->fires_topics, error) &&
           check_topics(config, "results.topics", &config->results_topics, error) &&
           finish_redis(config, error) && finish_http(config, error);
}
