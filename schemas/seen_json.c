#include "schemas/seen_json.h"

#include <assert.h>

#include "schemas/hash_json.h"
#include "schemas/job_json.h"
#include "schemas/json_reader.h"

/* A transaction holds at most BATCH_OUTPUTS_MAX records, so no more results and ids. */
enum { SEEN_RECORD_MAX = BATCH_OUTPUTS_MAX, SEEN_RECORD_BYTES_MAX = 2 * 1024 * 1024 };

#define WORD(name, word) word,
static const char *const outcome_names[] = {OUTCOMES(WORD) NULL};
#undef WORD

struct seen_reading {
    struct seen seen;
    int outcome;
    struct text code;
};

static bool read_hash(const struct json_node *node, void *target, void *context,
                      struct error *error)
{
    (void)context;
    return hash_json_read(node, &((struct seen_reading *)target)->seen.hash, error);
}

#define FIELD(member) .offset = offsetof(struct seen_reading, member)
static const struct json_field seen_rows[] = {
    {.name = "hash", .kind = JSON_CUSTOM, .required = true, .read = read_hash},
    {.name = "at", .kind = JSON_INSTANT, .required = true, FIELD(seen.at_ms)},
    {.name = "outcome", .kind = JSON_WORD, .required = true, .words = outcome_names,
     FIELD(outcome)},
    {.name = "code", .kind = JSON_TEXT, .max = ERROR_CODE_BYTES - 1, FIELD(code)},
};
#undef FIELD
static const struct json_table seen_table = {"a remembered command", seen_rows,
                                             sizeof seen_rows / sizeof seen_rows[0]};

struct seen_list {
    int32_t layout;
    struct seen *items;
    size_t count;
};

static bool read_commands(const struct json_node *node, void *target, void *context,
                          struct error *error)
{
    struct seen_list *list = target;
    if (!json_check_array(node, SEEN_RECORD_MAX, error)) return false;
    list->count = json_array_size(node->value);
    list->items = arena_take(context, list->count, sizeof *list->items);
    for (size_t i = 0; i < list->count; i++) {
        struct json_node item = {json_array_get(node->value, i), node, NULL, i};
        struct seen_reading reading = {0};
        if (!json_read_object(&item, &seen_table, 0, &reading, NULL, NULL, error)) return false;
        reading.seen.outcome = (uint8_t)reading.outcome;
        reading.seen.code = error_code_find(reading.code);
        list->items[i] = reading.seen;
    }
    return true;
}

static const struct json_field list_rows[] = {
    {.name = "layout", .kind = JSON_INT32, .required = true, .min = 1, .max = STATE_LAYOUT,
     .offset = offsetof(struct seen_list, layout)},
    {.name = "commands", .kind = JSON_CUSTOM, .required = true, .read = read_commands},
};
static const struct json_table list_table = {"a record of remembered commands", list_rows,
                                             sizeof list_rows / sizeof list_rows[0]};

bool seen_decode(struct text value, struct arena *arena, const struct seen **seen, size_t *count,
                 struct error *error)
{
    assert(arena != NULL && seen != NULL && count != NULL);
    json_t *root = NULL;
    if (!json_parse(value, SEEN_RECORD_BYTES_MAX, &root, error)) return false;
    arena_keep_json(arena, root);
    struct json_node node = {root, NULL, NULL, 0};
    if (!json_is_object(root))
        return json_refuse(&node, error, CODE_WRONG_TYPE,
                           "a record of remembered commands is an object, not %s",
                           json_type_name(root));
    if (!layout_check(root, "a record of remembered commands", error)) return false;
    struct seen_list list = {0};
    if (!json_read_object(&node, &list_table, 0, &list, arena, NULL, error)) return false;
    *seen = list.items;
    *count = list.count;
    return true;
}

void seen_encode(struct text_writer *writer, const struct seen *seen, size_t count)
{
    assert(writer != NULL && seen != NULL);
    assert(count >= 1 && count <= SEEN_RECORD_MAX);
    text_writer_words(writer, "{\"layout\":2,\"commands\":[");
    static_assert(STATE_LAYOUT == 2, "the line above says 2");
    for (size_t i = 0; i < count; i++) {
        text_writer_comma(writer);
        text_writer_words(writer, "{\"hash\":");
        hash_json_write(writer, seen[i].hash);
        text_writer_member(writer, "at");
        text_writer_instant(writer, seen[i].at_ms);
        text_writer_member(writer, "outcome");
        text_writer_string(writer, text_of(outcome_name((enum outcome)seen[i].outcome)));
        if (seen[i].code != CODE_NONE) {
            text_writer_member(writer, "code");
            text_writer_string(writer, text_of(error_code_word(seen[i].code)));
        }
        text_writer_char(writer, '}');
    }
    text_writer_words(writer, "]}");
}
