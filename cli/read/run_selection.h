/* run_selection.h - which runs a command line means: by the names of their jobs, and by what Redis
 * knows of these jobs. OR among the values of one selector, AND between them. */
#ifndef BELFRY_CLI_RUN_SELECTION_H
#define BELFRY_CLI_RUN_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/read/job_filter.h"
#include "cli/words/settings.h"
#include "lib/base/error.h"

struct run_selection {
    const struct arguments *arguments; /* borrowed */
    bool by_jobs; /* a selector needs the jobs' records: only runs of `jobs` are meant */
    char **jobs;  /* GROUP/ID, ordered */
    size_t job_count;
    size_t job_capacity;
    struct job_filter filter;
};

/* Reads GROUP/ID... and the selectors. Redis is asked only for --super-group, --label and --paused:
 * then runs of jobs that are deleted are not meant. run_selection_free() ends it, also on false.
 *   errors  code "usage"; those of Redis */
bool run_selection_read(struct run_selection *selection, const struct settings *settings,
                        struct error *error) __attribute__((warn_unused_result));
void run_selection_free(struct run_selection *selection);

bool run_selection_admits(const struct run_selection *selection, const char *group,
                          const char *id);

#endif
