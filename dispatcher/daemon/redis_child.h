/* redis_child.h - a private redis-server: a child of this process, on a socket in its directory,
 * with its data in an append-only file there. It ends with us, however we end. */
#ifndef BELFRY_DAEMON_REDIS_CHILD_H
#define BELFRY_DAEMON_REDIS_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "dispatcher/engine/clock.h"
#include "lib/base/error.h"

struct redis_child;

/* Makes the directory (not its parents) where it is missing, starts the server and waits until
 * it answers, or until *stop gets true. Call it from the thread that lives as long as the process.
 *   errors  ERROR_FATAL, with what to do */
struct redis_child *redis_child_start(const char *directory, const struct clock *clock,
                                      const atomic_bool *stop, struct error *error)
    __attribute__((warn_unused_result));

/* Absolute; owned by the child. */
const char *redis_child_directory(const struct redis_child *child);
const char *redis_child_socket(const struct redis_child *child);

/* False once it has ended by itself. */
bool redis_child_alive(struct redis_child *child);

/* Ends the server in an orderly way, after a while without. NULL is allowed. */
void redis_child_stop(struct redis_child *child);

#endif
