/* run_tick_json.h - what the owner of a shard writes into its partition of <cluster>.runs beside
 * the workers' reports: once it is read back, all that was appended before it has been read. */
#ifndef BELFRY_SCHEMAS_RUN_TICK_JSON_H
#define BELFRY_SCHEMAS_RUN_TICK_JSON_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/model/run.h"
#include "schemas/arena.h"
#include "schemas/text_writer.h"

/* Whether the record is a tick, good or bad, and not reports. Safe on any bytes. */
bool run_tick_is(struct text value);

/* Reads one.
 *   arena   is reset by the caller before each record; the tick borrows from it
 *   errors  ERROR_INVALID, bad_report */
bool run_tick_decode(struct text value, struct arena *arena, struct run_tick *tick,
                     struct error *error) __attribute__((warn_unused_result));

void run_tick_encode(struct text_writer *writer, const struct run_tick *tick);

#endif
