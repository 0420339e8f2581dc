/* job_file.h - a file of jobs, each read and checked before anything is done with any of them. */
#ifndef BELFRY_CLI_JOB_FILE_H
#define BELFRY_CLI_JOB_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/words/options.h"
#include "cli/write/write_read.h"
#include "lib/base/error.h"

/* Zero-initialise; job_file_free() ends it. request.jobs are the jobs in the file's order;
 * names[i] is the GROUP/ID of the i-th. */
struct job_file {
    struct write_request request;
    char **names;
};

/* The word or --file that names the file; NULL after an error. ERROR_INVALID, code "usage". */
const char *job_file_path(const struct arguments *arguments, const char *command,
                          struct error *error) __attribute__((warn_unused_result));

/* Reads objects, arrays and lines. Faults are printed to stderr, the first FAULTS_SHOWN of them.
 * ERROR_INVALID: it cannot be read, or it has faults: a job the daemon would refuse, the same
 * name twice. */
enum { FAULTS_SHOWN = 10 };
bool job_file_read(struct job_file *file, const char *path, struct error *error)
    __attribute__((warn_unused_result));

void job_file_free(struct job_file *file);

#endif
