#include "cli/write/dead_command.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "lib/base/json_scan.h"
#include "lib/base/limits.h"

void dead_command_id(int32_t partition, int64_t offset, char id[DEAD_COMMAND_ID_BYTES])
{
    (void)snprintf(id, DEAD_COMMAND_ID_BYTES, "requeue-%" PRId32 "-%" PRId64, partition, offset);
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

/* What the sender called the command, where nothing else of it says so. */
static void write_event_id(const struct text *event_id, struct text_writer *out)
{
    if (event_id->length == 0 || event_id->length > COMMAND_ID_BYTES_MAX) return;
    json_t *string = json_stringn(event_id->bytes, event_id->length);
    char *text = string == NULL ? NULL : json_dumps(string, JSON_ENCODE_ANY | JSON_COMPACT);
    json_decref(string);
    if (text == NULL) return; /* no UTF-8 */
    text_writer_words(out, ",\"correlation_id\":");
    text_writer_words(out, text);
    free(text);
}

/* The command in a dead letter, and of a CloudEvent its id instead of the header's. */
struct dead_letter {
    struct text object;
    struct text event_id;
    char envelope_id[COMMAND_ID_BYTES_MAX + 1];
};

static bool read_dead_letter(struct text value, struct dead_letter *letter)
{
    json_t *parsed = NULL;
    struct error refused = {0};
    letter->object = trim(value);
    bool readable = letter->object.length > 0 &&
                    json_text_one(letter->object, "it", &parsed, &refused) &&
                    json_is_object(parsed);
    bool event = readable && json_object_get(parsed, "specversion") != NULL &&
                 json_is_object(json_object_get(parsed, "data"));
    const char *id_text = event ? json_string_value(json_object_get(parsed, "id")) : NULL;
    letter->envelope_id[0] = '\0';
    if (id_text != NULL && strlen(id_text) <= COMMAND_ID_BYTES_MAX)
        memcpy(letter->envelope_id, id_text, strlen(id_text) + 1);
    if (event) letter->event_id = text_of(letter->envelope_id);
    struct text data = json_scan_member(letter->object, "data");
    if (event && data.length > 0) letter->object = data;
    json_decref(parsed);
    return readable;
}

bool dead_command_write(struct text value, struct text event_id, int32_t partition,
                        int64_t offset, struct text_writer *out, struct error *error)
{
    assert(offset >= 0);
    struct dead_letter letter = {.event_id = event_id};
    if (!read_dead_letter(value, &letter))
        return error_invalid(error, CODE_INVALID_JSON, "it is no JSON object; mend it and send it "
                             "with belfry COMMAND -f FILE");
    struct text object = letter.object;
    char command_id[DEAD_COMMAND_ID_BYTES];
    dead_command_id(partition, offset, command_id);
    text_writer_format(out, "{\"command_id\":\"%s\"", command_id);
    bool correlated = json_scan_member(object, "correlation_id").length > 0;
    if (!correlated && json_scan_member(object, "command_id").length == 0)
        write_event_id(&letter.event_id, out);
    struct text name;
    struct text found;
    while (json_scan_pair(&object, &name, &found)) {
        bool id = text_equal(name, text_of("command_id"));
        if (id && (correlated || found.bytes[0] != '"')) continue;
        text_writer_words(out, ",\"");
        if (id) text_writer_words(out, "correlation_id");
        else text_writer_bytes(out, name.bytes, name.length);
        text_writer_words(out, "\":");
        text_writer_bytes(out, found.bytes, found.length);
    }
    text_writer_words(out, "}");
    return true;
}

void dead_run_write(const struct dead_run *run, const char *command_id, struct text_writer *out)
{
    assert(run->group.length > 0 && run->id.length > 0 && run->run.length > 0);
    text_writer_words(out, "{\"op\":\"requeue\"");
    text_writer_member(out, "command_id");
    text_writer_string(out, text_of(command_id));
    text_writer_words(out, ",\"select\":{\"groups\":[");
    text_writer_string(out, run->group);
    text_writer_words(out, "],\"ids\":[");
    text_writer_string(out, run->id);
    text_writer_words(out, "]}");
    text_writer_member(out, "run");
    text_writer_string(out, run->run);
    if (run->overlap != NULL) {
        text_writer_member(out, "overlap");
        text_writer_string(out, text_of(run->overlap));
    }
    said_by_write(out, &run->said_by);
    text_writer_char(out, '}');
}

bool requeue_overlap_read(const struct arguments *arguments, const char **overlap,
                          struct error *error)
{
    *overlap = arguments_value(arguments, "overlap");
    return *overlap == NULL || strcmp(*overlap, "allow") == 0 ||
           error_invalid(error, CODE_USAGE, "--overlap \"%.40s\": allow, or leave it out",
                         *overlap);
}
