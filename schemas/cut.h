/* cut.h - a small result or event in the place of one that Kafka does not take. */
#ifndef BELFRY_SCHEMAS_CUT_H
#define BELFRY_SCHEMAS_CUT_H

#include "lib/base/text.h"
#include "schemas/text_writer.h"

enum {
    CUT_JSON_BYTES = 16 * 1024, /* room for what is left of a result or event */
    CUT_DEAD_BYTES = 512       /* of the value of a dead letter */
};

/* Everything but the lists; a warning `too_large` says that they are missing. */
void cut_result(struct text result, struct text_writer *writer);
/* Everything but the texts for people. */
void cut_event(struct text event, struct text_writer *writer);

#endif
