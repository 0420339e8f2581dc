#include "dispatcher/config/config_options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/config/config.h"
#include "lib/base/limits.h"
#include "lib/time/duration.h"
#include "lib/time/schedule.h"

#define FIELD(member) offsetof(struct config, member)
#define PATH_MAX_BYTES 511

static const char *const level_words[] = {"debug", "info", "warn", "error", NULL};
static const char *const format_words[] = {"logfmt", "json", NULL};

const struct option config_options[] = {
    {"belfry", "cluster", "cluster", "NAME", VALUE_TEXT, FIELD(cluster), "belfry", 1, 100, NULL,
     "prefix of topics and Redis keys, group of the daemons"},
    {"belfry", "shards", "shards", "N", VALUE_COUNT, FIELD(shards), "16", 1, SHARDS_MAX, NULL,
     "partitions of each topic; fixed once the topics exist"},
    {"belfry", "embedded", "embedded", "DIR", VALUE_TEXT, FIELD(embedded), "", 0, PATH_MAX_BYTES,
     NULL, "trial mode with its own broker and Redis, data in DIR"},
    {"belfry", "group_instance_id", NULL, "NAME", VALUE_TEXT, FIELD(group_instance_id), "", 0,
     200, NULL, "static member: a restart within 10 s moves no shard; unique per daemon"},
    {"belfry", "catchup.rate", NULL, "N", VALUE_COUNT, FIELD(catchup_rate), "1000", 1, 1000000,
     NULL, "late slots a second that a shard works off, on top of new ones"},
    {"belfry", "checkpoint.interval", NULL, "D", VALUE_DURATION, FIELD(checkpoint_interval_ms),
     "100ms", 1, MINUTES_MS, NULL, "after a change, when Redis is brought up to date"},
    {"belfry", "mark.interval", NULL, "D", VALUE_DURATION, FIELD(mark_interval_ms), "1h",
     SECONDS_MS, DAYS_MS, NULL, "an idle shard says at least this often where it stands"},
    {"belfry", "clock.tolerance", NULL, "D", VALUE_DURATION, FIELD(clock_tolerance_ms), "1s", 0,
     MINUTES_MS, NULL, "how far our clock may be ahead of the broker's"},
    {"belfry", "clock.step", NULL, "D", VALUE_DURATION, FIELD(clock_step_ms), "5m", SECONDS_MS,
     DAYS_MS, NULL, "further ahead than this nothing is fired"},
    {"belfry", "misfire_grace", NULL, "D", VALUE_DURATION, FIELD(misfire_grace_ms), "30s", 0,
     DAYS_MS, NULL, "so late a fire is not yet a matter of catch-up"},
    {"belfry", "keep_finished", NULL, "D|forever", VALUE_DURATION_OR_FOREVER,
     FIELD(keep_finished_ms), "24h", 0, DURATION_MAX_MS, NULL, "finished jobs are kept so long"},
    {"belfry", "fires.topics", NULL, "TOPIC,...", VALUE_LIST, FIELD(fires_topics), "", 0,
     TOPIC_BYTES_MAX, NULL, "other topics that jobs may name"},
    {"belfry", "results.topics", NULL, "TOPIC,...", VALUE_LIST, FIELD(results_topics), "", 0,
     TOPIC_BYTES_MAX, NULL, "topics that reply_to of a command may name"},
    {"belfry", "log.level", "log-level", "LEVEL", VALUE_CHOICE, FIELD(log_level), "info", 0, 0,
     level_words, "debug, info, warn or error"},
    {"belfry", "log.format", "log-format", "FORMAT", VALUE_CHOICE, FIELD(log_format), "logfmt",
     0, 0, format_words, "logfmt or json"},
    {"belfry", "health.socket", "health-socket", "PATH|@NAME", VALUE_TEXT, FIELD(health_socket),
     "", 0, HEALTH_PLACE_BYTES_MAX, NULL, "Unix socket that --healthcheck asks"},
    {"kafka", "bootstrap.servers", "kafka", "HOST:PORT,...", VALUE_TEXT, FIELD(kafka_brokers),
     "localhost:9092", 1, 8192, NULL, "the brokers to begin with"},
    {"redis", "url", "redis", "URL", VALUE_TEXT, FIELD(redis_url), "redis://localhost:6379", 1,
     1024, NULL, "redis://HOST:PORT/DB, rediss:// for TLS or unix:///PATH"},
    {"redis", "password_file", NULL, "PATH", VALUE_TEXT, FIELD(redis_password_file), "", 0,
     PATH_MAX_BYTES, NULL, "file with the password, one line"},
    {"redis", "time_limit", NULL, "D", VALUE_DURATION, FIELD(redis_time_limit_ms), "2s",
     REDIS_TIME_LIMIT_MIN_MS, REDIS_TIME_LIMIT_MAX_MS, NULL, "for a connect and for a call"},
    {"redis", "tls.ca_file", NULL, "PATH", VALUE_TEXT, FIELD(redis_tls_ca_file), "", 0,
     PATH_MAX_BYTES, NULL, "certificates to trust in place of the system's"},
    {"redis", "tls.certificate_file", NULL, "PATH", VALUE_TEXT,
     FIELD(redis_tls_certificate_file), "", 0, PATH_MAX_BYTES, NULL, "our certificate"},
    {"redis", "tls.key_file", NULL, "PATH", VALUE_TEXT, FIELD(redis_tls_key_file), "", 0,
     PATH_MAX_BYTES, NULL, "our key"},
    {"redis", "tls.server_name", NULL, "NAME", VALUE_TEXT, FIELD(redis_tls_server_name), "", 0,
     255, NULL, "expected in its certificate in place of the host"},
    {"limits", "record_bytes", NULL, "SIZE", VALUE_BYTES, FIELD(record_bytes), "1MiB", 1024,
     RECORD_BYTES_MAX, NULL, "largest record on the control topic"},
    {"limits", "payload_bytes", NULL, "SIZE", VALUE_BYTES, FIELD(payload_bytes), "256KiB", 1,
     PAYLOAD_BYTES_MAX, NULL, "largest payload of a job"},
    {"limits", "every_min", NULL, "D", VALUE_DURATION, FIELD(every_min_ms), "1s",
     SCHEDULE_EVERY_FLOOR_MS, DAYS_MS, NULL, "shortest interval of a job"},
};

