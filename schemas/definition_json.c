#include "schemas/definition_json.h"

#include <assert.h>

#include "lib/base/base64.h"
#include "lib/base/limits.h"
#include "lib/base/topic_name.h"
#include "lib/base/utf8.h"
#include "lib/model/traceparent.h"
#include "lib/time/duration.h"
#include "schemas/raw_json.h"
#include "schemas/run_terms_json.h"

enum { EXCERPT_BYTES = 64 };
#define CATCHUP_LIMIT_MAX INT64_C(1000000000)

static const char *const policy_names[] = {"latest", "none", "all", NULL};
static const char *const format_names[] = {"structured", "binary", NULL};

static const struct json_field catchup_rows[] = {
    {.name = "policy", .kind = JSON_WORD, .given = GIVEN_CATCHUP_POLICY, .words = policy_names,
     .offset = offsetof(struct catchup, policy)},
    {.name = "window", .kind = JSON_DURATION, .given = GIVEN_CATCHUP_WINDOW,
     .max = DURATION_MAX_MS, .offset = offsetof(struct catchup, window_ms)},
    {.name = "limit", .kind = JSON_INT, .given = GIVEN_CATCHUP_LIMIT, .min = 1,
     .max = CATCHUP_LIMIT_MAX, .offset = offsetof(struct catchup, limit)},
    {.name = "misfire_grace", .kind = JSON_DURATION, .given = GIVEN_MISFIRE_GRACE,
     .max = DURATION_MAX_MS, .offset = offsetof(struct catchup, grace_ms)},
};
static const struct json_table catchup_table = {
    "'catchup'", catchup_rows, sizeof catchup_rows / sizeof catchup_rows[0]};

bool definition_read_catchup(const struct json_node *node, void *target, void *context,
                             struct error *error)
{
    (void)context;
    struct definition *definition = target;
    /* The row gives all four, which is right for null only. */
    definition->given &= ~(uint32_t)(GIVEN_CATCHUP_POLICY | GIVEN_CATCHUP_WINDOW |
                                     GIVEN_CATCHUP_LIMIT | GIVEN_MISFIRE_GRACE);
    return json_read_object(node, &catchup_table, 0, &definition->catchup, NULL, &definition->given,
                            error);
}

bool definition_read_keep_finished(const struct json_node *node, void *target, void *context,
                                   struct error *error)
{
    (void)context;
    struct definition *definition = target;
    if (json_is_string(node->value) && strcmp(json_string_value(node->value), "forever") == 0) {
        definition->keep_finished_ms = KEEP_FINISHED_FOREVER_MS;
        return true;
    }
    static const struct json_field row = {
        .name = "keep_finished", .kind = JSON_DURATION, .max = DURATION_MAX_MS,
        .offset = offsetof(struct definition, keep_finished_ms)};
    return json_read_value(node, &row, definition, NULL, error);
}

static bool check_payload_size(const struct json_node *node, size_t bytes,
                               const struct definition_reader *reader, struct error *error)
{
    if (reader->limits == NULL || bytes <= reader->limits->payload_bytes_max) return true;
    return json_refuse(node, error, CODE_TOO_LARGE,
                       "the payload has %zu bytes, at most %zu are "
                       "allowed; send a reference to it instead",
                       bytes, reader->limits->payload_bytes_max);
}

bool definition_read_payload(const struct json_node *node, void *target, void *context,
                             struct error *error)
{
    struct definition *definition = target;
    const struct definition_reader *reader = context;
    if (definition->payload_binary)
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "a job has 'payload' or 'payload_base64', not both");
    if (!raw_json_read(node, reader->raw, reader->arena, &definition->payload, error)) return false;
    return check_payload_size(node, definition->payload.length, reader, error);
}

bool definition_read_payload_base64(const struct json_node *node, void *target, void *context,
                                    struct error *error)
{
    struct definition *definition = target;
    const struct definition_reader *reader = context;
    struct text encoded;
    if (definition->payload.length > 0)
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "a job has 'payload' or 'payload_base64', not both");
    if (!json_read_text(node, &encoded, error)) return false;
    char *bytes = arena_take_bytes(reader->arena, base64_decoded_bound(encoded.length));
    size_t length = 0;
    if (!base64_decode(encoded, bytes, &length))
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "is not base64 (RFC 4648 with padding, no line breaks)");
    definition->payload = (struct text){length == 0 ? NULL : bytes, length};
    definition->payload_binary = length > 0;
    return check_payload_size(node, length, reader, error);
}

