#include "schemas/mark_json.h"

#include <assert.h>
#include <inttypes.h>

#include "schemas/hash_json.h"
#include "schemas/job_json.h"
#include "schemas/json_reader.h"

enum { READ_BYTES_MAX = 8 * 1024, RUNS_AGAIN_UNSAID = -1 };

/* Inputs that bring commands. */
static const char *const command_inputs[] = {
    [INPUT_CONTROL] = "control", [INPUT_FORWARD] = "forward", NULL};

/* The members of each input. */
static const struct input_members {
    const char *offset;
    const char *last; /* NULL: none */
} input_members[INPUT_COUNT] = {
    [INPUT_CONTROL] = {"control_offset", "control_last"},
    [INPUT_FORWARD] = {"forward_offset", "forward_last"},
    [INPUT_RUNS] = {"completions_offset", NULL}, /* as the topic was called */
};

/* A mark whose texts are still borrowed. */
struct mark_reading {
    struct mark mark;
    struct text owner;
    struct text tz_version;
    struct text code; /* of in_command */
};

#define FIELD(member) .offset = offsetof(struct mark_reading, mark.member), .required = true
static const struct json_field watermark_rows[] = {
    {.name = "instant", .kind = JSON_INSTANT, FIELD(watermark.instant_ms)},
    {.name = "ordinal", .kind = JSON_INT, .max = WATERMARK_WHOLE,
     .offset = offsetof(struct mark_reading, mark.watermark.ordinal)},
};
static const struct json_table watermark_table = {
    "'watermark'", watermark_rows, sizeof watermark_rows / sizeof watermark_rows[0]};

static const struct json_field in_command_rows[] = {
    {.name = "topic", .kind = JSON_WORD, .words = command_inputs, FIELD(in_command.input)},
    {.name = "offset", .kind = JSON_INT, .max = INT64_MAX, FIELD(in_command.offset)},
    {.name = "ordinal", .kind = JSON_INT, .min = INT64_MIN, .max = INT64_MAX,
     FIELD(in_command.ordinal)},
    {.name = "matched", .kind = JSON_INT, .max = INT64_MAX, FIELD(in_command.matched)},
    {.name = "changed", .kind = JSON_INT, .max = INT64_MAX, FIELD(in_command.changed)},
    {.name = "effective_at", .kind = JSON_INSTANT, FIELD(in_command.effective_ms)},
    {.name = "errors", .kind = JSON_INT, .max = INT64_MAX,
     .offset = offsetof(struct mark_reading, mark.in_command.errors)},
    {.name = "rejected", .kind = JSON_BOOL,
     .offset = offsetof(struct mark_reading, mark.in_command.rejected)},
    {.name = "code", .kind = JSON_TEXT, .max = ERROR_CODE_BYTES - 1,
     .offset = offsetof(struct mark_reading, code)},
};
static const struct json_table in_command_table = {
    "'in_command'", in_command_rows, sizeof in_command_rows / sizeof in_command_rows[0]};

static bool read_last_hash(const struct json_node *node, void *target, void *context,
                           struct error *error)
{
    (void)context;
    return hash_json_read(node, &((struct last_read *)target)->hash, error);
}

#define LAST(member) .offset = offsetof(struct last_read, member), .required = true
static const struct json_field last_read_rows[] = {
    {.name = "offset", .kind = JSON_INT, .max = INT64_MAX, LAST(offset)},
    {.name = "appended_at", .kind = JSON_INSTANT, LAST(log_time_ms)},
    {.name = "hash", .kind = JSON_CUSTOM, .required = true, .read = read_last_hash},
};
#undef LAST
static const struct json_table last_read_table = {
    "a last record read", last_read_rows, sizeof last_read_rows / sizeof last_read_rows[0]};

static bool read_last(const struct json_node *node, void *target, void *context,
                      struct error *error)
{
    (void)context;
    enum input input = 0;
    while (input_members[input].last == NULL || strcmp(input_members[input].last, node->name) != 0)
        input++; /* the row that reads it has its name from there */
    struct last_read *last = &((struct mark_reading *)target)->mark.inputs[input].last;
    last->known = true;
    return json_read_object(node, &last_read_table, 0, last, NULL, NULL, error);
}

static bool read_watermark(const struct json_node *node, void *target, void *context,
                           struct error *error)
{
    (void)context;
    return json_read_object(node, &watermark_table, 0, target, NULL, NULL, error);
}

static bool read_in_command(const struct json_node *node, void *target, void *context,
                            struct error *error)
{
    (void)context;
    ((struct mark_reading *)target)->mark.in_command.active = true;
    return json_read_object(node, &in_command_table, 0, target, NULL, NULL, error);
}

