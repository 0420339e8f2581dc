/* cancel_json.h - a request to stop a try, for <cluster>.cancels. */
#ifndef BELFRY_SCHEMAS_CANCEL_JSON_H
#define BELFRY_SCHEMAS_CANCEL_JSON_H

#include "lib/model/run.h"
#include "schemas/text_writer.h"

void run_cancel_encode(struct text_writer *writer, const struct run_cancel *cancel);

#endif
