/* run_queue.h - runs in order of their `at`, the lower runnumber first: each knows its place, so
 * that one can be taken out of the middle. */
#ifndef BELFRY_RUNS_RUN_QUEUE_H
#define BELFRY_RUNS_RUN_QUEUE_H

#include <stddef.h>

struct run;

/* What a run waits for, and so by which clock its `at` counts. */
enum run_queue_kind {
    RUN_QUEUE_NONE = 0,
    RUN_QUEUE_RETRY,  /* its next try is due; the shard's time */
    RUN_QUEUE_EXPIRY, /* nobody has claimed it; append times of ticks */
    RUN_QUEUE_LEASE,  /* the lease is over, or the coordinator is to be asked again; steady */
    RUN_QUEUE_TICK,   /* a tick with that number, or a later one, is to come back */
    RUN_QUEUES
};

struct run_queue {
    struct run **runs;
    size_t count;
    size_t capacity;
};

void run_queue_free(struct run_queue *queue);
void run_queue_put(struct run_queue *queue, struct run *run);
void run_queue_take(struct run_queue *queue, struct run *run); /* it must be there */

#endif
