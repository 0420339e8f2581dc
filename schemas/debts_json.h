/* debts_json.h - what a job owes, in its record: rows that read and write it. */
#ifndef BELFRY_SCHEMAS_DEBTS_JSON_H
#define BELFRY_SCHEMAS_DEBTS_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/model/job_record.h"
#include "schemas/json_reader.h"
#include "schemas/text_writer.h"

#define COUNT_MAX INT64_C(1000000000000000) /* of fires, of slots */

/* Readers of the record's members: `target` is a job_record, `context` a definition_reader. */
bool owed_read(const struct json_node *node, void *target, void *context, struct error *error);
bool backfills_read(const struct json_node *node, void *target, void *context, struct error *error);
bool pending_read(const struct json_node *node, void *target, void *context, struct error *error);
bool failing_read(const struct json_node *node, void *target, void *context, struct error *error);

/* The members; nothing where there is nothing to say. */
void owed_write(struct text_writer *writer, const struct job_record *record);
void backfills_write(struct text_writer *writer, const struct job_record *record);
void pending_write(struct text_writer *writer, const struct job_record *record);
void failing_write(struct text_writer *writer, const struct job_record *record);

#endif
