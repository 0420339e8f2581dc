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
    bool dropped; /* of those found */
};

static bool is_job(const struct search *search, const char *group, const char *id)
{
    return group != NULL && id != NULL && strlen(group) == search->group_bytes &&
           memcmp(group, search->group, search->group_bytes) == 0 && strcmp(id, search->id) == 0;
}

/* Drops all but the newest `most`. */
static void keep_newest(struct search *search)
{
    json_t *newest = json_array();
    size_t size = json_array_size(search->found);
    size_t most = search->most;
    search->dropped = search->dropped || size > most;
    for (size_t i = size > most ? size - most : 0; i < size; i++)
        (void)json_array_append(newest, json_array_get(search->found, i));
    json_decref(search->found);
    search->found = newest;
}

static void keep(struct search *search, json_t *item)
{
    assert(json_is_object(item));
    (void)json_array_append_new(search->found, item);
    if (search->most > 0 && json_array_size(search->found) >= 2 * search->most)
        keep_newest(search);
}

/* A fire in binary mode has its attributes in headers. */
static json_t *fire_of_headers(const rd_kafka_message_t *message)
{
    static const struct {
        const char *name;
        bool number;
    } attributes[] = {{"id", false},         {"time", false},       {"dueat", false},
                      {"jobgroup", false},   {"jobid", false},      {"jobincarnation", false},
                      {"firekind", false},   {"runnumber", false},  {"expirytime", false},
                      {"workers", false},    {"jobrevision", true}, {"latenessms", true},
                      {"missedcount", true}, {"leasems", true},     {"try", true}};
    json_t *fire = json_object();
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        char header[40];
        char digits[24] = "";
        struct text value;
        int64_t number = 0;
        (void)snprintf(header, sizeof header, "ce_%s", attributes[i].name);
        if (!record_header(message, header, &value)) continue;
        if (value.length < sizeof digits) memcpy(digits, value.bytes, value.length);
        bool is_number = attributes[i].number && number_parse(digits, 0, INT64_MAX, &number);
        (void)json_object_set_new(fire, attributes[i].name,
                                  is_number ? json_integer(number)
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

/* A topic that is not there is an answer, not a failure to get one. */
void job_history_note(struct job_history *history, const struct error *error)
{
    if (history->unread[0] == '\0')
        (void)snprintf(history->unread, sizeof history->unread, "%.*s",
                       (int)strcspn(error->message, ";"), error->message);
    if (error->kind == ERROR_RETRY) history->whole = false;
}

void job_history_scan(struct job_history *history, const struct settings *settings,
                      const char *topic, const struct scan *scan, scan_visitor *visitor,
                      void *opaque)
{
    struct scan_report report = {0};
    struct error error = {0};
    if (!topic_scan(settings, topic, scan, visitor, opaque, &report, &error))
        job_history_note(history, &error);
    else if (report.back_to_ms > history->back_to_ms)
        history->back_to_ms = report.back_to_ms;
    history->cut = history->cut || report.cut;
}

/* Looks through one topic for what *found is to hold. */
static void scan_one(struct job_history *history, const struct settings *settings,
                     const char *topic, const struct scan *scan, scan_visitor *visitor,
                     struct search *search, json_t **found)
{
    search->found = json_array();
    job_history_scan(history, settings, topic, scan, visitor, search);
    if (search->most > 0) keep_newest(search);
    *found = search->found;
}

void job_history_read(struct job_history *history, const struct settings *settings,
                      const char *name, const char *topic, int32_t shard, int64_t from_ms,
                      int64_t last, size_t most)
{
    assert(strchr(name, '/') != NULL);
    char own[TOPIC_NAME_BYTES];
    char events[TOPIC_NAME_BYTES];
    size_t group_bytes = strcspn(name, "/");
    struct search search = {name, group_bytes, name + group_bytes + 1, NULL, most, false};
    struct scan scan = {topic == NULL ? shard : SCAN_ALL, from_ms, last};
    *history = (struct job_history){.whole = true, .back_to_ms = INT64_MIN};
    topic_name(own, settings, "fires");
    topic_name(events, settings, "events");
    scan_one(history, settings, topic == NULL ? own : topic, &scan, visit_fire, &search,
             &history->fires);
    history->more_fires = search.dropped;
    scan.partition = shard;
    /* Kafka that was just away is not waited for again. */
    if (history->whole)
        scan_one(history, settings, events, &scan, visit_event, &search, &history->events);
    else
        history->events = json_array();
}

void job_history_free(struct job_history *history)
{
    json_decref(history->fires);
    json_decref(history->events);
    *history = (struct job_history){0};
}
