/* config.h - what the operator wants: from flags, BELFRY_* variables, an INI file and defaults,
 * in this order of precedence. docs/operation.md has all options. */
#ifndef BELFRY_CONFIG_CONFIG_H
#define BELFRY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dispatcher/config/config_rows.h"
#include "dispatcher/engine/engine_settings.h"
#include "dispatcher/http/http_address.h"
#include "dispatcher/kafka/kafka_options.h"
#include "lib/base/error.h"
#include "store/redis_options.h"

struct config_list {
    char **items; /* terminated */
    size_t count;
};

/* librdkafka properties from [kafka], [kafka.producer] or [kafka.consumer]. */
enum config_client { CLIENT_COMMON = 0, CLIENT_PRODUCER, CLIENT_CONSUMER, CLIENT_COUNT };
struct config_properties {
    struct kafka_property *items; /* names and values are owned */
    char **shown; /* what --check-config prints for each: "sasl.password_file = /path" */
    size_t count;
};

enum config_action {
    CONFIG_RUN = 0,
    CONFIG_CHECK,
    CONFIG_HEALTH,
    CONFIG_READY,
    CONFIG_HELP,
    CONFIG_VERSION
};

/* All texts are owned; "" = not given. log_level is an enum observer_level, log_format an enum
 * log_format. */
#define CONFIG_FIELD(field, section, key, flag, argument, kind, ...) CONFIG_FIELD_##kind(field)
struct config {
    enum config_action action;
    char **sources; /* by option: "default", "--kafka", "BELFRY_KAFKA", "file:12" */

    CONFIG_FIRST(CONFIG_FIELD)
    CONFIG_REST(CONFIG_FIELD)
    struct engine_settings engine;
    struct config_properties properties[CLIENT_COUNT];
    struct store_redis_options redis; /* made of the above */
    struct http_address http_address; /* likewise; meaningless where http.listen is "" */
    char *http_token;                 /* likewise; NULL: there is none */
};
#undef CONFIG_FIELD

/* Reads everything there is. `config` is zeroed before; release it in any case.
 *   environment  as `environ`, ends with NULL
 *   errors       ERROR_INVALID: names flag, variable or file and line, and what is allowed */
bool config_load(struct config *config, int argc, char *const *argv, char *const *environment,
                 struct error *error) __attribute__((warn_unused_result));
void config_release(struct config *config);

/* What the Kafka adapter is told, except clock and log. Borrows from config. */
struct kafka_options config_kafka_options(const struct config *config);

/* The effective configuration as a file that belfryd would read, each value with its source as a
 * comment; the contents of secret files do not appear. */
void config_print(const struct config *config, FILE *out);
void config_print_help(FILE *out);

#endif
