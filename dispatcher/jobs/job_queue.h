/* job_queue.h - first in, first out; names jobs by slot and ordinal, so that one that was
 * deleted meanwhile is noticed by whoever takes it out. */
#ifndef BELFRY_JOBS_JOB_QUEUE_H
#define BELFRY_JOBS_JOB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job_reference {
    int64_t ordinal;
    uint32_t slot;
};

struct job_queue {
    struct job_reference *ring;
    size_t capacity; /* a power of two */
    size_t first;
    size_t count;
};

void job_queue_clear(struct job_queue *queue); /* frees */
void job_queue_add(struct job_queue *queue, struct job_reference reference);
bool job_queue_take(struct job_queue *queue, struct job_reference *reference);

#endif
