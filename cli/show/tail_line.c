#include "cli/show/tail_line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/show/print_text.h"
#include "lib/base/json_scan.h"
#include "lib/base/memory.h"
#include "lib/time/instant.h"

bool record_header(const rd_kafka_message_t *message, const char *name, struct text *value)
{
    rd_kafka_headers_t *headers = NULL;
    const void *bytes = NULL;
    size_t length = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &bytes, &length) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        bytes == NULL)
        return false;
    *value = (struct text){bytes, length};
    return true;
}

static void add_text(struct text_writer *line, struct text text)
{
    if (line->length > 0) text_writer_words(line, "  ");
    if (text.length == 0) text_writer_words(line, "-");
    text_escape(line, text.bytes, text.length);
}

/* A member of the value, or of a binary CloudEvent the header ce_<name>. */
static struct text attribute(const rd_kafka_message_t *message, const json_t *value,
                             const char *name, char *room, size_t room_bytes)
{
    const json_t *member = json_object_get(value, name);
    struct text text = {NULL, 0};
    char header[64];
    assert(room_bytes > 20);
    if (json_is_string(member))
        return (struct text){json_string_value(member), json_string_length(member)};
    if (json_is_integer(member)) {
        (void)snprintf(room, room_bytes, "%" JSON_INTEGER_FORMAT, json_integer_value(member));
        return text_of(room);
    }
    (void)snprintf(header, sizeof header, "ce_%s", name);
    (void)record_header(message, header, &text);
    return text;
}

static void add_attribute(struct text_writer *line, const rd_kafka_message_t *message,
                          const json_t *value, const char *name, const char *label)
{
    char room[32];
    struct text text = attribute(message, value, name, room, sizeof room);
    if (label[0] == '\0') {
        add_text(line, text);
    } else if (text.length > 0) {
        text_writer_format(line, "  %s ", label);
        text_escape(line, text.bytes, text.length);
    }
    assert(line->length > 0);
}

static void add_time(struct text_writer *line, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t at_ms = rd_kafka_message_timestamp(message, &type);
    char text[INSTANT_TEXT_BYTES] = "-";
    if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && instant_in_range(at_ms))
        instant_format(at_ms, text);
    add_text(line, text_of(text));
}

static bool is_structured(const json_t *value)
{
    assert(value == NULL || json_is_object(value));
    return json_object_get(value, "specversion") != NULL;
}

void tail_line_fire(struct text_writer *line, const rd_kafka_message_t *message,
                    const json_t *value)
{
    const json_t *of = is_structured(value) ? value : NULL;
    char room[32];
    add_attribute(line, message, of, "dueat", "");
    add_attribute(line, message, of, "subject", "");
    add_attribute(line, message, of, "firekind", "");
    struct text late = attribute(message, of, "latenessms", room, sizeof room);
    if (late.length > 0) {
        text_writer_words(line, "  late ");
        text_escape(line, late.bytes, late.length);
        text_writer_words(line, " ms");
    }
    struct text missed = attribute(message, of, "missedcount", room, sizeof room);
    if (missed.length > 0 && !text_equal(missed, text_of("0"))) {
        text_writer_words(line, "  missed ");
        text_escape(line, missed.bytes, missed.length);
    }
    if (of == NULL) {
        add_text(line, (struct text){message->payload, message->len});
        return;
    }
    struct text raw = {message->payload, message->len};
    struct text data = json_scan_member(raw, "data");
    if (data.length == 0) data = json_scan_member(raw, "data_base64");
    char *compact = memory_allocate(data.length + 1, 1);
    add_text(line, (struct text){compact, json_scan_compact(data, compact)});
    free(compact);
}

void tail_line_result(struct text_writer *line, const rd_kafka_message_t *message,
                      const json_t *value)
{
    add_time(line, message);
    if (value == NULL) {
        add_text(line, (struct text){message->payload, message->len});
        return;
    }
    add_attribute(line, message, value, "op", "");
    add_attribute(line, message, value, "outcome", "");
    add_attribute(line, message, value, "command_id", "");
    add_attribute(line, message, value, "shard", "shard");
    add_attribute(line, message, value, "matched", "matched");
    add_attribute(line, message, value, "changed", "changed");
    add_attribute(line, message, value, "code", "code");
    add_attribute(line, message, value, "field", "at");
    add_attribute(line, message, value, "message", "-");
}

