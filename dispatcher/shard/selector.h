/* selector.h - which jobs of a shard a command means. */
#ifndef BELFRY_SHARD_SELECTOR_H
#define BELFRY_SHARD_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "dispatcher/jobs/job_queue.h"
#include "lib/model/command.h"

struct job;
struct shard;

/* The matching jobs with an ordinal above `above`, in order of ordinal; free() the array. */
struct job_reference *selector_find(const struct selector *selector, const struct shard *shard,
                                    int64_t above, size_t *count);

#endif
