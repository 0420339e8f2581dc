/* selection.h - which jobs a command means: selectors by flags, and names as GROUP/ID. */
#ifndef BELFRY_CLI_SELECTION_H
#define BELFRY_CLI_SELECTION_H

#include <stdbool.h>

#include "dispatcher/cli/buffer.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/cli/write_request.h"
#include "dispatcher/core/error.h"
#include "dispatcher/core/text.h"

/* Splits GROUP/ID at its first slash and checks both. The texts are borrowed from `name`. */
bool job_name_split(const char *name, struct text *group, struct text *id, struct error *error)
    __attribute__((warn_unused_result));

bool job_name_check(struct text group, struct text id, struct error *error)
    __attribute__((warn_unused_result));

/* The --label options as one JSON object. */
bool selection_labels(struct buffer *out, const struct arguments *arguments, struct error *error)
    __attribute__((warn_unused_result));

/* The value of --paused, which must be given: alone it means true. */
bool selection_paused(const struct arguments *arguments, bool *paused, struct error *error)
    __attribute__((warn_unused_result));

/* Adds the selectors that flags and positional names make: names with one group share one. */
bool selection_read(struct write_request *request, const struct arguments *arguments,
                    struct error *error) __attribute__((warn_unused_result));

#endif
