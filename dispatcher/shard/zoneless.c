/* A job one of whose schedules is in a time zone that this machine does not have. It is set aside:
 * nothing of it comes due, and its record says since when. When an owner has the zone again, the
 * slots since then are owed, and the catch-up policy decides about them as after an outage.
 * Meanwhile it can be deleted, given another schedule, paused: what its slots since then were is
 * not known, so an event names the interval. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/shard/shard_state.h"

static bool is_unknown(const struct schedule *schedule)
{
    return schedule != NULL && schedule_is_unknown(&schedule->spec);
}

static bool lacks_zone(const struct job *job)
{
    if (is_unknown(job->schedule)) return true;
    const struct job_extra *extra = job->extra;
    for (uint32_t i = 0; extra != NULL && i < ledger_count(&extra->ledger); i++)
        if (is_unknown(ledger_debt(&extra->ledger, i)->schedule)) return true;
    for (uint32_t i = 0; extra != NULL && i < extra->backfill_count; i++)
        if (is_unknown(extra->backfills[i].debt.schedule)) return true;
    return false;
}

/* Up to where the job's slots are done; in a half-done instant that depends on its ordinal. */
static int64_t done_ms_of(const struct shard *shard, const struct job *job)
{
    const struct watermark *watermark = &shard->watermark;
    bool done = job->life.ordinal <= watermark->ordinal;
    return done ? watermark->instant_ms : watermark->instant_ms - 1;
}

/* Its slots since then are owed, judged apart from what it owed before. */
static void come_back(struct shard *shard, struct job *job)
{
    struct job_extra *extra = job->extra;
    int64_t missing_ms = extra->state.zone_missing_ms;
    extra->state.zone_missing_ms = INSTANT_NONE;
    job_queue_add(&shard->zoneless, job_reference_of(job));
    if (job->flags & (JOB_PAUSED | JOB_FINISHED)) return;
    bool owes = job_owes(job);
    if (owes && (job_is_undecided(job) || ledger_leaves_out(&extra->ledger) ||
                 !ledger_has_room(&extra->ledger, 2)))
        return;
    if (owes) lane_close_tail(job, missing_ms, missing_ms, NULL);
    ledger_open_tail(&extra->ledger, missing_ms, true);
}

void zoneless_restore(struct shard *shard, struct job *job)
{
    bool noted = job->extra != NULL && job->extra->state.zone_missing_ms != INSTANT_NONE;
    if (!lacks_zone(job)) {
        if (noted) come_back(shard, job);
        return;
    }
    job->flags |= JOB_ZONELESS;
    if (noted || (job->flags & (JOB_PAUSED | JOB_FINISHED))) return;
    job_extra(job)->state.zone_missing_ms = done_ms_of(shard, job);
    job_queue_add(&shard->zoneless, job_reference_of(job));
}

bool zoneless_write(struct shard *shard, const struct sink *sink)
{
    struct job_reference reference;
    while (shard->zoneless.count > 0) {
        if (sink->full(sink->opaque)) return false;
        (void)job_queue_take(&shard->zoneless, &reference);
        struct job *job = shard_job_of(shard, reference);
        if (job != NULL) sink->job_changed(sink->opaque, job);
    }
    return true;
}

static int64_t earlier(int64_t left_ms, int64_t right_ms)
{
    if (left_ms == INSTANT_NONE) return right_ms;
    return right_ms != INSTANT_NONE && right_ms < left_ms ? right_ms : left_ms;
}

static void drop_backfills(struct shard *shard, struct job *job, int64_t at_ms,
                           const struct sink *sink)
{
    for (uint32_t i = job->extra->backfill_count; i-- > 0;) {
        struct job_backfill *backfill = &job->extra->backfills[i];
        if (is_unknown(backfill->debt.schedule))
            backfill_cancel(shard, job, backfill, at_ms, REASON_ZONE_MISSING, sink);
    }
}

