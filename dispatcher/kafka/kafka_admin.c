#include "dispatcher/kafka/kafka_admin.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/kafka/kafka_error.h"

enum { REFUSAL_BYTES = 160, WHAT_BYTES = 300 };

static void read_facts(const struct rd_kafka_metadata_topic *topic,
                       struct kafka_topic_facts *facts)
{
    *facts = (struct kafka_topic_facts){.exists = true, .partitions = topic->partition_cnt};
    for (int i = 0; i < topic->partition_cnt; i++)
        if (topic->partitions[i].id == 0) facts->replicas = topic->partitions[i].replica_cnt;
}

static bool judge_topic(const struct rd_kafka_metadata_topic *topic,
                        struct kafka_topic_facts *facts, struct error *error)
{
    switch ((int)topic->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE: read_facts(topic, facts); return true;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION: *facts = (struct kafka_topic_facts){0}; return true;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        *facts = (struct kafka_topic_facts){.forbidden = true};
        return true;
    default:
        (void)kafka_error_code(NULL, KAFKA_LOOK_UP, topic->err, topic->topic, error);
        return false;
    }
}

bool kafka_admin_look_up(rd_kafka_t *handle, const char *topic, struct kafka_topic_facts *facts,
                         struct error *error)
{
    return kafka_admin_look_up_within(handle, topic, KAFKA_REQUEST_WAIT_MS, facts, error);
}

bool kafka_admin_look_up_within(rd_kafka_t *handle, const char *topic, int wait_ms,
                                struct kafka_topic_facts *facts, struct error *error)
{
    assert(handle != NULL);
    assert(topic != NULL && facts != NULL);
    rd_kafka_topic_t *asked = rd_kafka_topic_new(handle, topic, NULL);
    if (asked == NULL) { /* librdkafka itself refuses the name */
        *facts = (struct kafka_topic_facts){0};
        return true;
    }
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, asked, &metadata, wait_ms);
    rd_kafka_topic_destroy(asked);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char what[WHAT_BYTES];
        (void)snprintf(what, sizeof what, "looking up topic %s", topic);
        (void)kafka_error_code(handle, KAFKA_LOOK_UP, code, what, error);
        return false;
    }
    bool judged = metadata->topic_cnt == 1
                      ? judge_topic(&metadata->topics[0], facts, error)
                      : error_set(error, ERROR_RETRY, "kafka: no answer about topic %s", topic);
    rd_kafka_metadata_destroy(metadata);
    return judged;
}

/* Waits for the answer to one admin request; NULL and an error when there is none or it says so. */
static rd_kafka_event_t *await(rd_kafka_t *handle, rd_kafka_queue_t *queue, int wait_ms,
                               const char *what, struct error *error)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, wait_ms);
    if (event == NULL) {
        error_set(error, ERROR_RETRY, "kafka: %s: no answer", what);
        return NULL;
    }
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
    (void)kafka_error_code(handle, KAFKA_LOOK_UP, code, what, error);
    rd_kafka_event_destroy(event);
    return NULL;
}

static rd_kafka_AdminOptions_t *admin_options(rd_kafka_t *handle, rd_kafka_admin_op_t operation,
                                              int wait_ms)
{
    char refusal[REFUSAL_BYTES] = "";
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(handle, operation);
    assert(options != NULL);
    rd_kafka_resp_err_t code = rd_kafka_AdminOptions_set_request_timeout(
        options, wait_ms, refusal, sizeof refusal);
    assert(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    (void)code;
    return options;
}

static bool read_settings(const rd_kafka_event_t *event, kafka_setting_function *function,
                          void *opaque, struct error *error)
{
    size_t resources = 0, entries = 0;
    const rd_kafka_DescribeConfigs_result_t *result =
        rd_kafka_event_DescribeConfigs_result((rd_kafka_event_t *)event);
    const rd_kafka_ConfigResource_t **described =
        rd_kafka_DescribeConfigs_result_resources(result, &resources);
    if (resources != 1) return error_set(error, ERROR_RETRY, "kafka: settings not described");
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(described[0]);
    const char *name = rd_kafka_ConfigResource_name(described[0]);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return error_set(error, ERROR_FATAL, "kafka: no right to describe the settings of %s",
                         name);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)kafka_error_code(NULL, KAFKA_LOOK_UP, code, name, error);
        return false;
    }
    const rd_kafka_ConfigEntry_t **settings =
        rd_kafka_ConfigResource_configs(described[0], &entries);
    for (size_t i = 0; i < entries; i++) {
        const char *value = rd_kafka_ConfigEntry_value(settings[i]);
        function(opaque, rd_kafka_ConfigEntry_name(settings[i]), value == NULL ? "" : value);
    }
    return true;
}

