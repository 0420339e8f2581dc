#include <assert.h>
#include <stdlib.h>

#include "dispatcher/daemon/fault.h"
#include "lib/base/memory.h"

struct fault_broker {
    struct broker broker; /* first: the port's pointer is ours */
    struct broker *inner;
    struct fault *fault;
};

struct fault_checkpoint {
    struct checkpoint_port port; /* first */
    struct checkpoint_port *inner;
    struct fault *fault;
};

static struct fault_broker *ours(struct broker *broker)
{
    struct fault_broker *own = (struct fault_broker *)broker;
    assert(own != NULL);
    assert(own->inner != NULL);
    return own;
}

static bool prove_ownership(struct broker *broker, int64_t control_offset, struct error *error)
{
    struct broker *inner = ours(broker)->inner;
    return inner->operations->prove_ownership(inner, control_offset, error);
}

static bool open_producer(struct broker *broker, struct error *error)
{
    struct fault_broker *own = ours(broker);
    fault_pass(own->fault, FAULT_INIT_BEFORE);
    bool done = own->inner->operations->open_producer(own->inner, error);
    fault_pass(own->fault, FAULT_INIT_AFTER);
    return done;
}

static void close_producer(struct broker *broker)
{
    struct broker *inner = ours(broker)->inner;
    inner->operations->close_producer(inner);
}

static bool begin(struct broker *broker, struct error *error)
{
    struct fault_broker *own = ours(broker);
    fault_pass(own->fault, FAULT_BEGIN_BEFORE);
    return own->inner->operations->begin(own->inner, error);
}

static bool produce(struct broker *broker, const struct broker_record *record,
                    struct error *error)
{
    struct fault_broker *own = ours(broker);
    fault_pass(own->fault, FAULT_PRODUCE_BEFORE);
    bool done = own->inner->operations->produce(own->inner, record, error);
    fault_pass(own->fault, FAULT_PRODUCE_AFTER);
    return done;
}

static bool commit(struct broker *broker, struct broker_receipt *receipt, struct error *error)
{
    struct fault_broker *own = ours(broker);
    fault_pass(own->fault, FAULT_COMMIT_BEFORE);
    bool done = own->inner->operations->commit(own->inner, receipt, error);
    fault_pass(own->fault, FAULT_COMMIT_AFTER);
    return done;
}

static bool abort_transaction(struct broker *broker, struct error *error)
{
    struct broker *inner = ours(broker)->inner;
    return inner->operations->abort(inner, error);
}

static bool start_reading(struct broker *broker, enum broker_topic topic, int64_t offset,
                          struct error *error)
{
    struct broker *inner = ours(broker)->inner;
    return inner->operations->start_reading(inner, topic, offset, error);
}

static void stop_reading(struct broker *broker, enum broker_topic topic)
{
    struct broker *inner = ours(broker)->inner;
    inner->operations->stop_reading(inner, topic);
}

static bool offsets(struct broker *broker, enum broker_topic topic, int64_t *first, int64_t *end,
                    struct error *error)
{
    struct broker *inner = ours(broker)->inner;
    return inner->operations->offsets(inner, topic, first, end, error);
}

static bool poll_input(struct broker *broker, int32_t wait_ms, struct broker_input *input,
                       struct error *error)
{
    struct broker *inner = ours(broker)->inner;
    return inner->operations->poll(inner, wait_ms, input, error);
}

static void release(struct broker *broker, struct broker_input *input)
{
    struct broker *inner = ours(broker)->inner;
    inner->operations->release(inner, input);
}

static bool foreign_topic(struct broker *broker, const char *topic, struct topic_info *info,
                          struct error *error)
{
    struct broker *inner = ours(broker)->inner;
    return inner->operations->foreign_topic(inner, topic, info, error);
}

static int64_t end_seen(struct broker *broker, enum broker_topic topic)
{
    struct broker *inner = ours(broker)->inner;
    return inner->operations->end_seen(inner, topic);
}

