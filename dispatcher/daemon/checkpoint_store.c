#include "dispatcher/daemon/checkpoint_store.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "store/store_redis.h"

#define NOT_CLAIMED "no Redis is seen to be ours: see redis.away and redis.refused"

struct checkpoint_store {
    struct checkpoint_port port; /* first: the port's pointer is ours */
    struct store_writer *writer;
    const struct store_redis_options *redis;
    const atomic_bool *claimed;
    int32_t shard;
    struct store *reader; /* open while the shard is taken over, else NULL */
    bool refused;         /* the last group was not handed on */
    struct store_position position; /* of the last look */
};

static struct checkpoint_store *ours(struct checkpoint_port *port)
{
    struct checkpoint_store *own = (struct checkpoint_store *)port;
    assert(own != NULL);
    assert(own->writer != NULL);
    return own;
}

static void close_reader(struct checkpoint_store *own)
{
    if (own->reader != NULL) own->reader->operations->destroy(own->reader);
    own->reader = NULL;
}

static bool open_reader(struct checkpoint_store *own, struct error *error)
{
    if (!atomic_load(own->claimed))
        return error_set(error, ERROR_RETRY, NOT_CLAIMED);
    if (own->reader == NULL) own->reader = store_redis_create(own->redis, error);
    return own->reader != NULL;
}

static bool read_snapshot(struct checkpoint_port *port, struct snapshot *snapshot, bool *found,
                          struct error *error)
{
    struct checkpoint_store *own = ours(port);
    assert(snapshot != NULL && found != NULL);
    if (!open_reader(own, error)) return false;
    bool done = own->reader->operations->read_snapshot(own->reader, own->shard, snapshot, found,
                                                       error);
    if (!done || !*found) close_reader(own);
    return done;
}

static bool read_items(struct checkpoint_port *port, store_item_visitor *visitor, void *opaque,
                       struct error *error)
{
    struct checkpoint_store *own = ours(port);
    assert(visitor != NULL);
    if (!open_reader(own, error)) return false;
    bool done = own->reader->operations->read_items(own->reader, own->shard, visitor, opaque,
                                                    error);
    close_reader(own);
    return done;
}

static void submit(struct checkpoint_port *port, struct store_group *group)
{
    struct checkpoint_store *own = ours(port);
    assert(group != NULL);
    close_reader(own);
    own->refused = !atomic_load(own->claimed);
    if (own->refused) store_group_destroy(group);
    else store_writer_submit(own->writer, group);
}

static void look(struct checkpoint_port *port, int64_t generation, int64_t epoch)
{
    struct checkpoint_store *own = ours(port);
    own->refused = !atomic_load(own->claimed);
    if (!own->refused) store_writer_look(own->writer, own->shard, generation, epoch);
}

static void position(struct checkpoint_port *port, struct store_position *position)
{
    *position = ours(port)->position;
}

static enum checkpoint_state outcome_of(const struct store_result *result, int32_t *next_part,
                                        struct error *error)
{
    *next_part = result->next_part;
    if (result->failed) {
        error_set(error, result->error.kind, "%s", result->error.message);
        return CHECKPOINT_AWAY;
    }
    if (result->looked) return CHECKPOINT_LOOKED;
    switch (result->outcome) {
    case STORE_WRITTEN: return CHECKPOINT_WRITTEN;
    case STORE_GAP: return CHECKPOINT_GAP;
    case STORE_STALE: return CHECKPOINT_STALE;
    case STORE_DAMAGED: return CHECKPOINT_DAMAGED;
    }
    return CHECKPOINT_AWAY;
}

static enum checkpoint_state wait_outcome(struct checkpoint_port *port, int64_t limit_ms,
                                          int32_t *next_part, struct error *error)
{
    struct checkpoint_store *own = ours(port);
    assert(next_part != NULL);
    if (own->refused) {
        own->refused = false;
        *next_part = 0;
        error_set(error, ERROR_RETRY, NOT_CLAIMED);
        return CHECKPOINT_AWAY;
    }
    struct store_result result;
    switch (store_writer_wait(own->writer, own->shard, limit_ms, &result)) {
    case STORE_WRITER_IDLE: return CHECKPOINT_IDLE;
    case STORE_WRITER_BUSY: return CHECKPOINT_BUSY;
    case STORE_WRITER_DONE:
        if (result.looked) own->position = result.position;
        return outcome_of(&result, next_part, error);
    }
    return CHECKPOINT_IDLE;
}

static enum checkpoint_state poll_outcome(struct checkpoint_port *port, int32_t *next_part,
                                          struct error *error)
{
    return wait_outcome(port, 0, next_part, error);
}

static const struct checkpoint_operations operations = {
    .read_snapshot = read_snapshot,
    .read_items = read_items,
    .submit = submit,
    .look = look,
    .position = position,
    .poll = poll_outcome,
    .wait = wait_outcome,
};

struct checkpoint_port *checkpoint_store_create(struct store_writer *writer,
                                                const struct store_redis_options *redis,
                                                const atomic_bool *claimed, int32_t shard)
{
    assert(writer != NULL && redis != NULL);
    assert(claimed != NULL && shard >= 0);
    struct checkpoint_store *own = memory_allocate(1, sizeof *own);
    own->port.operations = &operations;
    own->writer = writer;
    own->redis = redis;
    own->claimed = claimed;
    own->shard = shard;
    return &own->port;
}

void checkpoint_store_destroy(struct checkpoint_port *port)
{
    if (port == NULL) return;
    struct checkpoint_store *own = ours(port);
    close_reader(own);
    store_writer_cancel(own->writer, own->shard);
    free(own);
}