bool definition_read_topic(const struct json_node *node, void *target, void *context,
                           struct error *error)
{
    struct definition *definition = target;
    const struct definition_reader *reader = context;
    if (!json_read_text(node, &definition->topic, error)) return false;
    char excerpt[EXCERPT_BYTES];
    if (!topic_name_is_valid(definition->topic))
        return json_refuse(node, error, CODE_TOPIC_NOT_ALLOWED, "'%s' cannot be the topic of fires",
                           utf8_excerpt(definition->topic, excerpt, sizeof excerpt));
    const struct command_limits *limits = reader->limits;
    if (limits == NULL) return true;
    if (limits->topic_allowed != NULL && limits->topic_allowed(limits->opaque, definition->topic))
        return true;
    return json_refuse(node, error, CODE_TOPIC_NOT_ALLOWED,
                       "topic '%s' is not on the allow-list fires.topics of the daemon",
                       utf8_excerpt(definition->topic, excerpt, sizeof excerpt));
}

bool definition_read_labels(const struct json_node *node, void *target, void *context,
                            struct error *error)
{
    struct definition *definition = target;
    const struct definition_reader *reader = context;
    return pairs_read(node, PAIRS_LABELS, reader->arena, &definition->labels, error);
}

bool definition_read_headers(const struct json_node *node, void *target, void *context,
                             struct error *error)
{
    struct definition *definition = target;
    const struct definition_reader *reader = context;
    return pairs_read(node, PAIRS_HEADERS, reader->arena, &definition->headers, error);
}

bool traceparent_read(const struct json_node *node, struct text *traceparent, struct error *error)
{
    struct text text;
    if (!json_read_text(node, &text, error)) return false;
    if (traceparent_is_valid(text)) {
        *traceparent = text;
        return true;
    }
    return json_refuse(node, error, CODE_BAD_VALUE,
                       "is not a trace context of W3C, 00-<32 digits>-<16>-<2>: hexadecimal, in "
                       "small letters, no id all zeros");
}

bool definition_read_traceparent(const struct json_node *node, void *target, void *context,
                                 struct error *error)
{
    (void)context;
    struct definition *definition = target;
    return traceparent_read(node, &definition->traceparent, error);
}

/* What a job of a command has to say, beside what its rows know. */
static bool check_job(const struct json_node *node, const struct definition *definition,
                      struct error *error)
{
    struct json_node schedule = {NULL, node, "schedule", 0};
    if ((definition->given & GIVEN_SCHEDULE) == 0)
        return json_refuse(&schedule, error, CODE_MISSING_FIELD, "'schedule' is required in a job");
    struct json_node retry = {NULL, node, "retry", 0};
    struct json_node attempts = {NULL, &retry, "attempts", 0};
    if (definition->retry_given != 0 && (definition->retry_given & GIVEN_RETRY_ATTEMPTS) == 0)
        return json_refuse(&attempts, error, CODE_MISSING_FIELD,
                           "'attempts' is required in the 'retry' of a job: how many tries there "
                           "may be, the first one included");
    return (definition->given & GIVEN_RUNS) == 0 ||
           run_terms_check_read(node, &definition->runs, error);
}

bool definition_read(const struct json_node *node, const struct json_table *table,
                     enum job_reader where, struct definition_reader *reader,
                     struct definition *definition, struct error *error)
{
    assert(where == JOB_IN_COMMAND || where == JOB_IN_SET);
    assert(reader->limits != NULL);
    if (!json_read_object(node, table, where, definition, reader, &definition->given, error))
        return false;
    struct json_node end = {json_object_get(node->value, "end"), node, "end", 0};
    if (definition->start_ms != START_NONE && definition->end_ms <= definition->start_ms)
        return json_refuse(&end, error, CODE_BAD_VALUE, "'end' must be later than 'start'");
    bool scheduled = (definition->given & GIVEN_SCHEDULE) != 0;
    if (scheduled && definition->schedule.kind == 0) {
        struct json_node schedule = {json_object_get(node->value, "schedule"), node, "schedule",
                                     0};
        return json_refuse(&schedule, error, CODE_MISSING_FIELD, "'schedule' may not be null");
    }
    if (where == JOB_IN_SET) return true;
    if (!check_job(node, definition, error)) return false;
    /* Saying the default is not a difference. */
    if (!definition->payload_binary &&
        text_equal(definition->content_type, text_of("application/json")))
        definition->content_type = (struct text){NULL, 0};
    return true;
}