/* Since when slots are owed; INSTANT_NONE: none is. */
static int64_t owed_from_ms(const struct job *job)
{
    const struct job_extra *extra = job->extra;
    if (extra == NULL) return INSTANT_NONE;
    const struct ledger *ledger = &extra->ledger;
    int64_t from_ms = earlier(extra->state.zone_missing_ms, ledger_tail_from_ms(ledger));
    return ledger_count(ledger) > 0 ? earlier(from_ms, debt_from_ms(ledger_debt(ledger, 0)))
                                    : from_ms;
}

static void end_from(struct shard *shard, struct job *job, int64_t from_ms, int64_t at_ms,
                     const struct sink *sink)
{
    assert(job->flags & JOB_ZONELESS);
    struct job_extra *extra = job_extra(job);
    if (from_ms != INSTANT_NONE && from_ms < at_ms)
        job_announce_unknown(job, from_ms, at_ms, text_of(NULL), sink);
    /* What came due before may have been fired: an `at` up to there is not fired again. */
    if (extra->state.zone_missing_ms > extra->state.earlier_due_ms)
        extra->state.earlier_due_ms = extra->state.zone_missing_ms;
    extra->state.zone_missing_ms = INSTANT_NONE;
    lane_finish_catchup(job, at_ms, sink);
    lane_release(shard, job);
}

void zoneless_end(struct shard *shard, struct job *job, int64_t at_ms, const struct sink *sink)
{
    end_from(shard, job, owed_from_ms(job), at_ms, sink);
    drop_backfills(shard, job, at_ms, sink);
}

/* Since when there may be slots of the present definition that were to fire; INSTANT_NONE: none. In
 * a pause, too, one may wait for its delay, which is behind the edit. */
static int64_t edited_from_ms(const struct job *job, int64_t at_ms)
{
    int64_t most_ms = job->schedule->spec.jitter.most_ms;
    int64_t from_ms = owed_from_ms(job);
    if (most_ms == 0 || (job->flags & JOB_FINISHED)) return from_ms;
    return earlier(from_ms, at_ms - most_ms);
}

static int64_t later(int64_t left_ms, int64_t right_ms)
{
    return left_ms > right_ms ? left_ms : right_ms;
}

/* Whether by the other bounds there would be other slots in (from_ms, at_ms]. */
static bool bounds_cut(const struct definition *left, const struct definition *right,
                       int64_t from_ms, int64_t at_ms)
{
    int64_t left_end_ms = left->end_ms > at_ms ? at_ms + 1 : left->end_ms;
    int64_t right_end_ms = right->end_ms > at_ms ? at_ms + 1 : right->end_ms;
    return later(left_end_ms, from_ms) != later(right_end_ms, from_ms) ||
           later(left->start_ms, from_ms) != later(right->start_ms, from_ms);
}

bool zoneless_edit(struct shard *shard, struct job *job, const struct definition *next,
                   bool rescheduled, int64_t at_ms, const struct sink *sink)
{
    struct definition present;
    job_view(job, &present);
    int64_t from_ms = edited_from_ms(job, at_ms);
    bool cut = from_ms != INSTANT_NONE && bounds_cut(&present, next, from_ms, at_ms);
    if (!rescheduled && !cut) return false;
    end_from(shard, job, from_ms, at_ms, sink);
    if (rescheduled) drop_backfills(shard, job, at_ms, sink);
    if ((job->flags & (JOB_PAUSED | JOB_FINISHED)) == 0) job->extra->state.zone_missing_ms = at_ms;
    return true;
}

size_t shard_name_zoneless(const struct shard *shard, char *text, size_t bytes)
{
    size_t count = 0;
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < job_table_slots(shard->jobs); i++) {
        const struct job *job = job_table_at(shard->jobs, i);
        if (job == NULL || (job->flags & JOB_ZONELESS) == 0) continue;
        struct text name = job_name(job);
        bool own = schedule_is_unknown(&job->schedule->spec);
        const char *zone = own ? job->schedule->spec.cron.zone->name : "of an earlier schedule";
        count++;
        if (length + name.length + strlen(zone) + 8 >= bytes) continue;
        length += (size_t)snprintf(text + length, bytes - length, "%s%.*s (%s)",
                                   length == 0 ? "" : ", ", (int)name.length, name.bytes, zone);
    }
    return count;
}
