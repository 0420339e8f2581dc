/* traceparent.h - the trace context of W3C, version 00: which trace something is part of, and which
 * step of it caused it. A text that is passed on as it is. */
#ifndef BELFRY_MODEL_TRACEPARENT_H
#define BELFRY_MODEL_TRACEPARENT_H

#include <stdbool.h>

#include "lib/base/text.h"

enum { TRACEPARENT_BYTES = 55 };

/* 00-<trace id: 32 digits>-<parent id: 16>-<flags: 2>, hexadecimal in small letters; neither id may
 * be all zeros. */
bool traceparent_is_valid(struct text text);

#endif
