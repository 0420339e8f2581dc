#include "schemas/raw_json.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/json_scan.h"

bool raw_json_read(const struct json_node *node, struct text raw, struct arena *arena,
                   struct text *value, struct error *error)
{
    assert(node->name != NULL && arena != NULL && value != NULL);
    struct text found = json_scan_member(raw, node->name);
    if (found.length > 0) {
        char *compact = arena_take_bytes(arena, found.length);
        size_t length = json_scan_compact(found, compact);
        arena_give_back(arena, found.length - length);
        *value = (struct text){compact, length};
        return true;
    }
    /* Its key is written with escapes: as near as a parsed value can come. */
    char *text = json_dumps(node->value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    if (text == NULL) return json_refuse(node, error, CODE_INTERNAL, "cannot be written again");
    *value = arena_copy(arena, text_of(text));
    free(text);
    return true;
}
