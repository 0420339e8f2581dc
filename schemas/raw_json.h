/* raw_json.h - a value that is passed on as it was written: numbers keep their digits. */
#ifndef BELFRY_SCHEMAS_RAW_JSON_H
#define BELFRY_SCHEMAS_RAW_JSON_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "schemas/arena.h"
#include "schemas/json_reader.h"

/* The text of a member without the white space between its parts.
 *   node    the member, parsed
 *   raw     the text of the object it is in; may be empty, then it is written anew
 *   value   borrows from the arena */
bool raw_json_read(const struct json_node *node, struct text raw, struct arena *arena,
                   struct text *value, struct error *error) __attribute__((warn_unused_result));

#endif
