/* dead_command.h - a dead letter as the command that does again what it is about. Pure. */
#ifndef BELFRY_CLI_DEAD_COMMAND_H
#define BELFRY_CLI_DEAD_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/write/said_by.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "schemas/text_writer.h"

/* Writes the command again, under an id made of the dead letter's place: requeued twice it is
 * done once, and the id under which it was refused does not stand in its way. The old id becomes
 * the correlation id where there is none; a CloudEvent's own id is one, too. A CloudEvent is sent
 * as the command it carries. Everything else stays as it was written.
 *   event_id  of a binary CloudEvent, from its header; empty = none
 *   errors  ERROR_INVALID: it is no JSON object, so it has to be mended by hand */
bool dead_command_write(struct text value, struct text event_id, int32_t partition,
                        int64_t offset, struct text_writer *out, struct error *error)
    __attribute__((warn_unused_result));

/* The command that runs a run once more.
 *   overlap  NULL, or what to do where another run of the job is in the way: "allow" */
struct dead_run {
    struct text group;
    struct text id;
    struct text run; /* the id of its fire */
    const char *overlap;
    struct said_by said_by;
};
void dead_run_write(const struct dead_run *run, const char *command_id, struct text_writer *out);

/* --overlap of it; NULL where it was not given. Errors: code "usage". */
bool requeue_overlap_read(const struct arguments *arguments, const char **overlap,
                          struct error *error) __attribute__((warn_unused_result));

enum { DEAD_COMMAND_ID_BYTES = 48 };
/* requeue-<partition>-<offset> */
void dead_command_id(int32_t partition, int64_t offset, char id[DEAD_COMMAND_ID_BYTES]);

#endif
