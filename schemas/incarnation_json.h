/* incarnation_json.h - an incarnation, or another place in the log, as text in a record:
 * <ms>-<shard>.<offset>.<index>. */
#ifndef BELFRY_SCHEMAS_INCARNATION_JSON_H
#define BELFRY_SCHEMAS_INCARNATION_JSON_H

#include <stdbool.h>

#include "lib/time/incarnation.h"
#include "schemas/json_reader.h"
#include "schemas/text_writer.h"

/* A member. */
void incarnation_json_write(struct text_writer *writer, const char *name,
                            const struct incarnation *incarnation);

/* ERROR_INVALID, code bad_value or wrong_type.
 *   incarnation  set only on true */
bool incarnation_json_read(const struct json_node *node, struct incarnation *incarnation,
                           struct error *error) __attribute__((warn_unused_result));

#endif
