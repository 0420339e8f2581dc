/* event_json.h - what happened besides fires, for belfry.events. */
#ifndef BELFRY_SCHEMAS_EVENT_JSON_H
#define BELFRY_SCHEMAS_EVENT_JSON_H

#include "lib/model/output.h"
#include "schemas/text_writer.h"

/* Appends the event of one shard; fields that do not apply are left out. */
void event_encode(struct text_writer *writer, const struct event *event, int32_t shard);

#endif
