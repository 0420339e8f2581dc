/* write_read.h - reads a write request from flags, names and files. */
#ifndef BELFRY_CLI_WRITE_READ_H
#define BELFRY_CLI_WRITE_READ_H

#include <stdbool.h>

#include "cli/words/options.h"
#include "cli/write/write_request.h"
#include "lib/base/error.h"
#include "schemas/text_writer.h"

/* Builds the request of `op` from flags and positional names (GROUP/ID), or from -f.
 * ERROR_INVALID: code "usage" for flags; a file's fault names its line. */
bool write_request_read(struct write_request *request, enum command_op op,
                        const struct arguments *arguments, struct error *error)
    __attribute__((warn_unused_result));

/* The parts below serve write_request_read. */

/* Reads -f PATH ("-" is stdin): one command object, or jobs as objects, arrays or lines. */
bool write_file_read(struct write_request *request, const char *path, struct error *error)
    __attribute__((warn_unused_result));

/* As write_file_read, for the text in request->file; `name` is for messages. */
bool write_file_parse(struct write_request *request, const char *name, struct error *error)
    __attribute__((warn_unused_result));

/* Writes the members of a job that flags name, without the braces. */
bool write_flags_job(struct text_writer *out, const struct arguments *arguments,
                     struct error *error)
    __attribute__((warn_unused_result));

/* Adds the selectors that flags and positional names make: names with one group share one. */
bool write_select_read(struct write_request *request, const struct arguments *arguments,
                       struct error *error) __attribute__((warn_unused_result));

/* Reads a whole file or, for "-", stdin into *out. ERROR_INVALID when it cannot be read. */
bool file_read(const char *path, struct text_writer *out, struct error *error)
    __attribute__((warn_unused_result));

/* --command-id; NULL where it was not given. Errors: code "usage", and as arguments_text(). */
bool command_id_read(const struct arguments *arguments, const char **command_id,
                     struct error *error) __attribute__((warn_unused_result));

#endif
