/* run_commands.h - what commands do to the runs of one job: they are asked to stop, and one that is
 * over comes again under its id. */
#ifndef BELFRY_SHARD_RUN_COMMANDS_H
#define BELFRY_SHARD_RUN_COMMANDS_H

#include "dispatcher/shard/operation.h"

/* Whether a cancel changes anything: one of the job's open runs, or of those of a deleted job of
 * its name, waits or has not been asked to stop.
 *   run  only the one of this id; empty: all of them */
bool runs_can_cancel(const struct shard *shard, const struct job *job, struct text run);
void runs_cancel_of(struct shard *shard, const struct job *job, struct text run, int64_t now_ms,
                    const struct sink *sink);

/* Whether the job, which has a lease, may have one more run now: else adds its error.
 *   run  the id that it would have */
bool runs_can_open(const struct shard *shard, struct answer *answer, const struct job *job,
                   const struct application *application, const struct job_plan *plan,
                   struct text run);
bool requeue_check(const struct shard *shard, struct answer *answer, const struct job *job,
                   const struct application *application, struct job_plan *plan);
void requeue(struct shard *shard, struct job *job, const struct job_plan *plan,
             const struct application *application, const struct sink *sink);

#endif
