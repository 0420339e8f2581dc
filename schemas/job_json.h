/* job_json.h - a job's record: the value of job/<group>/<id> in belfry.state and in Redis. Readable
 * by people; contract names; what is at its default is left out. */
#ifndef BELFRY_SCHEMAS_JOB_JSON_H
#define BELFRY_SCHEMAS_JOB_JSON_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/model/job_record.h"
#include "schemas/arena.h"
#include "schemas/json_reader.h"
#include "schemas/text_writer.h"

/* Every field of a job; rows for records aim at a struct job_record, whose first member is the
 * definition. */
extern const struct json_table job_table;
extern const struct json_table set_table; /* the same rows, for JOB_IN_SET */

/* Appends the record to the writer. Every instant that is set must be in range. */
void job_record_encode(struct text_writer *writer, const struct job_record *record);

/* Reads what job_record_encode() wrote: encoding it again gives the same bytes.
 *   record  borrows from the arena, which is reset by the caller before each record, and zones
 *           from the lookup (NULL: UTC only); its schedule is still to be settled
 *   errors  ERROR_FATAL, code newer_layout: written by a newer version, do not take the shard;
 *           ERROR_INVALID: not a record */
bool job_record_decode(struct text value, struct arena *arena, const struct zone_lookup *zones,
                       struct job_record *record, struct error *error)
    __attribute__((warn_unused_result));

/* Refuses records of a newer layout (ERROR_FATAL, newer_layout) and of none (ERROR_INVALID). Used
 * before anything else of a stored record is looked at. `root` is a json_t. */
bool layout_check(const void *root, const char *what, struct error *error)
    __attribute__((warn_unused_result));

#endif
