#include "lib/model/job_record.h"

#include <assert.h>
#include <string.h>

void job_state_init(struct job_state *state)
{
    memset(state, 0, sizeof *state);
    state->schedule_edited_ms = INSTANT_NONE;
    state->earlier_due_ms = INSTANT_NONE;
    state->zone_missing_ms = INSTANT_NONE;
    state->zone_data_ms = INSTANT_NONE;
    state->paused_ms = INSTANT_NONE;
    state->until_ms = INSTANT_NONE;
    state->finished_ms = INSTANT_NONE;
    state->failing_since_ms = INSTANT_NONE;
    state->retry_ms = INSTANT_NONE;
}

bool job_state_is_usual(const struct job_state *state)
{
    struct job_state usual;
    job_state_init(&usual);
    return memcmp(state, &usual, sizeof usual) == 0;
}

void job_record_defaults(struct job_record *record)
{
    assert(record != NULL);
    memset(record, 0, sizeof *record);
    definition_defaults(&record->definition);
    record->revision = 1;
    job_state_init(&record->state);
    record->tail_from_ms = INSTANT_NONE;
    record->last_due_ms = INSTANT_NONE;
    record->import.effective_ms = INCARNATION_NONE_MS;
}
