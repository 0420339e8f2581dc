/* said_by.h - who does something and why, for the record: --actor and --reason. */
#ifndef BELFRY_CLI_SAID_BY_H
#define BELFRY_CLI_SAID_BY_H

#include <stdbool.h>

#include "cli/words/options.h"
#include "lib/base/error.h"
#include "schemas/text_writer.h"

/* Borrowed; NULL: not given. */
struct said_by {
    const char *actor;
    const char *reason;
};

/* Errors: as arguments_text(). */
bool said_by_read(struct said_by *said_by, const struct arguments *arguments, struct error *error)
    __attribute__((warn_unused_result));

/* As members of the object that is being written. */
void said_by_write(struct text_writer *out, const struct said_by *said_by);

#endif
