/* incarnation.h - the identity of one life of a job, and of its fires. */
#ifndef BELFRY_TIME_INCARNATION_H
#define BELFRY_TIME_INCARNATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"

/* Delete and add again is a new one. In text <effective_ms>-<shard>.<offset>.<index>: where the
 * command that added it stood. */
struct incarnation {
    int64_t effective_ms;
    int64_t offset;
    uint32_t index;
    int32_t shard;
};
enum { INCARNATION_TEXT_BYTES = 64, FIRE_ID_BYTES = INCARNATION_TEXT_BYTES + 24 };

/* Writes the text, terminated; returns its length. `text` has INCARNATION_TEXT_BYTES. */
size_t incarnation_format(const struct incarnation *incarnation, char *text);
bool incarnation_parse(struct text text, struct incarnation *incarnation);

/* < 0, 0, > 0: a total order. */
int incarnation_compare(const struct incarnation *left, const struct incarnation *right);

/* "<incarnation>@<nominal_ms>"; `text` has FIRE_ID_BYTES. Returns its length. */
size_t fire_id_format(const struct incarnation *incarnation, int64_t nominal_ms, char *text);

#endif
