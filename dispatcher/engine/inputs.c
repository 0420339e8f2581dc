#include "dispatcher/engine/inputs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

void inputs_init(struct inputs *inputs, struct broker *broker)
{
    *inputs = (struct inputs){.broker = broker};
}

enum broker_topic input_topic(enum input input)
{
    static const enum broker_topic topics[INPUT_COUNT] = {[INPUT_CONTROL] = TOPIC_CONTROL,
                                                          [INPUT_FORWARD] = TOPIC_FORWARD,
                                                          [INPUT_RUNS] = TOPIC_RUNS};
    assert(input < INPUT_COUNT);
    return topics[input];
}

enum input input_of_topic(enum broker_topic topic)
{
    enum input input = 0;
    while (input < INPUT_COUNT && input_topic(input) != topic) input++;
    return input;
}

static void queue_clear(struct inputs *inputs, struct input_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++) {
        struct broker_input *input = queue->items[(queue->first + i) & (queue->capacity - 1)];
        inputs->broker->operations->release(inputs->broker, input);
        free(input);
    }
    free(queue->items);
    *queue = (struct input_queue){0};
}

void inputs_clear(struct inputs *inputs)
{
    for (int i = 0; i < INPUT_COUNT; i++) queue_clear(inputs, &inputs->queues[i]);
    inputs->runs = false;
}

static bool end_of(const struct inputs *inputs, enum input input, int64_t *end,
                   struct error *error)
{
    struct broker *broker = inputs->broker;
    int64_t first = 0;
    return broker->operations->offsets(broker, input_topic(input), &first, end, error);
}

static bool capture_end(struct inputs *inputs, enum input input, struct error *error)
{
    struct input_queue *queue = &inputs->queues[input];
    int64_t end = 0;
    if (!end_of(inputs, input, &end, error)) return false;
    queue->end_to_reach = end;
    queue->reached = queue->position >= end; /* the end is told once: it may lie behind us */
    return true;
}

bool inputs_capture_ends(struct inputs *inputs, struct error *error)
{
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        if (!capture_end(inputs, input, error)) return false;
    return true;
}

struct inputs_heard inputs_heard(const struct inputs *inputs)
{
    struct inputs_heard heard;
    for (int i = 0; i < INPUTS_COMMANDS; i++) heard.offsets[i] = inputs->queues[i].position;
    return heard;
}

bool inputs_more(const struct inputs *inputs, const struct inputs_heard *heard, bool *more,
                 struct error *error)
{
    *more = false;
    for (enum input input = 0; input < INPUTS_COMMANDS && !*more; input++) {
        int64_t end = 0;
        if (!end_of(inputs, input, &end, error)) return false;
        *more = end > heard->offsets[input];
    }
    return true;
}

bool inputs_start(struct inputs *inputs, const struct mark *mark, struct error *error)
{
    struct broker *broker = inputs->broker;
    inputs_clear(inputs);
    if (!inputs_capture_ends(inputs, error)) return false;
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        if (!broker->operations->start_reading(broker, input_topic(input),
                                               mark->inputs[input].offset, error))
            return false;
    return true;
}

bool inputs_start_runs(struct inputs *inputs, int64_t offset, struct error *error)
{
    struct broker *broker = inputs->broker;
    assert(!inputs->runs && inputs->queues[INPUT_RUNS].count == 0);
    inputs->queues[INPUT_RUNS].position = offset;
    inputs->runs = capture_end(inputs, INPUT_RUNS, error) &&
                   broker->operations->start_reading(broker, TOPIC_RUNS, offset, error);
    return inputs->runs;
}

void inputs_stop_runs(struct inputs *inputs)
{
    if (!inputs->runs) return;
    inputs->broker->operations->stop_reading(inputs->broker, TOPIC_RUNS);
    queue_clear(inputs, &inputs->queues[INPUT_RUNS]);
    inputs->runs = false;
}

