/* run_id.h - the id of a run: that of the fire that opened it. */
#ifndef BELFRY_MODEL_RUN_ID_H
#define BELFRY_MODEL_RUN_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"
#include "lib/model/output.h"
#include "lib/model/run.h"
#include "lib/model/run_record.h"
#include "lib/time/incarnation.h"

/* What it follows from. */
struct run_identity {
    struct incarnation incarnation;
    enum fire_kind kind;
    int64_t nominal_ms;
    struct text trigger_id;    /* FIRE_TRIGGER: the command's id; FIRE_BACKFILL: the backfill's */
    struct incarnation import; /* FIRE_BACKFILL: where the job's import stood; effective_ms
                                  INCARNATION_NONE_MS: it was not imported */
};

/* Reads what run_id_format() has written, and nothing else. The kind of a slot's fire is not in its
 * id: FIRE_SCHEDULE. Nor is the nominal time of a trigger's: INSTANT_NONE. */
bool run_id_parse(struct text text, struct run_identity *identity);

/* Writes the text, terminated; returns its length. `text` has RUN_ID_BYTES_MAX + 1. */
size_t run_id_format(const struct run_identity *identity, char *text);

/* Likewise, of an open run as it is written. */
size_t run_id_of_record(const struct run_record *record, char *text);

#endif
