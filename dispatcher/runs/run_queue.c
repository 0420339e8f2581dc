#include "dispatcher/runs/run_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/runs/run_table.h"
#include "lib/base/heap.h"
#include "lib/base/memory.h"

static bool before(const void *left, const void *right)
{
    const struct run *a = *(struct run *const *)left;
    const struct run *b = *(struct run *const *)right;
    return a->at != b->at ? a->at < b->at : a->runnumber < b->runnumber;
}

static void placed(const void *item, size_t at)
{
    struct run *run = *(struct run *const *)item;
    run->queue_at = (uint32_t)at;
}

static const struct heap_kind kind = {
    .item_bytes = sizeof(struct run *), .before = before, .placed = placed};

void run_queue_free(struct run_queue *queue)
{
    free(queue->runs);
    *queue = (struct run_queue){0};
}

void run_queue_put(struct run_queue *queue, struct run *run)
{
    queue->runs =
        memory_grow(queue->runs, &queue->capacity, queue->count + 1, sizeof *queue->runs);
    queue->runs[queue->count] = run;
    heap_rise(&kind, queue->runs, queue->count++);
}

/* Most runs go from one queue to the next: what one has left is not kept beside what that has. */
static void shrink(struct run_queue *queue)
{
    if (queue->count == 0) {
        run_queue_free(queue);
    } else if (queue->count < queue->capacity / 4) {
        queue->capacity = queue->count * 2;
        queue->runs = memory_resize(queue->runs, queue->capacity, sizeof *queue->runs);
    }
}

void run_queue_take(struct run_queue *queue, struct run *run)
{
    size_t at = run->queue_at;
    assert(at < queue->count && queue->runs[at] == run);
    queue->count--;
    if (at < queue->count) {
        struct run *moved = queue->runs[queue->count];
        queue->runs[at] = moved;
        heap_sink(&kind, queue->runs, queue->count, at);
        heap_rise(&kind, queue->runs, moved->queue_at);
    }
    shrink(queue);
}