static void queue_add(struct input_queue *queue, const struct broker_input *input)
{
    if (queue->count == queue->capacity) {
        size_t capacity = queue->capacity == 0 ? 64 : queue->capacity * 2;
        struct broker_input **items = memory_allocate(capacity, sizeof *items);
        for (size_t i = 0; i < queue->count; i++)
            items[i] = queue->items[(queue->first + i) & (queue->capacity - 1)];
        free(queue->items);
        queue->items = items;
        queue->capacity = capacity;
        queue->first = 0;
    }
    size_t bytes = offsetof(struct broker_input, headers) +
                   input->header_count * sizeof input->headers[0];
    struct broker_input *copy = memory_allocate(1, bytes);
    memcpy(copy, input, bytes);
    queue->items[(queue->first + queue->count++) & (queue->capacity - 1)] = copy;
    queue->bytes += copy->key.length + copy->value.length;
}

bool inputs_take(struct inputs *inputs, struct broker_input *input)
{
    enum input which = input_of_topic(input->topic);
    if (which == INPUT_COUNT || (which == INPUT_RUNS && !inputs->runs)) return false;
    struct input_queue *queue = &inputs->queues[which];
    assert(input->kind == BROKER_END || input->kind == BROKER_RECORD);
    queue->position = input->kind == BROKER_END ? input->offset : input->offset + 1;
    if (queue->position >= queue->end_to_reach) queue->reached = true;
    if (input->kind == BROKER_RECORD) queue_add(queue, input);
    return true;
}

int64_t inputs_done_to(const struct inputs *inputs, enum input input)
{
    const struct input_queue *queue = &inputs->queues[input];
    return queue->count == 0 ? queue->position : 0;
}

bool inputs_caught_up(const struct inputs *inputs)
{
    bool caught_up = true;
    for (int i = 0; i < INPUTS_COMMANDS; i++) caught_up = caught_up && inputs->queues[i].reached;
    return caught_up;
}

bool inputs_runs_caught_up(const struct inputs *inputs)
{
    return !inputs->runs || inputs->queues[INPUT_RUNS].reached;
}

static const struct broker_input *queue_head(const struct input_queue *queue)
{
    return queue->count == 0 ? NULL : queue->items[queue->first];
}

const struct broker_input *inputs_next(const struct inputs *inputs)
{
    const struct broker_input *oldest = NULL;
    for (int i = 0; i < INPUTS_COMMANDS; i++) {
        const struct input_queue *queue = &inputs->queues[i];
        const struct broker_input *head = queue_head(queue);
        /* An older one may still come from a topic that has not been read to its end. */
        if (head == NULL && !queue->reached) return NULL;
        if (head != NULL && (oldest == NULL || head->log_time_ms < oldest->log_time_ms))
            oldest = head;
    }
    return oldest;
}

const struct broker_input *inputs_next_of(const struct inputs *inputs, enum input input)
{
    return queue_head(&inputs->queues[input]);
}

void inputs_done(struct inputs *inputs, const struct broker_input *input)
{
    struct input_queue *queue = &inputs->queues[input_of_topic(input->topic)];
    assert(input == queue_head(queue));
    struct broker_input *owned = queue->items[queue->first];
    queue->bytes -= owned->key.length + owned->value.length;
    inputs->broker->operations->release(inputs->broker, owned);
    free(owned);
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
}

size_t inputs_bytes(const struct inputs *inputs)
{
    size_t bytes = 0;
    for (int i = 0; i < INPUT_COUNT; i++) bytes += inputs->queues[i].bytes;
    return bytes;
}

int64_t inputs_position(const struct inputs *inputs, enum input input)
{
    return inputs->queues[input].position;
}

size_t inputs_count_of(const struct inputs *inputs, enum input input)
{
    return inputs->queues[input].count;
}

size_t inputs_count(const struct inputs *inputs)
{
    size_t count = 0;
    for (int i = 0; i < INPUT_COUNT; i++) count += inputs->queues[i].count;
    return count;
}
