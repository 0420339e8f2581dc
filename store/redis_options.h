/* redis_options.h - where Redis is and how to log in: a plain struct and its URL form. */
#ifndef BELFRY_STORE_REDIS_OPTIONS_H
#define BELFRY_STORE_REDIS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum {
    REDIS_PORT_DEFAULT = 6379,
    REDIS_DATABASE_MAX = 65535,
    REDIS_TIME_LIMIT_DEFAULT_MS = 2000,
    REDIS_TIME_LIMIT_MIN_MS = 10,
    REDIS_TIME_LIMIT_MAX_MS = 60000
};

/* All texts are terminated; "" = not given. */
struct store_redis_options {
    char cluster[201];     /* Belfry's cluster name: every key starts with it */
    char host[256];
    int port;
    char socket_path[108]; /* given: a Unix socket in place of host and port */
    char username[128];
    char password[512];
    int database;
    char kafka_cluster_id[64]; /* whose shards are written: a Redis that names another one is not
                                * written, nor are its snapshots read; "" = whichever */
    int64_t connect_limit_ms; /* for one attempt to connect, and for finding the host */
    int64_t command_limit_ms; /* for one call of struct store */
    bool tls;
    char tls_ca_file[512];          /* "" = the system's */
    char tls_certificate_file[512]; /* client certificate; both files or none */
    char tls_key_file[512];
    char tls_server_name[256];      /* "" = host */
};

/* Cluster "belfry" on 127.0.0.1:6379, database 0, no login, limits of 2 s. */
void store_redis_options_default(struct store_redis_options *options);

/* Sets what the URL says and leaves the rest as it is. Forms:
 *   redis://[[user]:password@]host[:port][/database]    rediss:// the same with TLS
 *   unix://[[user]:password@]/path/of/socket[?db=number]
 * User and password may be percent-encoded; an IPv6 host stands in brackets.
 * Errors: ERROR_INVALID; the options are unchanged and the message repeats no password. */
bool store_redis_options_parse(const char *url, struct store_redis_options *options,
                               struct error *error) __attribute__((warn_unused_result));

/* Bounds of every field. Errors: ERROR_INVALID. */
bool store_redis_options_check(const struct store_redis_options *options, struct error *error)
    __attribute__((warn_unused_result));

/* The place for people and logs, without the password: "redis://host:port/0". */
void store_redis_options_describe(const struct store_redis_options *options, char *text,
                                  size_t text_bytes);

#endif
