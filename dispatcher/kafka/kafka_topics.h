/* kafka_topics.h - Belfry's own topics: names, settings, creating and checking them. */
#ifndef BELFRY_KAFKA_TOPICS_H
#define BELFRY_KAFKA_TOPICS_H

#include <stdbool.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/kafka/kafka_admin.h"
#include "dispatcher/kafka/kafka_options.h"
#include "lib/base/topic_name.h"

/* Receives one line for each topic made and each setting that differs from Belfry's. */
struct kafka_report {
    void *opaque;
    void (*write)(void *opaque, const char *text);
};

/* "<cluster>.control" and so on; not for TOPIC_FOREIGN. */
void kafka_topic_name(const char *cluster, enum broker_topic topic,
                      char name[TOPIC_NAME_BYTES]);

/* Creates what is missing, waits until all topics can be used, compares the settings of those
 * that were there and reports each difference. Several daemons may do so at once. Blocks up to
 * 30 s. Not for the mock cluster.
 *   runs_by_append_time  the broker's clock, and not the sender's, gives records of runs their
 *                        time; false also where that was not to be seen
 *   errors  ERROR_INVALID: a topic has another number of partitions than `shards`;
 *           ERROR_RETRY: the cluster does not answer; ERROR_FATAL: no right to create */
bool kafka_topics_prepare(rd_kafka_t *handle, const struct kafka_options *options,
                          const struct kafka_report *report, bool *runs_by_append_time,
                          struct error *error)
    __attribute__((warn_unused_result));

/* The same looks at what is there, creating nothing: one line for each difference and for each
 * topic that is missing. Errors: as kafka_topics_prepare(). */
bool kafka_topics_check(rd_kafka_t *handle, const struct kafka_options *options,
                        const struct kafka_report *report, int32_t *missing_count,
                        struct error *error) __attribute__((warn_unused_result));

#endif
