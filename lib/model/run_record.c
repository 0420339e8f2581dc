#include "lib/model/run_record.h"

#include <assert.h>

#define WORD(name, word) word,
static const char *const states[] = {RUN_STATES(WORD) NULL};

const char *run_state_word(enum run_state state)
{
    assert(state <= RUN_STATE_WAITING);
    return states[state];
}

const char *const *run_state_words(void)
{
    return states;
}

void run_record_defaults(struct run_record *record)
{
    assert(record != NULL);
    *record = (struct run_record){.import = {.effective_ms = INCARNATION_NONE_MS},
                                  .number = 1,
                                  .counted = 1,
                                  .retry_at_ms = INSTANT_NONE,
                                  .expiry_ms = INSTANT_NONE};
}
