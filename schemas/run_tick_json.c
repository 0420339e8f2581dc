#include "schemas/run_tick_json.h"

#include <assert.h>

#include "lib/base/json_scan.h"
#include "schemas/json_reader.h"
#include "schemas/json_writer.h"

enum { TICK_BYTES_MAX = 1024 };

#define FIELD(member)                                                                              \
    .required = true, .offset = offsetof(struct run_tick, member), .write = json_write_value
static const struct json_field tick_rows[] = {
    {.name = "owner", .kind = JSON_TEXT, .min = 1, .max = OWNER_BYTES_MAX, FIELD(owner)},
    {.name = "epoch", .kind = JSON_INT, .max = INT64_MAX, FIELD(epoch)},
    {.name = "number", .kind = JSON_INT, .min = 1, .max = INT64_MAX, FIELD(number)},
};
#undef FIELD
static const struct json_table tick_table = {"'tick'", tick_rows,
                                             sizeof tick_rows / sizeof tick_rows[0]};

static bool read_tick(const struct json_node *node, void *target, void *context,
                      struct error *error)
{
    (void)context;
    return json_read_object(node, &tick_table, 0, target, NULL, NULL, error);
}

static const struct json_field record_rows[] = {
    {.name = "tick", .kind = JSON_CUSTOM, .required = true, .read = read_tick},
};
static const struct json_table record_table = {"a tick", record_rows, 1};

bool run_tick_is(struct text value)
{
    return json_scan_member(value, "tick").length > 0;
}

bool run_tick_decode(struct text value, struct arena *arena, struct run_tick *tick,
                     struct error *error)
{
    assert(arena != NULL && tick != NULL && error != NULL);
    struct json_node node = {NULL, NULL, NULL, 0};
    if (json_parse(value, TICK_BYTES_MAX, &node.value, error)) {
        arena_keep_json(arena, node.value);
        if (json_read_object(&node, &record_table, 0, tick, NULL, NULL, error)) return true;
    }
    error->code = CODE_BAD_REPORT;
    return false;
}

void run_tick_encode(struct text_writer *writer, const struct run_tick *tick)
{
    assert(writer != NULL && tick != NULL);
    assert(tick->number > 0);
    text_writer_words(writer, "{\"tick\":{");
    json_write_members(writer, &tick_table, tick);
    text_writer_words(writer, "}}");
}
