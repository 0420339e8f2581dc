/* run_json.h - an open run's record: the value of run/<k> in belfry.state and in Redis. The place k
 * is used again, so a run that has ended is written over by one that says the place is free. */
#ifndef BELFRY_SCHEMAS_RUN_JSON_H
#define BELFRY_SCHEMAS_RUN_JSON_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/model/run_record.h"
#include "schemas/arena.h"
#include "schemas/text_writer.h"

/* Appends the record, at most RUN_RECORD_BYTES_MAX: where it would be longer, the oldest tries that
 * have ended lose their texts. Every instant that is set must be in range. */
void run_record_encode(struct text_writer *writer, const struct run_record *record);

/* Appends the record of a place that holds no run. */
void run_record_encode_free(struct text_writer *writer);

/* Reads what these wrote: encoding it again gives the same bytes.
 *   arena   is reset by the caller before each record
 *   record  borrows from the arena; set where *open
 *   open    false: the place is free
 *   errors  ERROR_FATAL, code newer_layout: written by a newer version, do not take the shard;
 *           ERROR_INVALID: not a record */
bool run_record_decode(struct text value, struct arena *arena, struct run_record *record,
                       bool *open, struct error *error) __attribute__((warn_unused_result));

#endif
