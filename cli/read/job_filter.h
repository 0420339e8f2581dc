/* job_filter.h - the selectors of `list`, as far as no index of Redis knows them: by the job's
 * record. OR within ids, groups and super groups; all labels must match; AND between them. */
#ifndef BELFRY_CLI_JOB_FILTER_H
#define BELFRY_CLI_JOB_FILTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/show/job_view.h"
#include "cli/words/options.h"
#include "store/store_filter.h"

struct job_filter {
    const struct arguments *arguments; /* borrowed, as all names */
    const char **groups;               /* for store_filter */
    size_t group_count;
    const char **super_groups;
    size_t super_group_count;
    bool by_paused;
    bool paused;
};

/* ERROR_INVALID, code "usage". End with job_filter_free(). */
bool job_filter_read(struct job_filter *filter, const struct arguments *arguments,
                     struct error *error) __attribute__((warn_unused_result));
void job_filter_free(struct job_filter *filter);

/* What the indexes of the store can tell; borrowed. */
struct store_filter job_filter_store(const struct job_filter *filter);

/* Whether a text is one of the values of an option; true where that was not given, too.
 *   text  NULL: it is none of them */
bool text_among(const struct arguments *arguments, const char *option, const char *text);

/* Whether the record is wanted, by all selectors. */
bool job_filter_admits(const struct job_filter *filter, const json_t *job,
                       const struct job_view *view);

#endif
