#include "dispatcher/core/job_record.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

void job_record_defaults(struct job_record *record)
{
    assert(record != NULL);
    /* The lists are read up to their counts only, and are large. */
    memset(record, 0, offsetof(struct job_record, owed));
    memset(&record->tail_from_ms, 0,
           offsetof(struct job_record, backfills) - offsetof(struct job_record, tail_from_ms));
    memset(&record->failing_since_ms, 0,
           sizeof *record - offsetof(struct job_record, failing_since_ms));
    definition_defaults(&record->definition);
    record->revision = 1;
    record->schedule_edited_ms = INSTANT_NONE;
    record->earlier_due_ms = INSTANT_NONE;
    record->paused_ms = INSTANT_NONE;
    record->until_ms = INSTANT_NONE;
    record->finished_ms = INSTANT_NONE;
    record->tail_from_ms = INSTANT_NONE;
    record->failing_since_ms = INSTANT_NONE;
    record->retry_ms = INSTANT_NONE;
    record->pending_nominal_ms = INSTANT_NONE;
    record->pending_due_ms = INSTANT_NONE;
    record->last_due_ms = INSTANT_NONE;
}
