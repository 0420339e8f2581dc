/* failed_run_json.h - a run that has ended without success and is not tried again: the value of its
 * dead letter, with what is needed to see why, and to run it once more under the same id. */
#ifndef BELFRY_SCHEMAS_FAILED_RUN_JSON_H
#define BELFRY_SCHEMAS_FAILED_RUN_JSON_H

#include "lib/model/run_record.h"
#include "schemas/text_writer.h"

struct failed_run {
    struct text run; /* the id of its fire */
    const struct run_record *record; /* with its last try among those that have ended */
    enum run_outcome outcome;        /* the run's: of its last try, or poison */
    int64_t ended_ms;
    const struct report *report; /* that ended it; NULL: none did */
};

/* At most FAILED_RUN_BYTES_MAX, which every topic of Belfry's takes. */
enum { FAILED_RUN_BYTES_MAX = 128 * 1024 };
void failed_run_encode(struct text_writer *writer, const struct failed_run *failed);

#endif