void tail_line_event(struct text_writer *line, const rd_kafka_message_t *message,
                     const json_t *value)
{
    add_time(line, message);
    if (value == NULL) {
        add_text(line, (struct text){message->payload, message->len});
        return;
    }
    const char *kind = json_member_text(value, "event");
    if (kind == NULL) kind = json_member_text(value, "type");
    struct text_writer name = {0};
    add_text(line, text_of(kind));
    tail_name(&name, message, value);
    add_text(line, (struct text){name.bytes, name.length});
    text_writer_free(&name);
    const char *told[] = {"event", "type", "group", "id", "subject", "specversion"};
    json_t *rest = json_copy((json_t *)(uintptr_t)value);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) (void)json_object_del(rest, told[i]);
    char *dumped = json_dumps(rest, JSON_COMPACT);
    add_text(line, text_of(dumped));
    free(dumped);
    json_decref(rest);
}

void tail_name(struct text_writer *line, const rd_kafka_message_t *message, const json_t *value)
{
    const char *group = json_member_text(value, "group");
    const char *id = json_member_text(value, "id");
    bool event = json_object_get(value, "specversion") != NULL;
    char room[32];
    struct text subject = attribute(message, value, "subject", room, sizeof room);
    if (subject.length == 0) subject = text_of(json_member_text(value, "command_id"));
    if (!event && group != NULL) {
        text_escape(line, group, strlen(group));
        if (id != NULL) text_writer_words(line, "/");
        if (id != NULL) text_escape(line, id, strlen(id));
    } else if (subject.length > 0) {
        text_escape(line, subject.bytes, subject.length);
    } else {
        text_escape(line, message->key, message->key == NULL ? 0 : message->key_len);
    }
}

bool tail_is_of_group(const rd_kafka_message_t *message, const json_t *value, const char *group)
{
    char room[32];
    static const char *const names[] = {"jobgroup", "group"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct text text = attribute(message, value, names[i], room, sizeof room);
        if (text.length > 0) return text_equal(text, text_of(group));
    }
    const json_t *jobs = json_object_get(value, "jobs");
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const char *of = json_member_text(json_array_get(jobs, i), "group");
        if (of != NULL && strcmp(of, group) == 0) return true;
    }
    struct text key = {message->key, message->key == NULL ? 0 : message->key_len};
    return text_equal(key, text_of(group));
}

static json_t *bytes_to_json(const void *bytes, size_t length)
{
    assert(bytes != NULL || length == 0);
    if (bytes == NULL) return json_null();
    json_t *text = json_stringn(bytes, length);
    if (text != NULL) return text;
    struct text_writer escaped = {0};
    text_escape(&escaped, bytes, length);
    text = json_stringn(escaped.bytes, escaped.length);
    text_writer_free(&escaped);
    return text;
}

json_t *record_to_json(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name = NULL;
    const void *bytes = NULL;
    size_t length = 0;
    rd_kafka_timestamp_type_t type;
    char time[INSTANT_TEXT_BYTES] = "";
    int64_t at_ms = rd_kafka_message_timestamp(message, &type);
    if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && instant_in_range(at_ms))
        instant_format(at_ms, time);
    json_t *list = json_object();
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &bytes, &length) ==
                           RD_KAFKA_RESP_ERR_NO_ERROR; i++)
            (void)json_object_set_new(list, name, bytes_to_json(bytes, length));
    return json_pack("{s:s, s:i, s:I, s:s, s:o, s:o, s:o}", "topic",
                     rd_kafka_topic_name(message->rkt), "partition", (int)message->partition,
                     "offset", (json_int_t)message->offset, "timestamp", time, "key",
                     bytes_to_json(message->key, message->key_len), "headers", list, "value",
                     bytes_to_json(message->payload, message->len));
}
