/* operation.h - what each command with a selector does to one job. */
#ifndef BELFRY_SHARD_OPERATION_H
#define BELFRY_SHARD_OPERATION_H

#include "dispatcher/shard/answer.h"
#include "dispatcher/shard/difference.h"
#include "dispatcher/shard/shard.h"
#include "lib/model/run_id.h"

/* Whether a job runs behind an operation, as a dry run lists it. */
enum afterwards { AFTER_AS_BEFORE = 0, AFTER_RUNS, AFTER_STANDS };

/* What a command is going to do to one job: found out once, when it is checked; then it is done, or
 * shown by a dry run. A view of the command and of the job, which owns nothing: it holds until the
 * job is changed. */
struct job_plan {
    bool possible; /* else the rest says nothing, and the answer why */
    bool changes;  /* false: the job is as wanted already */
    int64_t from_ms; /* backfill: the range, cut to slots; resume: what is caught up from */
    int64_t to_ms;
    struct job *job; /* add, put: the one of this name; NULL: it is new */
    struct job_backfill *backfill; /* that is to end */
    bool is_full; /* as many runs are open as may be */
    struct run_identity run; /* requeue: what comes again */
    uint32_t run_k;          /* and where it waits; UINT32_MAX: it is not open */
    struct definition definition;  /* add, put, update: as it will be, settled */
};

/* What one operation does to one job. What does not apply is left out. */
struct operation {
    /* Whether it can be done, else adds the job's error; and what there is to do, in a plan that
     * says it can be, and changes the job. NULL: so it is. */
    bool (*check)(const struct shard *shard, struct answer *answer, const struct job *job,
                  const struct application *application, struct job_plan *plan);
    /* Does what is planned; returns what is left of the job. */
    struct job *(*change)(struct shard *shard, struct job *job, const struct job_plan *plan,
                          const struct application *application, const struct sink *sink)
        __attribute__((warn_unused_result));
    /* How the job would go on; NULL: its own slots stay as they are. */
    void (*prospect)(const struct job *job, const struct job_plan *plan,
                     const struct application *application, struct job_prospect *prospect);
    /* Fires besides the job's own slots. NULL: none. */
    int64_t (*extra_fires)(const struct job *job, const struct job_plan *plan);
    bool redefines; /* the job's definition is the plan's afterwards */
    bool revises;   /* the job's revision goes up */
    bool opens_run; /* of a job with a lease */
    enum afterwards afterwards;
};

/* Of an operation on selected jobs. */
const struct operation *operation_of(enum command_op op);

#endif
