/* result_json.h - the answer to a command, for belfry.results. */
#ifndef BELFRY_SCHEMAS_RESULT_JSON_H
#define BELFRY_SCHEMAS_RESULT_JSON_H

#include "lib/model/output.h"
#include "schemas/text_writer.h"

/* Appends the result. `control_topic` is where clients wrote the command: `source` names the
 * control record also when the shard read a forwarded copy. Lists are cut at RESULT_JOBS_MAX and
 * RESULT_ERRORS_MAX. */
void result_encode(struct text_writer *writer, const struct result *result,
                   struct text control_topic);

#endif
