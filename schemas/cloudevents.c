#include "schemas/cloudevents.h"

#include <assert.h>
#include <strings.h>

#include "lib/base/utf8.h"
#include "lib/model/traceparent.h"

enum { EXCERPT_BYTES = 64 };

static bool header_find(const struct record_header *headers, size_t count, const char *name,
                        struct text *value)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < count; i++) {
        if (headers[i].name.length != length) continue;
        if (strncasecmp(headers[i].name.bytes, name, length) != 0) continue;
        *value = headers[i].value;
        return true;
    }
    *value = (struct text){NULL, 0};
    return false;
}

/* The media type alone, without parameters. */
static struct text media_type(struct text content_type)
{
    size_t length = 0;
    while (length < content_type.length && content_type.bytes[length] != ';' &&
           content_type.bytes[length] != ' ')
        length++;
    return (struct text){content_type.bytes, length};
}

static bool same_word(struct text text, const char *word)
{
    return text.length == strlen(word) &&
           (text.length == 0 || strncasecmp(text.bytes, word, text.length) == 0);
}

bool content_type_is_json(struct text content_type)
{
    struct text type = media_type(content_type);
    if (same_word(type, "application/json") || same_word(type, "text/json")) return true;
    return type.length > 5 && strncasecmp(type.bytes + type.length - 5, "+json", 5) == 0;
}

static bool check_version(struct text version, struct error *error)
{
    char excerpt[EXCERPT_BYTES];
    if (text_equal(version, text_of("1.0"))) return true;
    return error_invalid(error, CODE_UNSUPPORTED_VERSION,
                         "CloudEvents version '%s'; only 1.0 is read",
                         utf8_excerpt(version, excerpt, sizeof excerpt));
}

static bool check_binary(const struct record_header *headers, size_t count, struct text type,
                         struct error *error)
{
    static const char *const attributes[] = {"ce_id", "ce_source", "ce_type"};
    struct text value;
    (void)header_find(headers, count, "ce_specversion", &value);
    if (!check_version(value, error)) return false;
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
        if (!header_find(headers, count, attributes[i], &value) || value.length == 0)
            return error_invalid(error, CODE_MISSING_FIELD,
                                 "header %s is required in a binary CloudEvent", attributes[i]);
    char excerpt[EXCERPT_BYTES];
    if (type.length > 0 && !content_type_is_json(type))
        return error_invalid(error, CODE_BAD_VALUE,
                             "header content-type is '%s'; a command is application/json",
                             utf8_excerpt(type, excerpt, sizeof excerpt));
    return true;
}

bool cloudevents_mode(const struct record_header *headers, size_t header_count,
                      enum event_mode *mode, struct text *event_id, struct error *error)
{
    assert(headers != NULL || header_count == 0);
    assert(mode != NULL && event_id != NULL);
    *mode = EVENT_NONE;
    *event_id = (struct text){NULL, 0};
    struct text type;
    struct text version;
    (void)header_find(headers, header_count, "content-type", &type);
    if (same_word(media_type(type), "application/cloudevents+json")) {
        *mode = EVENT_STRUCTURED;
        return true;
    }
    if (type.length >= 23 && strncasecmp(type.bytes, "application/cloudevents", 23) == 0)
        return error_invalid(error, CODE_NOT_SUPPORTED,
                             "this form of CloudEvents is not read; send one event a record as "
                             "application/cloudevents+json");
    if (!header_find(headers, header_count, "ce_specversion", &version)) return true;
    *mode = EVENT_BINARY;
    (void)header_find(headers, header_count, "ce_id", event_id);
    return check_binary(headers, header_count, type, error);
}

struct text cloudevents_traceparent(const struct record_header *headers, size_t header_count,
                                    enum event_mode mode, const struct json_node *root)
{
    struct text value = {NULL, 0};
    json_t *member = json_object_get(root->value, "traceparent");
    if (mode == EVENT_STRUCTURED && json_is_string(member))
        value = (struct text){json_string_value(member), json_string_length(member)};
    else if (mode == EVENT_BINARY)
        (void)header_find(headers, header_count, "ce_traceparent", &value);
    if (traceparent_is_valid(value)) return value;
    (void)header_find(headers, header_count, "traceparent", &value);
    return traceparent_is_valid(value) ? value : (struct text){NULL, 0};
}

static bool read_attribute(const struct json_node *envelope, const char *name, struct text *value,
                           struct error *error)
{
    struct json_node member = {json_object_get(envelope->value, name), envelope, name, 0};
    if (member.value == NULL)
        return json_refuse(&member, error, CODE_MISSING_FIELD, "'%s' is required in a CloudEvent",
                           name);
    if (!json_read_text(&member, value, error)) return false;
    if (value->length > 0) return true;
    return json_refuse(&member, error, CODE_BAD_VALUE, "'%s' may not be empty", name);
}

bool cloudevents_open(const struct json_node *envelope, struct json_node *data,
                      struct text *event_id, struct error *error)
{
    assert(envelope != NULL && data != NULL && event_id != NULL);
    if (!json_is_object(envelope->value))
        return json_refuse(envelope, error, CODE_WRONG_TYPE, "a CloudEvent is an object, not %s",
                           json_type_name(envelope->value));
    struct text ignored;
    struct text version;
    if (!read_attribute(envelope, "id", event_id, error)) return false;
    if (!read_attribute(envelope, "specversion", &version, error)) return false;
    struct json_node place = {NULL, envelope, "specversion", 0};
    if (!check_version(version, error)) return json_refuse_at(&place, error);
    if (!read_attribute(envelope, "source", &ignored, error)) return false;
    if (!read_attribute(envelope, "type", &ignored, error)) return false;
    json_t *type = json_object_get(envelope->value, "datacontenttype");
    place.name = "datacontenttype";
    if (type != NULL &&
        (!json_is_string(type) ||
         !content_type_is_json((struct text){json_string_value(type), json_string_length(type)})))
        return json_refuse(&place, error, CODE_BAD_VALUE, "a command is application/json");
    place.name = "data_base64";
    if (json_object_get(envelope->value, "data_base64") != NULL)
        return json_refuse(&place, error, CODE_NOT_SUPPORTED, "send the command as JSON in 'data'");
    *data = (struct json_node){json_object_get(envelope->value, "data"), envelope, "data", 0};
    if (data->value != NULL) return true;
    return json_refuse(data, error, CODE_MISSING_FIELD, "'data' holds the command and is required");
}
