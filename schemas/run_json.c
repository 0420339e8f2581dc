#include "schemas/run_json.h"

#include <assert.h>
#include <inttypes.h>

#include "lib/base/topic_name.h"
#include "schemas/incarnation_json.h"
#include "schemas/job_json.h"
#include "schemas/json_reader.h"
#include "schemas/json_writer.h"

enum { READ_BYTES_MAX = 64 * 1024, LAYOUT_FIRST = 2, EXIT_CODE_MAX = 255, SIGNAL_MAX = 127 };

#define RUNNUMBER_MAX (INT64_MAX / 2) /* the next ones are counted on from it */

#define WORD(name, word) word,
#define OUTCOME_WORD(name, word, sayer) word,
static const char *const state_words[] = {RUN_STATES(WORD) NULL};
static const char *const mode_words[] = {LEASE_MODES(WORD) NULL};
static const char *const kind_words[] = {FIRE_KINDS(WORD) NULL};
static const char *const outcome_words[] = {RUN_OUTCOMES(OUTCOME_WORD) NULL};
#undef OUTCOME_WORD
#undef WORD

/* A record while it is read. */
struct run_reading {
    struct run_record record; /* first: the table aims at it */
    int32_t layout;
    bool claimed;
};

/* ---- tries that have ended ---- */

/* Not 0 is their default, but -1. */
static void write_exit_code(struct text_writer *writer, const struct json_field *field,
                            const void *source)
{
    const struct run_try *tried = source;
    if (tried->exit_code < 0) return;
    text_writer_member(writer, field->name);
    text_writer_integer(writer, tried->exit_code);
}

static bool read_outcome(const struct json_node *node, void *target, void *context,
                         struct error *error)
{
    static const struct json_field row = {.name = "outcome", .kind = JSON_WORD,
                                          .words = outcome_words,
                                          .offset = offsetof(struct run_try, outcome)};
    *(bool *)context = true;
    return json_read_value(node, &row, target, NULL, error);
}

static void write_outcome(struct text_writer *writer, const struct json_field *field,
                          const void *source)
{
    const struct run_try *tried = source;
    if (tried->released) return;
    text_writer_member(writer, field->name);
    text_writer_string(writer, text_of(outcome_words[tried->outcome]));
}

/* Of a program that failed: it may have several lines. */
static bool read_message(const struct json_node *node, void *target, void *context,
                         struct error *error)
{
    (void)context;
    struct text *message = &((struct run_try *)target)->message;
    if (!json_read_text(node, message, error)) return false;
    return message->length <= RUN_TRY_TEXT_BYTES_MAX ||
           json_refuse(node, error, CODE_BAD_VALUE, "has %zu bytes, at most %d are allowed",
                       message->length, RUN_TRY_TEXT_BYTES_MAX);
}

static void write_message(struct text_writer *writer, const struct json_field *field,
                          const void *source)
{
    const struct run_try *tried = source;
    if (tried->message.length == 0) return;
    text_writer_member(writer, field->name);
    text_writer_string(writer, tried->message);
}

#define FIELD(member) .offset = offsetof(struct run_try, member), .write = json_write_value
static const struct json_field try_rows[] = {
    {.name = "runnumber", .kind = JSON_INT, .required = true, .min = 1, .max = INT64_MAX,
     FIELD(runnumber)},
    {.name = "try", .kind = JSON_INT32, .max = INT32_MAX, FIELD(number)},
    {.name = "released", .kind = JSON_BOOL, FIELD(released)},
    {.name = "outcome", .kind = JSON_CUSTOM, .read = read_outcome, .write = write_outcome},
    {.name = "ended_at", .kind = JSON_INSTANT, .required = true, FIELD(ended_ms)},
    {.name = "exit_code", .kind = JSON_INT32, .max = EXIT_CODE_MAX,
     .offset = offsetof(struct run_try, exit_code), .write = write_exit_code},
    {.name = "signal", .kind = JSON_INT32, .max = SIGNAL_MAX, FIELD(signal)},
    {.name = "worker", .kind = JSON_TEXT, .max = WORKER_BYTES_MAX, FIELD(worker)},
    {.name = "error_code", .kind = JSON_TEXT, .max = RUN_ERROR_CODE_BYTES_MAX, FIELD(error_code)},
    {.name = "message", .kind = JSON_CUSTOM, .read = read_message, .write = write_message},
};
#undef FIELD
static const struct json_table try_table = {"a try", try_rows,
                                            sizeof try_rows / sizeof try_rows[0]};

