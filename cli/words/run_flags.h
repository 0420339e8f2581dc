/* run_flags.h - what flags say about a job's runs, as the members of a job. */
#ifndef BELFRY_CLI_RUN_FLAGS_H
#define BELFRY_CLI_RUN_FLAGS_H

#include <stdbool.h>

#include "cli/words/options.h"
#include "lib/base/error.h"
#include "schemas/text_writer.h"

/* Appends the members that the options of options_runs write, and with --no-lease all of them as
 * null; nothing where none is given.
 *   errors  code "usage": a value that JSON could not hold; the others are the daemon's to judge */
bool run_flags_write(struct text_writer *out, const struct arguments *arguments,
                     struct error *error) __attribute__((warn_unused_result));

#endif
