/* cli_kafka.h - the command line's way to Kafka: a careful producer and a reader without a
 * group. Every wait has an end. */
#ifndef BELFRY_CLI_CLI_KAFKA_H
#define BELFRY_CLI_CLI_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/words/settings.h"
#include "lib/base/error.h"
#include "lib/base/limits.h"
#include "lib/base/topic_name.h"
#include "schemas/text_writer.h"

enum cli_kafka_role { CLI_PRODUCER, CLI_READER };

struct cli_kafka;

/* Does not connect yet. Errors: ERROR_INVALID, code "usage": a property of -X. NULL then. */
struct cli_kafka *cli_kafka_create(const struct settings *settings, enum cli_kafka_role role,
                                         struct error *error) __attribute__((warn_unused_result));
/* With properties that win over those of -X: rows of name and value, the last one NULL. */
struct cli_kafka *cli_kafka_create_with(const struct settings *settings, enum cli_kafka_role role,
                                        const char *const extra[][2], struct error *error)
    __attribute__((warn_unused_result));
void cli_kafka_destroy(struct cli_kafka *client);

/* Number of partitions of a topic.
 * Errors: ERROR_RETRY Kafka does not answer; ERROR_FATAL the topic does not exist. */
bool cli_kafka_partitions(struct cli_kafka *client, const char *topic, int32_t *partitions,
                             struct error *error) __attribute__((warn_unused_result));

enum { ANY_PARTITION = -1 };

struct write_record {
    int32_t partition; /* ANY_PARTITION: the daemon fans it out */
    const char *key;   /* a group of the shard, NULL = none; borrowed from the request */
    char command_id[COMMAND_ID_BYTES_MAX + 1];
    struct text_writer value;
    size_t jobs;       /* of add and put */
    /* Set by cli_kafka_send(). */
    bool delivered;
    int32_t delivered_partition;
    int64_t delivered_offset;
    char fault[160];   /* why it was not delivered, "" = not known yet */
    int fault_code;    /* rd_kafka_resp_err_t, likewise */
};

/* Sends records and waits for their acknowledgements (acks=all). False: at least one was not
 * acknowledged, its `fault` says why; it may have been written all the same.
 * Errors: ERROR_RETRY. */
bool cli_kafka_send(struct cli_kafka *client, const char *topic,
                       struct write_record *records, size_t count, struct error *error)
    __attribute__((warn_unused_result));

enum read_from { READ_FROM_BEGINNING, READ_FROM_END };

/* Starts to read all partitions of a topic, committed records only. READ_FROM_END: when it
 * returns, the ends are fixed; what is written later will be read. */
bool cli_kafka_read(struct cli_kafka *client, const char *topic, int32_t partitions,
                       enum read_from from, struct error *error)
    __attribute__((warn_unused_result));

/* Where a partition can be read now: its oldest record and where the next one will come.
 * Errors: ERROR_RETRY. */
bool cli_kafka_bounds(struct cli_kafka *client, const char *topic, int32_t partition,
                      int64_t *oldest, int64_t *end, struct error *error)
    __attribute__((warn_unused_result));

/* The first offset of a partition whose record is not older than from_ms; `end` where all are.
 * Errors: ERROR_RETRY. */
bool cli_kafka_offset_at(struct cli_kafka *client, const char *topic, int32_t partition,
                         int64_t from_ms, int64_t end, int64_t *offset, struct error *error)
    __attribute__((warn_unused_result));

/* As cli_kafka_read, at offsets of the caller's: starts[p], -1 = not this partition. */
bool cli_kafka_read_at(struct cli_kafka *client, const char *topic, int32_t partitions,
                       const int64_t *starts, struct error *error)
    __attribute__((warn_unused_result));

/* The handle of librdkafka, for questions about the cluster. Borrowed. */
rd_kafka_t *cli_kafka_handle(struct cli_kafka *client);

/* Whether the cluster id is that of the stand-in of belfryd --embedded. */
bool cli_kafka_is_embedded(const char *cluster_id);

/* The same of the cluster itself; false where it does not say who it is. */
bool cli_kafka_reads_embedded(struct cli_kafka *client);

/* The next record, NULL when none came in wait_ms. End-of-partition marks come as records with
 * err RD_KAFKA_RESP_ERR__PARTITION_EOF. The caller destroys it. False: ERROR_RETRY. */
bool cli_kafka_next(struct cli_kafka *client, int wait_ms, rd_kafka_message_t **message,
                       struct error *error) __attribute__((warn_unused_result));

/* <cluster>.<suffix> */
void topic_name(char text[TOPIC_NAME_BYTES], const struct settings *settings, const char *suffix);

#endif
