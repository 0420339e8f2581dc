#include "schemas/definition_json.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/limits.h"
#include "lib/base/utf8.h"

enum { EXCERPT_BYTES = 64 };

static_assert((int)LABELS_MAX == (int)HEADERS_MAX, "one array holds either");

struct pair {
    struct text name;
    struct text value;
};

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    return strcmp(a->name.bytes, b->name.bytes); /* keys of jansson are terminated */
}

bool header_name_is_reserved(struct text name)
{
    static const char reserved[] = "content-type";
    if (name.length >= 3 && strncasecmp(name.bytes, "ce_", 3) == 0) return true;
    if (name.length >= 7 && strncasecmp(name.bytes, "belfry-", 7) == 0) return true;
    return name.length == sizeof reserved - 1 &&
           strncasecmp(name.bytes, reserved, name.length) == 0;
}

static bool check_name(const struct json_node *node, enum pairs_kind kind, struct text name,
                       struct error *error)
{
    char excerpt[EXCERPT_BYTES];
    bool right = name.length > 0 && name.length <= NAME_BYTES_MAX;
    for (size_t i = 0; right && i < name.length; i++)
        right = (unsigned char)name.bytes[i] >= 0x20 && name.bytes[i] != 0x7F;
    if (!right)
        return json_refuse(node, error, CODE_BAD_NAME,
                           "the name of a %s has 1 to %d bytes and no control characters",
                           kind == PAIRS_LABELS ? "label" : "header", NAME_BYTES_MAX);
    if (kind == PAIRS_HEADERS && header_name_is_reserved(name))
        return json_refuse(node, error, CODE_RESERVED_HEADER,
                           "header '%s' is set by Belfry; ce_*, content-type and belfry-* may "
                           "not be given",
                           utf8_excerpt(name, excerpt, sizeof excerpt));
    return true;
}

bool pairs_read(const struct json_node *node, enum pairs_kind kind, struct arena *arena,
                struct text *pairs, struct error *error)
{
    assert(arena != NULL && pairs != NULL);
    *pairs = (struct text){NULL, 0};
    if (!json_is_object(node->value))
        return json_refuse(node, error, CODE_WRONG_TYPE, "must be an object of strings, not %s",
                           json_type_name(node->value));
    size_t count = json_object_size(node->value);
    if (count > LABELS_MAX)
        return json_refuse(node, error, CODE_TOO_MANY, "has %zu entries, at most %d are allowed",
                           count, LABELS_MAX);
    static const struct json_field row = {.name = "value", .kind = JSON_TEXT,
                                          .max = TEXT_FIELD_BYTES_MAX,
                                          .offset = offsetof(struct pair, value)};
    struct pair list[LABELS_MAX];
    size_t used = 0;
    size_t bytes = 0;
    void *at = json_object_iter(node->value);
    for (; at != NULL; at = json_object_iter_next(node->value, at)) {
        struct json_node member = {json_object_iter_value(at), node, json_object_iter_key(at), 0};
        struct pair *pair = &list[used++];
        pair->name = text_of(member.name);
        if (!check_name(&member, kind, pair->name, error)) return false;
        if (!json_read_value(&member, &row, pair, NULL, error)) return false;
        bytes += pair->name.length + pair->value.length + 2;
    }
    if (used == 0) return true;
    if (kind == PAIRS_LABELS) qsort(list, used, sizeof list[0], compare_pairs);
    char *out = arena_take_bytes(arena, bytes);
    *pairs = (struct text){out, bytes};
    for (size_t i = 0; i < used; i++) {
        memcpy(out, list[i].name.bytes, list[i].name.length + 1);
        out += list[i].name.length + 1;
        memcpy(out, list[i].value.bytes, list[i].value.length + 1);
        out += list[i].value.length + 1;
    }
    return true;
}

void pairs_write(struct text_writer *writer, struct text pairs)
{
    struct text name;
    struct text value;
    text_writer_char(writer, '{');
    while (pairs_next(&pairs, &name, &value)) {
        text_writer_comma(writer);
        text_writer_string(writer, name);
        text_writer_char(writer, ':');
        text_writer_string(writer, value);
    }
    text_writer_char(writer, '}');
}