static bool read_tries(const struct json_node *node, void *target, void *context,
                       struct error *error)
{
    (void)context;
    struct run_record *record = target;
    if (!json_check_array(node, RUN_TRIES_KEPT, error)) return false;
    size_t count = json_array_size(node->value);
    for (size_t i = 0; i < count; i++) {
        struct json_node item = {json_array_get(node->value, i), node, NULL, i};
        struct run_try *tried = &record->tries[i];
        bool has_outcome = false;
        *tried = (struct run_try){.exit_code = -1};
        if (!json_read_object(&item, &try_table, 0, tried, &has_outcome, NULL, error)) return false;
        if (has_outcome == tried->released)
            return json_refuse(&item, error, CODE_BAD_VALUE,
                               "a try has an 'outcome', or it was 'released'");
    }
    record->try_count = count;
    return true;
}

/* ---- the claim ---- */

static bool read_topic(const struct json_node *node, void *target, void *context,
                       struct error *error)
{
    (void)context;
    struct run_reading *reading = target;
    struct text *topic = &reading->record.claim.topic;
    if (!json_read_text(node, topic, error)) return false;
    return topic_name_is_valid(*topic) ||
           json_refuse(node, error, CODE_BAD_VALUE, "is not the name of a topic");
}

static void write_topic(struct text_writer *writer, const struct json_field *field,
                        const void *source)
{
    const struct run_record *record = source;
    text_writer_member(writer, field->name);
    text_writer_string(writer, record->claim.topic);
}

#define FIELD(member)                                                                              \
    .required = true, .offset = offsetof(struct run_record, claim.member), .write = json_write_value
static const struct json_field place_rows[] = {
    {.name = "topic", .kind = JSON_CUSTOM, .required = true, .read = read_topic,
     .write = write_topic},
    {.name = "partition", .kind = JSON_INT32, .max = INT32_MAX, FIELD(partition)},
    {.name = "offset", .kind = JSON_INT, .max = INT64_MAX, FIELD(offset)},
};
#undef FIELD
static const struct json_table place_table = {"'place'", place_rows,
                                              sizeof place_rows / sizeof place_rows[0]};

static bool read_place(const struct json_node *node, void *target, void *context,
                       struct error *error)
{
    (void)context;
    return json_read_object(node, &place_table, 0, target, NULL, NULL, error);
}

/* Of a worker whose `started` has not been read nobody knows it. */
static void write_place(struct text_writer *writer, const struct json_field *field,
                        const void *source)
{
    const struct run_record *record = source;
    if (record->claim.topic.length == 0) return;
    text_writer_member(writer, field->name);
    text_writer_char(writer, '{');
    json_write_members(writer, &place_table, record);
    text_writer_char(writer, '}');
}

#define FIELD(member) .offset = offsetof(struct run_record, claim.member), .write = json_write_value
static const struct json_field claim_rows[] = {
    {.name = "token", .kind = JSON_TEXT, .max = RUN_TOKEN_BYTES_MAX, FIELD(token)},
    {.name = "worker", .kind = JSON_TEXT, .max = WORKER_BYTES_MAX, FIELD(worker)},
    {.name = "place", .kind = JSON_CUSTOM, .read = read_place, .write = write_place},
    {.name = "started_at", .kind = JSON_INSTANT, .required = true, FIELD(started_ms)},
    {.name = "sign_at", .kind = JSON_INSTANT, .required = true, FIELD(sign_ms)},
};
#undef FIELD
static const struct json_table claim_table = {"'claim'", claim_rows,
                                              sizeof claim_rows / sizeof claim_rows[0]};

static bool read_claim(const struct json_node *node, void *target, void *context,
                       struct error *error)
{
    (void)context;
    ((struct run_reading *)target)->claimed = true;
    return json_read_object(node, &claim_table, 0, target, NULL, NULL, error);
}

static void write_claim(struct text_writer *writer, const struct json_field *field,
                        const void *source)
{
    const struct run_record *record = source;
    if (record->state != RUN_STATE_CLAIMED) return;
    text_writer_member(writer, field->name);
    text_writer_char(writer, '{');
    json_write_members(writer, &claim_table, record);
    text_writer_char(writer, '}');
}

/* ---- the run ---- */

static bool read_incarnation(const struct json_node *node, void *target, void *context,
                             struct error *error)
{
    (void)context;
    return incarnation_json_read(node, &((struct run_record *)target)->incarnation, error);
}

static void write_incarnation(struct text_writer *writer, const struct json_field *field,
                              const void *source)
{
    incarnation_json_write(writer, field->name, &((const struct run_record *)source)->incarnation);
}

static bool read_import(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    (void)context;
    return incarnation_json_read(node, &((struct run_record *)target)->import, error);
}

static void write_import(struct text_writer *writer, const struct json_field *field,
                         const void *source)
{
    const struct run_record *record = source;
    if (record->import.effective_ms != INCARNATION_NONE_MS)
        incarnation_json_write(writer, field->name, &record->import);
}

