#include "dispatcher/daemon/watch_ports.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/memory.h"

static void stamp(struct loop *loop, enum loop_call call)
{
    if (loop != NULL) loop_enter(loop, call);
}

/* ---- Kafka ---- */

struct watch_broker {
    struct broker broker; /* first: the port's pointer is ours */
    struct broker *inner;
    struct loop *loop; /* NULL: nobody watches */
    struct fault *fault;
};

static struct watch_broker *ours(struct broker *broker)
{
    struct watch_broker *own = (struct watch_broker *)broker;
    assert(own != NULL && own->inner != NULL);
    return own;
}

/* Into a call, and back from it. */
static struct broker *into(struct broker *broker, enum loop_call call)
{
    struct watch_broker *own = ours(broker);
    stamp(own->loop, call);
    return own->inner;
}

static bool back(struct broker *broker, bool done)
{
    stamp(ours(broker)->loop, LOOP_STEP);
    return done;
}

/* The same, past the points of a test before and behind it. */
static struct broker *past(struct broker *broker, enum fault_point before, enum loop_call call)
{
    fault_pass(ours(broker)->fault, before);
    return into(broker, call);
}

static bool back_past(struct broker *broker, bool done, enum fault_point after)
{
    (void)back(broker, done);
    fault_pass(ours(broker)->fault, after);
    return done;
}

static bool prove_ownership(struct broker *broker, int64_t control_offset, struct error *error)
{
    struct broker *inner = into(broker, LOOP_QUESTION);
    return back(broker, inner->operations->prove_ownership(inner, control_offset, error));
}

static bool open_producer(struct broker *broker, struct error *error)
{
    struct broker *inner = past(broker, FAULT_INIT_BEFORE, LOOP_PRODUCER);
    return back_past(broker, inner->operations->open_producer(inner, error), FAULT_INIT_AFTER);
}

static void close_producer(struct broker *broker)
{
    struct broker *inner = into(broker, LOOP_PRODUCER);
    inner->operations->close_producer(inner);
    (void)back(broker, true);
}

static bool begin(struct broker *broker, struct error *error)
{
    struct broker *inner = past(broker, FAULT_BEGIN_BEFORE, LOOP_QUESTION);
    return back(broker, inner->operations->begin(inner, error));
}

static bool produce(struct broker *broker, const struct broker_record *record,
                    struct error *error)
{
    struct broker *inner = past(broker, FAULT_PRODUCE_BEFORE, LOOP_PRODUCE);
    return back_past(broker, inner->operations->produce(inner, record, error),
                     FAULT_PRODUCE_AFTER);
}

static bool commit(struct broker *broker, struct broker_receipt *receipt, struct error *error)
{
    struct broker *inner = past(broker, FAULT_COMMIT_BEFORE, LOOP_COMMIT);
    return back_past(broker, inner->operations->commit(inner, receipt, error),
                     FAULT_COMMIT_AFTER);
}

static bool abort_transaction(struct broker *broker, struct error *error)
{
    struct broker *inner = into(broker, LOOP_COMMIT);
    return back(broker, inner->operations->abort(inner, error));
}

static bool start_reading(struct broker *broker, enum broker_topic topic, int64_t offset,
                          struct error *error)
{
    struct broker *inner = into(broker, LOOP_QUESTION);
    return back(broker, inner->operations->start_reading(inner, topic, offset, error));
}

static void stop_reading(struct broker *broker, enum broker_topic topic)
{
    struct broker *inner = into(broker, LOOP_QUESTION);
    inner->operations->stop_reading(inner, topic);
    (void)back(broker, true);
}

static bool offsets(struct broker *broker, enum broker_topic topic, int64_t *first, int64_t *end,
                    struct error *error)
{
    struct broker *inner = into(broker, LOOP_QUESTION);
    return back(broker, inner->operations->offsets(inner, topic, first, end, error));
}

static bool poll_input(struct broker *broker, int32_t wait_ms, struct broker_input *input,
                       struct error *error)
{
    struct broker *inner = into(broker, LOOP_QUESTION);
    return back(broker, inner->operations->poll(inner, wait_ms, input, error));
}

static void release(struct broker *broker, struct broker_input *input)
{
    struct broker *inner = ours(broker)->inner;
    inner->operations->release(inner, input);
}

static bool foreign_topic(struct broker *broker, const char *topic, struct topic_info *info,
                          struct error *error)
{
    struct broker *inner = into(broker, LOOP_QUESTION);
    return back(broker, inner->operations->foreign_topic(inner, topic, info, error));
}

/* Asks nobody outside. */
static int64_t end_seen(struct broker *broker, enum broker_topic topic)
{
    struct broker *inner = ours(broker)->inner;
    return inner->operations->end_seen(inner, topic);
}

static bool tick(struct broker *broker, struct text value, struct error *error)
{
    struct broker *inner = into(broker, LOOP_QUESTION);
    return back(broker, inner->operations->tick(inner, value, error));
}

static bool ask_committed(struct broker *broker, const char *group,
                          const struct broker_place *places, size_t count, struct error *error)
{
    struct broker *inner = into(broker, LOOP_QUESTION);
    return back(broker, inner->operations->ask_committed(inner, group, places, count, error));
}

static enum broker_answer committed(struct broker *broker, struct broker_place *places,
                                    size_t count, struct error *error)
{
    struct broker *inner = into(broker, LOOP_QUESTION);
    enum broker_answer answer = inner->operations->committed(inner, places, count, error);
    (void)back(broker, true);
    return answer;
}

