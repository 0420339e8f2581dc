/* cron_next.c - local seconds laid over a zone: the instants of an expression.
 *
 * Two rules. A wildcard job is due at each instant whose local time matches. A job at a fixed time
 * (CRON_ONCE) has each local time once: at the first instant at which the clock shows it or a later
 * one. So what a gap leaves out comes at its end, and what is shown twice comes the first time,
 * whatever the size of the change. */
#include <assert.h>

#include "lib/time/cron.h"
#include "lib/time/cron_local.h"
#include "lib/time/instant.h"

#define FIRST_S (INSTANT_MIN_MS / 1000)
#define LAST_S (INSTANT_MAX_MS / 1000)
/* Nothing the clocks do reaches further. */
#define REACH_S (INT64_C(3) * 86400)

/* Where the local time of a span begins to count. */
static int64_t local_start(const struct cron *cron, const struct zone_view *view)
{
    bool once = (cron->flags & CRON_ONCE) != 0;
    int32_t shown_s = once ? view->high_s : view->offset_s;
    return view->from_s + shown_s;
}

/* The first local time to look at from the instant at_s on. */
static int64_t local_at(const struct cron *cron, const struct zone_view *view, int64_t at_s)
{
    int64_t start_s = local_start(cron, view);
    if (at_s <= view->from_s) return start_s;
    int64_t local_s = at_s + view->offset_s;
    return local_s > start_s ? local_s : start_s;
}

static bool zoned_from(const struct cron *cron, int64_t at_s, int64_t *found_s)
{
    struct zone_view view = zone_at(cron->zone, at_s);
    int64_t start_s = local_at(cron, &view, at_s);
    int64_t local_s = 0;
    if (!cron_local_from(cron, start_s, &local_s)) return false;
    for (;;) {
        int64_t instant_s = local_s - view.offset_s;
        if (instant_s < view.from_s) instant_s = view.from_s; /* from the gap before it */
        if (instant_s < view.until_s) {
            *found_s = instant_s;
            return instant_s <= LAST_S;
        }
        int64_t next_s = view.until_s;
        if (next_s > LAST_S) return false;
        /* Far away, and the clocks cannot come back below start_s in between. */
        if (next_s > at_s + REACH_S && instant_s > next_s + 2 * REACH_S)
            next_s = instant_s - REACH_S;
        view = zone_at(cron->zone, next_s);
        int64_t shown_s = local_start(cron, &view);
        if (shown_s >= start_s && shown_s <= local_s) continue;
        start_s = shown_s;
        if (!cron_local_from(cron, start_s, &local_s)) return false;
    }
}

bool cron_next(const struct cron *cron, int64_t after_ms, int64_t *next_ms)
{
    assert(next_ms != NULL);
    if (after_ms >= INSTANT_MAX_MS) return false;
    int64_t after = after_ms < INSTANT_MIN_MS ? INSTANT_MIN_MS - 1 : after_ms;
    int64_t from_s = (after + 1000) / 1000; /* the first whole second after it */
    int64_t found_s = 0;
    if (from_s > LAST_S) return false;
    if (cron->zone == NULL) {
        if (!cron_local_from(cron, from_s, &found_s) || found_s > LAST_S) return false;
    } else if (!zoned_from(cron, from_s, &found_s)) {
        return false;
    }
    assert(found_s >= from_s);
    *next_ms = found_s * 1000;
    return true;
}

/* ---- counting ---- */

/* The instants of one span that lie in [from_s, to_s): those at its very start out of a gap, which
 * are one together with the one shown there, and the others by local time. */
struct share {
    uint64_t at_start; /* 0 or 1 */
    uint64_t others;
    int64_t start_s;       /* of the span */
    int64_t others_until_s; /* local */
    int32_t offset_s;
};

static struct share share_of(const struct cron *cron, const struct zone_view *view, int64_t from_s,
                             int64_t to_s)
{
    if (to_s > view->until_s) to_s = view->until_s;
    int64_t until_s = to_s + view->offset_s;
    int64_t start_s = local_at(cron, view, from_s);
    struct share share = {.start_s = view->from_s, .others_until_s = until_s,
                          .offset_s = view->offset_s};
    int64_t shown_s = view->from_s + view->offset_s; /* what the clock shows after a gap */
    if (start_s < shown_s && from_s <= view->from_s) {
        share.at_start = cron_local_count(cron, start_s, shown_s + 1) > 0;
        start_s = shown_s + 1;
    }
    share.others = cron_local_count(cron, start_s, until_s);
    return share;
}

static struct zone_view view_at(const struct cron *cron, int64_t at_s)
{
    if (cron->zone != NULL) return zone_at(cron->zone, at_s);
    return (struct zone_view){.from_s = INT64_MIN / 2, .until_s = INT64_MAX};
}

/* (from_ms, to_ms] as seconds [from_s, to_s); false when it is empty. */
static bool clip(int64_t from_ms, int64_t to_ms, int64_t *from_s, int64_t *to_s)
{
    if (to_ms > INSTANT_MAX_MS) to_ms = INSTANT_MAX_MS;
    if (from_ms >= to_ms || to_ms < INSTANT_MIN_MS) return false;
    *from_s = from_ms < INSTANT_MIN_MS ? FIRST_S : from_ms / 1000 + 1;
    *to_s = to_ms / 1000 + 1;
    return *from_s < *to_s;
}

uint64_t cron_count(const struct cron *cron, int64_t from_ms, int64_t to_ms)
{
    int64_t from_s = 0;
    int64_t to_s = 0;
    uint64_t count = 0;
    if (!clip(from_ms, to_ms, &from_s, &to_s)) return 0;
    while (from_s < to_s) {
        struct zone_view view = view_at(cron, from_s);
        struct share share = share_of(cron, &view, from_s, to_s);
        count += share.at_start + share.others;
        from_s = view.until_s;
    }
    return count;
}

bool cron_newest(const struct cron *cron, int64_t from_ms, int64_t to_ms, uint64_t skip,
                 int64_t *instant_ms)
{
    assert(instant_ms != NULL);
    int64_t from_s = 0;
    int64_t to_s = 0;
    if (!clip(from_ms, to_ms, &from_s, &to_s)) return false;
    while (from_s < to_s) {
        struct zone_view view = view_at(cron, to_s - 1);
        int64_t start_s = from_s > view.from_s ? from_s : view.from_s;
        struct share share = share_of(cron, &view, start_s, to_s);
        if (skip < share.others) {
            int64_t local_s = cron_local_newest(cron, share.others_until_s, skip);
            *instant_ms = (local_s - share.offset_s) * 1000;
            return true;
        }
        skip -= share.others;
        if (skip < share.at_start) {
            *instant_ms = share.start_s * 1000;
            return true;
        }
        skip -= share.at_start;
        to_s = view.from_s;
    }
    return false;
}