#define FIELD(member) .offset = offsetof(struct run_record, member), .write = json_write_value
static const struct json_field run_rows[] = {
    {.name = "layout", .kind = JSON_INT32, .required = true, .min = LAYOUT_FIRST,
     .max = STATE_LAYOUT, .offset = offsetof(struct run_reading, layout)},
    {.name = "state", .kind = JSON_WORD, .required = true, .words = state_words, FIELD(state)},
    {.name = "group", .kind = JSON_NAME, .required = true, FIELD(group)},
    {.name = "id", .kind = JSON_ID, .required = true, FIELD(id)},
    {.name = "incarnation", .kind = JSON_CUSTOM, .required = true, .read = read_incarnation,
     .write = write_incarnation},
    {.name = "ordinal", .kind = JSON_INT, .required = true, .max = INT64_MAX - 1, FIELD(ordinal)},
    {.name = "kind", .kind = JSON_WORD, .required = true, .words = kind_words, FIELD(kind)},
    {.name = "nominal", .kind = JSON_INSTANT, .required = true, FIELD(nominal_ms)},
    {.name = "due", .kind = JSON_INSTANT, .required = true, FIELD(due_ms)},
    {.name = "trigger_id", .kind = JSON_TEXT, .max = COMMAND_ID_BYTES_MAX, FIELD(trigger_id)},
    {.name = "import", .kind = JSON_CUSTOM, .read = read_import, .write = write_import},
    {.name = "opened_at", .kind = JSON_INSTANT, .required = true, FIELD(opened_ms)},
    {.name = "first_runnumber", .kind = JSON_INT, .required = true, .min = 1,
     .max = RUNNUMBER_MAX, FIELD(first_runnumber)},
    {.name = "runnumber", .kind = JSON_INT, .required = true, .min = 1, .max = RUNNUMBER_MAX,
     FIELD(runnumber)},
    {.name = "try", .kind = JSON_INT32, .required = true, .min = 1, .max = INT32_MAX,
     FIELD(number)},
    {.name = "counted", .kind = JSON_INT32, .required = true, .max = RETRY_ATTEMPTS_MAX,
     FIELD(counted)},
    {.name = "lost_in_a_row", .kind = JSON_INT32, .max = INT32_MAX, FIELD(lost_in_a_row)},
    {.name = "released", .kind = JSON_INT32, .max = RUN_RELEASED_MAX, FIELD(released)},
    {.name = "fired_at", .kind = JSON_INSTANT, .required = true, FIELD(fired_ms)},
    {.name = "retry_at", .kind = JSON_INSTANT, FIELD(retry_at_ms)},
    {.name = "expires_at", .kind = JSON_INSTANT, FIELD(expiry_ms)},
    {.name = "lease", .kind = JSON_DURATION, .required = true, .min = 1, .max = LEASE_MAX_MS,
     FIELD(lease_ms)},
    {.name = "lease_mode", .kind = JSON_WORD, .words = mode_words, FIELD(mode)},
    {.name = "workers", .kind = JSON_TEXT, .required = true, .min = 1, .max = WORKERS_BYTES_MAX,
     FIELD(workers)},
    {.name = "cancel_asked", .kind = JSON_BOOL, FIELD(cancel_asked)},
    {.name = "claim", .kind = JSON_CUSTOM, .read = read_claim, .write = write_claim},
    {.name = "cursor", .kind = JSON_TEXT, .max = RUN_CURSOR_BYTES_MAX, FIELD(cursor)},
    {.name = "tries", .kind = JSON_CUSTOM, .read = read_tries},
};
#undef FIELD
static const struct json_table run_table = {"a run", run_rows,
                                            sizeof run_rows / sizeof run_rows[0]};

struct free_reading {
    int32_t layout;
    bool free;
};
static const struct json_field free_rows[] = {
    {.name = "layout", .kind = JSON_INT32, .required = true, .min = LAYOUT_FIRST,
     .max = STATE_LAYOUT, .offset = offsetof(struct free_reading, layout)},
    {.name = "free", .kind = JSON_BOOL, .required = true,
     .offset = offsetof(struct free_reading, free)},
};
static const struct json_table free_table = {"the record of a free place", free_rows,
                                             sizeof free_rows / sizeof free_rows[0]};

static bool read_free(const struct json_node *node, struct error *error)
{
    struct free_reading reading = {0};
    if (!json_read_object(node, &free_table, 0, &reading, NULL, NULL, error)) return false;
    struct json_node place = {NULL, node, "free", 0};
    return reading.free ||
           json_refuse(&place, error, CODE_BAD_VALUE, "a place that is taken says by what");
}