static bool describe(rd_kafka_t *handle, rd_kafka_ResourceType_t type, const char *name,
                     int wait_ms, kafka_setting_function *function, void *opaque,
                     struct error *error)
{
    assert(handle != NULL && name != NULL);
    assert(function != NULL);
    rd_kafka_AdminOptions_t *options =
        admin_options(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, wait_ms);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(type, name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_DescribeConfigs(handle, &resource, 1, options, queue);
    rd_kafka_event_t *event = await(handle, queue, 2 * wait_ms, "describing settings", error);
    bool described = event != NULL && read_settings(event, function, opaque, error);
    if (event != NULL) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(options);
    return described;
}

bool kafka_admin_describe(rd_kafka_t *handle, rd_kafka_ResourceType_t type, const char *name,
                          kafka_setting_function *function, void *opaque, struct error *error)
{
    return describe(handle, type, name, KAFKA_REQUEST_WAIT_MS, function, opaque, error);
}

static void read_size_limit(void *opaque, const char *name, const char *value)
{
    int64_t *bytes = opaque;
    if (strcmp(name, "max.message.bytes") == 0) *bytes = strtoll(value, NULL, 10);
}

bool kafka_admin_size_limit(rd_kafka_t *handle, const char *topic, int wait_ms, int64_t *bytes,
                            struct error *error)
{
    *bytes = 0;
    return describe(handle, RD_KAFKA_RESOURCE_TOPIC, topic, wait_ms, read_size_limit, bytes, error);
}

/* Waiting may mend it: a broker that has just started is fenced, and none is counted as there. */
static bool may_be_created_later(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR: return true;
    default: return false;
    }
}

static bool read_created(const rd_kafka_event_t *event, struct error *error)
{
    size_t count = 0;
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result((rd_kafka_event_t *)event), &count);
    if (count != 1) return error_set(error, ERROR_RETRY, "kafka: topic not created");
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return true;
    const char *text = rd_kafka_topic_result_error_string(results[0]);
    return error_set(error, may_be_created_later(code) ? ERROR_RETRY : ERROR_FATAL,
                     "kafka: topic %s cannot be created: %s; create it by hand (docs/kafka.md)",
                     rd_kafka_topic_result_name(results[0]),
                     text == NULL ? rd_kafka_err2str(code) : text);
}

bool kafka_admin_create(rd_kafka_t *handle, const char *topic, int32_t partitions,
                        const struct kafka_property *settings, size_t count,
                        struct error *error)
{
    assert(handle != NULL && topic != NULL);
    assert(partitions > 0);
    char refusal[REFUSAL_BYTES] = "";
    rd_kafka_NewTopic_t *wanted =
        rd_kafka_NewTopic_new(topic, partitions, -1, refusal, sizeof refusal);
    if (wanted == NULL) return error_invalid(error, CODE_BAD_NAME, "topic %s: %s", topic, refusal);
    for (size_t i = 0; i < count; i++)
        (void)rd_kafka_NewTopic_set_config(wanted, settings[i].name, settings[i].value);
    rd_kafka_AdminOptions_t *options =
        admin_options(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS, KAFKA_REQUEST_WAIT_MS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, &wanted, 1, options, queue);
    rd_kafka_event_t *event =
        await(handle, queue, 2 * KAFKA_REQUEST_WAIT_MS, "creating a topic", error);
    bool created = event != NULL && read_created(event, error);
    if (event != NULL) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(wanted);
    return created;
}

static bool read_group(const struct rd_kafka_group_info *group, int32_t *count,
                       char first[KAFKA_MEMBER_TEXT_BYTES], struct error *error)
{
    if (group->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(error, ERROR_RETRY, "kafka: group %.100s: %s", group->group,
                         rd_kafka_err2str(group->err));
    if (group->member_cnt == 0) return true;
    const struct rd_kafka_group_member_info *member = &group->members[0];
    (void)snprintf(first, KAFKA_MEMBER_TEXT_BYTES, "%s at %s", member->client_id,
                   member->client_host);
    *count += group->member_cnt;
    return true;
}

bool kafka_admin_group_members(rd_kafka_t *handle, const char *group, int32_t *count,
                               char first[KAFKA_MEMBER_TEXT_BYTES], struct error *error)
{
    assert(handle != NULL && group != NULL);
    assert(count != NULL);
    const struct rd_kafka_group_list *list = NULL;
    *count = 0;
    first[0] = '\0';
    rd_kafka_resp_err_t code = rd_kafka_list_groups(handle, group, &list, KAFKA_REQUEST_WAIT_MS);
    bool read = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!read)
        error_set(error, ERROR_RETRY, "kafka: members of group %.100s: %s", group,
                  rd_kafka_err2str(code));
    for (int i = 0; read && i < list->group_cnt; i++)
        read = read_group(&list->groups[i], count, first, error);
    if (list != NULL) rd_kafka_group_list_destroy(list);
    return read;
}
