/* kafka_admin.h - questions to the cluster about topics, each answered within a bound. */
#ifndef BELFRY_KAFKA_ADMIN_H
#define BELFRY_KAFKA_ADMIN_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/kafka/kafka_options.h"
#include "lib/base/error.h"

struct kafka_topic_facts {
    bool exists;    /* false also when the name cannot be one, or we may not see it */
    bool forbidden; /* ... because of the last reason */
    int32_t partitions;
    int32_t replicas; /* of partition 0 */
};

/* Asks for one topic; never makes the broker create it. Any thread, any kind of handle; on the
 * handle of a producer the topic is then warm. Blocks up to KAFKA_REQUEST_WAIT_MS.
 *   errors  ERROR_RETRY: no answer */
bool kafka_admin_look_up(rd_kafka_t *handle, const char *topic, struct kafka_topic_facts *facts,
                         struct error *error) __attribute__((warn_unused_result));
/* The same within wait_ms. */
bool kafka_admin_look_up_within(rd_kafka_t *handle, const char *topic, int wait_ms,
                                struct kafka_topic_facts *facts, struct error *error)
    __attribute__((warn_unused_result));

/* Called for each setting; name and value are borrowed. */
typedef void kafka_setting_function(void *opaque, const char *name, const char *value);

/* All settings of a topic (or of a broker, by its number as text). Blocks as look_up().
 *   errors  ERROR_RETRY or ERROR_FATAL (no right to describe) */
bool kafka_admin_describe(rd_kafka_t *handle, rd_kafka_ResourceType_t type, const char *name,
                          kafka_setting_function *function, void *opaque, struct error *error)
    __attribute__((warn_unused_result));

/* Of these only a topic's max.message.bytes; 0: not told. Blocks up to twice wait_ms. */
bool kafka_admin_size_limit(rd_kafka_t *handle, const char *topic, int wait_ms, int64_t *bytes,
                            struct error *error) __attribute__((warn_unused_result));

/* Creates a topic with the broker's default replication factor. One that exists already is no
 * error. Blocks up to twice KAFKA_REQUEST_WAIT_MS. */
bool kafka_admin_create(rd_kafka_t *handle, const char *topic, int32_t partitions,
                        const struct kafka_property *settings, size_t count,
                        struct error *error) __attribute__((warn_unused_result));

/* How many members a consumer group has, and of the first one who it is: "id at host". A group
 * that does not exist has none. Blocks as look_up().
 *   errors  ERROR_RETRY: not every broker answered */
enum { KAFKA_MEMBER_TEXT_BYTES = 160 };
bool kafka_admin_group_members(rd_kafka_t *handle, const char *group, int32_t *count,
                               char first[KAFKA_MEMBER_TEXT_BYTES], struct error *error)
    __attribute__((warn_unused_result));

#endif
