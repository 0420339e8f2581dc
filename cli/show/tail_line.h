/* tail_line.h - a Kafka record as one line for people. Foreign bytes are escaped. */
#ifndef BELFRY_CLI_TAIL_LINE_H
#define BELFRY_CLI_TAIL_LINE_H

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "lib/base/text.h"
#include "schemas/text_writer.h"

typedef void tail_formatter(struct text_writer *line, const rd_kafka_message_t *message,
                            const json_t *value);

/* Each appends one line without its end. `value` is the parsed record, NULL when it is no JSON
 * object. */
tail_formatter tail_line_fire;
tail_formatter tail_line_result;
tail_formatter tail_line_event;

/* GROUP/ID, or what else names the record; for -o name. */
void tail_name(struct text_writer *line, const rd_kafka_message_t *message, const json_t *value);

/* Whether the record is about a job of this group. */
bool tail_is_of_group(const rd_kafka_message_t *message, const json_t *value, const char *group);

/* A text header of the record; false when it has none of the name. */
bool record_header(const rd_kafka_message_t *message, const char *name, struct text *value);

/* The record with everything Kafka knows of it, as one JSON object owned by the caller. */
json_t *record_to_json(const rd_kafka_message_t *message);

#endif