/* What the state says and what there is of it must fit, or somebody else wrote it. */
static bool check_state(const struct json_node *node, const struct run_reading *reading,
                        struct error *error)
{
    const struct run_record *record = &reading->record;
    const char *state = state_words[record->state];
    bool waits = record->state == RUN_STATE_WAITING;
    if (reading->claimed != (record->state == RUN_STATE_CLAIMED))
        return json_refuse(node, error, CODE_BAD_VALUE, "'state' is '%s' and there is %s 'claim'",
                           state, reading->claimed ? "a" : "no");
    if (waits != (record->retry_at_ms != INSTANT_NONE))
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "'state' is '%s' and there is %s 'retry_at'", state, waits ? "no" : "a");
    if (record->runnumber < record->first_runnumber)
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "'runnumber' is lower than 'first_runnumber'");
    return true;
}

/* Each try that was fired counts, or was handed back; what ends one needs a try that counts, and
 * what goes on from one needs to know how the last one ended. */
static bool check_tries(const struct json_node *node, const struct run_record *record,
                        struct error *error)
{
    bool waits = record->state == RUN_STATE_WAITING;
    if (record->number > record->counted + record->released)
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "'try' is more than 'counted' and 'released' together");
    if (waits ? record->counted == RETRY_ATTEMPTS_MAX : record->counted == 0)
        return json_refuse(node, error, CODE_BAD_VALUE, "'counted' is %d and 'state' is '%s'",
                           (int)record->counted, state_words[record->state]);
    if (record->try_count == 0 && (waits || record->number > 1))
        return json_refuse(node, error, CODE_BAD_VALUE, "the last try is not among 'tries'");
    int64_t least = record->first_runnumber;
    int64_t most = waits ? record->runnumber : record->runnumber - 1;
    for (size_t i = 0; i < record->try_count; i++) {
        int64_t runnumber = record->tries[i].runnumber;
        if (runnumber < least || runnumber > most)
            return json_refuse(node, error, CODE_BAD_VALUE,
                               "'runnumber' of a try is %" PRId64 ", allowed are %" PRId64
                               " to %" PRId64 " there",
                               runnumber, least, most);
        least = runnumber + 1;
    }
    return true;
}

bool run_record_decode(struct text value, struct arena *arena, struct run_record *record,
                       bool *open, struct error *error)
{
    assert(arena != NULL && record != NULL && open != NULL);
    struct json_node node = {NULL, NULL, NULL, 0};
    if (!json_parse(value, READ_BYTES_MAX, &node.value, error)) return false;
    arena_keep_json(arena, node.value);
    if (!json_is_object(node.value))
        return json_refuse(&node, error, CODE_WRONG_TYPE, "a record of a run is an object, not %s",
                           json_type_name(node.value));
    if (!layout_check(node.value, "a record of a run", error)) return false;
    *open = json_object_get(node.value, "free") == NULL;
    if (!*open) return read_free(&node, error);
    struct run_reading reading = {0};
    run_record_defaults(&reading.record);
    if (!json_read_object(&node, &run_table, 0, &reading, NULL, NULL, error) ||
        !check_state(&node, &reading, error) || !check_tries(&node, &reading.record, error))
        return false;
    *record = reading.record;
    return true;
}

/* The tries from `wordy` on with their texts, the others without. */
static void write_tries(struct text_writer *writer, const struct run_record *record, size_t wordy)
{
    struct run_try tries[RUN_TRIES_KEPT];
    assert(record->try_count <= RUN_TRIES_KEPT);
    for (size_t i = 0; i < record->try_count; i++) {
        tries[i] = record->tries[i];
        if (i >= wordy) continue;
        tries[i].worker = tries[i].error_code = tries[i].message = (struct text){NULL, 0};
    }
    json_write_list(writer, "tries", &try_table, tries, record->try_count, sizeof tries[0]);
}

void run_record_encode(struct text_writer *writer, const struct run_record *record)
{
    assert(writer != NULL && record != NULL);
    size_t start = writer->length;
    text_writer_words(writer, "{\"layout\":2");
    static_assert(STATE_LAYOUT == 2, "the line above says 2");
    json_write_members(writer, &run_table, record);
    size_t before = writer->length;
    for (size_t wordy = 0; wordy <= record->try_count; wordy++) {
        writer->length = before;
        write_tries(writer, record, wordy);
        if (writer->length - start < RUN_RECORD_BYTES_MAX) break;
    }
    text_writer_char(writer, '}');
    assert(writer->length - start <= RUN_RECORD_BYTES_MAX);
}

void run_record_encode_free(struct text_writer *writer)
{
    assert(writer != NULL);
    text_writer_words(writer, "{\"layout\":2,\"free\":true}");
    static_assert(STATE_LAYOUT == 2, "the line above says 2");
}
