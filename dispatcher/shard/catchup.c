/* The catch-up policy: which of the slots that were not fired in time are fired yet. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"

/* The one rule of lateness: slots due up to the result are late, those after it are not. */
static int64_t late_up_to_ms(int64_t grace_ms, int64_t now_ms)
{
    return now_ms - grace_ms - 1;
}

bool catchup_is_late(const struct catchup *catchup, int64_t due_ms, int64_t now_ms)
{
    return due_ms <= late_up_to_ms(catchup->grace_ms, now_ms);
}

bool job_is_late(const struct job *job, int64_t due_ms, int64_t now_ms)
{
    struct definition definition;
    if (!job_has_options(job)) return due_ms <= late_up_to_ms(MISFIRE_GRACE_DEFAULT_MS, now_ms);
    job_view(job, &definition);
    return catchup_is_late(&definition.catchup, due_ms, now_ms);
}

bool catchup_is_too_old(const struct catchup *catchup, struct job_slot slot, int64_t now_ms)
{
    return catchup_is_late(catchup, slot.due_ms, now_ms) &&
           slot.nominal_ms < now_ms - catchup->window_ms;
}

int64_t catchup_too_old_ms(const struct catchup *catchup, const struct schedule_spec *spec,
                           int64_t now_ms)
{
    int64_t window_ms = schedule_bound(spec, now_ms - catchup->window_ms) - 1;
    int64_t late_ms = late_up_to_ms(catchup->grace_ms, now_ms);
    return window_ms < late_ms ? window_ms : late_ms; /* a delay may be longer than the window */
}

static int64_t within(int64_t at_ms, int64_t from_ms, int64_t to_ms)
{
    if (at_ms < from_ms) return from_ms;
    return at_ms > to_ms ? to_ms : at_ms;
}

struct verdict catchup_judge(const struct definition *definition, int64_t from_ms, int64_t to_ms,
                             int64_t now_ms)
{
    const struct catchup *catchup = &definition->catchup;
    const struct schedule_spec *spec = &definition->schedule;
    int64_t grace_from_ms = late_up_to_ms(catchup->grace_ms, now_ms);
    int64_t window_from_ms = catchup_too_old_ms(catchup, spec, now_ms);
    int64_t newest_ms = 0;
    if (!schedule_last(spec, from_ms, within(grace_from_ms, from_ms, to_ms), &newest_ms))
        return (struct verdict){from_ms, REASON_NONE}; /* none is late: all just fire */
    window_from_ms = within(window_from_ms, from_ms, to_ms);
    switch (catchup->policy) {
    case CATCHUP_NONE:
        return (struct verdict){within(grace_from_ms, from_ms, to_ms), REASON_POLICY_NONE};
    case CATCHUP_LATEST:
        if (!schedule_last(spec, window_from_ms, to_ms, &newest_ms))
            return (struct verdict){to_ms, REASON_WINDOW};
        return (struct verdict){newest_ms - 1, REASON_SUPERSEDED};
    case CATCHUP_ALL: {
        int64_t keep_ms = schedule_keep_newest(spec, window_from_ms, to_ms,
                                               (uint64_t)catchup->limit);
        return (struct verdict){keep_ms, keep_ms > window_from_ms ? REASON_LIMIT : REASON_WINDOW};
    }
    }
    assert(false);
    return (struct verdict){to_ms, REASON_NONE};
}
