#include "dispatcher/engine/inputs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

void inputs_init(struct inputs *inputs, struct broker *broker)
{
    *inputs = (struct inputs){.broker = broker};
}

static const struct input_queue *queue_of(const struct inputs *inputs, enum broker_topic topic)
{
    return topic == TOPIC_CONTROL ? &inputs->control : &inputs->forward;
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
    queue_clear(inputs, &inputs->control);
    queue_clear(inputs, &inputs->forward);
}

static bool capture_end(struct inputs *inputs, enum broker_topic topic,
                        struct input_queue *queue, struct error *error)
{
    int64_t first = 0;
    int64_t end = 0;
    if (!inputs->broker->operations->offsets(inputs->broker, topic, &first, &end, error))
        return false;
    queue->end_to_reach = end;
    queue->reached = queue->position >= end; /* the end is told once: it may lie behind us */
    return true;
}

bool inputs_capture_ends(struct inputs *inputs, struct error *error)
{
    return capture_end(inputs, TOPIC_CONTROL, &inputs->control, error) &&
           capture_end(inputs, TOPIC_FORWARD, &inputs->forward, error);
}

struct inputs_heard inputs_heard(const struct inputs *inputs)
{
    return (struct inputs_heard){inputs->control.position, inputs->forward.position};
}

static bool more_than(const struct inputs *inputs, enum broker_topic topic, int64_t offset,
                      bool *more, struct error *error)
{
    int64_t first = 0;
    int64_t end = 0;
    if (!inputs->broker->operations->offsets(inputs->broker, topic, &first, &end, error))
        return false;
    *more = end > offset;
    return true;
}

bool inputs_more(const struct inputs *inputs, const struct inputs_heard *heard, bool *more,
                 struct error *error)
{
    if (!more_than(inputs, TOPIC_CONTROL, heard->control_offset, more, error)) return false;
    return *more || more_than(inputs, TOPIC_FORWARD, heard->forward_offset, more, error);
}

bool inputs_start(struct inputs *inputs, int64_t control_offset, int64_t forward_offset,
                  struct error *error)
{
    const struct broker_operations *operations = inputs->broker->operations;
    inputs_clear(inputs);
    return inputs_capture_ends(inputs, error) &&
           operations->start_reading(inputs->broker, TOPIC_CONTROL, control_offset, error) &&
           operations->start_reading(inputs->broker, TOPIC_FORWARD, forward_offset, error);
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
    if (input->topic != TOPIC_CONTROL && input->topic != TOPIC_FORWARD) return false;
    struct input_queue *queue =
        input->topic == TOPIC_CONTROL ? &inputs->control : &inputs->forward;
    assert(input->kind == BROKER_END || input->kind == BROKER_RECORD);
    queue->position = input->kind == BROKER_END ? input->offset : input->offset + 1;
    if (queue->position >= queue->end_to_reach) queue->reached = true;
    if (input->kind == BROKER_RECORD) queue_add(queue, input);
    return true;
}

int64_t inputs_done_to(const struct inputs *inputs, enum broker_topic topic)
{
    const struct input_queue *queue = queue_of(inputs, topic);
    return queue->count == 0 ? queue->position : 0;
}

bool inputs_caught_up(const struct inputs *inputs)
{
    return inputs->control.reached && inputs->forward.reached;
}

static const struct broker_input *queue_head(const struct input_queue *queue)
{
    return queue->count == 0 ? NULL : queue->items[queue->first];
}

const struct broker_input *inputs_next(const struct inputs *inputs)
{
    const struct broker_input *control = queue_head(&inputs->control);
    const struct broker_input *forward = queue_head(&inputs->forward);
    if (control != NULL && forward != NULL)
        return forward->log_time_ms < control->log_time_ms ? forward : control;
    /* An older one may still come from the other topic, unless it has been read to its end. */
    if (control != NULL) return inputs->forward.reached ? control : NULL;
    if (forward != NULL) return inputs->control.reached ? forward : NULL;
    return NULL;
}

const struct broker_input *inputs_next_of(const struct inputs *inputs, enum broker_topic topic)
{
    return queue_head(queue_of(inputs, topic));
}

void inputs_done(struct inputs *inputs, const struct broker_input *input)
{
    struct input_queue *queue =
        input->topic == TOPIC_CONTROL ? &inputs->control : &inputs->forward;
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
    return inputs->control.bytes + inputs->forward.bytes;
}

int64_t inputs_position(const struct inputs *inputs, enum broker_topic topic)
{
    return queue_of(inputs, topic)->position;
}

size_t inputs_count(const struct inputs *inputs)
{
    return inputs->control.count + inputs->forward.count;
}
