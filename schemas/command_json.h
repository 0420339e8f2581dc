/* command_json.h - decodes a record of the control topic: a bare JSON object, or a CloudEvent in
 * structured or binary mode. Pure functions on bytes; docs/contract.md is the reference. */
#ifndef BELFRY_SCHEMAS_COMMAND_JSON_H
#define BELFRY_SCHEMAS_COMMAND_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/model/command.h"
#include "schemas/arena.h"
#include "schemas/command_limits.h"
#include "schemas/record_header.h"

/* Decodes one record.
 *   headers  may be NULL when header_count is 0
 *   source   kept for the default command id
 *   arena    owns what the command borrows, together with `headers`; reset it before each record
 *   command  on false too it carries op, command_id, correlation_id, traceparent and an allowed
 *            reply_to as far as they could be read, so that a result can name them
 *   errors   ERROR_INVALID with code, field (JSON Pointer into `value`) and message */
bool command_decode(struct text value, const struct record_header *headers, size_t header_count,
                    const struct source *source, const struct command_limits *limits,
                    struct arena *arena, struct command *command, struct error *error)
    __attribute__((warn_unused_result));

#endif
