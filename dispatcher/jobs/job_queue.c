#include "dispatcher/jobs/job_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/memory.h"

enum { KEPT_WHEN_EMPTY = 1024 }; /* places; what a herd needed is given back */

void job_queue_clear(struct job_queue *queue)
{
    free(queue->ring);
    *queue = (struct job_queue){0};
}

static void job_queue_grow(struct job_queue *queue)
{
    size_t capacity = queue->capacity == 0 ? 16 : queue->capacity * 2;
    struct job_reference *ring = memory_allocate(capacity, sizeof *ring);
    for (size_t i = 0; i < queue->count; i++)
        ring[i] = queue->ring[(queue->first + i) & (queue->capacity - 1)];
    free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->first = 0;
}

void job_queue_add(struct job_queue *queue, struct job_reference reference)
{
    assert(queue != NULL);
    if (queue->count == queue->capacity) job_queue_grow(queue);
    queue->ring[(queue->first + queue->count++) & (queue->capacity - 1)] = reference;
}

bool job_queue_take(struct job_queue *queue, struct job_reference *reference)
{
    assert(reference != NULL);
    if (queue->count == 0) return false;
    *reference = queue->ring[queue->first];
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    if (queue->count == 0 && queue->capacity > KEPT_WHEN_EMPTY) job_queue_clear(queue);
    return true;
}
