/* job_diff.h - how the jobs of a file differ from those that run. */
#ifndef BELFRY_CLI_JOB_DIFF_H
#define BELFRY_CLI_JOB_DIFF_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/words/settings.h"
#include "cli/write/job_file.h"
#include "lib/base/error.h"

enum job_change { JOB_EQUAL = 0, JOB_ADDED, JOB_CHANGED, JOB_DELETED };

struct job_difference {
    enum job_change change;
    const char *name; /* GROUP/ID, borrowed from the file or `owned` */
    char *owned;
    size_t job;       /* index in the file; not of JOB_DELETED */
    json_t *fields;   /* of JOB_CHANGED: {"schedule":{"from":text,"to":text}}, raw JSON texts */
};

/* Zero-initialise; job_diff_free() ends it. Items are sorted by name; equal jobs are counted and
 * have none. */
struct job_diff {
    struct job_difference *items;
    size_t count;
    size_t capacity;
    size_t counts[JOB_DELETED + 1];
};

/* Compares with what Redis holds. --prune and the selectors say which jobs the file would have to
 * name. Errors: as redis_reader_open(); "usage": --prune without a selection, or the reverse. */
bool job_diff_make(struct job_diff *diff, const struct job_file *file,
                   const struct settings *settings, struct error *error)
    __attribute__((warn_unused_result));
void job_diff_free(struct job_diff *diff);

/* To stdout, as settings say. */
void job_diff_print(const struct settings *settings, const struct job_diff *diff);

#endif
