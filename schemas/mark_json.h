/* mark_json.h - the mark of a shard: value of key `mark` in belfry.state. */
#ifndef BELFRY_SCHEMAS_MARK_JSON_H
#define BELFRY_SCHEMAS_MARK_JSON_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/model/mark.h"
#include "schemas/text_writer.h"

enum { MARK_BYTES_MAX = 2048 }; /* of an encoded one */

/* Appends the mark, with the layout of this version. Its instants must be in range. */
void mark_encode(struct text_writer *writer, const struct mark *mark);

/* Reads what mark_encode() wrote; encoding it again gives the same bytes.
 *   errors  ERROR_FATAL, code newer_layout; ERROR_INVALID: not a mark */
bool mark_decode(struct text value, struct mark *mark, struct error *error)
    __attribute__((warn_unused_result));

#endif
