#include "schemas/json_reader.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/suggest.h"
#include "lib/base/utf8.h"

enum { EXCERPT_BYTES = 64, NEAREST_BYTES_MAX = 32, NEAREST_WORDS_MAX = 64 };

const char *json_nearest(struct text text, const char *const *words)
{
    assert(words != NULL);
    if (text.length == 0 || text.length > NEAREST_BYTES_MAX) return NULL;
    const char *nearest = NULL;
    size_t least = text.length <= 3 ? 2 : 3; /* not reached: nothing is near */
    for (size_t i = 0; words[i] != NULL; i++) {
        struct text word = text_of(words[i]);
        if (word.length > NEAREST_BYTES_MAX) continue;
        size_t edits = edit_distance(text.bytes, text.length, word.bytes, word.length);
        if (edits < least) {
            least = edits;
            nearest = words[i];
        }
    }
    return nearest;
}

bool json_check_array(const struct json_node *node, size_t max, struct error *error)
{
    if (!json_is_array(node->value))
        return json_refuse(node, error, CODE_WRONG_TYPE, "must be an array, not %s",
                           json_type_name(node->value));
    size_t count = json_array_size(node->value);
    if (count == 0)
        return json_refuse(node, error, CODE_BAD_VALUE, "is empty; leave it out or name something");
    if (count > max)
        return json_refuse(node, error, CODE_TOO_MANY, "has %zu entries, at most %zu are allowed",
                           count, max);
    return true;
}

static bool row_applies(const struct json_field *field, uint32_t where)
{
    return field->where == 0 || (field->where & where) != 0;
}

static bool refuse_unknown(const struct json_node *node, const struct json_table *table,
                           uint32_t where, struct error *error)
{
    const char *names[NEAREST_WORDS_MAX + 1] = {NULL};
    size_t count = 0;
    bool elsewhere = false;
    for (size_t i = 0; i < table->count && count < NEAREST_WORDS_MAX; i++)
        if (row_applies(&table->fields[i], where)) names[count++] = table->fields[i].name;
        else if (strcmp(table->fields[i].name, node->name) == 0) elsewhere = true;
    char excerpt[EXCERPT_BYTES];
    (void)utf8_excerpt(text_of(node->name), excerpt, sizeof excerpt);
    if (elsewhere)
        return json_refuse(node, error, CODE_UNKNOWN_FIELD, "'%s' does not belong to %s", excerpt,
                           table->subject);
    const char *nearest = json_nearest(text_of(node->name), names);
    return json_refuse(node, error, CODE_UNKNOWN_FIELD, "'%s' is not a field of %s%s%s%s", excerpt,
                       table->subject, nearest == NULL ? "" : "; did you mean '",
                       nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
}

/* Begins at the row after the last one found: what Belfry wrote itself is in the table's order. */
static const struct json_field *find_row(const struct json_table *table, uint32_t where,
                                         const char *name, size_t *next)
{
    for (size_t tried = 0, i = *next; tried < table->count; tried++, i++) {
        if (i >= table->count) i = 0;
        const struct json_field *field = &table->fields[i];
        if (field->name[0] != name[0] || strcmp(field->name, name) != 0) continue;
        *next = i + 1;
        return row_applies(field, where) ? field : NULL;
    }
    return NULL;
}

static bool read_member(const struct json_node *node, const struct json_field *field, void *target,
                        void *context, struct error *error)
{
    if (!json_is_null(node->value)) return json_read_value(node, field, target, context, error);
    if (!field->required) return true;
    return json_refuse(node, error, CODE_MISSING_FIELD, "'%s' is required and may not be null",
                       field->name);
}

bool json_read_object(const struct json_node *node, const struct json_table *table, uint32_t where,
                      void *target, void *context, uint32_t *given, struct error *error)
{
    assert(node != NULL && target != NULL);
    assert(table->count <= 64);
    if (!json_is_object(node->value))
        return json_refuse(node, error, CODE_WRONG_TYPE, "must be an object, not %s",
                           json_type_name(node->value));
    uint64_t seen = 0;
    size_t next = 0;
    void *at = json_object_iter(node->value);
    for (; at != NULL; at = json_object_iter_next(node->value, at)) {
        struct json_node member = {json_object_iter_value(at), node, json_object_iter_key(at), 0};
        const struct json_field *field = find_row(table, where, member.name, &next);
        if (field == NULL) return refuse_unknown(&member, table, where, error);
        seen |= UINT64_C(1) << (field - table->fields);
        if (given != NULL) *given |= field->given;
        if (!read_member(&member, field, target, context, error)) return false;
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct json_field *field = &table->fields[i];
        if (!field->required || !row_applies(field, where) || (seen >> i & 1) != 0) continue;
        struct json_node missing = {NULL, node, field->name, 0};
        return json_refuse(&missing, error, CODE_MISSING_FIELD, "'%s' is required in %s",
                           field->name, table->subject);
    }
    return true;
}