static const struct json_field mark_rows[] = {
    {.name = "layout", .kind = JSON_INT32, .min = 1, .max = STATE_LAYOUT, FIELD(layout)},
    {.name = "generation", .kind = JSON_INT, .max = INT64_MAX, FIELD(generation)},
    {.name = "epoch", .kind = JSON_INT, .max = INT64_MAX, FIELD(epoch)},
    {.name = "owner", .kind = JSON_TEXT, .required = true, .max = OWNER_BYTES_MAX,
     .offset = offsetof(struct mark_reading, owner)},
    {.name = "sequence", .kind = JSON_INT, .max = INT64_MAX, FIELD(sequence)},
    {.name = "watermark", .kind = JSON_CUSTOM, .required = true, .read = read_watermark},
    {.name = "next_ordinal", .kind = JSON_INT, .max = INT64_MAX, FIELD(next_ordinal)},
    {.name = "control_offset", .kind = JSON_INT, .max = INT64_MAX,
     FIELD(inputs[INPUT_CONTROL].offset)},
    {.name = "forward_offset", .kind = JSON_INT, .max = INT64_MAX,
     FIELD(inputs[INPUT_FORWARD].offset)},
    {.name = "completions_offset", .kind = JSON_INT, .max = INT64_MAX,
     FIELD(inputs[INPUT_RUNS].offset)},
    {.name = "runs_again_offset", .kind = JSON_INT, .max = INT64_MAX,
     .offset = offsetof(struct mark_reading, mark.runs_again)},
    {.name = "next_run", .kind = JSON_INT, .max = INT64_MAX,
     .offset = offsetof(struct mark_reading, mark.next_run)},
    {.name = "control_last", .kind = JSON_CUSTOM, .read = read_last},
    {.name = "forward_last", .kind = JSON_CUSTOM, .read = read_last},
    {.name = "jobs", .kind = JSON_INT, .max = INT64_MAX,
     .offset = offsetof(struct mark_reading, mark.jobs)},
    {.name = "runs", .kind = JSON_INT, .max = INT64_MAX,
     .offset = offsetof(struct mark_reading, mark.runs)},
    {.name = "in_command", .kind = JSON_CUSTOM, .read = read_in_command},
    {.name = "shards", .kind = JSON_INT32, .min = 1, .max = SHARDS_MAX, FIELD(shards)},
    {.name = "recovering", .kind = JSON_BOOL,
     .offset = offsetof(struct mark_reading, mark.recovering)},
    {.name = "tz_version", .kind = JSON_TEXT, .max = sizeof((struct mark *)0)->tz_version - 1,
     .offset = offsetof(struct mark_reading, tz_version)},
    {.name = "tz_changed_at", .kind = JSON_INSTANT,
     .offset = offsetof(struct mark_reading, mark.tz_changed_ms)},
};
static const struct json_table mark_table = {"a mark", mark_rows,
                                             sizeof mark_rows / sizeof mark_rows[0]};
#undef FIELD

static void copy_text(char *copy, size_t bytes, struct text text)
{
    assert(text.length < bytes);
    memset(copy, 0, bytes);
    if (text.length > 0) memcpy(copy, text.bytes, text.length);
}

/* Where runs is read again, if that is not where it was read to. */
static bool check_runs(const struct json_node *root, struct mark *mark, struct error *error)
{
    int64_t read_to = mark->inputs[INPUT_RUNS].offset;
    if (mark->runs_again == RUNS_AGAIN_UNSAID) mark->runs_again = read_to;
    if (mark->runs_again <= read_to) return true;
    return json_refuse(root, error, CODE_BAD_VALUE,
                       "'runs_again_offset' %" PRId64 " is behind 'completions_offset' %" PRId64,
                       mark->runs_again, read_to);
}

bool mark_decode(struct text value, struct mark *mark, struct error *error)
{
    assert(mark != NULL);
    json_t *root = NULL;
    if (!json_parse(value, READ_BYTES_MAX, &root, error)) return false;
    struct mark_reading reading = {
        .mark = {.watermark = {.ordinal = WATERMARK_WHOLE},
                 .jobs = MARK_JOBS_UNKNOWN,
                 .runs = MARK_RUNS_UNKNOWN,
                 .runs_again = RUNS_AGAIN_UNSAID}};
    struct json_node node = {root, NULL, NULL, 0};
    bool read = json_is_object(root)
                    ? layout_check(root, "the mark", error) &&
                          json_read_object(&node, &mark_table, 0, &reading, NULL, NULL, error) &&
                          check_runs(&node, &reading.mark, error)
                    : json_refuse(&node, error, CODE_WRONG_TYPE, "a mark is an object, not %s",
                                  json_type_name(root));
    if (read) {
        copy_text(reading.mark.owner, sizeof reading.mark.owner, reading.owner);
        reading.mark.in_command.code = error_code_find(reading.code);
        copy_text(reading.mark.tz_version, sizeof reading.mark.tz_version, reading.tz_version);
        *mark = reading.mark;
    }
    json_decref(root);
    return read;
}

