/* failed_runs.h - runs that have failed for good, and that nobody has dealt with, of the dead
 * letters. */
#ifndef BELFRY_CLI_FAILED_RUNS_H
#define BELFRY_CLI_FAILED_RUNS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/read/run_selection.h"
#include "cli/words/settings.h"
#include "lib/base/error.h"

/* An array, oldest first, owned by the caller: run, group, id, outcome, failed_at, message, and
 * place, by which belfry dead names it. Foreign texts. Memory is bounded by the newest `most`.
 *   left_out  how many older ones there are
 *   errors    those of Kafka */
bool failed_runs_read(const struct settings *settings, const struct run_selection *selection,
                      int64_t most, json_t **runs, int64_t *left_out, struct error *error)
    __attribute__((warn_unused_result));

/* Under headings.
 *   width, colour  as table_create() */
void failed_runs_print(FILE *stream, const json_t *runs, size_t width, bool colour);

#endif
