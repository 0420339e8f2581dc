#include "store/redis_options.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define URL_FORMS "redis://[user:password@]host[:port][/database] or unix:///path/of/socket"

void store_redis_options_default(struct store_redis_options *options)
{
    assert(options != NULL);
    *options = (struct store_redis_options){
        .cluster = "belfry",
        .host = "127.0.0.1",
        .port = REDIS_PORT_DEFAULT,
        .connect_limit_ms = REDIS_TIME_LIMIT_DEFAULT_MS,
        .command_limit_ms = REDIS_TIME_LIMIT_DEFAULT_MS,
    };
}

static int hex_digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

/* Copies length bytes, undoing %XX where `decode`; false: too long, or a wrong escape. */
static bool copy_part(const char *from, size_t length, bool decode, char *to, size_t to_bytes)
{
    assert(to_bytes > 0);
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = from[i];
        if (decode && byte == '%') {
            int high = i + 2 < length ? hex_digit_value(from[i + 1]) : -1;
            int low = i + 2 < length ? hex_digit_value(from[i + 2]) : -1;
            if (high < 0 || low < 0 || high * 16 + low == 0) return false;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if (written + 1 >= to_bytes) return false;
        to[written++] = byte;
    }
    to[written] = '\0';
    return true;
}

/* The whole of the text as a number in [low, high], digits only. */
static bool parse_number(const char *text, size_t length, int low, int high, int *number)
{
    if (length == 0 || length > 6) return false;
    int value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (text[i] - '0');
    }
    if (value < low || value > high) return false;
    *number = value;
    return true;
}

/* "user:password@", ":password@" or "password@" before the place. *rest is what follows. */
static bool parse_login(const char *text, const char *end, struct store_redis_options *options,
                        const char **rest, struct error *error)
{
    assert(text <= end);
    const char *at = memchr(text, '@', (size_t)(end - text));
    *rest = text;
    if (at == NULL) return true;
    const char *colon = memchr(text, ':', (size_t)(at - text));
    const char *password = colon != NULL ? colon + 1 : text;
    size_t username_bytes = colon != NULL ? (size_t)(colon - text) : 0;
    if (!copy_part(text, username_bytes, true, options->username, sizeof options->username) ||
        !copy_part(password, (size_t)(at - password), true, options->password,
                   sizeof options->password))
        return error_set(error, ERROR_INVALID,
                         "Redis URL: user or password is too long (127 and "
                         "511 bytes at most) or has a wrong %%XX escape");
    *rest = at + 1;
    return true;
}

static bool parse_host(const char *text, const char *end, struct store_redis_options *options,
                       struct error *error)
{
    assert(text <= end);
    const char *host_end;
    const char *port = NULL;
    if (text < end && *text == '[') {
        text++;
        host_end = memchr(text, ']', (size_t)(end - text));
        if (host_end == NULL || (host_end + 1 < end && host_end[1] != ':'))
            return error_set(error, ERROR_INVALID, "Redis URL: an IPv6 host is written [::1]:6379");
        if (host_end + 1 < end) port = host_end + 2;
    } else {
        host_end = memchr(text, ':', (size_t)(end - text));
        if (host_end != NULL) port = host_end + 1;
        else host_end = end;
    }
    if (host_end == text) return error_set(error, ERROR_INVALID, "Redis URL: no host; " URL_FORMS);
    if (!copy_part(text, (size_t)(host_end - text), false, options->host, sizeof options->host))
        return error_set(error, ERROR_INVALID, "Redis URL: the host has more than 255 bytes");
    options->port = REDIS_PORT_DEFAULT;
    if (port != NULL && !parse_number(port, (size_t)(end - port), 1, 65535, &options->port))
        return error_set(error, ERROR_INVALID, "Redis URL: port '%.*s' is not within 1 to 65535",
                         (int)(end - port), port);
    options->socket_path[0] = '\0';
    return true;
}

static bool parse_database(const char *text, size_t length, struct store_redis_options *options,
                           struct error *error)
{
    if (length == 0) return true;
    if (!parse_number(text, length, 0, REDIS_DATABASE_MAX, &options->database))
        return error_set(error, ERROR_INVALID, "Redis URL: database '%.*s' is not within 0 to %d",
                         (int)length, text, REDIS_DATABASE_MAX);
    return true;
}

static bool parse_network(const char *text, struct store_redis_options *options,
                          struct error *error)
{
    const char *slash = strchr(text, '/');
    const char *end = slash != NULL ? slash : text + strlen(text);
    const char *host = NULL;
    if (!parse_login(text, end, options, &host, error)) return false;
    if (!parse_host(host, end, options, error)) return false;
    return slash == NULL || parse_database(slash + 1, strlen(slash + 1), options, error);
}

