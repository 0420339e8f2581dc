#include "lib/model/output.h"

#include <assert.h>

#define WORD(name, word) word,

const char *fire_kind_name(enum fire_kind kind)
{
    static const char *const words[] = {FIRE_KINDS(WORD)};
    assert((size_t)kind < sizeof words / sizeof words[0]);
    return words[kind];
}

const char *event_kind_name(enum event_kind kind)
{
    static const char *const words[] = {EVENT_KINDS(WORD)};
    assert((size_t)kind < sizeof words / sizeof words[0]);
    return words[kind];
}

const char *event_reason_word(enum event_reason reason)
{
    static const char *const words[] = {NULL, EVENT_REASONS(WORD)};
    assert((size_t)reason < sizeof words / sizeof words[0]);
    return words[reason];
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const words[] = {OUTCOMES(WORD)};
    assert((size_t)outcome < sizeof words / sizeof words[0]);
    return words[outcome];
}

bool outcome_find(struct text word, enum outcome *outcome)
{
    assert(outcome != NULL);
    for (int i = OUTCOME_APPLIED; i <= OUTCOME_EXPIRED; i++) {
        if (!text_equal(word, text_of(outcome_name((enum outcome)i)))) continue;
        *outcome = (enum outcome)i;
        return true;
    }
    return false;
}

void event_init(struct event *event, enum event_kind kind, int64_t at_ms)
{
    assert(event != NULL);
    *event = (struct event){.kind = kind,
                            .at_ms = at_ms,
                            .first_ms = EVENT_FIELD_NONE,
                            .last_ms = EVENT_FIELD_NONE,
                            .count = EVENT_FIELD_NONE,
                            .from_ms = EVENT_FIELD_NONE,
                            .to_ms = EVENT_FIELD_NONE,
                            .rate = EVENT_FIELD_NONE,
                            .until_ms = EVENT_FIELD_NONE,
                            .epoch = EVENT_FIELD_NONE,
                            .run_number = EVENT_FIELD_NONE};
}
