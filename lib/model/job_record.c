#include "lib/model/job_record.h"

#include <assert.h>
#include <string.h>

void job_record_defaults(struct job_record *record)
{
    assert(record != NULL);
    memset(record, 0, sizeof *record);
    definition_defaults(&record->definition);
    record->revision = 1;
    record->schedule_edited_ms = INSTANT_NONE;
    record->earlier_due_ms = INSTANT_NONE;
    record->zone_missing_ms = INSTANT_NONE;
    record->zone_data_ms = INSTANT_NONE;
    record->paused_ms = INSTANT_NONE;
    record->until_ms = INSTANT_NONE;
    record->finished_ms = INSTANT_NONE;
    record->tail_from_ms = INSTANT_NONE;
    record->failing_since_ms = INSTANT_NONE;
    record->retry_ms = INSTANT_NONE;
    record->last_due_ms = INSTANT_NONE;
    record->import.effective_ms = INCARNATION_NONE_MS;
}
