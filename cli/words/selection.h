/* selection.h - the words by which a command line says which jobs it means. */
#ifndef BELFRY_CLI_SELECTION_H
#define BELFRY_CLI_SELECTION_H

#include <stdbool.h>

#include "cli/words/options.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "schemas/text_writer.h"

/* Splits GROUP/ID at its first slash and checks both. The texts are borrowed from `name`. */
bool job_name_split(const char *name, struct text *group, struct text *id, struct error *error)
    __attribute__((warn_unused_result));

bool job_name_check(struct text group, struct text id, struct error *error)
    __attribute__((warn_unused_result));

/* The --label options as one JSON object. */
bool selection_labels(struct text_writer *out, const struct arguments *arguments,
                      struct error *error)
    __attribute__((warn_unused_result));

/* The value of --paused, which must be given: alone it means true. */
bool selection_paused(const struct arguments *arguments, bool *paused, struct error *error)
    __attribute__((warn_unused_result));

#endif
