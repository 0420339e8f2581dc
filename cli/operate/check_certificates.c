/* What belfry doctor says of certificates: of those in use, which end soon. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/kafka/redis_reader.h"
#include "cli/kafka/tls_expiry.h"
#include "cli/operate/checkup.h"
#include "cli/show/cli_clock.h"
#include "lib/base/limits.h"
#include "lib/time/instant.h"

enum { SOON_DAYS = 30, PORT_BYTES = 12, WHAT_BYTES = 320 };

struct certificates {
    struct checkup *checkup;
    int looked_at;
    int64_t first_ms; /* the end of the one that ends first */
    char first[WHAT_BYTES];
};

static void judge(struct certificates *certificates, const char *what, bool known,
                  int64_t expires_ms, const struct error *error)
{
    char at[INSTANT_TEXT_BYTES] = "-";
    int64_t left_ms = expires_ms - cli_now_ms();
    const char *advice = "put a new one in place before that day; belfryd reads its files when it "
                         "starts, and those of Redis with each connection";
    if (!known) {
        checkup_find(certificates->checkup, WARN, NULL, "not looked at: %s", error->message);
        return;
    }
    certificates->looked_at++;
    if (certificates->looked_at == 1 || expires_ms < certificates->first_ms) {
        certificates->first_ms = expires_ms;
        (void)snprintf(certificates->first, sizeof certificates->first, "%s", what);
    }
    if (instant_in_range(expires_ms)) instant_format(expires_ms, at);
    if (left_ms <= 0)
        checkup_find(certificates->checkup, BAD, advice, "%s has been invalid since %s", what, at);
    else if (left_ms < SOON_DAYS * DAYS_MS)
        checkup_find(certificates->checkup, WARN, advice, "%s is valid for %" PRId64 " more days, "
                     "until %s", what, left_ms / DAYS_MS, at);
}

static void look_at_server(struct certificates *certificates, const char *name, const char *host,
                           int port)
{
    char what[WHAT_BYTES];
    char port_text[PORT_BYTES];
    int64_t expires_ms = 0;
    struct error error = {0};
    (void)snprintf(port_text, sizeof port_text, "%d", port);
    (void)snprintf(what, sizeof what, "the certificate of %s %.200s:%s", name, host, port_text);
    bool known = tls_expiry_server(host, port_text, certificates->checkup->settings->timeout_ms,
                                   &expires_ms, &error);
    judge(certificates, what, known, expires_ms, &error);
}

static const char *property(const struct settings *settings, const char *key)
{
    const char *value = "";
    for (size_t i = 0; i < settings->property_count; i++)
        if (strcmp(settings->properties[i].key, key) == 0) value = settings->properties[i].value;
    return value;
}

static void look_at_file(struct certificates *certificates, const char *key)
{
    const char *path = property(certificates->checkup->settings, key);
    char what[WHAT_BYTES];
    int64_t expires_ms = 0;
    struct error error = {0};
    if (path[0] == '\0') return;
    (void)snprintf(what, sizeof what, "%s in %.250s", key, path);
    bool known = tls_expiry_file(path, &expires_ms, &error);
    judge(certificates, what, known, expires_ms, &error);
}

static bool kafka_uses_tls(const struct settings *settings)
{
    const char *protocol = property(settings, "security.protocol");
    return strcasecmp(protocol, "ssl") == 0 || strcasecmp(protocol, "sasl_ssl") == 0;
}

static void look_at_all(struct certificates *certificates, const struct store_redis_options *redis)
{
    const struct checkup *checkup = certificates->checkup;
    bool kafka = kafka_uses_tls(checkup->settings);
    for (int i = 0; kafka && checkup->metadata != NULL && i < checkup->metadata->broker_cnt; i++)
        look_at_server(certificates, "the broker", checkup->metadata->brokers[i].host,
                       checkup->metadata->brokers[i].port);
    if (kafka) {
        look_at_file(certificates, "ssl.certificate.location");
        look_at_file(certificates, "ssl.ca.location");
    }
    if (redis->tls) look_at_server(certificates, "Redis", redis->host, redis->port);
}

void check_certificates(struct checkup *checkup)
{
    struct certificates certificates = {.checkup = checkup};
    struct store_redis_options redis;
    struct error refused = {0};
    int before = checkup_troubles(checkup);
    if (!redis_reader_options(checkup->settings, &redis, &refused)) {
        redis.tls = false;
        checkup_find(checkup, WARN, NULL, "that of Redis is not looked at: %s", refused.message);
    } else if (!kafka_uses_tls(checkup->settings) && !redis.tls) {
        checkup_find(checkup, FINE, NULL, "none in use: neither Kafka nor Redis is asked by TLS");
        return;
    }
    if (checkup_troubles(checkup) == before && !tls_expiry_built()) {
        checkup_find(checkup, WARN, "build it where libssl-dev is installed", "not looked at: this "
                     "build has no OpenSSL");
        return;
    }
    look_at_all(&certificates, &redis);
    char at[INSTANT_TEXT_BYTES] = "-";
    if (instant_in_range(certificates.first_ms)) instant_format(certificates.first_ms, at);
    if (checkup_troubles(checkup) == before && certificates.looked_at > 0)
        checkup_find(checkup, FINE, NULL, "%d looked at; the first to end, on %.10s: %s",
                     certificates.looked_at, at, certificates.first);
}