static void destroy(struct broker *broker)
{
    struct fault_broker *own = ours(broker);
    own->inner->operations->destroy(own->inner);
    free(own);
}

static const struct broker_operations broker_operations = {
    .prove_ownership = prove_ownership,
    .open_producer = open_producer,
    .close_producer = close_producer,
    .begin = begin,
    .produce = produce,
    .commit = commit,
    .abort = abort_transaction,
    .start_reading = start_reading,
    .stop_reading = stop_reading,
    .offsets = offsets,
    .poll = poll_input,
    .release = release,
    .foreign_topic = foreign_topic,
    .end_seen = end_seen,
    .destroy = destroy,
};

struct broker *fault_broker_create(struct broker *inner, struct fault *fault)
{
    assert(inner != NULL);
    assert(fault != NULL);
    struct fault_broker *own = memory_allocate(1, sizeof *own);
    *own = (struct fault_broker){{&broker_operations}, inner, fault};
    return &own->broker;
}

static struct fault_checkpoint *our_port(struct checkpoint_port *port)
{
    struct fault_checkpoint *own = (struct fault_checkpoint *)port;
    assert(own != NULL);
    assert(own->inner != NULL);
    return own;
}

static bool read_snapshot(struct checkpoint_port *port, struct snapshot *snapshot, bool *found,
                          struct error *error)
{
    struct checkpoint_port *inner = our_port(port)->inner;
    return inner->operations->read_snapshot(inner, snapshot, found, error);
}

static bool read_items(struct checkpoint_port *port, store_item_visitor *visitor, void *opaque,
                       struct error *error)
{
    struct checkpoint_port *inner = our_port(port)->inner;
    return inner->operations->read_items(inner, visitor, opaque, error);
}

static void submit(struct checkpoint_port *port, struct store_group *group)
{
    struct fault_checkpoint *own = our_port(port);
    fault_pass(own->fault, FAULT_CHECKPOINT_BEFORE);
    own->inner->operations->submit(own->inner, group);
}

static void look(struct checkpoint_port *port, int64_t generation, int64_t epoch)
{
    struct checkpoint_port *inner = our_port(port)->inner;
    inner->operations->look(inner, generation, epoch);
}

static void position(struct checkpoint_port *port, struct store_position *position)
{
    struct checkpoint_port *inner = our_port(port)->inner;
    inner->operations->position(inner, position);
}

static enum checkpoint_state told(struct fault_checkpoint *own, enum checkpoint_state state)
{
    if (state != CHECKPOINT_IDLE && state != CHECKPOINT_BUSY && state != CHECKPOINT_LOOKED)
        fault_pass(own->fault, FAULT_CHECKPOINT_AFTER);
    return state;
}

static enum checkpoint_state poll_outcome(struct checkpoint_port *port, int32_t *next_part,
                                          struct error *error)
{
    struct fault_checkpoint *own = our_port(port);
    return told(own, own->inner->operations->poll(own->inner, next_part, error));
}

static enum checkpoint_state wait_outcome(struct checkpoint_port *port, int64_t limit_ms,
                                          int32_t *next_part, struct error *error)
{
    struct fault_checkpoint *own = our_port(port);
    return told(own, own->inner->operations->wait(own->inner, limit_ms, next_part, error));
}

static const struct checkpoint_operations checkpoint_operations = {
    .read_snapshot = read_snapshot,
    .read_items = read_items,
    .submit = submit,
    .look = look,
    .position = position,
    .poll = poll_outcome,
    .wait = wait_outcome,
};

struct checkpoint_port *fault_checkpoint_create(struct checkpoint_port *inner,
                                                struct fault *fault)
{
    assert(inner != NULL);
    assert(fault != NULL);
    struct fault_checkpoint *own = memory_allocate(1, sizeof *own);
    *own = (struct fault_checkpoint){{&checkpoint_operations}, inner, fault};
    return &own->port;
}

void fault_checkpoint_destroy(struct checkpoint_port *port)
{
    if (port == NULL) return;
    free(our_port(port));
}
