#include "dispatcher/kafka/kafka_topics.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/kafka/kafka_client.h"

enum {
    CREATED_WAIT_MS = 15000, /* until a new topic is known to all */
    CREATED_LOOK_MS = 50,
    SETTINGS_MAX = 12,
    REPORT_BYTES = 1024,
    COPIES_FOR_MIN_ISR = 3
};

/* One setting of one topic, and what a different value does. */
struct setting_plan {
    enum broker_topic topic;
    struct kafka_property setting;
    const char *harm; /* NULL: the operator's choice */
};

static const char log_time_harm[] =
    "commands and marks then carry the sender's clock and not the log's: change it back";
static const char claim_time_harm[] =
    "whether a worker took a fire in time is then for its own clock to say: change it back";
static const char cleanup_harm[] = "jobs or commands can be lost: change it back";
static const char bomb_harm[] =
    "a few kilobytes of compressed commands can become hundreds of megabytes here";
static const char unclean_harm[] =
    "a broker that lags behind may become the leader, and what it lacks is lost";
static const char size_harm[] = "larger records are refused by the broker";

static const struct setting_plan setting_plans[] = {
    {TOPIC_CONTROL, {"cleanup.policy", "delete"}, cleanup_harm},
    {TOPIC_CONTROL, {"retention.ms", "604800000"}, NULL},
    {TOPIC_CONTROL, {"message.timestamp.type", "LogAppendTime"}, log_time_harm},
    {TOPIC_CONTROL, {"compression.type", "uncompressed"}, bomb_harm},
    {TOPIC_FORWARD, {"cleanup.policy", "delete"}, cleanup_harm},
    {TOPIC_FORWARD, {"retention.ms", "604800000"}, NULL},
    {TOPIC_FORWARD, {"message.timestamp.type", "LogAppendTime"}, log_time_harm},
    {TOPIC_RESULTS, {"cleanup.policy", "delete"}, NULL},
    {TOPIC_RESULTS, {"retention.ms", "259200000"}, NULL},
    {TOPIC_FIRES, {"cleanup.policy", "delete"}, NULL},
    {TOPIC_FIRES, {"retention.ms", "604800000"}, NULL},
    {TOPIC_EVENTS, {"cleanup.policy", "delete"}, NULL},
    {TOPIC_EVENTS, {"retention.ms", "604800000"}, NULL},
    {TOPIC_RUNS, {"cleanup.policy", "delete"}, NULL},
    {TOPIC_RUNS, {"retention.ms", "604800000"}, NULL},
    {TOPIC_RUNS, {"message.timestamp.type", "LogAppendTime"}, claim_time_harm},
    {TOPIC_RUNS, {"compression.type", "uncompressed"}, bomb_harm},
    {TOPIC_STATE, {"cleanup.policy", "compact"}, cleanup_harm},
    {TOPIC_STATE, {"delete.retention.ms", "604800000"}, "checkpoints older than it are useless"},
    {TOPIC_STATE, {"message.timestamp.type", "LogAppendTime"}, log_time_harm},
    {TOPIC_STATE, {"segment.ms", "21600000"}, NULL},
    {TOPIC_STATE, {"segment.bytes", "134217728"}, NULL},
    {TOPIC_STATE, {"min.cleanable.dirty.ratio", "0.2"}, NULL},
    {TOPIC_DEAD, {"cleanup.policy", "delete"}, NULL},
    {TOPIC_DEAD, {"retention.ms", "2592000000"}, NULL},
    {TOPIC_CANCELS, {"cleanup.policy", "delete"}, NULL},
    {TOPIC_CANCELS, {"retention.ms", "86400000"}, NULL},
};
enum { SETTING_PLANS = sizeof setting_plans / sizeof setting_plans[0] };

static const char *const suffixes[TOPIC_OWN_COUNT] = {
    [TOPIC_CONTROL] = "control", [TOPIC_FORWARD] = "forward",
    [TOPIC_RESULTS] = "results", [TOPIC_FIRES] = "fires",
    [TOPIC_EVENTS] = "events",   [TOPIC_RUNS] = "runs",
    [TOPIC_STATE] = "state",     [TOPIC_DEAD] = "dead",
    [TOPIC_CANCELS] = "cancels",
};

void kafka_topic_name(const char *cluster, enum broker_topic topic,
                      char name[TOPIC_NAME_BYTES])
{
    assert(cluster != NULL);
    assert(topic < TOPIC_FOREIGN);
    bool fits = topic_name_of(cluster, suffixes[topic], name);
    assert(fits);
    (void)fits;
}

static void tell(const struct kafka_report *report, const char *text)
{
    if (report != NULL && report->write != NULL) report->write(report->opaque, text);
}