size_t config_option_count(void)
{
    return sizeof config_options / sizeof config_options[0];
}

size_t config_option_index(const struct option *option)
{
    assert(option >= config_options);
    assert(option < config_options + config_option_count());
    return (size_t)(option - config_options);
}

const struct option *config_option_by_key(const char *section, const char *key)
{
    assert(section != NULL);
    assert(key != NULL);
    for (size_t i = 0; i < config_option_count(); i++)
        if (strcmp(config_options[i].section, section) == 0 &&
            strcmp(config_options[i].key, key) == 0)
            return &config_options[i];
    return NULL;
}

const struct option *config_option_by_flag(const char *flag, size_t length)
{
    assert(flag != NULL);
    for (size_t i = 0; i < config_option_count(); i++) {
        const char *name = config_options[i].flag;
        if (name != NULL && strlen(name) == length && memcmp(name, flag, length) == 0)
            return &config_options[i];
    }
    return NULL;
}

void config_option_variable(const struct option *option, char variable[OPTION_VARIABLE_BYTES])
{
    assert(option != NULL);
    int length = 0;
    if (option->flag != NULL)
        length = snprintf(variable, OPTION_VARIABLE_BYTES, "BELFRY_%s", option->flag);
    else if (strcmp(option->section, "belfry") == 0)
        length = snprintf(variable, OPTION_VARIABLE_BYTES, "BELFRY_%s", option->key);
    else
        length = snprintf(variable, OPTION_VARIABLE_BYTES, "BELFRY_%s_%s", option->section,
                          option->key);
    assert(length > 0 && length < OPTION_VARIABLE_BYTES);
    for (char *at = variable; *at != '\0'; at++) {
        if (*at >= 'a' && *at <= 'z') *at = (char)(*at - 'a' + 'A');
        else if (*at == '.' || *at == '-') *at = '_';
    }
}
