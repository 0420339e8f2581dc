/* operation.h - what each command with a selector does to one job. */
#ifndef BELFRY_SHARD_OPERATION_H
#define BELFRY_SHARD_OPERATION_H

#include "dispatcher/shard/answer.h"
#include "dispatcher/shard/difference.h"
#include "dispatcher/shard/shard.h"

/* Whether a job runs behind an operation, as a dry run lists it. */
enum afterwards { AFTER_AS_BEFORE = 0, AFTER_RUNS, AFTER_STANDS };

/* What one operation does to one job. What does not apply is left out. */
struct operation {
    /* Whether it can be done; else adds the job's error. NULL: always. */
    bool (*check)(struct answer *answer, const struct job *job,
                  const struct application *application);
    /* Does it; false: the job was as wanted already. The job may be gone afterwards. */
    bool (*change)(struct shard *shard, struct job *job, const struct application *application,
                   const struct sink *sink);
    /* The same question without doing it, for dry runs. NULL: it is always done. */
    bool (*would_change)(const struct job *job, const struct application *application);
    /* How the job would go on; NULL: its own slots stay as they are. */
    void (*prospect)(const struct job *job, const struct application *application,
                     struct job_prospect *prospect);
    /* Fires besides the job's own slots. NULL: none. */
    int64_t (*extra_fires)(const struct job *job, const struct application *application);
    /* The job's definition as it would be. NULL: as it is. */
    struct definition (*merged)(const struct job *job, const struct application *application);
    bool revises; /* the job's revision goes up */
    enum afterwards afterwards;
};

/* Of an operation on selected jobs. */
const struct operation *operation_of(enum command_op op);

#endif
