/* cloudevents.h - where the command stands in a record: the value itself, or the data of a
 * CloudEvent 1.0 in structured or binary mode. */
#ifndef BELFRY_SCHEMAS_CLOUDEVENTS_H
#define BELFRY_SCHEMAS_CLOUDEVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "schemas/json_reader.h"
#include "schemas/record_header.h"

enum event_mode { EVENT_NONE = 0, EVENT_STRUCTURED, EVENT_BINARY };

/* By the headers alone; headers of no meaning are ignored.
 *   event_id  the ce_id of binary mode, else empty
 *   errors    ERROR_INVALID: a batch, a version that is not 1.0, attributes missing */
bool cloudevents_mode(const struct record_header *headers, size_t header_count,
                      enum event_mode *mode, struct text *event_id, struct error *error)
    __attribute__((warn_unused_result));

/* Structured mode: checks the envelope and finds its data.
 *   envelope  the parsed value; must outlive `data`, whose parent it becomes
 *   event_id  set as soon as it can be read, on false too */
bool cloudevents_open(const struct json_node *envelope, struct json_node *data,
                      struct text *event_id, struct error *error)
    __attribute__((warn_unused_result));

/* The trace that the record comes with, besides what its command says: the CloudEvents attribute,
 * or the header of that name, which tracing clients add by themselves. What is not valid is no
 * mistake of the command's, and no trace; then the result is empty.
 *   root  the parsed value */
struct text cloudevents_traceparent(const struct record_header *headers, size_t header_count,
                                    enum event_mode mode, const struct json_node *root);

/* Whether a content type says JSON: application/json, text/json or anything ending in +json. */
bool content_type_is_json(struct text content_type);

#endif
