#include "dispatcher/cli/dead_command.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "dispatcher/cli/json_text.h"

static bool find_member(struct text object, const char *name, struct text *value)
{
    assert(object.length >= 2);
    assert(name != NULL);
    struct json_walk walk = json_walk_open(object);
    struct text member;
    while (json_walk_member(&walk, &member, value))
        if (text_equal(member, text_of(name))) return true;
    return false;
}

static struct text trim(struct text text)
{
    assert(text.bytes != NULL || text.length == 0);
    while (text.length > 0 && strchr(" \t\r\n", text.bytes[0]) != NULL && text.bytes[0] != '\0') {
        text.bytes++;
        text.length--;
    }
    return text;
}

bool dead_command_write(struct text value, int32_t partition, int64_t offset, struct buffer *out,
                        struct error *error)
{
    assert(out != NULL);
    assert(offset >= 0);
    json_t *parsed = NULL;
    struct error refused = {0};
    struct text object = trim(value);
    struct text found;
    bool readable = object.length > 0 && json_text_one(object, "it", &parsed, &refused) &&
                    json_is_object(parsed);
    bool event = readable && json_object_get(parsed, "specversion") != NULL &&
                 json_is_object(json_object_get(parsed, "data"));
    if (event) (void)find_member(object, "data", &object);
    json_decref(parsed);
    if (!readable)
        return error_invalid(error, "invalid_json", "it is no JSON object; mend it and send it "
                             "with belfry COMMAND -f FILE");
    buffer_format(out, "{\"command_id\":\"requeue-%" PRId32 "-%" PRId64 "\"", partition, offset);
    bool correlated = find_member(object, "correlation_id", &found);
    struct json_walk walk = json_walk_open(object);
    struct text name;
    while (json_walk_member(&walk, &name, &found)) {
        bool id = text_equal(name, text_of("command_id"));
        if (id && (correlated || found.bytes[0] != '"')) continue;
        buffer_text(out, ",\"");
        if (id) buffer_text(out, "correlation_id");
        else buffer_append(out, name.bytes, name.length);
        buffer_text(out, "\":");
        buffer_append(out, found.bytes, found.length);
    }
    buffer_text(out, "}");
    return true;
}
