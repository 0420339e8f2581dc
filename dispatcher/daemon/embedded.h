/* embedded.h - the trial mode's own Redis (a child process) and Kafka (librdkafka's mock cluster in
 * this process). docs/embedded.md has its limits. */
#ifndef BELFRY_DAEMON_EMBEDDED_H
#define BELFRY_DAEMON_EMBEDDED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "dispatcher/config/config.h"
#include "dispatcher/engine/clock.h"
#include "dispatcher/kafka/kafka_options.h"
#include "lib/base/error.h"

struct embedded;

/* Starts both, with data in config->embedded, which is made if it is not there; points
 * config->kafka_brokers and config->redis at them; writes DIR/addresses and prints what a user
 * must know on stdout. Ends early when *stop gets true. `log` is borrowed.
 *   errors  ERROR_FATAL: no redis-server, no directory, another belfryd there ... */
struct embedded *embedded_start(struct config *config, const struct clock *clock,
                                const struct kafka_log *log, const atomic_bool *stop,
                                struct error *error) __attribute__((warn_unused_result));

/* False once the child has ended by itself. */
bool embedded_alive(struct embedded *embedded);

/* Ends both, after all their clients; the data stay. NULL is allowed. */
void embedded_stop(struct embedded *embedded);

#endif
