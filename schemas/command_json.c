#include "schemas/command_json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/json_scan.h"
#include "lib/base/limits.h"
#include "lib/base/topic_name.h"
#include "lib/base/utf8.h"
#include "lib/model/traceparent.h"
#include "schemas/cloudevents.h"
#include "schemas/command_fields.h"

enum { EXCERPT_BYTES = 64, VERSION = 1 };

static void command_defaults(const struct source *source, struct arena *arena,
                             struct command *command)
{
    enum { DEFAULT_ID_BYTES = 40 };
    *command = (struct command){.expect = -1,
                                .expected_revision = -1,
                                .not_after_ms = INT64_MAX,
                                .until_ms = INT64_MAX,
                                .to_ms = INT64_MAX,
                                .rate = BACKFILL_RATE_DEFAULT};
    char *id = arena_take_bytes(arena, DEFAULT_ID_BYTES);
    int length = snprintf(id, DEFAULT_ID_BYTES, "%" PRId32 "/%" PRId64, source->origin_partition,
                          source->origin_offset);
    assert(length > 0 && length < DEFAULT_ID_BYTES);
    command->command_id = (struct text){id, (size_t)length};
}

/* A text that may be named in a result although the command is wrong; nothing else is. */
static bool peek_text(const struct json_node *node, const char *name, size_t bytes_max,
                      struct text *text)
{
    json_t *value = json_object_get(node->value, name);
    if (!json_is_string(value)) return false;
    struct text found = {json_string_value(value), json_string_length(value)};
    if (found.length == 0 || found.length > bytes_max) return false;
    for (size_t i = 0; i < found.length; i++)
        if ((unsigned char)found.bytes[i] < 0x20 || found.bytes[i] == 0x7F) return false;
    *text = found;
    return true;
}

/* What a result needs, read before anything is refused. */
static void peek(const struct json_node *node, const struct command_limits *limits,
                 struct command *command)
{
    struct text text;
    if (peek_text(node, "command_id", COMMAND_ID_BYTES_MAX, &command->command_id))
        command->command_id_given = true;
    (void)peek_text(node, "correlation_id", TEXT_FIELD_BYTES_MAX, &command->correlation_id);
    if (peek_text(node, "traceparent", TRACEPARENT_BYTES, &text) && traceparent_is_valid(text))
        command->traceparent = text;
    if (peek_text(node, "reply_to", TOPIC_BYTES_MAX, &text) && topic_name_is_valid(text) &&
        limits->reply_to_allowed != NULL && limits->reply_to_allowed(limits->opaque, text))
        command->reply_to = text;
    if (peek_text(node, "op", TEXT_FIELD_BYTES_MAX, &text)) command->op = command_op_find(text);
    command->dry_run = json_is_true(json_object_get(node->value, "dry_run")); /* not remembered */
}

/* "add, put ... and ping". */
static const char *list_ops(char *list, size_t bytes)
{
    const char *const *words = command_op_words();
    size_t length = 0;
    for (size_t i = 0; words[i] != NULL && length < bytes; i++) {
        const char *before = i == 0 ? "" : words[i + 1] == NULL ? " and " : ", ";
        length += (size_t)snprintf(list + length, bytes - length, "%s%s", before, words[i]);
    }
    return list;
}

static bool refuse_op(const struct json_node *op, struct text name, struct error *error)
{
    char excerpt[EXCERPT_BYTES];
    char list[ERROR_MESSAGE_BYTES];
    (void)utf8_excerpt(name, excerpt, sizeof excerpt);
    const char *nearest = json_nearest(name, command_op_words());
    if (nearest != NULL)
        return json_refuse(op, error, CODE_UNKNOWN_OP, "op '%s' is not known; did you mean '%s'?",
                           excerpt, nearest);
    return json_refuse(op, error, CODE_UNKNOWN_OP, "op '%s' is not known; there are %s", excerpt,
                       list_ops(list, sizeof list));
}