static bool parse_unix(const char *text, struct store_redis_options *options, struct error *error)
{
    const char *end = strchr(text, '?');
    size_t query_bytes = end != NULL ? strlen(end) : 0;
    if (end == NULL) end = text + strlen(text);
    const char *path = NULL;
    if (!parse_login(text, end, options, &path, error)) return false;
    if (path == end || *path != '/')
        return error_set(error, ERROR_INVALID,
                         "Redis URL: the socket's path must be absolute, "
                         "as in unix:///run/redis.sock");
    if (!copy_part(path, (size_t)(end - path), false, options->socket_path,
                   sizeof options->socket_path))
        return error_set(error, ERROR_INVALID,
                         "Redis URL: the socket's path has more than 107 bytes");
    if (query_bytes == 0) return true;
    if (strncmp(end, "?db=", 4) != 0 || query_bytes == 4)
        return error_set(error, ERROR_INVALID, "Redis URL: after '?' only db=number is known");
    return parse_database(end + 4, query_bytes - 4, options, error);
}

bool store_redis_options_parse(const char *url, struct store_redis_options *options,
                               struct error *error)
{
    assert(url != NULL);
    assert(options != NULL);
    struct store_redis_options parsed = *options;
    bool valid;
    parsed.tls = false;
    if (strncmp(url, "redis://", 8) == 0) {
        valid = parse_network(url + 8, &parsed, error);
    } else if (strncmp(url, "rediss://", 9) == 0) {
        parsed.tls = true;
        valid = parse_network(url + 9, &parsed, error);
    } else if (strncmp(url, "unix://", 7) == 0) {
        valid = parse_unix(url + 7, &parsed, error);
    } else {
        return error_set(error, ERROR_INVALID, "Redis URL: expected " URL_FORMS);
    }
    if (!valid || !store_redis_options_check(&parsed, error)) return false;
    *options = parsed;
    return true;
}

static bool is_cluster_name(const char *name)
{
    if (!isalnum((unsigned char)name[0])) return false;
    for (size_t i = 0; name[i] != '\0'; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("._:@-", name[i]) == NULL) return false;
    return true;
}

static bool check_limit(const char *name, int64_t limit_ms, struct error *error)
{
    if (limit_ms >= REDIS_TIME_LIMIT_MIN_MS && limit_ms <= REDIS_TIME_LIMIT_MAX_MS) return true;
    return error_set(error, ERROR_INVALID, "Redis %s limit of %lld ms is not within %d to %d ms",
                     name, (long long)limit_ms, REDIS_TIME_LIMIT_MIN_MS, REDIS_TIME_LIMIT_MAX_MS);
}

/* A setting that would have no effect is a mistake, most of all one about who is trusted. */
static bool check_tls(const struct store_redis_options *options, struct error *error)
{
    const char *const given[][2] = {
        {"tls.ca_file", options->tls_ca_file},
        {"tls.certificate_file", options->tls_certificate_file},
        {"tls.key_file", options->tls_key_file},
        {"tls.server_name", options->tls_server_name},
    };
    for (size_t i = 0; !options->tls && i < sizeof given / sizeof given[0]; i++)
        if (given[i][1][0] != '\0')
            return error_set(error, ERROR_INVALID,
                             "%s is given, but the url is not rediss://: "
                             "Redis would be spoken to without TLS",
                             given[i][0]);
    bool certificate = options->tls_certificate_file[0] != '\0';
    if (certificate != (options->tls_key_file[0] != '\0'))
        return error_set(error, ERROR_INVALID,
                         "%s: a client certificate and its key are given "
                         "together",
                         certificate ? "tls.certificate_file without tls.key_file"
                                     : "tls.key_file without tls.certificate_file");
    return true;
}

bool store_redis_options_check(const struct store_redis_options *options, struct error *error)
{
    assert(options != NULL);
    if (!is_cluster_name(options->cluster))
        return error_set(error, ERROR_INVALID,
                         "cluster name '%s': letters, digits and . _ : @ - "
                         "only, a letter or digit first",
                         options->cluster);
    if (options->database < 0 || options->database > REDIS_DATABASE_MAX)
        return error_set(error, ERROR_INVALID, "Redis database %d is not within 0 to %d",
                         options->database, REDIS_DATABASE_MAX);
    if (options->socket_path[0] == '\0' && (options->port < 1 || options->port > 65535))
        return error_set(error, ERROR_INVALID, "Redis port %d is not within 1 to 65535",
                         options->port);
    if (options->username[0] != '\0' && options->password[0] == '\0')
        return error_set(error, ERROR_INVALID, "Redis user '%s' has no password",
                         options->username);
    if (!check_tls(options, error)) return false;
#ifndef BELFRY_HIREDIS_SSL
    if (options->tls)
        return error_set(error, ERROR_INVALID,
                         "this build has no TLS to Redis: install hiredis "
                         "1.0 or newer with hiredis_ssl and build again, or use redis://");
#endif
    return check_limit("connect", options->connect_limit_ms, error) &&
           check_limit("command", options->command_limit_ms, error);
}

void store_redis_options_describe(const struct store_redis_options *options, char *text,
                                  size_t text_bytes)
{
    assert(options != NULL);
    assert(text_bytes > 0);
    if (options->socket_path[0] != '\0')
        (void)snprintf(text, text_bytes, "unix://%s", options->socket_path);
    else
        (void)snprintf(text, text_bytes, "%s://%s:%d/%d", options->tls ? "rediss" : "redis",
                       options->host, options->port, options->database);
}
