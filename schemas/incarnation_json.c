#include "schemas/incarnation_json.h"

#include "lib/base/limits.h"
#include "lib/time/instant.h"

void incarnation_json_write(struct text_writer *writer, const char *name,
                            const struct incarnation *incarnation)
{
    char text[INCARNATION_TEXT_BYTES];
    size_t length = incarnation_format(incarnation, text);
    text_writer_member(writer, name);
    text_writer_string(writer, (struct text){text, length});
}

bool incarnation_json_read(const struct json_node *node, struct incarnation *incarnation,
                           struct error *error)
{
    struct text text;
    struct incarnation read;
    if (!json_read_text(node, &text, error)) return false;
    if (!incarnation_parse(text, &read) || read.shard >= SHARDS_MAX ||
        !instant_in_range(read.effective_ms))
        return json_refuse(node, error, CODE_BAD_VALUE, "is not <ms>-<shard>.<offset>.<index>");
    *incarnation = read;
    return true;
}
