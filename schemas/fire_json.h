/* fire_json.h - a fire as a CloudEvent 1.0, a million of them a second.
 *
 * Structured: the value is the whole event. Binary: the attributes are ce_ headers and the value
 * is the payload, which the caller passes on as it is. */
#ifndef BELFRY_SCHEMAS_FIRE_JSON_H
#define BELFRY_SCHEMAS_FIRE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/job_record.h"
#include "lib/model/output.h"
#include "lib/time/instant.h"
#include "schemas/record_header.h"
#include "schemas/text_writer.h"

enum {
    FIRE_SOURCE_BYTES_MAX = 300,
    FIRE_PREFIX_BYTES_MAX = FIRE_SOURCE_BYTES_MAX + 100,
    /* content-type, twenty-two attributes and the trace once more, then the job's own. */
    FIRE_HEADERS_MAX = 24 + HEADERS_MAX
};

/* An instant and its text: most fires of a step share theirs. */
struct instant_memo {
    int64_t instant_ms;
    char text[INSTANT_TEXT_BYTES];
};

/* What all fires of a shard share. Belongs to one thread. */
struct fire_encoder {
    char source[FIRE_SOURCE_BYTES_MAX]; /* "/belfry/<cluster>/<shard>", terminated */
    char prefix[FIRE_PREFIX_BYTES_MAX]; /* the event up to the value of "id" */
    size_t prefix_length;
    struct instant_memo now;
    struct instant_memo nominal;
};

/* `cluster` obeys the rule for groups. */
void fire_encoder_init(struct fire_encoder *encoder, struct text cluster, int32_t shard);

/* One fire and what its job says; all borrowed. */
struct fire_view {
    struct text group;
    struct text id;
    struct text payload; /* JSON text, or bytes when payload_binary; empty: none */
    struct text content_type; /* empty: application/json, or application/octet-stream for bytes */
    struct text headers; /* the job's own, pairs */
    const struct incarnation *incarnation;
    struct text traceparent; /* empty: none */
    struct text trigger_id; /* command id of a trigger, id of a backfill; empty: a slot */
    const struct fire_run *run; /* NULL: no lease, and none of its attributes */
    const struct incarnation *import; /* of a backfill: where the job's import stood; NULL: none */
    int64_t revision;
    int64_t nominal_ms;
    int64_t due_ms;
    int64_t now_ms;
    int64_t missed_count;
    int32_t attempt;
    enum fire_kind kind;
    bool payload_binary;
};

/* An upper bound of what fire_encode() appends. */
size_t fire_bytes_bound(const struct fire_view *fire);

/* Appends the structured event; returns its bytes, 0 when a fixed writer has no room (nothing is
 * appended then). */
size_t fire_encode(struct fire_encoder *encoder, const struct fire_view *fire,
                   struct text_writer *writer);

/* The headers of the record in either mode, content-type first, the job's own last; returns how
 * many. Texts point into `fire`, the encoder and `scratch`, a fixed writer with room for
 * FIRE_HEADER_SCRATCH_BYTES more, and live as long as these. */
enum { FIRE_HEADER_SCRATCH_BYTES = 2048 };
size_t fire_headers(struct fire_encoder *encoder, const struct fire_view *fire,
                    enum fire_format format, struct text_writer *scratch,
                    struct record_header headers[FIRE_HEADERS_MAX]);

#endif
