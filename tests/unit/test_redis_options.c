#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/redis_options.h"
#include "tests/support/rows.h"

/* What a URL means: "user|password|host|port|socket|database", or a part of the error. */
struct url_case {
    const char *url;
    const char *meaning;
    const char *error;
};
static const struct url_case url_cases[] = {
    {"redis://localhost", "||localhost|6379||0", NULL},
    {"redis://10.0.0.1:7000/5", "||10.0.0.1|7000||5", NULL},
    {"redis://h/", "||h|6379||0", NULL},
    {"redis://:secret@h:1", "|secret|h|1||0", NULL},
    {"redis://secret@h:1", "|secret|h|1||0", NULL},
    {"redis://bob:p%40ss%2F%3a%25@h:65535/65535", "bob|p@ss/:%|h|65535||65535", NULL},
    {"redis://[::1]:7000/1", "||::1|7000||1", NULL},
    {"redis://[fe80::1]", "||fe80::1|6379||0", NULL},
    {"unix:///run/redis.sock", "||127.0.0.1|6379|/run/redis.sock|0", NULL},
    {"unix://bob:hush@/run/redis.sock?db=3", "bob|hush|127.0.0.1|6379|/run/redis.sock|3", NULL},
    {"", NULL, "expected redis://"},
    {"http://h", NULL, "expected redis://"},
    {"redis://", NULL, "no host"},
    {"redis://:7000", NULL, "no host"},
    {"redis://h:", NULL, "port ''"},
    {"redis://h:0", NULL, "port '0'"},
    {"redis://h:65536", NULL, "port '65536'"},
    {"redis://h:12x", NULL, "port '12x'"},
    {"redis://h:+1", NULL, "port '+1'"},
    {"redis://h:1/x", NULL, "database 'x'"},
    {"redis://h:1/65536", NULL, "database '65536'"},
    {"redis://[::1", NULL, "IPv6"},
    {"redis://[::1]7", NULL, "IPv6"},
    {"redis://bob:%zz@h", NULL, "escape"},
    {"redis://bob:%4@h", NULL, "escape"},
    {"redis://bob:%00@h", NULL, "escape"},
    {"redis://bob:@h", NULL, "no password"},
    {"unix://run/redis.sock", NULL, "absolute"},
    {"unix://", NULL, "absolute"},
    {"unix:///s?x=1", NULL, "db=number"},
    {"unix:///s?db=", NULL, "db=number"},
#ifndef BELFRY_HIREDIS_SSL
    {"rediss://h", NULL, "no TLS"},
#endif
};

static void check_url(void **state)
{
    const struct url_case *row = *state;
    struct store_redis_options options, before;
    struct error error = {0};
    char meaning[1024], place[256];
    memset(&before, 0, sizeof before);
    store_redis_options_default(&before);
    options = before;
    bool valid = store_redis_options_parse(row->url, &options, &error);
    if (row->error != NULL) {
        assert_false(valid);
        assert_int_equal(error.kind, ERROR_INVALID);
        if (strstr(error.message, row->error) == NULL) fail_msg("%s", error.message);
        assert_memory_equal(&options, &before, sizeof options);
        return;
    }
    if (!valid) fail_msg("%s", error.message);
    (void)snprintf(meaning, sizeof meaning, "%s|%s|%s|%d|%s|%d", options.username,
                   options.password, options.host, options.port, options.socket_path,
                   options.database);
    assert_string_equal(meaning, row->meaning);
    store_redis_options_describe(&options, place, sizeof place);
    if (options.password[0] != '\0') assert_null(strstr(place, options.password));
}

static void check_long_parts(void **state)
{
    (void)state;
    enum { FORMS = 4 };
    char name[600], url[700];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < FORMS; i++) {
        struct store_redis_options options;
        struct error error = {0};
        store_redis_options_default(&options);
        (void)snprintf(url, sizeof url, i == 0 ? "redis://%s" : i == 1 ? "redis://u:%s@h"
                       : i == 2 ? "redis://%s:p@h" : "unix:///%s", name);
        assert_false(store_redis_options_parse(url, &options, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

static void check_bounds(void **state)
{
    (void)state;
    static const char *const clusters[] = {"", ".x", "a b", "a{1}", "a*"};
    struct store_redis_options options;
    store_redis_options_default(&options);
    assert_true(store_redis_options_check(&options, NULL));
    options.command_limit_ms = REDIS_TIME_LIMIT_MAX_MS + 1;
    assert_false(store_redis_options_check(&options, NULL));
    options.command_limit_ms = REDIS_TIME_LIMIT_MIN_MS;
    assert_true(store_redis_options_check(&options, NULL));
    options.connect_limit_ms = REDIS_TIME_LIMIT_MIN_MS - 1;
    assert_false(store_redis_options_check(&options, NULL));
    for (size_t i = 0; i < sizeof clusters / sizeof clusters[0]; i++) {
        store_redis_options_default(&options);
        (void)snprintf(options.cluster, sizeof options.cluster, "%s", clusters[i]);
        assert_false(store_redis_options_check(&options, NULL));
    }
}

static void check_tls(bool tls, const char *certificate, const char *key, const char *says)
{
    struct store_redis_options options;
    struct error error = {0};
    store_redis_options_default(&options);
    options.tls = tls;
    (void)snprintf(options.tls_certificate_file, sizeof options.tls_certificate_file, "%s",
                   certificate);
    (void)snprintf(options.tls_key_file, sizeof options.tls_key_file, "%s", key);
    assert_false(store_redis_options_check(&options, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    if (strstr(error.message, says) == NULL) fail_msg("%s", error.message);
}

/* The same in a build with TLS to Redis and in one without. */
static void check_tls_files(void **state)
{
    (void)state;
    check_tls(true, "", "/k", "tls.key_file without tls.certificate_file");
    check_tls(true, "/c", "", "tls.certificate_file without tls.key_file");
    check_tls(false, "/c", "/k", "tls.certificate_file is given, but the url is not rediss://");
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(url_cases, check_url)};
    static const struct CMUnitTest others[] = {
        {.name = "parts too long", .test_func = check_long_parts},
        {.name = "bounds", .test_func = check_bounds},
        {.name = "files of TLS", .test_func = check_tls_files},
    };
    return run_rows("redis options", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
