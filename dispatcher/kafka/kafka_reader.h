/* kafka_reader.h - reading partitions at exact offsets, read_committed, without a group.
 * One reader (a librdkafka client) serves the process; each shard has a reading of its own with
 * one queue, its one wait. The reader may be used by all threads, a reading by its shard's. */
#ifndef BELFRY_KAFKA_READER_H
#define BELFRY_KAFKA_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/kafka/kafka_options.h"

struct kafka_reader;
struct kafka_reading;

/* `options` is borrowed. NULL: ERROR_INVALID, a property is refused. */
struct kafka_reader *kafka_reader_create(const struct kafka_options *options, struct error *error)
    __attribute__((warn_unused_result));
/* Its readings must be destroyed before. NULL is allowed. */
void kafka_reader_destroy(struct kafka_reader *reader);
/* The handle, for requests about the cluster; owned by the reader. */
rd_kafka_t *kafka_reader_handle(struct kafka_reader *reader);
/* Serves logs; to be called now and then by one thread. */
void kafka_reader_serve(struct kafka_reader *reader);

struct kafka_reading *kafka_reading_create(struct kafka_reader *reader, int32_t shard);
void kafka_reading_destroy(struct kafka_reading *reading);

/* As in struct broker_operations: start_reading, stop_reading, offsets, poll, release. The topic
 * is an input or TOPIC_STATE. After a stop nothing of that topic is delivered any more, and after
 * the next start nothing of what was fetched before it. */
bool kafka_reading_start(struct kafka_reading *reading, enum broker_topic topic, int64_t offset,
                         struct error *error) __attribute__((warn_unused_result));
void kafka_reading_stop(struct kafka_reading *reading, enum broker_topic topic);
bool kafka_reading_offsets(struct kafka_reading *reading, enum broker_topic topic, int64_t *first,
                           int64_t *end, struct error *error) __attribute__((warn_unused_result));
bool kafka_reading_poll(struct kafka_reading *reading, int32_t wait_ms,
                        struct broker_input *input, struct error *error)
    __attribute__((warn_unused_result));
void kafka_reading_release(struct broker_input *input);
/* The last stable offset by what was fetched last; -1: nothing was. */
int64_t kafka_reading_end_seen(struct kafka_reading *reading, enum broker_topic topic);

/* Ends a kafka_reading_poll() early; any thread. */
void kafka_reading_wake(struct kafka_reading *reading);

#endif