static void destroy(struct broker *broker)
{
    struct watch_broker *own = ours(broker);
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
    .tick = tick,
    .ask_committed = ask_committed,
    .committed = committed,
    .destroy = destroy,
};

struct broker *watch_broker_create(struct broker *inner, struct loop *loop, struct fault *fault)
{
    assert(inner != NULL && fault != NULL);
    struct watch_broker *own = memory_allocate(1, sizeof *own);
    *own = (struct watch_broker){{&broker_operations}, inner, loop, fault};
    return &own->broker;
}

/* ---- the store, as a shard sees it ---- */

struct watch_checkpoint {
    struct checkpoint_port port; /* first */
    struct checkpoint_port *inner;
    struct loop *loop; /* NULL: nobody watches */
    struct fault *fault;
};

/* One item after the other, however many: each is a call of its own. */
struct visit {
    struct loop *loop;
    store_item_visitor *visitor;
    void *opaque;
};

static bool visit_item(void *opaque, const struct store_item *item, struct error *error)
{
    const struct visit *visit = opaque;
    stamp(visit->loop, LOOP_STEP);
    bool done = visit->visitor(visit->opaque, item, error);
    stamp(visit->loop, LOOP_STORE);
    return done;
}

static struct watch_checkpoint *our_port(struct checkpoint_port *port)
{
    struct watch_checkpoint *own = (struct watch_checkpoint *)port;
    assert(own != NULL && own->inner != NULL);
    return own;
}

static bool read_snapshot(struct checkpoint_port *port, struct snapshot *snapshot, bool *found,
                          struct error *error)
{
    struct watch_checkpoint *own = our_port(port);
    stamp(own->loop, LOOP_STORE);
    bool done = own->inner->operations->read_snapshot(own->inner, snapshot, found, error);
    stamp(own->loop, LOOP_STEP);
    return done;
}

static bool read_items(struct checkpoint_port *port, store_item_visitor *visitor, void *opaque,
                       struct error *error)
{
    struct watch_checkpoint *own = our_port(port);
    struct visit visit = {own->loop, visitor, opaque};
    stamp(own->loop, LOOP_STORE);
    bool done = own->inner->operations->read_items(own->inner, visit_item, &visit, error);
    stamp(own->loop, LOOP_STEP);
    return done;
}

static void submit(struct checkpoint_port *port, struct store_group *group)
{
    struct watch_checkpoint *own = our_port(port);
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

/* An outcome is one of what was handed over. */
static enum checkpoint_state told(struct watch_checkpoint *own, enum checkpoint_state state)
{
    if (state != CHECKPOINT_IDLE && state != CHECKPOINT_BUSY && state != CHECKPOINT_LOOKED)
        fault_pass(own->fault, FAULT_CHECKPOINT_AFTER);
    return state;
}

static enum checkpoint_state poll_outcome(struct checkpoint_port *port, int32_t *next_part,
                                          struct error *error)
{
    struct watch_checkpoint *own = our_port(port);
    return told(own, own->inner->operations->poll(own->inner, next_part, error));
}

static enum checkpoint_state wait_outcome(struct checkpoint_port *port, int64_t limit_ms,
                                          int32_t *next_part, struct error *error)
{
    struct watch_checkpoint *own = our_port(port);
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

struct checkpoint_port *watch_checkpoint_create(struct checkpoint_port *inner, struct loop *loop,
                                                struct fault *fault)
{
    assert(inner != NULL && fault != NULL);
    struct watch_checkpoint *own = memory_allocate(1, sizeof *own);
    *own = (struct watch_checkpoint){{&checkpoint_operations}, inner, loop, fault};
    return &own->port;
}

void watch_checkpoint_destroy(struct checkpoint_port *port)
{
    free(port);
}

/* ---- the store, as the writer sees it ---- */

struct watch_store {
    struct store store; /* first */
    struct store *inner;
    struct loop *loop;
};

static struct watch_store *our_store(struct store *store)
{
    struct watch_store *own = (struct watch_store *)store;
    assert(own != NULL && own->inner != NULL);
    loop_enter(own->loop, LOOP_STORE);
    return own;
}

static bool write_parts(struct store *store, const struct store_write *writes, size_t count,
                        size_t *written, enum store_outcome *outcome, struct error *error)
{
    struct watch_store *own = our_store(store);
    bool done = own->inner->operations->write_parts(own->inner, writes, count, written, outcome,
                                                    error);
    loop_rest(own->loop);
    return done;
}

static bool look_at(struct store *store, int32_t shard, int64_t generation, int64_t epoch,
                    struct store_position *found, struct error *error)
{
    struct watch_store *own = our_store(store);
    bool done = own->inner->operations->look(own->inner, shard, generation, epoch, found, error);
    loop_rest(own->loop);
    return done;
}

static void destroy_store(struct store *store)
{
    struct watch_store *own = (struct watch_store *)store;
    own->inner->operations->destroy(own->inner);
    free(own);
}

static const struct store_operations store_operations = {
    .write_parts = write_parts,
    .look = look_at,
    .destroy = destroy_store,
};

struct store *watch_store_create(struct store *inner, struct loop *loop)
{
    assert(inner != NULL && loop != NULL);
    assert(inner->operations->write_parts != NULL);
    struct watch_store *own = memory_allocate(1, sizeof *own);
    *own = (struct watch_store){{&store_operations}, inner, loop};
    return &own->store;
}
