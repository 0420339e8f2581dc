/* operation.h - what each command with a selector does to one job. */
#ifndef BELFRY_SHARD_OPERATION_H
#define BELFRY_SHARD_OPERATION_H

#include "dispatcher/shard/answer.h"
#include "dispatcher/shard/difference.h"
#include "dispatcher/shard/shard.h"

/* What one operation does to one job. */
struct operation {
    const char *name; /* what a dry run calls it */
    /* Whether it can be done; else adds the job's error. */
    bool (*check)(struct answer *answer, const struct job *job,
                  const struct application *application);
    /* Does it; false: the job was as wanted already. The job may be gone afterwards. */
    bool (*change)(struct shard *shard, struct job *job, const struct application *application,
                   const struct sink *sink);
    /* The same question without doing it, for dry runs. */
    bool (*would_change)(const struct job *job, const struct application *application);
    /* How the job would go on; NULL: its own slots stay as they are. */
    void (*prospect)(const struct job *job, const struct application *application,
                     struct job_prospect *prospect);
    /* Fires besides the job's own slots. NULL: none. */
    int64_t (*extra_fires)(const struct job *job, const struct application *application);
};

/* Of OP_UPDATE to OP_CANCEL_BACKFILL. */
const struct operation *operation_of(enum command_op op);

/* The definition an update makes of the job's. */
struct definition operation_merged(const struct job *job, const struct application *application);

#endif