struct check {
    const struct kafka_report *report;
    enum broker_topic topic;
    const char *name;
    int32_t replicas;
    bool *runs_by_append_time; /* NULL: nobody asks */
};

static void tell_difference(const struct check *check, const char *name, const char *value,
                            const char *wanted, const char *harm)
{
    assert(value != NULL);
    assert(wanted != NULL);
    char text[REPORT_BYTES];
    int length = snprintf(text, sizeof text, "topic %s: %s is %s, Belfry would set %s%s%s",
                          check->name, name, value, wanted, harm == NULL ? "" : "; ",
                          harm == NULL ? "" : harm);
    if (harm != NULL && length > 0 && (size_t)length < sizeof text)
        (void)snprintf(text + length, sizeof text - (size_t)length,
                       ": kafka-configs.sh --bootstrap-server ... --alter --entity-type topics "
                       "--entity-name %s --add-config %s=%s", check->name, name, wanted);
    tell(check->report, text);
}

static void check_setting(void *opaque, const char *name, const char *value)
{
    const struct check *check = opaque;
    for (size_t i = 0; i < SETTING_PLANS; i++) {
        const struct setting_plan *plan = &setting_plans[i];
        if (plan->topic != check->topic || strcmp(plan->setting.name, name) != 0) continue;
        if (strcmp(plan->setting.value, value) != 0)
            tell_difference(check, name, value, plan->setting.value, plan->harm);
    }
    if (check->topic == TOPIC_RUNS && check->runs_by_append_time != NULL &&
        strcmp(name, "message.timestamp.type") == 0)
        *check->runs_by_append_time = strcmp(value, "LogAppendTime") == 0;
    if (strcmp(name, "max.message.bytes") == 0 && atoll(value) < KAFKA_TOPIC_MESSAGE_BYTES)
        tell_difference(check, name, value, "2097152", size_harm);
    if (strcmp(name, "unclean.leader.election.enable") == 0 && strcmp(value, "false") != 0)
        tell_difference(check, name, value, "false", unclean_harm);
    if (strcmp(name, "min.insync.replicas") == 0 && check->replicas >= COPIES_FOR_MIN_ISR &&
        atoll(value) < 2)
        tell_difference(check, name, value, "2",
                        "acknowledged records are lost with a single broker");
}

static bool check_topic(rd_kafka_t *handle, const struct kafka_options *options,
                        const struct kafka_report *report, enum broker_topic topic,
                        const struct kafka_topic_facts *facts, bool *runs_by_append_time,
                        struct error *error)
{
    char name[TOPIC_NAME_BYTES];
    kafka_topic_name(options->cluster, topic, name);
    if (facts->partitions != options->shards)
        return error_invalid(error, CODE_BAD_VALUE,
                             "topic %s has %d partitions, but shards = %d: the number is fixed "
                             "when the topics are made; start with --shards %d",
                             name, (int)facts->partitions, (int)options->shards,
                             (int)facts->partitions);
    struct check check = {report, topic, name, facts->replicas, runs_by_append_time};
    struct error unseen = {0};
    if (!kafka_admin_describe(handle, RD_KAFKA_RESOURCE_TOPIC, name, check_setting, &check,
                              &unseen)) {
        char text[REPORT_BYTES];
        (void)snprintf(text, sizeof text, "topic %s: its settings were not checked: %s", name,
                       unseen.message);
        tell(report, text);
    }
    return true;
}

static void read_default_copies(void *opaque, const char *name, const char *value)
{
    int32_t *copies = opaque;
    if (strcmp(name, "default.replication.factor") == 0) *copies = (int32_t)strtol(value, NULL, 10);
}

/* The broker's default replication factor, 0 when it is not to be had. */
static int32_t default_copies(rd_kafka_t *handle, const struct kafka_options *options)
{
    int32_t copies = 0;
    struct error error = {0};
    char name[16];
    int32_t broker = rd_kafka_controllerid(handle, KAFKA_REQUEST_WAIT_MS);
    if (broker < 0) return 0;
    (void)snprintf(name, sizeof name, "%d", (int)broker);
    if (!kafka_admin_describe(handle, RD_KAFKA_RESOURCE_BROKER, name, read_default_copies, &copies,
                              &error))
        kafka_client_log(&options->log, 4, "min.insync.replicas left to the broker: %s",
                         error.message);
    assert(copies >= 0);
    return copies;
}

