/* kafka_client.h - a librdkafka handle whose logs and errors go to the adapter's log. */
#ifndef BELFRY_KAFKA_CLIENT_H
#define BELFRY_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "dispatcher/kafka/kafka_options.h"

/* The opaque of every handle: callbacks find log and owner here. */
struct kafka_client {
    struct kafka_log log;
    void *owner;
    atomic_uint closed; /* connections that have ended; counted by librdkafka's threads */
};

/* Makes the handle. Takes `conf`, also on failure; `client` is borrowed until rd_kafka_destroy().
 * Callbacks run only in threads that poll the handle or its queues, never in librdkafka's; only the
 * count of closed connections is its threads' own.
 *   NULL  ERROR_INVALID: properties contradict each other, named in the text */
rd_kafka_t *kafka_client_open(struct kafka_client *client, rd_kafka_conf_t *conf,
                              enum kafka_role role, struct error *error)
    __attribute__((warn_unused_result));

void kafka_client_log(const struct kafka_log *log, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The version of librdkafka that is loaded, such as "2.0.2". */
const char *kafka_library_version(void);

#endif
