/* difference.h - what a command would change about the due times of one job: for dry runs. */
#ifndef BELFRY_SHARD_DIFFERENCE_H
#define BELFRY_SHARD_DIFFERENCE_H

#include "dispatcher/jobs/job.h"
#include "lib/model/output.h"

/* A job as it is or would be. A view. */
struct job_prospect {
    bool runs;              /* false: no job, paused without an end, or finished */
    struct definition definition;
    int64_t after_ms;       /* its slots after this instant are fired */
    int64_t fires_left;     /* of max_fires; INT64_MAX: no bound */
};

/* Nothing is fired. */
struct job_prospect prospect_none(void);
/* The job as it stands at effective_ms. */
struct job_prospect prospect_of_job(const struct job *job, int64_t effective_ms);
/* A definition that begins at effective_ms; `fired` fires count towards its max_fires. */
struct job_prospect prospect_of_definition(const struct definition *definition,
                                           int64_t effective_ms, int64_t fired);

/* Fills the instants and the counts. An `at` in the past, which is caught up at once, is counted
 * when it is new and inside the catch-up window. */
void difference_make(struct result_difference *difference, const struct job_prospect *before,
                     const struct job_prospect *after, int64_t effective_ms);

#endif