static bool create_topic(rd_kafka_t *handle, const struct kafka_options *options,
                         enum broker_topic topic, int32_t copies, struct error *error)
{
    struct kafka_property settings[SETTINGS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < SETTING_PLANS; i++)
        if (setting_plans[i].topic == topic) settings[count++] = setting_plans[i].setting;
    settings[count++] = (struct kafka_property){"max.message.bytes", "2097152"};
    if (copies >= COPIES_FOR_MIN_ISR)
        settings[count++] = (struct kafka_property){"min.insync.replicas", "2"};
    assert(count <= SETTINGS_MAX);
    char name[TOPIC_NAME_BYTES];
    kafka_topic_name(options->cluster, topic, name);
    return kafka_admin_create(handle, name, options->shards, settings, count, error);
}

static bool await_topic(rd_kafka_t *handle, const struct kafka_options *options,
                        enum broker_topic topic, struct kafka_topic_facts *facts,
                        struct error *error)
{
    char name[TOPIC_NAME_BYTES];
    kafka_topic_name(options->cluster, topic, name);
    const struct clock *clock = options->clock;
    int64_t deadline_us = clock->monotonic_us(clock->opaque) + CREATED_WAIT_MS * INT64_C(1000);
    for (;;) {
        if (!kafka_admin_look_up(handle, name, facts, error)) return false;
        if (facts->exists && facts->partitions > 0) return true;
        if (clock->monotonic_us(clock->opaque) >= deadline_us)
            return error_set(error, ERROR_RETRY, "kafka: topic %s was created but is not seen",
                             name);
        clock->sleep_ms(clock->opaque, CREATED_LOOK_MS);
    }
}

/* Looks for all topics before any is made: a wrong --shards must not leave half a set behind. */
static bool look_up_all(rd_kafka_t *handle, const struct kafka_options *options,
                        const struct kafka_report *report, bool missing[TOPIC_OWN_COUNT],
                        bool *runs_by_append_time, struct error *error)
{
    for (enum broker_topic topic = 0; topic < TOPIC_FOREIGN; topic++) {
        struct kafka_topic_facts facts;
        char name[TOPIC_NAME_BYTES];
        kafka_topic_name(options->cluster, topic, name);
        if (!kafka_admin_look_up(handle, name, &facts, error)) return false;
        if (facts.forbidden)
            return error_set(error, ERROR_FATAL, "kafka: no right to see topic %s", name);
        missing[topic] = !facts.exists;
        if (facts.exists && !check_topic(handle, options, report, topic, &facts,
                                         runs_by_append_time, error))
            return false;
    }
    return true;
}

bool kafka_topics_prepare(rd_kafka_t *handle, const struct kafka_options *options,
                          const struct kafka_report *report, bool *runs_by_append_time,
                          struct error *error)
{
    assert(handle != NULL);
    assert(options != NULL && !options->mock);
    bool missing[TOPIC_OWN_COUNT] = {false};
    *runs_by_append_time = false;
    if (!look_up_all(handle, options, report, missing, runs_by_append_time, error)) return false;
    int32_t copies = -1;
    for (enum broker_topic topic = 0; topic < TOPIC_FOREIGN; topic++) {
        if (!missing[topic]) continue;
        if (copies < 0) copies = default_copies(handle, options);
        if (!create_topic(handle, options, topic, copies, error)) return false;
    }
    for (enum broker_topic topic = 0; topic < TOPIC_FOREIGN; topic++) {
        if (!missing[topic]) continue;
        struct kafka_topic_facts facts;
        if (!await_topic(handle, options, topic, &facts, error)) return false;
        /* Another daemon may have been quicker, with another idea of the number of shards. */
        if (!check_topic(handle, options, report, topic, &facts, runs_by_append_time, error))
            return false;
        char text[REPORT_BYTES], name[TOPIC_NAME_BYTES];
        kafka_topic_name(options->cluster, topic, name);
        (void)snprintf(text, sizeof text, "topic %s: created with %d partitions", name,
                       (int)options->shards);
        tell(report, text);
    }
    return true;
}

bool kafka_topics_check(rd_kafka_t *handle, const struct kafka_options *options,
                        const struct kafka_report *report, int32_t *missing_count,
                        struct error *error)
{
    assert(handle != NULL);
    assert(options != NULL);
    assert(missing_count != NULL);
    bool missing[TOPIC_OWN_COUNT] = {false};
    *missing_count = 0;
    if (!look_up_all(handle, options, report, missing, NULL, error)) return false;
    for (enum broker_topic topic = 0; topic < TOPIC_FOREIGN; topic++) {
        if (!missing[topic]) continue;
        char text[REPORT_BYTES], name[TOPIC_NAME_BYTES];
        kafka_topic_name(options->cluster, topic, name);
        (void)snprintf(text, sizeof text, "topic %s does not exist", name);
        tell(report, text);
        *missing_count += 1;
    }
    return true;
}
