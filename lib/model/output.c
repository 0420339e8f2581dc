#include "lib/model/output.h"

#include <assert.h>

const char *fire_kind_name(enum fire_kind kind)
{
    static const char *const names[] = {"schedule", "catchup", "trigger", "backfill", "retry"};
    assert((size_t)kind < sizeof names / sizeof names[0]);
    return names[kind];
}

const char *event_kind_name(enum event_kind kind)
{
    static const char *const names[] = {
        "missed",           "skipped",           "exhausted",   "resumed",    "catchup_started",
        "catchup_finished", "fire_failed",       "shard_taken", "tz_changed", "shard_contested",
        "clock_ahead",      "backfill_started",  "backfill_finished", "clock_behind",
        "clock_unknown",    "catchup_behind",    "zone_missing", "input_cut"};
    assert((size_t)kind < sizeof names / sizeof names[0]);
    return names[kind];
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {"applied",  "partial",  "unchanged", "duplicate",
                                        "rejected", "conflict", "expired"};
    assert((size_t)outcome < sizeof names / sizeof names[0]);
    return names[outcome];
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
                            .epoch = EVENT_FIELD_NONE};
}
