/* json_scan.h - picks values out of the compact JSON that Belfry writes, without parsing it: the
 * checker reads a hundred thousand records a second. Names and words need no escapes here. It has
 * no line of lib/base/json_scan in it, with which the engine reads; and it is not jansson: a tree
 * for each record makes a run of the simulator a third longer. */
#ifndef BELFRY_TESTS_JSON_SCAN_H
#define BELFRY_TESTS_JSON_SCAN_H

#include <stdint.h>

#include "lib/base/text.h"

/* What follows the first occurrence of the mark; empty: none. */
struct text scan_after(struct text text, const char *mark);
/* The same, up to the next quote. */
struct text scan_text(struct text text, const char *mark);
int64_t scan_number(struct text text, const char *mark, int64_t otherwise);
/* A time as Belfry writes it, in ms; INT64_MIN: none. */
int64_t scan_instant(struct text text, const char *mark);

#endif