static void write_integer(struct text_writer *writer, const char *name, int64_t value)
{
    text_writer_member(writer, name);
    text_writer_integer(writer, value);
}

static void write_in_command(struct text_writer *writer, const struct in_command *in_command)
{
    text_writer_member(writer, "in_command");
    text_writer_words(writer, "{\"topic\":");
    text_writer_string(writer, text_of(input_name(in_command->input)));
    write_integer(writer, "offset", in_command->offset);
    write_integer(writer, "ordinal", in_command->ordinal);
    write_integer(writer, "matched", in_command->matched);
    write_integer(writer, "changed", in_command->changed);
    text_writer_member(writer, "effective_at");
    text_writer_instant(writer, in_command->effective_ms);
    if (in_command->errors > 0) {
        write_integer(writer, "errors", in_command->errors);
        if (in_command->rejected) text_writer_words(writer, ",\"rejected\":true");
        text_writer_member(writer, "code");
        text_writer_string(writer, text_of(error_code_word(in_command->code)));
    }
    text_writer_char(writer, '}');
}

static void write_last(struct text_writer *writer, const char *name, const struct last_read *last)
{
    text_writer_member(writer, name);
    text_writer_words(writer, "{\"offset\":");
    text_writer_integer(writer, last->offset);
    text_writer_member(writer, "appended_at");
    text_writer_instant(writer, last->log_time_ms);
    text_writer_member(writer, "hash");
    hash_json_write(writer, last->hash);
    text_writer_char(writer, '}');
}

void mark_encode(struct text_writer *writer, const struct mark *mark)
{
    assert(writer != NULL && mark != NULL);
    assert(mark->shards >= 1 && mark->shards <= SHARDS_MAX);
    text_writer_char(writer, '{');
    write_integer(writer, "layout", STATE_LAYOUT);
    write_integer(writer, "generation", mark->generation);
    write_integer(writer, "epoch", mark->epoch);
    text_writer_member(writer, "owner");
    text_writer_string(writer, text_of(mark->owner));
    write_integer(writer, "sequence", mark->sequence);
    text_writer_member(writer, "watermark");
    text_writer_words(writer, "{\"instant\":");
    text_writer_instant(writer, mark->watermark.instant_ms);
    if (mark->watermark.ordinal != WATERMARK_WHOLE)
        write_integer(writer, "ordinal", mark->watermark.ordinal);
    text_writer_char(writer, '}');
    write_integer(writer, "next_ordinal", mark->next_ordinal);
    for (int i = 0; i < INPUT_COUNT; i++)
        write_integer(writer, input_members[i].offset, mark->inputs[i].offset);
    if (mark->runs_again != mark->inputs[INPUT_RUNS].offset)
        write_integer(writer, "runs_again_offset", mark->runs_again);
    if (mark->next_run != 0) write_integer(writer, "next_run", mark->next_run);
    for (int i = 0; i < INPUT_COUNT; i++)
        if (mark->inputs[i].last.known)
            write_last(writer, input_members[i].last, &mark->inputs[i].last);
    if (mark->jobs != MARK_JOBS_UNKNOWN) write_integer(writer, "jobs", mark->jobs);
    if (mark->next_run != 0 && mark->runs != MARK_RUNS_UNKNOWN) /* an older belfryd may read on */
        write_integer(writer, "runs", mark->runs);
    if (mark->in_command.active) write_in_command(writer, &mark->in_command);
    write_integer(writer, "shards", mark->shards);
    if (mark->recovering) text_writer_words(writer, ",\"recovering\":true");
    if (mark->tz_version[0] != '\0') {
        text_writer_member(writer, "tz_version");
        text_writer_string(writer, text_of(mark->tz_version));
    }
    if (mark->tz_changed_ms != 0) {
        text_writer_member(writer, "tz_changed_at");
        text_writer_instant(writer, mark->tz_changed_ms);
    }
    text_writer_char(writer, '}');
}
