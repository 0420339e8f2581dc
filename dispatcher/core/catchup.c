/* The catch-up policy: which of the slots that were not fired in time are fired yet. */
#include <assert.h>

#include "dispatcher/core/mutant.h"
#include "dispatcher/core/shard_state.h"

struct verdict catchup_judge(const struct definition *definition, int64_t from_ms, int64_t to_ms,
                             int64_t now_ms)
{
    const struct catchup *catchup = &definition->catchup;
    const struct schedule_spec *spec = &definition->schedule;
    int64_t window_from_ms = schedule_bound(spec, now_ms - catchup->window_ms) - 1;
    if (window_from_ms < from_ms || mutant(MUTANT_WINDOW_IGNORED)) window_from_ms = from_ms;
    if (window_from_ms > to_ms) window_from_ms = to_ms;
    int64_t newest_ms = 0;
    switch (catchup->policy) {
    case CATCHUP_NONE: {
        int64_t grace_from_ms = now_ms - catchup->grace_ms - 1;
        if (grace_from_ms < from_ms || mutant(MUTANT_NONE_KEEPS_ALL)) grace_from_ms = from_ms;
        if (grace_from_ms > to_ms) grace_from_ms = to_ms;
        return (struct verdict){grace_from_ms, "policy_none"};
    }
    case CATCHUP_LATEST:
        if (!schedule_last(spec, window_from_ms, to_ms, &newest_ms))
            return (struct verdict){to_ms, "window"};
        if (mutant(MUTANT_LATEST_KEEPS_ALL)) return (struct verdict){window_from_ms, "superseded"};
        if (mutant(MUTANT_LATEST_KEEPS_TWO))
            return (struct verdict){schedule_keep_newest(spec, window_from_ms, to_ms, 2),
                                    "superseded"};
        return (struct verdict){newest_ms - 1, "superseded"};
    case CATCHUP_ALL: {
        int64_t keep_ms = schedule_keep_newest(spec, window_from_ms, to_ms,
                                               (uint64_t)catchup->limit +
                                                   mutant(MUTANT_LIMIT_ONE_MORE));
        return (struct verdict){keep_ms, keep_ms > window_from_ms ? "limit" : "window"};
    }
    }
    assert(false);
    return (struct verdict){to_ms, "internal"};
}
