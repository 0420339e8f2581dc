/* logfmt.h - one value of a log line, as `key=value key="a text"`. Of belfryd, belfry-worker and
 * libbelfry. */
#ifndef BELFRY_BASE_LOGFMT_H
#define BELFRY_BASE_LOGFMT_H

#include <stddef.h>

#include "lib/base/text.h"

/* Writes text as one value in double quotes, which JSON would read, too: control characters are
 * escaped or '?', and what has no room is cut off between two characters. bytes >= 3.
 * Returns quoted, for use as an argument. */
const char *logfmt_quote(char *quoted, size_t bytes, struct text text);

/* The same without the quotes where nothing asks for them: no blank, quote, '=', '\', control
 * character, and not empty. */
const char *logfmt_value(char *shown, size_t bytes, struct text text);

#endif
