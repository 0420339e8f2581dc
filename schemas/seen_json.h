/* seen_json.h - the command ids that one transaction remembered: value of seen/<sequence>. */
#ifndef BELFRY_SCHEMAS_SEEN_JSON_H
#define BELFRY_SCHEMAS_SEEN_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/model/output.h"
#include "schemas/arena.h"
#include "schemas/text_writer.h"

/* Appends the record; count >= 1. */
void seen_encode(struct text_writer *writer, const struct seen *seen, size_t count);

/* Reads what seen_encode() wrote. The array lives in the arena, which is reset by the caller
 * before each record.
 *   errors  ERROR_FATAL, code newer_layout; ERROR_INVALID: not such a record */
bool seen_decode(struct text value, struct arena *arena, const struct seen **seen, size_t *count,
                 struct error *error) __attribute__((warn_unused_result));

#endif
