#include "store/store_whole.h"

#include <assert.h>
#include <inttypes.h>

static bool compare(const char *what, int64_t there, int64_t held, struct error *error)
{
    if (held < 0 || there == held) return true;
    (void)error_set(error, ERROR_RETRY, "%" PRId64 " of %" PRId64 " %s", there, held, what);
    error->code = CODE_NOT_WHOLE;
    return false;
}

bool snapshot_check_whole(const struct snapshot *snapshot, struct error *error)
{
    assert(snapshot != NULL);
    const struct store_counts *held = &snapshot->held;
    const struct store_counts *there = &snapshot->there;
    return compare("jobs", there->jobs, held->jobs, error) &&
           compare("records of remembered command ids", there->seen, held->seen, error) &&
           compare("jobs in the index by group", there->groups, held->groups, error) &&
           compare("jobs in the index by super group", there->super_groups, held->super_groups,
                   error) &&
           compare("open runs", there->runs, held->runs, error);
}