/* Version and op decide how the rest is read, so they come first. */
static bool check_op(const struct json_node *node, const struct command *command,
                     struct error *error)
{
    struct json_node version = {json_object_get(node->value, "v"), node, "v", 0};
    if (version.value != NULL && !json_is_null(version.value)) {
        if (!json_is_integer(version.value))
            return json_refuse(&version, error, CODE_WRONG_TYPE, "must be an integer, not %s",
                               json_type_name(version.value));
        if (json_integer_value(version.value) > VERSION)
            return json_refuse(&version, error, CODE_UNSUPPORTED_VERSION,
                               "version %" JSON_INTEGER_FORMAT " of the contract is not known; "
                               "the newest is %d",
                               json_integer_value(version.value), VERSION);
        if (json_integer_value(version.value) < VERSION)
            return json_refuse(&version, error, CODE_BAD_VALUE, "versions begin with %d", VERSION);
    }
    struct json_node op = {json_object_get(node->value, "op"), node, "op", 0};
    if (op.value == NULL || json_is_null(op.value))
        return json_refuse(&op, error, CODE_MISSING_FIELD, "'op' is required%s",
                           json_object_get(node->value, "specversion") == NULL
                               ? ""
                               : "; a CloudEvent needs the header content-type: "
                                 "application/cloudevents+json");
    struct text name;
    if (!json_read_text(&op, &name, error)) return false;
    return command->op != OP_NONE || refuse_op(&op, name, error);
}

/* The command's own object; the envelope is checked when there is one. */
static bool open_value(enum event_mode mode, const struct json_node *root, struct json_node *node,
                       struct text *raw, struct text *event_id, struct error *error)
{
    *node = *root;
    if (mode == EVENT_STRUCTURED) {
        *raw = json_scan_member(*raw, "data");
        if (!cloudevents_open(root, node, event_id, error)) return false;
    }
    if (json_is_object(node->value)) return true;
    return json_refuse(node, error, CODE_WRONG_TYPE, "a command is an object, not %s",
                       json_type_name(node->value));
}

static bool use_event_id(const struct json_node *envelope, enum event_mode mode,
                         struct text event_id, struct command *command, struct error *error)
{
    if (event_id.length == 0) return true;
    bool right =
        event_id.length <= COMMAND_ID_BYTES_MAX && utf8_valid_length(event_id) == event_id.length;
    for (size_t i = 0; right && i < event_id.length; i++)
        right = (unsigned char)event_id.bytes[i] >= 0x20 && event_id.bytes[i] != 0x7F;
    if (right) {
        command->command_id = event_id;
        command->command_id_given = true;
        return true;
    }
    struct json_node id = {NULL, envelope, "id", 0};
    (void)error_invalid(error, CODE_BAD_VALUE,
                        "the event's id must have 1 to %d bytes of UTF-8 without control "
                        "characters",
                        COMMAND_ID_BYTES_MAX);
    return mode == EVENT_STRUCTURED ? json_refuse_at(&id, error) : false;
}

bool command_decode(struct text value, const struct record_header *headers, size_t header_count,
                    const struct source *source, const struct command_limits *limits,
                    struct arena *arena, struct command *command, struct error *error)
{
    assert(source != NULL && limits != NULL && arena != NULL);
    assert(command != NULL && error != NULL);
    command_defaults(source, arena, command);
    enum event_mode mode = EVENT_NONE;
    struct text event_id;
    struct json_node root = {NULL, NULL, NULL, 0};
    bool known = cloudevents_mode(headers, header_count, &mode, &event_id, error);
    if (!use_event_id(&root, mode, event_id, command, error)) known = false;
    if (!json_parse(value, limits->record_bytes_max, &root.value, error)) return false;
    arena_keep_json(arena, root.value);
    command->traceparent = cloudevents_traceparent(headers, header_count, mode, &root);
    struct json_node node;
    struct text raw = value;
    struct text inner_id = {NULL, 0};
    bool opened = open_value(mode, &root, &node, &raw, &inner_id, error);
    if (!use_event_id(&root, EVENT_STRUCTURED, inner_id, command, error)) known = false;
    if (node.value != NULL && json_is_object(node.value)) peek(&node, limits, command);
    if (!known || !opened || !check_op(&node, command, error)) return false;
    int suggestions = ZONE_SUGGESTIONS_MAX;
    struct zone_lookup zones = {0};
    if (limits->zones != NULL) zones = *limits->zones;
    zones.suggestions = &suggestions;
    struct command_reader reader = {{limits, arena, &zones, raw}, command, false};
    return command_fields_read(&node, &reader, error);
}
