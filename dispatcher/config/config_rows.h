/* config_rows.h - the settings of belfryd that are not of a shard's engine (engine_settings.h has
 * those), a row each: field, section, key, flag (NULL: none), what the help calls the value, kind,
 * default, least, most, words of a choice, help. The variable's name follows from the row. */
#ifndef BELFRY_CONFIG_CONFIG_ROWS_H
#define BELFRY_CONFIG_CONFIG_ROWS_H

/* Those before the engine's, in the order of the help. */
#define CONFIG_FIRST(row)                                                                          \
    row(cluster, "belfry", "cluster", "cluster", "NAME", TEXT, "belfry", 1, 100, NULL,             \
        "prefix of topics and Redis keys, group of the daemons")                                   \
    row(shards, "belfry", "shards", "shards", "N", COUNT, "16", 1, SHARDS_MAX, NULL,               \
        "partitions of each topic; fixed once the topics exist")                                   \
    row(embedded, "belfry", "embedded", "embedded", "DIR", TEXT, "", 0, PATH_MAX_BYTES, NULL,      \
        "trial mode with its own broker and Redis, data in DIR")                                   \
    row(group_instance_id, "belfry", "group_instance_id", NULL, "NAME", TEXT, "", 0, 200, NULL,    \
        "static member: a restart within 10 s moves no shard; unique per daemon")

/* And those behind. */
#define CONFIG_REST(row)                                                                           \
    row(fires_topics, "belfry", "fires.topics", NULL, "TOPIC,...", LIST, "", 0, TOPIC_BYTES_MAX,   \
        NULL, "other topics that jobs may name")                                                   \
    row(results_topics, "belfry", "results.topics", NULL, "TOPIC,...", LIST, "", 0,                \
        TOPIC_BYTES_MAX, NULL, "topics that reply_to of a command may name")                       \
    row(log_level, "belfry", "log.level", "log-level", "LEVEL", CHOICE, "info", 0, 0,              \
        level_words, "debug, info, warn or error")                                                 \
    row(log_format, "belfry", "log.format", "log-format", "FORMAT", CHOICE, "logfmt", 0, 0,        \
        format_words, "logfmt or json")                                                            \
    row(health_socket, "belfry", "health.socket", "health-socket", "PATH|@NAME", TEXT, "", 0,      \
        UNIX_PLACE_BYTES_MAX, NULL, "Unix socket that --healthcheck asks")                       \
    row(http_listen, "http", "listen", "http", "ADDR", TEXT, "", 0, 300, NULL,                     \
        "HOST:PORT or unix:PATH to serve metrics and health at, usually 127.0.0.1:8411")           \
    row(http_hosts, "http", "hosts", NULL, "HOST,...", LIST, "", 0, 255, NULL,                     \
        "names that requests may use for it in place of localhost and its own")                    \
    row(http_token_file, "http", "token_file", NULL, "PATH", TEXT, "", 0, PATH_MAX_BYTES, NULL,    \
        "file with the bearer token; needed where other machines can connect")                     \
    row(kafka_brokers, "kafka", "bootstrap.servers", "kafka", "HOST:PORT,...", TEXT,               \
        "localhost:9092", 1, 8192, NULL, "the brokers to begin with")                              \
    row(redis_url, "redis", "url", "redis", "URL", TEXT, "redis://localhost:6379", 1, 1024, NULL,  \
        "redis://HOST:PORT/DB, rediss:// for TLS or unix:///PATH")                                 \
    row(redis_password_file, "redis", "password_file", NULL, "PATH", TEXT, "", 0, PATH_MAX_BYTES,  \
        NULL, "file with the password, one line")                                                  \
    row(redis_time_limit_ms, "redis", "time_limit", NULL, "D", DURATION, "2s",                     \
        REDIS_TIME_LIMIT_MIN_MS, REDIS_TIME_LIMIT_MAX_MS, NULL, "for a connect and for a call")    \
    row(redis_tls_ca_file, "redis", "tls.ca_file", NULL, "PATH", TEXT, "", 0, PATH_MAX_BYTES,      \
        NULL, "certificates to trust in place of the system's")                                    \
    row(redis_tls_certificate_file, "redis", "tls.certificate_file", NULL, "PATH", TEXT, "", 0,    \
        PATH_MAX_BYTES, NULL, "our certificate")                                                   \
    row(redis_tls_key_file, "redis", "tls.key_file", NULL, "PATH", TEXT, "", 0, PATH_MAX_BYTES,    \
        NULL, "our key")                                                                           \
    row(redis_tls_server_name, "redis", "tls.server_name", NULL, "NAME", TEXT, "", 0, 255, NULL,   \
        "expected in its certificate in place of the host")

/* What a kind is in struct config. */
#define CONFIG_FIELD_TEXT(field) char *field;
#define CONFIG_FIELD_LIST(field) struct config_list field;
#define CONFIG_FIELD_CHOICE(field) int64_t field;
#define CONFIG_FIELD_COUNT(field) int64_t field;
#define CONFIG_FIELD_DURATION(field) int64_t field;

#endif
