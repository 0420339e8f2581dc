#include "cli/read/job_history.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/kafka/topic_scan.h"
#include "cli/show/json_text.h"
#include "cli/show/tail_line.h"

/* What is looked for in one topic. */
struct search {
    const char *group;
    size_t group_bytes;
    const char *id;
    json_t *found;
    size_t most;
};

static bool is_job(const struct search *search, const char *group, const char *id)
{
    return group != NULL && id != NULL && strlen(group) == search->group_bytes &&
           memcmp(group, search->group, search->group_bytes) == 0 && strcmp(id, search->id) == 0;
}

static void keep(struct search *search, json_t *item)
{
    assert(json_is_object(item));
    (void)json_array_append_new(search->found, item);
    if (search->most > 0 && json_array_size(search->found) > search->most)
        (void)json_array_remove(search->found, 0);
}

/* A fire in binary mode has its attributes in headers. */
static json_t *fire_of_headers(const rd_kafka_message_t *message)
{
    static const char *const names[] = {"id",       "time",       "dueat",       "jobgroup",
                                        "jobid",    "firekind",   "jobrevision", "latenessms",
                                        "missedcount"};
    json_t *fire = json_object();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char header[40];
        struct text value;
        (void)snprintf(header, sizeof header, "ce_%s", names[i]);
        if (!record_header(message, header, &value)) continue;
        json_int_t number = 0;
        int64_t parsed = 0;
        char text[24];
        bool digits = i >= 6 && value.length < sizeof text;
        if (digits) {
            memcpy(text, value.bytes, value.length);
            text[value.length] = '\0';
            digits = number_parse(text, 0, INT64_MAX, &parsed);
        }
        number = parsed;
        (void)json_object_set_new(fire, names[i], digits ? json_integer(number)
                                                         : json_stringn(value.bytes, value.length));
    }
    return fire;
}

static bool visit_fire(void *opaque, const rd_kafka_message_t *message)
{
    struct search *search = opaque;
    struct text binary;
    json_t *fire = NULL;
    if (record_header(message, "ce_id", &binary)) {
        fire = fire_of_headers(message);
    } else if (message->payload != NULL &&
               memmem(message->payload, message->len, search->id, strlen(search->id)) != NULL) {
        fire = json_loadb(message->payload, message->len, 0, NULL);
    }
    if (is_job(search, json_member_text(fire, "jobgroup"), json_member_text(fire, "jobid"))) {
        (void)json_object_del(fire, "data");
        (void)json_object_del(fire, "data_base64");
        keep(search, json_incref(fire));
    }
    json_decref(fire);
    return true;
}

static bool visit_event(void *opaque, const rd_kafka_message_t *message)
{
    struct search *search = opaque;
    if (message->payload == NULL) return true;
    json_t *event = json_loadb(message->payload, message->len, 0, NULL);
    if (is_job(search, json_member_text(event, "group"), json_member_text(event, "id")))
        keep(search, json_incref(event));
    json_decref(event);
    return true;
}

/* Notes the first failure. A topic that is not there is an answer, not a failure to get one. */
static void note(struct job_history *history, const struct error *error)
{
    if (history->unread[0] == '\0')
        (void)snprintf(history->unread, sizeof history->unread, "%.*s",
                       (int)strcspn(error->message, ";"), error->message);
    if (error->kind == ERROR_RETRY) history->whole = false;
}

void job_history_read(struct job_history *history, const struct settings *settings,
                      const char *name, const char *topic, int32_t shard, int64_t from_ms,
                      int64_t last, size_t most)
{
    assert(strchr(name, '/') != NULL);
    char own[TOPIC_NAME_BYTES];
    char events[TOPIC_NAME_BYTES];
    size_t group_bytes = strcspn(name, "/");
    struct search search = {name, group_bytes, name + group_bytes + 1, json_array(), most};
    struct scan scan = {topic == NULL ? shard : SCAN_ALL, from_ms, last};
    struct scan_report report = {0};
    struct error error = {0};
    *history = (struct job_history){.fires = search.found, .events = json_array(), .whole = true};
    topic_name(own, settings, "fires");
    topic_name(events, settings, "events");
    if (!topic_scan(settings, topic == NULL ? own : topic, &scan, visit_fire, &search, &report,
                    &error))
        note(history, &error);
    history->cut = report.cut;
    scan.partition = shard;
    search.found = history->events;
    error = (struct error){0};
    /* Kafka that was just away is not waited for again. */
    if (history->whole && !topic_scan(settings, events, &scan, visit_event, &search, &report,
                                      &error))
        note(history, &error);
    history->cut = history->cut || report.cut;
}

void job_history_free(struct job_history *history)
{
    json_decref(history->fires);
    json_decref(history->events);
    *history = (struct job_history){0};
}
