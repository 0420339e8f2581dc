/* run_terms_json.h - what a job says about its runs: lease, workers, lease_mode, start_within,
 * overlap, overlap_limit, retry, pause_after_failures. */
#ifndef BELFRY_SCHEMAS_RUN_TERMS_JSON_H
#define BELFRY_SCHEMAS_RUN_TERMS_JSON_H

#include "lib/base/error.h"
#include "lib/model/run.h"
#include "schemas/json_reader.h"
#include "schemas/text_writer.h"

/* A reader of the table of job fields, for each of the members above. `target` is a struct
 * definition, `context` a definition_reader.
 *   errors  not_supported where the limits say that runs are not followed */
bool run_terms_read(const struct json_node *node, void *target, void *context, struct error *error);

/* What the members say together, see run_terms_check(). `node` is the job. */
bool run_terms_check_read(const struct json_node *node, const struct run_terms *terms,
                          struct error *error) __attribute__((warn_unused_result));

/* The members that are not at their defaults, after what is in the writer. */
void run_terms_write(struct text_writer *writer, const struct run_terms *terms);

#endif
