/* number.h - whole decimal numbers as text. */
#ifndef BELFRY_BASE_NUMBER_H
#define BELFRY_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/text.h"

/* Reads a whole text: digits, a minus before them or not. False: it is something else, or does not
 * fit into 64 bits.
 *   number  set only on true */
bool number_read(struct text text, int64_t *number) __attribute__((warn_unused_result));

#endif