static void write_catchup(struct text_writer *writer, const struct catchup *catchup)
{
    const struct catchup *usual = &definition_usual()->catchup;
    if (catchup->policy == usual->policy && catchup->window_ms == usual->window_ms &&
        catchup->limit == usual->limit && catchup->grace_ms == usual->grace_ms)
        return;
    text_writer_member(writer, "catchup");
    text_writer_char(writer, '{');
    if (catchup->policy != usual->policy) {
        text_writer_member(writer, "policy");
        text_writer_string(writer, text_of(policy_names[catchup->policy]));
    }
    if (catchup->window_ms != usual->window_ms) {
        text_writer_member(writer, "window");
        text_writer_duration(writer, catchup->window_ms);
    }
    if (catchup->limit != usual->limit) {
        text_writer_member(writer, "limit");
        text_writer_integer(writer, catchup->limit);
    }
    if (catchup->grace_ms != usual->grace_ms) {
        text_writer_member(writer, "misfire_grace");
        text_writer_duration(writer, catchup->grace_ms);
    }
    text_writer_char(writer, '}');
}

static void write_text(struct text_writer *writer, const char *name, struct text text)
{
    if (text.length == 0) return;
    text_writer_member(writer, name);
    text_writer_string(writer, text);
}

static void write_payload(struct text_writer *writer, const struct definition *definition)
{
    if (definition->payload.length == 0) return;
    text_writer_member(writer, definition->payload_binary ? "payload_base64" : "payload");
    if (definition->payload_binary) text_writer_base64(writer, definition->payload);
    else text_writer_raw(writer, definition->payload);
}

void definition_write(struct text_writer *writer, const struct definition *definition)
{
    assert(definition != NULL);
    text_writer_member(writer, "schedule");
    struct schedule_words words = definition_words(definition);
    schedule_write(writer, &definition->schedule, &words);
    if (definition->start_ms != START_NONE) {
        text_writer_member(writer, "start");
        text_writer_instant(writer, definition->start_ms);
    }
    if (definition->end_ms != END_NONE) {
        text_writer_member(writer, "end");
        text_writer_instant(writer, definition->end_ms);
    }
    if (definition->jitter_ms > 0) {
        text_writer_member(writer, "jitter");
        text_writer_duration(writer, definition->jitter_ms);
    }
    if (definition->max_fires > 0) {
        text_writer_member(writer, "max_fires");
        text_writer_integer(writer, definition->max_fires);
    }
    write_payload(writer, definition);
    write_text(writer, "content_type", definition->content_type);
    if (definition->headers.length > 0) {
        text_writer_member(writer, "headers");
        pairs_write(writer, definition->headers);
    }
    write_text(writer, "topic", definition->topic);
    write_text(writer, "key", definition->key);
    if (definition->format != FIRE_STRUCTURED)
        write_text(writer, "format", text_of(format_names[definition->format]));
    write_catchup(writer, &definition->catchup);
    run_terms_write(writer, &definition->runs);
    if (definition->keep_finished_ms == KEEP_FINISHED_FOREVER_MS) {
        write_text(writer, "keep_finished", text_of("forever"));
    } else if (definition->keep_finished_ms != KEEP_FINISHED_DEFAULT_MS) {
        text_writer_member(writer, "keep_finished");
        text_writer_duration(writer, definition->keep_finished_ms);
    }
    if (definition->labels.length > 0) {
        text_writer_member(writer, "labels");
        pairs_write(writer, definition->labels);
    }
    write_text(writer, "traceparent", definition->traceparent);
}
