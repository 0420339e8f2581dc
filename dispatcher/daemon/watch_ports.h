/* watch_ports.h - ports that say in a loop_watch what their thread is at, around each call of Kafka
 * and Redis and between them, and that pass the fault points of a test (fault.h) there. */
#ifndef BELFRY_DAEMON_WATCH_PORTS_H
#define BELFRY_DAEMON_WATCH_PORTS_H

#include "dispatcher/daemon/fault.h"
#include "dispatcher/daemon/loop_watch.h"
#include "dispatcher/engine/broker.h"
#include "dispatcher/engine/checkpoint_port.h"
#include "store/store.h"

/* Between two calls the loop is at LOOP_STEP. Owns `inner`: destroy() ends both, and may be called
 * by another thread than the loop's.
 *   loop   NULL: nobody watches
 *   fault  borrowed, as the loop; FAULT_NONE: nothing happens at any point */
struct broker *watch_broker_create(struct broker *inner, struct loop *loop, struct fault *fault);

/* The same for a shard's checkpoint. Handing over and asking for outcomes return at once, and
 * belong to LOOP_STEP. `inner` is borrowed. */
struct checkpoint_port *watch_checkpoint_create(struct checkpoint_port *inner, struct loop *loop,
                                                struct fault *fault);
void watch_checkpoint_destroy(struct checkpoint_port *port); /* NULL is allowed */

/* For a store_writer, so it has only what that calls; between two calls the loop rests. Owns
 * `inner`. */
struct store *watch_store_create(struct store *inner, struct loop *loop);

#endif
