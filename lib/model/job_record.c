#include "lib/model/job_record.h"

#include <assert.h>
#include <string.h>

#define INSTANT_DEFAULT INSTANT_NONE
#define COUNT_DEFAULT 0
#define STATE_DEFAULT(kind, member, name) state->member = kind##_DEFAULT;
#define LIFE_DEFAULT(kind, member, name) life->member = kind##_DEFAULT;

void job_state_init(struct job_state *state)
{
    memset(state, 0, sizeof *state);
    JOB_PAUSE_ROWS(STATE_DEFAULT)
    JOB_END_ROWS(STATE_DEFAULT)
    JOB_EDIT_ROWS(STATE_DEFAULT)
    JOB_PAST_ROWS(STATE_DEFAULT)
    state->failing_since_ms = INSTANT_NONE;
    state->retry_ms = INSTANT_NONE;
}

void job_life_init(struct job_life *life)
{
    memset(life, 0, sizeof *life);
    JOB_COUNTER_ROWS(LIFE_DEFAULT)
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
    job_life_init(&record->life);
    record->import.effective_ms = INCARNATION_NONE_MS;
}
