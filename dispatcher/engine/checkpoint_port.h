/* checkpoint_port.h - port: the store as one shard sees it. Reading blocks (only while taking
 * over); writing does not: a group of writes is handed over and its outcome asked for later; when
 * it is there, the shard's wait ends early.
 * Real: dispatcher/daemon/checkpoint_store.c over store/store_writer.h. Simulated: tests. */
#ifndef BELFRY_ENGINE_CHECKPOINT_PORT_H
#define BELFRY_ENGINE_CHECKPOINT_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"
#include "store/store_group.h"

enum checkpoint_state {
    CHECKPOINT_IDLE = 0, /* nothing was handed over, or its outcome was taken */
    CHECKPOINT_BUSY,     /* not done yet */
    CHECKPOINT_WRITTEN,
    CHECKPOINT_GAP,     /* it is not where the group follows: look */
    CHECKPOINT_STALE, /* a newer owner writes there */
    CHECKPOINT_DAMAGED, /* it has lost something: write the whole shard */
    CHECKPOINT_LOOKED,  /* position() tells what was asked for with look() */
    CHECKPOINT_AWAY     /* the store did not answer; it may have been written */
};

struct checkpoint_port;
struct checkpoint_operations {
    /* See store.h. ERROR_RETRY: away. */
    bool (*read_snapshot)(struct checkpoint_port *port, struct snapshot *snapshot, bool *found,
                          struct error *error);
    bool (*read_items)(struct checkpoint_port *port, store_item_visitor *visitor, void *opaque,
                       struct error *error);
    /* Takes the finished group over. At most one is under way: only when poll said IDLE, or
     * after it told an outcome. */
    void (*submit)(struct checkpoint_port *port, struct store_group *group);
    /* Asks where the store stands for the groups of this owner: as submit, the outcome is LOOKED,
     * then position() tells it, or AWAY. */
    void (*look)(struct checkpoint_port *port, int64_t generation, int64_t epoch);
    void (*position)(struct checkpoint_port *port, struct store_position *position);
    /* The outcome of the group handed over last; each is told once. *next_part: what a group that
     * goes on after an unfinished one begins with. *error tells why it is AWAY. */
    enum checkpoint_state (*poll)(struct checkpoint_port *port, int32_t *next_part,
                                  struct error *error);
    /* As poll, waiting for an outcome up to limit_ms. */
    enum checkpoint_state (*wait)(struct checkpoint_port *port, int64_t limit_ms,
                                  int32_t *next_part, struct error *error);
};
struct checkpoint_port {
    const struct checkpoint_operations *operations;
};

#endif
